#include "cli/verify/known.hpp"

#include <algorithm>

#include "cli/verify/texts.hpp"

namespace tokenrail::verify {

Known::Known(CheckOptions told)
    : options(std::move(told)),
      findings(options.partition, options.violations_max),
      lines(options.clock_skew_ms),
      subjects(options.settled_max),
      horizon(options),
      overlooked(options),
      read_to{.requests = options.requests_from, .chunks = options.chunks_from, .audit = options.audit_from} {}

bool Known::whole_epoch(std::int64_t epoch) const {
  return options.audit_from == 0 || claims.find(epoch) != nullptr;
}

bool Known::forgotten(const Subject& about, std::int64_t source_offset) const {
  if (!subjects.forgot_any() || source_offset < options.requests_from || source_offset >= read_to.requests)
    return false;
  const auto entry = about.asked.find(source_offset);
  return entry == about.asked.end() || !entry->second.read;
}

bool Known::late_leftover(const Subject& about, std::int64_t number, const Attempt& attempt) const {
  if (about.leftover) return true;
  if (!about.unheard || number / attempts_per_epoch >= claims.highest()) return false;
  return std::ranges::none_of(about.asked, [&](const auto& entry) {
    return entry.second.read && entry.second.broker_ms <= attempt.chunks.first_broker_ms;
  });
}

bool Known::complete(const Subject& about, std::int64_t source_offset) const {
  return fold.complete(events::RequestOffset(source_offset), about.org_id, about.request_id);
}

bool Known::settled(const Subject& about) const {
  for (const auto& [offset, entry] : about.asked) {
    if (entry.dead || losses.has(about, offset)) continue;
    if (!entry.read && offset >= options.requests_from) return false;
    if (!entry.answerable && entry.read && horizon.letter_lost(entry.ms)) continue;
    if (complete(about, offset)) continue;
    const bool unseen = highest(about, offset) == nullptr && !about.duplicates.contains(offset);
    if (!(unseen && horizon.audit_lost(entry))) return false;
  }
  for (const auto& [number, attempt] : about.attempts) {
    if (!attempt.exists()) {
      if (!late_leftover(about, number, attempt)) return false;
      continue;
    }
    if (!attempt.answered()) return false;
    if (!attempt.interrupted() && attempt.chunks.terminal_at < 0 && !horizon.chunks_lost(attempt)) return false;
  }
  return std::ranges::all_of(about.duplicates, [&](const auto& entry) {
    const auto& answer = entry.second;
    if (losses.has(about, entry.first) || (answer.names_offset && losses.has(about, *answer.names_offset))) return true;
    if (answer.response_at < 0 && forgotten(about, entry.first)) return true;
    return answer.response_at >= 0 && (answer.chunk_at >= 0 || options.chunks_from > 0);
  });
}

}  // namespace tokenrail::verify
