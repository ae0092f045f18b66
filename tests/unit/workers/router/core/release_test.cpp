// What is said and committed at a hand-over.
#include "common/events/commit_metadata.hpp"
#include "tests/unit/workers/router/core/two_routers.hpp"

namespace tokenrail::router {
namespace {

class ReleaseTest : public RecoveryTest {};

TEST_F(ReleaseTest, ADuplicatesAnswerUnderWayIsNotNamed) {
  request("r1");
  auto router = make();
  router.take();
  router.answer(1);
  router.settle();
  request("r1");
  router.deliver();  // its answer is on its way
  router.revoke();
  ASSERT_EQ(audit(Kind::released).size(), 1U);
  EXPECT_TRUE(audit(Kind::released)[0].continuing.empty());
}

TEST_F(ReleaseTest, TheLastCommitNamesADeadLetterWrittenJustBefore) {
  request("r1");  // runs, so nothing is committed
  auto router = make();
  router.take();
  requests.push_back({.topic = "chat.requests",
                      .partition = 0,
                      .offset = 1,
                      .value = "not JSON",
                      .timestamp_ms = environment.wall.count()});
  router.deliver();
  router.settle();
  ASSERT_EQ((logs[{"chat.requests.dlq", 0}].size()), 1U);
  router.revoke();
  const auto metadata = events::decode_commit_metadata(committed.begin()->second.second);
  ASSERT_TRUE(metadata);
  ASSERT_EQ(metadata->dead_letters.size(), 1U);
  EXPECT_EQ(metadata->dead_letters[0].offset, 1);
}

}  // namespace
}  // namespace tokenrail::router
