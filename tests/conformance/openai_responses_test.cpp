// Every recorded exchange of the Responses API: answers against a second, naive reading of the same bytes, cut
// everywhere and cut off everywhere; requests made again from a chat request that means the same; errors classified.
#include "common/providers/openai_responses/openai_responses.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/events/json_document.hpp"
#include "common/providers/openai_responses/decoder.hpp"
#include "tests/conformance/cuts.hpp"
#include "tests/conformance/exchanges.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::conformance {
namespace {

namespace dom = simdjson::dom;
using events::ErrorCode;
using events::FinishReason;
using providers::test::AnswerRecorder;
using testing::HasSubstr;

/// What the last `response` object of a body says: it repeats the whole answer.
struct Reading {
  std::string text{};
  std::string reasoning{};
  struct Call {
    std::string id{};
    std::string name{};
    std::string arguments{};
  };
  std::vector<Call> calls{};
  std::size_t encrypted = 0;  ///< reasoning items that can be sent back
  std::string status{};
  std::string reason{};
  std::string error{};
  std::int64_t counts[4] = {-1, -1, -1, -1};
};

std::string text_of(simdjson::simdjson_result<dom::element> element) {
  std::string_view text;
  return element.get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::string text_of(const dom::element& element) {
  return std::string(events::string_of(element).value_or(""));
}

void read_parts(simdjson::simdjson_result<dom::element> list, std::string_view field, std::string_view between,
                std::string& out) {
  dom::array parts;
  if (list.get_array().get(parts) != simdjson::SUCCESS) return;
  for (const auto part : parts) {
    const auto text = text_of(part[field]);
    if (!text.empty() && !out.empty()) out += between;
    out += text;
  }
}

Reading reading_of(dom::element response) {
  Reading reading{.status = text_of(response["status"]),
                  .reason = text_of(response["incomplete_details"]["reason"]),
                  .error = text_of(response["error"]["message"])};
  dom::array output;
  if (response["output"].get_array().get(output) == simdjson::SUCCESS) {
    for (const auto item : output) {
      const auto type = text_of(item["type"]);
      if (type == "message") read_parts(item["content"], "text", "", reading.text);
      if (type == "function_call") {
        reading.calls.push_back({text_of(item["call_id"]), text_of(item["name"]), text_of(item["arguments"])});
      }
      if (type != "reasoning") continue;
      read_parts(item["summary"], "text", "\n\n", reading.reasoning);
      read_parts(item["content"], "text", "\n\n", reading.reasoning);
      dom::array content;
      const bool plain = item["content"].get_array().get(content) == simdjson::SUCCESS && content.size() > 0;
      if (plain || !text_of(item["encrypted_content"]).empty()) ++reading.encrypted;
    }
  }
  const auto usage = response["usage"];
  const auto read = [](simdjson::simdjson_result<dom::element> element, std::int64_t& count) {
    static_cast<void>(element.get_int64().get(count));
  };
  read(usage["input_tokens"], reading.counts[0]);
  read(usage["output_tokens"], reading.counts[1]);
  read(usage["input_tokens_details"]["cached_tokens"], reading.counts[2]);
  read(usage["output_tokens_details"]["reasoning_tokens"], reading.counts[3]);
  return reading;
}

/// Of a stream the last line with data that has a response.
Reading reading_of(const Recording& recording) {
  dom::parser parser;
  if (!recording.events) return reading_of(parser.parse(recording.body));
  const auto begin = recording.body.rfind("data: {");
  const auto end = std::min(recording.body.find('\n', begin), recording.body.size());
  return reading_of(parser.parse(recording.body.substr(begin + 6, end - begin - 6))["response"]);
}

class ResponsesExchange : public Exchange {
 protected:
  void SetUp() override {
    Exchange::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    target_ = {.provider = GetParam().substr(0, GetParam().find('/')),
               .base_url = "http://localhost/v1",
               .upstream_name = "m"};
  }
  [[nodiscard]] bool is_answer() const { return recording_.status >= 200 && recording_.status < 300; }
  [[nodiscard]] MakeDecoder maker() const {
    return [this] { return providers::openai_responses::make_decoder(recording_.events, {}, target_); };
  }
  [[nodiscard]] AnswerRecorder answer() const {
    AnswerRecorder recorder;
    const auto decoder = maker()();
    decoder->head(head_of(recording_), recorder);
    decoder->feed(recording_.body, recorder);
    decoder->end(recorder);
    return recorder;
  }
  providers::Target target_{};
};

TEST_P(ResponsesExchange, SaysWhatANaiveReadingSays) {
  if (!is_answer()) return;
  const auto expected = reading_of(recording_);
  const auto said = answer();
  EXPECT_EQ(said.text(), expected.text);
  EXPECT_EQ(said.reasoning(), expected.reasoning);
  ASSERT_EQ(said.tool_calls().size(), expected.calls.size());
  for (std::size_t i = 0; i < expected.calls.size(); ++i) {
    EXPECT_EQ(said.tool_calls()[i].id, expected.calls[i].id);
    EXPECT_EQ(said.tool_calls()[i].name, expected.calls[i].name);
    EXPECT_EQ(said.tool_calls()[i].arguments, expected.calls[i].arguments);
  }
  EXPECT_EQ(said.blocks().size(), expected.encrypted);
  for (const auto& block : said.blocks()) EXPECT_EQ(block.provider, target_.provider);
  EXPECT_FALSE(said.request_id().empty());
  EXPECT_TRUE(said.warnings().empty());
  EXPECT_EQ(said.endings(), 1);
  if (expected.status == "failed") {
    ASSERT_TRUE(said.failure());
    EXPECT_THAT(said.failure()->message, HasSubstr(expected.error.substr(0, 100)));
    return;
  }
  EXPECT_EQ(said.finish(), !expected.calls.empty()                  ? FinishReason::tool_calls
                           : expected.reason == "max_output_tokens" ? FinishReason::length
                           : !expected.reason.empty()               ? FinishReason::content_filter
                                                                    : FinishReason::stop);
  ASSERT_TRUE(said.usage());
  EXPECT_FALSE(said.usage()->estimated);
  EXPECT_EQ(said.usage()->input_tokens, expected.counts[0]);
  EXPECT_EQ(said.usage()->output_tokens, expected.counts[1]);
  EXPECT_EQ(said.usage()->cached_input_tokens.value_or(-1), expected.counts[2]);
  EXPECT_EQ(said.usage()->reasoning_tokens.value_or(-1), expected.counts[3]);
}

TEST_P(ResponsesExchange, IsTheSameForEveryCut) {
  if (is_answer()) expect_same_for_every_cut(maker(), recording_.body);
}

TEST_P(ResponsesExchange, FailsIfCutAtAnyByte) {
  if (!is_answer() || answer().failure()) return;
  // The last byte of the last object decides; line ends after it do not.
  expect_failure_wherever_it_is_cut_off(maker(), recording_.body, recording_.body.find_last_of('}') + 1);
}

TEST_P(ResponsesExchange, IsTheSameWithoutThePieces) {
  if (!is_answer() || !recording_.events || answer().failure()) return;
  // As a server that sends a text only when it is whole.
  std::string body;
  std::string_view rest = recording_.body;
  while (!rest.empty()) {
    const auto end = std::min(rest.find("\n\n"), rest.size());
    const auto one = rest.substr(0, end);
    if (one.find(".delta\"") == std::string_view::npos) body.append(one).append("\n\n");
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  AnswerRecorder whole;
  decode(maker(), {body}, whole);
  const auto pieces = answer();
  EXPECT_EQ(whole.text(), pieces.text());
  EXPECT_EQ(whole.reasoning(), pieces.reasoning());
  EXPECT_EQ(whole.finish(), pieces.finish());
  ASSERT_EQ(whole.tool_calls().size(), pieces.tool_calls().size());
  for (std::size_t i = 0; i < pieces.tool_calls().size(); ++i) {
    EXPECT_EQ(whole.tool_calls()[i].arguments, pieces.tool_calls()[i].arguments);
  }
}

TEST_P(ResponsesExchange, ErrorsAreClassified) {
  struct Expected {
    ErrorCode code;
    bool retry;
    bool try_next;
  };
  const std::map<std::string, Expected> all = {
      {"openai-responses/error-400-invalid-model", {ErrorCode::model_not_found, false, true}},
      {"openai-responses/error-401-invalid-key", {ErrorCode::provider_auth, false, true}},
      {"openai-responses/stream-error-rate-limit-mid-stream", {ErrorCode::context_too_long, false, true}}};
  const auto row = all.find(GetParam());
  if (row == all.end()) {
    EXPECT_TRUE(is_answer() && answer().finish()) << "an error that this test does not know";
    return;
  }
  const auto failure =
      is_answer() ? answer().call_failure()
                  : providers::openai_responses::provider().classify(target_, head_of(recording_), recording_.body);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->failure.code, row->second.code) << failure->failure.message;
  EXPECT_EQ(failure->retry, row->second.retry);
  EXPECT_EQ(failure->try_next, row->second.try_next);
}

// Requests ---------------------------------------------------------------------------------------------------------

/// JSON in one spelling: keys sorted, numbers as doubles, and what is written in two ways in one of them.
std::string canonical(const dom::element& element) {
  if (dom::object object; element.get_object().get(object) == simdjson::SUCCESS) {
    const bool message = text_of(object["type"]) == "message";
    const bool function = text_of(object["type"]) == "function";
    std::map<std::string, std::string> fields;
    for (const auto& [key, value] : object) {
      if (message && key == "type") continue;     // a role says the same
      if (function && key == "strict") continue;  // recorded with and without; ours always says false
      fields[std::string(key)] = canonical(value);
    }
    std::string out = "{";
    for (const auto& [key, value] : fields) out += fmt::format("{}{}:{}", out.size() > 1 ? "," : "", key, value);
    return out + "}";
  }
  if (dom::array array; element.get_array().get(array) == simdjson::SUCCESS) {
    // A list of one text is that text.
    if (array.size() == 1 && text_of(array.at(0)["type"]) == "input_text") return simdjson::minify(array.at(0)["text"]);
    std::string out = "[";
    for (const auto value : array) out += (out.size() > 1 ? "," : "") + canonical(value);
    return out + "]";
  }
  if (double number = 0; element.get_double().get(number) == simdjson::SUCCESS) return fmt::format("{}", number);
  return simdjson::minify(element);
}

std::string normal(std::string_view body) {
  dom::parser parser;
  dom::object object = parser.parse(body.data(), body.size()).get_object();
  std::map<std::string, std::string> fields = {{"stream", "false"}};  // what leaving it out means
  for (const auto& [key, value] : object) {
    if (key == "input") {
      // Leading instructions are written in two ways.
      std::string input;
      for (const auto item : dom::array(value.get_array())) {
        const auto role = text_of(item["role"]);
        if (input.empty() && (role == "system" || role == "developer")) {
          fields["instructions"] = canonical(item["content"].value());
        } else {
          input += canonical(item) + "\n";
        }
      }
      fields["input"] = input;
    } else {
      fields[std::string(key)] = canonical(value);
    }
  }
  std::string out;
  for (const auto& [key, value] : fields) out += key + "=" + value + "\n";
  return out;
}

/// The chat request that means what a recorded body says, or why there is none.
class Rebuilt {
 public:
  explicit Rebuilt(std::string_view body, const std::string& provider) {
    dom::parser parser;
    std::string config;
    bool include = false;
    request_.stream = false;  // what leaving it out means
    for (const auto& [key, value] : dom::object(parser.parse(body.data(), body.size()).get_object())) {
      include = include || key == "include";
      if (!take(key, value)) config += fmt::format(",\"{}\":{}", key, simdjson::minify(value));
    }
    // Recordings that do not ask for encrypted reasoning say so as "include": [], which means the same.
    request_.provider_config[provider] = "{" + (config.empty() ? config : config.substr(1)) + "}";
    asks_for_reasoning_ = include;
  }
  [[nodiscard]] const events::ChatRequest& request() const { return request_; }
  [[nodiscard]] const std::string& model() const { return model_; }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  [[nodiscard]] bool asks_for_reasoning() const { return asks_for_reasoning_; }

 private:
  /// False: providerConfig has it.
  bool take(std::string_view key, const dom::element& value) {
    if (key == "model") {
      model_ = text_of(value);
    } else if (key == "stream") {
      request_.stream = value.get_bool();
    } else if (key == "max_output_tokens") {
      request_.tokens_max = std::int64_t(value.get_int64());
    } else if (key == "input") {
      for (const auto item : dom::array(value.get_array())) add_item(item);
    } else if (key == "tools") {
      for (const auto tool : dom::array(value.get_array())) add_tool(tool);
    } else if (key == "tool_choice") {
      using Mode = events::ToolChoice::Mode;
      request_.tool_choice =
          events::ToolChoice{.mode = text_of(value) == "required" ? Mode::required : Mode::automatic};
    } else if (key == "reasoning" && text_of(value["summary"]) == "auto") {
      request_.reasoning = events::Reasoning{.enabled = true, .effort = text_of(value["effort"])};
    } else if (key == "text" && text_of(value["format"]["type"]) == "json_schema") {
      request_.response_format = events::ResponseFormat{.kind = events::ResponseFormat::Kind::json_schema,
                                                        .schema = simdjson::minify(value["format"]["schema"].value())};
    } else {
      // The default of both sides is the other's.
      return key == "include" || (key == "store" && !bool(value.get_bool()));
    }
    return true;
  }

  void add_tool(const dom::element& tool) {
    if (text_of(tool["type"]) != "function") {
      why_not_ = "it uses a tool that runs at the provider";
      return;
    }
    request_.tools.push_back({.name = text_of(tool["name"]),
                              .description = text_of(tool["description"]),
                              .parameters = simdjson::minify(tool["parameters"].value())});
  }

  void add_item(const dom::element& item) {
    const auto type = text_of(item["type"]);
    if (type == "function_call") {
      if (request_.messages.empty() || request_.messages.back().role != events::Role::assistant) {
        request_.messages.push_back({.role = events::Role::assistant});
      }
      request_.messages.back().tool_calls.push_back(
          {.id = text_of(item["call_id"]), .name = text_of(item["name"]), .arguments = text_of(item["arguments"])});
      return;
    }
    events::Message message;
    if (type == "function_call_output") {
      message.role = events::Role::tool;
      message.tool_call_id = text_of(item["call_id"]);
      message.content.push_back({.type = "text", .text = text_of(item["output"])});
    } else {
      const auto role = text_of(item["role"]);
      message.role = role == "user" ? events::Role::user : events::Role::system;
      if (item["content"].is_string()) {
        message.content.push_back({.type = "text", .text = text_of(item["content"])});
      } else {
        for (const auto part : dom::array(item["content"].get_array())) add_part(message, part);
      }
    }
    request_.messages.push_back(std::move(message));
  }

  void add_part(events::Message& message, const dom::element& part) {
    if (text_of(part["type"]) == "input_text") {
      message.content.push_back({.type = "text", .text = text_of(part["text"])});
      return;
    }
    const auto url = text_of(part["image_url"]);
    const auto comma = url.find(";base64,");
    ASSERT_NE(comma, std::string::npos);
    message.content.push_back({.type = "image", .data = url.substr(comma + 8), .media_type = url.substr(5, comma - 5)});
  }

  events::ChatRequest request_{};
  std::string model_{};
  std::string why_not_{};
  bool asks_for_reasoning_ = false;
};

TEST_P(ResponsesExchange, RebuildsRecordedRequestFromOurs) {
  if (recording_.request.empty()) {
    note_skipped(GetParam() + " (request)", "it was not recorded");
    return;
  }
  Rebuilt rebuilt(recording_.request, target_.provider);
  if (!rebuilt.why_not().empty()) {
    note_skipped(GetParam() + " (request)", rebuilt.why_not());
    return;
  }
  target_.upstream_name = rebuilt.model();
  const auto call = providers::openai_responses::provider().chat(rebuilt.request(), target_, {});
  ASSERT_TRUE(call) << call.error().detail;
  EXPECT_TRUE(call->warnings.empty());
  EXPECT_EQ(call->request.url, "http://localhost/v1/responses");
  auto ours = normal(call->request.body);
  auto theirs = normal(recording_.request);
  // Ours always says that nothing is stored and, of models that reason, asks for encrypted reasoning.
  const auto drop = [](std::string& text, std::string_view line) {
    if (const auto at = text.find(line); at != std::string::npos) text.erase(at, line.size());
  };
  if (!rebuilt.asks_for_reasoning()) drop(ours, "include=[\"reasoning.encrypted_content\"]\n");
  if (theirs.find("store=") == std::string::npos) drop(ours, "store=false\n");
  // Not EXPECT_EQ: it would print whole images.
  const auto differ = std::ranges::mismatch(ours, theirs);
  EXPECT_TRUE(ours == theirs) << "ours: " << std::string(differ.in1, ours.end()).substr(0, 300)
                              << "\ntheirs: " << std::string(differ.in2, theirs.end()).substr(0, 300);
}

/// Of folders with several APIs only the exchanges with this one.
std::vector<std::string> responses_cases() {
  auto cases = cases_of({"openai-responses", "azure", "lmstudio"});
  std::erase_if(cases, [](const std::string& name) {
    return !name.empty() && !name.starts_with("openai-responses/") && name.find("/responses-") == std::string::npos;
  });
  if (cases.empty()) cases.emplace_back();
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Recorded, ResponsesExchange, testing::ValuesIn(responses_cases()), test_name);

}  // namespace
}  // namespace tokenrail::conformance
