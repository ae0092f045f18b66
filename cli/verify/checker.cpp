// Feeding chat.requests and the dead letters; what the other topics say is in the rules.
#include "cli/verify/checker.hpp"

#include <functional>
#include <string_view>
#include <utility>
#include <variant>

#include "common/events/chat_request.hpp"

namespace tokenrail::verify {

Checker::Checker(CheckOptions options)
    : known_(std::move(options)), chunk_rules_(known_), audit_rules_(known_), judge_(known_), ending_(known_) {
  known_.subjects.set_rules({.settled = [this](const Subject& about) { return known_.settled(about); },
                             .forgetting =
                                 [this](const Subject& about) {
                                   judge_.judge(about, false);
                                   for (const auto& [offset, entry] : about.asked)
                                     known_.fold.forget(events::RequestOffset(offset));
                                 }});
}

void Checker::on_request(const kafka::Record& record) {
  auto& figures = known_.findings.figures;
  ++figures.requests;
  figures.sender_times += record.log_append_time ? 0 : 1;
  known_.read_to.requests = record.offset + 1;
  if (known_.read_to.requests_first_ms < 0) known_.read_to.requests_first_ms = broker_ms(record);
  const bool dead = known_.letters.take(record.offset, record.timestamp_ms);
  if (dead) ++figures.dead_letters;

  const auto value = record.value ? std::optional<std::string_view>(*record.value) : std::nullopt;
  const auto parsed = events::parse_chat_request(value, known_.options.request_limits);
  if (const auto* request = std::get_if<events::ChatRequest>(&parsed)) {
    readable_request(record, request->org_id, request->request_id, request->timeout, dead);
  } else if (const auto* invalid = std::get_if<events::InvalidRequest>(&parsed)) {
    readable_request(record, invalid->org_id, invalid->request_id, std::nullopt, dead);
  } else if (!dead) {
    known_.letters.unanswerable(record.offset, {.ms = record.timestamp_ms, .broker_ms = broker_ms(record)});
  }
  known_.overlooked.forget(record.offset);
}

void Checker::readable_request(const kafka::Record& record, const std::string& org_id, const std::string& request_id,
                               std::optional<std::chrono::milliseconds> timeout, bool dead) {
  auto& about = known_.subjects.of(org_id, request_id);
  auto& entry = about.asked[record.offset];
  entry.read = true;
  entry.ms = record.timestamp_ms;
  entry.broker_ms = broker_ms(record);
  if (timeout && record.timestamp_ms >= 0) entry.deadline_ms = record.timestamp_ms + timeout->count();
  entry.key = record.key ? std::optional(std::hash<std::string>{}(*record.key)) : std::nullopt;
  known_.subjects.read_at(record.offset, about);
  known_.overlooked.is_there(record.offset, about, entry);
  check_attempts_there(about, record.offset, entry);
  entry.dead = dead;
  const auto& limits = known_.options.request_limits;
  const bool too_large = record.value && record.value->size() > limits.value_bytes_max;
  entry.answerable = !too_large && (!record.key || record.key->size() <= limits.key_bytes_max);
  known_.subjects.touch(about);
}

/// Attempts of other requests that llm.audit has at this offset.
void Checker::check_attempts_there(const Subject& about, std::int64_t source_offset, const Asked& asked) {
  const auto* const attempts = known_.fold.attempts(events::RequestOffset(source_offset));
  if (attempts == nullptr) return;
  for (const auto& attempt : *attempts) {
    const auto& ids = attempt.ids;
    if (attempt.request_offset < events::AuditOffset(0) ||
        (ids.org_id == about.org_id && ids.request_id == about.request_id))
      continue;
    if (auto* const other = known_.subjects.find(ids.org_id, ids.request_id))
      check_place(known_, ids, attempt.request_offset.value(), other->attempts[ids.attempt].request.broker_ms, asked);
  }
}

void Checker::on_dead_letter(const kafka::Record& record) {
  if (const auto letter = dead_letter_of(record, known_.options.topics.requests)) on_letter(*letter);
}

void Checker::on_letter(const DeadLetter& letter) {
  if (letter.partition != known_.options.partition) return;
  auto& figures = known_.findings.figures;
  if (letter.offset >= known_.read_to.requests) {
    known_.letters.keep(letter);
    return;
  }
  if (known_.letters.is_open(letter.offset)) {
    if (known_.letters.settle(letter)) ++figures.dead_letters;
    return;
  }
  auto* const about = known_.subjects.at(letter.offset);
  if (about == nullptr) return;
  auto& entry = about->asked[letter.offset];
  if (!letter.is_at(entry.ms)) return;
  if (!std::exchange(entry.dead, true)) ++figures.dead_letters;
  known_.subjects.touch(*about);
}

void Checker::finish(bool at_rest) {
  const auto left = known_.subjects.in_order();
  for (const auto* about : left) judge_.judge(*about, at_rest);
  ending_.judge(left, at_rest);
}

}  // namespace tokenrail::verify
