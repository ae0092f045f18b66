// An explanation of a choice as JSON, the same for the API and the command line. Pure.
#pragma once

#include <string>

#include "common/registry/resolution.hpp"

namespace tokenrail::registry {

/// {"usable":…,"model":"provider/name"|null,"choice":{…},"targets":[{connection, upstreamName, …}],"warnings":[…],
/// "failure":{code, message},"clauses":[{clause, holds, scope, detail, hint}]}: choice, targets and warnings where it
/// is usable, failure where it is not.
[[nodiscard]] std::string explanation_json(const Explanation& explanation);

}  // namespace tokenrail::registry
