// simdjson parsers that are used again, because making one for each line would be most of a line's cost. A parser's
// state never outlives one document, so all decoders of a thread share the one that is at hand; a stream that idles
// holds none. Included by .cpp files only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "common/events/json_scan.hpp"

namespace tokenrail::providers {

/// A parser for one document, given back at the end of the scope. Strings that come out of it live as long as it does.
class JsonScratch {
 public:
  /// `document_bytes`: of the document to come. A big one gets a parser of its own, so that one big answer does not
  /// leave its memory behind.
  explicit JsonScratch(std::size_t document_bytes) {
    Shared& shared = shared_of_thread();
    if (!shared.taken && document_bytes <= shared_document_bytes_max) {
      shared.taken = true;
      shared_ = &shared;
    } else {
      own_ = std::make_unique<Shared>();
    }
  }
  ~JsonScratch() {
    if (shared_ != nullptr) shared_->taken = false;
  }
  JsonScratch(const JsonScratch&) = delete;
  JsonScratch& operator=(const JsonScratch&) = delete;

  simdjson::ondemand::parser& parser() { return (shared_ != nullptr ? *shared_ : *own_).parser; }

  /// `json` with the padding that simdjson reads into: itself, where `readable_after` bytes behind it may be read, else
  /// a copy.
  simdjson::padded_string_view padded(std::string_view json, std::size_t readable_after) {
    if (readable_after >= simdjson::SIMDJSON_PADDING) {
      return simdjson::padded_string_view(json.data(), json.size(), json.size() + readable_after);
    }
    std::string& copy = (shared_ != nullptr ? *shared_ : *own_).copy;
    copy.assign(json);
    // Zeros behind it: simdjson looks at the first byte there, and what is left of an earlier document could close
    // this.
    copy.resize(json.size() + simdjson::SIMDJSON_PADDING);
    return simdjson::padded_string_view(copy.data(), json.size(), copy.size());
  }

 private:
  static constexpr std::size_t shared_document_bytes_max = 256 * 1024;
  struct Shared {
    simdjson::ondemand::parser parser;
    std::string copy;
    bool taken = false;
  };
  static Shared& shared_of_thread() {
    static thread_local Shared shared;
    return shared;
  }

  Shared* shared_ = nullptr;
  std::unique_ptr<Shared> own_{};
};

/// `json` without the blanks between its tokens, or nothing where it is not one valid JSON object. Numbers keep their
/// spelling, those beyond 64 bits too; strings are repaired (events::repair_strings).
[[nodiscard]] inline bool minify_object(std::string_view json, std::string& out) {
  std::string repaired;
  if (json.find("\\u") != std::string_view::npos) {
    repaired = events::repair_strings(json);
    json = repaired;
  }
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  const auto error = parser.parse(json.data(), json.size()).get(element);
  if (error == simdjson::NUMBER_ERROR) {
    const auto scan = events::scan_json(json);
    if (!scan.valid || !scan.object || scan.depth > simdjson::DEFAULT_MAX_DEPTH) return false;
  } else if (error != simdjson::SUCCESS || !element.is_object()) {
    return false;
  }
  out.resize(json.size() + simdjson::SIMDJSON_PADDING);
  std::size_t bytes = 0;
  if (simdjson::minify(json.data(), json.size(), out.data(), bytes) != simdjson::SUCCESS) return false;
  out.resize(bytes);
  return true;
}

}  // namespace tokenrail::providers
