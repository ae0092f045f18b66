// Requests without an answer, and answers that are not whole.
#include "tests/unit/cli/verify/every_rule.hpp"

namespace tokenrail::verify::tests {
namespace {

constexpr auto a = &History::attempt;

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
                              "P1", "the record at offset 0 cannot be answered"},
                             {"ReportedAsLostButInTheLog",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.lose(5, 0, 1);
                              },
                              "P1",
                              "chat.requests [ 0 ] request r of o (source offset 0) is reported as lost (llm.audit:3), "
                              "but is in chat.requests"},
                             {"TheFirstOfAThousandLossesIsRemembered",
                              [](History& h) {
                                h.ask("r");
                                h.ask("s");
                                h.claim(5);
                                h.answer(5, 0);
                                h.answer(5, 1);
                                h.lose(5, 0, 1);
                                for (int i = 1; i < 1'000; ++i) h.lose(5, 1, 2);
                              },
                              "P1", "chat.requests [ 0 ] request r of o (source offset 0) is reported as lost"},
                             {"ReportedAsLostButInTheLogUnanswered",
                              [](History& h) {
                                h.ask("r");
                                h.ask_in_vain();
                                h.claim(5);
                                h.lose(5, 0, 2);
                                h.options.committed = 2;
                              },
                              "P1 P5", "the committed offset 2 passes the record at 1, which is no dead letter"},
                             {"ReportedAsLostBeyondTheEnd",
                              [](History& h) {
                                h.claim(5);
                                h.answer(5, h.ask("r"));
                                h.lose(5, 1, 7);
                              },
                              "P1",
                              "llm.audit [ 3 ] requests up to 7 are reported as lost, but chat.requests ends at 1"},
                             {"ADeadLetterOfAnother",
                              [](History& h) {
                                h.claim(5);
                                h.ask_in_vain();
                                h.bury(0, "other.requests");
                                h.bury(0, "chat.requests", 1);
                                h.bury(1);
                              },
                              "P1", "cannot be answered"},
                             {"ADeadLetterOfAnEarlierRecord",
                              [](History& h) {
                                h.claim(5);
                                h.ask_in_vain();
                                h.bury(0, "chat.requests", 0, 1);
                              },
                              "P1", "cannot be answered"},
                             {"ADeadLetterThatCanBeAnswered",
                              [](History& h) {
                                h.claim(5);
                                h.bury(h.ask("r"));
                              },
                              "P1", "[ 0 ] request r of o (source offset 0) is in chat.requests.dlq, though"},
                             {"ADeadLetterThatIsRun",
                              [](History& h) {
                                h.ask("r", std::string(4'097, 'k'));
                                h.claim(5);
                                h.answer(5, 0);
                                h.bury(0);
                              },
                              "P1", "is in chat.requests.dlq, and was run all the same: attempt 5001"},
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
         "P2", "a chunk (seq 2) follows the terminal chunk"},
        {"TwoEnds",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.end(0, a(5, 1), 1);
         },
         "P2", "a chunk (seq 1, terminal too) follows"},
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
           h.said_by(0, a(5, 1)) = {.chunks = 1, .reason = events::FinishReason::stop};
           h.respond(5, 0, a(5, 1));
         },
         "P2", "with seq 0 says that there are 3 chunks"},
    }),
    name_of_row);

}  // namespace
}  // namespace tokenrail::verify::tests
