// The settings of the registry API, declared once, and what becomes of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/config/settings.hpp"
#include "common/http/server.hpp"
#include "workers/registry_api/rate_limits.hpp"

namespace tokenrail::registry_api {

/// Without those of common/config and common/auth.
[[nodiscard]] std::span<const config::Setting> registry_api_settings();

struct Options {
  std::string listen = "127.0.0.1:9403";
  http::ServerLimits limits{};
  std::size_t database_threads = 8;
  RateLimit rate_limit{};
  std::size_t rate_callers_max = 100'000;
  bool if_match_required = false;
  std::string page_key{};                   ///< empty: a random one
  std::vector<std::string> cors_origins{};  ///< empty: none
  std::string web_dir{};                    ///< empty: there is no web page
  std::string public_url{};                 ///< empty: where requests go to
  std::string dashboard_url{};              ///< of the use of models; empty: there is none
  std::chrono::milliseconds session_lifetime{28'800'000};
  std::chrono::milliseconds drain_timeout{20'000};
};
[[nodiscard]] Options options_from(const config::Values& values);

}  // namespace tokenrail::registry_api
