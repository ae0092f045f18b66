// SQL that applies a person's patch to a row of `model`. A patch is a JSON object as Models::change() takes it.
// Internal to the module.
#pragma once

#include <string>
#include <string_view>

namespace tokenrail::registry {

/// The SET list of a row's UPDATE, from a patch (SQL, jsonb).
[[nodiscard]] std::string patched_values(std::string_view patch = "@@patch");
/// The condition that such an UPDATE changes a row.
[[nodiscard]] std::string patch_changes(std::string_view patch);

}  // namespace tokenrail::registry
