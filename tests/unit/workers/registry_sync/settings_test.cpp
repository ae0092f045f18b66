#include "workers/registry_sync/settings.hpp"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/providers/environment.hpp"
#include "tests/support/option_table.hpp"

namespace tokenrail::registry_sync {
namespace {

using test::number;
using test::time;

Options made(const config::Values& values) {
  auto options = options_from(values);
  EXPECT_TRUE(options.has_value()) << (options ? "" : options.error().detail);
  return std::move(*options);
}

const test::OptionTable<Options>& table() {
  using O = Options;
  static const auto settings = config::joined({registry_sync_settings(), providers::environment_settings()});
  static const test::OptionTable<Options> all = {
      .settings = settings,
      .make = made,
      .rows = {
          {"sync.interval", "11s", time(&O::interval), "11000"},
          {"sync.on_new", "disabled",
           [](const O& o) { return std::string(o.platform.front().new_models_enabled ? "enabled" : "disabled"); },
           "disabled"},
          {"sync.missing_grace", "12s", [](const O& o) { return fmt::format("{}", o.rules.missing_grace.count()); },
           "12000"},
          {"sync.missing_runs", "13", [](const O& o) { return fmt::format("{}", o.rules.missing_runs); }, "13"},
          {"sync.details_max_age", "14s", time(&O::details_age_max), "14000"},
          {"sync.show_concurrency", "15", number(&O::show_concurrency), "15"},
          {"sync.connection_concurrency", "16", number(&O::connection_concurrency), "16"},
          {"sync.models_max", "17", number(&O::models_max), "17"},
          {"sync.list_bytes_max", "18KiB", number(&O::list_bytes_max), "18432"},
          {"sync.show_bytes_max", "19KiB", number(&O::show_bytes_max), "19456"},
          {"sync.connect_timeout", "20s", time(&O::connect_time_max), "20000"},
          {"sync.answer_timeout", "21s", time(&O::answer_time_max), "21000"},
          {"sync.connection_timeout", "22s", time(&O::connection_time_max), "22000"},
          {"sync.poll_interval", "23s", time(&O::poll_interval), "23000"},
          {"sync.reconcile_interval", "24s", time(&O::reconcile_interval), "24000"},
          {"sync.history_days", "25", [](const O& o) { return fmt::format("{}", o.history_age.count()); }, "600"},
      }};
  return all;
}

TEST(SyncSettings, EachSettingReachesItsOption) {
  table().each_reaches_its_own();
}

TEST(SyncSettings, NoneIsLeftOutOfTheTable) {
  table().none_is_left_out({}, {"sync."});
}

}  // namespace
}  // namespace tokenrail::registry_sync
