// Why a model may be used, or may not: each condition, and what to do where it does not hold. Pure.
#pragma once

#include <string>

#include "workers/registry_api/json_value.hpp"

namespace tokenrail::registry_api {

/// `model`: as the API serves it. Conditions follow from its fields; the first that fails gives its status.
[[nodiscard]] std::string explain_model(const Json& model);

}  // namespace tokenrail::registry_api
