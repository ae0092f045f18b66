// The leader's work for the connections: makes those of the platform, makes all due, removes old records, and says what
// the connections and the changes that wait for a person are like. One thread: the loop's.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/async/wakeable_timer.hpp"
#include "common/registry/store_pool.hpp"
#include "workers/registry_sync/database_notes.hpp"
#include "workers/registry_sync/leadership.hpp"
#include "workers/registry_sync/settings.hpp"
#include "workers/registry_sync/syncs.hpp"

namespace tokenrail::registry_sync {

class Timetable {
 public:
  struct Hooks {
    std::function<bool()> prepared;         ///< the versions that readers have are known: connections may be due
    std::function<void()> connections_due;  ///< connections_made() is true now
  };
  /// What is given by reference outlives it.
  Timetable(boost::asio::io_context& loop, const Options& options, registry::StorePool& stores, ConnectionSyncs& syncs,
            const Leadership& leadership, DatabaseNotes& notes, Hooks hooks);

  void begin();
  /// A part of a leadership: returns when it is over.
  boost::asio::awaitable<void> keep();
  /// The leadership has ended, and keep() has returned.
  void end();
  void wake() { wait_.wake(); }

  [[nodiscard]] bool connections_made() const { return connections_made_; }
  /// What waits for a person, with the command that decides it; for people. Empty: nothing.
  [[nodiscard]] const std::string& held() const { return held_; }

 private:
  using Clock = std::chrono::steady_clock;

  boost::asio::awaitable<Result<void>> make_connections();
  boost::asio::awaitable<void> prune_when_due();
  boost::asio::awaitable<void> note_connections();

  const Options& options_;
  registry::StorePool& stores_;
  ConnectionSyncs& syncs_;
  const Leadership& leadership_;
  DatabaseNotes& notes_;
  Hooks hooks_;
  async::WakeableTimer wait_;
  bool connections_made_ = false;
  std::string held_{};
  Clock::time_point prune_due_{};
};

}  // namespace tokenrail::registry_sync
