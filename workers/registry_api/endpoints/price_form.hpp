// Prices as bodies have them. Pure.
#pragma once

#include <cstddef>
#include <expected>

#include "common/registry/prices.hpp"
#include "workers/registry_api/json_value.hpp"
#include "workers/registry_api/problem.hpp"

namespace tokenrail::registry_api {

/// One of `prices`, at that index of the body. Problems name the member that cannot be read.
[[nodiscard]] std::expected<Price, Problem> price_of(const Json& value, std::size_t index);

}  // namespace tokenrail::registry_api
