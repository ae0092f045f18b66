// What has its answer, or still runs, is not run again.
#include "tests/unit/cli/verify/every_rule.hpp"

namespace tokenrail::verify::tests {
namespace {

using events::Outcome;

constexpr auto a = &History::attempt;

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
           h.release(5, {{.offset = 0_request, .attempt = a(5, 1)}});
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
           h.release(5, {{.offset = 0_request, .attempt = a(5, 1)}}, 30'000);
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
        {"BeginsBehindItsOwnHandOver",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.release(5, {});
           h.begin(5, 0);
           h.say(0, a(5, 1), 0);
           h.claim(6);
           h.interrupt(6, 0, a(5, 1));
           h.answer(6, 0);
         },
         "P3", "llm.audit [ 1 2 ] request r of o (source offset 0), attempt 5001 begins behind the router.released"},
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
        {"TheTerminalChunkPrecedesTheClaim",
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
         "P3", "attempt 6001 begins though the terminal chunk of attempt 5001 (chat.chunks:0) was in the log"},
        {"TheTerminalChunkAtTimeZeroPrecedesTheClaim",
         [](History& h) {
           h.now_ms = -40;
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.end(0, a(5, 1), 0);
           h.wait(5'000);
           h.claim(6);
           h.interrupt(6, 0, a(5, 1));
           h.answer(6, 0);
         },
         "P3", "attempt 6001 begins though the terminal chunk of attempt 5001 (chat.chunks:0) was in the log"},
        {"ClosedDespiteItsTerminalChunk",
         [](History& h) {
           h.broker_time = true;
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.release(5, {{.offset = 0_request, .attempt = a(5, 1)}}, 10'000);
           h.end(0, a(5, 1), 0);
           h.claim(6);
           h.wait(20'000);
           h.interrupt(6, 0, a(5, 1));
           h.end(0, a(6, 1), 0);
           h.begin(6, 0);
           h.respond(6, 0, a(6, 1));
         },
         "P3", "attempt 5001: closed as interrupted though its terminal chunk (chat.chunks:0) was in the log"},
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

}  // namespace
}  // namespace tokenrail::verify::tests
