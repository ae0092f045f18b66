#include "workers/router/core/dead_letters.hpp"

#include <utility>

#include <spdlog/spdlog.h>

#include "common/events/commit_metadata.hpp"
#include "workers/router/core/dead_letter.hpp"
#include "workers/router/core/planted.hpp"
#include "workers/router/core/record_size.hpp"
#include "workers/router/core/refusals.hpp"

namespace tokenrail::router {

void DeadLetters::add(kafka::Record&& record, std::string reason) {
  const events::RequestOffset offset(record.offset);
  auto& letter =
      letters_.emplace(offset, Letter{.record = std::move(record), .reason = std::move(reason)}).first->second;
  letter.counted = bytes_of(letter.record);
  letter.digest = events::dead_letter_digest(letter.record);
  send(offset, letter);
  // The producer has a copy of its own.
  put_back(letter);
}

void DeadLetters::send() {
  for (auto& [offset, letter] : letters_) send(offset, letter);
}

void DeadLetters::send(events::RequestOffset offset, Letter& letter) {
  const auto now = environment_.now().steady;
  if (letter.on_its_way || letter.put_back || now < letter.retry_at || !io_.usable()) return;
  const auto record = dead_letter_record(letter.record, letter.reason, hub_.record_bytes_max(Output::dlq));
  if (letter.tries == 0) {
    spdlog::warn("partition {} offset {}: {}; the record goes to the dead-letter topic", partition_, offset.value(),
                 letter.reason);
  }
  letter.bytes = record.bytes();
  const auto key = record.key ? std::optional<std::string>(*record.key) : std::nullopt;
  const auto produced = io_.send(Output::dlq, key, record.value, &record.headers,
                                 {.partition = partition_,
                                  .generation = generation_,
                                  .purpose = Purpose::dlq,
                                  .offset = offset,
                                  .bytes = static_cast<std::uint32_t>(letter.bytes)});
  switch (produced) {
    case kafka::Produced::accepted:
      letter.on_its_way = true;
      letter.sent_at = now;
      break;
    case kafka::Produced::queue_full:
      // Behind others that the topic has not taken yet. Nothing else of the partition waits for it.
      wait(offset, letter, "the producer's queue for the topic is full");
      break;
    case kafka::Produced::too_large:
      hub_.record_refused(Output::dlq, letter.bytes, "too large for the producer's message.max.bytes");
      wait(offset, letter, "it is larger than the producer's message.max.bytes");
      break;
    case kafka::Produced::unknown_topic:
      wait(offset, letter, "the topic does not exist; run: tokenrail topics apply");
      break;
    case kafka::Produced::failed:
      wait(offset, letter, "the producer can no longer work");
      break;
  }
}

std::optional<DeadLetters::Written> DeadLetters::reported(events::RequestOffset offset, const kafka::Report& report) {
  const auto it = letters_.find(offset);
  if (it == letters_.end()) return std::nullopt;
  auto& letter = it->second;
  letter.on_its_way = false;
  if (!report.ok && !(planted(Bug::refused_letter_is_written) && report.refused == kafka::Refusal::record)) {
    if (report.refused == kafka::Refusal::record) hub_.record_refused(Output::dlq, letter.bytes, report.detail);
    // Its fate may be unknown: a dead letter may come more than once.
    wait(offset, letter, report.detail);
    return std::nullopt;
  }
  metrics_.dead_letters.add();
  if (letter.tries > 0)
    spdlog::info("partition {} offset {}: its dead letter has been written", partition_, offset.value());
  const Written written{.digest = letter.digest};
  leave_window(letter);
  letters_.erase(it);
  return written;
}

// --- the window -----------------------------------------------------------------------------------------------------

void DeadLetters::put_back() {
  for (auto& [offset, letter] : letters_) put_back(letter);
}

void DeadLetters::put_back(Letter& letter) {
  constexpr std::size_t indexes = 128;
  if (letter.put_back || letter.deleted || planted(Bug::letters_fill_window) || !window_.crowded(in_flight_.attempts()))
    return;
  letter.record.key.reset();
  letter.record.value.reset();
  letter.record.headers.clear();
  letter.record.headers.shrink_to_fit();
  letter.put_back = true;
  letter.kept = sizeof(Letter) + indexes + letter.reason.size() + letter.record.topic.size();
  window_.put_back(letter.counted, letter.kept);
  metrics_.put_back.add();
  hub_.window_changed();
}

void DeadLetters::back(Letter& letter) {
  if (std::exchange(letter.reloading, false)) --reloading_;
  letter.put_back = false;
  window_.back(letter.counted, letter.kept);
  hub_.window_changed();
}

void DeadLetters::leave_window(const Letter& letter) {
  if (letter.reloading) --reloading_;
  if (letter.put_back) {
    window_.put_back_gone(letter.kept);
  } else {
    window_.leave(letter.counted);
  }
  hub_.window_changed();
}

std::vector<events::RequestOffset> DeadLetters::to_reload() {
  const auto now = environment_.now().steady;
  std::vector<events::RequestOffset> offsets;
  for (auto& [offset, letter] : letters_) {
    if (reloading_ >= reloads_max || !io_.usable()) break;
    if (!letter.put_back || letter.reloading || letter.on_its_way || now < letter.retry_at) continue;
    letter.reloading = true;
    ++reloading_;
    offsets.push_back(offset);
  }
  return offsets;
}

bool DeadLetters::reloaded(const kafka::Record& record) {
  const events::RequestOffset offset(record.offset);
  const auto it = letters_.find(offset);
  if (it == letters_.end() || !it->second.reloading) return false;
  auto& letter = it->second;
  if (events::dead_letter_digest(record) != letter.digest) {
    // Another record is there now. Whether the log is another one, the brokers are asked.
    letter.reloading = false;
    --reloading_;
    letter.retry_at = environment_.now().steady + refusal_wait(++letter.tries);
    hub_.look_soon();
    return true;
  }
  letter.record = record;
  back(letter);
  send(offset, letter);
  put_back(letter);
  return true;
}

bool DeadLetters::deleted(events::RequestOffset offset) {
  const auto it = letters_.find(offset);
  if (it == letters_.end() || !it->second.reloading) return false;
  auto& letter = it->second;
  letter.deleted = true;
  letter.counted = letter.kept;
  back(letter);
  letter.reason += "; while it waited for the dead-letter topic, the retention of its topic has deleted it";
  send(offset, letter);
  return true;
}

void DeadLetters::forget_reloads() {
  for (auto& [offset, letter] : letters_) letter.reloading = false;
  reloading_ = 0;
}

// --- what waits -----------------------------------------------------------------------------------------------------

void DeadLetters::wait(events::RequestOffset offset, Letter& letter, std::string_view why) {
  const auto now = environment_.now().steady;
  if (std::exchange(letter.why, std::string(why)) != why) {
    spdlog::warn(
        "partition {} offset {}: its dead letter cannot be written ({}); it is tried again, and no commit passes "
        "it until then",
        partition_, offset.value(), why);
  }
  letter.retry_at = now + refusal_wait(++letter.tries);
  put_back(letter);
}

void DeadLetters::forget_reports() {
  for (auto& [offset, letter] : letters_) letter.on_its_way = false;
}

DeadLetters::Waiting DeadLetters::waiting() const {
  constexpr Millis patience{10'000};
  const auto now = environment_.now().steady;
  Waiting all;
  for (const auto& [offset, letter] : letters_) {
    if (letter.tries == 0 && (!letter.on_its_way || now - letter.sent_at < patience)) continue;
    ++all.count;
    all.why = letter.why;
  }
  return all;
}

std::map<events::RequestOffset, std::int64_t> DeadLetters::timestamps() const {
  std::map<events::RequestOffset, std::int64_t> all;
  for (const auto& [offset, letter] : letters_) all.emplace(offset, letter.record.timestamp_ms);
  return all;
}

void DeadLetters::drop() {
  for (const auto& [offset, letter] : std::exchange(letters_, {})) leave_window(letter);
}

}  // namespace tokenrail::router
