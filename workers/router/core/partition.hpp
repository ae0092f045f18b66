// One partition of chat.requests for as long as this worker owns it: its claim, its ledger, its jobs, its commits.
//
//   claiming → committing → running        (begin)
//   running → settling → confirming → claiming …  (a delivery report that is not OK: cancel, settle, ask, claim again)
//
// Nothing is dispatched but while `running`. A partition that is taken away is destroyed: transfers end with it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/kafka/consumer.hpp"
#include "common/kafka/ledger.hpp"
#include "common/kafka/producer.hpp"
#include "common/kafka/record.hpp"
#include "workers/router/core/commit_metadata.hpp"
#include "workers/router/core/job.hpp"
#include "workers/router/core/key_order.hpp"
#include "workers/router/core/log_positions.hpp"
#include "workers/router/core/recent_requests.hpp"
#include "workers/router/core/services.hpp"

namespace tokenrail::router {

/// What a record counts against the window until it is complete.
[[nodiscard]] std::size_t bytes_of(const kafka::Record& record);

/// A record on its way, so that its report can be dealt with.
struct Sent {
  std::int32_t partition = 0;
  std::uint64_t generation = 0;
  Purpose purpose = Purpose::chunk;
  std::int64_t offset = -1;  ///< of the request it is about
  std::int64_t attempt = 0;
  std::int64_t chunks_acknowledged = 0;  ///< audit events: LogPositions::chunks_acknowledged() when it was sent
};

/// The partition's way to Kafka.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual kafka::Produced send(Output output, const std::optional<std::string>& key,
                               std::optional<std::string_view> value, const kafka::Headers* headers,
                               const Sent& sent) = 0;
  /// `sequence` comes back with the outcome.
  virtual void commit(std::int32_t partition, std::uint64_t generation, std::uint32_t sequence, std::int64_t offset,
                      const std::string& metadata) = 0;
  /// A producer that works is there.
  [[nodiscard]] virtual bool usable() const = 0;
};

class Partition {
 public:
  enum class Phase { claiming, committing, running, settling, confirming };

  Partition(Services& services, Wire& wire, std::int32_t number, std::uint64_t generation);
  ~Partition();
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  /// What the predecessor committed; claims the partition.
  void begin(const kafka::Committed& committed);
  [[nodiscard]] std::int64_t start_offset() const { return start_; }

  void on_record(kafka::Record&& record);
  void on_report(const Sent& sent, const kafka::Report& report);
  void on_chunk_report(const kafka::Report& report);
  void on_committed(std::uint32_t sequence, kafka::CommitOutcome outcome);
  void on_space();
  /// A producer was replaced; what it had not reported has been settled.
  void on_producer();
  /// The producer is lost; everything it held has been or will be reported as failed.
  void fail(std::string_view why);
  /// Called every commit interval, and soon after wake_soon.
  void on_time();
  /// Some clock of that job may have run out.
  void on_job_time(std::int64_t offset);

  enum class Dispatch { started, parked, nothing };
  struct Dispatched {
    Dispatch what = Dispatch::nothing;
    std::string connection_id{};  ///< parked: the connection that has no room
  };
  /// Starts the attempt of a job that is ready. `room`: whether one more may call that connection.
  Dispatched dispatch(std::int64_t offset, bool (*room)(void* context, const std::string& connection_id),
                      void* context);

  /// Commits what is complete, if that is news. Returns whether a commit is under way.
  bool commit_now();
  /// The same also behind a commit that is under way: the partition is given up, and there is no later.
  void commit_last();
  /// Closes what runs as `interrupted`; for the end of a drain.
  void interrupt_all(std::string_view cause);

  // What attempts use.
  void produce_chunk(Job& job, std::string_view value, bool first);
  void produce_terminal(Job& job, std::string_view value, std::int64_t attempt);
  void produce_event(Purpose purpose, Job& job, std::string value, std::int64_t attempt);
  /// The producer has no room; a provider's socket should not be read until it has.
  [[nodiscard]] bool congested() const { return !deferred_.empty(); }
  [[nodiscard]] std::string& scratch() { return scratch_; }

  /// on_job_time() at or soon after `at` (steady), or earlier if that was asked for before.
  void schedule(Job& job, Millis at);
  [[nodiscard]] JobRef ref(const Job& job) const {
    return {.partition = number_, .generation = generation_, .offset = job.offset};
  }
  [[nodiscard]] std::int32_t number() const { return number_; }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] std::int64_t epoch() const { return epoch_; }
  [[nodiscard]] const std::string& instance() const { return instance_; }
  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] std::size_t outstanding() const { return outstanding_ + deferred_.size(); }
  /// fail() is due with the next on_time().
  [[nodiscard]] bool failing() const { return !failing_.empty(); }

 private:
  struct Deferred {
    Output output;
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::optional<kafka::Headers> headers;
    Sent sent;
  };

  void claim();
  void claimed(const kafka::Report& report);
  void run();
  void settled();
  void ready(Job& job);
  void start(Job& job, std::optional<registry::Route> route, std::optional<events::Failure> refusal);
  void end_uncalled(Job& job);
  void dead_letter(std::int64_t offset);
  void over(Job& job);
  void forget_timer(Job& job);
  void complete(std::int64_t offset);
  void send(Output output, const std::optional<std::string>& key, std::optional<std::string_view> value,
            const kafka::Headers* headers, const Sent& sent);
  kafka::Headers event_headers(std::string_view type, std::string id, const std::string& traceparent) const;
  void send_commit();
  void put_commit();

  struct DeadLetter {
    kafka::Record record;
    std::string reason;
  };

  Services& services_;
  Wire& wire_;
  const std::int32_t number_;
  const std::uint64_t generation_;

  Phase phase_ = Phase::claiming;
  std::int64_t epoch_ = 0;
  std::string instance_{};
  std::int64_t ownership_events_ = 0;
  Millis claimed_at_{0};  ///< wall; when the claim was acknowledged
  std::int64_t start_ = 0;
  bool anything_delivered_ = false;

  kafka::OffsetLedger ledger_{0};
  KeyOrder order_{};
  LogPositions positions_{0, 0};
  RecentRequests recent_;
  std::map<std::int64_t, Job> jobs_{};
  std::map<std::int64_t, DeadLetter> dead_letters_{};
  std::set<std::int64_t> held_{};  ///< first in line, but too far from the oldest incomplete offset

  std::deque<Deferred> deferred_{};
  std::size_t outstanding_ = 0;
  std::string failing_{};  ///< not empty: fail() is due

  bool commit_pending_ = false;
  std::uint32_t commit_sequence_ = 0;  ///< of the newest commit; outcomes of older ones are nobody's business
  std::int64_t committed_offset_ = -1;
  std::string committed_metadata_{};
  std::int64_t sent_offset_ = -1;
  std::string sent_metadata_{};

  std::string scratch_{};
};

}  // namespace tokenrail::router
