// Database work off the loop: a few threads, each with a Store of its own, and results that come back to the awaiting
// coroutine's executor. Asking is bounded by the callers: each coroutine waits for its answer.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/registry/store.hpp"
#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::registry {

class StorePool {
 public:
  StorePool(const DatabaseOptions& options, std::size_t threads, std::shared_ptr<const Fence> fence = nullptr);
  /// Waits for work that runs (bounded by the statement time-out).
  ~StorePool();
  StorePool(const StorePool&) = delete;
  StorePool& operator=(const StorePool&) = delete;

  /// Runs `work(Store&)` on one of the threads and resumes on the caller's executor with what it returned. `work` must
  /// own what it uses (no references into the awaiting coroutine's caller).
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work, Store&>> run(Work work) {
    auto result = co_await boost::asio::co_spawn(threads_, on_thread(std::move(work)), boost::asio::use_awaitable);
    telemetry::loop_step("registry database");
    co_return result;
  }

  /// Blocking work that needs no Store (a Lease's).
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work>> run_plain(Work work) {
    auto result =
        co_await boost::asio::co_spawn(threads_, plain_on_thread(std::move(work)), boost::asio::use_awaitable);
    telemetry::loop_step("registry database");
    co_return result;
  }

 private:
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work, Store&>> on_thread(Work work) {
    Store* store = take();
    auto result = work(*store);
    give_back(store);
    co_return result;
  }
  template <class Work>
  static boost::asio::awaitable<std::invoke_result_t<Work>> plain_on_thread(Work work) {
    auto result = work();
    co_return result;
  }
  Store* take();
  void give_back(Store* store);

  std::vector<Store> stores_;
  std::mutex mutex_;
  std::condition_variable given_back_;
  std::vector<Store*> free_;          ///< guarded by mutex_
  boost::asio::thread_pool threads_;  ///< last: joined before the stores go
};

}  // namespace tokenrail::registry
