// Limits of the core at exactly their value.
#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

class ExactLimits : public RouterCoreTest {};

TEST_F(ExactLimits, AKeyOfTheLargestSizeIsTaken) {
  assign();
  const auto most = options.request_limits.key_bytes_max;
  request("at", "", std::string(most, 'k'));
  settle();
  EXPECT_EQ(http.started, 1U);
  request("above", "", std::string(most + 1, 'k'));
  settle();
  EXPECT_EQ(http.started, 1U);
  EXPECT_EQ((logs[{"chat.requests.dlq", 0}].size()), 1U);
}

TEST_F(ExactLimits, ARequestThatWaitsEndsAtItsDeadlineAndNotBefore) {
  assign();
  request("runs");
  request("waits", R"("timeoutMs":1000,)");
  settle();
  wake_after(999ms);
  settle();
  EXPECT_TRUE(chunks().empty());
  wake_after(1ms);
  settle();
  ASSERT_EQ(chunks().size(), 1U);
  EXPECT_EQ(chunks()[0].error_code, "DEADLINE_EXCEEDED");
  EXPECT_EQ(http.started, 1U);
}

TEST_F(ExactLimits, ACallEndsAtItsDeadlineAndNotBefore) {
  assign();
  request("r", R"("timeoutMs":1000,)");
  settle();
  ASSERT_EQ(http.started, 1U);
  wake_after(999ms);
  settle();
  EXPECT_EQ(http.cancelled, 0U);
  wake_after(1ms);
  settle();
  EXPECT_EQ(http.cancelled, 1U);
  ASSERT_EQ(chunks().size(), 1U);
  EXPECT_EQ(chunks()[0].error_code, "DEADLINE_EXCEEDED");
}

TEST_F(ExactLimits, ADuplicateIsOneWithinExactlyTheWindow) {
  options.dedupe_window = 10s;
  make_core(options);
  assign();
  request("r", "", std::nullopt);
  settle();
  answer(1);
  settle();
  environment.advance(10s);
  request("r", "", std::nullopt);
  settle();
  EXPECT_EQ(http.started, 1U);
  environment.advance(1ms);
  request("r", "", std::nullopt);
  settle();
  EXPECT_EQ(http.started, 2U);
}

}  // namespace
}  // namespace tokenrail::router
