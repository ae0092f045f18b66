// Timers for many thousand streams at once: one timer of the loop, ticking each millisecond while anything waits, and a
// wheel of slots. A timer a stream would cost more than the line it is for.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace tokenrail::simulator {

class Timed {
 public:
  virtual ~Timed() = default;
  virtual void on_time(std::uint64_t generation) = 0;
};

class Pacer {
 public:
  explicit Pacer(boost::asio::io_context& loop) : timer_(loop), origin_(std::chrono::steady_clock::now()) {}

  /// Calls `who->on_time(generation)` after at least `wait`. What is no longer wanted is told apart by its generation.
  void after(std::chrono::milliseconds wait, std::shared_ptr<Timed> who, std::uint64_t generation) {
    const auto now = now_tick();
    if (waiting_ == 0) tick_ = now;
    const auto due = now + static_cast<std::uint64_t>(std::max<std::int64_t>(wait.count(), 0)) + 1;
    slots_[due % slots_.size()].push_back({due, std::move(who), generation});
    ++waiting_;
    arm();
  }

  /// Lets go of everything that waits.
  void clear() {
    for (auto& slot : slots_) slot.clear();
    waiting_ = 0;
    timer_.cancel();
  }

 private:
  struct Entry {
    std::uint64_t due = 0;
    std::shared_ptr<Timed> who{};
    std::uint64_t generation = 0;
  };

  [[nodiscard]] std::uint64_t now_tick() const {
    const auto elapsed = std::chrono::steady_clock::now() - origin_;
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count());
  }

  void arm() {
    if (armed_ || waiting_ == 0) return;
    armed_ = true;
    timer_.expires_at(origin_ + std::chrono::milliseconds(tick_ + 1));
    timer_.async_wait([this](const boost::system::error_code& error) {
      armed_ = false;
      if (!error) turn();
      arm();
    });
  }

  void turn() {
    const auto now = now_tick();
    // After a long pause one turn of the wheel reaches every slot.
    if (now > tick_ + slots_.size()) tick_ = now - slots_.size();
    while (tick_ < now) {
      ++tick_;
      auto& slot = slots_[tick_ % slots_.size()];
      if (slot.empty()) continue;
      due_.clear();
      std::swap(due_, slot);
      for (auto& entry : due_) {
        if (entry.due > tick_ && entry.due > now) {
          slot.push_back(std::move(entry));
        } else {
          --waiting_;
          entry.who->on_time(entry.generation);
        }
      }
    }
    due_.clear();
  }

  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::time_point origin_;
  std::array<std::vector<Entry>, 1024> slots_{};
  std::vector<Entry> due_{};
  std::uint64_t tick_ = 0;
  std::size_t waiting_ = 0;
  bool armed_ = false;
};

}  // namespace tokenrail::simulator
