// Every recorded answer of /api/chat, decoded whole and for every cut, against a second, naive reading of the same
// bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/providers/ollama/decoder.hpp"
#include "common/providers/ollama/ollama.hpp"
#include "tests/conformance/cuts.hpp"
#include "tests/conformance/exchanges.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::conformance {
namespace {

using events::FinishReason;
using providers::test::AnswerRecorder;
using testing::HasSubstr;

namespace dom = simdjson::dom;

/// What the body says, read without any of the decoder's code: whole lines, each as a tree.
struct Reading {
  std::string text{};
  std::string thinking{};
  struct Call {
    std::string id{};
    std::string name{};
    std::string arguments{};
  };
  std::vector<Call> calls{};
  bool done = false;
  std::string done_reason{};
  std::optional<std::int64_t> input_tokens{};
  std::optional<std::int64_t> output_tokens{};
  std::optional<std::string> error{};
  bool malformed = false;
};

void read_object(std::string_view json, Reading& reading) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS || !root.is_object()) {
    reading.malformed = true;
    return;
  }
  std::string_view text;
  if (root["error"].get_string().get(text) == simdjson::SUCCESS) {
    reading.error = std::string(text);
    return;
  }
  if (root["message"]["thinking"].get_string().get(text) == simdjson::SUCCESS) reading.thinking += text;
  if (root["message"]["content"].get_string().get(text) == simdjson::SUCCESS) reading.text += text;
  dom::array calls;
  if (root["message"]["tool_calls"].get_array().get(calls) == simdjson::SUCCESS) {
    for (const auto element : calls) {
      Reading::Call call;
      if (element["id"].get_string().get(text) == simdjson::SUCCESS) call.id = text;
      if (element["function"]["name"].get_string().get(text) == simdjson::SUCCESS) call.name = text;
      dom::element arguments;
      if (element["function"]["arguments"].get(arguments) == simdjson::SUCCESS)
        call.arguments = simdjson::minify(arguments);
      reading.calls.push_back(std::move(call));
    }
  }
  bool done = false;
  if (root["done"].get_bool().get(done) != simdjson::SUCCESS || !done) return;
  reading.done = true;
  if (root["done_reason"].get_string().get(text) == simdjson::SUCCESS) reading.done_reason = text;
  std::int64_t count = 0;
  if (root["prompt_eval_count"].get_int64().get(count) == simdjson::SUCCESS) reading.input_tokens = count;
  if (root["eval_count"].get_int64().get(count) == simdjson::SUCCESS) reading.output_tokens = count;
}

Reading reading_of(std::string_view body, bool stream) {
  Reading reading;
  if (!stream) {
    read_object(body, reading);
    return reading;
  }
  while (!body.empty() && !reading.done && !reading.error && !reading.malformed) {
    const auto end = std::min(body.find('\n'), body.size());
    auto line = body.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) read_object(line, reading);
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return reading;
}

void decode(providers::AnswerSink& sink, bool stream, std::string_view body) {
  conformance::decode([stream] { return providers::ollama::make_decoder(stream, {}); }, {body}, sink);
}

class OllamaAnswer : public OllamaExchange {
 protected:
  /// Not every exchange is an answer; the other tests of this program take those.
  [[nodiscard]] bool is_answer() const {
    return call_of(recording_) == Call::chat && recording_.status >= 200 && recording_.status < 300;
  }
};

TEST_P(OllamaAnswer, SaysWhatANaiveReadingSays) {
  if (!is_answer()) return;
  const bool stream = asks_for_stream(recording_);
  const auto expected = reading_of(recording_.body, stream);
  AnswerRecorder answer;
  decode(answer, stream, recording_.body);

  EXPECT_EQ(answer.text(), expected.text);
  EXPECT_EQ(answer.reasoning(), expected.thinking);
  ASSERT_EQ(answer.tool_calls().size(), expected.calls.size());
  for (std::size_t i = 0; i < expected.calls.size(); ++i) {
    EXPECT_EQ(answer.tool_calls()[i].name, expected.calls[i].name);
    EXPECT_EQ(answer.tool_calls()[i].arguments, expected.calls[i].arguments);
    if (!expected.calls[i].id.empty()) {
      EXPECT_EQ(answer.tool_calls()[i].id, expected.calls[i].id);
    }
    EXPECT_FALSE(answer.tool_calls()[i].id.empty());
  }
  EXPECT_EQ(answer.endings(), 1);
  EXPECT_FALSE(answer.said_something_after_the_end());
  if (!expected.done) {
    ASSERT_TRUE(answer.failure()) << "an answer without its end is no answer";
    EXPECT_FALSE(answer.finish());
    if (expected.error) {
      EXPECT_THAT(answer.failure()->message, HasSubstr(expected.error->substr(0, 200)));
    } else {
      EXPECT_EQ(answer.failure()->code, events::ErrorCode::provider_protocol);
    }
    return;
  }
  const auto finish = !expected.calls.empty()            ? FinishReason::tool_calls
                      : expected.done_reason == "length" ? FinishReason::length
                                                         : FinishReason::stop;
  EXPECT_EQ(answer.finish(), finish);
  if (expected.input_tokens || expected.output_tokens) ASSERT_TRUE(answer.usage());
  if (answer.usage()) {
    if (expected.input_tokens) EXPECT_EQ(answer.usage()->input_tokens, *expected.input_tokens);
    if (expected.output_tokens) EXPECT_EQ(answer.usage()->output_tokens, *expected.output_tokens);
    const bool counted = expected.input_tokens && expected.output_tokens;
    EXPECT_TRUE(answer.usage()->estimated || counted || answer.text().empty());
    EXPECT_FALSE(answer.usage()->estimated && counted);
  }
}

TEST_P(OllamaAnswer, IsTheSameForEveryCut) {
  if (!is_answer()) return;
  const auto make = [stream = asks_for_stream(recording_)] { return providers::ollama::make_decoder(stream, {}); };
  expect_same_for_every_cut(make, recording_.body);
}

TEST_P(OllamaAnswer, FailsIfCutAtAnyByte) {
  if (!is_answer()) return;
  const bool stream = asks_for_stream(recording_);
  const std::string_view body = recording_.body;
  AnswerRecorder whole;
  decode(whole, stream, body);
  if (!whole.finish()) return;
  // The last byte of the object decides; a line end behind it does not.
  const auto needed = body.find_last_of('}') + 1;
  const std::size_t step = body.size() > 20'000 ? 97 : 1;
  for (std::size_t end = 0; end < needed; end += step) {
    AnswerRecorder answer;
    decode(answer, stream, body.substr(0, end));
    ASSERT_EQ(answer.endings(), 1);
    ASSERT_TRUE(answer.failure()) << "cut off at byte " << end << " it was taken for whole";
    ASSERT_EQ(answer.failure()->code, events::ErrorCode::provider_protocol);
    ASSERT_TRUE(whole.text().starts_with(answer.text()));
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, OllamaAnswer, testing::ValuesIn(ollama_cases()), test_name);

}  // namespace
}  // namespace tokenrail::conformance
