// Requests that cannot be answered go to the dead-letter topic. One that it does not take, or not yet, waits: it holds
// its own offset and what it counts in the window, and is tried again.
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "workers/router/core/dead_letter.hpp"
#include "workers/router/core/partition.hpp"
#include "workers/router/core/planted.hpp"
#include "workers/router/core/refusals.hpp"

namespace tokenrail::router {

void Partition::dead_letter(std::int64_t offset) {
  const auto it = dead_letters_.find(offset);
  if (it == dead_letters_.end()) return;
  auto& letter = it->second;
  const auto now = services_.environment.now().steady;
  if (letter.on_its_way || now < letter.retry_at || !io_.usable()) return;
  const auto record = dead_letter_record(letter.record, letter.reason, services_.hub.record_bytes_max(Output::dlq));
  if (letter.tries == 0) {
    spdlog::warn("partition {} offset {}: {}; the record goes to the dead-letter topic", number_, offset,
                 letter.reason);
  }
  letter.bytes = record.bytes();
  const auto key = record.key ? std::optional<std::string>(*record.key) : std::nullopt;
  const auto produced = io_.send(Output::dlq, key, record.value, &record.headers,
                                 {.partition = number_,
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
      dead_letter_waits(offset, letter, "the producer's queue for the topic is full");
      break;
    case kafka::Produced::too_large:
      services_.hub.record_refused(Output::dlq, letter.bytes, "too large for the producer's message.max.bytes");
      dead_letter_waits(offset, letter, "it is larger than the producer's message.max.bytes");
      break;
    case kafka::Produced::unknown_topic:
      dead_letter_waits(offset, letter, "the topic does not exist; run: tokenrail topics apply");
      break;
    case kafka::Produced::failed:
      dead_letter_waits(offset, letter, "the producer can no longer work");
      break;
  }
}

void Partition::dead_letter_reported(std::int64_t offset, const kafka::Report& report) {
  const auto it = dead_letters_.find(offset);
  if (it == dead_letters_.end()) return;
  auto& letter = it->second;
  letter.on_its_way = false;
  if (report.ok || (planted(Bug::refused_letter_is_written) && report.refused == kafka::Refusal::record)) {
    dead_letter_acknowledged(offset);
    return;
  }
  if (report.refused == kafka::Refusal::record) {
    services_.hub.record_refused(Output::dlq, letter.bytes, report.detail);
    if (planted(Bug::refusal_fails_partition)) failing_ = "a dead letter was refused";
  }
  // Its fate may be unknown: a dead letter may come more than once.
  dead_letter_waits(offset, letter, report.detail);
}

void Partition::dead_letter_waits(std::int64_t offset, DeadLetter& letter, std::string_view why) {
  const auto now = services_.environment.now().steady;
  if (std::exchange(letter.why, std::string(why)) != why) {
    spdlog::warn(
        "partition {} offset {}: its dead letter cannot be written ({}); it is tried again, and no commit passes "
        "it until then",
        number_, offset, why);
  }
  letter.retry_at = now + refusal_wait(++letter.tries);
}

void Partition::send_dead_letters() {
  std::vector<std::int64_t> all;
  for (const auto& [offset, letter] : dead_letters_) {
    if (!letter.on_its_way) all.push_back(offset);
  }
  for (const auto offset : all) dead_letter(offset);
}

void Partition::dead_letter_acknowledged(std::int64_t offset) {
  const auto it = dead_letters_.find(offset);
  if (it == dead_letters_.end()) return;
  services_.metrics.dead_letters.add();
  const auto& record = it->second.record;
  if (it->second.tries > 0) spdlog::info("partition {} offset {}: its dead letter has been written", number_, offset);
  leave_window(bytes_of(record));
  const auto digest = events::dead_letter_digest(record);
  dead_letters_.erase(it);
  complete(offset);
  if (offset >= ledger_.committable()) committer_.dead_lettered(offset, digest);
}

}  // namespace tokenrail::router
