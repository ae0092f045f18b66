#include "workers/router/core/job_table.hpp"

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"
#include "workers/router/core/attempt.hpp"

namespace tokenrail::router {
namespace {

using Offsets = std::vector<events::RequestOffset>;

class JobTableTest : public ::testing::Test {
 protected:
  Job& add(events::RequestOffset offset, const std::string& request_id, const std::string& org_id = "o") {
    auto& job = table.add(offset);
    job.request = events::InvalidRequest{.request_id = request_id, .org_id = org_id, .user_id = "u", .failure = {}};
    table.set_name(job);
    return job;
  }
  JobTable table;
};

TEST_F(JobTableTest, FindsJobsByOffset) {
  add(4_request, "r");
  ASSERT_NE(table.find(4_request), nullptr);
  EXPECT_EQ(table.find(4_request)->request_id(), "r");
  EXPECT_EQ(table.find(5_request), nullptr);
}

TEST_F(JobTableTest, FindsAllOfOneName) {
  add(9_request, "r");
  add(4_request, "r");
  add(5_request, "s");
  add(6_request, "r", "another");
  EXPECT_EQ(table.named("o", "r"), (Offsets{4_request, 9_request}));
  EXPECT_EQ(table.named("another", "r"), Offsets{6_request});
  EXPECT_EQ(table.named("o", "t"), Offsets{});
}

TEST_F(JobTableTest, ForgetsWhatIsErased) {
  add(4_request, "r");
  add(9_request, "r");
  table.erase(*table.find(4_request));
  EXPECT_EQ(table.find(4_request), nullptr);
  EXPECT_EQ(table.named("o", "r"), Offsets{9_request});
  EXPECT_EQ(table.size(), 1U);
  table.erase(*table.find(9_request));
  EXPECT_TRUE(table.empty());
}

TEST_F(JobTableTest, FindsJobsByTheLowBitsOfTheirUnit) {
  const auto& job = add(4_request, "r");
  constexpr std::uint64_t high_bit = 1ULL << 40U;
  table.attempt_begins(job, high_bit + 7, 5'001);
  EXPECT_EQ(table.with_unit(7), &job);
  EXPECT_EQ(table.with_unit(8), nullptr);
  table.attempt_gone(high_bit + 7, 5'001);
  EXPECT_EQ(table.with_unit(7), nullptr);
}

TEST_F(JobTableTest, CountsAttemptsButNotAnswersToDuplicates) {
  table.attempt_begins(add(4_request, "r"), 1, 5'001);
  table.attempt_begins(add(5_request, "r"), 2, 0);
  EXPECT_EQ(table.attempts(), 1U);
  table.attempt_gone(2, 0);
  EXPECT_EQ(table.attempts(), 1U);
  table.forget_attempts();
  EXPECT_EQ(table.attempts(), 0U);
  EXPECT_EQ(table.with_unit(1), nullptr);
}

TEST_F(JobTableTest, CountsEachThatWaitsForAReportOnce) {
  auto& job = add(4_request, "r");
  table.wait_for_report(job);
  table.wait_for_report(job);
  EXPECT_EQ(table.unreported(), 1U);
  table.reported(job);
  table.reported(job);
  EXPECT_EQ(table.unreported(), 0U);
}

}  // namespace
}  // namespace tokenrail::router
