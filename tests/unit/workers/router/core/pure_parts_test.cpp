// Tables for the small pure parts of the router's core.
#include <gtest/gtest.h>

#include "workers/router/core/commit_metadata.hpp"
#include "workers/router/core/dead_letter.hpp"
#include "workers/router/core/key_order.hpp"
#include "workers/router/core/log_positions.hpp"
#include "workers/router/core/recent_requests.hpp"
#include "workers/router/core/retry_policy.hpp"

namespace tokenrail::router {
namespace {

using namespace std::chrono_literals;

TEST(CommitMetadata, ReadsWhatItWrites) {
  const CommitMetadata metadata{.epoch = 1'700'000'001, .audit_offset = 42, .chunk_offset = 9'000'000'000};
  EXPECT_EQ(encode(metadata), "tr1 1700000001 42 9000000000");
  EXPECT_EQ(decode_commit_metadata(encode(metadata)), metadata);
}

TEST(CommitMetadata, ReadsThePrefixOfALaterVersion) {
  EXPECT_EQ(decode_commit_metadata("tr1 7 8 9 something=new"),
            (CommitMetadata{.epoch = 7, .audit_offset = 8, .chunk_offset = 9}));
}

TEST(CommitMetadata, IsNothingForTextOfOthersOrDamage) {
  for (const char* text : {"", "tr1", "tr1 ", "tr1 1", "tr1 1 2", "tr1 1 2 ", "tr1 1 2 x", "tr1 -1 2 3", "tr1 1 2 3x",
                           "tr2 1 2 3", "TR1 1 2 3", "tr1  1 2 3", "tr1 1 2 99999999999999999999", "{\"a\":1}"}) {
    EXPECT_EQ(decode_commit_metadata(text), std::nullopt) << text;
  }
}

TEST(KeyOrder, LetsOneOfAKeyRunAndOthersSideBySide) {
  KeyOrder order;
  EXPECT_TRUE(order.enter("a", 1));
  EXPECT_FALSE(order.enter("a", 2));
  EXPECT_TRUE(order.enter("b", 3));
  EXPECT_TRUE(order.enter(std::nullopt, 4));
  EXPECT_TRUE(order.enter(std::nullopt, 5));
  EXPECT_EQ(order.leave("a", 1), 2);
  EXPECT_EQ(order.leave("a", 2), std::nullopt);
  EXPECT_EQ(order.leave("b", 3), std::nullopt);
  EXPECT_EQ(order.keys(), 0U);
}

TEST(KeyOrder, OneThatLeavesFromTheMiddleFreesNobody) {
  KeyOrder order;
  EXPECT_TRUE(order.enter("a", 1));
  EXPECT_FALSE(order.enter("a", 2));
  EXPECT_FALSE(order.enter("a", 3));
  EXPECT_EQ(order.leave("a", 2), std::nullopt);
  EXPECT_EQ(order.leave("a", 1), 3);
  EXPECT_TRUE(order.is_first("a", 3));
}

TEST(KeyOrder, AnEmptyKeyIsAKey) {
  KeyOrder order;
  EXPECT_TRUE(order.enter("", 1));
  EXPECT_FALSE(order.enter("", 2));
}

TEST(LogPositions, KeepThePredecessorsUntilItsRequestsAreCommitted) {
  LogPositions positions(100, 200);
  positions.audit_acknowledged(500, 700);
  positions.chunk_acknowledged(699);
  EXPECT_EQ(positions.at(10).audit, 100);
  EXPECT_EQ(positions.at(10).chunk, 200);
  positions.inheritance_ends(20);
  EXPECT_EQ(positions.at(19).audit, 100);
  EXPECT_EQ(positions.at(20).audit, 501);
  EXPECT_EQ(positions.at(20).chunk, 700);
}

TEST(LogPositions, ReachBackToTheEventsOfIncompleteRequestsAndToUnansweredTerminals) {
  LogPositions positions(0, 0);
  positions.inheritance_ends(0);
  positions.audit_event(5, 50);
  positions.audit_event(6, 60);
  positions.audit_event(5, 70);
  positions.chunk_acknowledged(300);
  positions.terminal(5, 290);
  positions.audit_acknowledged(70, 301);
  EXPECT_EQ(positions.at(5).audit, 50);
  EXPECT_EQ(positions.at(5).chunk, 290);
  positions.answered(5);
  EXPECT_EQ(positions.at(6).audit, 60);
  EXPECT_EQ(positions.at(6).chunk, 301);
  EXPECT_EQ(positions.at(7).audit, 71);
}

TEST(LogPositions, OfTwoTerminalsOfARequestTheLowerStandsUntilItIsAnswered) {
  LogPositions positions(0, 0);
  positions.inheritance_ends(0);
  positions.chunk_acknowledged(300);
  positions.audit_acknowledged(70, 301);
  positions.terminal(5, 100);
  positions.terminal(5, 200);
  EXPECT_EQ(positions.at(5).chunk, 100);
  positions.answered(5);
  EXPECT_EQ(positions.at(6).chunk, 301);
}

TEST(LogPositions, ChunksAfterTheNewestSentEventDoNotCountYet) {
  LogPositions positions(0, 0);
  positions.inheritance_ends(0);
  positions.chunk_acknowledged(10);
  const auto when_sent = positions.chunks_acknowledged();
  positions.chunk_acknowledged(99);
  positions.audit_acknowledged(5, when_sent);
  EXPECT_EQ(positions.at(0).chunk, 11);
}

TEST(RecentRequests, NumbersTheAttemptsOfARequestAndForgetsTheOldest) {
  RecentRequests recent(2);
  EXPECT_EQ(recent.next_attempt("o", "a"), 1);
  EXPECT_EQ(recent.next_attempt("o", "a"), 2);
  EXPECT_EQ(recent.next_attempt("p", "a"), 1);
  EXPECT_EQ(recent.next_attempt("o", "b"), 1);  // forgets (o, a)
  EXPECT_EQ(recent.next_attempt("o", "a"), 1);
}

struct RetryRow {
  const char* name;
  FailedCall call;
  RetryDecision::Action action;
  std::chrono::milliseconds delay_min, delay_max;
};

TEST(RetryPolicy, Table) {
  const RetryRules rules{
      .calls_max = 4, .calls_per_target_max = 2, .delay_base = 500ms, .delay_max = 800ms, .retry_after_max = 10s};
  using enum RetryDecision::Action;
  const RetryRow rows[] = {
      {"not retryable, nowhere else", {.until_deadline = 1min}, give_up, 0ms, 0ms},
      {"not retryable, another host",
       {.try_next = true, .more_targets = true, .until_deadline = 1min},
       next_target,
       0ms,
       0ms},
      {"another host, but the error is the request's own",
       {.more_targets = true, .until_deadline = 1min},
       give_up,
       0ms,
       0ms},
      {"retryable", {.retry = true, .until_deadline = 1min, .random = 1'000'003}, same_target, 0ms, 500ms},
      {"retryable, honours Retry-After exactly",
       {.retry = true, .retry_after = 3s, .until_deadline = 1min},
       same_target,
       3s,
       3s},
      {"Retry-After too long", {.retry = true, .retry_after = 11s, .until_deadline = 1min}, give_up, 0ms, 0ms},
      {"Retry-After too long, another host",
       {.retry = true, .try_next = true, .more_targets = true, .retry_after = 11s, .until_deadline = 1min},
       next_target,
       0ms,
       0ms},
      {"Retry-After passes the deadline", {.retry = true, .retry_after = 3s, .until_deadline = 2s}, give_up, 0ms, 0ms},
      {"second on this host",
       {.calls_made = 2, .calls_on_target = 2, .retry = true, .until_deadline = 1min},
       give_up,
       0ms,
       0ms},
      {"a kind of failure that is not worth a second try",
       {.retry = true, .retries_max = 0, .until_deadline = 1min},
       give_up,
       0ms,
       0ms},
      {"all calls used",
       {.calls_made = 4, .retry = true, .try_next = true, .more_targets = true, .until_deadline = 1min},
       give_up,
       0ms,
       0ms},
      {"no time left", {.try_next = true, .more_targets = true, .until_deadline = 0ms}, give_up, 0ms, 0ms},
  };
  for (const auto& row : rows) {
    const auto decision = decide_retry(rules, row.call);
    EXPECT_EQ(decision.action, row.action) << row.name;
    EXPECT_GE(decision.delay, row.delay_min) << row.name;
    EXPECT_LE(decision.delay, row.delay_max) << row.name;
  }
}

TEST(RetryPolicy, JitterGrowsWithTheCallsAndStaysBelowItsBound) {
  const RetryRules rules{.calls_max = 100, .calls_per_target_max = 100, .delay_base = 500ms, .delay_max = 8s};
  for (int calls = 1; calls < 40; ++calls) {
    const auto largest = decide_retry(rules, {.calls_made = calls,
                                              .calls_on_target = calls,
                                              .retry = true,
                                              .until_deadline = 1h,
                                              .random = 500ULL << std::min(calls - 1, 4)});
    EXPECT_LE(largest.delay, 8s);
  }
}

TEST(DeadLetter, SaysWhereItCameFromInSpringsHeaders) {
  const kafka::Record record{.topic = "chat.requests",
                             .partition = 3,
                             .offset = 258,
                             .key = "k",
                             .value = "nonsense",
                             .headers = {{"own", "kept"}},
                             .timestamp_ms = 1,
                             .log_append_time = true};
  const auto headers = dead_letter_headers(record, "why");
  EXPECT_EQ(kafka::header(headers, "own"), "kept");
  EXPECT_EQ(kafka::header(headers, "kafka_dlt-original-topic"), "chat.requests");
  EXPECT_EQ(kafka::header(headers, "kafka_dlt-original-partition"), std::string_view("\0\0\0\3", 4));
  EXPECT_EQ(kafka::header(headers, "kafka_dlt-original-offset"), std::string_view("\0\0\0\0\0\0\1\2", 8));
  EXPECT_EQ(kafka::header(headers, "kafka_dlt-original-timestamp-type"), "LogAppendTime");
  EXPECT_EQ(kafka::header(headers, "kafka_dlt-exception-message"), "why");
}

}  // namespace
}  // namespace tokenrail::router
