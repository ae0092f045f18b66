// What is said and committed at a hand-over.
#include "common/events/commit_metadata.hpp"
#include "tests/support/offsets.hpp"
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
  EXPECT_EQ(metadata->dead_letters[0].offset, 1_request);
}

TEST_F(ReleaseTest, LeaseOfAReplacedRequestHoldsUpNoOtherKey) {
  request("a", "k1");
  auto first = make();
  first.take();
  ASSERT_EQ(first.http.started, 1U);
  first.revoke();

  // The topic is created again, and what was committed goes with it.
  environment.advance(1s);
  requests.clear();
  logs[{"chat.requests", 0}].clear();
  committed.clear();
  request("b", "k2");
  request("c", "k1");
  auto second = make();
  second.take();
  EXPECT_EQ(second.http.started, 0U) << "a is being answered at offset 0 under k1";

  first.answer(1);
  first.settle();
  second.settle();
  second.wake();
  ASSERT_EQ(second.http.started, 2U) << "b took the place of a, and c had to wait for a only";
  second.answer(1);
  second.answer(2);
  second.settle();
  std::set<std::string> answered;
  for (const auto& chunk : terminals()) answered.insert(chunk.request_id + " " + chunk.finish_reason);
  EXPECT_EQ(answered, (std::set<std::string>{"a stop", "b stop", "c stop"}));
}

}  // namespace
}  // namespace tokenrail::router
