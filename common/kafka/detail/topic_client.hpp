// One librdkafka client for one topic, so that a client that ends with a fatal error takes no other topic with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/kafka/detail/handle.hpp"
#include "common/kafka/detail/queue_wake.hpp"
#include "common/kafka/detail/statistics.hpp"
#include "common/kafka/record.hpp"
#include "common/result.hpp"

namespace tokenrail::kafka::detail {

inline constexpr int producer_events = RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS;

struct OutgoingRecord {
  std::int32_t partition = 0;
  std::optional<std::string_view> key{};
  std::optional<std::string_view> value{};
  const Headers* headers = nullptr;
  std::int64_t timestamp_ms = 0;  ///< 0: now
};

class TopicClient {
 public:
  /// `wake` is called when the client's queue has something.
  TopicClient(Client client, const std::string& topic, QueueWake& wake);
  ~TopicClient();
  TopicClient(const TopicClient&) = delete;
  TopicClient& operator=(const TopicClient&) = delete;

  /// `tag` comes back with the delivery report. The bytes are copied.
  rd_kafka_resp_err_t send(const OutgoingRecord& record, std::uint32_t tag);
  [[nodiscard]] Event poll() { return Event(rd_kafka_queue_poll(queue_.get(), 0)); }
  /// Ends what is queued, and with `in_flight` also what waits for an answer; the reports follow.
  void purge(bool in_flight);
  /// Asks the brokers for the topic's partitions; the answer is not waited for.
  void refresh();
  [[nodiscard]] rd_kafka_t* get() const { return client_.get(); }

  [[nodiscard]] static std::uint32_t tag_of(const rd_kafka_message_t& message) {
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(message._private));
  }

  std::size_t out = 0;  ///< records whose delivery report has not come
  Statistics statistics{};

 private:
  Client client_;
  Topic topic_;
  Queue queue_;
};

}  // namespace tokenrail::kafka::detail
