// What may have another form without damage to an answer, and what may not.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/ollama/decoder.hpp"
#include "common/providers/ollama/ollama.hpp"
#include "tests/support/allocations.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::providers::ollama {
namespace {

using events::ErrorCode;
using events::FinishReason;
using test::AnswerRecorder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

AnswerRecorder decoded(std::string_view body, bool stream = true, const DecoderLimits& limits = {}) {
  AnswerRecorder recorder;
  const auto decoder = make_decoder(stream, limits);
  decoder->feed(body, recorder);
  decoder->end(recorder);
  return recorder;
}

/// An object of an answer, its fields as JSON text; empty: left out.
struct Fields {
  std::string model = R"("m")";
  std::string created_at = R"("2026-01-01T00:00:00Z")";
  std::string message{};  ///< made of the next ones, where empty
  std::string role = R"("assistant")";
  std::string content = R"("well")";
  std::string thinking = R"("hm")";
  std::string tool_calls{};  ///< made of the next ones, where empty
  std::string id = R"("c1")";
  std::string function{};  ///< made of the next two, where empty
  std::string name = R"("f")";
  std::string arguments = R"({"a":1})";
  std::string done = "true";
  std::string done_reason = R"("stop")";
  std::string total_duration = "5";
  std::string prompt_eval_count = "20";
  std::string eval_count = "3";
  std::string error{};

  [[nodiscard]] std::string json() const {
    const auto function_json = function.empty() ? object({{"name", name}, {"arguments", arguments}}) : function;
    const auto calls =
        tool_calls.empty() ? "[" + object({{"id", id}, {"function", left_out(function_json)}}) + "]" : tool_calls;
    const auto message_json =
        message.empty()
            ? object({{"role", role}, {"content", content}, {"thinking", thinking}, {"tool_calls", left_out(calls)}})
            : message;
    return object({{"model", model},
                   {"created_at", created_at},
                   {"message", left_out(message_json)},
                   {"done", done},
                   {"done_reason", done_reason},
                   {"total_duration", total_duration},
                   {"load_duration", total_duration},
                   {"prompt_eval_count", prompt_eval_count},
                   {"prompt_eval_duration", total_duration},
                   {"eval_count", eval_count},
                   {"eval_duration", total_duration},
                   {"error", error}}) +
           "\n";
  }

 private:
  static std::string left_out(const std::string& value) { return value == "-" ? "" : value; }
  static std::string object(std::vector<std::pair<std::string_view, std::string>> fields) {
    std::string out = "{";
    for (const auto& [name, value] : fields) {
      if (value.empty()) continue;
      if (out.size() > 1) out += ',';
      out += fmt::format("\"{}\":{}", name, value);
    }
    return out + "}";
  }
};

std::string with(std::string Fields::* field, std::string value) {
  Fields fields;
  fields.*field = std::move(value);
  return fields.json();
}

constexpr std::string_view whole = "well hm f {\"a\":1}";
std::string told(const AnswerRecorder& answer) {
  auto text = answer.text() + " " + answer.reasoning();
  for (const auto& call : answer.tool_calls()) text += " " + call.name + " " + call.arguments;
  return text;
}

TEST(OllamaTolerance, EarlierLineDoesNotCloseACutOne) {
  // The parser's memory is the same for both. The first line has a brace where the second one ends.
  const std::string braces(40, '}');
  const auto first = decoded(R"({"x":")" + braces + R"(","message":{"content":"well"},"done":true})");
  ASSERT_TRUE(first.finish());
  for (const std::string cut : {R"({"error":{   s})", R"({"message":{"content":"a"},"done":true,"x":{})"}) {
    const auto last = decoded(cut);
    ASSERT_TRUE(last.failure()) << cut;
    EXPECT_EQ(last.failure()->code, ErrorCode::provider_protocol) << cut;
    EXPECT_THAT(last.failure()->message, HasSubstr("in the middle of a line")) << cut;
    const auto line = decoded(cut + "\n");
    ASSERT_TRUE(line.failure()) << cut;
    EXPECT_THAT(line.failure()->message, HasSubstr("not JSON")) << cut;
  }
}

TEST(OllamaTolerance, IgnoresWrongFieldBesideTheAnswer) {
  for (const auto field : {&Fields::model, &Fields::created_at, &Fields::role, &Fields::total_duration, &Fields::id,
                           &Fields::done_reason, &Fields::prompt_eval_count, &Fields::eval_count}) {
    for (const auto* value : {"null", "7", "-7", "12.0", "\"12\"", "18446744073709551616", "-1e999", "true", "[1,{}]",
                              "{\"a\":[]}", "\"\"", ""}) {
      const auto body = with(field, value);
      for (const bool stream : {true, false}) {
        const auto answer = decoded(body, stream);
        EXPECT_EQ(answer.finish(), FinishReason::tool_calls) << body;
        EXPECT_EQ(told(answer), whole) << body;
      }
    }
  }
}

struct CountCase {
  const char* json;
  std::optional<std::int64_t> count;
  bool warned = false;
};
TEST(OllamaTolerance, ReadsUsableCounts) {
  for (const auto& row : {
           CountCase{"12", 12},
           CountCase{"12.0", 12},
           CountCase{"1.2e1", 12},
           CountCase{"\"12\"", 12},
           CountCase{"0", 0},
           CountCase{"9223372036854775807", INT64_MAX},
           CountCase{"null", std::nullopt},
           CountCase{"", std::nullopt},
           CountCase{"-1", std::nullopt, true},
           CountCase{"12.5", std::nullopt, true},
           CountCase{"9223372036854775808", std::nullopt, true},
           CountCase{"18446744073709551616", std::nullopt, true},
           CountCase{"1e400", std::nullopt, true},
           CountCase{"\"many\"", std::nullopt, true},
           CountCase{"[12]", std::nullopt, true},
           CountCase{"{}", std::nullopt, true},
           CountCase{"true", std::nullopt, true},
       }) {
    for (const auto field : {&Fields::prompt_eval_count, &Fields::eval_count}) {
      const auto answer = decoded(with(field, row.json));
      ASSERT_TRUE(answer.usage()) << row.json << ": the other count can be read";
      const bool input = field == &Fields::prompt_eval_count;
      EXPECT_EQ(answer.usage()->input_tokens, input ? row.count.value_or(0) : 20) << row.json;
      auto bytes = answer.text().size() + answer.reasoning().size();
      for (const auto& call : answer.tool_calls()) bytes += call.name.size() + call.arguments.size();
      const auto estimate = static_cast<std::int64_t>((bytes + 3) / 4);
      EXPECT_EQ(answer.usage()->output_tokens, input ? 3 : row.count.value_or(estimate)) << row.json;
      EXPECT_EQ(answer.usage()->estimated, !row.count.has_value()) << row.json;
      ASSERT_EQ(answer.warnings().size(), row.warned ? 1U : 0U) << row.json;
      if (row.warned) EXPECT_THAT(answer.warnings()[0], HasSubstr(input ? "prompt_eval_count" : "'s eval_count"));
    }
    Fields neither;
    neither.prompt_eval_count = neither.eval_count = row.json;
    const auto uncounted = decoded(neither.json()).usage();
    ASSERT_TRUE(uncounted) << row.json;
    EXPECT_EQ(uncounted->estimated, !row.count.has_value()) << row.json;
  }
}

TEST(OllamaTolerance, NullAndFractionalCountsKeepTheAnswer) {
  const std::string begin = R"({"model":"m","message":{"role":"assistant","content":"All"},"done":false})"
                            "\n"
                            R"({"model":"m","message":{"role":"assistant","content":" well."},"done":false})"
                            "\n";
  const auto nulls = decoded(begin + R"({"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",)"
                                     R"("total_duration":null,"prompt_eval_count":null,"eval_count":null})"
                                     "\n");
  EXPECT_EQ(nulls.text(), "All well.");
  EXPECT_EQ(nulls.finish(), FinishReason::stop);
  ASSERT_TRUE(nulls.usage());
  EXPECT_EQ(nulls.usage()->output_tokens, 3);
  EXPECT_TRUE(nulls.usage()->estimated);
  EXPECT_THAT(nulls.warnings(), IsEmpty());
  const auto points =
      decoded(begin + R"({"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",)"
                      R"("total_duration":1500000000.0,"prompt_eval_count":12.0,"eval_count":2.0})"
                      "\n");
  EXPECT_EQ(points.finish(), FinishReason::stop);
  ASSERT_TRUE(points.usage());
  EXPECT_EQ(points.usage()->input_tokens, 12);
  EXPECT_EQ(points.usage()->output_tokens, 2);
}

struct StrictCase {
  std::string Fields::* field;
  const char* value;
  const char* named;    ///< the field, in the message
  const char* excerpt;  ///< of what was there
};
TEST(OllamaTolerance, ReadsRequiredFieldsStrictly) {
  for (const auto& row : {
           StrictCase{&Fields::message, "[\"x\"]", "message must be an object", "[\"x\"]"},
           StrictCase{&Fields::message, "\"x\"", "message must be an object", "\"x\""},
           StrictCase{&Fields::content, "7", "message.content must be a string", "is 7"},
           StrictCase{&Fields::content, "[{\"text\":\"x\"}]", "message.content must be a string", "[{\"text\""},
           StrictCase{&Fields::content, "18446744073709551616", "message.content", "18446744073709551616"},
           StrictCase{&Fields::thinking, "false", "message.thinking must be a string", "is false"},
           StrictCase{&Fields::tool_calls, "{}", "message.tool_calls must be a list", "{}"},
           StrictCase{&Fields::tool_calls, "[7]", "message.tool_calls[] must be an object", "is 7"},
           StrictCase{&Fields::function, "7", "message.tool_calls[].function must be an object", "is 7"},
           StrictCase{&Fields::function, "-", "message.tool_calls[].function is missing", ""},
           StrictCase{&Fields::name, "7", "message.tool_calls[].function.name must be a string", "is 7"},
           StrictCase{&Fields::name, "null", "message.tool_calls[].function.name is missing", ""},
           StrictCase{&Fields::name, "", "message.tool_calls[].function.name is missing", ""},
           StrictCase{&Fields::arguments, "7", "message.tool_calls[].function.arguments must be a JSON object", "is 7"},
           StrictCase{&Fields::arguments, "[1]", "arguments must be a JSON object", "[1]"},
           StrictCase{&Fields::arguments, "\"no\"", "arguments must be a JSON object", "is no"},
           StrictCase{&Fields::arguments, "{\"a\":}", "arguments must be a JSON object", "{\"a\":}"},
           StrictCase{&Fields::done, "\"yes\"", "done must be true or false", "\"yes\""},
           StrictCase{&Fields::done, "1", "done must be true or false", "is 1"},
       }) {
    for (const bool stream : {true, false}) {
      const auto answer = decoded(with(row.field, row.value), stream);
      ASSERT_TRUE(answer.failure()) << row.named << row.value;
      EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
      EXPECT_TRUE(answer.failure()->retryable);
      EXPECT_THAT(answer.failure()->message, AllOf(HasSubstr(row.named), HasSubstr(row.excerpt)));
      EXPECT_THAT(answer.failure()->message, Not(HasSubstr("created_at"))) << "not its healthy beginning";
      EXPECT_EQ(told(answer), " ");
    }
  }
}

TEST(OllamaTolerance, NullIsAsGoodAsMissing) {
  for (const auto* value : {"null", ""}) {
    EXPECT_EQ(decoded(with(&Fields::content, value)).text(), "");
    EXPECT_EQ(decoded(with(&Fields::thinking, value)).reasoning(), "");
    EXPECT_EQ(decoded(with(&Fields::arguments, value)).tool_calls().at(0).arguments, "{}");
    EXPECT_EQ(decoded(with(&Fields::error, value)).finish(), FinishReason::tool_calls);
    EXPECT_THAT(decoded(with(&Fields::done, value)).failure()->message, HasSubstr("before it was whole"));
  }
  EXPECT_THAT(decoded(with(&Fields::tool_calls, "null")).tool_calls(), IsEmpty());
  EXPECT_EQ(decoded(with(&Fields::message, "null")).finish(), FinishReason::stop);
  EXPECT_EQ(decoded(with(&Fields::message, "-")).finish(), FinishReason::stop);
  EXPECT_EQ(decoded(with(&Fields::error, "false")).finish(), FinishReason::tool_calls);
  EXPECT_EQ(decoded(with(&Fields::error, "\"\"")).finish(), FinishReason::tool_calls);
}

TEST(OllamaTolerance, BrokenJsonIsQuotedWhereItBreaks) {
  const auto line =
      R"({"model":"m","created_at":")" + std::string(300, 't') + R"(","message":{"content":"x"} "done":true})";
  const auto answer = decoded(line + "\n");
  ASSERT_TRUE(answer.failure());
  EXPECT_THAT(answer.failure()->message, AllOf(HasSubstr("not JSON"), HasSubstr("\"content\":\"x\"} \"done\"")));
}

TEST(OllamaTolerance, TheSameBytesFailWithTheSameWords) {
  // With an odd number of quotes and a NUL; what the parser held before must not decide.
  const auto text = std::string(R"({a","b","c:d","e)") + '\0' + R"(","f:"g"}})" + "\n";
  const auto first = decoded(text).summary();
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(decoded(text).summary(), first);
  }
  EXPECT_THAT(decoded("[1]\n").failure()->message, HasSubstr("must be one JSON object"));
}

TEST(OllamaTolerance, ArgumentsKeepNumbersBeyond64Bits) {
  const auto answer = decoded(with(&Fields::arguments, R"({"n": 18446744073709551616, "e":[1e400, 1.50]})"));
  ASSERT_EQ(answer.tool_calls().size(), 1U);
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"n":18446744073709551616,"e":[1e400,1.50]})");
  const auto deep = std::string(2000, '[') + "18446744073709551616" + std::string(2000, ']');
  EXPECT_TRUE(decoded(with(&Fields::arguments, R"({"n":)" + deep + "}")).failure());
}

TEST(OllamaTolerance, StringsAreRepairedEverywhere) {
  const std::string mark = "\xEF\xBF\xBD";
  for (const auto& bad : {std::string(R"(\ud83d)"), std::string(R"(\ude00)"), std::string(R"(\u0000)"),
                          std::string("\xFF"), std::string("\xF0\x9F\x98"), std::string(1, '\0')}) {
    const auto text = "\"a" + bad + "b\"";
    for (const bool stream : {true, false}) {
      EXPECT_EQ(decoded(with(&Fields::content, text), stream).text(), "a" + mark + "b") << bad;
      EXPECT_EQ(decoded(with(&Fields::thinking, text), stream).reasoning(), "a" + mark + "b") << bad;
      const auto named = decoded(with(&Fields::name, text), stream);
      ASSERT_EQ(named.tool_calls().size(), 1U) << bad;
      EXPECT_EQ(named.tool_calls()[0].name, "a" + mark + "b");
      EXPECT_EQ(decoded(with(&Fields::id, text), stream).tool_calls().at(0).id, "a" + mark + "b");
      const auto called = decoded(with(&Fields::arguments, "{\"k" + bad + "\":" + text + "}"), stream);
      ASSERT_EQ(called.tool_calls().size(), 1U) << bad;
      EXPECT_THAT(called.tool_calls()[0].arguments,
                  testing::AnyOf("{\"k" + mark + "\":\"a" + mark + "b\"}", R"({"k\ufffd":"a\ufffdb"})"));
      EXPECT_EQ(decoded(with(&Fields::model, text), stream).finish(), FinishReason::tool_calls);
      EXPECT_EQ(decoded(with(&Fields::done_reason, text), stream).finish(), FinishReason::tool_calls);
      const auto failed = decoded("{\"error\":" + text + "}\n", stream);
      ASSERT_TRUE(failed.failure()) << bad;
      EXPECT_THAT(failed.failure()->message, HasSubstr("\"a" + mark + "b\""));
    }
  }
}

TEST(OllamaTolerance, SplitSurrogatePairIsTwoReplacements) {
  const auto answer =
      decoded(R"({"message":{"content":"ok \ud83d"},"done":false})"
              "\n"
              R"({"message":{"content":"\ude00 fine"},"done":false})"
              "\n"
              R"({"message":{"content":""},"done":true,"done_reason":"stop","prompt_eval_count":5,"eval_count":3})"
              "\n");
  EXPECT_EQ(answer.text(), "ok \xEF\xBF\xBD\xEF\xBF\xBD fine");
  EXPECT_EQ(answer.finish(), FinishReason::stop);
}

TEST(OllamaTolerance, ArgumentsAsAStringAreRepairedInside) {
  const auto answer = decoded(with(&Fields::arguments, R"("{\"a\":\"\\ud83d\\u0000\"}")"));
  ASSERT_EQ(answer.tool_calls().size(), 1U);
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"a":"\ufffd\ufffd"})");
}

struct ForeignCase {
  const char* body;
  const char* looks_like;
};
TEST(OllamaTolerance, AnotherApisAnswerIsNamed) {
  for (const auto& row : {
           ForeignCase{R"({"id":"c","object":"chat.completion","model":"m","choices":[{"message":{"content":"x"}}]})",
                       "OpenAI-compatible"},
           ForeignCase{R"({"object":"chat.completion.chunk","choices":[{"delta":{"content":"x"}}]})",
                       "OpenAI-compatible"},
           ForeignCase{"data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\ndata: [DONE]\n\n",
                       "OpenAI-compatible"},
           ForeignCase{"event: message_start\ndata: {\"type\":\"message_start\"}\n\n", "Anthropic"},
           ForeignCase{R"({"type":"message","role":"assistant","content":[{"type":"text","text":"x"}]})", "Anthropic"},
           ForeignCase{R"({"candidates":[{"content":{"parts":[{"text":"x"}]}}]})", "Gemini"},
           ForeignCase{"<!DOCTYPE html>\n<html></html>\n", "web page"},
           ForeignCase{R"({"model":"m","response":"The","done":false})"
                       "\n"
                       R"({"model":"m","response":"","done":true,"done_reason":"stop","eval_count":3})"
                       "\n",
                       "/api/generate"},
           ForeignCase{R"({"model":"m","response":"The sky.","done":true,"done_reason":"stop"})", "/api/generate"},
       }) {
    for (const bool stream : {true, false}) {
      const auto answer = decoded(row.body, stream);
      if (!stream && std::string_view(row.body).find("false}\n{") != std::string_view::npos) continue;
      ASSERT_TRUE(answer.failure()) << row.body;
      EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
      EXPECT_FALSE(answer.failure()->retryable) << "it would answer so again";
      EXPECT_THAT(answer.failure()->message, AllOf(HasSubstr(row.looks_like), HasSubstr("adapter is ollama")));
      EXPECT_EQ(answer.text(), "");
      EXPECT_EQ(answer.endings(), 1);
    }
  }
}

TEST(OllamaTolerance, ObjectWithoutFieldsOfTheApiIsUnreadable) {
  for (const auto* body : {"{}", R"({"status":"pulling manifest"})", R"({"model":"m"})", R"({"error":null})"}) {
    const auto answer = decoded(std::string(body) + "\n" + Fields().json());
    ASSERT_TRUE(answer.failure()) << body;
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
    EXPECT_THAT(answer.failure()->message, HasSubstr(body));
  }
}

TEST(OllamaTolerance, EmptyAnswerIsAnAnswer) {
  const auto answer = decoded(
      R"({"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":98,"eval_count":1})");
  EXPECT_EQ(answer.finish(), FinishReason::stop);
  EXPECT_EQ(answer.text(), "");
  EXPECT_EQ(answer.usage()->output_tokens, 1);
}

std::string call_of(std::size_t argument_bytes) {
  Fields fields;
  fields.content = fields.thinking = fields.id = "";
  fields.done = "false";
  fields.arguments = R"({"a":")" + std::string(argument_bytes - 8, 'x') + "\"}";
  return fields.json();
}

TEST(OllamaBounds, ToolCallsCountTowardsTheAnswer) {
  // Each call has a name of one byte.
  const DecoderLimits limits{.item_bytes_max = 10'000, .answer_bytes_max = 3 * 101};
  const auto end = R"({"done":true,"done_reason":"stop"})";
  EXPECT_EQ(decoded(call_of(100) + call_of(100) + call_of(100) + end, true, limits).finish(), FinishReason::tool_calls);
  const auto over = decoded(call_of(100) + call_of(100) + call_of(101) + end, true, limits);
  EXPECT_EQ(over.tool_calls().size(), 2U);
  ASSERT_TRUE(over.failure());
  EXPECT_EQ(over.failure()->code, ErrorCode::response_too_large);
}

TEST(OllamaBounds, TextOfExactlyTheAnswersLimitPasses) {
  Fields fields;
  fields.tool_calls = "null";
  for (const auto field : {&Fields::content, &Fields::thinking}) {
    fields.content = fields.thinking = "";
    fields.*field = "\"" + std::string(50, 'x') + "\"";
    EXPECT_EQ(decoded(fields.json(), true, {.answer_bytes_max = 50}).finish(), FinishReason::stop);
    const auto over = decoded(fields.json(), true, {.answer_bytes_max = 49});
    ASSERT_TRUE(over.failure());
    EXPECT_EQ(over.failure()->code, ErrorCode::response_too_large);
  }
}

TEST(OllamaBounds, AnItemOfExactlyTheLimitPasses) {
  const auto line = Fields().json();
  const auto bytes = line.size() - 1;  // without its line end
  for (const bool stream : {true, false}) {
    const auto body = stream ? line : line.substr(0, bytes);
    EXPECT_EQ(decoded(body, stream, {.item_bytes_max = bytes}).finish(), FinishReason::tool_calls);
    const auto over = decoded(body, stream, {.item_bytes_max = bytes - 1});
    ASSERT_TRUE(over.failure());
    EXPECT_EQ(over.failure()->code, ErrorCode::response_too_large);
    // In pieces too, where the line is gathered.
    for (const auto max : {bytes, bytes - 1}) {
      AnswerRecorder recorder;
      const auto decoder = make_decoder(stream, {.item_bytes_max = max});
      decoder->feed(body.substr(0, 10), recorder);
      decoder->feed(body.substr(10), recorder);
      decoder->end(recorder);
      EXPECT_EQ(recorder.finish().has_value(), max == bytes);
    }
  }
}

class CountingSink final : public AnswerSink {
 public:
  void on_event(AnswerEvent event) override {
    if (const auto* delta = std::get_if<TextDelta>(&event)) bytes += delta->text.size();
    if (const auto* delta = std::get_if<ReasoningDelta>(&event)) bytes += delta->text.size();
  }
  std::size_t bytes = 0;
};

TEST(OllamaDecoder, APieceOfTextAllocatesNothing) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "needs a sanitizer's allocator";
  Fields fields;
  fields.tool_calls = "null";
  fields.done = "false";
  std::string body;
  for (int i = 0; i < 100; ++i) body += fields.json();
  CountingSink sink;
  const auto decoder = make_decoder(true, {});
  decoder->feed(body, sink);  // the thread's parser grows to its size
  const tests::AllocationCount count;
  decoder->feed(body, sink);
  EXPECT_EQ(count.since(), 0U);
  EXPECT_EQ(sink.bytes, 200U * 6);
}

}  // namespace
}  // namespace tokenrail::providers::ollama
