// Histories in which every promise is kept: nothing is said of them.
#include "tests/unit/cli/verify/every_rule.hpp"

namespace tokenrail::verify::tests {
namespace {

using events::FinishReason;
using events::Outcome;

constexpr auto a = &History::attempt;

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
                             {"RefusedRequestEventWrittenBehindARepeatedRequest",
                              [](History& h) {
                                h.options.dedupe_window_ms = 5;
                                h.ask("r", std::nullopt);
                                h.ask("r", std::nullopt);
                                h.claim(5);
                                h.begin(5, 1, a(5, 2));
                                h.answer(5, 0, a(5, 1));
                                h.end(1, a(5, 2), 0);
                                h.respond(5, 1, a(5, 2));
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
                             {"ACommitThatPassesADeadLetterWithAKeyThatIsTooLong",
                              [](History& h) {
                                h.claim(5);
                                h.bury(h.ask("r", std::string(4'097, 'k')));
                                h.options.committed = 1;
                                h.options.metadata = "tr1 5 1 0";
                              }},
                             {"ADuplicateJustWithinTheWindowAndTheWorkersClock",
                              [](History& h) {
                                h.options.dedupe_window_ms = 600'000;
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.wait(600'000 + h.options.worker_skew_ms - 10);
                                h.ask("r");
                                h.duplicate_chunk(1, 0, a(5, 1));
                                h.duplicate_response(5, 1);
                              }},
                             {"ADeadLetterThatIsTooLarge",
                              [](History& h) {
                                h.options.request_limits.value_bytes_max = 50;
                                h.claim(5);
                                h.bury(h.ask("r"));
                              }},
                             {"ADeadLetterOfARecreatedTopic",
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
                             {"ARefusedChunkBeforeTheTerminalOneIsNoAnswer",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.say(0, a(5, 1), 0);
                                h.end(0, a(5, 1), 2);
                                h.wait(100'000);
                                h.claim(6);
                                h.interrupt(6, 0, a(5, 1));
                                h.answer(6, 0);
                              }},
                             {"ARefusedFirstChunkIsNoAnswer",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.end(0, a(5, 1), 1);
                                h.wait(100'000);
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
                                h.release(5, {{.offset = 0_request, .attempt = a(5, 1)}});
                                h.claim(6);
                                h.answer(6, 1);
                                h.renew(5, {{.offset = 0_request, .attempt = a(5, 1)}});
                                h.end(0, a(5, 1), 1);
                                h.respond(5, 0, a(5, 1));
                              }},
                             {"ALeaseThatRanOut",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.say(0, a(5, 1), 0);
                                h.release(5, {{.offset = 0_request, .attempt = a(5, 1)}}, 3'000);
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
                             {"AttemptsOfARecreatedTopic",
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
                             {"SendersTimesSayNothingOfLeases",
                              [](History& h) {
                                h.broker_time = false;
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.release(5, {{.offset = 0_request, .attempt = a(5, 1)}}, 30'000);
                                h.end(0, a(5, 1), 0);
                                h.claim(6);
                                h.wait(10'000);
                                h.interrupt(6, 0, a(5, 1));
                                h.answer(6, 0);
                              }},
                             {"SendersTimesSayNothingOfOrder",
                              [](History& h) {
                                h.broker_time = false;
                                h.ask("r");
                                h.ask("s");
                                h.claim(5);
                                h.end(0, a(5, 1), 0);
                                h.wait(60'000);
                                h.begin(5, 0);
                                h.wait(60'000);
                                h.claim(6);
                                h.interrupt(6, 0, a(5, 1));
                                h.answer(6, 0);
                                h.answer(6, 1);
                              }},
                             {"CalledInTimeByItsWorkersClock",
                              [](History& h) {
                                h.ask("r", "k", 3'000);
                                h.claim(5);
                                h.wait(5'000);
                                h.answer(5, 0);
                                h.audit[1].headers = {{"ce_time", "1970-01-01T00:16:42.500Z"}};
                              }},
                             {"ALateEventFirstInTheWindowAndThenAClaim",
                              [](History& h) {
                                h.options.chunks_from = 1;
                                h.options.audit_from = 20;
                                h.ask("r");
                                h.wait(10'000);
                                // Void: the claim of epoch 6 precedes the window.
                                h.respond(5, 0, a(5, 1));
                                h.claim(7);
                                h.interrupt(7, 0, a(6, 1));
                                h.answer(7, 0);
                              }},
                             {"ALossOfARecreatedTopic",
                              [](History& h) {
                                h.ids = {"old", "older", "oldest"};
                                h.claim(5);
                                h.begin(5, 1);
                                h.lose(5, 0, 3);
                                h.interrupt(5, 1, a(5, 1), "drain");
                                h.wait(60'000);
                                h.ids.clear();
                                h.answer(5, h.ask("new"), a(5, 2));
                              }},
                             {"ACommitOfARecreatedTopic",
                              [](History& h) {
                                h.ids = {"o0", "o1", "o2"};
                                h.claim(5);
                                h.answer(5, 0);
                                h.answer(5, 1, a(5, 2));
                                h.answer(5, 2, a(5, 3));
                                h.wait(3'600'000);
                                h.ids.clear();
                                h.ask("new");
                                h.claim(6);
                                h.answer(6, 0);
                                h.options.committed = 1;
                                h.options.metadata = "tr1 6 10 8";
                                // One whose offset had another request in the old topic.
                                h.ask("next");
                                h.claim(7);
                                h.answer(7, 1);
                              }},
                             {"ADuplicateOfWhatWasLostAndHadBeenAnswered",
                              [](History& h) {
                                h.options.requests_from = 1;
                                h.ids = {"r"};
                                h.claim(5);
                                h.answer(5, 0);
                                h.lose(5, 0, 1);
                                h.ask("r");
                                h.duplicate_chunk(1, 0, a(5, 1));
                                h.duplicate_response(5, 1);
                              }},
                             {"ADuplicateThatIsOneOfAnotherSinceTheFirstWasLost",
                              [](History& h) {
                                h.options.requests_from = 1;
                                h.ids = {"r"};
                                h.ask("r");
                                h.ask("r");
                                h.claim(5);
                                h.duplicate_chunk(2, 0, 0);
                                h.claim(6);
                                h.lose(6, 0, 1);
                                h.answer(6, 1);
                                h.duplicate_chunk(2, 1, a(6, 1));
                                h.duplicate_response(6, 2);
                              }},
                             {"ADuplicateWithinTheWindowOfWhatWasSaidLast",
                              [](History& h) {
                                h.options.dedupe_window_ms = 600'000;
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.wait(300'000);
                                h.end(0, a(5, 1), 0);
                                h.respond(5, 0, a(5, 1));
                                h.wait(500'000);
                                // The next owner knows it from its llm.response on.
                                h.claim(6);
                                h.ask("r");
                                h.duplicate_chunk(1, 0, a(5, 1));
                                h.duplicate_response(6, 1);
                              }},
                             {"ADuplicateForWhichNoNumberWasLeft",
                              [](History& h) {
                                h.options.dedupe_window_ms = 600'000;
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0, a(5, 999));
                                h.wait(3'600'000);
                                h.ask("r");
                                h.duplicate_chunk(1, 0, a(5, 999));
                                h.duplicate_response(5, 1);
                              }},
                             {"AnAttemptOfALogThatWentBackUnderAnotherKey",
                              [](History& h) {
                                h.ask("r", "new");
                                h.claim(5);
                                h.source_ms = h.requests[0].timestamp_ms - 1;  // of the request that was there before
                                h.begin(5, 0, a(5, 1));
                                h.respond(5, 0, a(5, 1), events::Outcome::interrupted);
                                for (auto& record : h.audit) record.key = "k";
                                h.source_ms = h.requests[0].timestamp_ms;
                                h.answer(5, 0, a(5, 2));
                              }},
                             {"DuplicatesAtOneOffsetOfTwoLogs",
                              [](History& h) {
                                h.ask("r");
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.source_ms = h.requests[1].timestamp_ms - 1;
                                h.duplicate_chunk(1, 0, a(5, 1));
                                h.duplicate_response(5, 1);
                                h.claim(6);
                                h.source_ms = h.requests[1].timestamp_ms;
                                h.wait(1);
                                h.duplicate_response(6, 1);
                              }},
                             {"DuplicatesAtOneOffsetOfTwoLogsUnderTwoKeys",
                              [](History& h) {
                                h.ask("r");
                                h.ask("r", "new");
                                h.claim(5);
                                h.answer(5, 0);
                                h.source_ms = h.requests[1].timestamp_ms - 1;
                                h.duplicate_chunk(1, 0, a(5, 1));
                                h.duplicate_response(5, 1);
                                h.chunks.back().key = "k";
                                h.audit.back().key = "k";
                                h.claim(6);
                                h.source_ms = h.requests[1].timestamp_ms;
                                h.wait(1);
                                h.duplicate_chunk(1, 0, a(5, 1));
                                h.duplicate_response(6, 1);
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

}  // namespace
}  // namespace tokenrail::verify::tests
