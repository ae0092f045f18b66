// What is to happen in one history: how large the world is, which requests arrive, which faults strike and when. Made
// from one seed; everything that the seed does not say here is drawn from generators that the same seed feeds. A plan
// with some of its requests and faults left out is a plan too, which is how a failing history is made short.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/events/chat_request.hpp"
#include "tests/simulation/random.hpp"
#include "tests/simulation/scheduler.hpp"

namespace tokenrail::simulation {

/// The ways of a record, a call or a word of the group; each takes a time of its own.
enum class Stage : std::uint8_t { append, ack, fetch, read, commit, group, provider, count };
inline constexpr std::size_t stage_count = static_cast<std::size_t>(Stage::count);
inline constexpr int slots_max = 4;

enum class RequestKind : std::uint8_t {
  ordinary,
  garbage,    ///< no JSON: belongs into the dead-letter topic
  refusable,  ///< names a model that does not exist: answered without a call
  duplicate,  ///< an earlier requestId once more
};

/// What the provider makes of a call.
enum class Behaviour : std::uint8_t { answers, refuses, busy, breaks, falls_silent, talks_nonsense };

struct RequestPlan {
  Micros at{0};
  RequestKind kind = RequestKind::ordinary;
  int partition = 0;
  int key = -1;  ///< of the partition; -1: none
  int org = 0;
  int duplicate_of = -1;        ///< index of the request whose id it has
  std::int64_t timeout_ms = 0;  ///< 0: none asked for
  bool stream = true;
  int tokens = 3;
  std::int64_t token_gap_us = 0;  ///< the provider takes so much longer for each
  /// What its sender wants where the provider fails after the first token.
  events::OnInterrupt on_interrupt = events::OnInterrupt::error;
  /// Of the first calls, in order; every later one answers.
  std::vector<Behaviour> behaviours{};
  /// When its cancellation is sent, relative to the request; negative: before it. No cancellation: no_cancel.
  Micros cancel_after = no_cancel;
  std::uint64_t seed = 0;

  static constexpr Micros no_cancel = Micros::max();
};

/// What a fault waits for: a time, or the n-th event of a kind.
enum class Moment : std::uint8_t {
  time,
  chunk_append,
  terminal_append,
  request_append,
  response_append,
  claim_append,
  release_append,
  audit_ack,
  chunk_ack,
  commit_land,
  assigned,
  audit_read,
  chunk_read,
  call_start,
  count,
};
[[nodiscard]] const char* name_of(Moment moment);

enum class FaultKind : std::uint8_t {
  crash,          ///< the process dies; `amount` µs later another takes its place
  crash_inside,   ///< as above, in the middle of what it does: after that many more outgoing words
  pause,          ///< it stands still for `amount` µs
  kick,           ///< the coordinator puts it out though it is well
  rebalance,      ///< the group deals its partitions anew
  join,           ///< one worker more
  drain,          ///< SIGTERM, with `amount` µs to finish; another takes its place
  fail_line,      ///< what it has on the way to one partition of one topic is reported as failed
  fail_producer,  ///< its producer is fatal
  fail_consumer,  ///< its group member is fatal
  stall_appends,  ///< what it sends reaches no broker for `amount` µs
  stall_acks,     ///< nothing that it sent is acknowledged for `amount` µs
  stall_reads,    ///< its log reader gets nothing for `amount` µs
  stall_fetches,  ///< it gets no request for `amount` µs
  provider_down,  ///< every call fails for `amount` µs
  clock_jump,     ///< its clocks jump ahead by `amount` µs
  calendar_jump,  ///< its calendar alone jumps by `amount` µs, or back
  cut_chunks,     ///< retention takes chunks of one partition
  cut_audit,      ///< retention takes audit events of one partition
  cut_requests,   ///< retention takes requests of one partition, whether they have been read or not
  tamper,         ///< a tool writes the committed offset: other metadata, or an older offset
  refuse_record,  ///< the brokers refuse its next records to one partition of a topic for good
  block_topic,    ///< a topic takes no records for `amount` µs
  stall_lane,     ///< one partition of a topic takes no records for `amount` µs
  new_topic,      ///< a topic is deleted and created again
  log_back,       ///< an unclean election: a log loses its newest records
  no_such_host,   ///< the name of one of the two providers cannot be resolved any more, for good
  unread_topic,  ///< whoever starts from now on never reads chat.cancellations to its end; the registry for `amount` µs
  count,
};
[[nodiscard]] const char* name_of(FaultKind kind);

struct Fault {
  Moment moment = Moment::time;
  std::int64_t at = 0;  ///< µs, or which event of the kind
  FaultKind kind = FaultKind::crash;
  int slot = 0;  ///< which worker; slot_involved: the one that made the moment
  int partition = 0;
  std::int64_t amount = 0;
  std::uint64_t seed = 0;

  static constexpr int slot_involved = -1;
};

struct Plan {
  std::uint64_t seed = 0;
  int partitions = 1;
  int workers = 2;
  std::vector<RequestPlan> requests{};
  std::vector<Fault> faults{};
  Micros heal_at{0};  ///< from here on nothing fails any more
  /// One worker, and only faults that strike a record or a topic: whatever they do not strike runs once.
  bool alone = false;

  /// Mean times, µs, by worker.
  std::array<std::array<std::int64_t, stage_count>, slots_max> means{};
  std::array<std::int64_t, slots_max> calendar_skew_ms{};
  std::int64_t commit_interval_ms = 500;
  std::int64_t dedupe_window_ms = 0;  ///< 0: longer than any history
  std::size_t queue_max = 0;          ///< records that a producer takes a partition; 0: any number
  // What a worker takes at a time; 0: more than ever comes. Who waits beyond it is put back and read again.
  std::size_t window_max = 0;       ///< requests
  std::size_t in_flight_max = 0;    ///< attempts
  std::size_t org_max = 0;          ///< attempts of an organisation
  std::size_t connection_max = 0;   ///< attempts that call a connection
  std::int64_t span_max = 0;        ///< offsets
  std::int64_t hedge_after_ms = 0;  ///< 0: no hedges
  Micros session_timeout{3'000'000};
  Micros rebalance_timeout{6'000'000};

  double duplicate_batch = 0;  ///< how often an acknowledgement knows no offset
  double commit_lost = 0;      ///< how often a commit does not arrive
  double answer_lost = 0;      ///< how often a commit arrives, and its answer does not
  double late_commit = 0;      ///< how often a commit of an old generation is taken all the same
  double offsets_unknown = 0;  ///< how often the committed offsets cannot be read

  /// A topic is created again, or a log goes back.
  [[nodiscard]] bool replaces() const;
  /// The promises that such a history cannot be held to, because what they rest on was taken away.
  [[nodiscard]] bool tampers() const;
  [[nodiscard]] bool jumps_far() const;
  [[nodiscard]] bool jumps_clocks() const;
  [[nodiscard]] bool reads_late() const;

  /// Requests and faults are the plan's items, counted through in this order.
  [[nodiscard]] std::size_t items() const { return requests.size() + faults.size(); }
  /// The plan with those items alone. A duplicate whose first is gone becomes a request of its own.
  [[nodiscard]] Plan with_only(const std::vector<std::size_t>& items) const;
};

[[nodiscard]] Plan make_plan(std::uint64_t seed);

}  // namespace tokenrail::simulation
