// What one producer does for one topic: it hands records to the topic's librdkafka client and reports what became of
// them; when that client ends with a fatal error, it takes back what was not written, opens another client and sends it
// again in order.
//
// A client that keeps a partition's order (enable.gapless.guarantee) ends with the first record that the brokers
// refuse, and the refusal is of a whole batch. So:
// - Ending: nothing new is sent; what is in flight has two seconds for its answers, then its fate is unknown.
// - The records of the refused batch are sent again one at a time, by a second client without that guarantee, which
//   outlives refusals: the guilty record is refused alone, the others are written. The partition stays there until two
//   seconds have passed without a refusal.
// - A partition's first record with a new client goes alone: until the brokers know the client there, they would accept
//   its second batch though they have refused the first.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/kafka/detail/handle.hpp"
#include "common/kafka/detail/topic_client.hpp"
#include "common/kafka/detail/unreported.hpp"
#include "common/kafka/producer.hpp"

namespace tokenrail::kafka::detail {

/// What the senders of one producer share.
struct SenderShared {
  ProducerListener* listener;  ///< null: the producer is gone
  Properties properties;
  Unreported unreported;
  telemetry::Metrics& metrics;
  telemetry::Counter& accepted;
  telemetry::Counter& failed;
  telemetry::Counter& queue_full;
  Unreported::Limits topic_limits{};
  Client spare{};  ///< opened to check the properties; the first topic takes it
  std::shared_ptr<QueueWake> wake{};
  std::optional<Error> fatal{};
  bool connected = false;
  bool space = false;       ///< to be reported at the end of the turn
  bool statistics = false;  ///< some are new
};

class TopicSender {
 public:
  TopicSender(SenderShared& shared, std::string name);
  ~TopicSender();
  TopicSender(const TopicSender&) = delete;
  TopicSender& operator=(const TopicSender&) = delete;

  Produced produce(const OutgoingRecord& record, std::size_t bytes, std::uint64_t token, std::uint64_t unit);
  void set_bytes_max(std::size_t bytes);
  void purge();

  /// Serves what is in the clients' queues, some hundred reports at most. True: there may be more.
  bool serve();
  /// What is due by time.
  void tick();
  /// When tick() is next wanted; nothing: not before something else happens.
  [[nodiscard]] std::optional<std::int64_t> tick_at() const;

  [[nodiscard]] std::int64_t oldest_ms(std::int32_t partition) const;  ///< of all that is unreported there; 0: nothing
  [[nodiscard]] std::optional<BlockedTopic> blocked() const;
  [[nodiscard]] const TopicClient* client() const { return main_.get(); }
  [[nodiscard]] const TopicClient* careful_client() const { return careful_.get(); }

 private:
  using Slot = Unreported::Slot;

  enum class Outcome : std::uint8_t { open, ok, unknown, refused, unsent };

  /// A record that is with us, not with a client: to be sent, or its report waits for its turn.
  /// Of a record that was acknowledged.
  struct Place {
    std::int64_t offset = -1;
    std::int64_t timestamp_ms = -1;
  };
  struct Kept {
    std::int32_t partition = 0;
    std::optional<std::string> key{};
    std::optional<std::string> value{};
    Headers headers{};
    std::int64_t timestamp_ms = 0;
    bool suspect = false;  ///< of a batch that was refused
    Outcome outcome = Outcome::open;
    Place place{};
    std::string detail{};
  };

  struct Lane : Unreported::Lane {
    Lane(Unreported::Pool& pool, std::int32_t number) : Unreported::Lane(pool), partition(number) {}
    std::int32_t partition;
    std::size_t out = 0;       ///< with a client
    std::size_t kept = 0;      ///< with us
    std::size_t suspects = 0;  ///< of those
    bool warm = false;         ///< the brokers know the client in this partition
    bool careful = false;      ///< one record at a time, by the second client
    bool missing = false;      ///< a client has said that there is no such partition
    bool tainted = false;      ///< a record's fate is unknown: nothing is written behind it
    std::int64_t warm_until = 0;
    std::int64_t careful_until = 0;
    [[nodiscard]] bool in_order() const { return partition >= 0; }
  };

  Lane& lane_of(std::int32_t partition);
  [[nodiscard]] const Lane* lane_if_any(std::int32_t partition) const;
  Lane& lane_at(Slot slot) const { return static_cast<Lane&>(shared_.unreported.lane(slot)); }
  // By index: what is called may make new lanes.
  template <class Do>
  void each_lane(Do action) {
    action(by_key_);
    for (std::size_t i = 0; i < lanes_.size() && shared_.listener != nullptr; ++i) action(lanes_[i]);
  }

  bool open_main();
  TopicClient* open_careful();
  [[nodiscard]] Result<Client> open(const Properties& more);
  Produced not_taken(rd_kafka_resp_err_t code, Slot slot, const OutgoingRecord& record);
  void keep(Slot slot, const OutgoingRecord& record);
  Kept& keep(Slot slot, const rd_kafka_message_t& message);
  void pump(Lane& lane);
  void leave_careful(Lane& lane);

  bool serve(TopicClient& client);
  void on_event(TopicClient& client, rd_kafka_event_t* event);
  void on_message(TopicClient& client, const rd_kafka_message_t& message);
  void on_failed(TopicClient& client, Lane& lane, Slot slot, const rd_kafka_message_t& message);
  void on_error(TopicClient& client, rd_kafka_event_t* event);
  void refuse(Lane& lane, Slot slot, const std::string& detail);
  void block(rd_kafka_resp_err_t code, std::string_view text);
  void unblock();

  void end_clients(std::string_view why);
  void look_after_careful();
  void forget_unanswered();
  void after_end();
  void settle(Lane& lane);
  /// Reports what has an outcome and is not behind a record of its partition that has none. False: the producer is
  /// gone.
  bool flush(Lane& lane);
  bool report(Slot slot, Outcome outcome, const Place& place, std::string_view detail);

  SenderShared& shared_;
  const std::string name_;
  Unreported::Pool pool_;
  std::size_t bytes_max_ = 0;
  std::unique_ptr<TopicClient> main_;
  std::unique_ptr<TopicClient> careful_;
  std::deque<Lane> lanes_;  ///< by partition; never moved once made, the unreported records point at them
  Lane by_key_;
  std::unordered_map<Slot, Kept> kept_;

  std::int64_t ending_since_ = 0;  ///< 0: the clients are not ending
  std::int64_t purge_in_flight_at_ = 0;
  std::int64_t purged_at_ = 0;  ///< last
  std::int64_t open_at_ = 0;
  std::int64_t again_at_ = 0;  ///< 0: no partition waits for a turn of ours
  std::int64_t careful_look_at_ = 0;
  std::int64_t refresh_at_ = 0;
  std::int64_t now_ms_ = 0;
  bool reopen_ = false;    ///< with other properties, once nothing is unreported
  int ends_in_a_row_ = 0;  ///< without a record written or refused between them
  bool progress_ = false;
  std::int64_t blocked_since_ = 0;  ///< 0: not blocked
  std::string cause_;
  telemetry::Counter& refused_;
  telemetry::Counter& replaced_;
  telemetry::Gauge& blocked_gauge_;
};

inline constexpr std::int64_t careful_for_ms = 2000;

/// Exact enough for a clock of milliseconds, and a fifth of the exact one's cost.
[[nodiscard]] std::int64_t coarse_now_ms();

}  // namespace tokenrail::kafka::detail
