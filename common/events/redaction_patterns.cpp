#include "common/events/redaction_patterns.hpp"

#include <utility>

#include <fmt/core.h>
#include <re2/re2.h>

#include "common/events/redaction.hpp"

namespace tokenrail::events {

struct RedactionPatterns::Compiled {
  std::vector<std::unique_ptr<re2::RE2>> patterns{};
};

Result<RedactionPatterns> RedactionPatterns::compile(const std::vector<std::string>& patterns) {
  if (patterns.empty()) return RedactionPatterns();
  if (patterns.size() > patterns_max)
    return fail(ErrorKind::invalid_input,
                fmt::format("audit.redact has {} patterns; at most {} are taken", patterns.size(), patterns_max));
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_shared<Compiled>();
  for (const auto& text : patterns) {
    const auto wrong = [&](std::string_view why) {
      return fail(ErrorKind::invalid_input, fmt::format("audit.redact: the pattern '{}' {}", text, why));
    };
    if (text.size() > pattern_bytes_max) return wrong(fmt::format("is longer than {} bytes", pattern_bytes_max));
    auto pattern = std::make_unique<re2::RE2>(text, options);
    if (!pattern->ok()) return wrong(fmt::format("cannot be read ({})", pattern->error()));
    // It would put a mark between all characters.
    if (re2::RE2::PartialMatch("", *pattern)) return wrong("matches the empty text");
    compiled->patterns.push_back(std::move(pattern));
  }
  RedactionPatterns made;
  made.compiled_ = std::move(compiled);
  return made;
}

bool RedactionPatterns::take_out(std::string& text) const {
  if (!compiled_) return false;
  const re2::StringPiece mark(redaction_mark.data(), redaction_mark.size());
  int found = 0;
  for (const auto& pattern : compiled_->patterns) found += re2::RE2::GlobalReplace(&text, *pattern, mark);
  return found > 0;
}

}  // namespace tokenrail::events
