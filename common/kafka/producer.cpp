#include "common/kafka/producer.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <deque>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/kafka/detail/handle.hpp"
#include "common/kafka/detail/properties.hpp"
#include "common/kafka/detail/queue_wake.hpp"
#include "common/kafka/detail/statistics.hpp"
#include "common/kafka/detail/unreported.hpp"
#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::kafka {
namespace {

using namespace detail;
using std::chrono::milliseconds;

constexpr std::size_t reports_per_turn_max = 2048;
// What a record costs in a batch besides its key and value, at most, headers not counted.
constexpr std::size_t record_overhead_max = 128;
constexpr std::size_t header_overhead_max = 10;

using HeaderHolder = std::unique_ptr<rd_kafka_headers_t, Destroy<rd_kafka_headers_destroy>>;

// The kernel's tick is exact enough for a clock of seconds and costs a fifth of the exact one.
std::int64_t coarse_now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

class Sender : public std::enable_shared_from_this<Sender> {
 public:
  Sender(boost::asio::io_context& loop, Client client, const ProducerOptions& options, ProducerListener& listener,
         telemetry::Metrics& metrics)
      : loop_(loop),
        client_(std::move(client)),
        listener_(&listener),
        unreported_({.records_max = options.partition_records_max, .bytes_max = options.partition_bytes_max}),
        queue_records_max_(configured_number(client_.get(), "queue.buffering.max.messages", 100'000)),
        queue_bytes_max_(configured_number(client_.get(), "queue.buffering.max.kbytes", 1'048'576) * 1024),
        message_bytes_max_(configured_number(client_.get(), "message.max.bytes", 1'000'000) - record_overhead_max),
        gauges_(metrics, "producer"),
        accepted_(metrics.counter("kafka_records_produced_total", "Records taken for sending", {})),
        failed_(metrics.counter("kafka_records_failed_total", "Records whose report was not OK", {})),
        refused_(metrics.counter("kafka_queue_full_total", "Records refused because a queue was full", {})) {}

  ~Sender() {
    if (main_) QueueWake::detach(main_.get());
    if (wake_) wake_->close();
    main_.reset();
    topics_.clear();
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void begin() {
    main_.reset(rd_kafka_queue_get_main(client_.get()));
    wake_ = QueueWake::open(loop_, [weak = weak_from_this()] {
      const auto self = weak.lock();
      telemetry::loop_step("kafka producer reports");
      return self && self->serve();
    });
    wake_->attach(main_.get());
  }

  void abandon() {
    listener_ = nullptr;
    wake_->close();
  }

  TopicHandle topic(const std::string& name) {
    if (const auto known = by_name_.find(name); known != by_name_.end()) return known->second;
    topics_.push_back({.topic = Topic(rd_kafka_topic_new(client_.get(), name.c_str(), nullptr))});
    const auto handle = static_cast<TopicHandle>(topics_.size() - 1);
    by_name_.emplace(name, handle);
    return handle;
  }

  Produced produce(TopicHandle handle, std::int32_t partition, std::optional<std::string_view> key,
                   std::optional<std::string_view> value, const Headers* headers, std::uint64_t token) {
    if (fatal_) return Produced::failed;
    WrittenTopic& to = at(handle);
    std::size_t bytes = (key ? key->size() : 0) + (value ? value->size() : 0);
    if (headers != nullptr)
      for (const auto& [name, content] : *headers) bytes += name.size() + content.size() + header_overhead_max;
    if (bytes > message_bytes_max_) return Produced::too_large;
    Unreported::Lane& lane = lane_of(to, partition);
    if (!unreported_.has_room(lane, bytes)) {
      refused_.add();
      return Produced::queue_full;
    }
    const auto slot = unreported_.add(lane, bytes, token, coarse_now_ms());
    const auto code = hand_over(to.topic.get(), partition, key, value, headers, slot);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      accepted_.add();
      return Produced::accepted;
    }
    static_cast<void>(unreported_.release(slot));
    return refusal(code);
  }

  [[nodiscard]] std::size_t unreported() const { return unreported_.records(); }
  [[nodiscard]] milliseconds oldest_unreported_age() const {
    if (unreported_.records() == 0) return milliseconds(0);
    return milliseconds(std::max<std::int64_t>(1, coarse_now_ms() - unreported_.oldest_ms()));
  }

  void purge() {
    rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    wake_->poke();
  }

  [[nodiscard]] std::size_t message_bytes_max() const { return message_bytes_max_; }
  [[nodiscard]] bool connected() const { return connected_; }

 private:
  struct WrittenTopic {
    Topic topic;
    // Never moved once made: records that are on their way point at them.
    std::deque<Unreported::Lane> lanes{};  // by partition
    std::unique_ptr<Unreported::Lane> by_key = std::make_unique<Unreported::Lane>();
  };

  WrittenTopic& at(TopicHandle handle) { return topics_[static_cast<std::size_t>(handle)]; }

  static Unreported::Lane& lane_of(WrittenTopic& to, std::int32_t partition) {
    if (partition < 0) return *to.by_key;
    const auto index = static_cast<std::size_t>(partition);
    if (index >= to.lanes.size()) to.lanes.resize(index + 1);
    return to.lanes[index];
  }

  // NOLINTNEXTLINE(performance-no-int-to-ptr): an opaque is where librdkafka lets a number travel
  static void* opaque_of(Unreported::Slot slot) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(slot)); }
  static Unreported::Slot slot_of(void* opaque) {
    return static_cast<Unreported::Slot>(reinterpret_cast<std::uintptr_t>(opaque));
  }

  rd_kafka_resp_err_t hand_over(rd_kafka_topic_t* topic_object, std::int32_t partition,
                                std::optional<std::string_view> key, std::optional<std::string_view> value,
                                const Headers* headers, Unreported::Slot slot) {
    // librdkafka takes the bytes as not const because it could also be told to own them; with COPY it only reads.
    void* value_bytes = value ? const_cast<char*>(bytes_of(*value)) : nullptr;
    const void* key_bytes = key ? bytes_of(*key) : nullptr;
    const std::size_t value_size = value ? value->size() : 0;
    const std::size_t key_size = key ? key->size() : 0;
    if (headers == nullptr || headers->empty()) {
      const int answer = rd_kafka_produce(topic_object, partition, RD_KAFKA_MSG_F_COPY, value_bytes, value_size,
                                          key_bytes, key_size, opaque_of(slot));
      return answer == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error();
    }
    HeaderHolder copied(rd_kafka_headers_new(headers->size()));
    for (const auto& [name, content] : *headers)
      rd_kafka_header_add(copied.get(), name.data(), static_cast<ssize_t>(name.size()), content.data(),
                          static_cast<ssize_t>(content.size()));
    // The tags and types are what the RD_KAFKA_V_… macros expand to, less a compiler extension.
    const auto code = rd_kafka_producev(
        client_.get(), RD_KAFKA_VTYPE_RKT, topic_object, RD_KAFKA_VTYPE_PARTITION, partition, RD_KAFKA_VTYPE_MSGFLAGS,
        RD_KAFKA_MSG_F_COPY, RD_KAFKA_VTYPE_VALUE, value_bytes, value_size, RD_KAFKA_VTYPE_KEY, key_bytes, key_size,
        RD_KAFKA_VTYPE_HEADERS, copied.get(), RD_KAFKA_VTYPE_OPAQUE, opaque_of(slot), RD_KAFKA_VTYPE_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) std::ignore = copied.release();  // the record's own now
    return code;
  }

  Produced refusal(rd_kafka_resp_err_t code) {
    switch (code) {
      case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        process_full_ = true;
        refused_.add();
        return Produced::queue_full;
      case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return Produced::too_large;
      case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return Produced::unknown_topic;
      default:
        spdlog::warn("kafka: producing: {}", rd_kafka_err2str(code));
        return Produced::failed;
    }
  }

  bool serve() {
    std::size_t reports = 0;
    bool more = true;
    while (reports < reports_per_turn_max) {
      const Event event(rd_kafka_queue_poll(main_.get(), 0));
      if (!event) {
        more = false;
        break;
      }
      ++reports;
      switch (rd_kafka_event_type(event.get())) {
        case RD_KAFKA_EVENT_DR:
          reports += report_all(event.get());
          break;
        case RD_KAFKA_EVENT_ERROR:
          handle_error(event.get());
          break;
        case RD_KAFKA_EVENT_STATS: {
          const auto statistics = parse_statistics(rd_kafka_event_stats(event.get()));
          connected_ = statistics.brokers_up > 0;
          gauges_.update(statistics);
          break;
        }
        default:
          break;
      }
      if (listener_ == nullptr) return false;
    }
    tell_space();
    return listener_ != nullptr && more;
  }

  std::size_t report_all(rd_kafka_event_t* event) {
    std::size_t count = 0;
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
      ++count;
      const auto released = unreported_.release(slot_of(message->_private));
      space_ = space_ || released.space;
      Report report{
          .token = released.token, .ok = message->err == RD_KAFKA_RESP_ERR_NO_ERROR, .offset = message->offset};
      if (report.ok) {
        connected_ = true;
      } else {
        failed_.add();
        report.offset = -1;
        report.fate_unknown = rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
        report.detail = rd_kafka_err2str(message->err);
      }
      listener_->on_report(report);
      if (listener_ == nullptr) return count;
    }
    return count;
  }

  void handle_error(rd_kafka_event_t* event) {
    const auto code = rd_kafka_event_error(event);
    if (code == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_event_error_is_fatal(event) != 0) {
      if (std::exchange(fatal_, true)) return;
      std::array<char, 512> text{};
      const auto cause = rd_kafka_fatal_error(client_.get(), text.data(), text.size());
      // What is still queued would wait for ever; like this every record gets its report.
      purge();
      listener_->on_fatal(error_of(cause, "the producer is fatal", text.data()));
      return;
    }
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) connected_ = false;
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT) return;  // logged by librdkafka, with the broker's name
    spdlog::warn("kafka: producer: {}", rd_kafka_event_error_string(event));
  }

  void tell_space() {
    if (process_full_ && unreported_.records() <= queue_records_max_ / 4 * 3 &&
        unreported_.bytes() <= queue_bytes_max_ / 4 * 3) {
      process_full_ = false;
      space_ = true;
    }
    if (std::exchange(space_, false)) listener_->on_space();
  }

  boost::asio::io_context& loop_;
  Client client_;
  ProducerListener* listener_;
  Unreported unreported_;
  const std::size_t queue_records_max_;
  const std::size_t queue_bytes_max_;
  const std::size_t message_bytes_max_;
  StatisticsGauges gauges_;
  telemetry::Counter& accepted_;
  telemetry::Counter& failed_;
  telemetry::Counter& refused_;

  Queue main_;
  std::shared_ptr<QueueWake> wake_;
  std::deque<WrittenTopic> topics_;  ///< by handle
  std::unordered_map<std::string, TopicHandle> by_name_;
  bool process_full_ = false;
  bool space_ = false;
  bool fatal_ = false;
  bool connected_ = false;
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
                   std::uint64_t /*unit*/) override {
    return sender_->produce(topic_handle, partition, key, value, headers, token);
  }
  [[nodiscard]] std::size_t unreported() const override { return sender_->unreported(); }
  [[nodiscard]] milliseconds oldest_unreported_age() const override { return sender_->oldest_unreported_age(); }
  [[nodiscard]] milliseconds oldest_unreported_age(TopicHandle, std::int32_t) const override {
    return sender_->oldest_unreported_age();
  }
  [[nodiscard]] std::vector<BlockedTopic> blocked() const override { return {}; }
  void set_topic_bytes_max(TopicHandle, std::size_t) override {}
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
  auto client =
      open_client(RD_KAFKA_PRODUCER, *properties, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS);
  if (!client) return std::unexpected(std::move(client.error()));
  const auto sender = std::make_shared<Sender>(loop, std::move(*client), options, listener, metrics);
  sender->begin();
  return std::make_unique<LibrdkafkaProducer>(sender);
}

}  // namespace tokenrail::kafka
