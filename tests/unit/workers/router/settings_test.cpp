#include "workers/router/settings.hpp"

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

}  // namespace
}  // namespace tokenrail::router
