// JSON Merge Patch (RFC 7396). Pure.
#pragma once

#include <string>
#include <string_view>

namespace tokenrail::registry {

/// The target with the patch applied: members of objects are merged at every depth, null removes one, and any other
/// value replaces what was there. Both are one valid JSON value each; an invalid target is an empty object, and an
/// invalid patch changes nothing.
[[nodiscard]] std::string merge_patch(std::string_view target, std::string_view patch);

}  // namespace tokenrail::registry
