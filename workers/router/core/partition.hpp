// One partition of chat.requests for as long as this worker answers for anything of it: its claim, its recovery, its
// ledger, its jobs, its commits, and what it goes on with after it was given up.
//
// Its phases are in partition_phase.hpp. Nothing is dispatched but while `running`. A partition that is taken away out
// of order is destroyed: transfers end with it. The log decides what counts; an event of ours is known to count when
// every offset up to it is accounted for and holds no higher claim (protocol R9).
#pragma once

#include <cstdint>
#include <expected>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/events/audit_fold.hpp"
#include "common/events/commit_metadata.hpp"
#include "common/events/offsets.hpp"
#include "common/kafka/consumer.hpp"
#include "common/kafka/ledger.hpp"
#include "common/kafka/producer.hpp"
#include "common/kafka/record.hpp"
#include "workers/router/core/audit_account.hpp"
#include "workers/router/core/dead_letters.hpp"
#include "workers/router/core/decision_queue.hpp"
#include "workers/router/core/gap_tracker.hpp"
#include "workers/router/core/gone_requests.hpp"
#include "workers/router/core/job.hpp"
#include "workers/router/core/job_table.hpp"
#include "workers/router/core/key_order.hpp"
#include "workers/router/core/leases.hpp"
#include "workers/router/core/log_comparison.hpp"
#include "workers/router/core/log_identity.hpp"
#include "workers/router/core/log_positions.hpp"
#include "workers/router/core/log_questions.hpp"
#include "workers/router/core/log_reading.hpp"
#include "workers/router/core/offset_committer.hpp"
#include "workers/router/core/partition_io.hpp"
#include "workers/router/core/partition_phase.hpp"
#include "workers/router/core/poison_isolation.hpp"
#include "workers/router/core/recent_requests.hpp"
#include "workers/router/core/record_output.hpp"
#include "workers/router/core/record_size.hpp"
#include "workers/router/core/recovery.hpp"
#include "workers/router/core/refused_records.hpp"
#include "workers/router/core/reload_queue.hpp"
#include "workers/router/core/repair_backoff.hpp"
#include "workers/router/core/services.hpp"
#include "workers/router/core/tail_locator.hpp"
#include "workers/router/core/takeover.hpp"
#include "workers/router/core/unclaimed_records.hpp"
#include "workers/router/core/well_workers.hpp"

namespace tokenrail::router {

class Partition {
 public:
  using Phase = PartitionPhase;

  Partition(Services& services, PartitionIo& io, std::int32_t number, std::uint64_t generation);
  ~Partition();
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  /// What the predecessor committed; claims the partition.
  void begin(const kafka::Committed& committed);
  [[nodiscard]] events::RequestOffset start_offset() const { return start_; }

  void on_record(kafka::Record&& record);
  void on_log_record(Log log, const kafka::Record& record);
  void on_log_end(Log log, std::int64_t next_offset);
  void on_report(const Sent& sent, const kafka::Report& report);
  /// `unit`: the low bits of the attempt's, see low_unit().
  void on_chunk_report(const kafka::Report& report, std::uint64_t unit);
  void on_committed(std::uint32_t sequence, kafka::CommitOutcome outcome);
  void on_answer(std::uint32_t sequence, const Result<LogPlaces>& answer);
  /// What the brokers are asked about the logs.
  [[nodiscard]] LogIdentity& log_identity() { return identity_; }
  void on_looks(const LogIdentity::Answers& looks);
  /// Waits for an answer before anything is believed that was committed.
  [[nodiscard]] bool waits_for_looks() const;

  void on_space();
  /// A producer was replaced; what it had not reported has been settled.
  void on_producer();
  /// Whatever was sent cannot be relied on: cancels what runs, waits for the reports, asks the coordinator, claims
  /// again and recovers from the log. What is merely continued is left to its lease.
  void fail(std::string_view why);
  /// Called every commit interval, and whenever wants_time().
  void on_time();
  /// Some clock of that job may have run out.
  void on_job_time(events::RequestOffset offset);
  /// Somebody asked for that request to be ended: every one of that name. Returns whether any was found here.
  bool cancel(const std::string& org_id, const std::string& request_id);

  enum class Dispatch { started, parked, nothing };
  struct Dispatched {
    Dispatch what = Dispatch::nothing;
    std::string connection_id{};  ///< parked: the connection that has no room
  };
  /// Starts the attempt of a job that is ready, if its connection has room.
  Dispatched dispatch(events::RequestOffset offset);

  /// Gives the partition up in order: starts no more, says in the log what it goes on with. Phase `continuing` or
  /// `closed` follows once that is known to count; `closed` at once where nothing was recovered yet.
  void release();
  /// Gives up waiting for that: no orderly release. Says beside its last commit that this worker is well, so that what
  /// ran here is not taken for lost with it. Only for a member of the group.
  void give_up();
  /// Gives the partition up without a word.
  void drop();
  /// Closes what runs as `interrupted`; for the end of a drain.
  void interrupt_all(std::string_view cause);

  // What attempts use.
  /// Reads what a request of which only the ids are known asks for.
  std::expected<registry::Route, events::Failure> prepare(Job& job);
  /// How often its answer broke off and it was run again.
  [[nodiscard]] int restarts(const Job& job) const;
  /// Its attempt has closed itself and leaves its place; the next one begins once that is known to count.
  void attempt_closed(Job& job) { over(job); }
  void produce_chunk(Job& job, std::string_view value, bool first);
  void produce_terminal(Job& job, std::string_view value, std::int64_t attempt);
  /// An llm.request or llm.response; `facts` say what the value says.
  void produce_event(Purpose purpose, Job& job, std::string_view value, events::AuditFacts facts);
  /// The producer has no room; a provider's socket should not be read until it has.
  [[nodiscard]] bool congested() const { return output_.congested(); }
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
  /// What of this partition a topic does not take; each is tried again until it does.
  struct Held {
    std::size_t dead_letters = 0;
    std::size_t requests = 0;  ///< whose answer or audit event is refused
    std::string why{};         ///< of one of the dead letters
  };
  [[nodiscard]] Held held() const;
  /// Why it is not claimed, where it is known to be a topic that acknowledges nothing; else empty.
  [[nodiscard]] const std::string& silence() const { return silence_; }
  /// When it was assigned, or ran last (steady).
  [[nodiscard]] Millis waiting_since() const { return waiting_since_; }
  /// on_time() has something to do at once.
  [[nodiscard]] bool wants_time() const { return !failing_.empty() || refused_.any_chunk() || isolation_.has_next(); }

 private:
  void enter(Phase next);
  /// At the entry of what belongs to some phases only: whatever calls it in another one is a fault of the router.
  void expect(std::initializer_list<Phase> phases, std::string_view step) const;
  // ownership (partition_ownership.cpp)
  void claim();
  /// The epoch of a claim above that one.
  [[nodiscard]] std::int64_t next_epoch(std::int64_t epoch) const;
  void claim_reported();
  // where the tails begin without metadata (partition_locating.cpp)
  void locate();
  void look_back_from(std::optional<Millis> started);
  void ask_for_places();
  void place_answered(std::uint32_t sequence, const Result<LogPlaces>& answer);
  void located(const TailLocator::Tails& tails);
  void read_tails();
  /// The commit says where the tails begin.
  [[nodiscard]] bool tails_inherited() const { return inherited_ && !gone_.tails_by_time(); }
  [[nodiscard]] events::AuditOffset audit_tail_begin() const;
  [[nodiscard]] events::ChunkOffset chunk_tail_begin() const;
  [[nodiscard]] bool chunk_tail_starts_late(events::ChunkOffset first) const;
  void begins_at(events::RequestOffset offset);

  // the tails (partition_takeover.cpp)
  void audit_tail_record(const kafka::Record& record);
  void audit_tail_read(events::AuditOffset claim_offset);
  void chunk_tail_record(const kafka::Record& record);
  void chunk_tail_read(events::ChunkOffset end);
  void recovered();
  void close(const Closing& closing);
  void run();
  void settled();
  void read_log(Log log, std::int64_t from);
  void read_chunks_from(events::ChunkOffset from);
  void check_reading();
  void stop_log(Log log);
  void stop_logs();
  void note_seen(const events::AuditFacts& facts, std::int64_t at_ms);

  // following the audit log (partition_log.cpp)
  [[nodiscard]] bool owns() const;
  void fold_known();
  void apply(const AuditAccount::Entry& entry);
  void response_counts(const events::AuditFacts& facts);
  void leases_read(const events::AuditFacts& facts);
  void follow();
  void superseded();
  void check_leases();
  void close_expired();
  void hand_over();
  void renew_leases();
  void send_renewal(std::vector<events::ContinuedAttempt> continuing);
  void acknowledged_elsewhere(Purpose purpose, events::RequestOffset offset, std::int64_t attempt);
  void finish_continued(events::RequestOffset offset);
  [[nodiscard]] std::vector<events::ContinuedAttempt> running_attempts() const;

  // offsets that are missing (partition_loss.cpp)
  void note_gap(events::RequestOffset offset);
  void ask_about_gaps();
  void gaps_answered(const Result<LogPlaces>& answer);
  void tell_losses();
  void tell_loss(events::RequestOffset from, events::RequestOffset to);
  void loss_counts(events::RequestOffset from, events::RequestOffset to);
  void end_gaps();
  void forget_lost(const events::AuditFacts& facts);
  [[nodiscard]] bool may_be_lost(events::RequestOffset offset) const;
  [[nodiscard]] std::uint32_t ask(Log log, std::optional<Millis> at = std::nullopt);

  // whether the logs are those that were read (partition_identity.cpp)
  void bear_witness(events::CommitMetadata& metadata, events::RequestOffset committed);
  [[nodiscard]] bool witnessed(const kafka::Record& record);
  void requests_are_others(const kafka::WitnessAnswer& now);
  [[nodiscard]] std::optional<kafka::LogWitness> inherited_older(events::RequestOffset committable) const;
  void outputs_are_others(bool audit, bool chunks);
  void audit_went_back(events::AuditOffset offset);
  void compared(const LogComparison::Outcome& outcome);
  void forget_requests();

  // jobs
  void take(kafka::Record&& record);
  [[nodiscard]] std::optional<events::InvalidRequest> lost_too_often(const kafka::Record& record) const;
  [[nodiscard]] std::expected<registry::Route, events::Failure> route_of(const Job& job);
  // requests offloaded while they cannot start (partition_reload.cpp)
  void offload(Job& job, const std::string& connection_id = {});
  void leave_window(std::size_t bytes);
  void uncount(const Job& job);
  void reload(Job& job);
  void send_dead_letters();
  void reload_ended(Job& job);
  void on_reloaded(const kafka::Record& record);
  void reloaded_to(events::RequestOffset next_offset);
  /// Without those of dead letters, which will be no attempts.
  [[nodiscard]] std::size_t jobs_reloading() const { return reloads_.size() - dead_letters_.reloading(); }
  /// One attempt more could be handed over; those whose record is being read again will be attempts soon.
  [[nodiscard]] bool may_attempt() const {
    return jobs_.attempts() + jobs_reloading() < services_.options.partition_attempts_max;
  }
  /// One attempt more may be started: not too many wait for the brokers already.
  [[nodiscard]] std::size_t attempts_left() const;
  void start_next_isolated();
  void look_at(events::RequestOffset offset);
  void decide(events::RequestOffset offset);
  [[nodiscard]] bool is_complete(const Job& job) const;
  void forget_requests(Millis before);
  [[nodiscard]] const RecentRequests::Seen* duplicate_of(const Job& job);
  void ready(Job& job, bool at_front = false);
  void begin_attempt(Job& job);
  void start(Job& job, std::optional<registry::Route> route, std::optional<events::Failure> refusal);
  void end_uncalled(Job& job, events::Failure failure);
  void answer_duplicate(Job& job, const RecentRequests::Seen& first);
  void over(Job& job);
  /// Whose attempt has that number; nullptr: there is none.
  [[nodiscard]] Job* with_attempt(events::RequestOffset offset, std::int64_t number);
  void announced(Job& job);
  void look_at_held();
  void leave_line(const Job& job);
  void forget_timer(Job& job);
  void complete(events::RequestOffset offset);
  void drop_job(events::RequestOffset offset);
  void drop_untouched();

  // what a topic refuses (partition_refused.cpp)
  void record_refused(const Sent& sent, std::string_view detail);
  void chunk_refused(std::uint64_t unit, std::string_view detail);
  void event_refused(const Sent& sent, std::string_view detail);
  void end_chunks_not_taken();
  [[nodiscard]] bool given_up() const { return phase_ == Phase::releasing || phase_ == Phase::continuing; }
  void never_began(events::RequestOffset offset, std::int64_t number);
  void write_again(const RefusedRecords::Event& event);
  void write_refused_events();
  void attempt_gone(Job& job);
  [[nodiscard]] std::optional<events::Failure> refused_before(const Job& job) const;
  [[nodiscard]] bool waits(Job& job);
  void check_silence();

  // records out (partition_output.cpp)
  void send(Output output, const std::optional<std::string>& key, std::optional<std::string_view> value,
            const kafka::Headers* headers, const Sent& sent);
  void send_audit(const Sent& sent, const std::optional<std::string>& key, std::string_view type, std::string id,
                  const std::string& traceparent, std::string_view value, events::AuditFacts facts);
  void send_ownership(Purpose purpose, std::string_view type, std::string_view value, events::AuditFacts facts);
  void not_taken(const RecordOutput::NotTaken& record);
  /// Records go out: it is neither being repaired nor closed.
  [[nodiscard]] bool writes() const {
    return phase_ != Phase::draining_reports && phase_ != Phase::verifying_ownership && phase_ != Phase::closed &&
           failing_.empty();
  }
  void terminal_acknowledged(const Sent& sent, events::ChunkOffset chunk_offset);
  void commit_news();
  void send_commit();
  void commit_well();

  Services& services_;
  PartitionIo& io_;
  const std::int32_t number_;
  const std::uint64_t generation_;

  Phase phase_ = Phase::claiming;
  Millis waiting_since_{0};
  std::int64_t epoch_ = 0;
  std::string instance_{};
  std::int64_t ownership_events_ = 0;
  events::RequestOffset start_{};
  bool start_committed_ = false;  ///< by whoever had the partition before
  bool anything_delivered_ = false;

  // The audit log as this worker knows it.
  std::optional<events::CommitMetadata> inherited_{};  ///< of what is committed: where the tails begin
  events::AuditFold fold_{};
  AuditAccount account_{};
  Takeover takeover_{};

  TailLocator locator_{};

  LogReading reading_{};  ///< tails, gaps, and the end of the chunk log when a lease has run out

  Leases leases_{};
  WellWorkers well_workers_{};

  // While continuing: when the leases have to be renewed (steady).
  Millis renew_at_{0};

  using Ledger = kafka::BasicOffsetLedger<events::RequestOffset>;
  Ledger ledger_{events::RequestOffset(0)};
  GapTracker gaps_{};

  LogIdentity identity_{};
  GoneRequests gone_{};

  KeyOrder order_{};
  LogPositions positions_;
  RecentRequests recent_;
  JobTable jobs_{};
  DecisionQueue to_decide_{};
  std::set<events::RequestOffset>
      held_{};  ///< first in line, but too far from the oldest incomplete offset, or too many run or wait
  UnclaimedRecords untouched_;

  RefusedRecords refused_{};  ///< its chunks are dealt with by on_time(), not from inside an attempt
  std::string silence_{};

  DeadLetters dead_letters_;

  PoisonIsolation isolation_{};

  ReloadQueue reloads_{};

  RecordOutput output_;
  std::string failing_{};  ///< not empty: fail() is due

  RepairBackoff repairs_{};

  OffsetCommitter committer_;

  std::string scratch_{};
};

}  // namespace tokenrail::router
