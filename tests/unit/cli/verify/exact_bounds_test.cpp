// Bounds at exactly their value, figures, and what is forgotten.
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/verify/claims.hpp"
#include "cli/verify/key_lines.hpp"
#include "tests/unit/cli/verify/history.hpp"

namespace tokenrail::verify::tests {
namespace {

using events::Outcome;
using ::testing::HasSubstr;

constexpr auto a = &History::attempt;
constexpr std::int64_t skew_ms = 1'000;  // CheckOptions::clock_skew_ms

/// Waits until the next record is appended at that time.
void next_at(History& h, std::int64_t ms) {
  h.now_ms = ms - 10;
}

// --- clocks ---------------------------------------------------------------------------------------------------------

/// An attempt that another owner closes that long after the hand-over was appended.
std::string closed_after(std::int64_t ms, std::int64_t lease_ms) {
  History h;
  h.ask("r");
  h.claim(5);
  h.begin(5, 0);
  h.release(5, {{.offset = 0_request, .attempt = a(5, 1)}}, lease_ms);
  const auto released_at = h.now_ms;
  h.claim(6);
  next_at(h, released_at + ms);
  h.interrupt(6, 0, a(5, 1));
  h.answer(6, 0);
  return h.check().promises();
}

TEST(ExactBounds, ALeaseMayBeTheClocksApartShorter) {
  EXPECT_EQ(closed_after(30'000 - skew_ms, 30'000), "");
  EXPECT_EQ(closed_after(30'000 - skew_ms - 1, 30'000), "P3");
}

TEST(ExactBounds, ALeaseThatWasRenewedIsCountedWhenItIsCutShort) {
  const auto early = [](std::int64_t ms, bool renewed) {
    History h;
    h.ask("r");
    h.claim(5);
    h.begin(5, 0);
    h.release(5, {{.offset = 0_request, .attempt = a(5, 1)}}, 2'000);
    if (renewed) h.renew(5, {{.offset = 0_request, .attempt = a(5, 1)}}, 10'000);
    const auto said_at = h.now_ms;
    h.claim(6);
    next_at(h, said_at + ms);
    h.interrupt(6, 0, a(5, 1));
    h.answer(6, 0);
    const auto found = h.check();
    EXPECT_EQ(found.promises(), "") << found.texts();
    return found.figures.early_closings;
  };
  EXPECT_EQ(early(10'000 - skew_ms, true), 0);
  EXPECT_EQ(early(10'000 - skew_ms - 1, true), 1);
  EXPECT_EQ(early(1'000, false), 0) << "the lease of the hand-over itself";
}

/// The terminal chunk of a first attempt was in the log that long before the claim of its successor.
std::string claimed_after_terminal(std::int64_t ms) {
  History h;
  h.ask("r");
  h.claim(5);
  h.begin(5, 0);
  h.end(0, a(5, 1), 0);
  next_at(h, h.now_ms + ms);
  h.claim(6);
  h.interrupt(6, 0, a(5, 1));
  h.answer(6, 0);
  return h.check().promises();
}

TEST(ExactBounds, ATerminalChunkAndAClaimMayBeTheClocksApart) {
  EXPECT_EQ(claimed_after_terminal(skew_ms), "");
  EXPECT_EQ(claimed_after_terminal(skew_ms + 1), "P3");
}

/// The terminal chunk was in the log that long before its attempt's lease ran out; it was closed as interrupted
/// later.
std::string terminal_before_lease_end(std::int64_t ms) {
  History h;
  h.ask("r");
  h.claim(5);
  h.begin(5, 0);
  h.release(5, {{.offset = 0_request, .attempt = a(5, 1)}}, 10'000);
  const auto until = h.now_ms + 10'000;
  h.claim(6);
  next_at(h, until - ms);
  h.end(0, a(5, 1), 0);
  h.wait(20'000);
  h.interrupt(6, 0, a(5, 1));
  h.answer(6, 0);
  return h.check().promises();
}

TEST(ExactBounds, ATerminalChunkAndALeaseMayBeTheClocksApart) {
  EXPECT_EQ(terminal_before_lease_end(skew_ms), "");
  EXPECT_EQ(terminal_before_lease_end(skew_ms + 1), "P3");
}

/// The first chunk, or the response, was in its log that long before what has to precede it.
std::string precedes(bool response, std::int64_t ms) {
  History h;
  h.ask("r");
  h.claim(5);
  if (response) {
    h.begin(5, 0);
    // What the response says is what the chunk behind it will say.
    h.said_by(0, a(5, 1)).chunks = 1;
    h.said_by(0, a(5, 1)).reason = events::FinishReason::stop;
    h.respond(5, 0, a(5, 1));
    next_at(h, h.now_ms + ms);
    h.end(0, a(5, 1), 0);
  } else {
    h.end(0, a(5, 1), 0);
    next_at(h, h.now_ms + ms);
    h.begin(5, 0);
    h.respond(5, 0, a(5, 1));
  }
  return h.check().promises();
}

TEST(ExactBounds, ChunksAndEventsMayBeTheClocksApart) {
  EXPECT_EQ(precedes(false, skew_ms), "");
  EXPECT_EQ(precedes(false, skew_ms + 1), "P4");
  EXPECT_EQ(precedes(true, skew_ms), "");
  EXPECT_EQ(precedes(true, skew_ms + 1), "P4");
}

/// Called that long after its time had run out, by the broker's clock.
std::string called_late(std::int64_t ms, const std::optional<std::int64_t>& own_late_ms = std::nullopt) {
  History h;
  h.ask("r", "k", 5'000);
  const auto deadline = h.now_ms + 5'000;
  h.claim(5);
  next_at(h, deadline + ms);
  h.begin(5, 0);
  if (own_late_ms) {
    const auto own = deadline + *own_late_ms;
    const auto text = fmt::format("1970-01-01T00:{:02}:{:02}.{:03}Z", own / 60'000, own / 1'000 % 60, own % 1'000);
    h.audit.back().headers.emplace_back("ce_time", text);
  }
  h.end(0, a(5, 1), 0);
  h.respond(5, 0, a(5, 1));
  return h.check().promises();
}

TEST(ExactBounds, ADeadlineAllowsForClocks) {
  EXPECT_EQ(called_late(60'000), "") << "by the broker's clock alone";
  EXPECT_EQ(called_late(60'001), "DEADLINE");
  EXPECT_EQ(called_late(30'000, skew_ms), "");
  EXPECT_EQ(called_late(30'000, skew_ms + 1), "DEADLINE");
}

// --- duplicates -----------------------------------------------------------------------------------------------------

/// A request that is run a second time by the same owner, that long after the first and that many offsets behind it.
std::string run_twice(std::int64_t ms, std::int64_t requests_max) {
  History h;
  h.options.dedupe_window_ms = 60'000;
  h.options.dedupe_requests_max = requests_max;
  h.claim(5);
  h.ask("r", "x");
  const auto first_ms = h.now_ms;
  h.answer(5, 0);
  h.answer(5, h.ask("s", "y"));
  next_at(h, first_ms + ms);
  h.ask("r", "z");
  h.answer(5, 2, a(5, 2));
  return h.check().promises();
}

TEST(ExactBounds, TheWindowOfDuplicates) {
  EXPECT_EQ(run_twice(60'000 - skew_ms, 100), "");
  EXPECT_EQ(run_twice(60'000 - skew_ms - 1, 100), "DEDUPE");
  EXPECT_EQ(run_twice(1'000, 3), "DEDUPE");
  EXPECT_EQ(run_twice(1'000, 2), "") << "two offsets apart, the first may be forgotten";
}

/// A duplicate that came that long after the last that was said of the first.
History::Found answered_as_duplicate(std::int64_t ms) {
  History h;
  h.options.dedupe_window_ms = 60'000;
  h.claim(5);
  h.ask("r", "x");
  h.answer(5, 0);
  next_at(h, h.now_ms + ms);
  h.ask("r", "y");
  h.duplicate_chunk(1, 0, a(5, 1));
  h.duplicate_response(5, 1);
  return h.check();
}

TEST(ExactBounds, ADuplicateMayComeTheClocksApartLater) {
  EXPECT_EQ(answered_as_duplicate(120'000).promises(), "");
  EXPECT_EQ(answered_as_duplicate(120'001).promises(), "DEDUPE");
}

// --- records --------------------------------------------------------------------------------------------------------

TEST(ExactBounds, ARequestThatIsAsLargeAsAllowedIsNoDeadLetter) {
  const auto buried = [](std::size_t key_bytes, std::size_t value_bytes_less) {
    History h;
    h.claim(5);
    h.ask("r", std::string(key_bytes, 'k'));
    h.options.request_limits.value_bytes_max = h.requests.back().value->size() - value_bytes_less;
    h.bury(0);
    return h.check().promises();
  };
  const auto most = events::RequestLimits{}.key_bytes_max;
  EXPECT_EQ(buried(most, 0), "P1") << "it could be answered";
  EXPECT_EQ(buried(most + 1, 0), "");
  EXPECT_EQ(buried(1, 1), "");
}

TEST(ExactBounds, DeadLettersAreCountedOnce) {
  History h;
  h.claim(5);
  h.ask("r", std::string(events::RequestLimits{}.key_bytes_max + 1, 'k'));
  h.bury(0);
  h.bury(0);
  const auto found = h.check();
  EXPECT_EQ(found.promises(), "") << found.texts();
  EXPECT_EQ(found.figures.dead_letters, 1);
}

TEST(ExactBounds, AGapNamesTheChunksAroundIt) {
  History h;
  h.ask("r");
  h.claim(5);
  h.begin(5, 0);
  h.say(0, a(5, 1), 0);
  h.say(0, a(5, 1), 1);
  h.end(0, a(5, 1), 3);
  h.respond(5, 0, a(5, 1));
  EXPECT_THAT(h.check().texts(), HasSubstr("chat.chunks [ 1 2 ] request r of o, attempt 5001: seq 3 where 2 was due"));
}

TEST(ExactBounds, RecordsWithSendersTimesAreCountedInEachTopic) {
  History h;
  h.broker_time = false;
  h.ask("r");
  h.claim(5);
  h.answer(5, 0);
  EXPECT_EQ(h.check().figures.sender_times, 6);
}

// --- losses ---------------------------------------------------------------------------------------------------------

TEST(ExactBounds, LossesThatOverlapAreCountedOnce) {
  History h;
  h.options.requests_from = 50;
  h.claim(5);
  h.lose(5, 10, 20);
  h.lose(5, 30, 40);
  EXPECT_EQ(h.check().figures.lost, 20);
  h.lose(5, 15, 30);
  EXPECT_EQ(h.check().figures.lost, 30);
  h.lose(5, 5, 10);
  EXPECT_EQ(h.check().figures.lost, 35) << "what touches is one";
  h.lose(5, 42, 43);
  EXPECT_EQ(h.check().figures.lost, 36);
  h.lose(5, 7, 8);
  EXPECT_EQ(h.check().figures.lost, 36);
}

TEST(ExactBounds, ALossMayReachTheEndAndNoFurther) {
  const auto lost_to = [](std::int64_t to) {
    History h;
    h.claim(5);
    h.answer(5, h.ask("r"));
    h.lose(5, 1, to);
    h.options.ends.requests = 4;
    return h.check().promises();
  };
  EXPECT_EQ(lost_to(4), "");
  EXPECT_EQ(lost_to(5), "P1");
}

// --- figures --------------------------------------------------------------------------------------------------------

TEST(ExactBounds, EveryFigureIsAdded) {
  using F = Figures;
  const auto added = {&F::requests,       &F::dead_letters,  &F::chunks,         &F::audit_events, &F::attempts,
                      &F::reruns,         &F::duplicates,    &F::duplicates_run, &F::recovered,    &F::void_events,
                      &F::late_responses, &F::claims,        &F::claims_void,    &F::releases,     &F::owners_lost,
                      &F::early_closings, &F::open_requests, &F::open_attempts,  &F::lost,         &F::unknown,
                      &F::displaced,      &F::names_shared,  &F::unreadable,     &F::sender_times, &F::violations_left};
  // And audit_tail, which is a maximum.
  static_assert(sizeof(F) == 26 * sizeof(std::int64_t) + sizeof(F::interrupted) + sizeof(F::takeover_ms));
  EXPECT_EQ(added.size(), 25U);
  Figures sum;
  Figures other;
  std::int64_t value = 0;
  for (const auto figure : added) other.*figure = ++value;
  other.audit_tail = 7;
  sum.add(other);
  sum.add(other);
  value = 0;
  for (const auto figure : added) EXPECT_EQ(sum.*figure, 2 * ++value) << "number " << value;
  EXPECT_EQ(sum.audit_tail, 7);
}

TEST(ExactBounds, OnlyWholeAnswersThatASuccessorClosedAreRecovered) {
  History h;
  h.ask("r");
  h.claim(5);
  h.begin(5, 0);
  h.claim(6);
  h.interrupt(6, 0, a(5, 1));
  h.answer(6, 0);
  const auto found = h.check();
  EXPECT_EQ(found.figures.recovered, 0);
  EXPECT_EQ(found.figures.duplicates_run, 0) << "it is one request";
  EXPECT_EQ(found.figures.reruns, 1);
}

// --- what is settled ------------------------------------------------------------------------------------------------

struct Settling {
  const char* name;
  void (*write)(History&);
  std::size_t pending;
};

// Nothing more is expected of what is settled, so it may be forgotten.
TEST(ExactBounds, OnlyWhatIsWholeIsSettled) {
  const Settling rows[] = {
      {"asked", [](History& h) { h.ask("r"); }, 1},
      {"answered", [](History& h) { h.answer(5, h.ask("r")); }, 0},
      {"attempted", [](History& h) { h.begin(5, h.ask("r")); }, 1},
      {"without a terminal chunk",
       [](History& h) {
         h.begin(5, h.ask("r"));
         h.respond(5, 0, a(5, 1));
       },
       1},
      {"interrupted",
       [](History& h) {
         h.begin(5, h.ask("r"));
         h.interrupt(5, 0, a(5, 1));
       },
       1},
      {"a chunk of an attempt that nobody announced",
       [](History& h) {
         h.answer(5, h.ask("r"));
         h.say(0, a(5, 2), 0);
       },
       1},
      {"a duplicate",
       [](History& h) {
         h.answer(5, h.ask("r"));
         h.duplicate_chunk(h.ask("r"), 0, a(5, 1));
         h.duplicate_response(5, 1);
       },
       0},
      {"a duplicate without its response",
       [](History& h) {
         h.answer(5, h.ask("r"));
         h.duplicate_chunk(h.ask("r"), 0, a(5, 1));
       },
       1},
      {"a duplicate without its chunk",
       [](History& h) {
         h.answer(5, h.ask("r"));
         h.ask("r");
         h.duplicate_response(5, 1);
       },
       1},
      {"lost",
       [](History& h) {
         h.ids = {"r"};
         h.begin(5, 0);
         h.lose(5, 0, 1);
         h.interrupt(5, 0, a(5, 1));
       },
       0},
      {"before the log of events begins",
       [](History& h) {
         h.options.audit_from = 7;
         h.ask("r");
         h.say(0, a(5, 1), 0);
       },
       1},
  };
  for (const auto& row : rows) {
    History h;
    h.claim(5);
    row.write(h);
    EXPECT_EQ(h.check(false).pending, row.pending) << row.name;
  }
}

TEST(ExactBounds, AsManySettledRequestsAreKeptAsAllowed) {
  const auto runs_again = [](int requests) {
    History h;
    h.options.settled_max = 2;
    h.claim(5);
    for (int i = 0; i < requests; ++i) h.answer(5, h.ask("r" + std::to_string(i), std::to_string(i)));
    h.answer(5, 0, a(5, 2));
    return h.check().texts();
  };
  EXPECT_THAT(runs_again(2), HasSubstr("attempt 5002 begins after attempt 5001 has ended"));
  EXPECT_THAT(runs_again(3), HasSubstr("attempt 5002 begins long after the request was complete"));
}

TEST(ExactBounds, AThousandLossesAreKept) {
  const auto lost_too_much = [](int more) {
    History h;
    h.claim(5);
    h.answer(5, h.ask("r"));
    h.lose(5, 0, 1);
    h.options.ends.requests = 1'000'000;
    for (int i = 0; i < more; ++i) h.lose(5, 1'000 + 2 * i, 1'001 + 2 * i);
    return h.check().promises();
  };
  EXPECT_EQ(lost_too_much(999), "P1") << "the request is there";
  EXPECT_EQ(lost_too_much(1'000), "");
}

// --- hand-overs -----------------------------------------------------------------------------------------------------

TEST(ExactBounds, AHandOverMayNameWhatIsNotKnown) {
  History h;
  h.ask("r");
  h.claim(5);
  h.release(5, {{.offset = 0_request, .attempt = a(5, 9)}, {.offset = 7_request, .attempt = a(5, 1)}});
  h.renew(5, {{.offset = 0_request, .attempt = a(5, 9)}, {.offset = 7_request, .attempt = a(5, 1)}});
  h.claim(6);
  h.answer(6, 0);
  EXPECT_EQ(h.check().promises(), "") << h.check().texts();
}

TEST(ExactBounds, AnOwnerNeedNotNameWhatAnotherOneContinues) {
  History h;
  h.ask("r");
  h.claim(5);
  h.begin(5, 0);
  h.release(5, {{.offset = 0_request, .attempt = a(5, 1)}});
  h.claim(6);
  h.release(6, {});
  h.end(0, a(5, 1), 0);
  h.respond(5, 0, a(5, 1));
  h.claim(7);
  EXPECT_EQ(h.check().promises(), "") << h.check().texts();
}

TEST(ExactBounds, ARequestThatRunsAtASecondOffsetIsCounted) {
  History h;
  h.claim(5);
  h.answer(5, h.ask("r"));
  h.answer(5, h.ask("r"), a(5, 2));
  EXPECT_EQ(h.check().figures.duplicates_run, 1);
  EXPECT_EQ(h.check().figures.reruns, 0);
}

// --- where a log begins ---------------------------------------------------------------------------------------------

TEST(ExactBounds, TheNextClaimLeavesNothingInDoubt) {
  const auto unknown = [](std::int64_t epoch) {
    History h;
    h.options.audit_from = 10;
    h.options.audit_known_ms = 0;
    h.ask("r");
    h.begin(5, 0);
    h.claim(epoch);
    h.interrupt(epoch, 0, a(5, 1));
    h.answer(epoch, 0);
    const auto found = h.check();
    EXPECT_EQ(found.promises(), "") << found.texts();
    return found.figures.unknown;
  };
  EXPECT_EQ(unknown(6), 0);
  EXPECT_EQ(unknown(8), 1) << "another owner may have been between";
}

TEST(ExactBounds, ALogThatIsKnownSinceTimeZeroIsWhole) {
  History h;
  h.options.chunks_from = 5;
  h.options.chunks_known_ms = 0;
  h.claim(5);
  h.begin(5, h.ask("r"));
  h.respond(5, 0, a(5, 1));
  EXPECT_EQ(h.check().promises(), "P1");
  h.options.chunks_known_ms = -1;
  EXPECT_EQ(h.check().promises(), "");
}

TEST(ExactBounds, ACommitPassesAnEventAboutADeletedRequest) {
  History h;
  h.options.requests_from = 3;
  h.ids = {"", "", "r"};
  h.claim(5);
  h.begin(5, 2);
  h.interrupt(5, 2, a(5, 1));
  h.options.committed = 2;
  h.options.metadata = "tr1 5 3 0";
  EXPECT_THAT(h.check(false).texts(), HasSubstr("P5 llm.audit [ 1 ]"));
  h.options.metadata = "tr1 5 1 0";
  EXPECT_EQ(h.check(false).promises(), "");
}

TEST(ExactBounds, ACommitNamesTheFirstEventThatItPasses) {
  History h;
  h.claim(5);
  h.ask("r", "x");
  h.ask("s", "y");
  h.begin(5, 0);
  h.begin(5, 1);
  h.options.committed = 0;
  h.options.metadata = "tr1 5 3 0";
  for (const auto feeding : {History::Feeding::by_time, History::Feeding::audit_first})
    EXPECT_THAT(h.check(false, feeding).texts(), HasSubstr("P5 llm.audit [ 1 ]"));
}

// --- chunks ---------------------------------------------------------------------------------------------------------

TEST(ExactBounds, AGapIsReportedUnlessTheAttemptMaySayMore) {
  History h;
  h.claim(5);
  h.begin(5, h.ask("r"));
  h.end(0, a(5, 1), 1);
  EXPECT_EQ(h.check(false).promises(), "") << "it may yet be interrupted";
  EXPECT_EQ(h.check(true).promises(), "P2 P4");
  h.respond(5, 0, a(5, 1));
  EXPECT_EQ(h.check(false).promises(), "P2");
}

TEST(ExactBounds, ADuplicatesAnswerIsOneChunk) {
  const auto wrong = [](std::int64_t seq, events::FinishReason reason) {
    History h;
    h.claim(5);
    h.answer(5, h.ask("r"));
    h.ask("r");
    events::TerminalChunk terminal;
    terminal.seq = seq;
    terminal.finish_reason = reason;
    terminal.source_offset = 1;
    terminal.duplicate_of_offset = 0;
    terminal.duplicate_of_attempt = a(5, 1);
    std::string out;
    events::ChunkWriter("r", "o", 0).write(out, terminal);
    h.to_chunks(out);
    return h.check(false).promises();
  };
  EXPECT_EQ(wrong(0, events::FinishReason::duplicate), "");
  EXPECT_EQ(wrong(1, events::FinishReason::duplicate), "DEDUPE");
  EXPECT_EQ(wrong(0, events::FinishReason::stop), "DEDUPE");
}

TEST(ExactBounds, TheKeyOfTheFirstChunkOfALogIsKnown) {
  History h;
  h.options.requests_from = 1;
  h.ids = {"r"};
  h.claim(5);
  h.ask("r", "one");
  h.duplicate_chunk(1, 0, 0);
  h.chunks.back().key = "another";
  h.duplicate_response(5, 1);
  EXPECT_EQ(h.check(false).promises(), "P4");
}

TEST(ExactBounds, NamesThatReadAlikeAreDifferent) {
  Names names;
  EXPECT_FALSE(names.asked("ab", "c", 0));
  EXPECT_FALSE(names.asked("a", "bc", 1));
  EXPECT_FALSE(names.attempted("o", "r", 12, 0));
  EXPECT_FALSE(names.attempted("o", "r1", 2, 1));
  EXPECT_EQ(names.attempted("o", "r", 12, 1), 0);
}

// --- what is forgotten ----------------------------------------------------------------------------------------------

KeyLines::Answer answer(std::int64_t request_at, std::int64_t terminal_at) {
  return {.request_at = request_at, .terminal_at = terminal_at};
}

TEST(ExactBounds, OfEachKeyTheNewestAnswersAreKept) {
  KeyLines lines(0, 10, 2);
  EXPECT_FALSE(lines.add(1, 10, answer(10, 10)));
  EXPECT_FALSE(lines.add(1, 20, answer(20, 20)));
  auto both = lines;
  EXPECT_TRUE(both.add(1, 5, answer(15, 15))) << "begins behind the one at 10";
  EXPECT_FALSE(lines.add(1, 30, answer(30, 30)));
  EXPECT_FALSE(lines.add(1, 5, answer(15, 15))) << "that one is forgotten";
}

TEST(ExactBounds, OfKeysThoseThatBeganLastAreKept) {
  KeyLines lines(0, 2, 10);
  EXPECT_FALSE(lines.add(1, 10, answer(10, 10)));
  EXPECT_FALSE(lines.add(2, 10, answer(10, 10)));
  auto both = lines;
  EXPECT_TRUE(both.add(1, 20, answer(5, 5)));
  EXPECT_FALSE(lines.add(3, 10, answer(10, 10)));
  EXPECT_FALSE(lines.add(1, 20, answer(5, 5)));
}

TEST(ExactBounds, AnAppendAtTimeZeroIsKnown) {
  KeyLines lines(0);
  EXPECT_FALSE(lines.add(1, 10, {.request_at = 1, .terminal_at = 1, .request_ms = -5, .terminal_ms = 5}));
  EXPECT_TRUE(lines.add(1, 20, {.request_at = 2, .terminal_at = 2, .request_ms = 0, .terminal_ms = 9}));
  KeyLines others(0);
  EXPECT_FALSE(others.add(1, 10, {.request_at = 1, .terminal_at = 1, .request_ms = 0, .terminal_ms = -1}));
  EXPECT_FALSE(others.add(1, 20, {.request_at = 2, .terminal_at = 2, .request_ms = -1, .terminal_ms = 9}));
}

TEST(ExactBounds, TenThousandClaimsAreKept) {
  Claims claims;
  const auto claim = [&](std::int64_t epoch) {
    return claims.claimed(epoch, epoch - 1, {.instance = "w" + std::to_string(epoch), .at = epoch, .ms = epoch});
  };
  for (std::int64_t epoch = 1; epoch <= 10'000; ++epoch) EXPECT_FALSE(claim(epoch));
  ASSERT_NE(claims.find(1), nullptr);
  EXPECT_FALSE(claim(10'001));
  EXPECT_EQ(claims.find(1), nullptr);
  EXPECT_NE(claims.find(2), nullptr);
  EXPECT_EQ(claims.first_at(), 1);
  EXPECT_EQ(claims.highest(), 10'001);
  EXPECT_FALSE(claims.claimed(10'002, 10'001, {.instance = "w1", .at = 20'000})) << "its name is forgotten too";
  EXPECT_EQ(claims.claimed(10'003, 10'002, {.instance = "w9", .at = 20'001}), 9);
}

TEST(ExactBounds, OnlyTheFirstDispatchAfterALossIsATakeover) {
  Claims claims;
  claims.claimed(5, 0, {.instance = "a", .at = 0, .ms = 100});
  EXPECT_FALSE(claims.dispatched(5, 150)) << "no ownership was before it";
  claims.claimed(6, 5, {.instance = "b", .at = 1, .ms = 200});
  EXPECT_FALSE(claims.dispatched(7, 220)) << "nobody has claimed that";
  EXPECT_EQ(claims.dispatched(6, 230), 30);
  EXPECT_FALSE(claims.dispatched(6, 240));
  claims.released(6);
  claims.claimed(7, 6, {.instance = "c", .at = 2, .ms = 300});
  EXPECT_FALSE(claims.dispatched(7, 310)) << "it was given up in order";
  claims.claimed(8, 7, {.instance = "d", .at = 3, .ms = -1});
  EXPECT_FALSE(claims.dispatched(8, 410));
  claims.claimed(9, 8, {.instance = "e", .at = 4, .ms = 0});
  EXPECT_EQ(claims.dispatched(9, 0), 0);
}

}  // namespace
}  // namespace tokenrail::verify::tests
