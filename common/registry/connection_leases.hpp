// Which process syncs which connection: a row for each connection, which its holder renews and another process claims
// when it was not renewed for `lease_duration` by the database's clock. Each claim raises the row's fencing number,
// which Store checks in each transaction of a sync (Connection::lease_epoch).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/registry/database.hpp"
#include "common/registry/store.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

/// A connection that this process is to sync now.
struct ClaimedConnection {
  Connection connection;  ///< with its lease_epoch
  std::string trigger;    ///< start | schedule | event | manual
  SyncRequest request{};  ///< its id is empty where the sync was not asked for
};

/// Blocking, one thread at a time, like Store.
class ConnectionLeases {
 public:
  /// `holder`: names this process, and no other one, to people. `adapters`: of connections that can be synced.
  ConnectionLeases(DatabaseOptions options, std::string holder, std::vector<std::string> adapters);
  ~ConnectionLeases();
  ConnectionLeases(ConnectionLeases&&) noexcept;
  ConnectionLeases& operator=(ConnectionLeases&&) noexcept;

  /// Takes up to `count` connections that are due and that no process holds: those first for which a person asked, and
  /// those last whose provider was down. None before a leader has looked at the versions of readers.
  Result<std::vector<ClaimedConnection>> claim(std::size_t count);

  struct Held {
    std::string connection_id;
    std::int64_t epoch = 0;
  };
  /// Those that are still this process's stay so.
  Result<void> renew(const std::vector<Held>& held);
  /// Gives one back. It is due again after `due_in`, unless someone asked for a sync since it was claimed.
  Result<void> release(const Held& held, std::chrono::milliseconds due_in);
  /// Gives back what was not synced; another process may claim it at once.
  Result<void> give_back(const std::vector<Held>& held);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokenrail::registry
