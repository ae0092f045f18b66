#include "common/providers/ollama/decoder.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/ollama/ollama.hpp"
#include "tests/support/allocations.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::providers::ollama {
namespace {

using events::ErrorCode;
using events::FinishReason;
using test::AnswerRecorder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string delta(std::string_view content, bool done = false, std::string_view more = "") {
  return fmt::format(
      R"({{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{{"role":"assistant","content":"{}"}},"done":{}{}}})"
      "\n",
      content, done, more);
}

const std::string done_line = delta("", true, R"(,"done_reason":"stop","prompt_eval_count":20,"eval_count":3)");

AnswerRecorder decoded(std::string_view body, bool stream = true, const DecoderLimits& limits = {}) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(stream, limits);
  decoder->feed(body, recorder);
  decoder->end(recorder);
  return recorder;
}

TEST(OllamaDecoder, JoinsDeltasAndReportsUsageBeforeFinish) {
  const auto answer = decoded(delta("Hel") + delta("lo") + done_line);
  EXPECT_EQ(answer.text(), "Hello");
  EXPECT_EQ(answer.order(), "text usage finish");
  EXPECT_EQ(answer.finish(), FinishReason::stop);
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->input_tokens, 20);
  EXPECT_EQ(answer.usage()->output_tokens, 3);
  EXPECT_THAT(answer.warnings(), IsEmpty());
}

// The mistake named S0.44 in the specification: pieces of the network were split into lines with nothing carried over,
// what then was no JSON was swallowed, and the end was reported twice.
TEST(OllamaDecoder, S0_44_JoinsLinesAcrossPieces) {
  const std::string body = delta("Grüße, ") + delta("🌍") + delta("!") + done_line;
  const auto whole = decoded(body);
  EXPECT_EQ(whole.text(), "Grüße, 🌍!");
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    AnswerRecorder recorder;
    const auto decoder = make_decoder(true, {});
    decoder->feed(std::string_view(body).substr(0, cut), recorder);
    decoder->feed(std::string_view(body).substr(cut), recorder);
    decoder->end(recorder);
    ASSERT_EQ(recorder.summary(), whole.summary()) << "cut at " << cut;
  }
}

// A line that cannot be read, from the catalogue of S0.44.
constexpr std::string_view bad_lines[] = {
    "this is not JSON\n",
    "{\"message\":{\"content\":\"x\"},\"done\":fal\n",
    "{\"message\":{\"content\":\"x\"},\"done\":false\n",
    "{\"message\":{\"content\":\"x\"}}{\"message\":{\"content\":\"y\"}}\n",
    "{\"message\":{\"content\":7},\"done\":false}\n",
    "{\"message\":{\"content\":\"x\"},\"done\":\"no\"}\n",
    "{\"message\":[\"x\"],\"done\":false}\n",
    "[1,2,3]\n",
    "\"text\"\n",
    "{\"model\":\"m\"}\n",
};

TEST(OllamaDecoder, S0_44_SkipsAndNamesOneMalformedLine) {
  for (const auto bad : bad_lines) {
    const auto answer = decoded(delta("before ") + std::string(bad) + delta("after") + done_line);
    EXPECT_EQ(answer.text(), "before after") << bad;
    EXPECT_EQ(answer.finish(), FinishReason::stop) << bad;
    ASSERT_EQ(answer.warnings().size(), 1U) << bad;
    EXPECT_THAT(answer.warnings().front(), testing::HasSubstr("could not be read")) << bad;
    EXPECT_EQ(answer.endings(), 1);
  }
}

TEST(OllamaDecoder, S0_44_SecondMalformedLineFailsTheAnswer) {
  for (const auto bad : bad_lines) {
    const auto answer = decoded(delta("before") + std::string(bad) + std::string(bad) + delta("after") + done_line);
    EXPECT_EQ(answer.text(), "before") << bad;
    ASSERT_TRUE(answer.failure()) << bad;
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol) << bad;
    EXPECT_EQ(answer.endings(), 1);
  }
}

TEST(OllamaDecoder, S0_44_AMalformedFirstLineIsAFailure) {
  for (const auto bad : bad_lines) {
    const auto answer = decoded(std::string(bad) + delta("after") + done_line);
    ASSERT_TRUE(answer.failure()) << bad;
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol) << bad;
    EXPECT_EQ(answer.text(), "") << bad;
  }
}

TEST(OllamaDecoder, AMalformedLastLineIsNoEnd) {
  const auto answer = decoded(delta("text") + "{\"message\":{\"content\":\"\"},\"done\":tru}\n");
  ASSERT_TRUE(answer.failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
}

TEST(OllamaDecoder, S0_44_ReportsTheEndExactlyOnce) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(true, {});
  decoder->feed(delta("a") + done_line + delta("late") + done_line, recorder);
  decoder->feed(done_line, recorder);
  decoder->end(recorder);
  decoder->end(recorder);
  EXPECT_EQ(recorder.endings(), 1);
  EXPECT_EQ(recorder.text(), "a");
  EXPECT_FALSE(recorder.said_something_after_the_end());
}

TEST(OllamaDecoder, AStreamWithoutItsEndIsAFailure) {
  const auto cut_between = decoded(delta("a"));
  ASSERT_TRUE(cut_between.failure());
  EXPECT_EQ(cut_between.failure()->code, ErrorCode::provider_protocol);
  EXPECT_THAT(cut_between.failure()->message, HasSubstr("before it was whole"));

  const auto cut_within = decoded(delta("a") + delta("b").substr(0, 40));
  ASSERT_TRUE(cut_within.failure());
  EXPECT_EQ(cut_within.failure()->code, ErrorCode::provider_protocol);
  EXPECT_THAT(cut_within.failure()->message, HasSubstr("in the middle of a line"));

  const auto empty = decoded("");
  ASSERT_TRUE(empty.failure());
  EXPECT_THAT(empty.failure()->message, HasSubstr("empty"));

  const auto newlines = decoded("\n\r\n\n");
  ASSERT_TRUE(newlines.failure());
  EXPECT_EQ(newlines.failure()->code, ErrorCode::provider_protocol);
}

TEST(OllamaDecoder, ALastLineNeedsNoLineEnd) {
  const auto answer = decoded(delta("a") + done_line.substr(0, done_line.size() - 1));
  EXPECT_EQ(answer.finish(), FinishReason::stop);
}

struct DoneCase {
  std::string_view reason;
  FinishReason finish;
  bool warned;
};
TEST(OllamaDecoder, MapsDoneReasons) {
  for (const auto& row :
       {DoneCase{R"("stop")", FinishReason::stop, false}, DoneCase{R"("length")", FinishReason::length, false},
        DoneCase{R"("load")", FinishReason::stop, true}, DoneCase{R"("unload")", FinishReason::stop, true},
        DoneCase{R"("")", FinishReason::stop, false}, DoneCase{"null", FinishReason::stop, false},
        DoneCase{R"("tired")", FinishReason::stop, true}}) {
    const auto answer = decoded(delta("", true, fmt::format(R"(,"done_reason":{})", row.reason)));
    EXPECT_EQ(answer.finish(), row.finish) << row.reason;
    EXPECT_EQ(answer.warnings().size(), row.warned ? 1U : 0U) << row.reason;
    EXPECT_FALSE(answer.usage()) << "no counts, no usage";
  }
}

TEST(OllamaDecoder, MissingCountsAreEstimated) {
  const auto counted = [](const std::string& counts) {
    AnswerRecorder answer;
    const auto decoder = make_decoder(true, {}, false, 40);
    decoder->feed(delta("twelve bytes"), answer);
    decoder->feed(delta("", true, R"(,"done_reason":"stop")" + counts), answer);
    return answer.usage();
  };
  const auto no_prompt = counted(R"(,"eval_count":5)");
  ASSERT_TRUE(no_prompt);
  EXPECT_EQ(no_prompt->input_tokens, 10) << "left out as zero where the prompt was cached";
  EXPECT_EQ(no_prompt->output_tokens, 5);
  EXPECT_TRUE(no_prompt->estimated);
  const auto none = counted("");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->output_tokens, 3);
  EXPECT_TRUE(none->estimated);
  EXPECT_FALSE(counted(R"(,"prompt_eval_count":7,"eval_count":5)")->estimated);
}

std::string call_line(std::string_view calls) {
  return fmt::format(R"({{"message":{{"role":"assistant","content":"","tool_calls":{}}},"done":false}})"
                     "\n",
                     calls);
}

TEST(OllamaDecoder, S0_43_KeepsToolCallsAndFinishesWithThem) {
  const auto answer = decoded(
      call_line(R"([{"id":"call_x1","function":{"index":0,"name":"f","arguments":{"a": 1.50, "b":[ ]}}}])") +
      call_line(R"([{"function":{"index":1,"name":"g","arguments":{}}},{"function":{"name":"h"}}])") + done_line);
  ASSERT_EQ(answer.tool_calls().size(), 3U);
  EXPECT_EQ(answer.tool_calls()[0].id, "call_x1");
  EXPECT_EQ(answer.tool_calls()[0].name, "f");
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"a":1.50,"b":[]})");
  EXPECT_EQ(answer.tool_calls()[1].id, "call_2");
  EXPECT_EQ(answer.tool_calls()[1].arguments, "{}");
  EXPECT_EQ(answer.tool_calls()[2].id, "call_3");
  EXPECT_EQ(answer.tool_calls()[2].arguments, "{}");
  EXPECT_EQ(answer.finish(), FinishReason::tool_calls) << "Ollama says stop";
}

TEST(OllamaDecoder, TakesArgumentsThatCameAsAString) {
  const auto answer = decoded(call_line(R"([{"function":{"name":"f","arguments":"{\"a\": 1}"}}])") + done_line);
  ASSERT_EQ(answer.tool_calls().size(), 1U);
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"a":1})");
}

TEST(OllamaDecoder, AMalformedToolCallIsNeverLeftOut) {
  const auto answer = decoded(delta("text") + call_line(R"([{"function":{"name":"f","arguments":[1]}}])") + done_line);
  ASSERT_TRUE(answer.failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
}

TEST(OllamaDecoder, ToolCallsThatAreNoneAreMalformed) {
  for (const std::string_view calls :
       {R"([{"function":{"name":"f","arguments":"not json"}}])", R"([{"function":{"name":"f","arguments":[1]}}])",
        R"([{"function":{"arguments":{}}}])", R"([{"id":"x"}])", R"({"function":{}})", R"([{"function":7}])"}) {
    const auto answer = decoded(call_line(calls) + done_line);
    EXPECT_THAT(answer.tool_calls(), IsEmpty()) << calls;
    ASSERT_TRUE(answer.failure()) << calls;
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol) << calls;
  }
}

TEST(OllamaDecoder, ThinkingIsReasoning) {
  const auto answer = decoded(R"({"message":{"content":"","thinking":"Hm. "},"done":false})"
                              "\n" +
                              delta("Yes") + done_line);
  EXPECT_EQ(answer.reasoning(), "Hm. ");
  EXPECT_EQ(answer.text(), "Yes");
  EXPECT_EQ(answer.order(), "reasoning text usage finish");
}

TEST(OllamaDecoder, AnErrorLineCarriesTheProvidersTextOn) {
  const auto answer = decoded(
      delta("3") + "{\"error\":\"an error was encountered while running the model: unexpected EOF\"}\n" + done_line);
  EXPECT_EQ(answer.text(), "3");
  ASSERT_TRUE(answer.failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::provider_unavailable);
  EXPECT_THAT(answer.failure()->message, HasSubstr("an error was encountered while running the model: unexpected EOF"));
  EXPECT_TRUE(answer.failure()->retryable);
  EXPECT_EQ(answer.endings(), 1);

  const auto nested = decoded("{\"error\":{\"message\":\"rate limit reached\",\"code\":7}}\n");
  ASSERT_TRUE(nested.failure());
  EXPECT_EQ(nested.failure()->code, ErrorCode::provider_rate_limited);
  EXPECT_THAT(nested.failure()->message, HasSubstr("rate limit reached"));
}

TEST(OllamaDecoder, AnErrorOfNullIsNone) {
  const auto answer = decoded(delta("a", true, R"(,"error":null,"done_reason":"stop")"));
  EXPECT_EQ(answer.finish(), FinishReason::stop);
  EXPECT_EQ(answer.text(), "a");
}

TEST(OllamaDecoder, UnknownFieldsAndNullsAreNoMatter) {
  const auto answer = decoded(
      R"({"x":{"done":true,"message":1},"message":{"role":"assistant","content":null,"thinking":null,"tool_calls":null,"images":[]},"logprobs":[{"token":"a"}],"done":false})"
      "\n" +
      delta("b") + done_line);
  EXPECT_EQ(answer.text(), "b");
  EXPECT_EQ(answer.finish(), FinishReason::stop);
}

TEST(OllamaDecoder, EscapesAreUndone) {
  EXPECT_EQ(decoded(delta(R"(a\n\"\u00e4\ud83c\udf0d)") + done_line).text(), "a\n\"ä🌍");
}

TEST(OllamaDecoder, ALineBeyondTheLimitEndsTheAnswer) {
  const DecoderLimits limits{.item_bytes_max = 1000, .answer_bytes_max = 100'000};
  AnswerRecorder recorder;
  const auto decoder = make_decoder(true, limits);
  for (int i = 0; i < 20; ++i) decoder->feed(std::string(100, ' '), recorder);
  ASSERT_TRUE(recorder.failure());
  EXPECT_EQ(recorder.failure()->code, ErrorCode::response_too_large);
  EXPECT_THAT(recorder.failure()->message, HasSubstr("1000 bytes"));
  decoder->end(recorder);
  EXPECT_EQ(recorder.endings(), 1);
}

TEST(OllamaDecoder, IgnoresTooLongLineAfterTheEnd) {
  const DecoderLimits limits{.item_bytes_max = 1000, .answer_bytes_max = 100'000};
  const std::string long_line = std::string(1001, 'x') + "\n";
  for (const std::string& last :
       {done_line, std::string("no JSON\nno JSON\n"), std::string("{\"error\":\"boom\"}\n")}) {
    const auto alone = decoded(delta("Hello") + last, true, limits);
    EXPECT_EQ(decoded(delta("Hello") + last + long_line, true, limits).summary(), alone.summary()) << last;
    EXPECT_EQ(alone.endings(), 1);
  }
}

TEST(OllamaDecoder, AnAnswerBeyondTheLimitEndsIt) {
  const DecoderLimits limits{.item_bytes_max = 1000, .answer_bytes_max = 25};
  std::string body;
  for (int i = 0; i < 6; ++i) body += delta("0123456789");
  const auto answer = decoded(body, true, limits);
  EXPECT_EQ(answer.text(), "01234567890123456789") << "what fits is given, what does not is not cut";
  ASSERT_TRUE(answer.failure());
  EXPECT_EQ(answer.failure()->code, ErrorCode::response_too_large);
  EXPECT_EQ(answer.endings(), 1);
}

TEST(OllamaDecoder, ABigLineIsDecodedWhole) {
  const std::string big(1'000'000, 'x');
  EXPECT_EQ(decoded(delta(big) + delta("y") + done_line).text(), big + "y");
}

TEST(OllamaDecoder, ReadsUnstreamedAnswerInAnyLayout) {
  const std::string body = R"({
    "model": "m",
    "message": {"role": "assistant", "content": "Hello.", "thinking": "Hm",
      "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]},
    "done": true, "done_reason": "stop",
    "prompt_eval_count": 20, "eval_count": 3
  })";
  const auto whole = decoded(body, false);
  EXPECT_EQ(whole.text(), "Hello.");
  EXPECT_EQ(whole.reasoning(), "Hm");
  EXPECT_EQ(whole.finish(), FinishReason::tool_calls);
  ASSERT_EQ(whole.tool_calls().size(), 1U);
  EXPECT_EQ(whole.tool_calls()[0].arguments, R"({"a":1})");
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    AnswerRecorder recorder;
    const auto decoder = make_decoder(false, {});
    decoder->feed(std::string_view(body).substr(0, cut), recorder);
    EXPECT_EQ(recorder.count(), 0U);
    decoder->feed(std::string_view(body).substr(cut), recorder);
    decoder->end(recorder);
    ASSERT_EQ(recorder.summary(), whole.summary());
  }
}

TEST(OllamaDecoder, UnstreamedAnswerFailsLikeStream) {
  EXPECT_EQ(decoded("", false).failure()->code, ErrorCode::provider_protocol);
  EXPECT_EQ(decoded("  \n", false).failure()->code, ErrorCode::provider_protocol);
  EXPECT_EQ(decoded("<html>", false).failure()->code, ErrorCode::provider_protocol);
  EXPECT_EQ(decoded(R"({"error":"boom"})", false).failure()->code, ErrorCode::provider_unavailable);
  const auto unfinished = decoded(R"({"message":{"content":"a"},"done":false})", false);
  ASSERT_TRUE(unfinished.failure());
  EXPECT_EQ(unfinished.failure()->code, ErrorCode::provider_protocol);
  const auto large = decoded(std::string(2000, ' '), false, {.item_bytes_max = 1000, .answer_bytes_max = 500});
  ASSERT_TRUE(large.failure());
  EXPECT_EQ(large.failure()->code, ErrorCode::response_too_large);
}

TEST(OllamaDecoder, TooLargeAnswerFreesItsMemory) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "needs a sanitizer's allocator";
  constexpr std::size_t most = 1 << 20;
  const std::string blanks(most, ' ');
  AnswerRecorder recorder;
  const auto decoder = make_decoder(false, {.item_bytes_max = most, .answer_bytes_max = most});
  const std::size_t before = tests::allocated_bytes();
  decoder->feed(blanks, recorder);
  EXPECT_FALSE(recorder.failure());
  EXPECT_GE(tests::allocated_bytes(), before + most);
  decoder->feed(" ", recorder);
  ASSERT_TRUE(recorder.failure());
  EXPECT_LT(tests::allocated_bytes(), before + 16 * 1024);
}

/// A sink that lets a second answer arrive during a callback of the first.
class NestedSink final : public AnswerSink {
 public:
  void on_event(AnswerEvent event) override {
    const auto* said = std::get_if<TextDelta>(&event);
    if (said == nullptr) return;
    AnswerRecorder inner;
    const auto decoder = make_decoder(true, {});
    decoder->feed(delta("inner text of some length") + done_line, inner);
    decoder->end(inner);
    inner_text += inner.text();
    text += said->text;
  }
  std::string text{};
  std::string inner_text{};
};

TEST(OllamaDecoder, ASinkMayDecodeSomethingElseMeanwhile) {
  NestedSink sink;
  const auto decoder = make_decoder(true, {});
  decoder->feed(delta("outer") + delta(" text") + done_line, sink);
  EXPECT_EQ(sink.text, "outer text");
  EXPECT_EQ(sink.inner_text, "inner text of some lengthinner text of some length");
}

TEST(OllamaDecoder, TooManyCallsFailTheAnswer) {
  const auto line = [](int calls) {
    std::string list;
    for (int i = 0; i < calls; ++i) list += (i == 0 ? "" : ",") + std::string(R"({"function":{"name":"f"}})");
    return fmt::format("{{\"message\":{{\"tool_calls\":[{}]}}}}\n", list);
  };
  EXPECT_EQ(decoded(line(4096) + done_line).tool_calls().size(), 4096U);
  for (const auto& body : {line(4097) + done_line, line(4000) + line(97) + done_line}) {
    const auto answer = decoded(body);
    ASSERT_TRUE(answer.failure());
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
    EXPECT_THAT(answer.failure()->message, HasSubstr("more than 4096 tool calls"));
  }
}

}  // namespace
}  // namespace tokenrail::providers::ollama
