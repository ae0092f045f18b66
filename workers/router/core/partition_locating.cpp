// Where the tails begin when no commit says so: a group that has not committed yet, metadata that a tool wrote, damage
// (protocol R15). Both logs kept for weeks would be read for what happened in minutes, so they are read from a time:
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

constexpr events::AuditOffset audit_beginning(kafka::offset_beginning);
constexpr events::ChunkOffset chunks_beginning(kafka::offset_beginning);

}  // namespace

events::AuditOffset Partition::audit_tail_begin() const {
  return tails_inherited() ? inherited_->audit_offset : locator_.found() ? locator_.found()->audit : audit_beginning;
}

events::ChunkOffset Partition::chunk_tail_begin() const {
  return tails_inherited() ? inherited_->chunk_offset : locator_.found() ? locator_.found()->chunk : chunks_beginning;
}

/// `first`: what the chunk tail gave first, or its end where it gave nothing.
bool Partition::chunk_tail_starts_late(events::ChunkOffset first) const {
  const bool doubtful = !tails_inherited() && locator_.found() && locator_.found()->chunk_may_be_cut;
  constexpr events::ChunkOffset lowest{};
  return first != std::max(lowest, chunk_tail_begin()) || (doubtful && first > lowest);
}

/// The record at which reading starts.
void Partition::locate() {
  enter(Phase::locating);
  locator_.begin();
  read_log(Log::requests, start_committed_ ? start_.value() : kafka::offset_beginning);
}

/// A group that has not committed anything begins where the log does.
void Partition::begins_at(events::RequestOffset offset) {
  if (start_committed_) return;
  start_committed_ = true;
  if (anything_delivered_) return;
  start_ = offset;
  ledger_ = Ledger(offset);
}

void Partition::look_back_from(std::optional<Millis> started) {
  expect({Phase::locating}, "the time of the oldest request");
  if (!started) {
    spdlog::info(
        "partition {}: no commit says where its logs are to be read from, and timestamps on chat.requests are "
        "those of the senders: they are read from their beginning",
        number_);
    located({.audit = audit_beginning, .chunk = chunks_beginning});
    return;
  }
  locator_.look_from(std::max(Millis(0), *started - services_.options.tail_margin - services_.options.dedupe_window));
  ask_for_places();
}

void Partition::ask_for_places() {
  expect({Phase::locating}, "a question for the offsets of a time");
  for (const auto log : locator_.to_ask()) locator_.asked(log, ask(log, locator_.from()));
}

void Partition::place_answered(std::uint32_t sequence, const Result<LogPlaces>& answer) {
  expect({Phase::locating}, "an answer for the offsets of a time");
  switch (locator_.answered(sequence, answer, services_.environment.now().steady)) {
    case TailLocator::Step::waits:
      return;
    case TailLocator::Step::found:
      read_tails();
      return;
    case TailLocator::Step::given_up:
      spdlog::warn(
          "partition {}: the brokers do not report where its logs ended when its oldest request came ({}); they are "
          "read from their beginning",
          number_, answer.error().detail);
      located({.audit = audit_beginning, .chunk = chunks_beginning});
      return;
  }
}

void Partition::located(const TailLocator::Tails& tails) {
  locator_.find(tails);
  read_tails();
}

}  // namespace tokenrail::router
