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

  /// One transaction of the leader: begins with check_fence().
  template <class Work>
  auto lead(Work&& work) -> std::invoke_result_t<Work, soci::session&> {
    return session.transact([&](soci::session& sql) -> std::invoke_result_t<Work, soci::session&> {
      if (auto fenced = check_fence(sql); !fenced) return std::unexpected(std::move(fenced.error()));
      return work(sql);
    });
  }
};

inline constexpr const char* sync_actor = "registry-sync";

/// `where`: a condition over `c` (fixed text of ours) in which :value may be used.
std::vector<Connection> read_connections(soci::session& sql, const std::string& where, const std::string& value);

}  // namespace tokenrail::registry
