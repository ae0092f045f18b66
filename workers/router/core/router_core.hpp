// The router's deciding part: records, reports, provider bytes and time in; records, calls and commits out.
//
// A deterministic state machine over interfaces: with the same inputs in the same order it does the same. One thread.
// What it talks to (HTTP client, producer, group consumer) must outlive it or be replaced through connect().
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/kafka/consumer.hpp"
#include "common/kafka/log_reader.hpp"
#include "common/kafka/producer.hpp"
#include "common/telemetry/health.hpp"
#include "workers/router/core/cancellations.hpp"
#include "workers/router/core/drain.hpp"
#include "workers/router/core/fair_queue.hpp"
#include "workers/router/core/in_flight.hpp"
#include "workers/router/core/partition.hpp"
#include "workers/router/core/refusals.hpp"
#include "workers/router/core/report_tokens.hpp"
#include "workers/router/core/services.hpp"
#include "workers/router/core/window.hpp"

namespace tokenrail::router {

/// What is missing of the topics, each with the command that makes it; `partitions`: of those that exist.
[[nodiscard]] std::vector<std::string> topic_problems(const topics::Names& names,
                                                      const std::map<std::string, std::int32_t>& partitions);

class RouterCore final : private Hub, private PartitionIo {
 public:
  struct World {
    Environment& environment;
    http::Client& http;
    const registry::Projection& projection;
    LogQuestions& questions;
    const providers::Credentials* credentials = nullptr;  ///< null: the process holds none
    const http::Egress* egress = nullptr;                 ///< null: the operator has opened nothing
  };
  RouterCore(const RouterOptions& options, const World& world, RouterMetrics& metrics);
  ~RouterCore() override;

  /// To be given to the clients when they are made.
  [[nodiscard]] kafka::ConsumerListener& consumer_listener() { return consumer_side_; }
  [[nodiscard]] kafka::ProducerListener& producer_listener() { return producer_side_; }
  [[nodiscard]] kafka::LogReaderListener& log_listener() { return log_side_; }

  /// The member of the group; nothing happens before it is set. nullptr: gone.
  void connect(kafka::GroupConsumer* consumer);
  /// A producer that works, the first one or one in place of another that failed.
  void connect(kafka::Producer* producer);
  /// `tails` reads the partitions' own logs (audit and chunks), now and then and in a hurry; `steady` the
  /// cancellations, all the time (nothing: `tails` does). Both tell log_listener().
  void connect(kafka::LogReader* tails, kafka::LogReader* steady = nullptr);
  /// What the dead-letter topic takes: its partitions, and bytes a record.
  void set_dead_letters(std::int32_t partitions, std::size_t bytes_max) {
    dead_letter_partitions_ = partitions;
    dead_letter_bytes_max_ = bytes_max;
  }
  /// How many chat.cancellations has: all of them are read to their end before anything is dispatched, from as far back
  /// as they are remembered; where that takes longer than cancellations_wait, it goes on without them. 0: there is no
  /// such topic, and nobody can cancel. To be called before the reader is connected.
  void set_cancellation_partitions(std::int32_t count) {
    cancellations_.expect(count);
    cancellation_partitions_ = count;
  }
  /// The topic is not there, or this worker may not see it (`problem`). It is read as soon as a look finds it.
  void go_on_without_cancellations(std::string problem) { cancellations_problem_ = std::move(problem); }
  /// They have been read, or were waited for long enough.
  [[nodiscard]] bool cancellations_read() const;

  /// Called when the producer has become useless: purge it, serve its reports until none is left, and connect() a new
  /// one. Comes once a producer.
  std::function<void()> on_producer_lost;
  /// Called when the consumer has become useless: destroy it after this call returned and connect() a new member.
  std::function<void()> on_consumer_lost;

  /// The projection has become complete, or has changed.
  void on_registry_changed();
  void on_wake();
  /// To a question of LogQuestions. Errors: the brokers could not be asked; it is asked again after a while.
  void on_answer(std::uint64_t token, const Result<LogPlaces>& answer);
  void on_survey(std::uint64_t token, const Result<kafka::LogSurvey>& survey);

  /// Gives everything up in order and leaves the group at once, so that others go on with new requests; finishes what
  /// runs. Calls `done` when that has ended, or `limit` from now has passed and what was left has been closed as
  /// interrupted. Called a second time: closes it at once.
  void drain(Millis limit, std::function<void()> done);

  /// What /readyz tells.
  [[nodiscard]] std::vector<telemetry::Condition> conditions() const;
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.attempts(); }
  void refresh_gauges();

 private:
  // The two clients call back through these, because their interfaces share names.
  struct ConsumerSide final : kafka::ConsumerListener {
    explicit ConsumerSide(RouterCore& router) : core(router) {}
    void on_record(kafka::Record&& record) override;
    void on_assigned(const std::vector<kafka::TopicPartition>& partitions) override;
    void on_revoked(const std::vector<kafka::TopicPartition>& partitions) override;
    void on_lost(const std::vector<kafka::TopicPartition>& partitions) override;
    void on_committed(std::uint64_t token, const kafka::TopicPartition& partition, kafka::CommitOutcome outcome,
                      const std::string& detail) override;
    void on_fatal(const Error& error) override;
    RouterCore& core;
  };
  struct ProducerSide final : kafka::ProducerListener {
    explicit ProducerSide(RouterCore& router) : core(router) {}
    void on_report(const kafka::Report& report) override;
    void on_space() override;
    void on_fatal(const Error& error) override;
    RouterCore& core;
  };
  struct LogSide final : kafka::LogReaderListener {
    explicit LogSide(RouterCore& router) : core(router) {}
    void on_record(kafka::Record&& record) override;
    void on_end(const kafka::TopicPartition& partition, std::int64_t next_offset) override;
    void on_failure(const kafka::TopicPartition& partition, const Error& error) override;
    RouterCore& core;
  };

  // Hub
  void set_timer(const JobRef& job, Millis from, Millis to) override;
  void wake_soon() override { wake_by(environment_.now().steady); }
  void job_ready(const JobRef& job, const std::string& org_id, bool at_front) override {
    queue_.push(job, org_id, at_front);
  }
  void window_changed() override { adjust_reading(); }
  [[nodiscard]] const std::string& topic(Output output) const override;
  [[nodiscard]] std::size_t record_bytes_max(Output output) const override;
  [[nodiscard]] std::size_t whole_chunk_bytes_max() const override;
  void record_refused(Output output, std::size_t bytes, std::string_view detail) override;
  std::uint64_t next_unit() override { return ++next_unit_; }
  std::string next_instance() override;
  void forget_waiting(std::int32_t partition) override { queue_.forget(partition); }
  void look_soon() override;
  void log_replaced(Log log, std::int32_t partition) override;
  [[nodiscard]] bool is_cancelled(const std::string& org_id, const std::string& request_id) const override;
  // PartitionIo
  kafka::Produced send(Output output, const std::optional<std::string>& key, std::optional<std::string_view> value,
                       const kafka::Headers* headers, const Sent& sent) override;
  void commit(std::int32_t partition, std::uint64_t generation, std::uint32_t sequence, events::RequestOffset offset,
              const std::string& metadata) override;
  void read(Log log, std::int32_t partition, std::int64_t from) override;
  void stop_reading(Log log, std::int32_t partition) override;
  void seek(std::int32_t partition, events::RequestOffset offset) override;
  void ask(std::int32_t partition, std::uint64_t generation, std::uint32_t sequence, Log log,
           std::optional<Millis> at) override;
  [[nodiscard]] bool usable() const override { return producer_ != nullptr && !producer_lost_; }
  [[nodiscard]] Millis unreported_age(Output output, std::int32_t partition) const override;

  // router_core_looks.cpp
  void look_now();
  void look_step();
  void note_replaced(const std::string& topic, const std::vector<std::int32_t>& numbers);
  void note_topics(const std::map<std::string, std::int32_t>& partitions);
  void locate_cancellations();
  void cancellations_located(std::int32_t number, const Result<LogPlaces>& answer);
  void read_cancellations(std::int32_t number, std::int64_t from);
  void notice_cancellations_unread();

  void on_cancellation(const kafka::Record& record);
  Partition* partition(std::int32_t number, std::uint64_t generation);
  Partition* partition_of_chunk(std::uint64_t token);
  void ask_committed();
  /// Runs the steps that an event may have unblocked. Every event ends with it.
  void after_event();
  void pump();
  void dispatch_ready();
  void dispatch(const FairQueue::Next& next);
  [[nodiscard]] const std::string& topic_of(Log log) const;
  [[nodiscard]] Log log_of(const std::string& topic) const;
  void adjust_reading();
  void drop_partitions();
  void forget_waiting();
  /// Moves what was released out of the way, and answers the group when all is.
  void release_step();
  void sweep_continuing();
  void notice_stall(Millis now);
  void producer_lost(std::string_view why);
  [[nodiscard]] telemetry::Condition partitions_condition() const;
  void add_refusals(std::vector<telemetry::Condition>& all) const;
  /// Of all partitions together.
  [[nodiscard]] Partition::Held held() const;
  void drain_step();
  void arm();
  void wake_by(Millis at);

  const RouterOptions options_;
  ConsumerSide consumer_side_{*this};
  ProducerSide producer_side_{*this};
  LogSide log_side_{*this};
  Environment& environment_;
  const registry::Projection& projection_;
  LogQuestions& questions_;
  RouterMetrics& metrics_;
  Cancellations cancellations_;
  FairQueue queue_;
  InFlight in_flight_;
  Window window_;
  AnswerBudget answers_;
  Circuits circuits_;
  Exhausted exhausted_{};
  KeyRotation keys_{};
  RetryBudgets retries_{};
  Services services_;
  kafka::GroupConsumer* consumer_ = nullptr;
  kafka::Producer* producer_ = nullptr;
  kafka::LogReader* reader_ = nullptr;
  kafka::LogReader* steady_ = nullptr;  ///< of the cancellations
  bool producer_lost_ = false;
  Refusals refusals_{};
  std::uint64_t next_unit_ = 0;
  std::uint64_t worker_ = 0;  ///< in the names of all its claims; drawn for the first
  std::uint64_t next_claim_ = 0;
  kafka::TopicHandle topics_[3]{};
  std::int32_t dead_letter_partitions_ = 1;
  std::size_t dead_letter_bytes_max_ = 1'000'000;

  // Partitions. `generation_` grows with every assignment.
  std::uint64_t generation_ = 0;
  bool joined_ = false;
  std::vector<kafka::TopicPartition> assigned_{};
  bool offsets_asked_ = false;
  Millis ask_again_at_ = Millis::max();
  std::map<std::int32_t, std::unique_ptr<Partition>> partitions_{};  ///< owned
  std::vector<Partition*> by_number_{};
  /// Given up in order; what runs there is finished here. By the low bits of the generation, and number.
  std::map<std::pair<std::uint64_t, std::int32_t>, std::unique_ptr<Partition>> continuing_{};
  bool releasing_ = false;
  Millis release_until_{0};
  Millis last_turn_{0};  ///< steady; when the loop last came by

  ReportTokens tokens_{};

  struct PendingCommit {
    std::uint64_t generation;
    std::uint32_t sequence;
  };
  std::uint64_t next_commit_ = 0;
  std::unordered_map<std::uint64_t, PendingCommit> commits_{};  ///< by token

  struct PendingQuestion {
    std::int32_t partition;
    std::uint64_t generation;
    std::uint32_t sequence;
  };
  std::uint64_t next_question_ = 0;
  std::unordered_map<std::uint64_t, PendingQuestion> asked_{};  ///< by token

  struct Looks {
    struct Asked {
      Log log;
      std::int32_t partition;
      std::uint64_t generation;
      std::uint32_t version;
    };
    std::uint64_t token = 0;  ///< the question that is on its way; 0: none
    Millis given_up_at{0};    ///< steady
    Millis at{0};             ///< steady; when to ask next
    std::vector<Asked> asked{};
    std::vector<std::int32_t> cancellations{};  ///< asked about behind those
    std::vector<std::int32_t> dead_letters{};   ///< and these behind them
  };
  Looks looks_{};
  std::vector<std::string> topic_problems_{};
  std::map<std::string, Millis> replaced_at_{};  ///< steady; when a topic was last found to be another one

  std::int32_t cancellation_partitions_ = 0;
  std::string cancellations_problem_{};                                ///< why none are read
  std::map<std::int32_t, kafka::WitnessTrail> cancellation_trails_{};  ///< of those that are being read
  std::map<std::int32_t, kafka::WitnessTrail> dead_letter_trails_{};   ///< where its partitions end
  std::map<std::uint64_t, std::int32_t> cancellations_asked_{};        ///< where they are to be read from; by token
  Millis locate_cancellations_at_ = Millis::max();                     ///< steady
  Millis cancellations_until_{0};                                      ///< steady; waited for until then
  bool cancellations_missed_ = false;

  bool pumping_ = false;

  bool reading_ = true;

  struct Timer {
    Millis at;
    std::int32_t partition;
    std::uint64_t generation;
    events::RequestOffset offset;
    auto operator<=>(const Timer&) const = default;
  };
  std::set<Timer> timers_{};
  Millis next_round_{0};  ///< commits and checks
  Millis armed_at_ = Millis::max();

  Drain drain_{};
};

}  // namespace tokenrail::router
