// What the store's .cpp files share.
#pragma once

#include <string>

#include "common/registry/session.hpp"
#include "common/registry/store.hpp"

namespace tokenrail::registry {

struct Store::Impl {
  Session session;
};

inline constexpr const char* sync_actor = "registry-sync";

/// `where`: a condition over `c` (fixed text of ours) in which :value may be used.
std::vector<Connection> read_connections(soci::session& sql, const std::string& where, const std::string& value);

}  // namespace tokenrail::registry
