// The settings of registry-sync, declared once, and what becomes of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/config/settings.hpp"
#include "common/http/egress.hpp"
#include "common/providers/environment.hpp"
#include "common/registry/store.hpp"
#include "common/topics/names.hpp"
#include "workers/registry_sync/diff.hpp"

namespace tokenrail::registry_sync {

/// Without those of common/config that every program has.
[[nodiscard]] std::span<const config::Setting> registry_sync_settings();

struct Options {
  std::vector<registry::PlatformConnection> platform;  ///< Ollama's and those that the environment names
  std::vector<providers::NamedModel> models_by_hand;
  std::chrono::milliseconds interval;
  DiffRules rules;
  std::chrono::milliseconds details_age_max;
  std::size_t show_concurrency;
  std::size_t connection_concurrency;
  std::size_t models_max;
  std::size_t list_bytes_max;
  std::size_t show_bytes_max;
  std::chrono::milliseconds connect_time_max;
  std::chrono::milliseconds answer_time_max;
  std::chrono::milliseconds connection_time_max;  ///< for all questions of one run
  std::chrono::milliseconds poll_interval;
  std::chrono::milliseconds reconcile_interval;
  std::chrono::hours history_age;
  topics::Names topics;
  http::Egress egress{};
};
/// Errors: invalid_input, for connections of the environment that cannot be (providers/environment.hpp).
[[nodiscard]] Result<Options> options_from(const config::Values& values);

}  // namespace tokenrail::registry_sync
