#include "common/kafka/detail/ending.hpp"

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/kafka/endings.hpp"

namespace tokenrail::kafka {
namespace {

using Clock = std::chrono::steady_clock;

void tell_left_behind(std::size_t clients) {
  spdlog::warn("kafka: {} client{} did not end within {} s and {} left behind", clients, clients == 1 ? "" : "s",
               end_wait_max.count(), clients == 1 ? "is" : "are");
}

class Endings {
 public:
  /// Never destroyed: a thread that was left behind may still come here while the process exits.
  static Endings& all() {
    static auto* const endings = new Endings();
    return *endings;
  }

  void begin(std::function<void()> end) {
    const std::lock_guard lock(mutex_);
    leave_overdue_behind();
    const auto place = endings_.insert(endings_.end(), {.begun = Clock::now()});
    ++waited_for_;
    // The one kind of thread that this module starts: rd_kafka_destroy() cannot be bounded in any other way.
    std::thread([this, place, end = std::move(end)]() mutable {
      end();
      end = nullptr;
      ended(place);
    }).detach();
  }

  std::size_t count() {
    const std::lock_guard lock(mutex_);
    leave_overdue_behind();
    return waited_for_;
  }

  void wait() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, Clock::now() + end_wait_max, [&] { return waited_for_ == 0; }))
      tell_left_behind(waited_for_);
  }

 private:
  struct Ending {
    Clock::time_point begun;
    bool left_behind = false;
  };

  void ended(std::list<Ending>::iterator place) {
    const std::lock_guard lock(mutex_);
    if (!place->left_behind) --waited_for_;
    endings_.erase(place);
    changed_.notify_all();
  }

  void leave_overdue_behind() {
    const auto before = Clock::now() - end_wait_max;
    std::size_t overdue = 0;
    for (auto& ending : endings_) {
      if (ending.left_behind || ending.begun > before) continue;
      ending.left_behind = true;
      ++overdue;
    }
    waited_for_ -= overdue;
    if (overdue > 0) tell_left_behind(overdue);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Ending> endings_;
  std::size_t waited_for_ = 0;  ///< of them; the others are left behind
};

// At the process's end.
struct WaitAtExit {
  // The log outlives this.
  WaitAtExit() { spdlog::default_logger_raw(); }
  ~WaitAtExit() { Endings::all().wait(); }
  WaitAtExit(const WaitAtExit&) = delete;
  WaitAtExit& operator=(const WaitAtExit&) = delete;
};

}  // namespace

std::size_t clients_ending() {
  return Endings::all().count();
}

namespace detail {

void end_beside(std::function<void()> end) {
  // Made after the first client was, and so gone before what its libraries clean up at exit.
  static const WaitAtExit wait_at_exit;
  Endings::all().begin(std::move(end));
}

}  // namespace detail
}  // namespace tokenrail::kafka
