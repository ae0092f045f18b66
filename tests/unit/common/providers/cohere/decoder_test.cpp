// Cohere's answers: what each event means, and what may be missing or of another form.
#include "common/providers/cohere/decoder.hpp"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/allocations.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::providers::cohere {
namespace {

using events::ErrorCode;
using events::FinishReason;
using test::AnswerRecorder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t prompt_bytes = 41;

AnswerRecorder decoded(std::string_view body, bool stream = true, const DecoderLimits& limits = {}) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(stream, limits, "Cohere", prompt_bytes);
  decoder->feed(body, recorder);
  decoder->end(recorder);
  return recorder;
}

/// One event, as Cohere sends it: its type is in both places.
std::string event(std::string_view type, std::string_view fields) {
  return fmt::format("event: {}\ndata: {{\"type\":\"{}\"{}{}}}\n\n", type, type, fields.empty() ? "" : ",", fields);
}
std::string text(std::string_view piece) {
  return event("content-delta", fmt::format(R"("index":0,"delta":{{"message":{{"content":{{"text":"{}"}}}}}})", piece));
}
std::string thinking(std::string_view piece) {
  return event("content-delta", fmt::format(R"("delta":{{"message":{{"content":{{"thinking":"{}"}}}}}})", piece));
}
std::string call_start(int index, std::string_view id, std::string_view name) {
  return event("tool-call-start", fmt::format(R"("index":{},"delta":{{"message":{{"tool_calls":{{"id":"{}",)"
                                              R"("type":"function","function":{{"name":"{}","arguments":""}}}}}}}})",
                                              index, id, name));
}
std::string call_delta(int index, std::string_view arguments) {
  return event("tool-call-delta",
               fmt::format(R"("index":{},"delta":{{"message":{{"tool_calls":{{"function":{{"arguments":"{}"}}}}}}}})",
                           index, arguments));
}
std::string end(std::string_view reason,
                std::string_view usage = R"({"billed_units":{"input_tokens":8,"output_tokens":2},)"
                                         R"("tokens":{"input_tokens":503,"output_tokens":4}})",
                std::string_view more = "") {
  return event("message-end", fmt::format(R"("delta":{{"finish_reason":"{}","usage":{}{}}})", reason, usage, more));
}
const std::string start = event("message-start", R"("id":"g-1","delta":{"message":{"role":"assistant","content":[]}})");
const std::string done = "data: [DONE]\n\n";

TEST(CohereDecoder, JoinsPiecesOfTextAndThinking) {
  const auto answer = decoded(start + event("content-start", R"("delta":{"message":{"content":{"type":"thinking"}}})") +
                              thinking("Hm") + thinking("m.") + event("content-end", R"("index":0)") + text("Hel") +
                              text("lo") + end("COMPLETE") + done);
  EXPECT_EQ(answer.reasoning(), "Hmm.");
  EXPECT_EQ(answer.text(), "Hello");
  EXPECT_EQ(answer.order(), "reasoning text usage finish");
  EXPECT_EQ(answer.finish(), FinishReason::stop);
  EXPECT_EQ(answer.request_id(), "g-1");
  EXPECT_EQ(answer.endings(), 1);
  EXPECT_THAT(answer.warnings(), IsEmpty());
}

TEST(CohereDecoder, DeliversTextOfContentStart) {
  EXPECT_EQ(decoded(event("content-start", R"("delta":{"message":{"content":{"type":"text","text":"A"}}})") +
                    text("B") + end("COMPLETE"))
                .text(),
            "AB");
}

TEST(CohereDecoder, TokensCountAndNotBilledUnits) {
  const auto answer = decoded(text("Hello") + end("COMPLETE"));
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->input_tokens, 503);
  EXPECT_EQ(answer.usage()->output_tokens, 4);
  EXPECT_FALSE(answer.usage()->cached_input_tokens);
  EXPECT_FALSE(answer.usage()->reasoning_tokens);
  EXPECT_FALSE(answer.usage()->estimated);
}

TEST(CohereDecoder, ImagesCachedAndReasoningTokensAreCounted) {
  const auto answer =
      decoded(text("Hello") + end("COMPLETE", R"({"tokens":{"input_tokens":34.0,"output_tokens":56,"image_tokens":259,)"
                                              R"("reasoning_tokens":7},"cached_tokens":12})"));
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->input_tokens, 34 + 259);
  EXPECT_EQ(answer.usage()->output_tokens, 56);
  EXPECT_EQ(answer.usage()->cached_input_tokens, 12);
  EXPECT_EQ(answer.usage()->reasoning_tokens, 7);
}

TEST(CohereDecoder, CountsBilledUnitsWithoutTokens) {
  const auto answer =
      decoded(text("Hello") + end("COMPLETE", R"({"billed_units":{"input_tokens":8,"output_tokens":2},"tokens":{}})"));
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->input_tokens, 8);
  EXPECT_EQ(answer.usage()->output_tokens, 2);
}

TEST(CohereDecoder, UsageThatIsMissingIsEstimated) {
  for (const auto* usage : {"{}", "null", "7", R"({"tokens":null})", R"({"tokens":{"input_tokens":-1}})"}) {
    const auto answer = decoded(thinking("1234") + text("12345") + end("COMPLETE", usage));
    ASSERT_TRUE(answer.usage()) << usage;
    EXPECT_TRUE(answer.usage()->estimated) << usage;
    EXPECT_EQ(answer.usage()->input_tokens, 11) << "41 bytes of prompt";
    EXPECT_EQ(answer.usage()->output_tokens, 3) << "9 bytes of answer";
  }
}

TEST(CohereDecoder, HugeCountsDoNotOverflow) {
  const auto answer = decoded(end("COMPLETE", R"({"tokens":{"input_tokens":9223372036854775807,"output_tokens":1,)"
                                              R"("image_tokens":9223372036854775807}})"));
  ASSERT_TRUE(answer.usage());
  EXPECT_GT(answer.usage()->input_tokens, 0);
}

TEST(CohereDecoder, PlanIsReasoningAndCallsJoinByIndex) {
  const auto answer = decoded(start + event("tool-plan-delta", R"("delta":{"message":{"tool_plan":"I will"}})") +
                              event("tool-plan-delta", R"("delta":{"message":{"tool_plan":" look."}})") +
                              call_start(0, "a_1", "look") + call_start(1, "b_2", "now") + call_delta(0, "{\\\"x\\\"") +
                              call_delta(0, ": 1}") + event("tool-call-end", R"("index":0)") +
                              event("tool-call-end", R"("index":1)") + end("TOOL_CALL") + done);
  EXPECT_EQ(answer.reasoning(), "I will look.");
  ASSERT_EQ(answer.tool_calls().size(), 2U);
  EXPECT_EQ(answer.tool_calls()[0].id, "a_1");
  EXPECT_EQ(answer.tool_calls()[0].name, "look");
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"x":1})");
  EXPECT_EQ(answer.tool_calls()[1].id, "b_2");
  EXPECT_EQ(answer.tool_calls()[1].arguments, "{}") << "a tool without parameters has no piece of arguments";
  EXPECT_EQ(answer.finish(), FinishReason::tool_calls);
}

TEST(CohereDecoder, CallsMakeTheFinishToolCalls) {
  EXPECT_EQ(decoded(call_start(0, "a", "f") + end("COMPLETE")).finish(), FinishReason::tool_calls);
}

TEST(CohereDecoder, LeavesOutCallCutByTheLimitWithWarning) {
  const auto answer = decoded(call_start(0, "a", "f") + call_delta(0, "{\\\"x\\\":") + end("MAX_TOKENS"));
  EXPECT_EQ(answer.finish(), FinishReason::length);
  EXPECT_THAT(answer.tool_calls(), IsEmpty());
  EXPECT_EQ(answer.warnings().size(), 1U);
}

TEST(CohereDecoder, ContentFilterEndsAnAnswerWithCalls) {
  EXPECT_EQ(decoded(call_start(0, "a", "f") + end("ERROR_TOXIC")).finish(), FinishReason::content_filter);
  const auto cut = decoded(call_start(0, "a", "f") + call_delta(0, "{\\\"x\\\":") + end("ERROR_TOXIC"));
  EXPECT_EQ(cut.finish(), FinishReason::content_filter);
  EXPECT_THAT(cut.tool_calls(), IsEmpty());
  EXPECT_THAT(cut.warnings(), ElementsAre(HasSubstr("content filter cut a tool call off")));
}

TEST(CohereDecoder, ArgumentsThatAreNoObjectFailTheAnswer) {
  const auto answer = decoded(call_start(0, "a", "f") + call_delta(0, "[1") + end("TOOL_CALL"));
  ASSERT_TRUE(answer.failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
  EXPECT_THAT(answer.failure()->message, HasSubstr("\"f\""));
}

struct EndCase {
  const char* reason;
  FinishReason finish;
};
TEST(CohereDecoder, EachFinishReasonHasItsMeaning) {
  for (const auto& row : {
           EndCase{"COMPLETE", FinishReason::stop},
           EndCase{"STOP_SEQUENCE", FinishReason::stop},
           EndCase{"MAX_TOKENS", FinishReason::length},
           EndCase{"ERROR_LIMIT", FinishReason::length},
           EndCase{"ERROR_TOXIC", FinishReason::content_filter},
           EndCase{"USER_CANCEL", FinishReason::stop},
           EndCase{"SOMETHING_NEW", FinishReason::stop},
           EndCase{"", FinishReason::stop},
       }) {
    EXPECT_EQ(decoded(text("a") + end(row.reason)).finish(), row.finish) << row.reason;
    const auto whole = fmt::format(
        R"({{"id":"g","message":{{"content":[{{"type":"text","text":"a"}}]}},"finish_reason":"{}"}})", row.reason);
    EXPECT_EQ(decoded(whole, false).finish(), row.finish) << row.reason;
  }
}

TEST(CohereDecoder, AnErrorAtTheEndIsAFailure) {
  const auto answer =
      decoded(text("Hel") + call_start(0, "a", "f") +
              end("ERROR", "{}", R"(,"error":"No valid response generated. Try updating messages")") + done);
  EXPECT_EQ(answer.text(), "Hel");
  EXPECT_THAT(answer.tool_calls(), IsEmpty());
  ASSERT_TRUE(answer.call_failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::provider_unavailable);
  EXPECT_THAT(answer.failure()->message, HasSubstr("No valid response generated"));
  EXPECT_TRUE(answer.call_failure()->retry);
  EXPECT_EQ(answer.call_failure()->retries_max, 1);
  EXPECT_EQ(answer.endings(), 1);
}

TEST(CohereDecoder, ErrorsWithoutATextAreFailuresToo) {
  const auto error = decoded(text("a") + end("ERROR", "{}"));
  ASSERT_TRUE(error.failure());
  EXPECT_EQ(error.failure()->code, ErrorCode::provider_unavailable);
  EXPECT_THAT(error.failure()->message, HasSubstr("\"ERROR\""));
  for (const auto* more : {"", R"(,"error":"gave up")"}) {
    const auto timeout = decoded(text("a") + end("TIMEOUT", "{}", more));
    ASSERT_TRUE(timeout.failure());
    EXPECT_EQ(timeout.failure()->code, ErrorCode::provider_timeout);
    EXPECT_THAT(timeout.failure()->message, HasSubstr("TIMEOUT"));
    EXPECT_TRUE(timeout.call_failure()->retry);
  }
}

TEST(CohereDecoder, AFailureReportsTheTokensThatItCost) {
  const auto answer = decoded(text("a") + end("ERROR", R"({"tokens":{"input_tokens":5,"output_tokens":1}})"));
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->input_tokens, 5);
  EXPECT_EQ(answer.order(), "text usage failure");
  EXPECT_FALSE(decoded(text("a") + end("ERROR", "{}")).usage()) << "nothing is estimated for a failure";
}

TEST(CohereDecoder, AnErrorItemInsideTheStreamIsClassified) {
  for (const auto* item : {"event: error\ndata: {\"message\":\"too many tokens: 5\"}\n\n",
                           "data: {\"id\":\"x\",\"message\":\"too many tokens: 5\"}\n\n"}) {
    const auto answer = decoded(text("a") + item);
    ASSERT_TRUE(answer.call_failure()) << item;
    EXPECT_EQ(answer.failure()->code, ErrorCode::context_too_long);
    EXPECT_FALSE(answer.call_failure()->retry);
    EXPECT_TRUE(answer.call_failure()->try_next);
  }
  const auto whole = decoded(R"({"id":"x","message":"gone wrong"})", false);
  ASSERT_TRUE(whole.failure());
  EXPECT_THAT(whole.failure()->message, HasSubstr("gone wrong"));
}

TEST(CohereDecoder, AStreamWithoutItsEndIsAFailure) {
  for (const auto& body : {start, start + text("Hello"), start + text("Hello") + done, std::string()}) {
    const auto answer = decoded(body);
    ASSERT_TRUE(answer.failure()) << body;
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
    EXPECT_EQ(answer.endings(), 1);
  }
}

TEST(CohereDecoder, TheLastMarkerMayBeMissing) {
  EXPECT_EQ(decoded(text("Hello") + end("COMPLETE")).finish(), FinishReason::stop);
}

TEST(CohereDecoder, IgnoresEventsAfterTheEnd) {
  const auto answer = decoded(text("Hello") + end("COMPLETE") + text("more") + end("ERROR") + done);
  EXPECT_EQ(answer.text(), "Hello");
  EXPECT_EQ(answer.endings(), 1);
  EXPECT_FALSE(answer.said_something_after_the_end());
}

TEST(CohereDecoder, UnknownEventsAndCitationsAreIgnored) {
  const auto answer = decoded(
      text("Hello") +
      event("citation-start",
            R"("delta":{"message":{"citations":{"start":0,"end":5,"text":"Hello","sources":[{"type":"tool"}]}}})") +
      event("citation-end", R"("index":0)") + event("debug", R"("prompt":"x")") +
      event("weather", R"("message":"rain")") +
      event("content-delta", R"("delta":{"message":{"content":{"video":"x"}}})") + end("COMPLETE"));
  EXPECT_EQ(answer.text(), "Hello");
  EXPECT_EQ(answer.finish(), FinishReason::stop);
  EXPECT_THAT(answer.warnings(), IsEmpty());
}

TEST(CohereDecoder, IgnoresFieldOfAnotherType) {
  for (const auto* value : {"null", "7", "-1.5", "\"x\"", "true", "[]", "[[7]]", "{}", R"({"message":7})",
                            R"({"message":{"content":7,"tool_calls":7,"tool_plan":7}})",
                            R"({"message":{"content":{"text":7,"thinking":[]},"tool_calls":[7,{"function":7}]}})"}) {
    for (const auto* type : {"message-start", "content-start", "content-delta", "tool-plan-delta", "tool-call-start",
                             "tool-call-delta", "citation-start"}) {
      const auto answer = decoded(text("Hel") + event(type, fmt::format(R"("id":7,"index":"x","delta":{})", value)) +
                                  text("lo") + end("COMPLETE"));
      EXPECT_EQ(answer.text(), "Hello") << type << value;
      EXPECT_EQ(answer.finish(), FinishReason::stop) << type << value;
    }
  }
}

TEST(CohereDecoder, ReadsTypeFromEitherPlace) {
  const auto answer = decoded(
      "event: content-delta\ndata: {\"delta\":{\"message\":{\"content\":{\"text\":\"a\"}}}}\n\n"
      "data: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"COMPLETE\"}}\n\n");
  EXPECT_EQ(answer.text(), "a");
  EXPECT_EQ(answer.finish(), FinishReason::stop);
}

TEST(CohereDecoder, SecondUnreadableEventFailsTheAnswer) {
  const std::string bad = "event: content-delta\ndata: {\"type\":\"content-delta\",\n\n";
  const auto once = decoded(text("Hel") + bad + text("lo") + end("COMPLETE"));
  EXPECT_EQ(once.text(), "Hello");
  EXPECT_EQ(once.finish(), FinishReason::stop);
  EXPECT_EQ(once.warnings().size(), 1U);
  const auto twice = decoded(text("Hel") + bad + bad + text("lo") + end("COMPLETE"));
  ASSERT_TRUE(twice.failure());
  EXPECT_EQ(twice.failure()->code, ErrorCode::provider_protocol);
}

TEST(CohereDecoder, ReadsWholeAnswerLikeStream) {
  const auto answer =
      decoded(R"({"id":"g-9","message":{"role":"assistant","tool_plan":"I will look.","content":[)"
              R"({"type":"thinking","thinking":"Hm."},{"type":"text","text":"Hel"},{"type":"video"},7,{"text":"lo"}],)"
              R"("tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},)"
              R"({"id":"b","type":"function","function":{"name":"g"}}],"citations":[{"text":"Hel"}]},)"
              R"("finish_reason":"TOOL_CALL","usage":{"tokens":{"input_tokens":1,"output_tokens":2}}})",
              false);
  EXPECT_EQ(answer.reasoning(), "I will look.Hm.");
  EXPECT_EQ(answer.text(), "Hello");
  ASSERT_EQ(answer.tool_calls().size(), 2U);
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"x":1})");
  EXPECT_EQ(answer.tool_calls()[1].name, "g");
  EXPECT_EQ(answer.tool_calls()[1].arguments, "{}");
  EXPECT_EQ(answer.finish(), FinishReason::tool_calls);
  EXPECT_EQ(answer.request_id(), "g-9");
  EXPECT_EQ(answer.usage()->output_tokens, 2);
}

TEST(CohereDecoder, WholeAnswerMayHoldTextAsString) {
  EXPECT_EQ(decoded(R"({"message":{"content":"Hello"},"finish_reason":"COMPLETE"})", false).text(), "Hello");
}

TEST(CohereDecoder, WholeAnswerWithoutMessageFails) {
  for (const auto* body : {"{}", R"({"message":7})", R"({"finish_reason":"COMPLETE"})", "", "7", "{\"message\":"}) {
    const auto answer = decoded(body, false);
    ASSERT_TRUE(answer.failure()) << body;
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol) << body;
  }
}

TEST(CohereDecoder, TraceIdOfHeadersNamesTheExchange) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(true, {}, "Cohere", 0);
  decoder->head({.status = 200,
                 .headers = {{.name = "content-type", .value = "text/event-stream"},
                             {.name = "x-debug-trace-id", .value = "trace-1"}}},
                recorder);
  decoder->feed(start + text("a") + end("COMPLETE"), recorder);
  decoder->end(recorder);
  EXPECT_EQ(recorder.request_id(), "trace-1");
}

TEST(CohereDecoder, ContentTypeDecidesTheReading) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(true, {}, "Cohere", 0);
  decoder->head({.status = 200, .headers = {{.name = "content-type", .value = "application/json"}}}, recorder);
  decoder->feed(R"({"message":{"content":"Hello"},"finish_reason":"COMPLETE"})", recorder);
  decoder->end(recorder);
  EXPECT_EQ(recorder.text(), "Hello");
}

TEST(CohereDecoder, AnAnswerThatIsTooLargeIsRefused) {
  const auto text_only = decoded(text("12345678") + text("12345678") + end("COMPLETE"), true, {.answer_bytes_max = 15});
  ASSERT_TRUE(text_only.failure());
  EXPECT_EQ(text_only.failure()->code, ErrorCode::response_too_large);
  EXPECT_EQ(text_only.endings(), 1);
  const auto calls = decoded(call_start(0, "a", "f") + call_delta(0, "{\\\"x\\\":\\\"12345678") + end("TOOL_CALL"),
                             true, {.answer_bytes_max = 10});
  ASSERT_TRUE(calls.failure());
  EXPECT_EQ(calls.failure()->code, ErrorCode::response_too_large);
}

TEST(CohereDecoder, UnfinishedCallsCountAsHeld) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(true, {}, "Cohere", 0);
  decoder->feed(call_start(0, "a", "f") + call_delta(0, std::string(1000, 'x')), recorder);
  EXPECT_GE(decoder->held_bytes(), 1000U);
}

TEST(CohereDecoder, AnotherApiIsNamed) {
  const auto answer = decoded("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n<html>");
  ASSERT_TRUE(answer.failure());
  const auto page = decoded("<html>hi</html>", false);
  ASSERT_TRUE(page.failure());
  EXPECT_THAT(page.failure()->message, HasSubstr("web page"));
  EXPECT_FALSE(page.failure()->retryable);
}

class CountingSink final : public AnswerSink {
 public:
  void on_event(AnswerEvent event) override {
    if (const auto* delta = std::get_if<TextDelta>(&event)) bytes += delta->text.size();
    if (const auto* delta = std::get_if<ReasoningDelta>(&event)) bytes += delta->text.size();
  }
  std::size_t bytes = 0;
};

TEST(CohereDecoder, APieceOfTextAllocatesNothing) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "needs a sanitizer's allocator";
  std::string body;
  for (int i = 0; i < 100; ++i) body += text("well") + thinking("hm");
  CountingSink sink;
  const auto decoder = make_decoder(true, {}, "Cohere", 0);
  decoder->feed(body, sink);  // the thread's parser grows to its size
  const tests::AllocationCount count;
  decoder->feed(body, sink);
  EXPECT_EQ(count.since(), 0U);
  EXPECT_EQ(sink.bytes, 200U * 6);
}

TEST(CohereDecoder, TooManyCallsFailTheAnswer) {
  std::string calls;
  for (int i = 0; i < 4096; ++i) calls += call_start(i, "a", "f");
  EXPECT_EQ(decoded(calls + end("TOOL_CALL")).tool_calls().size(), 4096U);
  const auto answer = decoded(calls + call_start(4096, "a", "f") + end("TOOL_CALL"));
  ASSERT_TRUE(answer.failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
  EXPECT_THAT(answer.failure()->message, HasSubstr("more than 4096 tool calls"));
}

TEST(CohereDecoder, UnfinishedCallsCountTowardsTheLimit) {
  std::string calls;
  for (int i = 0; i < 100; ++i) calls += call_start(i, "", "f");
  const auto answer = decoded(calls + end("TOOL_CALL"), true, {.answer_bytes_max = 2'000});
  ASSERT_TRUE(answer.failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::response_too_large);
}

}  // namespace
}  // namespace tokenrail::providers::cohere
