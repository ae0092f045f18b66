#include "workers/router/settings.hpp"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/option_table.hpp"

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

using test::number;
using test::time;

const test::OptionTable<RouterOptions>& table() {
  using O = RouterOptions;
  static const test::OptionTable<RouterOptions> all = {
      .settings = router_settings(),
      .make = router_options,
      .rows = {
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
           [](const O& o) {
             std::string all;
             for (const auto& [org, weight] : o.org_weights) all += fmt::format("{} {}", org, weight);
             return all;
           },
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
      }};
  return all;
}

TEST(RouterSettings, EachReachesTheOptionThatItIsNamedAfter) {
  table().each_reaches_its_own();
}

TEST(RouterSettings, NoneIsLeftOutOfTheTable) {
  table().none_is_left_out({"router.group_id", "router.drain_timeout"}, {"router.", "audit."});
}

TEST(RouterSettings, TagsAreImpliedWhereAProviderImpliesThem) {
  using Tags = std::map<std::string, std::string, std::less<>>;
  EXPECT_EQ(table().made_with({}).resolution.implied_tags, (Tags{{"ollama", ":latest"}}));
}

TEST(RouterSettings, DefaultsAreThoseOfTheOptions) {
  table().defaults_are({});
}

}  // namespace
}  // namespace tokenrail::router
