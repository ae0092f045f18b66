// The router's core between fake clients: what it does with records, reports, provider bytes and time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

using ::testing::HasSubstr;

TEST_F(RouterCoreTest, AnswersARequestFromClaimToCommit) {
  assign();
  request("r1");
  settle();
  ASSERT_EQ(http.calls.size(), 1U);
  const auto call = http.newest();
  http.head(call);
  speak(call, "Hel");
  speak(call, "lo");
  finish(call);
  settle();

  const auto said = chunks();
  ASSERT_EQ(said.size(), 3U);
  EXPECT_EQ(said[0].delta, "Hel");
  EXPECT_EQ(said[1].delta, "lo");
  EXPECT_EQ(said[0].seq, 0);
  EXPECT_EQ(said[1].seq, 1);
  EXPECT_EQ(said[2].seq, 2);
  EXPECT_TRUE(said[2].done);
  EXPECT_EQ(said[2].finish_reason, "stop");
  ASSERT_TRUE(said[2].usage);
  EXPECT_EQ(said[2].usage->input_tokens, 5);
  EXPECT_EQ(said[2].source_offset, 0);

  EXPECT_EQ(audit(Kind::claimed).size(), 1U);
  ASSERT_EQ(audit(Kind::request).size(), 1U);
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  const auto epoch = audit(Kind::claimed)[0].epoch;
  EXPECT_EQ(audit(Kind::request)[0].epoch, epoch);
  EXPECT_EQ(audit(Kind::response)[0].ids.attempt, epoch * 1000 + 1);
  EXPECT_TRUE(audit(Kind::response)[0].called);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "completed");

  wake_after(1s);
  settle();
  EXPECT_EQ((group->stored[{.topic = "chat.requests", .partition = 0}].first), 1);
}

TEST_F(RouterCoreTest, CallsNobodyBeforeItsClaimIsCommittedAndItsRequestIsAnnounced) {
  core->consumer_listener().on_assigned({{.topic = "chat.requests", .partition = 0}});
  request("r1");
  EXPECT_EQ(http.started, 0U);
  producer->acknowledge_all();  // the claim
  reader->deliver();            // the record at which reading starts
  questions.answer(*core);      // where its time lies in the logs
  while (reader->deliver()) {   // what the logs say up to it
  }
  EXPECT_EQ(http.started, 0U);
  EXPECT_EQ(producer->unreported(), 0U);
  group->answer_commits();                // the commit under the new epoch
  EXPECT_EQ(producer->unreported(), 1U);  // llm.request
  EXPECT_EQ(http.started, 0U);
  producer->acknowledge_all();
  EXPECT_EQ(http.started, 1U);
}

TEST_F(RouterCoreTest, CommitsOfDifferentPartitionsHaveDifferentTokens) {
  core->consumer_listener().on_assigned(
      {{.topic = "chat.requests", .partition = 0}, {.topic = "chat.requests", .partition = 1}});
  producer->acknowledge_all();
  reader->deliver();
  questions.answer(*core);
  while (reader->deliver()) {
  }
  ASSERT_EQ(group->pending().size(), 2U);
  EXPECT_NE(group->pending()[0].token, group->pending()[1].token);
}

TEST_F(RouterCoreTest, ASuccessorsAttemptsHaveHigherNumbers) {
  group->stored[{.topic = "chat.requests", .partition = 0}] = {0, "tr1 41 7 9"};
  producer->logs[{"llm.audit", 0}].resize(10, {.value = R"({"type":"llm.other"})"});
  producer->logs[{"chat.chunks", 0}].resize(9, {.value = "{}"});
  assign();
  request("r1");
  settle();
  EXPECT_EQ(audit(Kind::claimed).at(0).epoch, events::epoch_above(41, 0));
  EXPECT_EQ(audit(Kind::request).at(0).ids.attempt, 1'024'001);
  EXPECT_THAT((group->stored[{.topic = "chat.requests", .partition = 0}].second), HasSubstr("tr1 1024 10 9"));
}

TEST_F(RouterCoreTest, AKeysNextRequestWaitsForTheTerminalChunkOfTheOneBefore) {
  assign();
  request("r1");
  request("r2");
  request("r3", "", "other");
  settle();
  EXPECT_EQ(http.started, 2U);
  answer(1);
  EXPECT_EQ(http.started, 2U) << "sent is not acknowledged";
  settle();
  EXPECT_EQ(http.started, 3U);
}

TEST_F(RouterCoreTest, RequestsWithoutAKeyRunSideBySide) {
  assign();
  request("r1", "", std::nullopt);
  request("r2", "", std::nullopt);
  settle();
  EXPECT_EQ(http.started, 2U);
}

TEST_F(RouterCoreTest, WhatIsNotJsonGoesToTheDeadLettersUntouchedAndIsComplete) {
  assign();
  record("this is not JSON \xff");
  settle();
  wake_after(1s);
  settle();
  const auto& letters = producer->logs[{"chat.requests.dlq", 0}];
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].value, "this is not JSON \xff");
  EXPECT_EQ(letters[0].key, "k");
  EXPECT_TRUE(kafka::header(letters[0].headers, "kafka_dlt-exception-message"));
  EXPECT_EQ((group->stored[{.topic = "chat.requests", .partition = 0}].first), 1);
  EXPECT_TRUE(chunks().empty());
}

TEST_F(RouterCoreTest, AnUnknownModelIsRefusedWithBothAuditEventsAndNoCall) {
  assign();
  request("r1", "", "k", R"("modelProvider":"ollama","modelName":"nope",)");
  settle();
  ASSERT_EQ(chunks().size(), 1U);
  EXPECT_EQ(chunks()[0].finish_reason, "error");
  EXPECT_EQ(chunks()[0].error_code, "MODEL_NOT_FOUND");
  EXPECT_EQ(chunks()[0].delta, std::nullopt);
  EXPECT_EQ(audit(Kind::request).size(), 1U);
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_FALSE(audit(Kind::response)[0].called);
  EXPECT_EQ(http.started, 0U);
}

TEST_F(RouterCoreTest, NoModelMeansTheDefault) {
  assign();
  request("r1", "", "k", "");
  settle();
  EXPECT_EQ(http.started, 1U);
}

TEST_F(RouterCoreTest, AWrongFieldIsAnsweredNotDropped) {
  assign();
  request("r1", R"("temperature":"hot",)");
  settle();
  ASSERT_EQ(chunks().size(), 1U);
  EXPECT_EQ(chunks()[0].error_code, "INVALID_REQUEST");
  EXPECT_THAT(chunks()[0].error_message, HasSubstr("temperature"));
}

TEST_F(RouterCoreTest, WithoutStreamTheAnswerIsOneDelta) {
  assign();
  request("r1", R"("stream":false,)");
  settle();
  const auto call = http.newest();
  http.head(call);
  http.body(call, R"({"model":"m","message":{"role":"assistant","content":"whole"},"done":true,"done_reason":"stop"})");
  http.end(call);
  settle();
  ASSERT_EQ(chunks().size(), 2U);
  EXPECT_EQ(chunks()[0].delta, "whole");
  EXPECT_TRUE(chunks()[1].done);
}

TEST_F(RouterCoreTest, AFailureBeforeTheFirstTokenIsTriedAgain) {
  assign();
  request("r1");
  settle();
  http.head(1, 503);
  http.body(1, R"({"error":"server busy"})");
  http.end(1);
  for (int i = 0; i < 20 && http.started < 2; ++i) wake_after(500ms);
  ASSERT_EQ(http.started, 2U);
  answer(2);
  settle();
  EXPECT_EQ(chunks().back().finish_reason, "stop");
}

TEST_F(RouterCoreTest, AFailureAfterTheFirstTokenEndsTheAttempt) {
  assign();
  request("r1");
  settle();
  http.head(1);
  speak(1, "half");
  http.end(1, http::Ending::broken);
  settle();
  EXPECT_EQ(http.started, 1U);
  ASSERT_EQ(chunks().size(), 2U);
  EXPECT_EQ(chunks()[1].finish_reason, "error");
  EXPECT_EQ(chunks()[1].seq, 1);
}

TEST_F(RouterCoreTest, AProviderThatIsAwaySaysSoWithAMessageThatHelps) {
  assign();
  request("r1");
  settle();
  for (int i = 0; i < 60 && chunks().empty(); ++i) {
    if (http.newest() != 0) http.end(http.newest(), http::Ending::connect_failed);
    wake_after(1s);
    settle();
  }
  ASSERT_EQ(chunks().size(), 1U);
  EXPECT_EQ(chunks()[0].error_code, "PROVIDER_UNAVAILABLE");
  EXPECT_FALSE(chunks()[0].error_message.empty());
}

TEST_F(RouterCoreTest, ARequestPastItsDeadlineEndsWithoutACallEvenOutOfTurn) {
  assign();
  request("r1");
  request("r2", R"("timeoutMs":5000,)");
  settle();
  EXPECT_EQ(http.started, 1U);
  wake_after(6s);
  settle();
  ASSERT_EQ(chunks().size(), 1U);
  EXPECT_EQ(chunks()[0].request_id, "r2");
  EXPECT_EQ(chunks()[0].error_code, "DEADLINE_EXCEEDED");
  EXPECT_EQ(http.started, 1U);
  answer(1);
  settle();
  EXPECT_EQ(chunks().back().request_id, "r1");
  EXPECT_EQ(core->in_flight(), 0U);
}

TEST_F(RouterCoreTest, TheDeadlineEndsARunningCall) {
  assign();
  request("r1", R"("timeoutMs":5000,)");
  settle();
  EXPECT_GT(http.calls.at(1).clocks.total, 5s) << "or the client's clock would call it the provider's fault";
  http.head(1);
  speak(1, "a");
  wake_after(5s);
  settle();
  EXPECT_EQ(http.cancelled, 1U);
  EXPECT_EQ(chunks().back().error_code, "DEADLINE_EXCEEDED");
}

// A loop that was busy for seconds hears of the client's clock first, and the request's time is over all the same.
TEST_F(RouterCoreTest, ClientsClockAfterTheDeadlineIsNotTheProvidersFault) {
  assign();
  request("r1", R"("timeoutMs":5000,)", "a");
  request("r2", R"("timeoutMs":5000,)", "b");
  settle();
  ASSERT_EQ(http.started, 2U);
  environment.advance(7s);
  http.end(1, http::Ending::total_timeout);
  http.end(2, http::Ending::connect_timeout);
  settle();
  ASSERT_EQ(chunks().size(), 2U);
  EXPECT_EQ(chunks()[0].error_code, "DEADLINE_EXCEEDED");
  EXPECT_EQ(chunks()[1].error_code, "DEADLINE_EXCEEDED");
  EXPECT_EQ(core->in_flight(), 0U);
}

TEST_F(RouterCoreTest, ClientsClockBeforeTheDeadlineIsTheProvidersFault) {
  options.retry.calls_max = 1;
  make_core(options);
  assign();
  request("r1", R"("timeoutMs":5000,)");
  settle();
  environment.advance(5s - 1ms);
  http.end(http.newest(), http::Ending::connect_timeout);
  settle();
  EXPECT_EQ(chunks().back().error_code, "PROVIDER_TIMEOUT");
}

TEST_F(RouterCoreTest, AProviderThatNeverSpeaksRunsIntoTheFirstTokenClock) {
  options.retry.calls_max = 1;
  options.first_token_timeout = 10s;
  make_core(options);
  assign();
  request("r1");
  settle();
  http.head(1);
  http.body(1, "\n\n\n");  // keep-alive bytes do not wind the clock up
  wake_after(9s);
  EXPECT_EQ(http.calls.size(), 1U);
  http.body(1, "\n");
  wake_after(1s);
  settle();
  EXPECT_EQ(chunks().back().error_code, "PROVIDER_TIMEOUT");
}

TEST_F(RouterCoreTest, AProviderThatFallsSilentRunsIntoTheIdleClock) {
  options.idle_timeout = 10s;
  make_core(options);
  assign();
  request("r1");
  settle();
  http.head(1);
  speak(1, "a");
  wake_after(9s);
  speak(1, "b");
  wake_after(9s);
  EXPECT_EQ(http.calls.size(), 1U);
  wake_after(1s);
  settle();
  EXPECT_EQ(chunks().back().error_code, "PROVIDER_TIMEOUT");
  EXPECT_THAT(chunks().back().error_message, HasSubstr("fell silent"));
  EXPECT_EQ(chunks().back().seq, 2);
}

TEST_F(RouterCoreTest, ProviderThatOnlyKeepsTheConnectionAliveIsNotCalledSilent) {
  options.idle_timeout = 10s;
  make_core(options);
  assign();
  request("r1");
  settle();
  http.head(1);
  speak(1, "a");
  http.body(1, "\n");
  wake_after(9s);
  http.body(1, "\n");
  wake_after(1s);
  settle();
  EXPECT_EQ(chunks().back().error_code, "PROVIDER_TIMEOUT");
  EXPECT_THAT(chunks().back().error_message, HasSubstr("kept the connection alive"));
}

TEST_F(RouterCoreTest, AFullProducerStopsTheReadingOfTheProviderAndLosesNothing) {
  assign();
  request("r1");
  settle();
  http.head(1);
  producer->capacity = 2;
  for (int i = 0; i < 5; ++i) speak(1, std::to_string(i));
  EXPECT_TRUE(http.calls.at(1).paused);
  producer->acknowledge_all();
  EXPECT_FALSE(http.calls.at(1).paused);
  finish(1);
  settle();
  std::string text;
  std::int64_t seq = 0;
  for (const auto& chunk : chunks()) {
    EXPECT_EQ(chunk.seq, seq++);
    text += chunk.delta.value_or("");
  }
  EXPECT_EQ(text, "01234");
}

TEST_F(RouterCoreTest, AFailedReportCancelsClaimsAgainAndRunsUnderAHigherEpoch) {
  assign();
  request("r1");
  settle();
  http.head(1);
  speak(1, "lost");
  producer->fail_all();
  EXPECT_EQ(http.cancelled, 1U);
  EXPECT_EQ(http.started, 1U);
  settle();
  ASSERT_EQ(audit(Kind::claimed).size(), 2U);
  EXPECT_EQ(audit(Kind::claimed)[1].epoch, events::epoch_above(audit(Kind::claimed)[0].epoch, 0));
  EXPECT_EQ(http.started, 2U);
  answer(2, "again");
  settle();
  EXPECT_EQ(chunks().back().attempt, audit(Kind::claimed)[1].epoch * 1000 + 1);
}

TEST_F(RouterCoreTest, AfterAFailedReportItClaimsOnlyWhatTheCoordinatorStillGrants) {
  assign();
  request("r1");
  settle();
  http.head(1);
  speak(1, "x");
  producer->fail_all();
  ASSERT_EQ(group->pending().size(), 1U);
  group->answer_commits(kafka::CommitOutcome::not_owner);
  settle();
  EXPECT_EQ(audit(Kind::claimed).size(), 1U);
  EXPECT_EQ(http.started, 1U);
}

TEST_F(RouterCoreTest, ARevokeSaysWhatGoesOnCommitsAndReleasesAndFinishesIt) {
  assign();
  request("r1", "", "a");
  request("r2", "", "b");
  settle();
  answer(1);
  settle();
  core->consumer_listener().on_revoked({{.topic = "chat.requests", .partition = 0}});
  EXPECT_EQ(group->releases, 0);  // not before it is known to count
  producer->acknowledge_all();
  EXPECT_EQ(group->releases, 1);
  ASSERT_EQ(audit(Kind::released).size(), 1U);
  ASSERT_EQ(audit(Kind::released)[0].continuing.size(), 1U);
  EXPECT_EQ(audit(Kind::released)[0].continuing[0].offset.value(), 1);
  ASSERT_EQ(group->pending().size(), 1U);
  EXPECT_EQ(group->pending()[0].offset, 1);
  EXPECT_EQ(http.calls.size(), 1U);
  answer(2);
  settle();
  EXPECT_EQ(audit(Kind::response).size(), 2U);
  EXPECT_EQ(core->in_flight(), 0U);
  EXPECT_EQ((group->stored[{.topic = "chat.requests", .partition = 0}].first), 1);  // the successor's business now
}

TEST_F(RouterCoreTest, ALossPublishesAndCommitsNothingMore) {
  assign();
  request("r1");
  settle();
  http.head(1);
  const auto before = producer->unreported();
  core->consumer_listener().on_lost({{.topic = "chat.requests", .partition = 0}});
  EXPECT_EQ(http.calls.size(), 0U);
  EXPECT_EQ(producer->unreported(), before);
  EXPECT_TRUE(group->pending().empty());
}

TEST_F(RouterCoreTest, TheCommitNeverPassesAnIncompleteRequest) {
  assign();
  request("r1", "", "a");
  request("r2", "", "b");
  settle();
  answer(2);
  settle();
  wake_after(1s);
  settle();
  EXPECT_EQ((group->stored[{.topic = "chat.requests", .partition = 0}].first), 0);
  answer(1);
  settle();
  wake_after(1s);
  settle();
  EXPECT_EQ((group->stored[{.topic = "chat.requests", .partition = 0}].first), 2);
}

TEST_F(RouterCoreTest, AFullWindowStopsReadingAndGoesOnWithRoom) {
  options.window_requests_max = 4;
  make_core(options);
  assign();
  for (int i = 0; i < 4; ++i) request("r" + std::to_string(i), "", std::nullopt);
  EXPECT_FALSE(group->reading);
  settle();
  answer(1);
  settle();
  EXPECT_TRUE(group->reading);
}

TEST_F(RouterCoreTest, BoundsOfTheProcessTheOrganisationAndTheConnectionHold) {
  options.connection_in_flight_max = 2;
  make_core(options);
  assign();
  for (int i = 0; i < 5; ++i) request("r" + std::to_string(i), "", std::nullopt);
  settle();
  EXPECT_EQ(http.calls.size(), 2U);
  answer(1);
  settle();
  EXPECT_EQ(http.calls.size(), 2U);
  EXPECT_EQ(http.started, 3U);
  for (std::uint64_t call = 2; call <= 5; ++call) {
    answer(call);
    settle();
  }
  EXPECT_EQ(chunks().size(), 10U);
}

TEST_F(RouterCoreTest, WithoutAWholeRegistryNothingIsDispatched) {
  projection = registry::Projection{};
  assign();
  request("r1");
  settle();
  EXPECT_TRUE(chunks().empty());
  EXPECT_FALSE(core->conditions()[0].problem.empty());
  add_model("llama3", "ollama", "c1");
  projection.apply(events::registry_mark_key, events::to_json(events::RegistryMark{.version = 1, .models = 1}));
  core->on_registry_changed();
  settle();
  EXPECT_EQ(http.started, 1U);
}

TEST_F(RouterCoreTest, DrainLetsWhatRunsFinishAndStartsNothing) {
  assign();
  request("r1");
  request("r2");
  settle();
  bool drained = false;
  core->drain(30s, [&] { drained = true; });
  EXPECT_FALSE(drained);
  settle();
  EXPECT_TRUE(group->left);  // others go on with what has not been begun
  EXPECT_FALSE(drained);
  answer(1);
  settle();
  EXPECT_TRUE(drained);
  EXPECT_EQ(http.started, 1U);
  EXPECT_EQ(audit(Kind::response).at(0).outcome, "completed");
}

TEST_F(RouterCoreTest, TheDrainDeadlineClosesWhatRunsAsInterrupted) {
  assign();
  request("r1");
  settle();
  http.head(1);
  speak(1, "a");
  bool drained = false;
  core->drain(5s, [&] { drained = true; });
  settle();
  EXPECT_TRUE(group->left);
  EXPECT_FALSE(drained);
  wake_after(5s);
  settle();
  EXPECT_TRUE(drained);
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].outcome, "interrupted");
  EXPECT_EQ(audit(Kind::response)[0].cause, "drain");
  EXPECT_EQ((group->stored[{.topic = "chat.requests", .partition = 0}].first), 0);
}

TEST_F(RouterCoreTest, AnOrganisationStartsAsManyRequestsInItsTurnAsItWeighs) {
  options.in_flight_max = 10;
  options.org_weights = {{"heavy", 3}};
  make_core(options);
  core->consumer_listener().on_assigned({{.topic = "chat.requests", .partition = 0}});
  const auto from = [&](const std::string& org, int count) {
    for (int i = 0; i < count; ++i) {
      std::string value =
          R"({"modelProvider":"ollama","modelName":"llama3","messages":[{"role":"user","content":"hi"}],)";
      value.append(R"("orgId":")").append(org).append(R"(","requestId":")").append(org);
      value.append(std::to_string(i)).append("\"}");
      record(std::move(value), std::nullopt);
    }
  };
  from("flood", 100);
  from("heavy", 20);
  from("light", 20);
  settle();
  std::map<std::string, int> started;
  for (const auto& facts : audit(Kind::request)) ++started[facts.ids.org_id];
  EXPECT_EQ(started["flood"], 2);
  EXPECT_EQ(started["heavy"], 6);
  EXPECT_EQ(started["light"], 2);
}

TEST_F(RouterCoreTest, AProviderAtItsLimitDoesNotFillTheWindow) {
  options.connection_in_flight_max = 2;
  options.window_requests_max = 20;
  make_core(options);
  add_model("other", "ollama", "c2");
  assign();
  for (int i = 0; i < 100; ++i) request("slow" + std::to_string(i), "", "key" + std::to_string(i));
  EXPECT_TRUE(group->reading);
  request("quick", "", "q", R"("modelProvider":"ollama","modelName":"other",)");
  settle();
  ASSERT_EQ(http.started, 3U);
  EXPECT_EQ(http.calls.at(3).request.url.substr(0, 15), "http://provider");
  answer(3);
  settle();
  ASSERT_EQ(chunks().size(), 2U);
  EXPECT_EQ(chunks()[0].request_id, "quick");
  // All of them get their turn, two at a time, with what they said.
  for (int i = 0; i < 1'000 && !http.calls.empty(); ++i) {
    EXPECT_LE(http.calls.size(), 2U);
    answer(http.newest());
    settle();
  }
  EXPECT_EQ(http.started, 101U);
  EXPECT_EQ(chunks().size(), 202U);
  EXPECT_FALSE(reader->reads("chat.requests"));
  wake_after(1s);
  settle();
  EXPECT_EQ((group->stored[{.topic = "chat.requests", .partition = 0}].first), 101);
}

TEST_F(RouterCoreTest, WhatWasPutBackAndThenDeletedByRetentionIsAnswered) {
  options.connection_in_flight_max = 1;
  options.window_requests_max = 4;
  make_core(options);
  assign();
  for (int i = 0; i < 10; ++i) request("r" + std::to_string(i), "", "key" + std::to_string(i));
  settle();
  for (auto& entry : logs[{"chat.requests", 0}]) entry.deleted = true;
  for (int i = 0; i < 100 && !http.calls.empty(); ++i) {
    answer(http.newest());
    settle();
  }
  const auto all = chunks();
  const auto gone = std::ranges::count(all, "PROVIDER_UNAVAILABLE", &events::Chunk::error_code);
  EXPECT_GE(gone, 5);
  wake_after(1s);
  settle();
  EXPECT_EQ((group->stored[{.topic = "chat.requests", .partition = 0}].first), 10);
}

TEST_F(RouterCoreTest, FatalProducerIsReplacedAndEveryPartitionRecovers) {
  assign();
  request("r1");
  settle();
  http.head(1);
  speak(1, "x");
  bool lost = false;
  core->on_producer_lost = [&] { lost = true; };
  core->producer_listener().on_fatal({.kind = ErrorKind::unavailable, .detail = "told to be fatal"});
  ASSERT_TRUE(lost);
  producer->purge();
  auto fresh = std::make_unique<testing::FakeProducer>(core->producer_listener(), logs, environment);
  fresh->logs = producer->logs;
  producer = std::move(fresh);
  core->connect(producer.get());
  settle();
  EXPECT_EQ(audit(Kind::claimed).size(), 2U);
  EXPECT_EQ(http.started, 2U);
}

TEST_F(RouterCoreTest, LongTextIsSplitIntoRecordsThatFit) {
  options.record_bytes_max = 16'384;
  make_core(options);
  assign();
  request("r1");
  settle();
  http.head(1);
  std::string text;
  for (int i = 0; i < 5'000; ++i) text += "ä\\n";
  speak(1, text);
  finish(1);
  settle();
  std::string joined;
  for (const auto& entry : producer->logs[{"chat.chunks", 0}]) EXPECT_LE(entry.value->size(), 16'384U);
  for (const auto& chunk : chunks()) joined += chunk.delta.value_or("");
  std::string expected;
  for (int i = 0; i < 5'000; ++i) expected += "ä\n";
  EXPECT_EQ(joined, expected);
  EXPECT_GT(chunks().size(), 2U);
}

TEST_F(RouterCoreTest, CarriesTheTraceToTheProviderAndToTheOutputs) {
  assign();
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  core->consumer_listener().on_record(
      {.topic = "chat.requests",
       .partition = 0,
       .offset = next_offset++,
       .key = "k",
       .value = R"({"requestId":"r","orgId":"o","messages":[{"role":"user","content":"hi"}]})",
       .headers = {{"traceparent", trace}},
       .timestamp_ms = environment.wall.count()});
  settle();
  const auto& headers = http.calls.at(1).request.headers;
  EXPECT_TRUE(std::ranges::any_of(headers, [&](const auto& h) { return h.name == "traceparent" && h.value == trace; }));
  answer(1);
  settle();
  const auto& log = producer->logs[{"chat.chunks", 0}];
  EXPECT_EQ(kafka::header(log.front().headers, "traceparent"), trace);
  EXPECT_EQ(kafka::header(log.back().headers, "traceparent"), trace);
}

}  // namespace
}  // namespace tokenrail::router
