#include "cli/verify/key_rules.hpp"

#include <functional>
#include <string>

#include <fmt/format.h>

#include "cli/verify/texts.hpp"

namespace tokenrail::verify {

std::size_t key_hash(const kafka::Record& record) {
  return std::hash<std::string>{}(record.key.value_or(""));
}

void KeyRules::check(const Subject& about, std::int64_t number, KeySeen& seen, const kafka::Record& record,
                     bool chunk) {
  const auto hash = key_hash(record);
  if (seen.at < 0) {
    seen = {.at = record.offset, .on_chunks = chunk, .hash = hash};
  } else if (seen.hash != hash) {
    report_other(about, number, seen, {.at = record.offset, .on_chunks = chunk, .hash = hash});
    // Once is enough.
    seen.hash = hash;
  }
}

void KeyRules::report_other(const Subject& about, std::int64_t number, const KeySeen& seen, const KeySeen& other) {
  const auto& topics = options().topics;
  report(Promise::audited, other.on_chunks ? topics.chunks : topics.audit, {other.at},
         fmt::format("request {} of {}, attempt {}: another record key than that of {}:{}", about.request_id,
                     about.org_id, number, seen.on_chunks ? topics.chunks : topics.audit, seen.at));
}

void KeyRules::note(DuplicateAnswer& answer, const kafka::Record& record, bool chunk) {
  const KeySeen seen{.at = record.offset, .on_chunks = chunk, .hash = key_hash(record)};
  if (answer.key.at < 0) {
    answer.key = seen;
  } else if (answer.key.hash != seen.hash && answer.other_key.at < 0) {
    answer.other_key = seen;
  }
}

void KeyRules::judge(const Subject& about, std::int64_t number, std::int64_t source_offset, std::int64_t source_ms,
                     const KeySeen& seen) {
  const auto asked_at = about.asked.find(source_offset);
  if (asked_at == about.asked.end() || !asked_at->second.read || seen.at < 0) return;
  // Of a log that went back or was created again another request may be at the same offset.
  if (source_ms >= 0 && asked_at->second.ms >= 0 && source_ms != asked_at->second.ms) return;
  if (asked_at->second.key.value_or(std::hash<std::string>{}("")) == seen.hash) return;
  report(Promise::audited, seen.on_chunks ? options().topics.chunks : options().topics.audit, {seen.at},
         fmt::format("{}, attempt {}: another record key than that of its request", request_text(about, source_offset),
                     number));
}

}  // namespace tokenrail::verify
