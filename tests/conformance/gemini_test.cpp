// Every recorded exchange of the Gemini API and of Vertex AI in its format: answers against a second, naive reading of
// the same bytes, refusals, lists, embeddings, and requests that are made again from one of ours.
#include "common/providers/gemini/gemini.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/events/json_writer.hpp"
#include "common/providers/gemini/decoder.hpp"
#include "tests/conformance/cuts.hpp"
#include "tests/conformance/exchanges.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::conformance {
namespace {

namespace dom = simdjson::dom;
using events::ErrorCode;
using events::FinishReason;
using providers::test::AnswerRecorder;

const providers::Target target{
    .provider = "gemini", .base_url = "https://generativelanguage.googleapis.com", .upstream_name = "m"};

std::vector<std::string> cases() {
  return cases_of({"gemini"});
}

enum class Method { chat, stream, embed, list, other };
Method method_of(const Recording& recording) {
  if (recording.path.ends_with(":generateContent")) return Method::chat;
  if (recording.path.ends_with(":streamGenerateContent")) return Method::stream;
  if (recording.path.ends_with("mbedContents") || recording.path.ends_with(":embedContent")) return Method::embed;
  if (recording.method == "GET" && recording.path.ends_with("/models")) return Method::list;
  return Method::other;
}

bool succeeded(const Recording& recording) {
  return recording.status >= 200 && recording.status < 300;
}

std::string_view text_at(dom::element element, std::string_view key) {
  std::string_view text;
  static_cast<void>(element[key].get_string().get(text));
  return text;
}

std::int64_t count_at(dom::element element, std::string_view key) {
  std::int64_t count = 0;
  static_cast<void>(element[key].get_int64().get(count));
  return count;
}

/// What the body says, read without any of the decoder's code.
struct Reading {
  std::string text{};
  std::string reasoning{};
  struct Call {
    std::string id{};
    std::string name{};
    std::string arguments{};
  };
  std::vector<Call> calls{};
  std::size_t signatures = 0;
  std::optional<std::int64_t> input_tokens{};
  std::int64_t output_tokens = 0;
  std::int64_t reasoning_tokens = 0;
  std::string finish{};
  std::string response_id{};
  bool blocked = false;
};

/// Arguments that come in pieces, as far as recordings have them: text of the first level.
void read_piece(dom::element call, Reading& reading, bool& open) {
  if (!text_at(call, "name").empty()) reading.calls.push_back({.name = std::string(text_at(call, "name"))});
  auto& arguments = reading.calls.back().arguments;
  dom::array pieces;
  if (call["partialArgs"].get_array().get(pieces) == simdjson::SUCCESS) {
    for (const auto piece : pieces) {
      const auto begin = fmt::format("{{\"{}\":\"", text_at(piece, "jsonPath").substr(2));
      if (arguments.empty()) arguments = begin + "\"}";
      ASSERT_TRUE(arguments.starts_with(begin)) << "the naive reading knows one argument only";
      arguments.insert(arguments.size() - 2, text_at(piece, "stringValue"));
    }
  }
  open = false;
  static_cast<void>(call["willContinue"].get_bool().get(open));
}

void read_part(dom::element part, Reading& reading, bool& open) {
  if (!text_at(part, "thoughtSignature").empty()) ++reading.signatures;
  dom::element call;
  if (part["functionCall"].get(call) == simdjson::SUCCESS) {
    dom::element unused;
    const bool pieces = call["willContinue"].get(unused) == simdjson::SUCCESS;
    if (open || pieces) return read_piece(call, reading, open);
    dom::element args;
    reading.calls.push_back({.id = std::string(text_at(call, "id")),
                             .name = std::string(text_at(call, "name")),
                             .arguments = call["args"].get(args) == simdjson::SUCCESS ? simdjson::minify(args) : "{}"});
    return;
  }
  bool thought = false;
  static_cast<void>(part["thought"].get_bool().get(thought));
  (thought ? reading.reasoning : reading.text) += text_at(part, "text");
}

void read_response(dom::element response, Reading& reading, bool& open) {
  if (reading.response_id.empty()) reading.response_id = text_at(response, "responseId");
  dom::element usage;
  if (response["usageMetadata"].get(usage) == simdjson::SUCCESS && count_at(usage, "promptTokenCount") > 0) {
    reading.input_tokens = count_at(usage, "promptTokenCount");
    reading.reasoning_tokens = count_at(usage, "thoughtsTokenCount");
    reading.output_tokens = count_at(usage, "candidatesTokenCount") + reading.reasoning_tokens;
  }
  dom::element candidate;
  if (response["candidates"].at(0).get(candidate) != simdjson::SUCCESS) {
    std::string_view reason;
    if (response["promptFeedback"]["blockReason"].get_string().get(reason) == simdjson::SUCCESS) reading.blocked = true;
    return;
  }
  dom::array parts;
  if (candidate["content"]["parts"].get_array().get(parts) == simdjson::SUCCESS) {
    for (const auto part : parts) read_part(part, reading, open);
  }
  dom::element finish;
  if (candidate["finishReason"].get(finish) == simdjson::SUCCESS) {
    reading.finish = finish.is_string() ? std::string(text_at(candidate, "finishReason")) : simdjson::minify(finish);
  }
}

Reading reading_of(const Recording& recording) {
  Reading reading;
  dom::parser parser;
  dom::element root;
  bool open = false;
  if (parser.parse(recording.body).get(root) == simdjson::SUCCESS) {
    dom::array list;
    if (root.get_array().get(list) != simdjson::SUCCESS) {
      read_response(root, reading, open);
    } else {
      for (const auto response : list) read_response(response, reading, open);
    }
    return reading;
  }
  std::string_view body = recording.body;
  while (!body.empty()) {
    const auto line = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(line.size() + 1, body.size()));
    if (!line.starts_with("data: ")) continue;
    const std::string json(line.substr(6));
    if (parser.parse(json).get(root) != simdjson::SUCCESS) ADD_FAILURE() << "not JSON: " << json;
    read_response(root, reading, open);
  }
  return reading;
}

/// Nothing: the answer is a failure.
std::optional<FinishReason> finish_of(const Reading& reading) {
  if (reading.finish == "SAFETY" || reading.finish == "PROHIBITED_CONTENT") return FinishReason::content_filter;
  if (reading.finish != "STOP" && reading.finish != "1" && reading.finish != "MAX_TOKENS") return std::nullopt;
  if (!reading.calls.empty()) return FinishReason::tool_calls;
  return reading.finish == "MAX_TOKENS" ? FinishReason::length : FinishReason::stop;
}

class GeminiExchange : public Exchange {
 protected:
  [[nodiscard]] bool is_answer() const {
    const auto method = method_of(recording_);
    return (method == Method::chat || method == Method::stream) && succeeded(recording_);
  }
  [[nodiscard]] MakeDecoder decoder() const {
    const bool stream = method_of(recording_) == Method::stream;
    return [stream] { return providers::gemini::make_decoder(stream, {}); };
  }
  [[nodiscard]] AnswerRecorder answer() const {
    AnswerRecorder out;
    const auto one = decoder()();
    one->head(head_of(recording_), out);
    one->feed(recording_.body, out);
    one->end(out);
    return out;
  }
};

TEST_P(GeminiExchange, AnswerEqualsNaiveReading) {
  if (!is_answer()) return;
  const auto expected = reading_of(recording_);
  const auto made = answer();
  EXPECT_EQ(made.endings(), 1);
  EXPECT_FALSE(made.said_something_after_the_end());
  EXPECT_EQ(made.request_id(), expected.response_id);
  if (expected.input_tokens) {
    ASSERT_TRUE(made.usage());
    EXPECT_EQ(made.usage()->input_tokens, *expected.input_tokens);
    EXPECT_EQ(made.usage()->output_tokens, expected.output_tokens);
    EXPECT_EQ(made.usage()->reasoning_tokens.value_or(0), expected.reasoning_tokens);
    EXPECT_FALSE(made.usage()->estimated);
  }
  const auto finish = finish_of(expected);
  EXPECT_EQ(made.finish(), finish) << expected.finish;
  if (expected.blocked) {
    ASSERT_TRUE(made.call_failure());
    EXPECT_EQ(made.failure()->code, ErrorCode::content_filtered);
    EXPECT_FALSE(made.call_failure()->try_next);
    return;
  }
  if (!finish) {
    ASSERT_TRUE(made.failure());
    EXPECT_THAT(made.failure()->message, testing::HasSubstr(expected.finish));
    return;
  }
  EXPECT_EQ(made.text(), expected.text);
  EXPECT_EQ(made.reasoning(), expected.reasoning);
  EXPECT_EQ(made.blocks().size(), expected.signatures);
  ASSERT_EQ(made.tool_calls().size(), expected.calls.size());
  for (std::size_t i = 0; i < expected.calls.size(); ++i) {
    EXPECT_EQ(made.tool_calls()[i].name, expected.calls[i].name);
    EXPECT_EQ(made.tool_calls()[i].arguments, expected.calls[i].arguments);
    EXPECT_FALSE(made.tool_calls()[i].id.empty());
    if (!expected.calls[i].id.empty()) EXPECT_EQ(made.tool_calls()[i].id, expected.calls[i].id);
  }
}

TEST_P(GeminiExchange, AnAnswerIsTheSameForEveryCut) {
  if (!is_answer()) return;
  expect_same_for_every_cut(decoder(), recording_.body);
}

TEST_P(GeminiExchange, CutAnswerFailsAtEveryByte) {
  if (!is_answer() || !answer().finish()) return;
  // The last byte of the response that has the finish reason decides.
  expect_failure_wherever_it_is_cut_off(decoder(), recording_.body, recording_.body.find_last_of('}') + 1);
}

TEST_P(GeminiExchange, ARefusalIsClassified) {
  if (succeeded(recording_)) return;
  const auto made = providers::gemini::provider().classify(target, head_of(recording_), recording_.body);
  const std::string_view body = recording_.body;
  EXPECT_EQ(made.failure.status, recording_.status);
  EXPECT_FALSE(made.error_class.empty());
  const bool in_vain = body.contains("PerDay") || body.contains(R"("quotaValue": "0")");
  EXPECT_EQ(made.retry, recording_.status >= 500 || (recording_.status == 429 && !in_vain));
  if (body.contains("API_KEY_INVALID") || recording_.status == 403) {
    EXPECT_EQ(made.failure.code, ErrorCode::provider_auth);
  }
  if (recording_.status == 404 || body.contains("unexpected model name format")) {
    EXPECT_EQ(made.failure.code, ErrorCode::model_not_found);
  }
  if (recording_.status == 429 && !in_vain) EXPECT_EQ(made.failure.code, ErrorCode::provider_rate_limited);
  if (recording_.status == 503) EXPECT_EQ(made.failure.code, ErrorCode::provider_unavailable);
  dom::parser parser;
  dom::array details;
  if (made.retry && parser.parse(recording_.body)["error"]["details"].get_array().get(details) == simdjson::SUCCESS) {
    for (const auto detail : details) {
      const auto delay = text_at(detail, "retryDelay");
      if (delay.empty()) continue;
      EXPECT_EQ(made.retry_after, std::chrono::seconds(std::stoi(std::string(delay))));
    }
  }
}

TEST_P(GeminiExchange, AListNamesEveryModel) {
  if (method_of(recording_) != Method::list || !succeeded(recording_)) return;
  const auto page = providers::gemini::lister().parse(target, recording_.body);
  ASSERT_TRUE(page) << page.error().detail;
  dom::parser parser;
  dom::element root;
  dom::array models;
  ASSERT_EQ(parser.parse(recording_.body).get(root), simdjson::SUCCESS);
  ASSERT_EQ(root["models"].get_array().get(models), simdjson::SUCCESS);
  EXPECT_EQ(page->next, text_at(root, "nextPageToken"));
  ASSERT_EQ(page->models.size(), models.size());
  std::size_t at = 0;
  for (const auto model : models) {
    const auto& listed = page->models[at++];
    EXPECT_EQ("models/" + listed.name, text_at(model, "name"));
    EXPECT_EQ(listed.display_name, text_at(model, "displayName"));
    EXPECT_EQ(listed.context_length.value_or(0), count_at(model, "inputTokenLimit"));
    EXPECT_EQ(listed.output_tokens_max.value_or(0), count_at(model, "outputTokenLimit"));
    const auto has = simdjson::minify(model).find("\"generateContent\"") != std::string::npos;
    EXPECT_EQ(std::ranges::find(listed.capabilities, "chat") != listed.capabilities.end(), has);
  }
}

TEST_P(GeminiExchange, EmbeddingsHaveTheirValues) {
  if (method_of(recording_) != Method::embed || !succeeded(recording_)) return;
  const auto made = providers::gemini::embedder().parse(recording_.body);
  ASSERT_TRUE(made) << made.error().detail;
  dom::parser parser;
  dom::array list;
  ASSERT_EQ(parser.parse(recording_.body)["embeddings"].get_array().get(list), simdjson::SUCCESS);
  ASSERT_EQ(made->vectors.size(), list.size());
  std::size_t at = 0;
  for (const auto embedding : list) {
    const auto& vector = made->vectors[at++];
    dom::array values;
    ASSERT_EQ(embedding["values"].get_array().get(values), simdjson::SUCCESS);
    ASSERT_EQ(vector.size(), values.size());
    for (std::size_t i = 0; i < vector.size(); ++i) {
      EXPECT_EQ(vector[i], static_cast<float>(double(values.at(i).get_double())));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, GeminiExchange, testing::ValuesIn(cases()), test_name);

TEST(GeminiExchanges, AreSpokenOrNamedAsNotSpoken) {
  const auto names = cases();
  if (names.front().empty()) GTEST_SKIP() << "there are no recorded exchanges in " << transcripts_folder() / "gemini";
  std::size_t spoken = 0;
  for (const auto& name : names) {
    const auto recording = simulator::load_recording(transcripts_folder(), name);
    ASSERT_TRUE(recording) << recording.error().detail;
    if (method_of(*recording) != Method::other || !succeeded(*recording)) {
      ++spoken;
    } else {
      note_skipped(name, fmt::format("{} {} is no call that the adapter makes", recording->method, recording->path));
    }
  }
  EXPECT_GT(spoken, 0U);
}

}  // namespace
}  // namespace tokenrail::conformance
