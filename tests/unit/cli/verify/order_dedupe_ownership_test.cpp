// Order within a key, deadlines, duplicates, and who may write under which epoch.
#include "tests/unit/cli/verify/every_rule.hpp"

namespace tokenrail::verify::tests {
namespace {

using events::Outcome;

constexpr auto a = &History::attempt;

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
           h.broker_time = false;
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
         "DEDUPE", "names source offset 0, which is that of another request"},
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
        {"ADuplicateOfWhatWasLost",
         [](History& h) {
           h.options.requests_from = 6;
           h.ids = {"", "", "", "", "", "r"};
           h.ask("r");
           h.claim(5);
           h.lose(5, 5, 6);
           h.wait(1'000);
           h.duplicate_chunk(6, 5, 0);
           h.duplicate_response(5, 6);
         },
         "DEDUPE", "it names source offset 5, which had been reported as lost (llm.audit:1) and was never answered"},
        {"ADuplicateADayLater",
         [](History& h) {
           h.options.dedupe_window_ms = 600'000;
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.wait(24 * 3'600'000);
           h.ask("r");
           h.duplicate_chunk(1, 0, a(5, 1));
           h.duplicate_response(5, 1);
         },
         "DEDUPE", "it came 86400010 ms after the last record about source offset 0, and the window is 600000 ms"},
        {"ADuplicateADayLaterOfTwoChunks",
         [](History& h) {
           h.options.dedupe_window_ms = 600'000;
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.wait(24 * 3'600'000);
           h.ask("r");
           h.duplicate_chunk(1, 0, a(5, 1));
           h.duplicate_chunk(1, 0, a(5, 1), 7);
           h.duplicate_response(5, 1);
         },
         "DEDUPE", "ms after the last record about source offset 0, and the window is 600000 ms"},
        {"ADuplicateJustBehindTheWindowAndTheWorkersClock",
         [](History& h) {
           h.options.dedupe_window_ms = 600'000;
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.wait(600'000 + h.options.worker_skew_ms - 9);
           h.ask("r");
           h.duplicate_chunk(1, 0, a(5, 1));
           h.duplicate_response(5, 1);
         },
         "DEDUPE", "it came 660001 ms after the last record about source offset 0, and the window is 600000 ms"},
        {"ADuplicateUnderAnotherKey",
         [](History& h) {
           h.ask("r");
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.duplicate_chunk(1, 0, a(5, 1));
           h.duplicate_response(5, 1);
           h.chunks.back().key = "another";
         },
         "P4", "attempt 0: another record key than that of"},
        {"DuplicatesOfTwoLogsWithAChunkUnderAThirdKey",
         [](History& h) {
           h.ask("r");
           h.ask("r", "new");
           h.claim(5);
           h.answer(5, 0);
           h.source_ms = h.requests[1].timestamp_ms - 1;
           h.duplicate_chunk(1, 0, a(5, 1));
           h.duplicate_response(5, 1);
           h.chunks.back().key = "another";
           h.audit.back().key = "k";
           h.claim(6);
           h.source_ms = h.requests[1].timestamp_ms;
           h.duplicate_response(6, 1);
         },
         "P4", "attempt 0: another record key than that of"},
        {"ADuplicatesEventsUnderAnotherKeyThanTheRequest",
         [](History& h) {
           h.ask("r");
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.duplicate_chunk(1, 0, a(5, 1));
           h.duplicate_response(5, 1);
           h.chunks.back().key = "another";
           h.audit.back().key = "another";
         },
         "P4", "(source offset 1), attempt 0: another record key than that of its request"},
        {"CalledLongPastItsDeadline",
         [](History& h) {
           h.ask("r", "k", 3'000);
           h.claim(5);
           h.wait(5'000);
           h.answer(5, 0);
           h.audit[1].headers = {{"ce_time", "1970-01-01T00:16:45.020Z"}};
         },
         "DEADLINE", "attempt 5001: called, though its time had run out 2020 ms before its llm.request"},
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
         "OWNERSHIP", "an event under epoch 6, which no router has claimed"},
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
         "OWNERSHIP", "router.claimed about partition 3 is in the log of partition 0"},
    }),
    name_of_row);

}  // namespace
}  // namespace tokenrail::verify::tests
