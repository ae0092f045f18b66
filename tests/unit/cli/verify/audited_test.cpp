// What llm.audit says, and how it fits the requests and the chunks.
#include "tests/unit/cli/verify/every_rule.hpp"

namespace tokenrail::verify::tests {
namespace {

using events::FinishReason;
using events::Outcome;

constexpr auto a = &History::attempt;

INSTANTIATE_TEST_SUITE_P(
    Audited, EveryRule,
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
         "P4", "llm.audit [ 1 2 ] request r of o (source offset 0), attempt 5001: a second llm.request"},
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
         "llm.audit [ 2 ] llm.response about partition 3 is in the log of partition 0, where "
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
        {"ARequestEventUnderAnotherKey",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.audit.back().key = "another";
           h.end(0, a(5, 1), 0);
           h.respond(5, 0, a(5, 1));
         },
         "P4", "another record key than that of"},
        {"ADuplicatesResponseUnderAnotherKey",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.answer(5, 0);
           h.ask("r");
           h.duplicate_chunk(1, 0, a(5, 1));
           h.duplicate_response(5, 1);
           h.audit.back().key = "another";
         },
         "P4", "another record key than that of"},
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
        {"PublishesBeforeItsRequest",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.say(0, a(5, 1), 0);
           h.end(0, a(5, 1), 1);
           h.wait(60'000);
           h.begin(5, 0);
           h.respond(5, 0, a(5, 1));
         },
         "P4", "attempt 5001: its first chunk (chat.chunks:0) was in the log 60020 ms before its"},
        {"PublishesAtTimeZeroBeforeItsRequest",
         [](History& h) {
           h.now_ms = -30;
           h.ask("r");
           h.claim(5);
           h.say(0, a(5, 1), 0);
           h.end(0, a(5, 1), 1);
           h.wait(60'000);
           h.begin(5, 0);
           h.respond(5, 0, a(5, 1));
         },
         "P4", "attempt 5001: its first chunk (chat.chunks:0) was in the log 60020 ms before its"},
        {"RespondsAtTimeZeroBeforeItsTerminalChunk",
         [](History& h) {
           h.now_ms = -40;
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.said_by(0, a(5, 1)) = {.chunks = 2, .bytes = 1, .reason = FinishReason::stop};
           h.respond(5, 0, a(5, 1));
           h.wait(60'000);
           h.say(0, a(5, 1), 0);
           h.end(0, a(5, 1), 1);
         },
         "P4", "attempt 5001: its llm.response was in the log 60020 ms before its terminal chunk"},
        {"RespondsBeforeItsTerminalChunk",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.said_by(0, a(5, 1)) = {.chunks = 2, .bytes = 1, .reason = FinishReason::stop};
           h.respond(5, 0, a(5, 1));
           h.wait(60'000);
           h.say(0, a(5, 1), 0);
           h.end(0, a(5, 1), 1);
         },
         "P4", "attempt 5001: its llm.response was in the log 60020 ms before its terminal chunk"},
        {"AnotherFinishReason",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.end(0, a(5, 1), 0);
           h.said_by(0, a(5, 1)).reason = FinishReason::length;
           h.respond(5, 0, a(5, 1));
         },
         "P4", "its llm.response says length, its terminal chunk (chat.chunks:0) stop"},
        {"AnotherNumberOfChunks",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.end(0, a(5, 1), 0);
           h.said_by(0, a(5, 1)).chunks = 99;
           h.claim(6);
           h.respond(6, 0, a(5, 1), Outcome::completed, {}, true);
         },
         "P4", "its llm.response says that there are 99 chunks, and its terminal chunk (chat.chunks:0) has seq 0"},
        {"AnotherText",
         [](History& h) {
           h.ask("r");
           h.claim(5);
           h.begin(5, 0);
           h.say(0, a(5, 1), 0);
           h.end(0, a(5, 1), 1);
           h.said_by(0, a(5, 1)).bytes = 18;
           h.respond(5, 0, a(5, 1));
         },
         "P4", "its llm.response says that its text has 18 bytes, its chunks have 1"},
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
           h.release(5, {{.offset = 0_request, .attempt = a(5, 1)}});
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

}  // namespace
}  // namespace tokenrail::verify::tests
