#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/kafka/detail/properties.hpp"
#include "common/kafka/detail/topic_sender.hpp"

namespace tokenrail::kafka::detail {
namespace {

// What a record costs in a batch beside its own bytes, at most.
constexpr std::size_t batch_frame_max = 1024;

constexpr std::int64_t answers_wait_ms = 2000;  // of what is in flight when a client ends
constexpr std::int64_t purge_wait_ms = 5000;    // of a client that does not even report what was purged
constexpr std::int64_t purge_again_ms = 20;
constexpr std::int64_t backoff_min_ms = 100;
constexpr std::int64_t backoff_max_ms = 5000;

constexpr std::string_view behind_unknown = "not sent: the fate of a record before it in its partition is unknown";

std::size_t number_of(std::string_view digits, std::size_t otherwise) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() ? number : otherwise;
}

std::int64_t backoff_ms(int ends_in_a_row) {
  return std::min(backoff_max_ms, backoff_min_ms << std::clamp(ends_in_a_row - 1, 0, 10));
}

}  // namespace

// ---- clients -------------------------------------------------------------------------------------------------------

Result<Client> TopicSender::open(const Properties& more) {
  Properties all = shared_.properties;
  if (bytes_max_ > 0) {
    const auto below =
        bytes_max_ > 2 * batch_frame_max ? bytes_max_ - batch_frame_max : std::max<std::size_t>(1, bytes_max_ / 2);
    const auto own = number_of(property(all, "batch.size"), 1'000'000);
    all.emplace_back("batch.size", std::to_string(std::min(own, below)));
  }
  all.insert(all.end(), more.begin(), more.end());
  return open_client(RD_KAFKA_PRODUCER, all, producer_events);
}

bool TopicSender::open_main() {
  open_at_ = 0;
  const bool plain = bytes_max_ == 0 && shared_.spare != nullptr;
  auto client = plain ? Result<Client>(std::move(shared_.spare)) : open({});
  shared_.spare.reset();
  if (!client) {
    // Threads or descriptors have run out; the properties were checked at the start.
    block(RD_KAFKA_RESP_ERR_NO_ERROR, client.error().detail);
    return false;
  }
  main_ = std::make_unique<TopicClient>(std::move(*client), name_, *shared_.wake);
  return true;
}

TopicClient* TopicSender::open_careful() {
  if (careful_) return careful_.get();
  auto client = open({{"enable.gapless.guarantee", "false"}, {"batch.num.messages", "1"}, {"linger.ms", "0"}});
  if (!client) {
    block(RD_KAFKA_RESP_ERR_NO_ERROR, client.error().detail);
    return nullptr;
  }
  careful_ = std::make_unique<TopicClient>(std::move(*client), name_, *shared_.wake);
  careful_look_at_ = coarse_now_ms() + careful_for_ms;
  return careful_.get();
}

void TopicSender::set_bytes_max(std::size_t bytes) {
  if (bytes_max_ == bytes) return;
  bytes_max_ = bytes;
  reopen_ = main_ != nullptr;  // not here: this may be inside one of the client's reports
  shared_.wake->poke();
}

void TopicSender::end_clients(std::string_view why) {
  if (ending_since_ != 0) return;
  ending_since_ = purged_at_ = coarse_now_ms();
  purge_in_flight_at_ = ending_since_ + answers_wait_ms;
  if (!why.empty() && blocked_since_ == 0)
    spdlog::warn("kafka: topic {}: the producer's client is replaced: {}", name_, why);
  for (const auto& client : {main_.get(), careful_.get()})
    if (client != nullptr) client->purge(false);
  shared_.wake->poke();
}

void TopicSender::purge() {
  each_lane([](Lane& lane) { lane.tainted = lane.records > 0; });
  end_clients({});
  purge_in_flight_at_ = ending_since_;
}

void TopicSender::block(rd_kafka_resp_err_t code, std::string_view text) {
  cause_ = code == RD_KAFKA_RESP_ERR_NO_ERROR ? std::string(text)
           : code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
               ? missing_right("WRITE", "the topic " + name_).detail
               : error_of(code, "writing to the topic " + name_, text).detail;
  if (blocked_since_ == 0) {
    blocked_since_ = coarse_now_ms();
    blocked_gauge_.set(1);
    spdlog::error("kafka: {}; its records wait and are sent again", cause_);
  }
  end_clients({});
}

void TopicSender::unblock() {
  blocked_since_ = 0;
  blocked_gauge_.set(0);
  spdlog::info("kafka: the topic {} takes records again", name_);
}

std::optional<BlockedTopic> TopicSender::blocked() const {
  if (blocked_since_ == 0) return std::nullopt;
  return BlockedTopic{
      .topic = name_, .cause = cause_, .since = std::chrono::milliseconds(coarse_now_ms() - blocked_since_)};
}

// ---- the end of clients, and what comes by time --------------------------------------------------------------------

std::optional<std::int64_t> TopicSender::tick_at() const {
  if (ending_since_ != 0) {
    const bool answered = (!main_ || main_->out == 0) && (!careful_ || careful_->out == 0);
    return answered ? 0 : purged_at_ + purge_again_ms;
  }
  if (!main_) return open_at_;
  if (reopen_ && pool_.records == 0) return 0;
  if (again_at_ != 0) return again_at_;
  if (careful_) return careful_look_at_;
  return std::nullopt;
}

void TopicSender::tick() {
  now_ms_ = coarse_now_ms();
  if (ending_since_ != 0) {
    const bool answered = (!main_ || main_->out == 0) && (!careful_ || careful_->out == 0);
    if (answered) return after_end();
    if (now_ms_ > purge_in_flight_at_ + purge_wait_ms) {
      forget_unanswered();
      return after_end();
    }
    purged_at_ = now_ms_;
    // Again and again: what is in flight may come back to the client's queue.
    for (const auto& client : {main_.get(), careful_.get()})
      if (client != nullptr) client->purge(now_ms_ >= purge_in_flight_at_);
    return;
  }
  if (reopen_ && pool_.records == 0) {
    main_.reset();
    careful_.reset();
    open_at_ = 1;
    reopen_ = false;
  }
  again_at_ = 0;
  look_after_careful();
  if (!main_ && (open_at_ > now_ms_ || !open_main())) return;
  each_lane([&](Lane& lane) {
    if (lane.kept != 0 && flush(lane)) pump(lane);
  });
}

void TopicSender::look_after_careful() {
  if (!careful_ || now_ms_ < careful_look_at_) return;
  careful_look_at_ = now_ms_ + careful_for_ms;
  bool needed = false;
  each_lane([&](Lane& lane) {
    leave_careful(lane);
    needed = needed || lane.careful;
  });
  if (!needed) careful_.reset();
}

void TopicSender::forget_unanswered() {
  spdlog::warn("kafka: topic {}: a client that ends does not report everything", name_);
  each_lane([&](Lane& lane) {
    if (lane.out == 0) return;
    for (Slot slot = lane.oldest; slot != Unreported::none; slot = shared_.unreported.next(slot)) {
      const auto [entry, was_out] = kept_.try_emplace(slot);
      if (!was_out) continue;
      entry->second = {.outcome = Outcome::unknown, .detail = fmt::format("topic {}: no answer", name_)};
      ++lane.kept;
    }
    lane.tainted = true;
  });
}

void TopicSender::after_end() {
  main_.reset();
  careful_.reset();
  ending_since_ = 0;
  reopen_ = false;
  replaced_.add();
  ends_in_a_row_ = std::exchange(progress_, false) ? 1 : ends_in_a_row_ + 1;
  const bool wait = blocked_since_ != 0 || ends_in_a_row_ > 1;
  open_at_ = wait ? now_ms_ + backoff_ms(ends_in_a_row_) : 1;
  again_at_ = 1;
  // All lanes first: a report may lead to records for any of them.
  each_lane([&](Lane& lane) { settle(lane); });
  each_lane([&](Lane& lane) {
    if (lane.kept != 0) flush(lane);
  });
  if (shared_.listener != nullptr) shared_.wake->poke();
}

void TopicSender::settle(Lane& lane) {
  lane.out = 0;
  lane.warm = false;
  if (std::exchange(lane.tainted, false)) {
    lane.suspects = 0;
    for (Slot slot = lane.oldest; slot != Unreported::none; slot = shared_.unreported.next(slot)) {
      auto& kept = kept_[slot];
      if (kept.outcome == Outcome::open) kept = {.outcome = Outcome::unsent, .detail = std::string(behind_unknown)};
    }
  }
}

}  // namespace tokenrail::kafka::detail
