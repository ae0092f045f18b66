// What Anthropic's events mean, and what may have another form without damage to an answer.
#include "common/providers/anthropic/decoder.hpp"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/allocations.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::providers::anthropic {
namespace {

using events::ErrorCode;
using events::FinishReason;
using test::AnswerRecorder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

AnswerRecorder decoded(std::string_view body, bool stream = true, const DecoderLimits& limits = {}) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(stream, "anthropic", limits, 40);
  decoder->feed(body, recorder);
  decoder->end(recorder);
  return recorder;
}

/// An event as Anthropic frames it: its name, and the same in the data.
std::string event(std::string_view type, std::string_view fields = "") {
  return fmt::format("event: {}\ndata: {{\"type\":\"{}\"{}{}}}\n\n", type, type, fields.empty() ? "" : ",", fields);
}
std::string start(int index, std::string_view block) {
  return event("content_block_start", fmt::format(R"("index":{},"content_block":{})", index, block));
}
std::string delta(int index, std::string_view json) {
  return event("content_block_delta", fmt::format(R"("index":{},"delta":{})", index, json));
}
std::string stop(int index) {
  return event("content_block_stop", fmt::format(R"("index":{})", index));
}
std::string text_delta(int index, std::string_view text) {
  return delta(index, fmt::format(R"({{"type":"text_delta","text":"{}"}})", text));
}
std::string arguments_delta(int index, std::string_view escaped) {
  return delta(index, fmt::format(R"({{"type":"input_json_delta","partial_json":"{}"}})", escaped));
}
std::string call_start(int index, std::string_view id, std::string_view name) {
  return start(index, fmt::format(R"({{"type":"tool_use","id":"{}","name":"{}","input":{{}}}})", id, name));
}
const std::string begin =
    event("message_start",
          R"("message":{"id":"msg_1","type":"message","content":[],"usage":{"input_tokens":10,"output_tokens":1}})");
std::string end(std::string_view reason, std::string_view usage = R"({"output_tokens":7})") {
  return event("message_delta", fmt::format(R"("delta":{{"stop_reason":"{}"}},"usage":{})", reason, usage)) +
         event("message_stop");
}

TEST(AnthropicDecoder, TextArrivesPieceByPiece) {
  const auto answer = decoded(begin + start(0, R"({"type":"text","text":""})") + event("ping") + text_delta(0, "Hel") +
                              text_delta(0, "lo") + stop(0) + end("end_turn"));
  EXPECT_EQ(answer.text(), "Hello");
  EXPECT_EQ(answer.order(), "usage text usage finish");
  EXPECT_EQ(answer.finish(), FinishReason::stop);
  EXPECT_EQ(answer.usage()->input_tokens, 10);
  EXPECT_EQ(answer.usage()->output_tokens, 7);
  EXPECT_FALSE(answer.usage()->estimated);
  EXPECT_EQ(answer.request_id(), "msg_1");
  EXPECT_THAT(answer.warnings(), IsEmpty());
}

TEST(AnthropicDecoder, RequestIdOfHeaderWins) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(true, "anthropic", {});
  decoder->head({.status = 200, .headers = {{.name = "request-id", .value = "req_1"}}}, recorder);
  decoder->feed(begin + end("end_turn"), recorder);
  decoder->end(recorder);
  EXPECT_EQ(recorder.request_id(), "req_1");
}

struct StopCase {
  const char* reason;
  FinishReason finish;
  std::size_t warnings;
};
TEST(AnthropicDecoder, StopReasonsBecomeFinishReasons) {
  for (const auto& row : {
           StopCase{"end_turn", FinishReason::stop, 0},
           StopCase{"stop_sequence", FinishReason::stop, 0},
           StopCase{"tool_use", FinishReason::stop, 0},
           StopCase{"max_tokens", FinishReason::length, 0},
           StopCase{"model_context_window_exceeded", FinishReason::length, 0},
           StopCase{"refusal", FinishReason::content_filter, 1},
           StopCase{"pause_turn", FinishReason::stop, 1},
           StopCase{"bored", FinishReason::stop, 1},
       }) {
    const auto streamed = decoded(begin + text_delta(0, "x") + end(row.reason));
    EXPECT_EQ(streamed.finish(), row.finish) << row.reason;
    EXPECT_EQ(streamed.warnings().size(), row.warnings) << row.reason;
    const auto whole = decoded(
        fmt::format(R"({{"type":"message","content":[{{"type":"text","text":"x"}}],"stop_reason":"{}"}})", row.reason),
        false);
    EXPECT_EQ(whole.finish(), row.finish) << row.reason;
    EXPECT_EQ(whole.text(), "x");
  }
}

TEST(AnthropicDecoder, RefusalIsExplainedInAWarning) {
  const auto answer = decoded(
      begin +
      event("message_delta",
            R"("delta":{"stop_reason":"refusal","stop_details":{"category":"cyber","explanation":"Not this."}})") +
      event("message_stop"));
  EXPECT_EQ(answer.finish(), FinishReason::content_filter);
  EXPECT_THAT(answer.warnings(), ElementsAre(AllOf(HasSubstr("(cyber)"), HasSubstr("Not this."))));
}

TEST(AnthropicDecoder, ToolCallIsPutTogetherFromItsPieces) {
  const auto answer = decoded(begin + start(0, R"({"type":"text","text":""})") + text_delta(0, "Let me see.") +
                              stop(0) + call_start(1, "toolu_1", "weather") + arguments_delta(1, "") +
                              arguments_delta(1, R"({\"city\": \"Flo)") + arguments_delta(1, R"(rence\"})") + stop(1) +
                              call_start(2, "toolu_2", "now") + arguments_delta(2, "") + stop(2) + end("tool_use"));
  ASSERT_EQ(answer.tool_calls().size(), 2U);
  EXPECT_EQ(answer.tool_calls()[0].id, "toolu_1");
  EXPECT_EQ(answer.tool_calls()[0].name, "weather");
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"city":"Florence"})");
  EXPECT_EQ(answer.tool_calls()[1].arguments, "{}");
  EXPECT_EQ(answer.finish(), FinishReason::tool_calls);
}

TEST(AnthropicDecoder, UnfinishedCallsCountAsHeld) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(true, "anthropic", {}, 40);
  decoder->feed(begin + call_start(0, "a", "f"), recorder);
  const auto before = decoder->held_bytes();
  for (int i = 0; i < 10; ++i) decoder->feed(arguments_delta(0, std::string(1000, 'x')), recorder);
  EXPECT_GE(decoder->held_bytes(), before + 10'000);
}

TEST(AnthropicDecoder, WhatIsHeldIsGivenBack) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(true, "anthropic", {}, 40);
  decoder->feed(begin, recorder);
  const auto before = decoder->held_bytes();
  decoder->feed(call_start(0, "a", "f") + call_start(1, "b", "g") + arguments_delta(1, "{}"), recorder);
  EXPECT_GT(decoder->held_bytes(), before + 100);
  decoder->feed(end("tool_use"), recorder);
  EXPECT_EQ(recorder.tool_calls().size(), 2U);
  EXPECT_EQ(decoder->held_bytes(), before);
}

TEST(AnthropicDecoder, PiecesOfTwoBlocksMayAlternate) {
  const auto answer =
      decoded(begin + call_start(0, "a", "f") + call_start(1, "b", "g") + arguments_delta(0, R"({\"x\":)") +
              arguments_delta(1, R"({\"y\":)") + arguments_delta(0, "1}") + arguments_delta(1, "2}") + end("tool_use"));
  ASSERT_EQ(answer.tool_calls().size(), 2U);
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"x":1})");
  EXPECT_EQ(answer.tool_calls()[1].arguments, R"({"y":2})");
}

TEST(AnthropicDecoder, ArgumentsInTheBlocksStartCount) {
  for (const auto* input : {R"({"a":1})", R"("{\"a\":1}")"}) {
    const auto answer =
        decoded(begin + start(0, fmt::format(R"({{"type":"tool_use","id":"a","name":"f","input":{}}})", input)) +
                stop(0) + end("tool_use"));
    ASSERT_EQ(answer.tool_calls().size(), 1U) << input;
    EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"a":1})");
  }
}

TEST(AnthropicDecoder, LeavesOutCallCutByTheLimit) {
  const auto whole = call_start(0, "a", "f") + arguments_delta(0, R"({\"x\":1})") + stop(0);
  const auto broken =
      decoded(begin + whole + call_start(1, "b", "g") + arguments_delta(1, R"({\"text\":\"on)") + end("max_tokens"));
  ASSERT_EQ(broken.tool_calls().size(), 1U) << "a whole call before it stays";
  EXPECT_EQ(broken.finish(), FinishReason::tool_calls);
  EXPECT_THAT(broken.warnings(), ElementsAre(HasSubstr("length limit")));
  // No argument at all is a cut too, not a call without arguments.
  const auto empty = decoded(begin + call_start(0, "a", "f") + stop(0) + end("max_tokens"));
  EXPECT_THAT(empty.tool_calls(), IsEmpty());
  EXPECT_EQ(empty.finish(), FinishReason::length);
  EXPECT_THAT(empty.warnings(), ElementsAre(HasSubstr("length limit")));
}

TEST(AnthropicDecoder, CacheKeptForAnHourIsCountedApart) {
  const auto answer = decoded(
      event(
          "message_start",
          R"("message":{"id":"msg_1","content":[],"usage":{"input_tokens":10,"cache_creation_input_tokens":900,)"
          R"("cache_creation":{"ephemeral_5m_input_tokens":200,"ephemeral_1h_input_tokens":700},"output_tokens":1}})") +
      text_delta(0, "x") + end("end_turn"));
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->input_tokens, 910);
  EXPECT_EQ(answer.usage()->cache_write_input_tokens, 900);
  EXPECT_EQ(answer.usage()->cache_write_1h_tokens, 700);
}

TEST(AnthropicDecoder, LeavesOutCallCutByARefusal) {
  const auto answer =
      decoded(begin + call_start(0, "a", "f") + arguments_delta(0, R"({\"text\":\"on)") + end("refusal"));
  EXPECT_FALSE(answer.failure()) << "a refusal is not sent to another deployment";
  EXPECT_THAT(answer.tool_calls(), IsEmpty());
  EXPECT_EQ(answer.finish(), FinishReason::content_filter);
  EXPECT_THAT(answer.warnings(), testing::Contains(HasSubstr("content filter cut a tool call off")));
}

TEST(AnthropicDecoder, ArgumentsThatAreNoObjectFailTheAnswer) {
  for (const auto* arguments : {R"({\"a\":)", "[1]", "7", "{} x"}) {
    const auto answer =
        decoded(begin + call_start(0, "a", "f") + arguments_delta(0, arguments) + stop(0) + end("tool_use"));
    ASSERT_TRUE(answer.failure()) << arguments;
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
    EXPECT_THAT(answer.failure()->message, HasSubstr("\"f\""));
  }
}

TEST(AnthropicDecoder, DeliversThinkingAndABlockToReturn) {
  const auto answer =
      decoded(begin + start(0, R"({"type":"thinking","thinking":"","signature":""})") +
              delta(0, R"({"type":"thinking_delta","thinking":"Hm,\n"})") +
              delta(0, R"({"type":"thinking_delta","thinking":"well."})") +
              delta(0, R"({"type":"signature_delta","signature":"c2ln"})") + stop(0) +
              start(1, R"({"type":"redacted_thinking","data":"cmVk"})") + stop(1) + text_delta(2, "Yes.") +
              end("end_turn", R"({"output_tokens":9,"output_tokens_details":{"thinking_tokens":4}})"));
  EXPECT_EQ(answer.reasoning(), "Hm,\nwell.");
  ASSERT_EQ(answer.blocks().size(), 2U);
  EXPECT_EQ(answer.blocks()[0].provider, "anthropic");
  EXPECT_EQ(answer.blocks()[0].data, R"({"type":"thinking","thinking":"Hm,\nwell.","signature":"c2ln"})");
  EXPECT_EQ(answer.blocks()[1].data, R"({"type":"redacted_thinking","data":"cmVk"})");
  EXPECT_EQ(answer.order(), "usage reasoning block text usage finish");
  EXPECT_EQ(answer.usage()->reasoning_tokens, 4);
}

TEST(AnthropicDecoder, ThinkingWithoutSignatureIsNoBlock) {
  const auto answer = decoded(begin + start(0, R"({"type":"thinking","thinking":"a"})") +
                              delta(0, R"({"type":"thinking_delta","thinking":"b"})") + stop(0) + end("end_turn"));
  EXPECT_EQ(answer.reasoning(), "ab");
  EXPECT_THAT(answer.blocks(), IsEmpty());
}

TEST(AnthropicDecoder, WholeAnswerIsReadAsAStreamIs) {
  const auto answer = decoded(
      R"({"id":"msg_1","type":"message","role":"assistant","content":[)"
      R"({"type":"thinking","thinking":"hm","signature":"s"},{"type":"redacted_thinking","data":"d"},)"
      R"({"type":"text","text":"well"},{"type":"server_tool_use","id":"s","name":"web_search","input":{}},)"
      R"({"type":"tool_use","id":"a","name":"f","input":{"x": [1, 2]}},{"type":"tool_use","id":"b","name":"g"}],)"
      R"("stop_reason":"tool_use","usage":{"input_tokens":3,"cache_read_input_tokens":4,)"
      R"("cache_creation_input_tokens":5,"output_tokens":6}})",
      false);
  EXPECT_EQ(answer.reasoning(), "hm");
  EXPECT_EQ(answer.text(), "well");
  EXPECT_EQ(answer.blocks().size(), 2U);
  ASSERT_EQ(answer.tool_calls().size(), 2U);
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"x":[1,2]})");
  EXPECT_EQ(answer.tool_calls()[1].arguments, "{}");
  EXPECT_EQ(answer.usage()->input_tokens, 12) << "cached tokens are part of the prompt";
  EXPECT_EQ(answer.usage()->cached_input_tokens, 4);
  EXPECT_EQ(answer.usage()->cache_write_input_tokens, 5);
  EXPECT_EQ(answer.finish(), FinishReason::tool_calls);
  EXPECT_EQ(answer.request_id(), "msg_1");
}

TEST(AnthropicDecoder, LaterCountsReplaceEarlierOnesEach) {
  const auto answer =
      decoded(event("message_start",
                    R"("message":{"usage":{"input_tokens":10,"cache_read_input_tokens":100,"output_tokens":1}})") +
              end("end_turn", R"({"input_tokens":20,"output_tokens":7})"));
  EXPECT_EQ(answer.usage()->input_tokens, 120);
  EXPECT_EQ(answer.usage()->cached_input_tokens, 100);
  EXPECT_EQ(answer.usage()->output_tokens, 7);
}

TEST(AnthropicDecoder, UsageIsEstimatedWhereThereIsNone) {
  const auto answer = decoded(event("message_start", R"("message":{})") + text_delta(0, "12345") +
                              event("message_delta", R"("delta":{"stop_reason":"end_turn"})") + event("message_stop"));
  ASSERT_TRUE(answer.usage());
  EXPECT_TRUE(answer.usage()->estimated);
  EXPECT_EQ(answer.usage()->input_tokens, 10) << "40 bytes of prompt";
  EXPECT_EQ(answer.usage()->output_tokens, 2);
}

TEST(AnthropicDecoder, CountsThatAreNoneCostThemselvesOnly) {
  for (const auto* value : {"null", "-1", "\"7\"", "1.5", "1e300", "9223372036854775807", "[]", "{}", "true"}) {
    const auto answer =
        decoded(event("message_start", fmt::format(R"("message":{{"usage":{{"input_tokens":{0},)"
                                                   R"("cache_read_input_tokens":{0},"output_tokens":1}}}})",
                                                   value)) +
                text_delta(0, "x") + end("end_turn"));
    EXPECT_EQ(answer.finish(), FinishReason::stop) << value;
    EXPECT_EQ(answer.usage()->input_tokens, 0) << value;
    EXPECT_EQ(answer.usage()->output_tokens, 7) << value;
  }
}

TEST(AnthropicDecoder, ErrorInsideAStreamIsClassified) {
  struct Case {
    const char* type;
    ErrorCode code;
    bool retry;
  };
  for (const auto& row : {Case{"overloaded_error", ErrorCode::provider_unavailable, true},
                          Case{"rate_limit_error", ErrorCode::provider_rate_limited, true},
                          Case{"api_error", ErrorCode::provider_unavailable, true},
                          Case{"timeout_error", ErrorCode::provider_timeout, true},
                          Case{"authentication_error", ErrorCode::provider_auth, false},
                          Case{"billing_error", ErrorCode::provider_auth, false},
                          Case{"permission_error", ErrorCode::provider_auth, false},
                          Case{"invalid_request_error", ErrorCode::invalid_request, false},
                          Case{"request_too_large", ErrorCode::invalid_request, false},
                          Case{"new_error", ErrorCode::provider_unavailable, true}}) {
    const auto error = event("error", fmt::format(R"("error":{{"type":"{}","message":"Sorry"}})", row.type));
    for (const auto& body : {begin + text_delta(0, "Part") + error, error}) {
      const auto answer = decoded(body);
      ASSERT_TRUE(answer.call_failure()) << row.type;
      EXPECT_EQ(answer.failure()->code, row.code) << row.type;
      EXPECT_EQ(answer.call_failure()->retry, row.retry) << row.type;
      EXPECT_THAT(answer.failure()->message, AllOf(HasSubstr("Sorry"), HasSubstr("Anthropic")));
    }
    const auto whole =
        decoded(fmt::format(R"({{"type":"error","error":{{"type":"{}","message":"S"}}}})", row.type), false);
    ASSERT_TRUE(whole.failure());
    EXPECT_EQ(whole.failure()->code, row.code) << row.type;
  }
}

TEST(AnthropicDecoder, StreamWithoutItsEndIsNoAnswer) {
  for (const auto& body : {std::string(), begin, begin + text_delta(0, "x") + stop(0)}) {
    const auto answer = decoded(body);
    ASSERT_TRUE(answer.failure()) << body;
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
    EXPECT_TRUE(answer.failure()->retryable);
  }
  const auto reason = event("message_delta", R"("delta":{"stop_reason":"end_turn"})");
  EXPECT_EQ(decoded(begin + text_delta(0, "x") + reason).finish(), FinishReason::stop)
      << "the reason is enough where only message_stop is missing";
  EXPECT_EQ(decoded(begin + text_delta(0, "x") + reason + "data: [DONE]\n\n").endings(), 1);
}

TEST(AnthropicDecoder, OneUnreadableEventIsPassedOver) {
  const auto good = begin + text_delta(0, "a");
  const auto one =
      decoded(good + "event: content_block_delta\ndata: {\"type\":\n\n" + text_delta(0, "b") + end("end_turn"));
  EXPECT_EQ(one.text(), "ab");
  EXPECT_EQ(one.finish(), FinishReason::stop);
  EXPECT_EQ(one.warnings().size(), 1U);
  const auto two = decoded(good + "data: {\n\ndata: [1]\n\n" + end("end_turn"));
  ASSERT_TRUE(two.failure());
  EXPECT_EQ(two.failure()->code, ErrorCode::provider_protocol);
}

TEST(AnthropicDecoder, DropsBlockThatMayLackAPiece) {
  const std::string lost = "event: content_block_delta\ndata: {\"type\":\n\n";
  const auto call = decoded(begin + call_start(0, "a", "f") + arguments_delta(0, R"({\"city\":\"Flor)") + lost +
                            arguments_delta(0, R"(\"})") + stop(0) + end("tool_use"));
  ASSERT_TRUE(call.failure()) << "its arguments are JSON, but not those of the model";
  EXPECT_TRUE(call.call_failure()->retry);
  const auto announced = decoded(begin + "event: content_block_start\ndata: {\n\n" + stop(0) + end("tool_use"));
  EXPECT_TRUE(announced.failure()) << "the call itself is lost";
  const auto thinking = decoded(begin + start(0, R"({"type":"thinking","thinking":"a"})") + lost +
                                delta(0, R"({"type":"signature_delta","signature":"s"})") + stop(0) + end("end_turn"));
  EXPECT_EQ(thinking.finish(), FinishReason::stop);
  EXPECT_THAT(thinking.blocks(), IsEmpty()) << "the signature holds for the whole text only";
  const auto other =
      decoded(begin + call_start(0, "a", "f") + arguments_delta(0, "{}") + "data: {\n\n" + stop(0) + end("tool_use"));
  EXPECT_EQ(other.finish(), FinishReason::tool_calls) << "an item that is no event of a block takes nothing from it";
}

TEST(AnthropicDecoder, UnknownEventsAndBlocksAreIgnored) {
  const auto answer = decoded(
      event("something_new", R"("text":"x")") + begin + start(0, R"({"type":"hologram","text":"x"})") +
      delta(0, R"({"type":"hologram_delta","text":"x"})") + delta(0, R"({"type":"citations_delta","citation":{}})") +
      stop(0) + start(1, R"({"type":"server_tool_use","id":"s","name":"web_search","input":{}})") +
      arguments_delta(1, R"({\"query\":\"x\"})") + stop(1) +
      start(2, R"({"type":"web_search_tool_result","content":[]})") + stop(2) + text_delta(3, "ok") + end("end_turn"));
  EXPECT_EQ(answer.text(), "ok");
  EXPECT_THAT(answer.tool_calls(), IsEmpty());
  EXPECT_EQ(answer.finish(), FinishReason::stop);
  EXPECT_THAT(answer.warnings(), IsEmpty());
}

TEST(AnthropicDecoder, FieldsOfOtherTypesCostThemselvesOnly) {
  for (const auto* value : {"null", "7", "-1", "\"x\"", "true", "[1,{}]", "{\"a\":[]}", "1e400"}) {
    const auto item = [&](std::string_view type, std::string_view field) {
      return event(type, fmt::format(R"("{}":{})", field, value));
    };
    for (const auto& odd :
         {item("message_start", "message"), item("content_block_start", "content_block"),
          item("content_block_start", "index"), item("content_block_delta", "delta"),
          item("content_block_stop", "index"), item("message_delta", "delta"), item("message_delta", "usage"),
          delta(0, fmt::format(R"({{"type":{}}})", value)),
          start(0, fmt::format(R"({{"type":"text","text":{}}})", std::string_view(value) == "\"x\"" ? "7" : value))}) {
      const auto answer = decoded(begin + odd + text_delta(0, "ok") + end("end_turn"));
      EXPECT_EQ(answer.finish(), FinishReason::stop) << odd;
      EXPECT_EQ(answer.text(), "ok") << odd;
    }
  }
}

TEST(AnthropicDecoder, StringsAreRepaired) {
  const std::string mark = "\xEF\xBF\xBD";
  for (const auto& bad :
       {std::string(R"(\ud83d)"), std::string(R"(\u0000)"), std::string("\xFF"), std::string(1, '\0')}) {
    const auto body = begin + text_delta(0, "a" + bad + "b") + end("end_turn");
    const auto answer = decoded(body);
    EXPECT_EQ(answer.text(), "a" + mark + "b");
    EXPECT_THAT(answer.warnings(), IsEmpty());
  }
}

TEST(AnthropicDecoder, AnotherApisAnswerIsNamed) {
  struct Case {
    const char* body;
    const char* api;
    bool stream;
  };
  for (const auto& row : {
           Case{"data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\ndata: [DONE]\n\n", "OpenAI-compatible", true},
           Case{R"({"object":"chat.completion","choices":[{"message":{"content":"x"}}]})", "OpenAI-compatible", false},
           Case{R"({"candidates":[]})", "Gemini", false},
           Case{"<!DOCTYPE html><html></html>", "web page", false},
       }) {
    const auto answer = decoded(row.body, row.stream);
    ASSERT_TRUE(answer.failure()) << row.body;
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
    EXPECT_FALSE(answer.failure()->retryable);
    EXPECT_THAT(answer.failure()->message, AllOf(HasSubstr(row.api), HasSubstr("adapter is anthropic")));
  }
  EXPECT_TRUE(decoded(R"({"status":"fine"})", false).failure());
}

TEST(AnthropicDecoder, ReadsWholeJsonAnswerInsteadOfStream) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(true, "anthropic", {});
  decoder->head({.status = 200, .headers = {{.name = "content-type", .value = "application/json"}}}, recorder);
  decoder->feed(R"({"type":"message","content":[{"type":"text","text":"x"}],"stop_reason":"end_turn"})", recorder);
  decoder->end(recorder);
  EXPECT_EQ(recorder.text(), "x");
  EXPECT_EQ(recorder.finish(), FinishReason::stop);
}

TEST(AnthropicDecoder, HeldBackPartsCountTowardsTheAnswersLimit) {
  const DecoderLimits limits{.item_bytes_max = 10'000, .answer_bytes_max = 2'000};
  std::string pieces;
  for (int i = 0; i < 30; ++i) pieces += arguments_delta(0, std::string(100, 'x'));
  const auto call = decoded(begin + call_start(0, "a", "f") + pieces, true, limits);
  ASSERT_TRUE(call.failure());
  EXPECT_EQ(call.failure()->code, ErrorCode::response_too_large);
  std::string calls;
  for (int i = 0; i < 100; ++i) calls += call_start(i, "a", "f");
  EXPECT_EQ(decoded(begin + calls, true, limits).failure()->code, ErrorCode::response_too_large)
      << "a call without arguments takes memory too";
}

class CountingSink final : public AnswerSink {
 public:
  void on_event(AnswerEvent event) override {
    if (const auto* delta = std::get_if<TextDelta>(&event)) bytes += delta->text.size();
  }
  std::size_t bytes = 0;
};

TEST(AnthropicDecoder, PieceOfTextAllocatesNothing) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "needs a sanitizer's allocator";
  const auto piece = text_delta(0, "A piece of text that does not fit into a short string, whatever its library.");
  const auto decoder = make_decoder(true, "anthropic", {});
  CountingSink sink;
  decoder->feed(begin, sink);
  for (int i = 0; i < 10; ++i) decoder->feed(piece, sink);
  const tests::AllocationCount count;
  for (int i = 0; i < 100; ++i) decoder->feed(piece, sink);
  EXPECT_EQ(count.since(), 0U);
  EXPECT_GT(sink.bytes, 0U);
}

TEST(AnthropicDecoder, TooManyCallsFailTheAnswer) {
  std::string calls;
  std::string list;
  for (int i = 0; i < 4096; ++i) {
    calls += call_start(i, "a", "f");
    list += fmt::format(R"({}{{"type":"tool_use","id":"c{}","name":"f","input":{{}}}})", i == 0 ? "" : ",", i);
  }
  const auto whole = [](const std::string& content) {
    return decoded(R"({"type":"message","content":[)" + content + R"(],"stop_reason":"tool_use"})", false);
  };
  EXPECT_EQ(decoded(begin + calls + end("tool_use")).tool_calls().size(), 4096U);
  EXPECT_EQ(whole(list).tool_calls().size(), 4096U);
  for (const auto& answer : {decoded(begin + calls + call_start(4096, "a", "f") + end("tool_use")),
                             whole(list + R"(,{"type":"tool_use","id":"c","name":"f","input":{}})")}) {
    ASSERT_TRUE(answer.failure());
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
    EXPECT_THAT(answer.failure()->message, HasSubstr("more than 4096 tool calls"));
  }
}

TEST(AnthropicDecoder, UnfinishedThinkingCountsTowardsTheLimit) {
  std::string thoughts;
  for (int i = 0; i < 100; ++i) thoughts += start(i, R"({"type":"thinking","thinking":""})");
  const auto answer = decoded(begin + thoughts + end("end_turn"), true, {.answer_bytes_max = 2'000});
  ASSERT_TRUE(answer.failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::response_too_large);
  for (int i = 100; i < 257; ++i) thoughts += start(i, R"({"type":"thinking","thinking":""})");
  const auto open = decoded(begin + thoughts + end("end_turn"));
  ASSERT_TRUE(open.failure());
  EXPECT_EQ(open.failure()->code, ErrorCode::provider_protocol);
  EXPECT_THAT(open.failure()->message, HasSubstr("more than 256 blocks of thinking"));
}

}  // namespace
}  // namespace tokenrail::providers::anthropic
