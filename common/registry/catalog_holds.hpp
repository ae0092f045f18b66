// Entries of catalogues of which something waits for a person. Private to this module's .cpp files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/registry/governed_sql.hpp"
#include "common/registry/held_values.hpp"

namespace tokenrail::registry {

/// Documents of what is held, in the form of held changes of lists: for the platform only. A condition over `h`
/// follows.
[[nodiscard]] std::string held_entries_select();

/// Whether something of the entry waits.
[[nodiscard]] bool entry_waits(soci::session& sql, const std::string& id);

/// Accepts or rejects what is held of an entry, and returns its document with the decision. Nothing: there is no such
/// entry that waits. The caller has checked the actor's right to decide.
std::optional<Document> decide_entry(soci::session& sql, const Actor& actor, const Scope& scope, const std::string& id,
                                     bool accept, const std::string& reason);

/// What is held of models that the registry has, oldest first.
std::vector<HeldChange> held_entries(soci::session& sql);

}  // namespace tokenrail::registry
