// Every recorded exchange with Anthropic: answers against a naive reading of the same bytes and for every cut, requests
// made again from ours, refusals, lists.
#include "common/providers/anthropic/anthropic.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/providers/anthropic/decoder.hpp"
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

enum class Kind { answer, refusal, list, other };

Kind kind_of(const Recording& recording) {
  if (recording.status >= 300) return Kind::refusal;
  if (recording.path.ends_with("/models")) return Kind::list;
  // Where the request was not recorded, the body says what it is.
  const bool chat = recording.path.ends_with("/messages") || recording.path.empty() || recording.path == "/";
  return chat ? Kind::answer : Kind::other;
}

std::string string_at(dom::element object, std::string_view name) {
  std::string_view text;
  return object[name].get_string().get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

/// What an answer says, read without any of the decoder's code.
struct Reading {
  struct Block {
    std::string type{}, text{}, thinking{}, signature{}, data{}, id{}, name{}, arguments{};
  };
  std::map<std::int64_t, Block> blocks{};
  std::string stop_reason{};
  std::string error_type{};
  std::map<std::string, std::int64_t> usage{};
  bool stopped = false;

  void read_usage(dom::element parent) {
    dom::object counts;
    if (parent["usage"].get_object().get(counts) != simdjson::SUCCESS) return;
    for (const auto& [key, value] : counts) {
      std::int64_t count = 0;
      if (value.get_int64().get(count) == simdjson::SUCCESS) usage[std::string(key)] = count;
    }
    std::int64_t thinking = 0;
    if (parent["usage"]["output_tokens_details"]["thinking_tokens"].get_int64().get(thinking) == simdjson::SUCCESS) {
      usage["thinking_tokens"] = thinking;
    }
  }

  void read_block(std::int64_t index, dom::element source) {
    auto& block = blocks[index];
    block = {.type = string_at(source, "type"),
             .text = string_at(source, "text"),
             .thinking = string_at(source, "thinking"),
             .signature = string_at(source, "signature"),
             .data = string_at(source, "data"),
             .id = string_at(source, "id"),
             .name = string_at(source, "name")};
    dom::object input;
    if (source["input"].get_object().get(input) == simdjson::SUCCESS && input.size() > 0) {
      block.arguments = simdjson::minify(input);
    }
  }

  void read_event(std::string_view json) {
    dom::parser parser;
    dom::element item;
    ASSERT_EQ(parser.parse(json.data(), json.size()).get(item), simdjson::SUCCESS) << json;
    const auto type = string_at(item, "type");
    std::int64_t index = 0;
    const bool has_index = item["index"].get_int64().get(index) == simdjson::SUCCESS;
    dom::element part;
    if (type == "message_start" && item["message"].get(part) == simdjson::SUCCESS) read_usage(part);
    if (type == "content_block_start" && has_index && item["content_block"].get(part) == simdjson::SUCCESS) {
      read_block(index, part);
    }
    if (type == "content_block_delta" && has_index && item["delta"].get(part) == simdjson::SUCCESS) {
      auto& block = blocks[index];
      block.text += string_at(part, "text");
      block.thinking += string_at(part, "thinking");
      block.signature += string_at(part, "signature");
      block.arguments += string_at(part, "partial_json");
    }
    if (type == "message_delta" && item["delta"].get(part) == simdjson::SUCCESS) {
      stop_reason = string_at(part, "stop_reason");
      read_usage(item);
    }
    if (type == "message_stop") stopped = true;
    if (type == "error" && item["error"].get(part) == simdjson::SUCCESS) error_type = string_at(part, "type");
  }

  void read_whole(std::string_view json) {
    dom::parser parser;
    dom::element message;
    dom::array content;
    ASSERT_EQ(parser.parse(json.data(), json.size()).get(message), simdjson::SUCCESS);
    ASSERT_EQ(message["content"].get_array().get(content), simdjson::SUCCESS);
    for (const auto block : content) read_block(static_cast<std::int64_t>(blocks.size()), block);
    stop_reason = string_at(message, "stop_reason");
    read_usage(message);
    stopped = true;
  }

  [[nodiscard]] std::int64_t count(const std::string& name) const {
    const auto found = usage.find(name);
    return found == usage.end() ? 0 : found->second;
  }
};

Reading reading_of(const Recording& recording) {
  Reading reading;
  if (!recording.events) {
    reading.read_whole(recording.body);
    return reading;
  }
  std::string_view body = recording.body;
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    auto line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (line.starts_with("data:")) reading.read_event(line.substr(5));
  }
  return reading;
}

/// The JSON text in one spelling: numbers as the parser reads them; empty where it is no JSON object.
std::string minified(const std::string& json) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(json).get_object().get(object) != simdjson::SUCCESS) return "";
  return simdjson::minify(object);
}

class Anthropic : public Exchange {
 protected:
  [[nodiscard]] MakeDecoder make() const {
    return [stream = recording_.events] { return providers::anthropic::make_decoder(stream, "anthropic", {}); };
  }
};

TEST_P(Anthropic, AnswerIsWhatANaiveReadingSays) {
  if (kind_of(recording_) != Kind::answer) return;
  const auto expected = reading_of(recording_);
  AnswerRecorder answer;
  decode(make(), {recording_.body}, answer);
  std::string text;
  std::string thinking;
  std::vector<std::string> replayed;
  std::vector<const Reading::Block*> calls;
  for (const auto& [index, block] : expected.blocks) {
    if (block.type == "text") text += block.text;
    thinking += block.thinking;
    if (block.type == "thinking" && !block.signature.empty()) replayed.push_back(block.signature);
    if (block.type == "redacted_thinking") replayed.push_back(block.data);
    // A call that the length limit cut off is none.
    const auto& arguments = block.arguments;
    if (block.type == "tool_use" && (arguments.empty() || !minified(arguments).empty())) calls.push_back(&block);
  }
  EXPECT_EQ(answer.text(), text);
  EXPECT_EQ(answer.reasoning(), thinking);
  EXPECT_EQ(answer.endings(), 1);
  EXPECT_FALSE(answer.said_something_after_the_end());
  ASSERT_EQ(answer.blocks().size(), replayed.size());
  for (std::size_t i = 0; i < replayed.size(); ++i) EXPECT_THAT(answer.blocks()[i].data, HasSubstr(replayed[i]));
  if (!expected.error_type.empty()) {
    ASSERT_TRUE(answer.call_failure());
    EXPECT_EQ(answer.failure()->code, expected.error_type == "rate_limit_error" ? ErrorCode::provider_rate_limited
                                                                                : ErrorCode::provider_unavailable);
    EXPECT_TRUE(answer.call_failure()->retry);
    return;
  }
  ASSERT_TRUE(expected.stopped);
  ASSERT_EQ(answer.tool_calls().size(), calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(answer.tool_calls()[i].id, calls[i]->id);
    EXPECT_EQ(answer.tool_calls()[i].name, calls[i]->name);
    EXPECT_EQ(minified(answer.tool_calls()[i].arguments),
              calls[i]->arguments.empty() ? "{}" : minified(calls[i]->arguments));
  }
  const bool cut = expected.stop_reason == "max_tokens" || expected.stop_reason == "model_context_window_exceeded";
  const auto finish = !calls.empty()                      ? FinishReason::tool_calls
                      : cut                               ? FinishReason::length
                      : expected.stop_reason == "refusal" ? FinishReason::content_filter
                                                          : FinishReason::stop;
  EXPECT_EQ(answer.finish(), finish) << expected.stop_reason;
  ASSERT_TRUE(answer.usage());
  EXPECT_FALSE(answer.usage()->estimated);
  EXPECT_EQ(answer.usage()->input_tokens, expected.count("input_tokens") + expected.count("cache_read_input_tokens") +
                                              expected.count("cache_creation_input_tokens"));
  EXPECT_EQ(answer.usage()->output_tokens, expected.count("output_tokens"));
  EXPECT_EQ(answer.usage()->cached_input_tokens.value_or(0), expected.count("cache_read_input_tokens"));
  EXPECT_EQ(answer.usage()->reasoning_tokens.value_or(0), expected.count("thinking_tokens"));
}

TEST_P(Anthropic, AnswerIsTheSameForEveryCut) {
  if (kind_of(recording_) != Kind::answer) return;
  expect_same_for_every_cut(make(), recording_.body);
}

TEST_P(Anthropic, CutAnswerFailsAtEveryByte) {
  if (kind_of(recording_) != Kind::answer) return;
  AnswerRecorder whole;
  decode(make(), {recording_.body}, whole);
  if (!whole.finish()) return;
  // With the reason of the stop an answer is whole; message_stop only confirms it.
  auto needed = recording_.body.find_last_of('}') + 1;
  if (recording_.events) {
    const auto last = recording_.body.find("event: message_stop");
    ASSERT_NE(last, std::string::npos);
    needed = recording_.body.find_last_of('}', last) + 1;
  }
  expect_failure_wherever_it_is_cut_off(make(), recording_.body, needed);
}

TEST_P(Anthropic, RefusalIsClassified) {
  if (kind_of(recording_) != Kind::refusal) return;
  const auto failure =
      providers::anthropic::provider().classify({.provider = "anthropic"}, head_of(recording_), recording_.body);
  struct Expected {
    ErrorCode code;
    bool retry;
  };
  const bool too_long = recording_.body.contains("prompt is too long");
  const std::map<int, Expected> by_status = {
      {400, {too_long ? ErrorCode::context_too_long : ErrorCode::invalid_request, false}},
      {401, {ErrorCode::provider_auth, false}},
      {404, {ErrorCode::model_not_found, false}},
      {429, {ErrorCode::provider_rate_limited, true}},
      {529, {ErrorCode::provider_unavailable, true}},
  };
  const auto expected = by_status.find(recording_.status);
  ASSERT_NE(expected, by_status.end()) << recording_.status;
  EXPECT_EQ(failure.failure.code, expected->second.code);
  EXPECT_EQ(failure.retry, expected->second.retry);
  EXPECT_EQ(failure.failure.status, recording_.status);
  dom::parser parser;
  EXPECT_THAT(failure.failure.message, HasSubstr(string_at(parser.parse(recording_.body)["error"], "message")));
  const bool waits =
      std::ranges::any_of(head_of(recording_).headers, [](const auto& header) { return header.name == "retry-after"; });
  EXPECT_EQ(failure.retry_after.has_value(), waits);
}

TEST_P(Anthropic, ListNamesEveryModel) {
  if (kind_of(recording_) != Kind::list) return;
  const auto page = providers::anthropic::parse_model_list(recording_.body);
  ASSERT_TRUE(page) << page.error().detail;
  dom::parser parser;
  dom::array data;
  ASSERT_EQ(parser.parse(recording_.body)["data"].get_array().get(data), simdjson::SUCCESS);
  ASSERT_EQ(page->models.size(), data.size());
  EXPECT_EQ(page->skipped, 0U);
  std::size_t at = 0;
  for (const auto entry : data) {
    const auto& model = page->models[at++];
    EXPECT_EQ(model.name, string_at(entry, "id"));
    EXPECT_EQ(model.display_name, string_at(entry, "display_name"));
    std::int64_t count = 0;
    if (entry["max_input_tokens"].get_int64().get(count) == simdjson::SUCCESS) {
      EXPECT_EQ(model.context_length, count);
    }
    if (entry["max_tokens"].get_int64().get(count) == simdjson::SUCCESS) {
      EXPECT_EQ(model.output_tokens_max, count);
    }
    bool images = false;
    if (entry["capabilities"]["image_input"]["supported"].get_bool().get(images) == simdjson::SUCCESS) {
      EXPECT_EQ(std::ranges::count(model.capabilities, "vision"), images ? 1 : 0);
    }
  }
}

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
    std::string out = "[";
    for (const auto value : array) out += (out.size() > 1 ? "," : "") + canonical(value);
    return out + "]";
  }
  if (double number = 0; element.get_double().get(number) == simdjson::SUCCESS) return fmt::format("{}", number);
  return simdjson::minify(element);
}

/// The fields of a body, each in one spelling; `stream` left out means false.
std::map<std::string, std::string> fields_of(const std::string& body) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(body).get_object().get(object) != simdjson::SUCCESS) return {};
  std::map<std::string, std::string> fields = {{"stream", "false"}};
  for (const auto& [key, value] : object) fields[std::string(key)] = canonical(value);
  return fields;
}

/// The chat request that means what a recorded body says, or why there is none.
class Rebuilt {
 public:
  explicit Rebuilt(const std::string& body) {
    dom::parser parser;
    dom::object object;
    if (parser.parse(body).get_object().get(object) != simdjson::SUCCESS) {
      why_not = "the body is not an object";
      return;
    }
    request.stream = false;
    for (const auto& [key, value] : object) {
      if (top(key, value)) continue;
      config_ += fmt::format("{}\"{}\":{}", config_.empty() ? "" : ",", key, std::string(simdjson::minify(value)));
    }
    if (!config_.empty()) request.provider_config["anthropic"] = "{" + config_ + "}";
  }
  events::ChatRequest request{};
  std::string model{};
  std::string why_not{};

 private:
  /// False for what is passed on in providerConfig.
  bool top(std::string_view key, const dom::element& value) {
    if (key == "model") {
      model = std::string_view(value.get_string());
    } else if (key == "stream") {
      request.stream = value.get_bool();
    } else if (key == "max_tokens") {
      request.tokens_max = std::int64_t(value.get_int64());
    } else if (key == "system") {
      events::Message message{.role = events::Role::system};
      for (const auto block : dom::array(value.get_array())) add_part(message, block);
      request.messages.insert(request.messages.begin(), std::move(message));
    } else if (key == "messages") {
      for (const auto message : dom::array(value.get_array())) add_message(message);
    } else if (key == "stop_sequences") {
      for (const auto stop : dom::array(value.get_array()))
        request.stop.emplace_back(std::string_view(stop.get_string()));
    } else if (key == "tools") {
      for (const auto tool : dom::array(value.get_array())) add_tool(tool);
    } else if (key == "thinking") {
      add_thinking(value);
    } else if (key == "output_config" && dom::object(value.get_object()).size() == 1) {
      dom::element schema;
      if (value["format"]["schema"].get(schema) != simdjson::SUCCESS) return false;
      request.response_format = {
          {.kind = events::ResponseFormat::Kind::json_schema, .schema = simdjson::minify(schema)}};
    } else if (key == "tool_choice") {
      add_choice(value);
    } else {
      return false;
    }
    return true;
  }

  void add_thinking(const dom::element& value) {
    events::Reasoning reasoning;
    reasoning.enabled = string_at(value, "type") != "disabled";
    std::int64_t budget = 0;
    if (value["budget_tokens"].get_int64().get(budget) == simdjson::SUCCESS) reasoning.tokens_max = budget;
    request.reasoning = reasoning;
  }

  void add_choice(const dom::element& value) {
    using Mode = events::ToolChoice::Mode;
    const auto type = string_at(value, "type");
    request.tool_choice = events::ToolChoice{.mode = type == "none"   ? Mode::none
                                                     : type == "any"  ? Mode::required
                                                     : type == "tool" ? Mode::named
                                                                      : Mode::automatic,
                                             .name = string_at(value, "name")};
    dom::element parallel;
    if (value["disable_parallel_tool_use"].get(parallel) == simdjson::SUCCESS) {
      config_ += fmt::format(R"({}"tool_choice":{{"disable_parallel_tool_use":{}}})", config_.empty() ? "" : ",",
                             std::string(simdjson::minify(parallel)));
    }
  }

  void add_tool(const dom::element& tool) {
    dom::element schema;
    if (tool["input_schema"].get(schema) != simdjson::SUCCESS) {
      why_not = "it has a tool that the provider runs itself";
      return;
    }
    request.tools.push_back({.name = string_at(tool, "name"),
                             .description = string_at(tool, "description"),
                             .parameters = simdjson::minify(schema)});
  }

  void add_message(const dom::element& source) {
    events::Message message;
    message.role = string_at(source, "role") == "assistant" ? events::Role::assistant : events::Role::user;
    std::vector<events::Message> results;
    for (const auto block : dom::array(source["content"].get_array())) {
      if (string_at(block, "type") == "tool_result") {
        events::Message result{.role = events::Role::tool, .tool_call_id = string_at(block, "tool_use_id")};
        for (const auto part : dom::array(block["content"].get_array())) add_part(result, part);
        results.push_back(std::move(result));
      } else {
        add_part(message, block);
      }
    }
    if (!message.content.empty() || !message.tool_calls.empty()) request.messages.push_back(std::move(message));
    for (auto& result : results) request.messages.push_back(std::move(result));
  }

  void add_part(events::Message& message, const dom::element& block) {
    const auto type = string_at(block, "type");
    dom::element element;
    if (block["cache_control"].get(element) == simdjson::SUCCESS) why_not = "it marks single blocks for the cache";
    if (block["citations"].get(element) == simdjson::SUCCESS) why_not = "it asks for citations";
    if (type == "text") {
      message.content.push_back({.type = "text", .text = string_at(block, "text")});
    } else if (type == "tool_use") {
      message.tool_calls.push_back({.id = string_at(block, "id"),
                                    .name = string_at(block, "name"),
                                    .arguments = simdjson::minify(block["input"])});
    } else if (type == "image" || type == "document") {
      message.content.push_back({.type = type == "image" ? "image" : "file",
                                 .data = string_at(block["source"], "data"),
                                 .media_type = string_at(block["source"], "media_type")});
    } else {
      why_not = fmt::format("it has a block of type {}", type);
    }
  }

  std::string config_{};  ///< fields of providerConfig.anthropic
};

TEST_P(Anthropic, RebuildsRecordedRequestFromOurs) {
  if (!recording_.path.ends_with("/messages") || recording_.request.empty()) return;
  auto recorded = recording_.request;
  if (recorded.contains("<MASSIVE_TEXT>") || recorded.contains(R"("max_tokens":0)")) {
    note_skipped(GetParam() + " (request)", "its recorder replaced the text, or it is wrong on purpose");
    return;
  }
  // Marks on single blocks cannot be expressed; without them the request is the same.
  constexpr std::string_view mark = R"("cache_control":{"type":"ephemeral"},)";
  for (auto at = recorded.find(mark); at != std::string::npos; at = recorded.find(mark))
    recorded.erase(at, mark.size());
  const Rebuilt rebuilt(recorded);
  if (!rebuilt.why_not.empty()) {
    note_skipped(GetParam() + " (request)", rebuilt.why_not);
    return;
  }
  const auto call = providers::anthropic::provider().chat(
      rebuilt.request,
      {.provider = "anthropic", .base_url = "https://api.anthropic.com", .upstream_name = rebuilt.model}, {});
  ASSERT_TRUE(call) << call.error().detail;
  EXPECT_TRUE(call->request.url.ends_with(recording_.path));
  auto ours = fields_of(call->request.body);
  auto theirs = fields_of(recorded);
  // The open schema was refused; ours is closed.
  if (recording_.status == 400) {
    EXPECT_THAT(ours["output_config"], HasSubstr("additionalProperties:false"));
    ours.erase("output_config");
    theirs.erase("output_config");
  }
  EXPECT_EQ(ours, theirs);
}

INSTANTIATE_TEST_SUITE_P(Recorded, Anthropic, testing::ValuesIn(cases_of({"anthropic"})), test_name);

// So that silence is no claim of coverage.
TEST(AnthropicExchanges, AreSpokenOrNamedAsNotSpoken) {
  const auto cases = cases_of({"anthropic"});
  if (cases.front().empty()) GTEST_SKIP() << "there are no recorded exchanges in " << transcripts_folder();
  int spoken = 0;
  for (const auto& name : cases) {
    const auto recording = simulator::load_recording(transcripts_folder(), name);
    ASSERT_TRUE(recording) << recording.error().detail;
    if (kind_of(*recording) == Kind::other) {
      note_skipped(name, recording->path + " is not asked for");
    } else {
      ++spoken;
    }
  }
  EXPECT_GT(spoken, 0);
}

}  // namespace
}  // namespace tokenrail::conformance
