// The router's settings, declared once, and what becomes of them.
#pragma once

#include <span>

#include "common/config/settings.hpp"
#include "workers/router/core/options.hpp"

namespace tokenrail::router {

/// Without those of common/config that every program has.
[[nodiscard]] std::span<const config::Setting> router_settings();

[[nodiscard]] RouterOptions router_options(const config::Values& values);

}  // namespace tokenrail::router
