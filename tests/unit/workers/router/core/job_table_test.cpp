#include "workers/router/core/job_table.hpp"

#include <gtest/gtest.h>

#include "workers/router/core/attempt.hpp"

namespace tokenrail::router {
namespace {

using Offsets = std::vector<std::int64_t>;

class JobTableTest : public ::testing::Test {
 protected:
  Job& add(std::int64_t offset, const std::string& request_id, const std::string& org_id = "o") {
    auto& job = table.add(offset);
    job.request = events::InvalidRequest{.request_id = request_id, .org_id = org_id, .user_id = "u", .failure = {}};
    table.set_name(job);
    return job;
  }
  JobTable table;
};

TEST_F(JobTableTest, FindsJobsByOffset) {
  add(4, "r");
  ASSERT_NE(table.find(4), nullptr);
  EXPECT_EQ(table.find(4)->request_id(), "r");
  EXPECT_EQ(table.find(5), nullptr);
}

TEST_F(JobTableTest, FindsAllOfOneName) {
  add(9, "r");
  add(4, "r");
  add(5, "s");
  add(6, "r", "another");
  EXPECT_EQ(table.named("o", "r"), (Offsets{4, 9}));
  EXPECT_EQ(table.named("another", "r"), Offsets{6});
  EXPECT_EQ(table.named("o", "t"), Offsets{});
}

TEST_F(JobTableTest, ForgetsWhatIsErased) {
  add(4, "r");
  add(9, "r");
  table.erase(*table.find(4));
  EXPECT_EQ(table.find(4), nullptr);
  EXPECT_EQ(table.named("o", "r"), Offsets{9});
  EXPECT_EQ(table.size(), 1U);
  table.erase(*table.find(9));
  EXPECT_TRUE(table.empty());
}

TEST_F(JobTableTest, FindsJobsByTheLowBitsOfTheirUnit) {
  const auto& job = add(4, "r");
  constexpr std::uint64_t high_bit = 1ULL << 40U;
  table.attempt_begins(job, high_bit + 7, 5'001);
  EXPECT_EQ(table.with_unit(7), &job);
  EXPECT_EQ(table.with_unit(8), nullptr);
  table.attempt_gone(high_bit + 7, 5'001);
  EXPECT_EQ(table.with_unit(7), nullptr);
}

TEST_F(JobTableTest, CountsAttemptsButNotAnswersToDuplicates) {
  table.attempt_begins(add(4, "r"), 1, 5'001);
  table.attempt_begins(add(5, "r"), 2, 0);
  EXPECT_EQ(table.attempts(), 1U);
  table.attempt_gone(2, 0);
  EXPECT_EQ(table.attempts(), 1U);
  table.forget_attempts();
  EXPECT_EQ(table.attempts(), 0U);
  EXPECT_EQ(table.with_unit(1), nullptr);
}

TEST_F(JobTableTest, CountsEachThatWaitsForAReportOnce) {
  auto& job = add(4, "r");
  table.wait_for_report(job);
  table.wait_for_report(job);
  EXPECT_EQ(table.unreported(), 1U);
  table.reported(job);
  table.reported(job);
  EXPECT_EQ(table.unreported(), 0U);
}

}  // namespace
}  // namespace tokenrail::router
