// Histories over two routers: one is lost, or gives its partition up; the other goes on from the logs alone.
#include <gmock/gmock.h>

#include "tests/unit/workers/router/core/two_routers.hpp"

namespace tokenrail::router {
namespace {

using ::testing::HasSubstr;

TEST_F(RecoveryTest, AnAttemptOfALostWorkerIsClosedAndTheRequestRunsAgain) {
  request("r1");
  auto first = make();
  first.take();
  first.http.head(1);
  first.speak(1, "half");
  first.settle();

  auto second = make();
  second.take();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "interrupted");
  EXPECT_EQ(audit(Kind::response)[0].cause, "lost");
  EXPECT_EQ(audit(Kind::response)[0].ids.attempt, audit(Kind::request)[0].ids.attempt);
  ASSERT_EQ(audit(Kind::request).size(), 2U);
  EXPECT_GT(audit(Kind::request)[1].ids.attempt, audit(Kind::request)[0].ids.attempt);
  second.answer(1);
  second.settle();
  second.wake();
  ASSERT_EQ(terminals().size(), 1U);
  EXPECT_EQ(committed.begin()->second.first, 1);
}

TEST_F(RecoveryTest, ATerminalChunkInTheLogIsAnAnswerAndIsNotRunAgain) {
  request("r1");
  auto first = make();
  first.take();
  first.answer(1);
  // The chunks arrive; the worker dies before it can say so in the audit log.
  while (logs[{"chat.chunks", 0}].size() < 2) ASSERT_TRUE(first.producer.acknowledge_one());

  auto second = make();
  second.take();
  EXPECT_EQ(second.http.started, 0U);
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "completed");
  EXPECT_TRUE(audit(Kind::response)[0].recovered);
  EXPECT_THAT(logs[(std::pair{std::string("llm.audit"), 0})].back().value.value(), HasSubstr(R"("calls":null)"));
  EXPECT_EQ(logs[(std::pair{std::string("llm.audit"), 0})].back().key, "k");
  environment.advance(1s);
  second.wake();
  EXPECT_EQ(committed.begin()->second.first, 1);
  EXPECT_EQ(terminals().size(), 1U);
}

TEST_F(RecoveryTest, WhatAStalledWorkerSaysLateIsVoidAndItClaimsAgainOnlyIfTheCoordinatorSaysSo) {
  request("r1");
  auto first = make();
  first.take();
  first.answer(1);  // nothing of it has been delivered yet
  auto second = make();
  second.take();
  ASSERT_EQ(second.http.started, 1U);
  first.producer.acknowledge_all();  // now it is: behind the second's claim
  ASSERT_EQ(audit(Kind::response).size(), 2U);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "interrupted");
  EXPECT_EQ(audit(Kind::response)[1].outcome, "completed");  // of the first attempt: void
  second.answer(1);
  second.settle();
  environment.advance(1s);
  second.wake();
  EXPECT_EQ(committed.begin()->second.first, 1);
  EXPECT_EQ(second.http.started, 1U);
  EXPECT_EQ(audit(Kind::claimed).size(), 2U);
}

TEST_F(RecoveryTest, AnOwnerThatSeesAHigherClaimStopsAndAsksTheCoordinator) {
  request("r1", "a");
  request("r2", "b");
  auto first = make();
  first.take();
  ASSERT_EQ(first.http.calls.size(), 2U);
  auto second = make();
  second.group.stored = committed;
  second.core.consumer_listener().on_assigned({{.topic = "chat.requests", .partition = 0}});
  second.producer.acknowledge_all();  // its claim
  // The first one's next event leaves a gap where the claim is; reading it tells.
  first.answer(1);
  first.producer.acknowledge_all();
  first.producer.acknowledge_all();
  EXPECT_TRUE(first.reader.reads("llm.audit"));
  first.reader.deliver();
  EXPECT_TRUE(first.http.calls.empty());
  ASSERT_EQ(first.group.pending().size(), 1U);
  first.group.answer_commits(kafka::CommitOutcome::not_owner);
  first.producer.acknowledge_all();
  EXPECT_EQ(audit(Kind::claimed).size(), 2U);
}

TEST_F(RecoveryTest, WhatIsGivenUpInOrderIsFinishedWhereItRuns) {
  request("r1");
  request("r2");  // the same conversation: waits
  auto first = make();
  first.take();
  first.http.head(1);
  first.speak(1, "he");
  first.revoke();
  EXPECT_EQ(first.group.releases, 1);

  auto second = make();
  second.take();
  EXPECT_EQ(second.http.started, 0U);  // r1 goes on elsewhere, r2 waits for it
  EXPECT_TRUE(second.reader.reads("llm.audit"));
  EXPECT_TRUE(audit(Kind::response).empty());
  first.speak(1, "llo");
  first.finish(1);
  first.settle();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "completed");
  second.settle();
  EXPECT_EQ(second.http.started, 1U);              // r2
  EXPECT_FALSE(second.reader.reads("llm.audit"));  // quiet again
  second.answer(1);
  second.settle();
  environment.advance(1s);
  second.wake();
  EXPECT_EQ(committed.begin()->second.first, 2);
  EXPECT_EQ(audit(Kind::request).size(), 2U);
  EXPECT_EQ(terminals().size(), 2U);
}

TEST_F(RecoveryTest, APartitionThatComesStraightBackIsClaimedLikeAnyOtherAndNothingIsCut) {
  request("r1");
  auto only = make();
  only.take();
  only.http.head(1);
  only.speak(1, "he");
  only.revoke();
  only.take();
  EXPECT_EQ(audit(Kind::claimed).size(), 2U);
  EXPECT_EQ(only.http.started, 1U);
  only.speak(1, "llo");
  only.finish(1);
  only.settle();
  environment.advance(1s);
  only.wake();
  EXPECT_EQ(audit(Kind::request).size(), 1U);
  EXPECT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(committed.begin()->second.first, 1);
}

TEST_F(RecoveryTest, ADoubledBatchThatBeganUnderAnEarlierOwnershipIsReadLikeAnyOther) {
  request("a", "k1");
  auto router = make();
  router.take();
  const auto first = router.http.newest();
  ASSERT_NE(first, 0);
  router.revoke();
  router.take();

  // The response to what goes on, and the next llm.request: librdkafka sends both twice, and numbers them -1 and 0.
  router.answer(first);
  while (terminals().empty()) ASSERT_TRUE(router.producer.acknowledge_one());
  request("b", "k2");
  router.deliver();
  router.producer.batch_number = -1;
  while (audit(Kind::request).size() < 2) ASSERT_TRUE(router.producer.acknowledge_one());
  router.producer.batch_number.reset();
  router.settle();
  EXPECT_GT(router.http.newest(), first) << "the second request waits for ever to know whether its llm.request counts";
}

TEST_F(RecoveryTest, ALeaseThatIsRenewedHoldsAndOneThatRunsOutIsClosed) {
  request("r1");
  auto first = make();
  first.take();
  first.http.head(1);
  first.speak(1, "he");
  first.revoke();
  auto second = make();
  second.take();
  for (int i = 0; i < 10; ++i) {
    environment.advance(5s);
    first.core.on_wake();
    first.settle();
    second.wake();
  }
  EXPECT_TRUE(audit(Kind::response).empty());
  EXPECT_GE(audit(Kind::continuing).size(), 9U);
  // Its worker dies.
  environment.advance(14s);
  second.wake();
  EXPECT_TRUE(audit(Kind::response).empty());
  environment.advance(2s);
  second.wake();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "interrupted");
  EXPECT_EQ(audit(Kind::response)[0].cause, "lost");
  EXPECT_EQ(second.http.started, 1U);
}

TEST_F(RecoveryTest, ATerminalChunkThatCameBeforeTheLeaseRanOutIsRecovered) {
  request("r1");
  auto first = make();
  first.take();
  first.http.head(1);
  first.revoke();
  auto second = make();
  second.take();
  first.speak(1, "hello");
  first.finish(1);
  while (logs[{"chat.chunks", 0}].size() < 2) ASSERT_TRUE(first.producer.acknowledge_one());
  environment.advance(16s);
  second.wake();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_TRUE(audit(Kind::response)[0].recovered);
  EXPECT_EQ(second.http.started, 0U);
}

TEST_F(RecoveryTest, ADrainThatIsCutShortLetsTheSuccessorRunItAgain) {
  request("r1");
  auto first = make();
  first.take();
  first.http.head(1);
  bool drained = false;
  first.core.drain(5s, [&] { drained = true; });
  first.settle();
  committed = first.group.stored;
  auto second = make();
  second.take();
  EXPECT_EQ(second.http.started, 0U);
  environment.advance(6s);
  first.wake();
  EXPECT_TRUE(drained);
  second.settle();
  EXPECT_EQ(second.http.started, 1U);
  EXPECT_EQ(audit(Kind::response)[0].cause, "drain");
}

// The claim that has made it void lies before the tail that later owners read.
TEST_F(RecoveryTest, WhatAStalledWorkerSaidLateStaysVoidForOwnersThatReadFromBehindTheClaim) {
  options.dedupe_window = 5s;
  request("r1");
  auto stalled = make();
  stalled.take();  // its llm.request is not on its way yet when it stands still …
  request("r2");
  stalled.deliver();
  auto second = make();
  second.take();
  second.answer(1);
  second.settle();
  second.answer(2);
  second.settle();
  // … and comes into the log now, behind the claim and all that its successor did.
  events::LlmRequest late;
  const auto of_stalled = audit(Kind::claimed)[0];
  late.ids = {.epoch = of_stalled.epoch,
              .instance = of_stalled.instance,
              .source_partition = 0,
              .source_offset = events::RequestOffset(1),
              .org_id = "o",
              .request_id = "r2",
              .attempt = of_stalled.epoch * 1'000 + 1};
  const auto one_more = [&](int number) {
    request("later" + std::to_string(number), std::nullopt);
    second.deliver();
    second.settle();
    second.answer(second.http.newest());
    second.settle();
    environment.advance(1s);
    second.wake();
  };
  for (int i = 0; i < 600; ++i) one_more(i);
  logs[{"llm.audit", 0}].push_back(
      {.key = "k", .value = events::to_json(late, 100'000), .timestamp_ms = environment.wall.count()});
  one_more(600);
  const auto metadata = events::decode_commit_metadata(committed.begin()->second.second);
  ASSERT_TRUE(metadata.has_value());
  ASSERT_GT(metadata->audit_offset.value(), 10) << "the tail begins behind the claim";
  const auto responses = audit(Kind::response).size();
  auto third = make();
  third.take();
  EXPECT_EQ(audit(Kind::response).size(), responses) << "nothing was open: " << committed.begin()->second.second;
}

// What holds the commit back may last for hours, and each worker that comes meanwhile reads the same records again.
TEST_F(RecoveryTest, ADeadLetterBehindARequestThatRunsIsNotWrittenAgainByTheSuccessor) {
  request("r1");
  const auto unreadable = [&](std::string value) {
    requests.push_back({.topic = "chat.requests",
                        .partition = 0,
                        .offset = static_cast<std::int64_t>(requests.size()),
                        .value = std::move(value),
                        .timestamp_ms = environment.wall.count()});
    logs[{"chat.requests", 0}].push_back(
        {.value = requests.back().value, .timestamp_ms = requests.back().timestamp_ms});
  };
  unreadable("not JSON");
  unreadable("nor is this");
  const auto letters = [&] { return logs[{"chat.requests.dlq", 0}].size(); };
  auto first = make();
  first.take();
  environment.advance(1s);
  first.wake();
  ASSERT_EQ(letters(), 2U);
  EXPECT_EQ(committed.begin()->second.first, 0) << "the first still runs";

  auto second = make();
  second.take();
  EXPECT_EQ(letters(), 2U);
  environment.advance(1s);
  second.wake();

  // The topic was made anew, and another record lies there.
  requests[2].value = "something else that is not JSON";
  auto third = make();
  third.take();
  ASSERT_EQ(letters(), 3U);
  EXPECT_EQ((logs[{"chat.requests.dlq", 0}].back().value), requests[2].value);
  third.answer(1);
  third.settle();
  environment.advance(1s);
  third.wake();
  EXPECT_EQ(committed.begin()->second.first, 3);
  EXPECT_EQ(committed.begin()->second.second.find("dlq"), std::string::npos) << "nothing stands behind the commit";
}

// --- what a worker that is well leaves open is not lost with it -----------------------------------------------------

TEST_F(RecoveryTest, AttemptsOfARepairThatIsGivenUpAreNotLost) {
  request("r1");
  auto first = make();
  first.take();
  first.http.head(1);
  first.speak(1, "half");
  first.producer.fail_all();  // the repair waits for the coordinator
  first.revoke();
  auto second = make();
  second.take();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "interrupted");
  EXPECT_EQ(audit(Kind::response)[0].cause, "repair");
  EXPECT_EQ(second.http.started, 1U);
  second.answer(1);
  second.settle();
  environment.advance(1s);
  second.wake();
  const auto metadata = events::decode_commit_metadata(committed.begin()->second.second);
  ASSERT_TRUE(metadata.has_value());
  EXPECT_TRUE(metadata->well_workers.empty()) << "nothing of it is open any more";
}

TEST_F(RecoveryTest, AttemptsOfAReleaseThatIsNotAcknowledgedInTimeAreNotLost) {
  request("r1");
  auto first = make();
  first.take();
  first.producer.silent.insert({"llm.audit", 0});
  first.revoke();
  environment.advance(options.release_wait);
  first.wake();
  EXPECT_EQ(first.group.releases, 1);
  committed = first.group.stored;
  auto second = make();
  second.take();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].cause, "repair");
}

TEST_F(RecoveryTest, AttemptsOfAReleaseThatIsRefusedAreNotLost) {
  request("r1");
  auto first = make();
  first.take();
  first.core.consumer_listener().on_revoked({{.topic = "chat.requests", .partition = 0}});
  ASSERT_TRUE(first.producer.refuse_one("llm.audit", 0));
  first.settle();
  EXPECT_EQ(first.group.releases, 1);
  committed = first.group.stored;
  auto second = make();
  second.take();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].cause, "repair");
}

TEST_F(RecoveryTest, ContinuedAttemptsThatTheirWorkerGivesUpAreNotLost) {
  request("r1");
  auto first = make();
  first.take();
  first.http.head(1);
  first.revoke();
  auto second = make();
  second.take();
  first.speak(1, "half");
  first.producer.fail_all();
  first.settle();
  second.settle();
  environment.advance(14s);
  second.wake();
  EXPECT_TRUE(audit(Kind::response).empty()) << "records of it may still be on their way: the lease goes on";
  environment.advance(2s);
  second.wake();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].cause, "repair");
}

TEST_F(RecoveryTest, AttemptsOfAWorkerThatTheGroupHasLostAreLost) {
  request("r1");
  auto first = make();
  first.take();
  first.http.head(1);
  first.speak(1, "half");
  first.producer.fail_all();
  first.core.consumer_listener().on_lost({{.topic = "chat.requests", .partition = 0}});
  first.settle();
  auto second = make();
  second.take();
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].cause, "lost");
}

TEST_F(RecoveryTest, WhatAWorkerRunsBehindAPartitionThatItGaveUpIsLostWithIt) {
  request("r1");
  auto first = make();
  first.take();
  first.http.head(1);
  first.speak(1, "half");
  first.producer.fail_all();
  first.revoke();
  first.take();  // the partition comes back, and r1 runs again
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  ASSERT_EQ(audit(Kind::response)[0].cause, "repair");
  auto second = make();
  second.take();
  ASSERT_EQ(audit(Kind::response).size(), 2U);
  EXPECT_EQ(audit(Kind::response)[1].cause, "lost");
}

TEST_F(RecoveryTest, ARequestThatKillsFiveWorkersIsEndedUncalled) {
  request("r1");
  for (int i = 0; i < 5; ++i) {
    auto next = make();
    next.take();
    EXPECT_EQ(next.http.started, 1U) << i;
  }
  auto last = make();
  last.take();
  EXPECT_EQ(last.http.started, 0U);
  ASSERT_EQ(terminals().size(), 1U);
  EXPECT_EQ(terminals()[0].error_code, "INTERNAL");
  EXPECT_FALSE(audit(Kind::response).back().called);
  environment.advance(1s);
  last.wake();
  EXPECT_EQ(committed.begin()->second.first, 1);
}

// Workers that die before they can say anything leave nothing but their claims.
TEST_F(RecoveryTest, AfterClaimsWithNothingBetweenRequestsArePreparedOneAtATimeBehindTheirLlmRequest) {
  request("r1", "a");
  request("r2", "b");
  for (int i = 0; i < 2; ++i) {
    auto silent = make();
    silent.group.stored = committed;
    silent.core.consumer_listener().on_assigned({{.topic = "chat.requests", .partition = 0}});
    silent.producer.acknowledge_all();
    environment.advance(1s);  // nothing was committed, so the clock tells the epochs apart
  }
  auto third = make();
  third.group.stored = committed;
  third.core.consumer_listener().on_assigned({{.topic = "chat.requests", .partition = 0}});
  third.deliver();
  third.producer.acknowledge_all();
  third.reader.deliver();
  third.questions.answer(third.core);
  while (third.reader.deliver()) {
  }
  third.group.answer_commits();
  ASSERT_EQ(third.producer.unreported(), 1U);  // one llm.request, not two
  third.producer.acknowledge_all();
  ASSERT_EQ(audit(Kind::request).size(), 1U);
  EXPECT_THAT(logs[(std::pair{std::string("llm.audit"), 0})].back().value.value(), HasSubstr(R"("messageCount":0)"));
  EXPECT_EQ(third.http.started, 1U);
  third.wake();
  EXPECT_EQ(third.http.started, 2U);
  third.answer(1);
  third.answer(2);
  third.settle();
  environment.advance(1s);
  third.wake();
  EXPECT_EQ(committed.begin()->second.first, 2);
  EXPECT_EQ(audit(Kind::response).size(), 2U);
}

TEST_F(RecoveryTest, ADuplicateIsAnsweredByAttemptZeroAlsoByASuccessor) {
  request("r1", "a");
  auto first = make();
  first.take();
  first.answer(1);
  first.settle();
  environment.advance(1s);
  first.wake();
  first.revoke();
  EXPECT_EQ(committed.begin()->second.first, 1);
  request("r1", "a");
  auto second = make();
  second.take();
  EXPECT_EQ(second.http.started, 0U);
  ASSERT_EQ(terminals().size(), 2U);
  EXPECT_EQ(terminals()[1].attempt, 0);
  EXPECT_EQ(terminals()[1].finish_reason, "duplicate");
  EXPECT_EQ(terminals()[1].duplicate_of_offset, 0);
  // Not which attempt: a worker lost over the duplicate may have its answer said again when that is another one.
  EXPECT_EQ(terminals()[1].duplicate_of_attempt, std::nullopt);
  EXPECT_EQ(audit(Kind::response)[1].outcome, "duplicate");
  EXPECT_EQ(audit(Kind::request).size(), 1U);
  // Long after, the name may be used again.
  environment.advance(11min);
  request("r1", "a");
  second.deliver();
  second.settle();
  EXPECT_EQ(second.http.started, 1U);
}

TEST_F(RecoveryTest, ARequestIsCancelledBeforeItArrivesWhileItWaitsAndWhileItRuns) {
  cancel("early");
  auto router = make();
  router.core.set_cancellation_partitions(1);
  router.core.connect(&router.reader);
  request("early", "a");
  request("running", "b");
  request("waiting", "b");
  router.take();
  ASSERT_EQ(router.http.started, 1U);
  ASSERT_EQ(terminals().size(), 1U);
  EXPECT_EQ(terminals()[0].finish_reason, "cancelled");
  EXPECT_EQ(terminals()[0].request_id, "early");
  router.http.head(1);
  router.speak(1, "he");
  cancel("waiting");
  router.settle();
  ASSERT_EQ(terminals().size(), 2U);
  EXPECT_EQ(terminals()[1].request_id, "waiting");
  cancel("running");
  router.settle();
  ASSERT_EQ(terminals().size(), 3U);
  EXPECT_EQ(terminals()[2].finish_reason, "cancelled");
  EXPECT_EQ(terminals()[2].seq, 1);
  EXPECT_TRUE(router.http.calls.empty());
  EXPECT_EQ(audit(Kind::response).back().outcome, "cancelled");
  EXPECT_TRUE(audit(Kind::response).back().called);
  environment.advance(1s);
  router.wake();
  EXPECT_EQ(committed.begin()->second.first, 3);
}

}  // namespace
}  // namespace tokenrail::router
