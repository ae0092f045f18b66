#include "common/providers/openai/decoder.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/allocations.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::providers::openai {
namespace {

using events::ErrorCode;
using events::FinishReason;
using test::AnswerRecorder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

DecoderContext context(bool stream, std::string provider = "openai") {
  const auto& profile = chat_profile(provider);
  return {.stream = stream, .provider = std::move(provider), .profile = &profile, .prompt_bytes = 10};
}

AnswerRecorder decoded(std::string_view body, DecoderContext of) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(std::move(of));
  decoder->feed(body, recorder);
  decoder->end(recorder);
  return recorder;
}

/// A stream of these payloads.
std::string events_of(const std::vector<std::string>& payloads) {
  std::string out;
  for (const auto& payload : payloads) out += "data: " + payload + "\n\n";
  return out;
}
std::string chunk(const std::string& delta, const std::string& finish = "null", const std::string& more = "") {
  return R"({"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":)" + delta +
         R"(,"finish_reason":)" + finish + "}]" + more + "}";
}
const std::string done = "[DONE]";
const std::string usage_chunk =
    R"({"id":"c1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,)"
    R"("prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":2}}})";

AnswerRecorder streamed(std::vector<std::string> payloads, std::string provider = "openai") {
  return decoded(events_of(payloads), context(true, std::move(provider)));
}

TEST(OpenAiDecoder, StreamIsTextUsageAndAnEnding) {
  const auto answer = streamed({chunk(R"({"role":"assistant","content":""})"), chunk(R"({"content":"Hel"})"),
                                chunk(R"({"content":"lo"})"), chunk("{}", R"("stop")"), usage_chunk, done});
  EXPECT_EQ(answer.text(), "Hello");
  EXPECT_EQ(answer.finish(), FinishReason::stop);
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->input_tokens, 9);
  EXPECT_EQ(answer.usage()->output_tokens, 4);
  EXPECT_EQ(answer.usage()->cached_input_tokens, 5);
  EXPECT_EQ(answer.usage()->reasoning_tokens, 2);
  EXPECT_FALSE(answer.usage()->estimated);
  EXPECT_EQ(answer.request_id(), "c1");
  EXPECT_EQ(answer.order(), "text usage finish");
  EXPECT_THAT(answer.warnings(), IsEmpty());
}

/// The text of a stream of these words, where the request's text is repeated first.
std::string text_behind(const std::string& repeated, const std::vector<std::string>& words) {
  auto of = context(true, "mistral");
  of.repeated = repeated;
  std::vector<std::string> payloads;
  for (const auto& word : words) payloads.push_back(chunk(R"({"content":")" + word + R"("})"));
  payloads.push_back(chunk("{}", R"("stop")"));
  payloads.push_back(done);
  return decoded(events_of(payloads), std::move(of)).text();
}

TEST(OpenAiDecoder, RepeatedTextOfTheRequestIsLeftOutOnce) {
  using Words = std::vector<std::string>;
  for (const auto& words :
       {Words{"Once upon", " a time"}, Words{"Once", " upon", " a", " time"}, Words{"Once upon a time"},
        Words{"O", "nce up", "on a time"}, Words{"", "Once upon", "", " a time"}})
    EXPECT_EQ(text_behind("Once upon", words), " a time");
  EXPECT_EQ(text_behind("ha", {"ha", "ha"}), "ha") << "only once";
  EXPECT_EQ(text_behind("Once \n", {"Once", "upon"}), "upon") << "a server may cut blanks at its end";
  EXPECT_EQ(text_behind("Once", {"Once"}), "");
}

TEST(OpenAiDecoder, TextThatOnlyBeginsLikeTheRequestsIsDelivered) {
  EXPECT_EQ(text_behind("Once upon", {" a time"}), " a time");
  EXPECT_EQ(text_behind("Once upon", {"On", "ce more"}), "Once more");
  EXPECT_EQ(text_behind("Once upon", {"Once"}), "Once") << "the answer ended before";
  EXPECT_EQ(text_behind("", {"Once"}), "Once");
}

TEST(OpenAiDecoder, WholeAnswerIsReadToo) {
  const auto answer = decoded(R"({"id":"c2","object":"chat.completion","choices":[{"index":0,"message":{"role":)"
                              R"("assistant","content":"Hi","reasoning_content":"hm","tool_calls":[)"
                              R"({"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": 1}"}},)"
                              R"({"id":"b","type":"function","function":{"name":"g","arguments":""}}]},)"
                              R"("finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":2}})",
                              context(false));
  EXPECT_EQ(answer.text(), "Hi");
  EXPECT_EQ(answer.reasoning(), "hm");
  ASSERT_THAT(answer.tool_calls(), SizeIs(2));
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"x":1})");
  EXPECT_EQ(answer.tool_calls()[1].id, "b");
  EXPECT_EQ(answer.tool_calls()[1].arguments, "{}");
  EXPECT_EQ(answer.finish(), FinishReason::tool_calls);
}

TEST(OpenAiDecoder, ContentTypeDecidesOverWhatWasAskedFor) {
  AnswerRecorder answer;
  const auto decoder = make_decoder(context(true));
  decoder->head(
      {.status = 200,
       .headers = {{.name = "content-type", .value = "application/json"}, {.name = "x-request-id", .value = "req_7"}}},
      answer);
  decoder->feed(R"({"id":"c","choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]})", answer);
  decoder->end(answer);
  EXPECT_EQ(answer.text(), "Hi");
  EXPECT_EQ(answer.request_id(), "req_7") << "the header names the exchange, not the body";
}

TEST(OpenAiDecoder, AnotherModelThanWasAskedForIsNamed) {
  const auto warnings_of = [](const std::string& asked, const std::string& said) {
    auto of = context(true, "lmstudio");
    of.model = asked;
    return decoded(events_of({R"({"model":")" + said +
                                  R"(","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]})",
                              done}),
                   std::move(of))
        .warnings();
  };
  EXPECT_THAT(warnings_of("qwen3-8b", "llama-3.2-1b"),
              ElementsAre(HasSubstr("another model than was asked for: llama")));
  for (const auto* const same : {"qwen3-8b", "Qwen3-8B-2026-01-01", "models/qwen3-8b.gguf", ""}) {
    EXPECT_THAT(warnings_of("qwen3-8b", same), IsEmpty()) << same;
  }
  EXPECT_THAT(warnings_of("publisher/qwen3-8b", "qwen3-8b"), IsEmpty());
}

TEST(OpenAiDecoder, AudioAndImagesAreCountedApart) {
  const auto answer = streamed({chunk(R"({"content":"x"})", R"("stop")"),
                                R"({"choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":90,)"
                                R"("prompt_tokens_details":{"audio_tokens":900,"image_tokens":70},)"
                                R"("completion_tokens_details":{"audio_tokens":80,"image_tokens":6}}})",
                                done});
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->input_tokens, 1000);
  EXPECT_EQ(answer.usage()->audio_input_tokens, 900);
  EXPECT_EQ(answer.usage()->image_input_tokens, 70);
  EXPECT_EQ(answer.usage()->audio_output_tokens, 80);
  EXPECT_EQ(answer.usage()->image_output_tokens, 6);
}

TEST(OpenAiDecoder, CacheWritesAreCounted) {
  const auto answer = streamed({chunk(R"({"content":"x"})", R"("stop")"),
                                R"({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,)"
                                R"("prompt_tokens_details":{"cached_tokens":5,"cache_write_tokens":3}}})",
                                done});
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->cache_write_input_tokens, 3);
}

TEST(OpenAiDecoder, TheDelayInALimitsTextIsRead) {
  const auto answer = streamed({R"({"error":{"message":"Rate limit reached. Please try again in 6.2s.",)"
                                R"("type":"rate_limit_error"}})"});
  ASSERT_TRUE(answer.call_failure());
  EXPECT_EQ(answer.call_failure()->retry_after, std::chrono::milliseconds(6'200));
}

TEST(OpenAiDecoder, ToolCallFragmentsAreJoined) {
  const auto answer = streamed(
      {chunk(R"({"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"add","arguments":""}}]})"),
       chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]})"),
       chunk(R"({"tool_calls":[{"index":1,"id":"b","function":{"name":"mul","arguments":"{}"}}]})"),
       chunk(R"({"tool_calls":[{"index":0,"function":{"name":"","arguments":": 2}"}}]})"), chunk("{}", R"("stop")"),
       done});
  ASSERT_THAT(answer.tool_calls(), SizeIs(2));
  EXPECT_EQ(answer.tool_calls()[0].id, "a");
  EXPECT_EQ(answer.tool_calls()[0].name, "add");
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"a":2})");
  EXPECT_EQ(answer.tool_calls()[1].name, "mul");
  EXPECT_EQ(answer.finish(), FinishReason::tool_calls) << "calls count by their presence";
}

TEST(OpenAiDecoder, UnfinishedCallsCountAsHeld) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(context(true));
  decoder->feed(events_of({chunk(R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]})")}),
                recorder);
  const auto before = decoder->held_bytes();
  const auto piece = R"({"tool_calls":[{"index":0,"function":{"arguments":")" + std::string(1000, 'x') + R"("}}]})";
  for (int i = 0; i < 10; ++i) decoder->feed(events_of({chunk(piece)}), recorder);
  EXPECT_GE(decoder->held_bytes(), before + 10'000);
}

TEST(OpenAiDecoder, ToolCallsOfLooseServersAreTaken) {
  // No id, a negative index, arguments as an object, no finish reason before [DONE].
  const auto answer =
      streamed({chunk(R"({"tool_calls":[{"index":-1,"function":{"name":"f","arguments":{"x":1}}}]})"), done});
  ASSERT_THAT(answer.tool_calls(), SizeIs(1));
  EXPECT_FALSE(answer.tool_calls()[0].id.empty());
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"x":1})");
  EXPECT_EQ(answer.finish(), FinishReason::tool_calls);
  const auto legacy = streamed({chunk(R"({"function_call":{"name":"f","arguments":"{"}})"),
                                chunk(R"({"function_call":{"arguments":"}"}})", R"("function_call")"), done});
  ASSERT_THAT(legacy.tool_calls(), SizeIs(1));
  EXPECT_EQ(legacy.finish(), FinishReason::tool_calls);
}

TEST(OpenAiDecoder, WrongArgumentsFailUnlessCutOff) {
  const std::string call =
      chunk(R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]})");
  const auto broken = streamed({call, chunk("{}", R"("tool_calls")"), done});
  ASSERT_TRUE(broken.failure());
  EXPECT_EQ(broken.failure()->code, ErrorCode::provider_protocol);
  const auto cut = streamed({call, chunk("{}", R"("length")"), done});
  EXPECT_EQ(cut.finish(), FinishReason::length);
  EXPECT_THAT(cut.warnings(), ElementsAre(HasSubstr("length limit")));
}

TEST(OpenAiDecoder, LimitLeavesWholeCallsInPlace) {
  const auto answer = streamed(
      {chunk(R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]})"),
       chunk(R"({"tool_calls":[{"index":1,"id":"b","function":{"name":"f","arguments":"{\"x"}}]})", R"("length")"),
       done});
  ASSERT_THAT(answer.tool_calls(), SizeIs(1));
  EXPECT_EQ(answer.tool_calls()[0].id, "a");
  EXPECT_EQ(answer.finish(), FinishReason::tool_calls);
  EXPECT_THAT(answer.warnings(), ElementsAre(HasSubstr("length limit")));
}

TEST(OpenAiDecoder, ContentFilterEndsAnAnswerWithCalls) {
  for (const auto* const provider : {"openai", "azure", "openai-compatible"}) {
    const auto ends = [&](const std::string& arguments) {
      return streamed(
          {chunk(R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":")" + arguments + R"("}}]})"),
           chunk("{}", R"("content_filter")"), done},
          provider);
    };
    const auto whole = ends("{}");
    EXPECT_EQ(whole.finish(), FinishReason::content_filter) << "a refused answer is not to be acted on";
    EXPECT_THAT(whole.warnings(), IsEmpty());
    const auto cut = ends(R"({\"x\":\")");
    EXPECT_FALSE(cut.failure()) << "a refusal is not sent to another deployment";
    EXPECT_EQ(cut.finish(), FinishReason::content_filter);
    EXPECT_THAT(cut.tool_calls(), IsEmpty());
    EXPECT_THAT(cut.warnings(), ElementsAre(HasSubstr("content filter cut a tool call off")));
  }
}

TEST(OpenAiDecoder, ReasoningIsReadInEveryForm) {
  for (const auto& [provider, delta] : std::vector<std::pair<std::string, std::string>>{
           {"deepseek", R"({"content":null,"reasoning_content":"hm"})"},
           {"groq", R"({"reasoning":"hm","channel":"analysis"})"},
           {"vllm", R"({"reasoning":"hm","reasoning_content":null})"},
           {"openrouter",
            R"({"reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","index":0}]})"},
           {"openrouter", R"({"reasoning":null,"reasoning_details":[{"type":"reasoning.summary","summary":"hm"}]})"},
           {"mistral", R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}],"closed":true}]})"},
           {"mistral", R"({"content":[{"type":"thinking","thinking":"hm"}]})"}}) {
    const auto answer = streamed({chunk(delta), chunk(R"({"content":"ok"})", R"("stop")"), done}, provider);
    EXPECT_EQ(answer.reasoning(), "hm") << delta;
    EXPECT_EQ(answer.text(), "ok") << delta;
  }
}

TEST(OpenAiDecoder, ThinkingAndTextMayShareAChunk) {
  const auto answer = streamed(
      {chunk(R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]},{"type":"text","text":"b"}]})",
             R"("stop")"),
       done},
      "mistral");
  EXPECT_EQ(answer.reasoning(), "a");
  EXPECT_EQ(answer.text(), "b");
}

TEST(OpenAiDecoder, ReasoningDetailsAreKeptForTheNextRequest) {
  const auto answer = streamed(
      {chunk(R"({"reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a","format":"f","index":0}]})"),
       chunk(R"({"reasoning":"b","reasoning_details":[{"type":"reasoning.text","text":"b","format":"f","index":0}]})"),
       chunk(R"({"reasoning_details":[{"type":"reasoning.text","signature":"s","format":"f","index":0}]})"),
       chunk(R"({"reasoning_details":[{"type":"reasoning.encrypted","data":"x","id":"1","index":0}]})"),
       chunk(R"({"reasoning_details":[{"type":"reasoning.encrypted","data":"y","id":"2","index":0}]})"),
       chunk(R"({"content":"ok"})", R"("stop")"), done},
      "openrouter");
  ASSERT_THAT(answer.blocks(), SizeIs(1));
  EXPECT_EQ(answer.blocks()[0].provider, "openrouter");
  EXPECT_EQ(answer.blocks()[0].data, R"([{"type":"reasoning.text","text":"ab","format":"f","signature":"s","index":0},)"
                                     R"({"type":"reasoning.encrypted","data":"x","id":"1","index":0},)"
                                     R"({"type":"reasoning.encrypted","data":"y","id":"2","index":0}])");
  const auto other = streamed({chunk(R"({"reasoning_details":[{"type":"reasoning.text","text":"a"}]})"),
                               chunk(R"({"content":"ok"})", R"("stop")"), done});
  EXPECT_THAT(other.blocks(), IsEmpty()) << "only OpenRouter takes them back";
}

TEST(OpenAiDecoder, RefusalIsTextAndAContentFilter) {
  const auto answer =
      streamed({chunk(R"({"content":"","refusal":"I can"})"), chunk(R"({"refusal":"not."})", R"("stop")"), done});
  EXPECT_EQ(answer.text(), "I cannot.");
  EXPECT_EQ(answer.finish(), FinishReason::content_filter);
}

TEST(OpenAiDecoder, FinishReasonsAreMapped) {
  struct Case {
    std::string word;
    FinishReason reason;
    std::size_t warnings = 0;
  };
  for (const auto& [word, reason, warnings] :
       {Case{"stop", FinishReason::stop}, Case{"length", FinishReason::length},
        Case{"model_length", FinishReason::length}, Case{"content_filter", FinishReason::content_filter},
        Case{"eos", FinishReason::stop}, Case{"somehow", FinishReason::stop, 1}}) {
    const auto answer = streamed({chunk(R"({"content":"x"})", "\"" + word + "\""), done});
    EXPECT_EQ(answer.finish(), reason) << word;
    EXPECT_THAT(answer.warnings(), SizeIs(warnings)) << word;
  }
  // OpenRouter repeats it with the usage; the first counts.
  EXPECT_EQ(streamed({chunk(R"({"content":"x"})", R"("length")"), chunk("{}", R"("stop")"), done}).finish(),
            FinishReason::length);
}

TEST(OpenAiDecoder, MissingUsageIsEstimatedAndFlagged) {
  const auto answer = streamed({chunk(R"({"content":"12345"})", R"("stop")"), done});
  ASSERT_TRUE(answer.usage());
  EXPECT_TRUE(answer.usage()->estimated);
  EXPECT_EQ(answer.usage()->input_tokens, 3) << "ten bytes";
  EXPECT_EQ(answer.usage()->output_tokens, 2) << "five bytes";
}

TEST(OpenAiDecoder, UsageIsFoundWhereverItIs) {
  const std::string usage = R"({"prompt_tokens":3,"completion_tokens":1})";
  for (const auto& more : {R"(,"usage":)" + usage, R"(,"x_groq":{"id":"r","usage":)" + usage + "}"}) {
    const auto answer = streamed({chunk(R"({"content":"x"})", R"("stop")", more), done});
    ASSERT_TRUE(answer.usage());
    EXPECT_EQ(answer.usage()->input_tokens, 3);
    EXPECT_FALSE(answer.usage()->estimated);
  }
  const auto hit = streamed({chunk(R"({"content":"x"})", R"("stop")",
                                   R"(,"usage":{"prompt_tokens":3,"completion_tokens":1,"prompt_cache_hit_tokens":2})"),
                             done});
  EXPECT_EQ(hit.usage()->cached_input_tokens, 2);
}

TEST(OpenAiDecoder, ReasoningCountedBesideTheOutputIsAdded) {
  const auto beside = streamed({chunk(R"({"content":"x"})", R"("stop")",
                                      R"(,"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":17,)"
                                      R"("completion_tokens_details":{"reasoning_tokens":5}})"),
                                done});
  EXPECT_EQ(beside.usage()->output_tokens, 7);
  const auto within = streamed({chunk(R"({"content":"x"})", R"("stop")",
                                      R"(,"usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,)"
                                      R"("completion_tokens_details":{"reasoning_tokens":5}})"),
                                done});
  EXPECT_EQ(within.usage()->output_tokens, 7);
}

TEST(OpenAiDecoder, ErrorInsideTheStreamFailsTheAnswer) {
  struct Case {
    std::string payload;
    ErrorCode code;
    bool retry;
    std::optional<int> status;
  };
  for (const auto& [payload, code, retry, status] :
       {Case{R"({"error":{"message":"Context size has been exceeded.","code":500,"type":"server_error"}})",
             ErrorCode::context_too_long, false, 500},
        Case{R"({"error":{"message":"Provider returned error","code":400},"choices":[]})", ErrorCode::invalid_request,
             false, 400},
        Case{R"({"error":{"message":"slow down","code":"429"}})", ErrorCode::provider_rate_limited, true, 429},
        Case{R"({"error":{"message":"Request failed during generation","http_status_code":422}})",
             ErrorCode::provider_unavailable, true, 422},
        Case{R"({"error":{"message":"no","type":"invalid_request_error"}})", ErrorCode::invalid_request, false, 400},
        Case{R"({"error":{"message":"bad call","code":"tool_use_failed","status_code":400}})",
             ErrorCode::provider_protocol, true, 400},
        Case{R"({"error":"Something"})", ErrorCode::provider_unavailable, true, 200},
        Case{chunk("{}", R"("error")"), ErrorCode::provider_unavailable, true, 200}}) {
    const auto answer = streamed({chunk(R"({"content":"Par"})"), payload, chunk("{}", R"("stop")"), done});
    EXPECT_EQ(answer.text(), "Par");
    ASSERT_TRUE(answer.call_failure()) << payload;
    EXPECT_EQ(answer.call_failure()->failure.code, code) << payload;
    EXPECT_EQ(answer.call_failure()->retry, retry) << payload;
    EXPECT_EQ(answer.call_failure()->failure.status, status) << payload;
    EXPECT_EQ(answer.endings(), 1);
  }
}

TEST(OpenAiDecoder, ErrorBodyInsteadOfAnswerFails) {
  const auto answer =
      decoded("\n\n   \n{\"error\":{\"message\":\"Provider returned error\",\"code\":502}}", context(false));
  ASSERT_TRUE(answer.call_failure());
  EXPECT_EQ(answer.call_failure()->failure.code, ErrorCode::provider_unavailable);
  EXPECT_TRUE(answer.call_failure()->retry);
  EXPECT_EQ(answer.call_failure()->failure.status, 502);
}

TEST(OpenAiDecoder, EndWithoutMarkerFailsUnlessFinished) {
  const auto cut = streamed({chunk(R"({"content":"x"})")});
  ASSERT_TRUE(cut.failure());
  EXPECT_EQ(cut.failure()->code, ErrorCode::provider_protocol);
  EXPECT_EQ(streamed({chunk(R"({"content":"x"})"), chunk("{}", R"("stop")")}).finish(), FinishReason::stop);
  EXPECT_EQ(streamed({chunk(R"({"content":"x"})"), done}).finish(), FinishReason::stop);
}

TEST(OpenAiDecoder, MarkerAloneIsNoAnswer) {
  for (const auto& payloads : std::vector<std::vector<std::string>>{
           {done}, {usage_chunk, done}, {chunk(R"({"role":"assistant"})"), done}, {}}) {
    const auto answer = streamed(payloads);
    ASSERT_TRUE(answer.failure());
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
  }
  EXPECT_TRUE(decoded(R"({"choices":[]})", context(false)).failure());
}

TEST(OpenAiDecoder, FieldsOfAnotherTypeCostOnlyThemselves) {
  for (const auto* const value : {"null", "7", "true", "[]", "{}", R"("x")", "[1,null]"}) {
    const std::string odd = value;
    const auto answer = streamed(
        {R"({"id":)" + odd + R"(,"object":)" + odd + R"(,"created":)" + odd + R"(,"usage":)" + odd + R"(,"x_groq":)" +
             odd + R"(,"choices":[)" + odd + R"(,{"index":)" + (odd == "7" ? "0" : odd) + R"(,"logprobs":)" + odd +
             R"(,"delta":{"role":)" + odd + R"(,"content":"ok","audio":)" + odd + R"(,"reasoning_details":)" + odd +
             R"(,"tool_calls":)" + odd + R"(,"function_call":)" + (odd == "{}" ? "null" : odd) + "}}]}",
         chunk("{}", R"("stop")"), done});
    EXPECT_EQ(answer.text(), "ok") << odd;
    EXPECT_EQ(answer.finish(), FinishReason::stop) << odd;
  }
}

TEST(OpenAiDecoder, OneUnreadableEventCostsAWarning) {
  const auto one = streamed({chunk(R"({"content":"a"})"), "{broken", chunk(R"({"content":"b"})", R"("stop")"), done});
  EXPECT_EQ(one.text(), "ab");
  EXPECT_EQ(one.finish(), FinishReason::stop);
  EXPECT_THAT(one.warnings(), ElementsAre(HasSubstr("not JSON")));
  const auto two = streamed({chunk(R"({"content":"a"})"), "{broken", "{broken", chunk("{}", R"("stop")"), done});
  EXPECT_EQ(two.failure()->code, ErrorCode::provider_protocol);
}

TEST(OpenAiDecoder, StringsAreRepaired) {
  const std::string mark = "\xEF\xBF\xBD";
  for (const auto& bad : {std::string(R"(\ud83d)"), std::string(R"(\u0000)"), std::string("\xFF")}) {
    const auto answer = streamed({chunk("{\"content\":\"a" + bad + "b\"}", R"("stop")"), done});
    EXPECT_EQ(answer.text(), "a" + mark + "b") << bad;
    EXPECT_THAT(answer.warnings(), IsEmpty());
  }
}

TEST(OpenAiDecoder, AnotherApiIsNamed) {
  const auto answer =
      decoded(R"({"model":"m","message":{"role":"assistant","content":"x"},"candidates":[{}]})", context(false));
  ASSERT_TRUE(answer.failure());
  EXPECT_THAT(answer.failure()->message, HasSubstr("Gemini"));
  EXPECT_FALSE(answer.call_failure()->retry);
}

TEST(OpenAiDecoder, OtherChoicesAreLeftOut) {
  const auto answer =
      streamed({R"({"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"a"}}]})",
                chunk("{}", R"("stop")"), done});
  EXPECT_EQ(answer.text(), "a");
}

TEST(OpenAiDecoder, AnswersAreBounded) {
  auto of = context(true);
  of.limits = {.item_bytes_max = 4096, .answer_bytes_max = 8};
  const auto long_text = decoded(events_of({chunk(R"({"content":"123456789"})")}), of);
  EXPECT_EQ(long_text.failure()->code, ErrorCode::response_too_large);
  const auto long_call = decoded(
      events_of({chunk(R"({"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"aaaaaa"}}]})")}), of);
  EXPECT_EQ(long_call.failure()->code, ErrorCode::response_too_large);
}

class CountingSink final : public AnswerSink {
 public:
  void on_event(AnswerEvent event) override {
    if (const auto* text = std::get_if<TextDelta>(&event)) bytes += text->text.size();
  }
  std::size_t bytes = 0;
};

TEST(OpenAiDecoder, TextDeltasAllocateNothing) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "this build does not count allocations";
  std::string body;
  for (int i = 0; i < 100; ++i) body += "data: " + chunk(R"({"content":"some words"})") + "\n\n";
  CountingSink sink;
  const auto decoder = make_decoder(context(true));
  decoder->feed(body, sink);  // the thread's parser grows to its size
  const tests::AllocationCount count;
  decoder->feed(body, sink);
  EXPECT_EQ(count.since(), 0U);
  EXPECT_EQ(sink.bytes, 200U * 10);
}

/// One chunk with that many calls, as fragments without text.
std::string bare_calls(int calls) {
  std::string list;
  for (int i = 0; i < calls; ++i) list += fmt::format(R"({}{{"index":{},"function":{{}}}})", i == 0 ? "" : ",", i);
  return chunk("{\"tool_calls\":[" + list + "]}");
}

TEST(OpenAiDecoder, TooManyCallsFailTheAnswer) {
  const auto answer = streamed({bare_calls(130'000), done});
  ASSERT_TRUE(answer.failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
  EXPECT_THAT(answer.failure()->message, HasSubstr("more than 4096 tool calls"));
  std::string calls;
  for (int i = 0; i < 4096; ++i)
    calls += fmt::format(R"({}{{"id":"c{}","function":{{"name":"f"}}}})", i == 0 ? "" : ",", i);
  const auto whole = [&](const std::string& list) {
    return decoded(R"({"choices":[{"message":{"tool_calls":[)" + list + R"(]},"finish_reason":"stop"}]})",
                   context(false));
  };
  EXPECT_THAT(whole(calls).tool_calls(), SizeIs(4096));
  EXPECT_THAT(whole(calls + R"(,{"function":{"name":"f"}})").failure()->message, HasSubstr("4096"));
}

TEST(OpenAiDecoder, CallsWithoutTextCountTowardsTheAnswersLimit) {
  auto of = context(true);
  of.limits.answer_bytes_max = 10'000;
  const auto answer = decoded(events_of({bare_calls(1000)}), of);
  ASSERT_TRUE(answer.failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::response_too_large);
  AnswerRecorder recorder;
  const auto decoder = make_decoder(context(true));
  decoder->feed(events_of({bare_calls(1000)}), recorder);
  EXPECT_GE(decoder->held_bytes(), 100'000U) << "so that the budget of the process sees them";
}

TEST(OpenAiDecoder, UsageEstimateCountsTextOfCallsOnly) {
  const auto answer = streamed(
      {chunk(R"({"tool_calls":[{"index":0,"id":"abcd","function":{"name":"name","arguments":"{}      "}}]})"), done});
  ASSERT_TRUE(answer.usage());
  EXPECT_TRUE(answer.usage()->estimated);
  EXPECT_EQ(answer.usage()->output_tokens, 4);
}

TEST(OpenAiDecoder, FragmentsFindTheirCallAmongMany) {
  // Every call is number 0, distinguished by its id; then pieces for each by its id, without one, and by the id alone.
  std::vector<std::string> payloads;
  const auto piece = [&](const std::string& head, const std::string& arguments) {
    payloads.push_back(
        chunk(R"({"tool_calls":[{)" + head + R"("function":{"name":"f","arguments":")" + arguments + R"("}}]})"));
  };
  for (const auto* id : {"a", "b", "c"}) piece(fmt::format(R"("index":0,"id":"{}",)", id), "{");
  piece(R"("index":0,"id":"a",)", R"(\"x\":1)");
  piece(R"("index":0,)", R"(\"x\":3)");
  piece(R"("id":"b",)", R"(\"x\":2)");
  for (const auto* id : {"a", "b", "c"}) piece(fmt::format(R"("id":"{}",)", id), "}");
  // Begun without an id, which it gets later, and known by it from then on; a call of another number has it too.
  piece(R"("index":7,)", "{");
  piece(R"("index":8,"id":"d",)", "{");
  piece(R"("index":7,"id":"d",)", R"(\"y\":7)");
  piece(R"("id":"d",)", "}");
  piece(R"("index":7,)", "}");
  // Without number and id: the latest.
  piece(R"("index":9,"id":"e",)", "{");
  piece("", "}");
  payloads.push_back(done);
  const auto answer = streamed(payloads);
  ASSERT_THAT(answer.tool_calls(), SizeIs(6)) << answer.summary();
  const std::vector<std::string> expected = {R"({"x":1})", R"({"x":2})", R"({"x":3})", R"({"y":7})", "{}", "{}"};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(answer.tool_calls()[i].arguments, expected[i]) << i;
}

TEST(OpenAiDecoder, ReasoningDetailsOfManyFieldsEnd) {
  std::string fields;
  for (int i = 0; i < 300'000; ++i) fields += fmt::format(R"(,"k{}":0)", i);
  const auto answer = streamed(
      {chunk(R"({"content":"a","reasoning_details":[{"type":"x")" + fields + "}]}", R"("stop")"), done}, "openrouter");
  ASSERT_THAT(answer.blocks(), SizeIs(1)) << answer.summary().substr(0, 1000);
  EXPECT_TRUE(answer.blocks()[0].data == R"([{"type":"x")" + fields + "}]") << "fields keep their order";
}

}  // namespace
}  // namespace tokenrail::providers::openai
