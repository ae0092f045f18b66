// What precedes the start of a log is unknown, what is still being written is open, and neither is a violation;
// figures; and that memory does not grow with what is complete.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/verify/checker.hpp"
#include "tests/unit/cli/verify/history.hpp"

namespace tokenrail::verify::tests {
namespace {

using events::Outcome;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto a = &History::attempt;

TEST(Retention, AnswerBeforeStartOfLogsIsUnknown) {
  History h;
  h.options = {.requests_from = 3, .chunks_from = 40, .audit_from = 20};
  h.ids = {"", "", "", ""};
  h.ask("old");
  h.wait(60'000);
  h.claim(5);
  h.ask("new");
  h.answer(5, 4);
  h.say(4, a(5, 1), 2);
  const auto found = h.check();
  EXPECT_EQ(found.promises(), "P2") << "the reported chunks follow the start: " << found.texts();
  EXPECT_EQ(found.figures.unknown, 1);
}

TEST(Retention, AttemptFromBeforeTheStartNeedsNoBeginning) {
  History h;
  h.options = {.requests_from = 0, .chunks_from = 40, .audit_from = 20};
  h.ask("r");
  // Its llm.request and its first chunks are gone.
  h.say(0, a(5, 1), 3);
  h.end(0, a(5, 1), 4);
  h.respond(5, 0, a(5, 1));
  const auto found = h.check();
  EXPECT_EQ(found.promises(), "") << found.texts();

  h.options.chunks_from = 0;
  h.options.audit_from = 0;
  EXPECT_EQ(h.check().promises(), "P2 P4 OWNERSHIP");
}

TEST(Retention, FirstRemainingClaimMayBeVoid) {
  History h;
  h.options.audit_from = 20;
  h.ask("r");
  // Another worker had claimed the same epoch before, where the log is gone.
  h.claim(5, "late");
  h.answer(5, 0);
  EXPECT_EQ(h.check().promises(), "") << h.check().texts();

  h.options.audit_from = 0;
  EXPECT_EQ(h.check().promises(), "OWNERSHIP");
}

TEST(Retention, DuplicateMayRepeatDeletedResponse) {
  History h;
  h.options.audit_from = 20;
  for (int i = 0; i < 3; ++i) h.ask("r");
  h.claim(5);
  h.answer(5, 0);
  // The previous owner's event about this answer is before the start of the audit log.
  h.duplicate_chunk(2, 0, a(4, 1));
  h.duplicate_chunk(1, 0, a(5, 1));
  h.duplicate_response(5, 1);
  h.duplicate_chunk(2, 1, 0);
  h.duplicate_response(5, 2);
  EXPECT_EQ(h.check().promises(), "") << h.check().texts();
}

TEST(Retention, DuplicateAnsweredAgainBehindItsResponseIsWrong) {
  History h;
  h.options.audit_from = 20;
  for (int i = 0; i < 3; ++i) h.ask("r");
  h.claim(5);
  h.answer(5, 0);
  h.duplicate_chunk(1, 0, a(5, 1));
  h.duplicate_response(5, 1);
  h.duplicate_chunk(2, 0, a(5, 1));
  h.duplicate_response(5, 2);
  h.duplicate_chunk(2, 1, 0);
  EXPECT_EQ(h.check().promises(), "DEDUPE") << h.check().texts();
}

TEST(Retention, FirstRemainingAttemptMayNotBeFirst) {
  History h;
  h.options.audit_from = 20;
  h.ask("old");
  h.wait(60'000);
  h.claim(5);
  h.ask("new");
  h.answer(5, 1);
  h.answer(5, 0);
  EXPECT_EQ(h.check().promises(), "") << h.check().texts();

  h.options.audit_from = 0;
  EXPECT_EQ(h.check().promises(), "ORDER");
}

TEST(Retention, EpochWithDeletedClaimStillVoidsEvents) {
  History h;
  h.options = {.requests_from = 0, .chunks_from = 1, .audit_from = 20};
  h.ask("r");
  h.wait(10'000);
  h.answer(6, 0);
  h.respond(5, 0, a(5, 1));
  const auto found = h.check();
  EXPECT_EQ(found.promises(), "") << found.texts();
  EXPECT_EQ(found.figures.void_events, 1);
}

TEST(Retention, IgnoresEventsBeforeADeletedClaim) {
  History h;
  h.options = {.requests_from = 0, .chunks_from = 1, .audit_from = 20};
  h.ask("r");
  // Late output of epoch 5 behind the claim of epoch 6, which is gone: void, and the log does not show it.
  h.respond(5, 0, a(5, 1));
  h.answer(6, 0);
  const auto found = h.check();
  EXPECT_EQ(found.promises(), "") << found.texts();
  EXPECT_EQ(found.figures.unknown, 1);
}

TEST(Retention, IgnoresContinuedAttemptWithDeletedHandover) {
  History h;
  h.options = {.requests_from = 0, .chunks_from = 0, .audit_from = 20};
  h.ask("r");
  h.claim(6);
  h.end(0, a(5, 1), 0);
  h.respond(5, 0, a(5, 1));
  const auto found = h.check();
  EXPECT_EQ(found.promises(), "") << found.texts();
}

TEST(Retention, DeletedChunksAreNoMissingAnswer) {
  History h;
  h.options = {.requests_from = 0, .chunks_from = 40};
  h.ask("r");
  h.claim(5);
  h.begin(5, 0);
  h.respond(5, 0, a(5, 1));
  h.ask("s");
  h.wait(60'000);
  h.answer(5, 1);
  EXPECT_EQ(h.check().promises(), "") << h.check().texts();
  h.options.chunks_from = 0;
  EXPECT_EQ(h.check().promises(), "P1");
}

TEST(Lost, ReportedLossExcusesOnlyItsRange) {
  const auto story = [](std::int64_t from, std::int64_t to, std::int64_t requests_from) {
    History h;
    h.ids.resize(3);
    h.ids = {"a", "b", "c"};
    h.claim(5);
    h.begin(5, 1);
    h.claim(6);
    h.interrupt(6, 1, a(5, 1));
    if (from < to) h.lose(6, from, to);
    h.options.requests_from = requests_from;
    return h.check();
  };
  EXPECT_EQ(story(0, 2, 0).promises(), "");
  EXPECT_EQ(story(0, 2, 0).figures.lost, 2);
  EXPECT_EQ(story(1, 2, 0).promises(), "");
  EXPECT_EQ(story(0, 1, 0).promises(), "P1") << "the range ends before it";
  EXPECT_EQ(story(2, 3, 0).promises(), "P1") << "the range begins behind it";
  EXPECT_EQ(story(0, 0, 0).promises(), "P1");
  EXPECT_EQ(story(0, 0, 1).promises(), "P1") << "its record is in the log";
  const auto deleted = story(0, 0, 2);
  EXPECT_EQ(deleted.promises(), "");
  EXPECT_EQ(deleted.figures.unknown, 1);
}

TEST(Lost, CommitMayPassLossAndVoidEventExcusesNothing) {
  const auto story = [](std::int64_t writer) {
    History h;
    h.ids = {"r", ""};
    h.claim(5);
    h.begin(5, 0);
    h.claim(6);
    h.interrupt(6, 0, a(5, 1));
    for (int twice = 0; twice < 2; ++twice) h.lose(writer, 0, 2);
    h.options.committed = 2;
    h.options.ends.requests = 2;
    return h;
  };
  auto told = story(6);
  EXPECT_EQ(told.check().promises(), "") << told.check().texts();
  EXPECT_EQ(told.check().figures.lost, 2) << "a loss that is reported twice counts once";
  EXPECT_EQ(story(5).check().promises(), "P1");
  EXPECT_EQ(story(5).check().figures.lost, 0);
  told.options.requests_from = 2;
  EXPECT_EQ(told.check().promises(), "") << told.check().texts();
}

TEST(Lost, IgnoresLossesWithSendersTimes) {
  History h;
  h.broker_time = false;
  h.ask("r");
  h.claim(5);
  h.answer(5, 0);
  h.lose(5, 0, 4);
  EXPECT_EQ(h.check().promises(), "") << "the topic may have been created again: " << h.check().texts();
}

TEST(Retention, DeletedDeadLettersAreNotMissing) {
  History h;
  h.claim(5);
  h.ask_in_vain();
  h.ask("r", std::string(4'097, 'k'));
  const auto then = h.now_ms;
  h.wait(60'000);
  h.ask_in_vain();
  h.options.committed = 3;
  EXPECT_EQ(h.check(false).promises(), "P5");
  EXPECT_EQ(h.check(true).violations.size(), 6U) << h.check(true).texts();

  h.options.letters_known_ms = then;
  for (const bool at_rest : {false, true}) {
    const auto found = h.check(at_rest);
    EXPECT_EQ(found.promises(), at_rest ? "P1 P5" : "P5");
    EXPECT_THAT(found.texts(), HasSubstr("passes the record at 2, which is no dead letter"));
    EXPECT_EQ(found.violations.size(), at_rest ? 2U : 1U) << found.texts();
    EXPECT_EQ(found.figures.unknown, 2);
  }
}

TEST(Retention, IgnoresWindowThatBeginsAtSendersTimes) {
  const auto story = [](bool broker_time) {
    History h;
    h.broker_time = broker_time;
    h.options = {.chunks_from = 5, .audit_from = 20, .chunks_known_ms = 1'000'000, .audit_known_ms = 1'000'000};
    h.wait(2'000);
    h.ask("r");
    h.claim(5);
    h.options.committed = 1;
    return h.check(false);
  };
  EXPECT_EQ(story(false).promises(), "") << story(false).texts();
  EXPECT_EQ(story(false).figures.unknown, 1);
  EXPECT_EQ(story(false).figures.sender_times, 2);
  EXPECT_EQ(story(true).promises(), "P5");
  EXPECT_EQ(story(true).figures.sender_times, 0);
}

TEST(Retention, EmptyWindowTakesClockFromTopicSetting) {
  History h;
  h.options = {.chunks_from = 5, .audit_from = 20, .chunks_known_ms = 1'000'000, .audit_known_ms = 1'000'000};
  h.wait(2'000);
  h.ask("r");
  h.options.committed = 1;
  EXPECT_EQ(h.check(false).promises(), "P5");
  h.options.audit_known_ms = -1;
  EXPECT_EQ(h.check(false).promises(), "") << h.check(false).texts();
}

TEST(Running, CountsOpenRequestsAndAttempts) {
  History h;
  h.ask("r");
  h.ask("s");
  h.ask_in_vain();
  h.claim(5);
  h.begin(5, 0);
  h.say(0, a(5, 1), 0);
  h.end(1, a(5, 1), 0);  // its events are being written
  const auto found = h.check(false);
  EXPECT_EQ(found.promises(), "") << found.texts();
  EXPECT_EQ(found.figures.open_requests, 3);
  EXPECT_EQ(found.figures.open_attempts, 1);
  EXPECT_EQ(h.check(true).promises(), "P1 P4");
}

TEST(Running, ReportsPermanentViolations) {
  History h;
  h.ask("r");
  h.claim(5);
  h.begin(5, 0);
  h.respond(5, 0, a(5, 1));
  h.options.committed = 1;
  EXPECT_EQ(h.check(false).promises(), "P1");
}

TEST(Running, ACommitMayBeOnItsWay) {
  History h;
  h.ask("r");
  h.ask("s");
  h.claim(5);
  h.answer(5, 0);
  h.answer(5, 1);
  h.options.committed = 1;
  h.options.metadata = "tr1 5 3 2";
  EXPECT_EQ(h.check(false).promises(), "") << h.check(false).texts();
  EXPECT_EQ(h.check(true).promises(), "P5");
}

TEST(Retention, CommitBeforeTheWindowMayBeHeldBack) {
  History h;
  h.options = {.requests_from = 3};
  h.ids = {"", "", ""};
  h.claim(5);
  h.answer(5, h.ask("r"));
  h.options.committed = 2;
  h.options.metadata = "tr1 5 0 0";
  EXPECT_EQ(h.check().promises(), "") << h.check().texts();
  h.options.committed = 3;
  EXPECT_EQ(h.check().promises(), "P5");
}

TEST(Numbers, AreCountedOverAHistory) {
  History h;
  h.ask("r");
  h.ask("r");
  h.ask("s", "other");
  h.bury(h.ask_in_vain());
  h.claim(5);
  h.begin(5, 0);
  h.say(0, a(5, 1), 0);
  h.duplicate_chunk(1, 0, a(5, 1));
  h.duplicate_response(5, 1);
  h.begin(5, 2);
  h.end(2, a(5, 1), 0);
  h.claim(6);
  h.claim(6, "loser");
  h.interrupt(6, 0, a(5, 1));
  h.respond(6, 2, a(5, 1), Outcome::completed, {}, true, true);
  h.wait(250);
  h.answer(6, 0);
  h.respond(5, 2, a(5, 1));
  h.release(6, {});
  h.claim(7);
  h.to_audit(R"({"type":"requests.moved","from":1,"to":2})");
  h.to_audit("damaged");
  const auto found = h.check();
  EXPECT_EQ(found.promises(), "") << found.texts();
  const auto& f = found.figures;
  EXPECT_EQ(f.requests, 4);
  EXPECT_EQ(f.dead_letters, 1);
  EXPECT_EQ(f.attempts, 3);
  EXPECT_EQ(f.reruns, 1);
  EXPECT_EQ(f.duplicates, 1);
  EXPECT_EQ(f.duplicates_run, 0);
  EXPECT_EQ(f.recovered, 1);
  EXPECT_EQ(f.void_events, 1);
  EXPECT_EQ(f.claims, 3);
  EXPECT_EQ(f.claims_void, 1);
  EXPECT_EQ(f.releases, 1);
  EXPECT_EQ(f.owners_lost, 1);
  EXPECT_EQ(f.unreadable, 1);
  EXPECT_EQ(f.interrupted, (std::map<std::string, std::int64_t>{{"lost", 1}}));
  // From the claim of epoch 6: three more records and 250 ms, then the llm.request.
  EXPECT_THAT(f.takeover_ms, ElementsAre(290));

  Figures sum;
  sum.add(f);
  sum.add(f);
  EXPECT_EQ(sum.requests, 8);
  EXPECT_EQ(sum.interrupted.at("lost"), 2);
  EXPECT_THAT(sum.takeover_ms, ElementsAre(290, 290));
}

TEST(Numbers, TheTailThatTheNextClaimReads) {
  History h;
  h.options.audit_from = 10;
  h.ask("r");
  h.claim(5);
  h.answer(5, 0);
  h.options.committed = 1;
  const std::pair<const char*, std::int64_t> rows[] = {
      {"tr1 5 11 2", 2}, {"tr1 5 13 2", 0}, {"tr1 5 4 2", 3}, {"written by a tool", 3}};
  for (const auto& [metadata, tail] : rows) {
    h.options.metadata = metadata;
    const auto found = h.check();
    EXPECT_EQ(found.promises(), "") << found.texts();
    EXPECT_EQ(found.figures.audit_tail, tail) << metadata;
  }
  h.options.committed.reset();
  EXPECT_EQ(h.check().figures.audit_tail, 0);

  Figures most{};
  most.audit_tail = 7;
  most.add(Figures{});
  EXPECT_EQ(most.audit_tail, 7) << "of several partitions the longest";
}

TEST(Numbers, AttemptsOfDeletedRequests) {
  for (const auto feeding : {History::Feeding::by_time, History::Feeding::audit_first}) {
    History h;
    h.broker_time = false;
    h.ids = {"old"};
    h.claim(5);
    h.answer(5, 0);
    h.ids.clear();
    h.ask("new");
    h.answer(5, 0, a(5, 2));
    const auto found = h.check(true, feeding);
    EXPECT_EQ(found.promises(), "") << found.texts();
    EXPECT_EQ(found.figures.displaced, 1) << "a sender's clock says nothing";
  }
}

TEST(Numbers, RunOutsideDedupeWindowAndLateAnswer) {
  History h;
  h.ask("r");
  h.claim(5);
  h.answer(5, 0);
  h.ask("r");
  h.begin(5, 1, a(5, 2));
  h.release(5, {{.offset = 1_request, .attempt = a(5, 2)}}, 1'000);
  h.renew(5, {{.offset = 1_request, .attempt = a(5, 2)}}, 60'000);
  h.claim(6);
  h.wait(5'000);
  h.interrupt(6, 1, a(5, 2));
  h.answer(6, 1, a(6, 1));
  h.respond(5, 1, a(5, 2));
  const auto found = h.check();
  EXPECT_EQ(found.promises(), "") << found.texts();
  EXPECT_EQ(found.figures.duplicates_run, 1);
  EXPECT_EQ(found.figures.early_closings, 1);
  EXPECT_EQ(found.figures.late_responses, 1);
}

TEST(Memory, ForgetsCompleteRequestsAndSeesLateTrouble) {
  History h;
  h.options.settled_max = 10;
  h.claim(5);
  for (int i = 0; i < 300; ++i) {
    const std::string id = "r" + std::to_string(i);
    h.answer(5, h.ask(id, id));
  }
  const auto clean = h.check();
  EXPECT_EQ(clean.promises(), "") << clean.texts();
  EXPECT_EQ(clean.pending, 0U);

  h.say(3, a(5, 1), 2);  // an attempt that is forgotten: nothing can be said of it
  EXPECT_EQ(h.check().promises(), "") << h.check().texts();

  h.claim(6);
  h.answer(6, 3);
  const auto rerun = h.check();
  EXPECT_EQ(rerun.promises(), "P3") << rerun.texts();
  EXPECT_THAT(rerun.texts(), HasSubstr("request r3 of o (source offset 3), attempt 6001 begins long after"));
}

TEST(Memory, StalledWorkersFirstChunkOfForgottenRequest) {
  History h;
  h.options.settled_max = 10;
  h.claim(5);
  h.ask("r", "z");
  h.ask("again", "y");
  h.ask("again", "y");
  h.answer(5, 1, a(5, 7));
  h.begin(5, 0);
  h.claim(6);
  h.interrupt(6, 0, a(5, 1));
  h.answer(6, 0);
  h.duplicate_chunk(2, 1, a(5, 7));
  h.duplicate_response(6, 2);
  for (int i = 3; i < 43; ++i) h.answer(6, h.ask("q" + std::to_string(i), "k" + std::to_string(i)));
  h.say(0, a(5, 1), 0);
  h.duplicate_chunk(2, 1, a(5, 7));
  EXPECT_EQ(h.check().promises(), "") << h.check().texts();

  // Of the present owner it is a chunk of an attempt that was not announced.
  auto announced_by_none = h;
  announced_by_none.say(0, a(6, 9), 0);
  EXPECT_EQ(announced_by_none.check().promises(), "P4") << announced_by_none.check().texts();
  // And so is one about a request that had only not been read yet. (By senders' times they may be of one age.)
  h.broker_time = false;
  h.ids.emplace_back("late");
  h.say(43, a(5, 9), 0);
  h.answer(6, h.ask("late", "k"));
  EXPECT_EQ(h.check().promises(), "P4") << h.check().texts();
}

TEST(Memory, TheListOfViolationsIsBounded) {
  History h;
  h.options.violations_max = 5;
  h.claim(5);
  for (int i = 0; i < 9; ++i) h.ask("r" + std::to_string(i));
  const auto found = h.check();
  EXPECT_EQ(found.violations.size(), 5U);
  EXPECT_EQ(found.figures.violations_left, 4);
}

}  // namespace
}  // namespace tokenrail::verify::tests
