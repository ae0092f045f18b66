// What the store's .cpp files share.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "common/registry/session.hpp"
#include "common/registry/store.hpp"

namespace tokenrail::registry {

struct Store::Impl {
  Session session;
  std::shared_ptr<const Fence> fence;  ///< null: what this store writes depends on no leadership

  /// Error `rejected`: the process does not lead under the fence's number.
  Result<void> check_fence(soci::session& sql) const;
  /// Error `rejected`: another process has claimed the connection since.
  static Result<void> check_lease(soci::session& sql, const Connection& connection);

  /// One transaction of the leader: begins with check_fence().
  template <class Work>
  auto lead(Work&& work) -> std::invoke_result_t<Work, soci::session&> {
    return session.transact([&](soci::session& sql) -> std::invoke_result_t<Work, soci::session&> {
      if (auto fenced = check_fence(sql); !fenced) return std::unexpected(std::move(fenced.error()));
      return work(sql);
    });
  }

  /// One transaction of a sync: begins with check_lease(), or is the leader's where the connection was not claimed.
  template <class Work>
  auto sync(const Connection& connection, Work&& work) -> std::invoke_result_t<Work, soci::session&> {
    if (connection.lease_epoch == 0) return lead(std::forward<Work>(work));
    return session.transact([&](soci::session& sql) -> std::invoke_result_t<Work, soci::session&> {
      if (auto fenced = check_lease(sql, connection); !fenced) return std::unexpected(std::move(fenced.error()));
      return work(sql);
    });
  }
};

/// Over connection `c` and its provider `p`: it is synced. :adapters, separated by commas: those that list models.
inline constexpr const char* synced_connections =
    "c.deleted_at IS NULL AND c.enabled AND c.sync_enabled AND p.adapter = ANY (string_to_array(:adapters, ','))";
/// Over sync_request `q` and connection `c`: a person asked for the connection, and no run of it is on record yet.
inline constexpr const char* unserved_requests =
    "q.finished_at IS NULL AND NOT q.republish AND (q.connection_id IS NULL OR q.connection_id = c.id) AND NOT EXISTS "
    "(SELECT 1 FROM sync_run r WHERE r.request_id = q.id AND r.connection_id = c.id)";

inline constexpr const char* sync_actor = "registry-sync";

/// `where`: a condition over `c` (fixed text of ours) in which $1, the value, may be used.
std::vector<Connection> read_connections(soci::session& sql, const std::string& where, const std::string& value);

}  // namespace tokenrail::registry
