// What all that ask registry-sync for something share. Private to this module's .cpp files.
#pragma once

#include <string>

#include "common/registry/actor.hpp"
#include "common/registry/session.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

/// Error `conflict`, with what to turn on: a request would have no effect, because the connection is not synced.
Result<void> expect_synced(const std::string& name, bool enabled, bool sync_enabled);

/// Asks for a comparison of the compacted topics with the database. The id of the request.
std::string ask_for_republish(soci::session& sql, const Actor& actor);

}  // namespace tokenrail::registry
