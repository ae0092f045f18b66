// The router's settings, declared once, and what becomes of them.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/config/settings.hpp"
#include "common/http/client.hpp"
#include "common/result.hpp"
#include "workers/router/core/options.hpp"

namespace tokenrail::router {

/// Without those of common/config that every program has.
[[nodiscard]] std::span<const config::Setting> router_settings();

/// `acme=4` and so on. Errors: invalid_input, naming the entry and what is allowed.
[[nodiscard]] Result<std::map<std::string, int>> parse_weights(const std::vector<std::string>& list);
[[nodiscard]] RouterOptions router_options(const config::Values& values);
/// What the HTTP client needs to know: every attempt that may run may have a connection.
[[nodiscard]] http::ClientOptions http_options(const RouterOptions& options, http::ClientOptions client = {});

}  // namespace tokenrail::router
