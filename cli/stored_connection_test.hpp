// The staged test of a connection from this machine, with what the database has of it.
#pragma once

#include <string>

#include "cli/context.hpp"
#include "common/crypto/key_ring.hpp"
#include "common/registry/actor.hpp"
#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"

namespace tokenrail::cli {

/// The key ring of the settings. Error: none is set.
[[nodiscard]] Result<crypto::KeyRing> configured_key_ring(const Context& context);

/// Tests, keeps the result and the connection's health, and answers as the registry API does. `model`: to call, by its
/// name at the provider; empty: none.
[[nodiscard]] Result<registry::Document> test_stored_connection(const Context& context,
                                                                registry::GovernedDatabase& database,
                                                                const registry::Actor& actor, const std::string& name,
                                                                const std::string& model);

}  // namespace tokenrail::cli
