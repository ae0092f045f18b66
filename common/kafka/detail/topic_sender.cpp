#include "common/kafka/detail/topic_sender.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/kafka/detail/produce_errors.hpp"
#include "common/kafka/detail/properties.hpp"
#include "common/kafka/metric_families.hpp"

namespace tokenrail::kafka::detail {
namespace {

constexpr std::size_t reports_per_turn_max = 2048;
constexpr std::int64_t send_again_ms = 100;
constexpr std::int64_t refresh_each_ms = 1000;
// Far below producer.id.expiration.ms (a day), after which brokers forget a client.
constexpr std::int64_t warm_for_ms = 30 * 60 * 1000;

std::int64_t wall_now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

std::int64_t coarse_now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

TopicSender::TopicSender(SenderShared& shared, std::string name)
    : shared_(shared),
      name_(std::move(name)),
      pool_{.limits = shared.topic_limits},
      by_key_(pool_, partition_by_key),
      open_at_(1),
      refused_(shared.metrics.counter(metric_family("kafka_records_refused_total"), {name_})),
      replaced_(shared.metrics.counter(metric_family("kafka_producer_clients_replaced_total"), {name_})),
      blocked_gauge_(shared.metrics.gauge(metric_family("kafka_topic_blocked"), {name_})) {}

TopicSender::~TopicSender() = default;

// ---- lanes ---------------------------------------------------------------------------------------------------------

TopicSender::Lane& TopicSender::lane_of(std::int32_t partition) {
  if (partition < 0) return by_key_;
  const auto index = static_cast<std::size_t>(partition);
  while (index >= lanes_.size()) lanes_.emplace_back(pool_, static_cast<std::int32_t>(lanes_.size()));
  return lanes_[index];
}

const TopicSender::Lane* TopicSender::lane_if_any(std::int32_t partition) const {
  if (partition < 0) return &by_key_;
  const auto index = static_cast<std::size_t>(partition);
  return index < lanes_.size() ? &lanes_[index] : nullptr;
}

std::int64_t TopicSender::oldest_ms(std::int32_t partition) const {
  const Lane* lane = lane_if_any(partition);
  return lane == nullptr || lane->records == 0 ? 0 : shared_.unreported.oldest_ms(*lane);
}

// ---- sending -------------------------------------------------------------------------------------------------------

Produced TopicSender::produce(const OutgoingRecord& record, std::size_t bytes, std::uint64_t token,
                              std::uint64_t unit) {
  Lane& lane = lane_of(record.partition);
  if (!shared_.unreported.has_room(lane, bytes)) {
    shared_.queue_full.add();
    return Produced::queue_full;
  }
  const auto now = coarse_now_ms();
  if (lane.records == 0 && now > lane.warm_until) lane.warm = false;
  if (!main_ && ending_since_ == 0 && open_at_ <= now) open_main();
  const auto slot = shared_.unreported.add(lane, bytes, token, unit, now);
  if (lane.kept == 0 && !lane.careful && !lane.tainted && (lane.warm || lane.out == 0) && main_ && ending_since_ == 0) {
    const auto code = main_->send(record, slot);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return not_taken(code, slot, record);
    ++lane.out;
    ++main_->out;
  } else {
    keep(slot, record);
    if (lane.out == 0) pump(lane);
  }
  shared_.accepted.add();
  return Produced::accepted;
}

Produced TopicSender::not_taken(rd_kafka_resp_err_t code, Slot slot, const OutgoingRecord& record) {
  const auto give_back = [&](Produced answer) {
    static_cast<void>(shared_.unreported.release(slot));
    return answer;
  };
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    lane_at(slot).full = true;
    pool_.full = true;
    shared_.queue_full.add();
    return give_back(Produced::queue_full);
  }
  switch (fault_of(code)) {
    case Fault::record:
      return give_back(Produced::too_large);
    case Fault::partition:
      // The topic may have grown, or be another one by now; the answer may be right a moment later.
      if (const auto now = coarse_now_ms(); now >= refresh_at_) {
        refresh_at_ = now + refresh_each_ms;
        main_->refresh();
      }
      return give_back(Produced::unknown_topic);
    case Fault::topic:
      keep(slot, record);
      block(code, {});
      break;
    case Fault::client:
    case Fault::unknown:
      keep(slot, record);
      end_clients(rd_kafka_err2str(code));
      break;
  }
  shared_.accepted.add();
  return Produced::accepted;
}

void TopicSender::keep(Slot slot, const OutgoingRecord& record) {
  Kept kept{.partition = record.partition, .timestamp_ms = wall_now_ms()};
  if (record.key) kept.key.emplace(*record.key);
  if (record.value) kept.value.emplace(*record.value);
  if (record.headers != nullptr) kept.headers = *record.headers;
  kept_.insert_or_assign(slot, std::move(kept));
  ++lane_at(slot).kept;
}

TopicSender::Kept& TopicSender::keep(Slot slot, const rd_kafka_message_t& message) {
  auto record = record_of(message);
  Lane& lane = lane_at(slot);
  auto& kept = kept_[slot];
  kept = {.partition = lane.partition,
          .key = std::move(record.key),
          .value = std::move(record.value),
          .headers = std::move(record.headers),
          .timestamp_ms = std::max<std::int64_t>(0, record.timestamp_ms)};
  ++lane.kept;
  return kept;
}

void TopicSender::leave_careful(Lane& lane) {
  if (!lane.careful || lane.out > 0 || lane.suspects > 0 || coarse_now_ms() < lane.careful_until) return;
  lane.careful = false;
  lane.warm = false;
}

void TopicSender::pump(Lane& lane) {
  for (Slot slot = lane.oldest, next = slot; slot != Unreported::none; slot = next) {
    if (lane.kept == 0 || lane.tainted || !main_ || ending_since_ != 0) return;
    next = shared_.unreported.next(slot);
    const auto found = kept_.find(slot);
    if (found == kept_.end() || found->second.outcome != Outcome::open) continue;
    leave_careful(lane);
    if ((lane.careful || !lane.warm) && lane.out > 0) return;
    TopicClient* client = lane.careful ? open_careful() : main_.get();
    if (client == nullptr) return;
    Kept& kept = found->second;
    const auto code = client->send({.partition = kept.partition,
                                    .key = kept.key,
                                    .value = kept.value,
                                    .headers = &kept.headers,
                                    .timestamp_ms = kept.timestamp_ms},
                                   slot);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (kept.suspect) --lane.suspects;
      kept_.erase(found);
      --lane.kept;
      ++lane.out;
      ++client->out;
      continue;
    }
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      again_at_ = coarse_now_ms() + send_again_ms;
      return;
    }
    const auto fault = fault_of(code);
    if (fault == Fault::topic) return block(code, {});
    if (fault == Fault::client || fault == Fault::unknown) return end_clients(rd_kafka_err2str(code));
    kept.outcome = fault == Fault::record ? Outcome::refused : Outcome::unsent;
    kept.detail = fmt::format("topic {}: {}", name_, rd_kafka_err2str(code));
    again_at_ = 1;  // reported then: this may be inside produce()
    shared_.wake->poke();
  }
}

// ---- what the clients say ------------------------------------------------------------------------------------------

bool TopicSender::serve() {
  now_ms_ = coarse_now_ms();
  bool more = main_ && serve(*main_);
  if (shared_.listener != nullptr && careful_ && serve(*careful_)) more = true;
  if (pool_.full && shared_.listener != nullptr) {
    bool some = false;
    each_lane([&](Lane& lane) {
      if (shared_.unreported.regained(lane)) shared_.space = true;
      some = some || lane.full;
    });
    pool_.full = some;
  }
  return more;
}

bool TopicSender::serve(TopicClient& client) {
  for (std::size_t reports = 0; reports < reports_per_turn_max;) {
    const Event event = client.poll();
    if (!event) return false;
    reports += std::max<std::size_t>(1, rd_kafka_event_message_count(event.get()));
    on_event(client, event.get());
    if (shared_.listener == nullptr) return false;
  }
  return true;
}

void TopicSender::on_event(TopicClient& client, rd_kafka_event_t* event) {
  switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_DR:
      while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
        on_message(client, *message);
        if (shared_.listener == nullptr) return;
      }
      break;
    case RD_KAFKA_EVENT_ERROR:
      on_error(client, event);
      break;
    case RD_KAFKA_EVENT_STATS:
      client.statistics = parse_statistics(rd_kafka_event_stats(event));
      shared_.statistics = true;
      break;
    default:
      break;
  }
}

void TopicSender::on_message(TopicClient& client, const rd_kafka_message_t& message) {
  const Slot slot = TopicClient::tag_of(message);
  Lane& lane = lane_at(slot);
  --client.out;
  --lane.out;
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    on_failed(client, lane, slot, message);
  } else {
    shared_.connected = true;
    progress_ = true;
    if (blocked_since_ != 0) unblock();
    if (&client == main_.get()) {
      lane.warm = true;
      lane.missing = false;
      lane.warm_until = now_ms_ + warm_for_ms;
    }
    rd_kafka_timestamp_type_t type{};
    const Place place{.offset = message.offset, .timestamp_ms = rd_kafka_message_timestamp(&message, &type)};
    if (lane.kept != 0 && lane.in_order() && slot != lane.oldest) {
      kept_[slot] = {.outcome = Outcome::ok, .place = place};
      ++lane.kept;
    } else if (!report(slot, Outcome::ok, place, {})) {
      return;
    }
  }
  if (lane.kept != 0 && flush(lane)) pump(lane);
}

void TopicSender::on_failed(TopicClient& client, Lane& lane, Slot slot, const rd_kafka_message_t& message) {
  const auto text = fmt::format("topic {}: {}", name_, rd_kafka_err2str(message.err));
  const auto fault = fault_of(message.err);
  if (fault == Fault::unknown || rd_kafka_message_status(&message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED) {
    kept_[slot] = {.outcome = Outcome::unknown, .detail = text};
    ++lane.kept;
    lane.tainted = true;
    return end_clients(text);
  }
  Kept& kept = keep(slot, message);
  switch (fault) {
    case Fault::record:
      if (&client == careful_.get()) return refuse(lane, slot, text);
      kept.suspect = true;
      ++lane.suspects;
      lane.careful = true;
      lane.careful_until = now_ms_ + careful_for_ms;
      return end_clients(text);
    case Fault::partition:
      // A topic that was deleted is reported as the same error. A client that begins with this record knows better.
      if (lane.warm || !std::exchange(lane.missing, true)) return block(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, {});
      kept = {.outcome = Outcome::unsent, .detail = text};
      return;
    case Fault::topic:
      lane.missing = false;
      return block(message.err, {});
    case Fault::client:
    case Fault::unknown:
      return end_clients(text);
  }
}

void TopicSender::refuse(Lane& lane, Slot slot, const std::string& detail) {
  progress_ = true;
  lane.careful_until = now_ms_ + careful_for_ms;
  const auto unit = shared_.unreported.unit(slot);
  for (Slot each = slot; each != Unreported::none; each = shared_.unreported.next(each)) {
    if (each != slot && (unit == 0 || shared_.unreported.unit(each) != unit)) continue;
    const auto found = kept_.find(each);
    if (found == kept_.end() || found->second.outcome != Outcome::open) continue;
    if (found->second.suspect) --lane.suspects;
    found->second = {.outcome = Outcome::refused, .detail = detail};
  }
}

void TopicSender::on_error(TopicClient& client, rd_kafka_event_t* event) {
  const auto code = rd_kafka_event_error(event);
  if (code == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_event_error_is_fatal(event) != 0) {
    std::array<char, 512> text{};
    const auto cause = rd_kafka_fatal_error(client.get(), text.data(), text.size());
    if (beyond_repair(cause)) {
      shared_.fatal = error_of(cause, "the producer cannot work", text.data());
      return purge();
    }
    if (fault_of(cause) == Fault::topic) return block(cause, text.data());
    return end_clients(text.data());
  }
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    client.statistics.brokers_up = 0;
    shared_.statistics = true;
  }
  if (code == RD_KAFKA_RESP_ERR__TRANSPORT) return;  // logged by librdkafka, with the broker's name
  spdlog::warn("kafka: producer: {}", rd_kafka_event_error_string(event));
}

bool TopicSender::flush(Lane& lane) {
  if (lane.tainted) return true;  // reported when the client has ended: what comes then is produced after it
  for (Slot slot = lane.oldest, next = slot; slot != Unreported::none && lane.kept != 0; slot = next) {
    next = shared_.unreported.next(slot);
    const auto found = kept_.find(slot);
    if (found == kept_.end() || found->second.outcome == Outcome::open) {
      if (lane.in_order()) break;
      continue;
    }
    const Kept kept = std::move(found->second);
    kept_.erase(found);
    --lane.kept;
    if (!report(slot, kept.outcome, kept.place, kept.detail)) return false;
  }
  return true;
}

bool TopicSender::report(Slot slot, Outcome outcome, const Place& place, std::string_view detail) {
  const auto released = shared_.unreported.release(slot);
  shared_.space = shared_.space || released.space;
  if (outcome != Outcome::ok) shared_.failed.add();
  if (outcome == Outcome::refused) refused_.add();
  shared_.listener->on_report({.token = released.token,
                               .ok = outcome == Outcome::ok,
                               .fate_unknown = outcome == Outcome::unknown,
                               .refused = outcome == Outcome::refused ? Refusal::record : Refusal::none,
                               .offset = outcome == Outcome::ok ? place.offset : -1,
                               .timestamp_ms = outcome == Outcome::ok ? place.timestamp_ms : -1,
                               .detail = detail});
  return shared_.listener != nullptr;
}

}  // namespace tokenrail::kafka::detail
