#include "common/kafka/log_reader.hpp"

#include <set>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/kafka/detail/handle.hpp"
#include "common/kafka/detail/properties.hpp"
#include "common/kafka/detail/queue_wake.hpp"
#include "common/kafka/detail/statistics.hpp"
#include "common/kafka/metric_families.hpp"
#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::kafka {
namespace {

using namespace detail;

constexpr int events_per_turn_max = 256;

bool is_permanent(rd_kafka_resp_err_t code) {
  const auto kind = error_of(code, "").kind;
  return kind == ErrorKind::not_found || kind == ErrorKind::rejected || kind == ErrorKind::forbidden ||
         kind == ErrorKind::invalid_input;
}

// As the group's member: lives as long as anything may run for it, `listener_` is looked at after each call to it.
class Reader : public std::enable_shared_from_this<Reader> {
 public:
  Reader(boost::asio::io_context& loop, Client client, LogReaderListener& listener, telemetry::Metrics& metrics)
      : loop_(loop),
        client_(std::move(client)),
        listener_(&listener),
        gauges_(metrics, "reader"),
        records_read_(metrics.counter(metric_family("kafka_records_read_total"), {"reader"})) {}

  ~Reader() {
    if (queue_) QueueWake::detach(queue_.get());
    if (wake_) wake_->close();
    queue_.reset();
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void begin(const std::vector<std::string>& topics) {
    for (const auto& name : topics) known_.emplace_back(rd_kafka_topic_new(client_.get(), name.c_str(), nullptr));
    // Everything comes through this one queue. A separate queue for the records, as the group's member has it, does not
    // work here: stopping a partition ends its forwarding some time later, also that of a start which came before. Its
    // records would then be in a queue that is not read.
    rd_kafka_poll_set_consumer(client_.get());
    queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
    wake_ = QueueWake::open(loop_, [weak = weak_from_this()] {
      const auto self = weak.lock();
      telemetry::loop_step("kafka log reader");
      return self && self->serve();
    });
    wake_->attach(queue_.get());
  }

  void abandon() {
    listener_ = nullptr;
    wake_->close();
  }

  void start(const std::vector<StartingPoint>& points) {
    if (points.empty()) return;
    std::vector<TopicPartition> moved;
    for (const auto& point : points)
      if (reading_from_.contains(point.partition)) moved.push_back(point.partition);
    // Given up and started again rather than sought: what was fetched from the old place becomes void by it.
    stop(moved);
    for (const auto& point : points) reading_from_.insert(point.partition);
    const ErrorHolder error(rd_kafka_incremental_assign(client_.get(), partition_list(points).get()));
    if (!error) return;
    const auto code = rd_kafka_error_code(error.get());
    for (const auto& point : points) {
      reading_from_.erase(point.partition);
      tell_failure_later(point.partition, code);
    }
  }

  void stop(const std::vector<TopicPartition>& partitions) {
    std::vector<TopicPartition> ours;
    for (const auto& partition : partitions)
      if (reading_from_.erase(partition) == 1) ours.push_back(partition);
    if (ours.empty()) return;
    const ErrorHolder error(rd_kafka_incremental_unassign(client_.get(), partition_list(ours).get()));
    if (error) spdlog::warn("kafka: reader: giving up partitions: {}", rd_kafka_error_string(error.get()));
  }

  void set_reading(bool reading) {
    reading_ = reading;
    if (reading) wake_->poke();
  }

 private:
  bool serve() {
    for (int i = 0; i < events_per_turn_max; ++i) {
      if (!reading_) return false;
      const Event event(rd_kafka_queue_poll(queue_.get(), 0));
      if (!event) return false;
      handle(event.get());
      if (listener_ == nullptr) return false;
    }
    return true;
  }

  void handle(rd_kafka_event_t* event) {
    switch (rd_kafka_event_type(event)) {
      case RD_KAFKA_EVENT_FETCH:
        handle_record(event);
        break;
      case RD_KAFKA_EVENT_ERROR:
        handle_error(event);
        break;
      case RD_KAFKA_EVENT_STATS:
        gauges_.update(parse_statistics(rd_kafka_event_stats(event)));
        break;
      default:
        break;
    }
  }

  void handle_record(rd_kafka_event_t* event) {
    const rd_kafka_message_t* message = rd_kafka_event_message_next(event);
    if (message == nullptr) return;
    Record record = record_of(*message);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      tell_trouble({.topic = std::move(record.topic), .partition = record.partition}, message->err);
      return;
    }
    // What still comes of a partition that was given up meanwhile.
    if (!reading_from_.contains({.topic = record.topic, .partition = record.partition})) return;
    records_read_.add();
    listener_->on_record(std::move(record));
  }

  void handle_error(rd_kafka_event_t* event) {
    const auto code = rd_kafka_event_error(event);
    const PartitionHolder where(rd_kafka_event_topic_partition(event));
    if (!where) {
      // It has a group id because librdkafka wants one, joins no group, and needs no right on any.
      if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) return;
      if (code != RD_KAFKA_RESP_ERR__TRANSPORT) spdlog::warn("kafka: reader: {}", rd_kafka_event_error_string(event));
      return;
    }
    const TopicPartition partition{.topic = where->topic, .partition = where->partition};
    if (!reading_from_.contains(partition)) return;
    if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF)
      listener_->on_end(partition, where->offset);
    else
      tell_trouble(partition, code);
  }

  static Error failure_of(const TopicPartition& partition, rd_kafka_resp_err_t code) {
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
      return missing_right("READ", fmt::format("the topic {}", partition.topic));
    return error_of(code, fmt::format("reading {} [{}]", partition.topic, partition.partition));
  }

  void tell_trouble(const TopicPartition& partition, rd_kafka_resp_err_t code) {
    if (is_permanent(code))
      listener_->on_failure(partition, failure_of(partition, code));
    else
      spdlog::warn("kafka: reading {} [{}]: {}", partition.topic, partition.partition, rd_kafka_err2str(code));
  }

  void tell_failure_later(const TopicPartition& partition, rd_kafka_resp_err_t code) {
    boost::asio::post(loop_, [self = shared_from_this(), partition, code] {
      if (self->listener_ != nullptr) self->listener_->on_failure(partition, failure_of(partition, code));
    });
  }

  boost::asio::io_context& loop_;
  Client client_;
  LogReaderListener* listener_;
  StatisticsGauges gauges_;
  telemetry::Counter& records_read_;
  std::vector<Topic> known_;  ///< as long as one is held, its leaders are kept known
  Queue queue_;
  std::shared_ptr<QueueWake> wake_;
  std::set<TopicPartition> reading_from_;
  bool reading_ = true;
};

class LibrdkafkaLogReader final : public LogReader {
 public:
  explicit LibrdkafkaLogReader(std::shared_ptr<Reader> reader) : reader_(std::move(reader)) {}
  ~LibrdkafkaLogReader() override { reader_->abandon(); }
  LibrdkafkaLogReader(const LibrdkafkaLogReader&) = delete;
  LibrdkafkaLogReader& operator=(const LibrdkafkaLogReader&) = delete;

  void start(const std::vector<StartingPoint>& points) override { reader_->start(points); }
  void stop(const std::vector<TopicPartition>& partitions) override { reader_->stop(partitions); }
  void set_reading(bool reading) override { reader_->set_reading(reading); }

 private:
  std::shared_ptr<Reader> reader_;
};

}  // namespace

Result<std::unique_ptr<LogReader>> LogReader::make(boost::asio::io_context& loop, const LogReaderOptions& options,
                                                   LogReaderListener& listener, telemetry::Metrics& metrics) {
  auto layered = options.committed_only ? committed_reader_properties(options.properties)
                                        : log_reader_properties(options.properties);
  if (!layered) return std::unexpected(std::move(layered.error()));
  auto client =
      open_client(RD_KAFKA_CONSUMER, *layered, RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS);
  if (!client) return std::unexpected(std::move(client.error()));
  const auto reader = std::make_shared<Reader>(loop, std::move(*client), listener, metrics);
  reader->begin(options.topics);
  return std::make_unique<LibrdkafkaLogReader>(reader);
}

}  // namespace tokenrail::kafka
