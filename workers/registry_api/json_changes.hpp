// What differs between two JSON values, member by member. Pure.
#pragma once

#include <string>
#include <vector>

#include "workers/registry_api/json_value.hpp"

namespace tokenrail::registry_api {

struct JsonChange {
  std::string pointer;           ///< JSON Pointer (RFC 6901) of what differs
  const Json* before = nullptr;  ///< null: it was not there; points into the value that was compared
  const Json* after = nullptr;   ///< null: it is not there any more
};

/// Objects are compared member by member, all else as a whole. In the order of `before`, then what only `after` has.
[[nodiscard]] std::vector<JsonChange> changes_between(const Json& before, const Json& after);

}  // namespace tokenrail::registry_api
