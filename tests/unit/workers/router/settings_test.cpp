#include "workers/router/settings.hpp"

#include <functional>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tokenrail::router {
namespace {

TEST(OrganisationWeights, AreReadAsIdAndNumber) {
  EXPECT_EQ(parse_weights({"acme=4", "a=b=2"}), (std::map<std::string, int>{{"acme", 4}, {"a=b", 2}}));
  EXPECT_TRUE(parse_weights({})->empty());
}

TEST(OrganisationWeights, SayWhatIsAllowed) {
  for (const char* wrong : {"acme", "acme=", "=4", "acme=0", "acme=-1", "acme=1001", "acme=4x", "acme= 4"}) {
    const auto weights = parse_weights({wrong});
    ASSERT_FALSE(weights.has_value()) << wrong;
    EXPECT_NE(weights.error().detail.find(wrong), std::string::npos);
    EXPECT_NE(weights.error().detail.find("acme=4"), std::string::npos);
  }
}

TEST(HttpOptions, EveryAttemptMayHaveAConnection) {
  for (const std::size_t in_flight_max : {1U, 20'000U, 20'001U, 1'000'000U}) {
    RouterOptions options;
    options.in_flight_max = in_flight_max;
    EXPECT_EQ(http_options(options).connections_max, in_flight_max);
  }
}

TEST(HttpOptions, HedgesMayHaveAConnectionOfTheirOwn) {
  RouterOptions options;
  options.in_flight_max = 3;
  options.hedge.after = Millis(1);
  EXPECT_EQ(http_options(options).connections_max, 6U);
}

config::Values loaded_with(const std::map<std::string, std::string>& environment) {
  auto loaded = config::load({.settings = config::joined({config::common_settings(), router_settings()}),
                              .arguments = {},
                              .environment = environment,
                              .file_text = {},
                              .file_name = {}});
  EXPECT_TRUE(loaded.has_value()) << (loaded ? "" : loaded.error().detail);
  return std::move(loaded->values);
}

/// Each with a value that no other of them has, and that is no default.
struct Reached {
  std::string setting;
  std::string value;
  std::function<std::string(const RouterOptions&)> option;
  std::string expected;
};

template <class T>
std::function<std::string(const RouterOptions&)> number(T RouterOptions::* field) {
  return [field](const RouterOptions& options) { return fmt::format("{}", options.*field); };
}
std::function<std::string(const RouterOptions&)> time(Millis RouterOptions::* field) {
  return [field](const RouterOptions& options) { return fmt::format("{}", (options.*field).count()); };
}

const std::vector<Reached>& reached() {
  using O = RouterOptions;
  static const std::vector<Reached> rows = {
      {"router.in_flight_max", "1001", number(&O::in_flight_max), "1001"},
      {"router.org_in_flight_max", "1002", number(&O::org_in_flight_max), "1002"},
      {"router.connection_in_flight_max", "1003", number(&O::connection_in_flight_max), "1003"},
      {"router.window_requests_max", "21004", number(&O::window_requests_max), "21004"},
      {"router.window_bytes_max", "205MiB", number(&O::window_bytes_max), "214958080"},
      {"router.request_bytes_max", "2006KiB",
       [](const O& o) { return fmt::format("{}", o.request_limits.value_bytes_max); }, "2054144"},
      {"router.answer_bytes_max", "7MiB",
       [](const O& o) { return fmt::format("{}", o.decoder_limits.answer_bytes_max); }, "7340032"},
      {"router.answers_bytes_max", "208MiB", number(&O::answers_bytes_max), "218103808"},
      {"router.provider_line_bytes_max", "3MiB",
       [](const O& o) { return fmt::format("{}", o.decoder_limits.item_bytes_max); }, "3145728"},
      {"router.connect_timeout", "10s", time(&O::connect_timeout), "10000"},
      {"router.first_token_timeout", "11s", time(&O::first_token_timeout), "11000"},
      {"router.idle_timeout", "12s", time(&O::idle_timeout), "12000"},
      {"router.total_timeout", "13s", time(&O::total_timeout), "13000"},
      {"router.request_timeout_default", "14s", time(&O::request_timeout_default), "14000"},
      {"router.calls_max", "7", [](const O& o) { return fmt::format("{}", o.retry.calls_max); }, "7"},
      {"router.hedge_after", "16s", [](const O& o) { return fmt::format("{}", o.hedge.after.count()); }, "16000"},
      {"router.drain_grace", "17s", time(&O::drain_grace), "17000"},
      {"router.org_weights", "acme=4",
       [](const O& o) { return fmt::format("{} {}", o.org_weights.begin()->first, o.org_weights.begin()->second); },
       "acme 4"},
      {"router.lease", "18s", time(&O::lease), "18000"},
      {"router.lost_attempts_max", "8", number(&O::lost_attempts_max), "8"},
      {"router.dedupe_window", "20m", time(&O::dedupe_window), "1200000"},
      {"router.partition_span_max", "100021", number(&O::partition_span_max), "100021"},
      {"router.commit_interval", "522ms", time(&O::commit_interval), "522"},
      {"router.unreported_max", "23s", time(&O::unreported_max), "23000"},
      {"router.record_bytes_max", "600000B", number(&O::record_bytes_max), "600000"},
      {"router.strict_default", "true", [](const O& o) { return fmt::format("{}", o.resolution.strict_default); },
       "true"},
      {"audit.content", "none",
       [](const O& o) { return std::string(o.content_policy == events::ContentPolicy::none ? "none" : "other"); },
       "none"},
      {"audit.content_bytes_max", "3000B", number(&O::content_bytes_max), "3000"},
      {"audit.redact", "secret-[0-9]+",
       [](const O& o) {
         std::string text = "a secret-12";
         return std::string(o.redaction.take_out(text) ? "taken out" : "kept");
       },
       "taken out"},
  };
  return rows;
}

TEST(RouterSettings, EachReachesTheOptionThatItIsNamedAfter) {
  const auto defaults = router_options(loaded_with({}));
  for (const auto& row : reached()) {
    std::string variable = "TOKENRAIL_";
    for (const char c : row.setting) variable += c == '.' ? '_' : static_cast<char>(std::toupper(c));
    const auto options = router_options(loaded_with({{variable, row.value}}));
    EXPECT_EQ(row.option(options), row.expected) << row.setting;
    if (row.setting != "router.org_weights") EXPECT_NE(row.option(defaults), row.expected) << row.setting;
    // And nothing else: two that are swapped in a table would both be found here.
    for (const auto& other : reached()) {
      if (other.setting == row.setting || other.setting == "router.org_weights") continue;
      EXPECT_EQ(other.option(options), other.option(defaults)) << row.setting << " changed " << other.setting;
    }
  }
}

TEST(RouterSettings, NoneIsLeftOutOfTheTableAbove) {
  // Read by the worker itself.
  std::set<std::string> known = {"router.group_id", "router.drain_timeout"};
  for (const auto& row : reached()) known.insert(row.setting);
  for (const auto& setting : router_settings())
    if (setting.name.starts_with("router.") || setting.name.starts_with("audit.")) {
      EXPECT_TRUE(known.contains(std::string(setting.name))) << setting.name;
    }
}

}  // namespace
}  // namespace tokenrail::router
