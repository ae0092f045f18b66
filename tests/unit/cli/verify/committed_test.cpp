// Commits that pass what is incomplete, are beyond the logs or do not advance.
#include "tests/unit/cli/verify/every_rule.hpp"

namespace tokenrail::verify::tests {
namespace {

constexpr auto a = &History::attempt;

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
                             {"TheRecordAtTheCommitIsNotPassed",
                              [](History& h) {
                                h.ask("r");
                                h.ask_in_vain();
                                h.claim(5);
                                h.answer(5, 0);
                                h.options.committed = 1;
                                h.options.metadata = "tr1 5 3 2";
                              },
                              "P1", "the record at offset 1 cannot be answered"},
                             {"AChunkOffsetAtTheFirstChunkIsNotTooFar",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.end(0, a(5, 1), 0);
                                h.options.committed = 0;
                                h.options.metadata = "tr1 5 1 0";
                              },
                              "P4", "no llm.response that counts"},
                             {"AnAuditOffsetTooFar",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.options.committed = 0;
                                h.options.metadata = "tr1 5 2 0";
                              },
                              "P5", "llm.audit [ 1 ] the commit's auditOffset 2 is behind an event"},
                             {"AChunkOffsetTooFar",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.begin(5, 0);
                                h.end(0, a(5, 1), 0);
                                h.options.committed = 0;
                                h.options.metadata = "tr1 5 1 1";
                              },
                              "P4 P5", "chat.chunks [ 0 ] the commit's chunkOffset 1 is behind the first chunk"},
                             {"AnUnclaimedEpoch",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.options.committed = 1;
                                h.options.metadata = "tr1 6 1 0";
                              },
                              "P5", "committed under epoch 6, which no router has claimed"},
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
                              "P5", "[ 7 ] the committed offset 7 is beyond the end of chat.requests (1)"},
                             {"AnAuditOffsetBeyondTheEnd",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.options.committed = 1;
                                h.options.metadata = "tr1 5 5 2";
                              },
                              "P5", "the commit's auditOffset 5 is beyond the end of llm.audit (3)"},
                             {"AChunkOffsetBeyondTheEnd",
                              [](History& h) {
                                h.ask("r");
                                h.claim(5);
                                h.answer(5, 0);
                                h.options.committed = 1;
                                h.options.metadata = "tr1 5 3 3";
                              },
                              "P5", "the commit's chunkOffset 3 is beyond the end of chat.chunks (2)"},
                         }),
                         name_of_row);

}  // namespace
}  // namespace tokenrail::verify::tests
