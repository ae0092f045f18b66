#include "common/kafka/producer.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>

#include "common/kafka/detail/handle.hpp"
#include "common/kafka/detail/properties.hpp"
#include "common/kafka/detail/queue_wake.hpp"
#include "common/kafka/detail/statistics.hpp"
#include "common/kafka/detail/topic_sender.hpp"
#include "common/kafka/metric_families.hpp"
#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::kafka {
namespace {

using namespace detail;
using std::chrono::milliseconds;

// What a record costs in a batch besides its key and value, at most, headers not counted.
constexpr std::size_t record_overhead_max = 128;
constexpr std::size_t header_overhead_max = 10;

class Sender : public std::enable_shared_from_this<Sender> {
 public:
  Sender(boost::asio::io_context& loop, Client client, Properties properties, const ProducerOptions& options,
         ProducerListener& listener, telemetry::Metrics& metrics)
      : loop_(loop),
        timer_(loop),
        message_bytes_max_(configured_number(client.get(), "message.max.bytes", 1'000'000) - record_overhead_max),
        gauges_(metrics, "producer"),
        shared_{.listener = &listener,
                .properties = std::move(properties),
                .unreported = Unreported(
                    {.records_max = options.partition_records_max, .bytes_max = options.partition_bytes_max}),
                .metrics = metrics,
                .accepted = metrics.counter(metric_family("kafka_records_produced_total")),
                .failed = metrics.counter(metric_family("kafka_records_failed_total")),
                .queue_full = metrics.counter(metric_family("kafka_queue_full_total")),
                .topic_limits = {
                    .records_max = configured_number(client.get(), "queue.buffering.max.messages", 100'000),
                    .bytes_max = configured_number(client.get(), "queue.buffering.max.kbytes", 1'048'576) * 1024}} {
    shared_.spare = std::move(client);
  }

  ~Sender() {
    if (shared_.wake) shared_.wake->close();
    topics_.clear();
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void begin() {
    shared_.wake = QueueWake::open(loop_, [weak = weak_from_this()] {
      const auto self = weak.lock();
      telemetry::loop_step("kafka producer reports");
      return self && self->serve();
    });
  }

  void abandon() {
    shared_.listener = nullptr;
    shared_.wake->close();
    timer_.cancel();
  }

  TopicHandle topic(const std::string& name) {
    if (const auto known = by_name_.find(name); known != by_name_.end()) return known->second;
    topics_.push_back(std::make_unique<TopicSender>(shared_, name));
    const auto handle = static_cast<TopicHandle>(topics_.size() - 1);
    by_name_.emplace(name, handle);
    // Its client is opened at the next turn, or by the first record: what is set for the topic until then counts.
    shared_.wake->poke();
    return handle;
  }

  Produced produce(TopicHandle handle, const OutgoingRecord& record, std::uint64_t token, std::uint64_t unit) {
    if (shared_.fatal) return Produced::failed;
    std::size_t bytes = (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
    if (record.headers != nullptr)
      for (const auto& [name, content] : *record.headers)
        bytes += name.size() + (content ? content->size() : 0) + header_overhead_max;
    if (bytes > message_bytes_max_) return Produced::too_large;
    return at(handle).produce(record, bytes, token, unit);
  }

  void set_topic_bytes_max(TopicHandle handle, std::size_t bytes) { at(handle).set_bytes_max(bytes); }

  void purge() {
    for (const auto& topic : topics_) topic->purge();
  }

  [[nodiscard]] std::size_t unreported() const { return shared_.unreported.records(); }
  [[nodiscard]] milliseconds oldest_unreported_age(TopicHandle handle, std::int32_t partition) const {
    const auto since_ms = topics_[static_cast<std::size_t>(handle)]->oldest_ms(partition);
    if (since_ms == 0) return milliseconds(0);
    return milliseconds(std::max<std::int64_t>(1, coarse_now_ms() - since_ms));
  }
  [[nodiscard]] std::vector<BlockedTopic> blocked() const {
    std::vector<BlockedTopic> all;
    for (const auto& topic : topics_)
      if (auto one = topic->blocked()) all.push_back(std::move(*one));
    return all;
  }
  [[nodiscard]] std::size_t message_bytes_max() const { return message_bytes_max_; }
  [[nodiscard]] bool connected() const { return shared_.connected; }

 private:
  TopicSender& at(TopicHandle handle) { return *topics_[static_cast<std::size_t>(handle)]; }

  // By index: a listener may make a topic.
  bool serve() {
    bool more = false;
    std::optional<std::int64_t> due;
    for (std::size_t i = 0; i < topics_.size(); ++i) {
      more = topics_[i]->serve() || more;
      if (shared_.listener == nullptr) return false;
      auto at = topics_[i]->tick_at();
      if (at && *at <= coarse_now_ms()) {
        topics_[i]->tick();
        if (shared_.listener == nullptr) return false;
        at = topics_[i]->tick_at();
      }
      if (at && (!due || *at < *due)) due = at;
    }
    if (shared_.fatal && !std::exchange(fatal_told_, true)) {
      purge();  // what is still queued would wait for ever; like this every record gets its report
      shared_.listener->on_fatal(*shared_.fatal);
      if (shared_.listener == nullptr) return false;
    }
    if (std::exchange(shared_.space, false)) shared_.listener->on_space();
    if (shared_.listener == nullptr) return false;
    if (std::exchange(shared_.statistics, false)) update_gauges();
    if (due) wait_until(*due);
    return more;
  }

  void wait_until(std::int64_t at_ms) {
    timer_.expires_after(milliseconds(std::max<std::int64_t>(1, at_ms - coarse_now_ms())));
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (!error && self && self->shared_.listener != nullptr) self->shared_.wake->poke();
    });
  }

  void update_gauges() {
    Statistics all;
    for (const auto& topic : topics_) {
      for (const auto* client : {topic->client(), topic->careful_client()}) {
        if (client == nullptr) continue;
        const auto& one = client->statistics;
        all.brokers_up = std::max(all.brokers_up, one.brokers_up);
        all.queued_messages += one.queued_messages;
        all.queued_bytes += one.queued_bytes;
        all.brokers.insert(all.brokers.end(), one.brokers.begin(), one.brokers.end());
      }
    }
    shared_.connected = all.brokers_up > 0;
    gauges_.update(all);
  }

  boost::asio::io_context& loop_;
  boost::asio::steady_timer timer_;
  const std::size_t message_bytes_max_;
  StatisticsGauges gauges_;
  SenderShared shared_;
  std::vector<std::unique_ptr<TopicSender>> topics_;  ///< by handle
  std::unordered_map<std::string, TopicHandle> by_name_;
  bool fatal_told_ = false;
};

class LibrdkafkaProducer final : public Producer {
 public:
  explicit LibrdkafkaProducer(std::shared_ptr<Sender> sender) : sender_(std::move(sender)) {}
  ~LibrdkafkaProducer() override { sender_->abandon(); }
  LibrdkafkaProducer(const LibrdkafkaProducer&) = delete;
  LibrdkafkaProducer& operator=(const LibrdkafkaProducer&) = delete;

  [[nodiscard]] TopicHandle topic(const std::string& name) override { return sender_->topic(name); }
  Produced produce(TopicHandle topic_handle, std::int32_t partition, std::optional<std::string_view> key,
                   std::optional<std::string_view> value, const Headers* headers, std::uint64_t token,
                   std::uint64_t unit) override {
    return sender_->produce(topic_handle, {.partition = partition, .key = key, .value = value, .headers = headers},
                            token, unit);
  }
  void set_topic_bytes_max(TopicHandle topic_handle, std::size_t bytes) override {
    sender_->set_topic_bytes_max(topic_handle, bytes);
  }
  [[nodiscard]] std::size_t unreported() const override { return sender_->unreported(); }
  [[nodiscard]] milliseconds oldest_unreported_age(TopicHandle topic_handle, std::int32_t partition) const override {
    return sender_->oldest_unreported_age(topic_handle, partition);
  }
  [[nodiscard]] std::vector<BlockedTopic> blocked() const override { return sender_->blocked(); }
  void purge() override { sender_->purge(); }
  [[nodiscard]] std::size_t message_bytes_max() const override { return sender_->message_bytes_max(); }
  [[nodiscard]] bool connected() const override { return sender_->connected(); }

 private:
  std::shared_ptr<Sender> sender_;
};

}  // namespace

Result<std::unique_ptr<Producer>> Producer::make(boost::asio::io_context& loop, const ProducerOptions& options,
                                                 ProducerListener& listener, telemetry::Metrics& metrics) {
  auto properties = producer_properties(options.properties);
  if (!properties) return std::unexpected(std::move(properties.error()));
  auto client = open_client(RD_KAFKA_PRODUCER, *properties, producer_events);
  if (!client) return std::unexpected(std::move(client.error()));
  const auto sender =
      std::make_shared<Sender>(loop, std::move(*client), std::move(*properties), options, listener, metrics);
  sender->begin();
  return std::make_unique<LibrdkafkaProducer>(sender);
}

}  // namespace tokenrail::kafka
