// Where the tails begin when no commit says so: a group that has not committed yet, metadata that a tool wrote, damage
// (design §6.5a). Both logs kept for weeks would be read for what happened in minutes, so they are read from a time:
// what is said about a request is said after its record was appended, so nothing about those that are not complete is
// older than the record at which reading starts. A margin covers the clocks, which differ, and the requests of late.
//
// Only a time that the broker set says that; where a sender did, the logs are read from their beginning. So they are
// when the brokers do not answer. It is asked behind our claim, which is newer than any such time: the log of the
// events always has an answer.
#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"

namespace tokenrail::router {

namespace {

constexpr int refusals_max = 3;
constexpr Millis ask_again{1'000};

}  // namespace

std::int64_t Partition::audit_tail_begin() const {
  return tails_inherited() ? inherited_->audit_offset
         : locating_.found ? locating_.found->audit
                           : kafka::offset_beginning;
}

std::int64_t Partition::chunk_tail_begin() const {
  return tails_inherited() ? inherited_->chunk_offset
         : locating_.found ? locating_.found->chunk
                           : kafka::offset_beginning;
}

/// `first`: what the chunk tail gave first, or its end where it gave nothing.
bool Partition::chunk_tail_starts_late(std::int64_t first) const {
  const bool doubtful = !tails_inherited() && locating_.found && locating_.found->chunk_may_be_cut;
  return first != std::max<std::int64_t>(0, chunk_tail_begin()) || (doubtful && first > 0);
}

/// The record at which reading starts.
void Partition::locate() {
  enter(Phase::locating);
  locating_.audit_question = locating_.chunk_question = 0;
  locating_.audit.reset();
  locating_.chunks.reset();
  locating_.refused = 0;
  locating_.ask_at = Millis::max();
  read_log(Log::requests, start_committed_ ? start_ : kafka::offset_beginning);
}

/// A group that has not committed anything begins where the log does.
void Partition::begins_at(std::int64_t offset) {
  if (start_committed_) return;
  start_committed_ = true;
  if (anything_delivered_) return;
  start_ = offset;
  ledger_ = kafka::OffsetLedger(offset);
}

void Partition::look_back_from(std::optional<Millis> started) {
  if (!started) {
    spdlog::info(
        "partition {}: no commit says where its logs are to be read from, and timestamps on chat.requests are "
        "those of the senders: they are read from their beginning",
        number_);
    located({.audit = kafka::offset_beginning, .chunk = kafka::offset_beginning});
    return;
  }
  locating_.from = std::max(Millis(0), *started - services_.options.tail_margin - services_.options.dedupe_window);
  ask_for_places();
}

void Partition::ask_for_places() {
  locating_.ask_at = Millis::max();
  if (!locating_.audit) locating_.audit_question = ask(Log::audit, locating_.from);
  if (!locating_.chunks) locating_.chunk_question = ask(Log::chunks, locating_.from);
}

void Partition::place_answered(std::uint32_t sequence, const Result<LogPlaces>& answer) {
  if (sequence == locating_.audit_question) {
    locating_.audit_question = 0;
    if (answer) locating_.audit = *answer;
  } else if (sequence == locating_.chunk_question) {
    locating_.chunk_question = 0;
    if (answer) locating_.chunks = *answer;
  } else {
    return;
  }
  if (!answer && ++locating_.refused >= refusals_max) {
    spdlog::warn(
        "partition {}: the brokers do not say where its logs stood when its oldest request came ({}); they are "
        "read from their beginning",
        number_, answer.error().detail);
    located({.audit = kafka::offset_beginning, .chunk = kafka::offset_beginning});
    return;
  }
  if (locating_.audit_question != 0 || locating_.chunk_question != 0) return;
  if (!locating_.audit || !locating_.chunks) {
    locating_.ask_at = services_.environment.now().steady + ask_again;
    return;
  }
  // No chunk is that new: there is nothing to be read, unless somebody goes on writing. Where the log begins behind the
  // time, newer ones may have been deleted.
  const auto& chunks = *locating_.chunks;
  located({.audit = locating_.audit->at.value_or(kafka::offset_beginning),
           .chunk = chunks.at.value_or(chunks.next),
           .chunk_may_be_cut = chunks.at.value_or(chunks.next) <= chunks.first});
}

void Partition::located(const TailPlaces& places) {
  locating_.audit_question = locating_.chunk_question = 0;
  locating_.found = places;
  read_tails();
}

}  // namespace tokenrail::router
