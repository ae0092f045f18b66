#include "workers/registry_api/settings.hpp"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/option_table.hpp"

namespace tokenrail::registry_api {
namespace {

using test::number;
using test::time;

const test::OptionTable<Options>& table() {
  using O = Options;
  static const test::OptionTable<Options> all = {
      .settings = registry_api_settings(),
      .make = options_from,
      .rows = {
          {"api.listen", "127.0.0.1:1", [](const O& o) { return o.listen; }, "127.0.0.1:1"},
          {"api.connections_max", "11", [](const O& o) { return fmt::format("{}", o.limits.connections_max); }, "11"},
          {"api.body_bytes_max", "12KiB", [](const O& o) { return fmt::format("{}", o.limits.body_bytes_max); },
           "12288"},
          {"api.header_bytes_max", "13KiB", [](const O& o) { return fmt::format("{}", o.limits.header_bytes_max); },
           "13312"},
          {"api.request_timeout", "14s",
           [](const O& o) { return fmt::format("{}", o.limits.request_time_max.count()); }, "14000"},
          {"api.write_timeout", "15s", [](const O& o) { return fmt::format("{}", o.limits.write_time_max.count()); },
           "15000"},
          {"api.database_connections", "16", number(&O::database_threads), "16"},
          {"api.rate_per_second", "17", [](const O& o) { return fmt::format("{}", o.rate_limit.per_second); }, "17"},
          {"api.rate_burst", "18", [](const O& o) { return fmt::format("{}", o.rate_limit.burst); }, "18"},
          {"api.if_match_required", "true", number(&O::if_match_required), "true"},
          {"api.page_key", "a-key-of-thirty-two-characters-19", [](const O& o) { return o.page_key; },
           "a-key-of-thirty-two-characters-19"},
          {"api.cors_origins", "https://one.example",
           [](const O& o) { return o.cors_origins.empty() ? std::string() : o.cors_origins.front(); },
           "https://one.example"},
          {"api.web_dir", "/a/folder", [](const O& o) { return o.web_dir; }, "/a/folder"},
          {"api.public_url", "https://two.example", [](const O& o) { return o.public_url; }, "https://two.example"},
          {"api.dashboard_url", "https://three.example", [](const O& o) { return o.dashboard_url; },
           "https://three.example"},
          {"api.session_lifetime", "61s", time(&O::session_lifetime), "61000"},
          {"api.drain_timeout", "21s", time(&O::drain_timeout), "21000"},
      }};
  return all;
}

TEST(ApiSettings, EachSettingReachesItsOption) {
  table().each_reaches_its_own();
}

TEST(ApiSettings, NoneIsLeftOutOfTheTable) {
  table().none_is_left_out({"api.chats_max", "api.chat_timeout"}, {"api."});
}

}  // namespace
}  // namespace tokenrail::registry_api
