// The OpenAPI 3.1 document, written from the table of routes and the schemas beside it. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "workers/registry_api/routes.hpp"

namespace tokenrail::registry_api {

/// Of the contract, not of the program.
inline constexpr std::string_view api_version = "1.0";

[[nodiscard]] std::string openapi_document(std::span<const Route> routes, std::string_view version);

/// Names of the parameters in a pattern, in their order.
[[nodiscard]] std::vector<std::string_view> path_parameters(std::string_view pattern);

}  // namespace tokenrail::registry_api
