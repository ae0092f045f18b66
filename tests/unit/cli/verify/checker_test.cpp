// Each rule of the checker, green on a good history and red on a bad one.
#include "cli/verify/checker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/verify/history.hpp"

namespace tokenrail::verify::tests {
namespace {

using events::FinishReason;
using events::Outcome;
using testing::HasSubstr;
using Feeding = History::Feeding;

constexpr auto a = &History::attempt;

struct Row {
  std::string name;
  void (*write)(History&);
  std::string promises{};  ///< broken, in any order of the topics; empty: none
  std::string text{};      ///< part of what is said
};

class EveryRule : public testing::TestWithParam<Row> {};

TEST_P(EveryRule, SaysWhatWasBrokenAndNothingElse) {
  const auto& row = GetParam();
  for (const auto feeding : {Feeding::by_time, Feeding::audit_first, Feeding::chunks_first}) {
    History history;
    row.write(history);
    const auto found = history.check(true, feeding);
    EXPECT_EQ(found.promises(), row.promises) << found.texts();
    EXPECT_THAT(found.texts(), HasSubstr(row.text));
  }
}

std::string name_of_row(const testing::TestParamInfo<Row>& info) {
  return info.param.name;
}

// --- good histories -------------------------------------------------------------------------------------------------

INSTANTIATE_TEST_SUITE_P(Good, EveryRule,
                         testing::ValuesIn(std::vector<Row>{
                             {"Nothing", [](History&) {}},
                             {"OneAnswer",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                              }},
                             {"AnErrorIsAnAnswer",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.end(0, a(5, 1), 0, FinishReason::error);
                                h.respond(5, 0, a(5, 1), Outcome::rejected, {}, false, false);
                              }},
                             {"ADeadLetter",
                              [](History& h) {
                                h.claim(5);
                                h.bury(h.ask_in_vain());
                                h.bury(0);
                              }},
                             {"ADeadLetterWithAKeyThatIsTooLong",
                              [](History& h) {
                                h.claim(5);
                                h.bury(h.ask("r", std::string(4'097, 'k')));
                              }},
                             {"ADeadLetterThatIsTooLarge",
                              [](History& h) {
                                h.options.request_limits.value_bytes_max = 50;
                                h.claim(5);
                                h.bury(h.ask("r"));
                              }},
                             {"ADeadLetterOfATopicThatWasMadeAnew",
                              [](History& h) {
                                h.bury(0, "chat.requests", 0, 1);
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.bury(0, "chat.requests", 0, 1);
                              }},
                             {"ADeadLetterThatSaysWhen",
                              [](History& h) {
                                h.now_ms = 30;
                                h.bury(h.ask_in_vain(), "chat.requests", 0, 40);
                              }},
                             {"ADeathInTheMiddle",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.say(0, a(5, 1), 0);
                                h.claim(6);
                                h.interrupt(6, 0, a(5, 1));
                                h.answer(6, 0);
                              }},
                             {"ADeathBetweenTerminalChunkAndResponse",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.end(0, a(5, 1), 0);
                                h.claim(6);
                                h.respond(6, 0, a(5, 1), Outcome::completed, {}, true);
                              }},
                             {"LateOutputOfAStalledWorkerIsVoid",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.say(0, a(5, 1), 0);
                                h.claim(6);
                                h.interrupt(6, 0, a(5, 1));
                                h.begin(6, 0);
                                h.end(0, a(5, 1), 1);
                                h.respond(5, 0, a(5, 1));
                                h.end(0, a(6, 1), 0);
                                h.respond(6, 0, a(6, 1));
                              }},
                             {"AVoidRequestThatNeverPublishes",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.claim(6);
                                h.begin(5, 0);
                                h.answer(6, 0);
                              }},
                             {"RestartInTheSameEpoch",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.say(0, a(5, 1), 0);
                                h.interrupt(5, 0, a(5, 1), "restart");
                                h.answer(5, 0, a(5, 2));
                              }},
                             {"AHandOverWithoutACut",
                              [](History& h) {
                                h.ask("r");
                                h.ask("s", "other");
                                h.claim(5);
                                h.begin(5, 0);
                                h.say(0, a(5, 1), 0);
                                h.release(5, {{.offset = 0, .attempt = a(5, 1)}});
                                h.claim(6);
                                h.answer(6, 1);
                                h.renew(5, {{.offset = 0, .attempt = a(5, 1)}});
                                h.end(0, a(5, 1), 1);
                                h.respond(5, 0, a(5, 1));
                              }},
                             {"ALeaseThatRanOut",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.say(0, a(5, 1), 0);
                                h.release(5, {{.offset = 0, .attempt = a(5, 1)}}, 3'000);
                                h.claim(6);
                                h.wait(5'000);
                                h.interrupt(6, 0, a(5, 1));
                                h.answer(6, 0);
                                h.respond(5, 0, a(5, 1));
                              }},
                             {"AResponseThatTheProducerSentTwice",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                auto again = h.audit.back();
                                ++again.offset;
                                h.audit.push_back(again);
                              }},
                             {"ADuplicateAnsweredTwiceAlike",
                              [](History& h) {
                                h.ask("r");
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.duplicate_chunk(1, 0, a(5, 1));
                                h.claim(6);
                                h.duplicate_chunk(1, 0, a(5, 1));
                                h.duplicate_response(6, 1);
                              }},
                             {"AnIdThatRunsAgainAfterTheWindow",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.ask("r");
                                h.answer(5, 1, a(5, 2));
                              }},
                             {"AnIdThatRunsAgainUnderAnotherOwner",
                              [](History& h) {
                                h.options.dedupe_window_ms = 600'000;
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.ask("r");
                                h.claim(6);
                                h.answer(6, 1);
                              }},
                             {"AnIdThatRunsAgainLongAfter",
                              [](History& h) {
                                h.options.dedupe_window_ms = 600'000;
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.wait(600'000);
                                h.ask("r");
                                h.answer(5, 1, a(5, 2));
                              }},
                             {"AClaimThatWasNotHigher",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.claim(5, "another");
                                h.answer(5, 0);
                              }},
                             {"OneOfAKeyEndsUncalledOutOfTurn",
                              [](History& h) {
                                h.ask("r");
                                h.ask("s");
                                h.claim(5);
                                h.begin(5, 0);
                                h.begin(5, 1);
                                h.end(1, a(5, 1), 0, FinishReason::cancelled);
                                h.respond(5, 1, a(5, 1), Outcome::cancelled, {}, false, false);
                                h.end(0, a(5, 1), 0);
                                h.respond(5, 0, a(5, 1));
                              }},
                             {"EndedAtItsDeadlineWithoutACall",
                              [](History& h) {
                                h.ask("r", "k", 3'000);
                                h.claim(5);
                                h.wait(5'000);
                                h.begin(5, 0);
                                h.end(0, a(5, 1), 0, FinishReason::error);
                                h.respond(5, 0, a(5, 1), Outcome::rejected, {}, false, false);
                              }},
                             {"KeysSideBySide",
                              [](History& h) {
                                h.ask("r", "a");
                                h.ask("s", "b");
                                h.ask("t", std::nullopt);
                                h.claim(5);
                                h.answer(5, 2);
                                h.answer(5, 1);
                                h.answer(5, 0);
                              }},
                             {"ACommitUpToTheEnds",
                              [](History& h) {
                                h.ask("r");
                                h.ask("s");
                                h.claim(5);
                                h.answer(5, 0);
                                h.begin(5, 1);
                                h.end(1, a(5, 1), 0);
                                h.respond(5, 1, a(5, 1));
                                h.options.committed = 2;
                                h.options.metadata = "tr1 5 5 3";
                              }},
                             {"AStaleCommitThatLandedLate",
                              [](History& h) {
                                h.ask("r");
                                h.ask("s");
                                h.claim(5);
                                h.answer(5, 0);
                                h.claim(6);
                                h.answer(6, 1);
                                h.options.committed = 1;
                                h.options.metadata = "tr1 5 3 2";
                              }},
                             {"AttemptsOfATopicThatWasMadeAnew",
                              [](History& h) {
                                h.broker_time = true;
                                h.ids = {"old", "older"};
                                h.claim(5);
                                h.answer(5, 0);
                                h.wait(60'000);
                                h.ids.clear();
                                h.ask("new");
                                h.answer(5, 0, a(5, 2));
                              }},
                             {"AForeignCommit",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.options.committed = 1;
                                h.options.metadata = "written by a tool";
                              }},
                         }),
                         name_of_row);

// --- bad ones -------------------------------------------------------------------------------------------------------

INSTANTIATE_TEST_SUITE_P(Answered, EveryRule,
                         testing::ValuesIn(std::vector<Row>{
                             {"NeverAttempted",
                              [](History& h) {
                                h.claim(5);
                                h.ask("r");
                              },
                              "P1", "request r of o (source offset 0) was never answered: no attempt, no dead letter"},
                             {"InterruptedAndLeft",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.claim(6);
                                h.interrupt(6, 0, a(5, 1));
                              },
                              "P1", "its last attempt 5001 was interrupted (llm.audit:3)"},
                             {"NoTerminalChunk",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.say(0, a(5, 1), 0);
                                h.respond(5, 0, a(5, 1));
                              },
                              "P1", "ended as completed, and has no terminal chunk"},
                             {"StillRunsWhereNothingRuns",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.say(0, a(5, 1), 0);
                              },
                              "P1 P4", "has no terminal chunk"},
                             {"NotJsonAndNoDeadLetter",
                              [](History& h) {
                                h.claim(5);
                                h.ask_in_vain();
                              },
                              "P1", "the record at offset 0 can be answered by nobody"},
                             {"ADeadLetterOfAnother",
                              [](History& h) {
                                h.claim(5);
                                h.ask_in_vain();
                                h.bury(0, "other.requests");
                                h.bury(0, "chat.requests", 1);
                                h.bury(1);
                              },
                              "P1", "can be answered by nobody"},
                             {"ADeadLetterOfAnEarlierRecord",
                              [](History& h) {
                                h.claim(5);
                                h.ask_in_vain();
                                h.bury(0, "chat.requests", 0, 1);
                              },
                              "P1", "can be answered by nobody"},
                             {"ADeadLetterThatCanBeAnswered",
                              [](History& h) {
                                h.claim(5);
                                h.bury(h.ask("r"));
                              },
                              "P1", "[ 0 ] request r of o (source offset 0) lies in chat.requests.dlq, though"},
                             {"ADeadLetterThatIsRun",
                              [](History& h) {
                                h.ask("r", std::string(4'097, 'k'));
                                h.claim(5);
                                h.answer(5, 0);
                                h.bury(0);
                              },
                              "P1", "lies in chat.requests.dlq, and was run all the same: attempt 5001"},
                         }),
                         name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Whole, EveryRule,
    testing::ValuesIn(std::vector<Row>{
        {"AGap",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.say(0, a(5, 1), 0);
           h.end(0, a(5, 1), 2);
           h.respond(5, 0, a(5, 1));
         },
         "P2", "seq 2 where 1 was due (a gap)"},
        {"ARepetition",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.say(0, a(5, 1), 0);
           h.say(0, a(5, 1), 0);
           h.end(0, a(5, 1), 1);
           h.respond(5, 0, a(5, 1));
         },
         "P2", "chat.chunks [ 0 1 ] request r of o, attempt 5001: seq 0 where 1 was due (a repetition)"},
        {"TheBeginningIsMissing",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.end(0, a(5, 1), 1);
           h.respond(5, 0, a(5, 1));
         },
         "P2", "begins with seq 1"},
        {"AChunkBehindTheEnd",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.say(0, a(5, 1), 2);
         },
         "P2", "a chunk (seq 2) stands behind the terminal chunk"},
        {"TwoEnds",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.end(0, a(5, 1), 1);
         },
         "P2", "a chunk (seq 1, terminal too) stands behind"},
        {"AChunkUnderAnotherKey",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.chunks.back().key = "another";
         },
         "P4", "request r of o, attempt 5001: another record key than that of"},
        {"AWrongCount",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.to_chunks(
               R"({"requestId":"r","orgId":"o","attempt":5001,"seq":0,"delta":null,"done":true,"finishReason":"stop",)"
               R"("timing":{"queuedMs":0,"totalMs":0},"chunks":3,"sourceOffset":0})");
           h.respond(5, 0, a(5, 1));
         },
         "P2", "with seq 0 says that there are 3 chunks"},
    }),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Once, EveryRule,
    testing::ValuesIn(std::vector<Row>{
        {"RunsAgainThoughAnswered",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.claim(6);
           h.answer(6, 0);
         },
         "P3", "llm.audit [ 2 4 ] request r of o (source offset 0), attempt 6001 begins after attempt 5001 has ended"},
        {"RunsAgainThoughRecovered",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.end(0, a(5, 1), 0);
           h.claim(6);
           h.respond(6, 0, a(5, 1), Outcome::completed, {}, true);
           h.answer(6, 0);
         },
         "P3", "begins after attempt 5001 has ended as completed"},
        {"RunsAgainBeforeTheOldOneIsClosed",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.claim(6);
           h.begin(6, 0);
           h.interrupt(6, 0, a(5, 1));
           h.end(0, a(6, 1), 0);
           h.respond(6, 0, a(6, 1));
         },
         "P3", "begins while attempt 5001 has no llm.response"},
        {"RunsAgainWhileItIsContinued",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.release(5, {{.offset = 0, .attempt = a(5, 1)}});
           h.claim(6);
           h.answer(6, 0);
           h.end(0, a(5, 1), 0);
           h.respond(5, 0, a(5, 1));
         },
         "P3", "has no llm.response, and is continued by the worker that gave the partition up"},
        {"ClosedBeforeItsLeaseRanOut",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.release(5, {{.offset = 0, .attempt = a(5, 1)}}, 30'000);
           h.claim(6);
           h.wait(10'000);
           h.interrupt(6, 0, a(5, 1));
           h.answer(6, 0);
         },
         "P3", "before the lease of the worker that continues it ran out"},
        {"GivenUpWithoutNamingWhatRuns",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.end(0, a(5, 1), 0);
           h.release(5, {});
           h.respond(5, 0, a(5, 1));
           h.claim(6);
         },
         "P3", "the partition is given up without naming it"},
        {"NumbersThatShrink",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0, a(5, 2));
           h.interrupt(5, 0, a(5, 2), "restart");
           h.answer(5, 0, a(5, 1));
           h.respond(5, 0, a(5, 2));
         },
         "P1 P3 P4", "numbers of a request only grow"},
        {"TheTerminalChunkStoodBeforeTheClaim",
         [](History& h) {
           h.broker_time = true;
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.end(0, a(5, 1), 0);
           h.wait(5'000);
           h.claim(6);
           h.interrupt(6, 0, a(5, 1));
           h.answer(6, 0);
         },
         "P3", "attempt 6001 begins though the terminal chunk of attempt 5001 (chat.chunks:0) stood in the log"},
        {"ClosedThoughItsTerminalChunkStoodThere",
         [](History& h) {
           h.broker_time = true;
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.release(5, {{.offset = 0, .attempt = a(5, 1)}}, 10'000);
           h.end(0, a(5, 1), 0);
           h.claim(6);
           h.wait(20'000);
           h.interrupt(6, 0, a(5, 1));
           h.end(0, a(6, 1), 0);
           h.begin(6, 0);
           h.respond(6, 0, a(6, 1));
         },
         "P3", "attempt 5001: closed as interrupted though its terminal chunk (chat.chunks:0) stood in the log"},
        {"RunsAfterItWasAnsweredAsADuplicate",
         [](History& h) {
           h.ask("r");
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.duplicate_chunk(1, 0, a(5, 1));
           h.duplicate_response(5, 1);
           h.answer(5, 1, a(5, 2));
         },
         "P3", "begins after the request was answered as a duplicate"},
    }),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(Audited, EveryRule,
                         testing::ValuesIn(std::vector<Row>{
                             {"NoResponse",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.end(0, a(5, 1), 0);
                              },
                              "P4", "no llm.response that counts"},
                             {"NoRequest",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.end(0, a(5, 1), 0);
                                h.respond(5, 0, a(5, 1));
                              },
                              "P4", "an llm.response without an llm.request that counts"},
                             {"TwoRequests",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.answer(5, 0);
                              },
                              "P4",
                              "llm.audit [ 1 2 ] request r of o (source offset 0), attempt 5001: a second llm.request"},
                             {"ANumberOfAnotherEpoch",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0, a(4, 1));
                              },
                              "P4", "its number is none of epoch 5"},
                             {"PublishesUnknown",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.say(0, a(4, 1), 0);
                              },
                              "P4", "attempt 4001: it publishes, and llm.audit knows nothing of it"},
                             {"PublishesThoughVoid",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.claim(6);
                                h.begin(5, 0);
                                h.say(0, a(5, 1), 0);
                                h.answer(6, 0);
                              },
                              "P4", "void"},
                             {"AnOutcomeThatDoesNotFit",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.end(0, a(5, 1), 0, FinishReason::error);
                                h.respond(5, 0, a(5, 1), Outcome::completed);
                              },
                              "P4", "ended as completed, and its terminal chunk (chat.chunks:0) says error"},
                             {"ATerminalChunkOfAnotherOffset",
                              [](History& h) {
                                h.ask("r", "a");
                                h.ask("r", "b");
                                h.claim(5);
                                h.begin(5, 0);
                                h.end(1, a(5, 1), 0);
                                h.respond(5, 0, a(5, 1));
                                h.answer(5, 1, a(5, 2));
                              },
                              "P4", "its terminal chunk names source offset 1, its events 0"},
                             {"AResponseOfAnotherPartition",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.end(0, a(5, 1), 0);
                                h.events_name = 3;
                                h.respond(5, 0, a(5, 1));
                              },
                              "P4",
                              "llm.audit [ 2 ] llm.response about partition 3 stands in the log of partition 0, where "
                              "it counts for nothing"},
                             {"ARequestOfAnotherPartition",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.events_name = 3;
                                h.begin(5, 0, a(5, 2));
                              },
                              "P4", "llm.request about partition 3"},
                             {"AnAttemptAtTheOffsetOfAnother",
                              [](History& h) {
                                h.broker_time = true;
                                h.ask("r");
                                h.ask("s");
                                h.claim(5);
                                h.answer(5, 0);
                                h.answer(5, 1);
                                h.wait(2'000);
                                h.ids[1] = "ghost";
                                h.answer(5, 1, a(5, 2));
                              },
                              "P4", "llm.audit [ 5 ] request ghost of o (source offset 1), attempt 5002: it begins at"},
                             {"EventsUnderAnotherKeyThanTheRequest",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                for (auto& record : h.audit) record.key = "another";
                                for (auto& record : h.chunks) record.key = "another";
                              },
                              "P4", "another record key than that of its request"},
                             {"AResponseUnderAnotherKey",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.audit.back().key = std::nullopt;
                              },
                              "P4", "another record key than that of"},
                             {"AnEventThatCannotBeRead",
                              [](History& h) {
                                h.claim(5);
                                h.to_audit(R"({"type":"llm.response","epoch":5})");
                                h.audit.back().headers = {{"ce_type", "llm.response"}};
                              },
                              "P4", "[ 1 ] a record that says it is llm.response cannot be read"},
                             {"TwoResponsesOfOneWriter",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.respond(5, 0, a(5, 1), Outcome::failed);
                              },
                              "P4",
                              "llm.audit [ 2 3 ] request r of o (source offset 0), attempt 5001: a second llm.response "
                              "under epoch 5"},
                             {"TwoResponsesOfAWorkerThatContinues",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.release(5, {{.offset = 0, .attempt = a(5, 1)}});
                                h.claim(6);
                                h.end(0, a(5, 1), 0);
                                h.respond(5, 0, a(5, 1));
                                h.respond(5, 0, a(5, 1), Outcome::failed);
                              },
                              "P4", "a second llm.response under epoch 5"},
                             {"ClosedThoughItHadEnded",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.claim(6);
                                h.interrupt(6, 0, a(5, 1));
                              },
                              "P4", "a second llm.response under epoch 6"},
                         }),
                         name_of_row);

INSTANTIATE_TEST_SUITE_P(Committed, EveryRule,
                         testing::ValuesIn(std::vector<Row>{
                             {"PassesAnOpenRequest",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.end(0, a(5, 1), 0);
                                h.options.committed = 1;
                                h.options.metadata = "tr1 5 1 0";
                              },
                              "P4 P5",
                              "the committed offset 1 passes request r of o (source offset 0), which is not complete"},
                             {"PassesAnInterruptedOne",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.interrupt(5, 0, a(5, 1), "drain");
                                h.options.committed = 1;
                                h.options.metadata = "tr1 5 1 0";
                              },
                              "P1 P5", "passes request r"},
                             {"PassesWhatIsNoDeadLetter",
                              [](History& h) {
                                h.claim(5);
                                h.ask_in_vain();
                                h.options.committed = 1;
                              },
                              "P1 P5", "passes the record at 0, which is no dead letter"},
                             {"AnAuditOffsetTooFar",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.options.committed = 0;
                                h.options.metadata = "tr1 5 2 0";
                              },
                              "P5", "llm.audit [ 1 ] the commit's auditOffset 2 lies behind an event"},
                             {"AChunkOffsetTooFar",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.end(0, a(5, 1), 0);
                                h.options.committed = 0;
                                h.options.metadata = "tr1 5 1 1";
                              },
                              "P4 P5", "chat.chunks [ 0 ] the commit's chunkOffset 1 lies behind the terminal chunk"},
                             {"AnEpochNobodyClaimed",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.options.committed = 1;
                                h.options.metadata = "tr1 6 1 0";
                              },
                              "P5", "committed under epoch 6, which nobody has claimed"},
                             {"BehindWhatIsComplete",
                              [](History& h) {
                                h.ask("r");
                                h.ask("s");
                                h.bury(h.ask_in_vain());
                                h.claim(5);
                                h.answer(5, 0);
                                h.answer(5, 1);
                                h.options.committed = 1;
                                h.options.metadata = "tr1 5 3 2";
                              },
                              "P5", "everything below 3 is complete, and yet only 1 is committed"},
                             {"BehindWhatIsCompleteAndBeforeAnOpenOne",
                              [](History& h) {
                                h.ask("r");
                                h.ask("s");
                                h.claim(5);
                                h.answer(5, 0);
                                h.options.committed = 0;
                                h.options.metadata = "tr1 5 1 0";
                              },
                              "P1 P5", "everything below 1 is complete, and yet only 0 is committed"},
                             {"BeyondTheEnd",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.options.committed = 7;
                                h.options.metadata = "tr1 5 1 1";
                              },
                              "P5", "[ 7 ] the committed offset 7 lies beyond the end of chat.requests (1)"},
                             {"AnAuditOffsetBeyondTheEnd",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.options.committed = 1;
                                h.options.metadata = "tr1 5 5 2";
                              },
                              "P5", "the commit's auditOffset 5 lies beyond the end of llm.audit (3)"},
                             {"AChunkOffsetBeyondTheEnd",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.options.committed = 1;
                                h.options.metadata = "tr1 5 3 3";
                              },
                              "P5", "the commit's chunkOffset 3 lies beyond the end of chat.chunks (2)"},
                         }),
                         name_of_row);

INSTANTIATE_TEST_SUITE_P(
    OrderDedupeOwnership, EveryRule,
    testing::ValuesIn(std::vector<Row>{
        {"TheLaterOfAKeyBeginsFirst",
         [](History& h) {
           h.ask("r");
           h.ask("s");
           h.claim(5);
           h.answer(5, 1);
           h.answer(5, 0);
         },
         "ORDER", "llm.audit [ 1 3 ] of one key, the request at source offset 1 begins before the one at 0"},
        {"TheLaterOfAKeyEndsFirst",
         [](History& h) {
           h.ask("r");
           h.ask("s");
           h.claim(5);
           h.begin(5, 0);
           h.answer(5, 1);
           h.end(0, a(5, 1), 0);
           h.respond(5, 0, a(5, 1));
         },
         "ORDER", "ends before the one at 0"},
        {"TheLaterOfAKeyBeginsBeforeTheEarlierHasEnded",
         [](History& h) {
           h.broker_time = true;
           h.options.clock_skew_ms = 20;
           h.ask("r");
           h.ask("s");
           h.claim(5);
           h.begin(5, 0);
           h.begin(5, 1);
           h.wait(50);
           h.end(0, a(5, 1), 0);
           h.respond(5, 0, a(5, 1));
           h.end(1, a(5, 1), 0);
           h.respond(5, 1, a(5, 1));
         },
         "ORDER", "llm.audit [ 2 1 ] of one key, the request at source offset 1 begins before the one at 0 has ended"},
        {"CalledPastItsDeadline",
         [](History& h) {
           h.ask("r", "k", 3'000);
           h.claim(5);
           h.wait(5'000);
           h.answer(5, 0);
         },
         "DEADLINE", "attempt 5001: called, though its time had run out 2020 ms before its llm.request"},
        {"ADuplicateWithALlmRequest",
         [](History& h) {
           h.ask("r");
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.begin(5, 1, 0);
           h.duplicate_chunk(1, 0, a(5, 1));
           h.duplicate_response(5, 1);
         },
         "DEDUPE", "a duplicate's answer has no llm.request"},
        {"ADuplicateAnsweredDifferently",
         [](History& h) {
           h.ask("r");
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.duplicate_chunk(1, 0, a(5, 1));
           h.duplicate_chunk(1, 0, a(5, 1), 7);
           h.duplicate_response(5, 1);
         },
         "DEDUPE",
         "chat.chunks [ 2 3 ] request r of o, attempt 0: source offset 1 was answered twice, and differently"},
        {"ADuplicateOfNothing",
         [](History& h) {
           h.ask("s");
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.duplicate_chunk(1, 0, a(5, 1));
           h.duplicate_response(5, 1);
         },
         "DEDUPE", "names source offset 0, where another request stands"},
        {"ADuplicateOfAnUnknownAttempt",
         [](History& h) {
           h.ask("r");
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.duplicate_chunk(1, 0, a(5, 7));
           h.duplicate_response(5, 1);
         },
         "DEDUPE", "it names attempt 5007, which is unknown"},
        {"ADuplicateThatIsRun",
         [](History& h) {
           h.options.dedupe_window_ms = 600'000;
           h.ask("r");
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.answer(5, 1, a(5, 2));
         },
         "DEDUPE", "is run at source offset 0 and, 10 ms later, at 1 by the same owner"},
        {"ADuplicateOfItself",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.duplicate_chunk(0, 0, 0);
           h.duplicate_response(5, 0);
         },
         "DEDUPE", "it names no request before it"},
        {"ADuplicateThatEndsOtherwise",
         [](History& h) {
           h.ask("r");
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.duplicate_chunk(1, 0, a(5, 1));
           h.duplicate_response(5, 1, Outcome::completed);
         },
         "DEDUPE", "outcome completed, where only duplicate is one"},
        {"ADuplicateWithoutAChunk",
         [](History& h) {
           h.ask("r");
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.duplicate_response(5, 1);
         },
         "DEDUPE", "it has no chunk"},
        {"ADuplicateThatStreams",
         [](History& h) {
           h.ask("r");
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.say(1, 0, 0);
           h.duplicate_chunk(1, 0, a(5, 1));
           h.duplicate_response(5, 1);
         },
         "DEDUPE", "a duplicate's answer is one terminal chunk"},
        {"ADuplicateWithTwoResponses",
         [](History& h) {
           h.ask("r");
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.duplicate_chunk(1, 0, a(5, 1));
           h.duplicate_response(5, 1);
           h.wait(5);
           h.duplicate_response(5, 1);
           h.audit.back().headers = {{"ce_time", "later"}};
         },
         "P4", "attempt 0: a second llm.response under epoch 5"},
        {"AnEpochWithoutAClaim",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.answer(6, 0);
         },
         "OWNERSHIP", "an event under epoch 6, which nobody has claimed"},
        {"TwoWritersUnderOneEpoch",
         [](History& h) {
           h.ask("r");
           h.claim(5, "first");
           h.claim(5);
           h.answer(5, 0);
         },
         "OWNERSHIP", "instance w5 writes under epoch 5, which instance first has claimed"},
        {"AnInstanceThatClaimsTwice",
         [](History& h) {
           h.claim(5, "w");
           h.claim(6, "w");
         },
         "OWNERSHIP", "llm.audit [ 0 1 ] instance w claims epoch 6 under the name of an earlier claim"},
        {"AClaimOfAnotherPartition",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.events_name = 3;
           h.claim(6);
           h.release(6, {});
           h.events_name = 0;
           h.answer(5, 0);
         },
         "OWNERSHIP", "router.claimed about partition 3 stands in the log of partition 0"},
    }),
    name_of_row);

}  // namespace
}  // namespace tokenrail::verify::tests
