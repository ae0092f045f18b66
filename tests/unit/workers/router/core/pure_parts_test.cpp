// Tables for the small pure parts of the router's core.
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "common/events/audit.hpp"
#include "common/events/commit_metadata.hpp"
#include "tests/support/offsets.hpp"
#include "workers/router/core/cancellations.hpp"
#include "workers/router/core/dead_letter.hpp"
#include "workers/router/core/in_flight.hpp"
#include "workers/router/core/key_order.hpp"
#include "workers/router/core/log_positions.hpp"
#include "workers/router/core/options.hpp"
#include "workers/router/core/recent_requests.hpp"
#include "workers/router/core/retry_policy.hpp"
#include "workers/router/core/window.hpp"

namespace tokenrail::router {
namespace {

using namespace std::chrono_literals;

TEST(KeyOrder, LetsOneOfAKeyRunAndOthersSideBySide) {
  KeyOrder order;
  EXPECT_TRUE(order.enter("a", 1_request));
  EXPECT_FALSE(order.enter("a", 2_request));
  EXPECT_TRUE(order.enter("b", 3_request));
  EXPECT_TRUE(order.enter(std::nullopt, 4_request));
  EXPECT_TRUE(order.enter(std::nullopt, 5_request));
  EXPECT_EQ(order.leave("a", 1_request), 2_request);
  EXPECT_EQ(order.leave("a", 2_request), std::nullopt);
  EXPECT_EQ(order.leave("b", 3_request), std::nullopt);
  EXPECT_EQ(order.keys(), 0U);
}

TEST(KeyOrder, OneThatLeavesFromTheMiddleFreesNobody) {
  KeyOrder order;
  EXPECT_TRUE(order.enter("a", 1_request));
  EXPECT_FALSE(order.enter("a", 2_request));
  EXPECT_FALSE(order.enter("a", 3_request));
  EXPECT_EQ(order.leave("a", 2_request), std::nullopt);
  EXPECT_EQ(order.leave("a", 1_request), 3_request);
  EXPECT_TRUE(order.is_first("a", 3_request));
}

TEST(KeyOrder, StandsInTheOrderOfTheLogAndNobodyTwice) {
  KeyOrder order;
  EXPECT_TRUE(order.enter("a", 5_request));
  EXPECT_FALSE(order.enter("a", 9_request));
  EXPECT_TRUE(order.enter("a", 5_request));
  EXPECT_FALSE(order.enter("a", 7_request));
  EXPECT_EQ(order.leave("a", 5_request), 7_request);
  EXPECT_EQ(order.leave("a", 7_request), 9_request);
  EXPECT_EQ(order.leave("a", 9_request), std::nullopt);
}

TEST(KeyOrder, AnEmptyKeyIsAKey) {
  KeyOrder order;
  EXPECT_TRUE(order.enter("", 1_request));
  EXPECT_FALSE(order.enter("", 2_request));
}

events::AuditFacts about(events::AuditFacts::Kind kind, std::int64_t source_offset, std::int64_t attempt,
                         std::string outcome = "") {
  return {.kind = kind,
          .ids = {.epoch = 7,
                  .instance = "i",
                  .source_offset = events::RequestOffset(source_offset),
                  .org_id = "o",
                  .request_id = "r" + std::to_string(source_offset),
                  .attempt = attempt},
          .epoch = 7,
          .instance = "i",
          .outcome = std::move(outcome)};
}
using Kind = events::AuditFacts::Kind;

using events::AuditOffset;
using events::ChunkOffset;

class LogPositionsTest : public ::testing::Test {
 protected:
  LogPositions positions{600'000ms, 1'000'000};
  events::AuditFold fold;
  static constexpr Millis now{1'000'000'000};

  void event(std::int64_t audit_offset, const events::AuditFacts& facts, Millis at = now - 700'000ms,
             std::size_t bytes = 500) {
    fold.apply(AuditOffset(audit_offset), facts);
    positions.event(AuditOffset(audit_offset), at, bytes);
  }
  [[nodiscard]] std::int64_t audit_at(std::int64_t committed, std::int64_t accounted) {
    return positions.at(events::RequestOffset(committed), fold, AuditOffset(accounted), now).audit.value();
  }
  [[nodiscard]] std::int64_t chunk_at(std::int64_t committed, std::int64_t accounted) {
    return positions.at(events::RequestOffset(committed), fold, AuditOffset(accounted), now).chunk.value();
  }
};

TEST_F(LogPositionsTest, ReachBackToTheEventsOfIncompleteRequestsAndToUnansweredTerminals) {
  positions.recovered(ChunkOffset(200));
  event(50, about(Kind::request, 5, 7001));
  event(60, about(Kind::request, 6, 7001));
  positions.chunk_acknowledged(ChunkOffset(300));
  positions.terminal(5_request, 7001, ChunkOffset(290));
  positions.own_event_counts(ChunkOffset(301));
  event(80, about(Kind::request, 9, 7001), now);
  EXPECT_EQ(audit_at(5, 81), 50);
  EXPECT_EQ(chunk_at(5, 81), 290);
  positions.answered(5_request, 7001);
  EXPECT_EQ(audit_at(6, 81), 60);
  EXPECT_EQ(chunk_at(6, 81), 301);
}

TEST_F(LogPositionsTest, ATailThatIsReadAgainAfterARepairCountsOnce) {
  for (int time = 0; time < 3; ++time) {
    for (std::int64_t i = 0; i < 8; ++i) positions.event(AuditOffset(i), now - Millis((8 - i) * 2'000), 100'000);
  }
  EXPECT_EQ(audit_at(5, 8), 0) << "800 kB, all of the window";
  EXPECT_EQ(positions.windows_cut(), 0U);
}

TEST_F(LogPositionsTest, OfTwoTerminalsOfARequestTheLowerStandsUntilItIsAnswered) {
  positions.recovered(ChunkOffset(300));
  positions.terminal(5_request, 7001, ChunkOffset(100));
  positions.terminal(5_request, 8001, ChunkOffset(200));
  EXPECT_EQ(chunk_at(5, 81), 100);
  positions.answered(5_request, 7001);
  EXPECT_EQ(chunk_at(5, 81), 200);
  positions.answered(5_request, 8001);
  EXPECT_EQ(chunk_at(6, 81), 300);
}

TEST_F(LogPositionsTest, ChunksAfterTheNewestEventWasSentDoNotCountYet) {
  positions.recovered(ChunkOffset(5));
  positions.chunk_acknowledged(ChunkOffset(10));
  const auto when_sent = positions.chunks_acknowledged();
  positions.chunk_acknowledged(ChunkOffset(99));
  EXPECT_EQ(chunk_at(0, 1), 5);
  positions.own_event_counts(when_sent);
  EXPECT_EQ(chunk_at(0, 1), 11);
}

TEST_F(LogPositionsTest, TheChunkTailBeginsAtTheFirstChunkOfEveryOpenAttempt) {
  positions.recovered(ChunkOffset(40));
  positions.begun(5_request, 7001, ChunkOffset(30));  // goes on elsewhere; its first chunk has been read
  positions.begun(6_request, 8001, ChunkOffset(40));
  positions.chunk_acknowledged(ChunkOffset(90));
  positions.own_event_counts(ChunkOffset(91));
  positions.terminal(6_request, 8001, ChunkOffset(90));
  EXPECT_EQ(chunk_at(5, 3), 30);
  positions.answered(5_request, 7001);
  EXPECT_EQ(chunk_at(6, 4), 40);
  positions.answered(6_request, 8001);
  EXPECT_EQ(chunk_at(7, 5), 91);
}

TEST_F(LogPositionsTest, ATerminalChunkOfUnknownPlaceStandsNoHigherThanWhatWasAcknowledgedBefore) {
  positions.recovered(ChunkOffset(0));
  positions.chunk_acknowledged(ChunkOffset(70));
  positions.terminal(5_request, 7001, ChunkOffset(-1));
  positions.own_event_counts(ChunkOffset(100));
  EXPECT_LE(chunk_at(5, 1), 71);
}

TEST_F(LogPositionsTest, TheTailReachesBackOverTheWindowForDuplicates) {
  positions.recovered(ChunkOffset(0));
  for (int minute = 0; minute < 30; ++minute) {
    event(100 + minute, about(Kind::request, minute, 7001), now - 60'000ms * (30 - minute));
  }
  // 10 minutes and what lies just before them.
  EXPECT_EQ(audit_at(30, 130), 120);
  EXPECT_EQ(positions.windows_cut(), 0U);
}

TEST_F(LogPositionsTest, TheWindowIsCutWhereItsBytesWouldBeTooMany) {
  positions.recovered(ChunkOffset(0));
  for (int i = 0; i < 10; ++i) event(100 + i, about(Kind::request, i, 7001), now - 1'000ms * (10 - i), 300'000);
  EXPECT_EQ(audit_at(30, 110), 107);
  EXPECT_GT(positions.windows_cut(), 0U);
}

TEST(RecentRequests, NumbersTheAttemptsOfARequestUnderAnEpochAndForgetsTheOldest) {
  RecentRequests recent(2, 600'000);
  EXPECT_EQ(recent.next_attempt("o", "a", 1_request, 0, 7), 1);
  EXPECT_EQ(recent.next_attempt("o", "a", 1_request, 0, 7), 2);
  EXPECT_EQ(recent.next_attempt("o", "a", 1_request, 0, 8), 1);
  EXPECT_EQ(recent.next_attempt("p", "a", 2_request, 0, 8), 1);
  EXPECT_EQ(recent.next_attempt("o", "b", 3_request, 0, 8), 2);  // forgets (o, a), whose number stays taken
  EXPECT_EQ(recent.next_attempt("o", "a", 1_request, 0, 8), 2);
}

TEST(RecentRequests, ForgetWhereARequestWasLostAndNotHowOftenItWasAttempted) {
  RecentRequests recent(10, 600'000);
  EXPECT_EQ(recent.next_attempt("o", "lost", 3_request, 0, 7), 1);
  recent.seen("o", "answered", 4_request, 0);
  recent.seen("o", "behind", 5_request, 0);
  const auto gone = [](const events::RequestName& name, events::RequestOffset) {
    return name != events::RequestName("o", "answered");
  };
  EXPECT_TRUE(recent.forget_in(3_request, 5_request, gone));
  EXPECT_EQ(recent.find("o", "lost")->offset, RecentRequests::nowhere);
  EXPECT_EQ(recent.find("o", "answered")->offset, 4_request);
  EXPECT_EQ(recent.find("o", "behind")->offset, 5_request);
  EXPECT_EQ(recent.seen("o", "lost", 9_request, 50).offset, 9_request);
  EXPECT_EQ(recent.find("o", "lost")->at_ms, 50);
  EXPECT_EQ(recent.next_attempt("o", "lost", 9_request, 50, 7), 2);
  EXPECT_FALSE(recent.forget_in(3_request, 5_request, gone));
  recent.moved("o", "behind", 8_request, 60);
  EXPECT_EQ(recent.find("o", "behind")->offset, 8_request);
}

TEST(RecentRequests, KeepTheLowestOffset) {
  RecentRequests recent(10, 600'000);
  recent.seen("o", "a", 20_request, 2'000);
  recent.seen("o", "a", 10_request, 1'000);
  recent.seen("o", "a", 30_request, 3'000);
  ASSERT_NE(recent.find("o", "a"), nullptr);
  EXPECT_EQ(recent.find("o", "a")->offset, 10_request);
  EXPECT_EQ(recent.find("o", "a")->at_ms, 1'000);
  EXPECT_EQ(recent.find("o", "b"), nullptr);
}

TEST(RecentRequests, OneThatComesWhenTheWindowIsOverBeginsANewOne) {
  RecentRequests recent(10, 1'000);
  recent.seen("o", "a", 1_request, 0).attempt = 7'001;
  EXPECT_EQ(recent.seen("o", "a", 2_request, 1'000).offset, 1_request);
  EXPECT_EQ(recent.seen("o", "a", 3_request, 1'001).offset, 3_request);
  EXPECT_EQ(recent.find("o", "a")->attempt, 0);
  EXPECT_EQ(recent.seen("o", "a", 4_request, 2'001).offset, 3_request);
  EXPECT_EQ(recent.seen("o", "a", 1_request, 0).offset, 3_request) << "which still runs, and is no part of this window";
}

TEST(RecentRequests, NoWindowBeginsWhereNoMoreNumbersAreLeft) {
  RecentRequests recent(10, 1'000);
  for (std::int64_t n = 1; n <= RecentRequests::attempts_max; ++n)
    EXPECT_EQ(recent.next_attempt("o", "a", events::RequestOffset(n), n * 2'000, 7), n);
  EXPECT_LT(recent.seen("o", "a", 1'000_request, 2'000'000).offset, 999_request);
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
      {"retryable, waits for Retry-After",
       {.retry = true, .retry_after = 3s, .until_deadline = 1min},
       same_target,
       3s,
       3s},
      {"retryable, waits up to a tenth longer",
       {.retry = true, .retry_after = 3s, .until_deadline = 1min, .random = 300},
       same_target,
       3'300ms,
       3'300ms},
      {"not longer than that",
       {.retry = true, .retry_after = 3s, .until_deadline = 1min, .random = 301},
       same_target,
       3s,
       3s},
      {"not up to the deadline",
       {.retry = true, .retry_after = 3s, .until_deadline = 3'100ms, .random = 300},
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

TEST(RetryPolicy, TheFirstDelayIsWithinTheBaseAndEachNextWithinTwiceAsMuch) {
  const RetryRules rules{.calls_max = 100, .calls_per_target_max = 100, .delay_base = 500ms, .delay_max = 8s};
  const auto delay = [&](int calls, std::uint64_t random) {
    return decide_retry(
               rules,
               {.calls_made = calls, .calls_on_target = calls, .retry = true, .until_deadline = 1h, .random = random})
        .delay;
  };
  auto bound = 500ms;
  for (int calls = 1; calls <= 5; ++calls, bound *= 2) {
    const auto most = static_cast<std::uint64_t>(bound.count());
    EXPECT_EQ(delay(calls, most), bound) << calls;
    EXPECT_EQ(delay(calls, most + 1), 0ms) << calls;
  }
  EXPECT_EQ(delay(6, 8'000), 8s);
  EXPECT_EQ(delay(6, 8'001), 0ms);
}

TEST(RetryPolicy, ADelayUpToTheDeadlineIsNotWaitedFor) {
  const RetryRules rules{.retry_after_max = 60s};
  const auto decide = [&](std::chrono::milliseconds after, std::chrono::milliseconds until) {
    return decide_retry(rules, {.retry = true, .retry_after = after, .until_deadline = until}).action;
  };
  EXPECT_EQ(decide(5s, 5s), RetryDecision::Action::give_up);
  EXPECT_EQ(decide(5s, 5'001ms), RetryDecision::Action::same_target);
  EXPECT_EQ(decide(60s, 1h), RetryDecision::Action::same_target) << "exactly as long as is waited for";
  EXPECT_EQ(decide(60'001ms, 1h), RetryDecision::Action::give_up);
}

TEST(DeadLetter, ExactlyWhatFitsIsWhole) {
  const kafka::Record record{.topic = "chat.requests", .offset = 1, .key = "k", .value = std::string(5'000, 'v')};
  std::size_t least = 5'000;
  while (!dead_letter_record(record, "why", least).value) ++least;
  EXPECT_LT(least, 5'500U);
  EXPECT_FALSE(kafka::header(dead_letter_record(record, "why", least).headers, "kafka_dlt-value-omitted"));
  EXPECT_TRUE(kafka::header(dead_letter_record(record, "why", least - 1).headers, "kafka_dlt-value-omitted"));
}

TEST(DeadLetter, LeavesOutWhatDoesNotFitTheValueFirst) {
  kafka::Record record{.topic = "chat.requests",
                       .offset = 1,
                       .key = std::string(2'000, 'k'),
                       .value = std::string(20'000, 'v'),
                       .headers = {{"own", std::string(3'000, 'h')}}};
  const auto whole = dead_letter_record(record, "why", 30'000);
  EXPECT_EQ(whole.value, record.value);
  EXPECT_EQ(whole.key, record.key);
  struct Row {
    std::size_t bytes_max;
    bool key, headers;
  };
  for (const auto& row : {Row{10'000, true, true}, Row{5'000, false, true}, Row{2'500, false, false}}) {
    const auto letter = dead_letter_record(record, "why", row.bytes_max);
    EXPECT_EQ(letter.value, std::nullopt);
    EXPECT_TRUE(kafka::header(letter.headers, "kafka_dlt-value-omitted"));
    EXPECT_EQ(letter.key.has_value(), row.key);
    EXPECT_NE(kafka::header(letter.headers, "kafka_dlt-key-omitted").has_value(), row.key);
    EXPECT_EQ(kafka::header(letter.headers, "own").has_value(), row.headers);
    EXPECT_EQ(kafka::header(letter.headers, "kafka_dlt-original-topic"), "chat.requests");
    std::size_t bytes = letter.key ? letter.key->size() : 0;
    for (const auto& [name, content] : letter.headers) bytes += name.size() + content.value_or("").size();
    EXPECT_LE(bytes, row.bytes_max);
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
  const auto headers = dead_letter_record(record, "why", 10'000).headers;
  EXPECT_EQ(kafka::header(headers, "own"), "kept");
  EXPECT_EQ(kafka::header(headers, "kafka_dlt-original-topic"), "chat.requests");
  EXPECT_EQ(kafka::header(headers, "kafka_dlt-original-partition"), std::string_view("\0\0\0\3", 4));
  EXPECT_EQ(kafka::header(headers, "kafka_dlt-original-offset"), std::string_view("\0\0\0\0\0\0\1\2", 8));
  EXPECT_EQ(kafka::header(headers, "kafka_dlt-original-timestamp-type"), "LogAppendTime");
  EXPECT_EQ(kafka::header(headers, "kafka_dlt-exception-message"), "why");
}

TEST(Cancellations, AreRememberedForTheirWindowAndTheOldestForgottenFirst) {
  Cancellations cancellations(600s, 2);
  cancellations.remember("acme", "r-1", 1'000s);
  EXPECT_TRUE(cancellations.contains("acme", "r-1", 1'600s));
  EXPECT_FALSE(cancellations.contains("acme", "r-1", 1'601s));
  EXPECT_FALSE(cancellations.contains("other", "r-1", 1'000s));
  cancellations.remember("acme", "r-1", 1'700s);
  EXPECT_TRUE(cancellations.contains("acme", "r-1", 2'300s));
  cancellations.remember("acme", "r-2", 1'700s);
  cancellations.remember("acme", "r-3", 1'700s);
  EXPECT_FALSE(cancellations.contains("acme", "r-1", 1'700s));
  EXPECT_TRUE(cancellations.contains("acme", "r-3", 1'700s));
}

TEST(Cancellations, AreReadWhenEveryPartitionHasBeen) {
  Cancellations cancellations(600s, 2);
  EXPECT_TRUE(cancellations.unread().empty());
  cancellations.expect(2);
  EXPECT_TRUE(cancellations.read_to_end(1));
  EXPECT_FALSE(cancellations.read_to_end(1));
  EXPECT_EQ(cancellations.unread().size(), 1U);
  EXPECT_TRUE(cancellations.read_to_end(0));
  EXPECT_TRUE(cancellations.unread().empty());
}

TEST(InFlight, ARecordThatIsReadAgainHasItsPlacesAlready) {
  InFlight in_flight({.process = 2, .org = 1, .connection = 1});
  in_flight.fetch_started("a", "c");
  EXPECT_TRUE(in_flight.has_room());
  EXPECT_FALSE(in_flight.org_has_room("a"));
  EXPECT_FALSE(in_flight.connection_has_room("c"));
  in_flight.started("b", "");
  EXPECT_FALSE(in_flight.has_room());
  EXPECT_EQ(in_flight.attempts(), 1U);
  in_flight.fetch_over("a", "c");
  in_flight.connection_changed("", "c");
  EXPECT_FALSE(in_flight.connection_has_room("c"));
  in_flight.connection_changed("c", "d");
  EXPECT_TRUE(in_flight.connection_has_room("c"));
  in_flight.over("b", "d");
  EXPECT_TRUE(in_flight.connection_has_room("d"));
  EXPECT_TRUE(in_flight.org_has_room("a"));
  EXPECT_TRUE(in_flight.org_has_room("b"));
}

TEST(Window, IsFullByRequestsOrBytesAndReadAgainOnlyWithRoomToSpare) {
  Window window({.requests = 8, .bytes = 100});
  for (int i = 0; i < 8; ++i) window.enter(1);
  EXPECT_TRUE(window.full());
  window.leave(1);
  EXPECT_FALSE(window.full());
  EXPECT_FALSE(window.roomy());
  window.leave(1);
  EXPECT_TRUE(window.roomy());
  window.enter(94);
  EXPECT_TRUE(window.full());
  EXPECT_EQ(window.requests(), 7U);
  EXPECT_EQ(window.bytes(), 100U);
}

TEST(Window, IsCrowdedWhereThoseThatWaitFillHalfOfWhatTheRunningLeave) {
  Window window({.requests = 20, .bytes = 1'000});
  for (int i = 0; i < 14; ++i) window.enter(1);
  EXPECT_FALSE(window.crowded(10));
  window.enter(1);
  EXPECT_TRUE(window.crowded(10));
  EXPECT_FALSE(window.crowded(12));
  window.put_back(1, 250);
  window.enter(1);
  EXPECT_FALSE(window.crowded(10)) << "what is kept of those that were put back is too much itself";
  window.back(1, 250);
  EXPECT_TRUE(window.crowded(10));
}

TEST(RouterOptions, ListNoMoreAttemptsThanFitARecordOfOwnership) {
  for (const std::size_t bytes_max : {std::size_t{16'384}, std::size_t{65'536}, std::size_t{900} * 1'024}) {
    const auto most = attempts_listed_max(bytes_max, 15'000);
    events::RouterReleased event{
        .epoch = events::epoch_max, .instance = std::string(16, 'f'), .partition = 999'999, .lease_ms = INT64_MAX};
    for (std::size_t i = 0; i < most; ++i)
      event.continuing.push_back({.offset = events::RequestOffset(INT64_MAX), .attempt = INT64_MAX});
    EXPECT_LE(events::to_json(event).size(), bytes_max) << most;
  }
  EXPECT_EQ(attempts_listed_max(std::size_t{900} * 1'024, 15'000), 15'000U) << "the defaults go together";
  EXPECT_EQ(attempts_listed_max(0, 15'000), 1U);
}

}  // namespace
}  // namespace tokenrail::router
