#include "common/kafka/consumer.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <unordered_map>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/kafka/detail/ending.hpp"
#include "common/kafka/detail/handle.hpp"
#include "common/kafka/detail/loop_gate.hpp"
#include "common/kafka/detail/properties.hpp"
#include "common/kafka/detail/queue_wake.hpp"
#include "common/kafka/detail/statistics.hpp"
#include "common/kafka/metric_families.hpp"
#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::kafka {
namespace {

using namespace detail;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int events_per_turn_max = 64;
constexpr milliseconds leaving_tick{20};
// A coordinator that does not answer must not keep a worker from ending; its session runs out by itself.
constexpr std::chrono::seconds leave_wait_max{10};
constexpr milliseconds committed_request_max{2000};  // ending waits for it
constexpr std::chrono::seconds committed_wait_max{30};
constexpr milliseconds committed_retry_first{100};
constexpr milliseconds committed_retry_max{2000};

// The coordinator does not know this member, or not in this generation: everything is gone.
bool says_put_out(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
         code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

CommitOutcome outcome_of(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return CommitOutcome::ok;
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
      return CommitOutcome::not_owner;
    default:
      return CommitOutcome::failed;
  }
}

// Lives as long as anything that may still run for it on the loop; the public object below only owns it. `listener_`
// is null once nothing may be reported any more, and is looked at after every call to it, because that call may end us.
class Member : public std::enable_shared_from_this<Member> {
 public:
  Member(boost::asio::io_context& loop, Client client, const GroupOptions& options, ConsumerListener& listener,
         telemetry::Metrics& metrics)
      : loop_(loop),
        client_(std::move(client)),
        options_(options),
        listener_(&listener),
        gauges_(metrics, "group"),
        release_wait_max_(configured_number(client_.get(), "max.poll.interval.ms", 60'000)),
        records_(metrics.counter(metric_family("kafka_records_read_total"), {"group"})) {}

  ~Member() { end(); }
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  Result<void> begin() {
    // One chain: everything but records ends in a queue of ours, also after the close has begun.
    rd_kafka_poll_set_consumer(client_.get());
    consumer_queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
    events_.reset(rd_kafka_queue_new(client_.get()));
    rd_kafka_queue_forward(consumer_queue_.get(), events_.get());
    wake_ = QueueWake::open(loop_, [weak = weak_from_this()] {
      const auto self = weak.lock();
      telemetry::loop_step("kafka consumer");
      return self && self->serve();
    });
    wake_->attach(events_.get());

    PartitionList topics(rd_kafka_topic_partition_list_new(static_cast<int>(options_.topics.size())));
    for (const auto& topic : options_.topics)
      rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    if (const auto code = rd_kafka_subscribe(client_.get(), topics.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return std::unexpected(error_of(code, fmt::format("joining the consumer group {}", options_.group_id)));
    return {};
  }

  void abandon() {
    listener_ = nullptr;
    wake_->close();
  }

  void assign(const std::vector<StartingPoint>& points) {
    if (listener_ == nullptr || phase_ != Phase::assign_awaited) return;
    phase_ = Phase::assigned;
    stop_records_queue();
    records_queue_.reset(rd_kafka_queue_new(client_.get()));
    for (const auto& point : points) {
      const Queue partition(
          rd_kafka_queue_get_partition(client_.get(), point.partition.topic.c_str(), point.partition.partition));
      if (partition) rd_kafka_queue_forward(partition.get(), records_queue_.get());
    }
    tell_librdkafka(partition_list(points).get());
    wake_->attach(records_queue_.get());
  }

  void seek(const StartingPoint& point) {
    if (listener_ == nullptr || phase_ != Phase::assigned) return;
    const Topic topic(rd_kafka_topic_new(client_.get(), point.partition.topic.c_str(), nullptr));
    // With no time to wait it only hands the order on; what was fetched before is void from here on.
    const auto code = rd_kafka_seek(topic.get(), point.partition.partition, point.offset, 0);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
      spdlog::warn("kafka: group {}: reading {} [{}] from {}: {}", options_.group_id, point.partition.topic,
                   point.partition.partition, point.offset, rd_kafka_err2str(code));
  }

  void release() {
    if (listener_ != nullptr && phase_ == Phase::release_awaited) give_up();
  }

  void set_reading(bool reading) {
    reading_ = reading;
    if (reading && records_queue_) wake_->poke();
  }

  void commit(std::uint64_t token, const TopicPartition& partition, std::int64_t offset, const std::string& metadata) {
    if (listener_ == nullptr) return;
    PartitionList list = partition_list(std::vector{partition});
    auto& entry = list->elems[0];
    entry.offset = offset;
    if (!metadata.empty()) {
      entry.metadata_size = metadata.size();
      entry.metadata = std::malloc(metadata.size());  // the list's own: it frees it
      std::copy(metadata.begin(), metadata.end(), static_cast<char*>(entry.metadata));
    }
    const auto code = rd_kafka_commit_queue(client_.get(), list.get(), events_.get(), nullptr, opaque_of(token));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      boost::asio::post(loop_, [self = shared_from_this(), token, partition, code] {
        if (self->listener_ != nullptr)
          self->listener_->on_committed(token, partition, outcome_of(code), rd_kafka_err2str(code));
      });
      return;
    }
    commits_.emplace(token, partition);
  }

  void committed(const std::vector<TopicPartition>& partitions, GroupConsumer::CommittedCallback done) {
    if (listener_ == nullptr) return;
    const std::uint64_t id = ++last_request_;
    committed_requests_.emplace(id, CommittedRequest{.partitions = partitions,
                                                     .done = std::move(done),
                                                     .give_up_at = steady_clock::now() + committed_wait_max,
                                                     .retry = boost::asio::steady_timer(loop_)});
    ask_committed(id);
  }

  void leave(std::function<void()> done) {
    if (listener_ == nullptr || leaving_) return;
    leaving_ = true;
    left_ = std::move(done);
    reading_ = false;
    if (phase_ == Phase::assign_awaited) give_up();
    const ErrorHolder error(rd_kafka_consumer_close_queue(client_.get(), events_.get()));
    if (error) spdlog::warn("kafka: leaving the group {}: {}", options_.group_id, rd_kafka_error_string(error.get()));
    close_refused_ = error != nullptr;
    leave_give_up_at_ = steady_clock::now() + leave_wait_max;
    wake_->set_period(leaving_tick);
    wake_->poke();
  }

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  enum class Phase {
    idle,            // nothing assigned
    assign_awaited,  // on_assigned() said, assign() to come
    assigned,
    release_awaited,  // on_revoked() said, release() to come
  };

  struct CommittedRequest {
    std::vector<TopicPartition> partitions;
    GroupConsumer::CommittedCallback done;
    steady_clock::time_point give_up_at;
    boost::asio::steady_timer retry;
    milliseconds pause = committed_retry_first;
  };

  // NOLINTNEXTLINE(performance-no-int-to-ptr): an opaque is where librdkafka lets a number travel
  static void* opaque_of(std::uint64_t number) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(number)); }
  static std::uint64_t number_of(void* opaque) { return reinterpret_cast<std::uintptr_t>(opaque); }

  bool serve() {
    // Asked before the events are served: what librdkafka said before it closed (a commit's answer, say) comes below.
    const bool closed = leaving_ && (close_refused_ || rd_kafka_consumer_closed(client_.get()) != 0);
    // The head of the chain, not our end of it: only that one counts as polling in later versions of librdkafka. With
    // the close the chain is cut, and what has come this far is at our end.
    const bool more_events = serve_events(closed ? events_.get() : consumer_queue_.get());
    if (listener_ == nullptr) return false;
    const bool more_records = serve_records();
    if (listener_ == nullptr) return false;
    if (leaving_ && !more_events) {
      finish_leaving(closed);
      if (listener_ == nullptr) return false;
    }
    return more_events || more_records;
  }

  bool serve_events(rd_kafka_queue_t* queue) {
    for (int i = 0; i < events_per_turn_max; ++i) {
      const Event event(rd_kafka_queue_poll(queue, 0));
      if (!event) {
        notice_loss_while_releasing();
        return false;
      }
      handle(event.get());
      if (listener_ == nullptr) return false;
    }
    return true;
  }

  bool serve_records() {
    for (std::size_t i = 0; i < options_.records_per_turn_max; ++i) {
      // Asked again for each record: the listener may have stopped reading, or given the partitions up.
      if (!reading_ || !records_queue_ || phase_ != Phase::assigned) return false;
      const Event event(rd_kafka_queue_poll(records_queue_.get(), 0));
      if (!event) return false;
      if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_FETCH) {
        handle(event.get());
        if (listener_ == nullptr) return false;
        continue;
      }
      const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get());
      if (message == nullptr) continue;
      if (message->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        denied(missing_right("READ", fmt::format("the topic {}", rd_kafka_topic_name(message->rkt))));
        continue;
      }
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        spdlog::warn("kafka: reading {} [{}]: {}", rd_kafka_topic_name(message->rkt), message->partition,
                     rd_kafka_message_errstr(message));
        continue;
      }
      Record record = record_of(*message);
      records_.add();
      connected_ = true;
      problem_.clear();
      listener_->on_record(std::move(record));
      if (listener_ == nullptr) return false;
    }
    return true;
  }

  void handle(rd_kafka_event_t* event) {
    switch (rd_kafka_event_type(event)) {
      case RD_KAFKA_EVENT_REBALANCE:
        handle_rebalance(event);
        break;
      case RD_KAFKA_EVENT_OFFSET_COMMIT:
        handle_commit(event);
        break;
      case RD_KAFKA_EVENT_ERROR:
        handle_error(event);
        break;
      case RD_KAFKA_EVENT_STATS: {
        const auto statistics = parse_statistics(rd_kafka_event_stats(event));
        connected_ = statistics.brokers_up > 0;
        gauges_.update(statistics);
        break;
      }
      default:
        break;
    }
  }

  void handle_rebalance(rd_kafka_event_t* event) {
    const auto partitions = partitions_of(rd_kafka_event_topic_partition_list(event));
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      connected_ = true;
      phase_ = Phase::assign_awaited;
      partitions_ = partitions;
      if (leaving_) {
        give_up();
        return;
      }
      // Nothing to look up, nothing to wait for: answered here, so that a member without work cannot stall the group.
      if (partitions.empty()) assign({});
      problem_.clear();
      spdlog::info("kafka: group {}: {} partitions assigned", options_.group_id, partitions.size());
      listener_->on_assigned(partitions);
      return;
    }
    const bool never_begun = phase_ != Phase::assigned || partitions_.empty();
    const bool lost = rd_kafka_assignment_lost(client_.get()) != 0;
    const auto given = std::exchange(partitions_, {});
    if (lost || never_begun) {
      give_up();
      if (given.empty()) return;
      spdlog::warn("kafka: group {}: {} partitions lost", options_.group_id, given.size());
      listener_->on_lost(given);
      return;
    }
    phase_ = Phase::release_awaited;
    releasing_ = given;
    release_by_ = steady_clock::now() + release_wait_max_;
    spdlog::info("kafka: group {}: {} partitions to be released", options_.group_id, given.size());
    listener_->on_revoked(given);
  }

  // The group does not wait for ever: a member that has not released after max.poll.interval.ms is put out. librdkafka
  // does not report it in the middle of a rebalance (it drops the lost assignment's event), so the time is kept here.
  void notice_loss_while_releasing() {
    if (phase_ != Phase::release_awaited) return;
    if (rd_kafka_assignment_lost(client_.get()) != 0 || steady_clock::now() >= release_by_) lose_while_releasing();
  }

  void lose_while_releasing() {
    const auto given = std::exchange(releasing_, {});
    give_up();
    spdlog::warn("kafka: group {}: {} partitions lost while they were being released", options_.group_id, given.size());
    listener_->on_lost(given);
  }

  void give_up() {
    phase_ = Phase::idle;
    partitions_.clear();
    releasing_.clear();
    stop_records_queue();
    tell_librdkafka(nullptr);
    // What the time for leaving is counted from: waiting for the listener is not the coordinator's fault.
    leave_give_up_at_ = steady_clock::now() + leave_wait_max;
  }

  void tell_librdkafka(const rd_kafka_topic_partition_list_t* list) {
    const auto code = rd_kafka_assign(client_.get(), list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
      spdlog::warn("kafka: group {}: answering a rebalance: {}", options_.group_id, rd_kafka_err2str(code));
  }

  // A new queue for each assignment: nothing that was fetched under an older one can come out of it.
  void stop_records_queue() {
    if (!records_queue_) return;
    QueueWake::detach(records_queue_.get());
    records_queue_.reset();
  }

  void handle_commit(rd_kafka_event_t* event) {
    const std::uint64_t token = number_of(rd_kafka_event_opaque(event));
    const auto commit = commits_.find(token);
    if (commit == commits_.end()) return;
    const TopicPartition partition = commit->second;
    commits_.erase(commit);
    auto code = rd_kafka_event_error(event);
    const auto* list = rd_kafka_event_topic_partition_list(event);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && list != nullptr && list->cnt > 0) code = list->elems[0].err;
    const auto outcome = outcome_of(code);
    if (outcome == CommitOutcome::ok) connected_ = true;
    listener_->on_committed(token, partition, outcome, outcome == CommitOutcome::ok ? "" : rd_kafka_err2str(code));
    if (listener_ != nullptr && phase_ == Phase::release_awaited && says_put_out(code)) lose_while_releasing();
  }

  // The call that waits is made on a thread of its own. The one that does not, ListConsumerGroupOffsets, remembers the
  // coordinator and goes on asking it after the group has moved to another broker (librdkafka 2.0.2: its memory fades
  // only while it is not asked), so that a member would be assigned partitions and never learn where they begin.
  void ask_committed(std::uint64_t id) {
    boost::asio::post(*asking_, [client = client_.get(), gate = gate_, weak = weak_from_this(), id,
                                 partitions = committed_requests_.at(id).partitions] {
      const PartitionList list = partition_list(partitions);
      auto code = rd_kafka_committed(client, list.get(), static_cast<int>(committed_request_max.count()));
      std::vector<Committed> committed;
      for (int i = 0; i < list->cnt; ++i) {
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = list->elems[i].err;
        committed.push_back(committed_of(list->elems[i]));
      }
      gate->post([weak, id, code, committed = std::move(committed)]() mutable {
        if (const auto self = weak.lock(); self && self->listener_ != nullptr)
          self->handle_committed(id, code, std::move(committed));
      });
    });
  }

  void handle_committed(std::uint64_t id, rd_kafka_resp_err_t code, std::vector<Committed> committed) {
    const auto found = committed_requests_.find(id);
    if (found == committed_requests_.end()) return;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && passes_by_itself(code) && retry_committed(id)) return;
    const auto done = std::move(found->second.done);
    committed_requests_.erase(found);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
      done(std::move(committed));
    else
      done(std::unexpected(
          error_of(code, fmt::format("reading the committed offsets of the group {}", options_.group_id))));
  }

  bool retry_committed(std::uint64_t id) {
    auto& request = committed_requests_.at(id);
    if (steady_clock::now() + request.pause >= request.give_up_at) return false;
    request.retry.expires_after(request.pause);
    request.pause = std::min(2 * request.pause, committed_retry_max);
    request.retry.async_wait([weak = weak_from_this(), id](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (!error && self && self->listener_ != nullptr && self->committed_requests_.contains(id))
        self->ask_committed(id);
    });
    return true;
  }

  void handle_error(rd_kafka_event_t* event) {
    const auto code = rd_kafka_event_error(event);
    if (code == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_event_error_is_fatal(event) != 0) {
      if (std::exchange(fatal_, true)) return;
      std::array<char, 512> text{};
      const auto cause = rd_kafka_fatal_error(client_.get(), text.data(), text.size());
      listener_->on_fatal(
          error_of(cause, fmt::format("the consumer of the group {} is fatal", options_.group_id), text.data()));
      return;
    }
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) connected_ = false;
    // A broken connection has been logged by librdkafka itself, with the broker's name.
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT) return;
    if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
      return denied(missing_right("READ", fmt::format("the group {}", options_.group_id)));
    spdlog::warn("kafka: group {}: {}", options_.group_id, rd_kafka_event_error_string(event));
  }

  /// librdkafka tries again several times a second: one line, until something works.
  void denied(const Error& error) {
    if (std::exchange(problem_, error.detail) != error.detail) spdlog::error("kafka: {}", error.detail);
  }

  void finish_leaving(bool closed) {
    if (!closed) {
      if (phase_ == Phase::release_awaited || steady_clock::now() < leave_give_up_at_) return;
      spdlog::warn("kafka: group {}: the coordinator did not answer; left behind after {} s", options_.group_id,
                   leave_wait_max.count());
    }
    abandon();
    // Not from here: we are inside the serving of the very queues that are to go.
    boost::asio::post(loop_, [self = shared_from_this(), done = std::move(left_)] {
      self->end();
      if (done) done();
    });
  }

  // The descriptor must outlive librdkafka's interest in it, and the queues must go before their client. That goes when
  // the other thread has left it; neither is waited for here.
  void end() {
    if (!client_) return;
    committed_requests_.clear();
    gate_->close();
    stop_records_queue();
    if (events_) QueueWake::detach(events_.get());
    if (wake_) wake_->close();
    consumer_queue_.reset();
    events_.reset();
    asking_->stop();
    end_beside([asking = std::move(asking_), client = client_.release()] {
      asking->join();
      end_and_wait(client);
    });
  }

  boost::asio::io_context& loop_;
  Client client_;
  const GroupOptions options_;
  ConsumerListener* listener_;
  StatisticsGauges gauges_;
  const milliseconds release_wait_max_;
  telemetry::Counter& records_;

  Queue consumer_queue_;  ///< head of the chain, forwarded to events_
  Queue events_;          ///< everything but records
  Queue records_queue_;   ///< of the present assignment
  std::shared_ptr<QueueWake> wake_;

  Phase phase_ = Phase::idle;
  std::vector<TopicPartition> partitions_;  ///< as assigned
  std::vector<TopicPartition> releasing_;   ///< as revoked, until released
  steady_clock::time_point release_by_{};
  bool reading_ = true;
  bool fatal_ = false;
  bool connected_ = false;
  std::string problem_{};                                      ///< a right that is missing
  std::unordered_map<std::uint64_t, TopicPartition> commits_;  ///< by token; those not answered yet
  std::uint64_t last_request_ = 0;
  std::map<std::uint64_t, CommittedRequest> committed_requests_;
  const std::shared_ptr<LoopGate> gate_ = std::make_shared<LoopGate>(loop_);
  /// For what librdkafka only answers to who waits.
  std::shared_ptr<boost::asio::thread_pool> asking_ = std::make_shared<boost::asio::thread_pool>(1);

  bool leaving_ = false;
  bool close_refused_ = false;
  steady_clock::time_point leave_give_up_at_{};
  std::function<void()> left_;
};

class LibrdkafkaGroupConsumer final : public GroupConsumer {
 public:
  explicit LibrdkafkaGroupConsumer(std::shared_ptr<Member> member) : member_(std::move(member)) {}
  ~LibrdkafkaGroupConsumer() override { member_->abandon(); }
  LibrdkafkaGroupConsumer(const LibrdkafkaGroupConsumer&) = delete;
  LibrdkafkaGroupConsumer& operator=(const LibrdkafkaGroupConsumer&) = delete;

  void assign(const std::vector<StartingPoint>& points) override { member_->assign(points); }
  void seek(const StartingPoint& point) override { member_->seek(point); }
  void release() override { member_->release(); }
  void set_reading(bool reading) override { member_->set_reading(reading); }
  void commit(std::uint64_t token, const TopicPartition& partition, std::int64_t offset,
              const std::string& metadata) override {
    member_->commit(token, partition, offset, metadata);
  }
  void committed(const std::vector<TopicPartition>& partitions, CommittedCallback done) override {
    member_->committed(partitions, std::move(done));
  }
  void leave(std::function<void()> done) override { member_->leave(std::move(done)); }
  [[nodiscard]] bool connected() const override { return member_->connected(); }
  [[nodiscard]] std::string problem() const override { return member_->problem(); }

 private:
  std::shared_ptr<Member> member_;
};

}  // namespace

Result<std::unique_ptr<GroupConsumer>> GroupConsumer::join(boost::asio::io_context& loop, const GroupOptions& options,
                                                           ConsumerListener& listener, telemetry::Metrics& metrics) {
  auto properties = group_consumer_properties(options.properties, options.group_id);
  if (!properties) return std::unexpected(std::move(properties.error()));
  auto client = open_client(RD_KAFKA_CONSUMER, *properties,
                            RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_OFFSET_COMMIT |
                                RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS);
  if (!client) return std::unexpected(std::move(client.error()));
  const auto member = std::make_shared<Member>(loop, std::move(*client), options, listener, metrics);
  if (auto begun = member->begin(); !begun) {
    member->abandon();
    return std::unexpected(std::move(begun.error()));
  }
  return std::make_unique<LibrdkafkaGroupConsumer>(member);
}

}  // namespace tokenrail::kafka
