// Every recorded exchange with Cohere: answers, refusals, requests, the list of models and an embedding.
#include "common/providers/cohere/cohere.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/providers/cohere/decoder.hpp"
#include "common/providers/failure_text.hpp"
#include "tests/conformance/cuts.hpp"
#include "tests/conformance/exchanges.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::conformance {
namespace {

using events::ErrorCode;
using events::FinishReason;
using providers::test::AnswerRecorder;
using testing::HasSubstr;

namespace dom = simdjson::dom;

const providers::Target target{.provider = "cohere", .base_url = "https://api.cohere.com", .upstream_name = "recorded"};

std::vector<std::string> cohere_cases() {
  return cases_of({"cohere"});
}

class CohereExchange : public Exchange {
 protected:
  [[nodiscard]] bool is_chat() const { return recording_.path.ends_with("/v2/chat"); }
  [[nodiscard]] bool is_answer() const { return is_chat() && recording_.status == 200; }
  /// With the head of the recording, as the router makes it.
  [[nodiscard]] MakeDecoder maker() const {
    return [this] {
      auto decoder = providers::cohere::make_decoder(asks_for_stream(recording_), {}, "Cohere", 0);
      AnswerRecorder ignored;
      decoder->head(head_of(recording_), ignored);
      return decoder;
    };
  }
};

/// What the body says, read without any of the decoder's code.
struct Reading {
  std::string text{};
  std::string reasoning{};
  std::map<std::int64_t, std::array<std::string, 3>> calls{};  ///< by index: id, name, arguments
  std::string finish_reason{};
  std::string error{};
  std::optional<std::int64_t> input_tokens{};
  std::optional<std::int64_t> output_tokens{};
  std::optional<std::int64_t> cached_tokens{};
  std::optional<std::int64_t> reasoning_tokens{};
};

void add_text(std::string& out, simdjson::simdjson_result<dom::element> element) {
  std::string_view text;
  if (element.get_string().get(text) == simdjson::SUCCESS) out += text;
}

std::optional<std::int64_t> count(simdjson::simdjson_result<dom::element> element) {
  std::int64_t value = 0;
  if (element.get_int64().get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

void add_call(Reading& reading, std::int64_t index, const dom::element& call) {
  auto& [id, name, arguments] = reading.calls[index];
  add_text(id, call["id"]);
  add_text(name, call["function"]["name"]);
  add_text(arguments, call["function"]["arguments"]);
}

void add_ending(Reading& reading, simdjson::simdjson_result<dom::element> ending) {
  add_text(reading.finish_reason, ending["finish_reason"]);
  add_text(reading.error, ending["error"]);
  const auto usage = ending["usage"];
  reading.input_tokens = count(usage["tokens"]["input_tokens"]);
  if (reading.input_tokens) *reading.input_tokens += count(usage["tokens"]["image_tokens"]).value_or(0);
  reading.output_tokens = count(usage["tokens"]["output_tokens"]);
  reading.cached_tokens = count(usage["cached_tokens"]);
  reading.reasoning_tokens = count(usage["tokens"]["reasoning_tokens"]);
}

Reading reading_of(const Recording& recording) {
  Reading reading;
  dom::parser parser;
  if (!recording.events) {
    const auto root = parser.parse(recording.body);
    const auto message = root["message"];
    add_text(reading.reasoning, message["tool_plan"]);
    dom::array list;
    if (message["content"].get_array().get(list) == simdjson::SUCCESS) {
      for (const auto part : list) {
        add_text(reading.reasoning, part["thinking"]);
        add_text(reading.text, part["text"]);
      }
    }
    if (message["tool_calls"].get_array().get(list) == simdjson::SUCCESS) {
      std::int64_t index = 0;
      for (const auto call : list) add_call(reading, index++, call);
    }
    add_ending(reading, root);
    return reading;
  }
  for (std::size_t at = 0; at < recording.body.size();) {
    const auto stop = std::min(recording.body.find('\n', at), recording.body.size());
    const auto line = std::string_view(recording.body).substr(at, stop - at);
    at = stop + 1;
    if (!line.starts_with("data: {")) continue;
    const auto item = parser.parse(line.data() + 6, line.size() - 6);
    std::string type;
    add_text(type, item["type"]);
    const auto message = item["delta"]["message"];
    add_text(reading.reasoning, message["tool_plan"]);
    add_text(reading.reasoning, message["content"]["thinking"]);
    add_text(reading.text, message["content"]["text"]);
    dom::element call;
    if (type.starts_with("tool-call-") && message["tool_calls"].get(call) == simdjson::SUCCESS) {
      add_call(reading, count(item["index"]).value_or(-1), call);
    }
    if (type == "message-end") add_ending(reading, item["delta"]);
  }
  return reading;
}

std::string minified(std::string_view json) {
  dom::parser parser;
  return json.empty() ? "{}" : simdjson::minify(parser.parse(json.data(), json.size()).value());
}

TEST_P(CohereExchange, AnAnswerIsWhatANaiveReadingFinds) {
  if (!is_answer()) return;
  const auto expected = reading_of(recording_);
  AnswerRecorder answer;
  decode(maker(), {recording_.body}, answer);
  EXPECT_EQ(answer.text(), expected.text);
  EXPECT_EQ(answer.reasoning(), expected.reasoning);
  EXPECT_EQ(answer.endings(), 1);
  EXPECT_FALSE(answer.said_something_after_the_end());
  if (expected.finish_reason == "ERROR") {
    ASSERT_TRUE(answer.call_failure());
    EXPECT_THAT(answer.failure()->message, HasSubstr(expected.error));
    EXPECT_EQ(answer.failure()->code, ErrorCode::provider_unavailable);
    EXPECT_TRUE(answer.call_failure()->retry);
    EXPECT_TRUE(answer.tool_calls().empty());
    return;
  }
  ASSERT_EQ(answer.tool_calls().size(), expected.calls.size());
  std::size_t index = 0;
  for (const auto& [number, call] : expected.calls) {
    EXPECT_EQ(answer.tool_calls()[index].id, call[0]);
    EXPECT_EQ(answer.tool_calls()[index].name, call[1]);
    EXPECT_EQ(minified(answer.tool_calls()[index].arguments), minified(call[2]));
    ++index;
  }
  EXPECT_EQ(answer.finish(), !expected.calls.empty()                  ? FinishReason::tool_calls
                             : expected.finish_reason == "MAX_TOKENS" ? FinishReason::length
                                                                      : FinishReason::stop);
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->input_tokens, expected.input_tokens);
  EXPECT_EQ(answer.usage()->output_tokens, expected.output_tokens);
  EXPECT_EQ(answer.usage()->cached_input_tokens, expected.cached_tokens);
  EXPECT_EQ(answer.usage()->reasoning_tokens, expected.reasoning_tokens);
  EXPECT_FALSE(answer.usage()->estimated);
  EXPECT_TRUE(answer.warnings().empty());
}

TEST_P(CohereExchange, AnAnswerIsTheSameForEveryCut) {
  if (is_answer()) expect_same_for_every_cut(maker(), recording_.body);
}

TEST_P(CohereExchange, CutAnswerFailsAtEveryByte) {
  if (!is_answer()) return;
  AnswerRecorder whole;
  decode(maker(), {recording_.body}, whole);
  if (!whole.finish()) return;
  // The event that ends the answer decides; what follows it does not.
  const auto needed = recording_.events
                          ? recording_.body.find('\n', recording_.body.find("data: {\"type\":\"message-end\""))
                          : recording_.body.find_last_of('}') + 1;
  ASSERT_NE(needed, std::string::npos);
  expect_failure_wherever_it_is_cut_off(maker(), recording_.body, needed);
}

struct Refusal {
  std::string_view name;
  ErrorCode code;
  bool retry;
  bool try_next;
};
constexpr Refusal refusals[] = {
    {"cohere/error-400-image-unsupported", ErrorCode::capability_unsupported, false, true},
    {"cohere/error-400-too-many-tokens", ErrorCode::context_too_long, false, true},
    {"cohere/error-401", ErrorCode::provider_auth, false, true},
    {"cohere/error-404-model", ErrorCode::model_not_found, false, true},
    {"cohere/error-422-no-valid-response", ErrorCode::provider_unavailable, true, true},
    {"cohere/handwritten-error-429", ErrorCode::provider_rate_limited, true, true},
};

TEST_P(CohereExchange, ARefusalHasItsCodeAndItsText) {
  if (recording_.status < 300) return;
  const auto made = providers::cohere::provider().classify(target, head_of(recording_), recording_.body);
  EXPECT_EQ(made.failure.status, recording_.status);
  EXPECT_NE(made.failure.code, ErrorCode::internal);
  dom::parser parser;
  std::string message;
  add_text(message, parser.parse(recording_.body)["message"]);
  EXPECT_THAT(made.failure.message, HasSubstr(providers::quotable(message)));
  // Another collection of recordings has other names; what is known by name is checked by it.
  for (const auto& refusal : refusals) {
    if (refusal.name != GetParam()) continue;
    EXPECT_EQ(made.failure.code, refusal.code);
    EXPECT_EQ(made.retry, refusal.retry);
    EXPECT_EQ(made.try_next, refusal.try_next);
  }
}

// ---- requests ----------------------------------------------------------------------------------------------------

/// JSON in one spelling: keys sorted, numbers as doubles.
std::string canonical(const dom::element& element) {
  if (dom::object object; element.get_object().get(object) == simdjson::SUCCESS) {
    std::map<std::string, std::string> fields;
    for (const auto& [key, value] : object) fields[std::string(key)] = canonical(value);
    std::string out = "{";
    for (const auto& [key, value] : fields) out += fmt::format("{}{}:{}", out.size() > 1 ? "," : "", key, value);
    return out + "}";
  }
  if (dom::array array; element.get_array().get(array) == simdjson::SUCCESS) {
    // One part of text is the same as the text itself, and an empty one is nothing.
    std::string_view text;
    std::string_view type;
    if (array.size() == 1 && array.at(0)["text"].get_string().get(text) == simdjson::SUCCESS &&
        array.at(0)["type"].get_string().get(type) == simdjson::SUCCESS && type == "text") {
      return simdjson::minify(array.at(0)["text"].value());
    }
    std::string out = "[";
    for (const auto value : array) out += (out.size() > 1 ? "," : "") + canonical(value);
    return out + "]";
  }
  if (double number = 0; element.get_double().get(number) == simdjson::SUCCESS) return fmt::format("{}", number);
  return simdjson::minify(element);
}

/// `tool_choice` was recorded in lower case too; a message's empty content beside calls is none.
std::string normal(std::string_view body) {
  dom::parser parser;
  auto text = canonical(parser.parse(body.data(), body.size()).value());
  const auto replace = [&](std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from)) text.replace(at, from.size(), to);
  };
  replace(R"(tool_choice:"required")", R"(tool_choice:"REQUIRED")");
  replace(R"(tool_choice:"none")", R"(tool_choice:"NONE")");
  replace(R"(content:"",)", "");
  return text;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto byte = [&](std::size_t i) {
      return at + i < bytes.size() ? static_cast<unsigned>(static_cast<unsigned char>(bytes[at + i])) : 0U;
    };
    const auto word = (byte(0) << 16U) | (byte(1) << 8U) | byte(2);
    for (unsigned i = 0; i < 4; ++i) {
      out += at + i > bytes.size() ? '=' : digits[(word >> (18U - 6U * i)) & 63U];
    }
  }
  return out;
}

/// The chat request that means what a recorded body says, or why there is none.
class Rebuilt {
 public:
  explicit Rebuilt(std::string_view body) {
    request_.request_id = "r";
    request_.org_id = "o";
    dom::object object;
    if (parser_.parse(body.data(), body.size()).get_object().get(object) != simdjson::SUCCESS) {
      why_not_ = "the body is no object";
      return;
    }
    request_.stream = false;
    for (const auto& [key, value] : object) top(key, value);
    std::string config;
    for (const auto& [key, value] : passed_on_)
      config += fmt::format("{}\"{}\":{}", config.empty() ? "" : ",", key, value);
    if (!config.empty()) request_.provider_config["cohere"] = "{" + config + "}";
  }
  [[nodiscard]] const events::ChatRequest& request() const { return request_; }
  [[nodiscard]] const std::string& model() const { return model_; }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }

 private:
  void top(std::string_view key, const dom::element& value) {
    using Mode = events::ToolChoice::Mode;
    if (key == "model") {
      model_ = std::string_view(value.get_string());
    } else if (key == "stream") {
      request_.stream = value.get_bool();
    } else if (key == "messages") {
      for (const auto message : dom::array(value.get_array())) add_message(message);
    } else if (key == "tools") {
      for (const auto tool : dom::array(value.get_array())) {
        events::Tool& ours = request_.tools.emplace_back();
        add_text(ours.name, tool["function"]["name"]);
        add_text(ours.description, tool["function"]["description"]);
        ours.parameters = simdjson::minify(tool["function"]["parameters"].value());
      }
    } else if (key == "tool_choice") {
      const auto word = std::string_view(value.get_string());
      request_.tool_choice = events::ToolChoice{.mode = word == "none" || word == "NONE" ? Mode::none : Mode::required};
    } else if (key == "response_format") {
      request_.response_format = events::ResponseFormat{.kind = events::ResponseFormat::Kind::json};
    } else if (key == "max_tokens") {
      request_.tokens_max = std::int64_t(value.get_int64());
    } else if (key == "stop_sequences") {
      for (const auto stop : dom::array(value.get_array())) {
        request_.stop.emplace_back(std::string_view(stop.get_string()));
      }
    } else {
      passed_on_[std::string(key)] = simdjson::minify(value);
    }
  }

  void add_message(const dom::element& element) {
    events::Message& message = request_.messages.emplace_back();
    for (const auto& [key, value] : dom::object(element.get_object())) {
      if (key == "role") {
        const auto role = std::string_view(value.get_string());
        message.role = role == "system"      ? events::Role::system
                       : role == "assistant" ? events::Role::assistant
                       : role == "tool"      ? events::Role::tool
                                             : events::Role::user;
      } else if (key == "content") {
        for (const auto part : dom::array(value.get_array())) add_part(message, part);
      } else if (key == "tool_call_id") {
        message.tool_call_id = std::string_view(value.get_string());
      } else if (key == "tool_calls") {
        for (const auto call : dom::array(value.get_array())) {
          auto& ours = message.tool_calls.emplace_back();
          add_text(ours.id, call["id"]);
          add_text(ours.name, call["function"]["name"]);
          add_text(ours.arguments, call["function"]["arguments"]);
        }
      } else {
        why_not_ = fmt::format("a message has the field {}", key);
      }
    }
  }

  void add_part(events::Message& message, const dom::element& part) {
    auto& ours = message.content.emplace_back();
    const auto type = std::string_view(part["type"].get_string());
    if (type == "text") {
      add_text(ours.text, part["text"]);
    } else if (type == "image_url") {
      ours.type = "image";
      std::string url;
      add_text(url, part["image_url"]["url"]);
      const auto comma = url.find(";base64,");
      if (comma == std::string::npos) {
        ours.url = url;
      } else {
        ours.media_type = url.substr(5, comma - 5);
        ours.data = url.substr(comma + 8);
      }
    } else if (type == "document") {
      ours.type = "file";
      ours.media_type = "application/json";
      add_text(ours.filename, part["document"]["id"]);
      ours.data = base64(simdjson::minify(part["document"]["data"].value()));
    } else {
      why_not_ = fmt::format("a message has a part of type {}", type);
    }
  }

  dom::parser parser_{};
  events::ChatRequest request_{};
  std::string model_{};
  std::string why_not_{};
  std::map<std::string, std::string> passed_on_{};
};

TEST_P(CohereExchange, RebuildsRecordedRequestFromOurs) {
  if (!is_chat() || recording_.request.empty()) return;
  const Rebuilt rebuilt(recording_.request);
  if (!rebuilt.why_not().empty()) return note_skipped(GetParam() + " (request)", rebuilt.why_not());
  const providers::Target to{.provider = "cohere", .base_url = target.base_url, .upstream_name = rebuilt.model()};
  const auto call = providers::cohere::provider().chat(rebuilt.request(), to, {});
  ASSERT_TRUE(call) << call.error().detail;
  EXPECT_TRUE(call->request.url.ends_with(recording_.path));
  EXPECT_EQ(normal(call->request.body), normal(recording_.request));
  EXPECT_TRUE(call->warnings.empty());
}

// ---- lists and vectors -------------------------------------------------------------------------------------------

TEST_P(CohereExchange, AListNamesEveryModelOfTheBody) {
  if (!recording_.path.ends_with("/v1/models")) return;
  const auto page = providers::cohere::provider().lister()->parse(target, recording_.body);
  ASSERT_TRUE(page) << page.error().detail;
  dom::parser parser;
  dom::array models;
  ASSERT_EQ(parser.parse(recording_.body)["models"].get_array().get(models), simdjson::SUCCESS);
  ASSERT_EQ(page->models.size(), models.size());
  EXPECT_EQ(page->skipped, 0U);
  std::size_t index = 0;
  for (const auto model : models) {
    const auto& listed = page->models[index++];
    std::string name;
    add_text(name, model["name"]);
    EXPECT_EQ(listed.name, name);
    const auto length = count(model["context_length"]);
    EXPECT_EQ(listed.context_length.value_or(0), length.value_or(0));
    const auto has = [&](std::string_view word) {
      return std::ranges::find(listed.capabilities, word) != listed.capabilities.end();
    };
    EXPECT_EQ(has("embedding"), name.starts_with("embed-")) << name;
    EXPECT_EQ(has("rerank"), name.starts_with("rerank-")) << name;
    std::string features;
    if (dom::array list; model["features"].get_array().get(list) == simdjson::SUCCESS) {
      for (const auto feature : list) features += simdjson::minify(feature);
    }
    EXPECT_EQ(has("vision"), features.contains("\"vision\"")) << name;
    EXPECT_EQ(has("tools"), features.contains("\"tools\"")) << name;
  }
  const auto request = providers::cohere::provider().lister()->list(target, "");
  EXPECT_TRUE(request.url.ends_with(recording_.path + "?" + recording_.query)) << request.url;
}

TEST_P(CohereExchange, RequestsAndReadsRecordedEmbedding) {
  if (!recording_.path.ends_with("/v2/embed")) return;
  dom::parser parser;
  const auto asked = parser.parse(recording_.request).value();
  providers::Embedder::Request request;
  for (const auto text : dom::array(asked["texts"].get_array())) {
    request.texts.emplace_back(std::string_view(text.get_string()));
  }
  request.dimensions = count(asked["output_dimension"]);
  const providers::Target to{.base_url = target.base_url,
                             .upstream_name = std::string(std::string_view(asked["model"].get_string()))};
  const auto& embedder = *providers::cohere::provider().embedder();
  const auto made = embedder.embed(request, to);
  ASSERT_TRUE(made);
  EXPECT_EQ(normal(made->body), normal(recording_.request));
  const auto answer = embedder.parse(recording_.body);
  ASSERT_TRUE(answer) << answer.error().detail;
  ASSERT_EQ(answer->vectors.size(), request.texts.size());
  for (const auto& vector : answer->vectors) EXPECT_EQ(static_cast<std::int64_t>(vector.size()), request.dimensions);
  EXPECT_GT(answer->input_tokens.value_or(0), 0);
}

TEST_P(CohereExchange, EveryExchangeIsSpoken) {
  if (is_chat() || recording_.path.ends_with("/v1/models") || recording_.path.ends_with("/v2/embed")) return;
  note_skipped(GetParam(), fmt::format("{} {} is not spoken", recording_.method, recording_.path));
}

INSTANTIATE_TEST_SUITE_P(Recorded, CohereExchange, testing::ValuesIn(cohere_cases()), test_name);

}  // namespace
}  // namespace tokenrail::conformance
