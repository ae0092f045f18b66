#include "workers/router/core/gone_requests.hpp"

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"

namespace tokenrail::router {
namespace {

using Range = GoneRequests::Range;
using Ranges = std::vector<Range>;

/// Requests `from` and `from` + 1 are not answered, and nothing is known to be behind them.
OldLog old_log(std::int64_t from) {
  const events::RequestOffset first(from);
  return {.from = first,
          .delivered_to = first + 2,
          .seen_to = first + 2,
          .until = 100_request,
          .unanswered = {{first, 30}, {first + 1, 40}}};
}

/// Both requests of old_log() are lost.
void lose(GoneRequests& gone, std::int64_t from) {
  gone.log_gone(old_log(from), {.position = from, .offset = from - 1, .time_ms = 20});
  EXPECT_TRUE(gone.comparing());
  const events::RequestOffset first(from);
  EXPECT_EQ(gone.compared({.newer = Millis(90), .unread_from = first}), (Range{.from = first, .to = first + 2}));
  EXPECT_FALSE(gone.comparing());
}

TEST(GoneRequests, WitnessReachesTheEndOfTheGoneLog) {
  GoneRequests gone;
  EXPECT_FALSE(gone.witness());
  gone.log_gone(old_log(3), {.position = 3, .offset = 2, .time_ms = 20});
  EXPECT_EQ(gone.witness(), (kafka::LogWitness{.position = 5, .offset = 2, .time_ms = 20}));
}

TEST(GoneRequests, KeptRequestsAreNotLost) {
  GoneRequests gone;
  auto old = old_log(3);
  old.until = 5_request;
  gone.log_gone(std::move(old), {.position = 3, .offset = 2, .time_ms = 20});
  EXPECT_FALSE(gone.read(3_request, 30));
  const auto outcome = gone.read(4_request, 40);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(gone.compared(*outcome), std::nullopt);
  EXPECT_FALSE(gone.witness()) << "the log that is there now names its own";
  EXPECT_TRUE(gone.to_report().empty());
}

TEST(GoneRequests, LostRangeIsReportedOnce) {
  GoneRequests gone;
  lose(gone, 3);
  EXPECT_TRUE(gone.covers(3_request));
  EXPECT_TRUE(gone.covers(4_request));
  EXPECT_FALSE(gone.covers(5_request));
  EXPECT_EQ(gone.to_report(), (Ranges{{.from = 3_request, .to = 5_request}}));
  EXPECT_TRUE(gone.to_report().empty());
  gone.report_all_again();
  EXPECT_EQ(gone.to_report().size(), 1U);
}

TEST(GoneRequests, WitnessStaysUntilTheReportCounts) {
  GoneRequests gone;
  lose(gone, 3);
  EXPECT_FALSE(gone.report_counts({.from = 3_request, .to = 5_request})) << "it was not sent";
  (void)gone.to_report();
  EXPECT_FALSE(gone.report_counts({.from = 3_request, .to = 4_request})) << "another range";
  EXPECT_TRUE(gone.witness());
  EXPECT_TRUE(gone.report_counts({.from = 3_request, .to = 5_request}));
  EXPECT_FALSE(gone.witness());
  EXPECT_FALSE(gone.covers(3_request));
}

TEST(GoneRequests, WitnessStaysWhileAnotherLogIsCompared) {
  GoneRequests gone;
  lose(gone, 3);
  (void)gone.to_report();
  gone.log_gone(old_log(10), {.position = 10, .offset = 9, .time_ms = 20});
  EXPECT_TRUE(gone.report_counts({.from = 3_request, .to = 5_request}));
  EXPECT_EQ(gone.witness(), (kafka::LogWitness{.position = 12, .offset = 2, .time_ms = 20})) << "of the first";
}

TEST(GoneRequests, LogReplacedBeforeItWasReadIsAdded) {
  GoneRequests gone;
  gone.log_gone(old_log(3), {.position = 3, .offset = 2, .time_ms = 20});
  gone.log_gone(old_log(1), {.position = 1, .offset = 0, .time_ms = 20});
  EXPECT_EQ(gone.compared({.newer = Millis(90), .unread_from = 100_request}),
            (Range{.from = 1_request, .to = 5_request}));
}

TEST(GoneRequests, TooManyRangesGrowTheNewest) {
  GoneRequests gone;
  for (std::size_t i = 0; i <= GoneRequests::ranges_max; ++i) lose(gone, static_cast<std::int64_t>(10 * i));
  const auto ranges = gone.to_report();
  ASSERT_EQ(ranges.size(), GoneRequests::ranges_max);
  EXPECT_EQ(ranges.back(), (Range{.from = 990_request, .to = 1'002_request}));
}

}  // namespace
}  // namespace tokenrail::router
