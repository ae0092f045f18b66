// Blocking work off the loop: a few threads, each with an object of its own (a session of the database), and results
// that come back to the awaiting coroutine's executor. More work than threads waits; asking is bounded by the callers,
// since each coroutine waits for its answer.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::registry {

template <class Object>
class WorkPool {
 public:
  /// Each thread's object is made of these arguments.
  template <class... Arguments>
  explicit WorkPool(std::size_t threads, const Arguments&... arguments) : threads_(threads) {
    objects_.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i) free_.push_back(&objects_.emplace_back(arguments...));
  }
  /// Waits for work that runs (bounded by the statement time-out).
  ~WorkPool() { threads_.join(); }
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  /// Runs `work(Object&)` on one of the threads and resumes on the caller's executor with what it returned. `work` must
  /// own what it uses (no references into the awaiting coroutine's caller).
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work, Object&>> run(Work work) {
    auto result = co_await boost::asio::co_spawn(threads_, on_thread(std::move(work)), boost::asio::use_awaitable);
    telemetry::loop_step("registry database");
    co_return result;
  }

  /// Blocking work that needs no object (a Lease's).
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work>> run_plain(Work work) {
    auto result =
        co_await boost::asio::co_spawn(threads_, plain_on_thread(std::move(work)), boost::asio::use_awaitable);
    telemetry::loop_step("registry database");
    co_return result;
  }

 private:
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work, Object&>> on_thread(Work work) {
    auto* object = take();
    auto result = work(*object);
    give_back(object);
    co_return result;
  }
  template <class Work>
  static boost::asio::awaitable<std::invoke_result_t<Work>> plain_on_thread(Work work) {
    auto result = work();
    co_return result;
  }

  Object* take() {
    std::unique_lock lock(mutex_);
    given_back_.wait(lock, [this] { return !free_.empty(); });
    auto* object = free_.back();
    free_.pop_back();
    return object;
  }
  void give_back(Object* object) {
    {
      const std::lock_guard lock(mutex_);
      free_.push_back(object);
    }
    given_back_.notify_one();
  }

  std::vector<Object> objects_;
  std::mutex mutex_;
  std::condition_variable given_back_;
  std::vector<Object*> free_;         ///< guarded by mutex_
  boost::asio::thread_pool threads_;  ///< last: joined before the objects go
};

}  // namespace tokenrail::registry
