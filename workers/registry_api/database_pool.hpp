// Work on the governed database off the loop: a few threads, each with a session of its own, and results that come back
// to the awaiting coroutine's executor. More work than threads waits; the server's bound of connections bounds it.
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

#include "common/registry/governed_database.hpp"
#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::registry_api {

class DatabasePool {
 public:
  DatabasePool(const registry::DatabaseOptions& options, std::size_t connections);
  /// Waits for work that runs (bounded by the statement time-out).
  ~DatabasePool();
  DatabasePool(const DatabasePool&) = delete;
  DatabasePool& operator=(const DatabasePool&) = delete;

  /// Runs `work(GovernedDatabase&)` on one of the threads and resumes on the caller's executor with what it returned.
  /// `work` must own what it uses.
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work, registry::GovernedDatabase&>> run(Work work) {
    auto result = co_await boost::asio::co_spawn(threads_, on_thread(std::move(work)), boost::asio::use_awaitable);
    telemetry::loop_step("registry database");
    co_return result;
  }

 private:
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work, registry::GovernedDatabase&>> on_thread(Work work) {
    auto* database = take();
    auto result = work(*database);
    give_back(database);
    co_return result;
  }
  registry::GovernedDatabase* take();
  void give_back(registry::GovernedDatabase* database);

  std::vector<registry::GovernedDatabase> databases_;
  std::mutex mutex_;
  std::condition_variable given_back_;
  std::vector<registry::GovernedDatabase*> free_;  ///< guarded by mutex_
  boost::asio::thread_pool threads_;               ///< last: joined before the sessions go
};

}  // namespace tokenrail::registry_api
