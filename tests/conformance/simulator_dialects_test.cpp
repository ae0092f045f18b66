// The simulator speaks each provider's dialect: our own adapter asks it and reads its answers as intended, and what it
// sends has only frames and fields that were recorded from that provider.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/events/chat_request.hpp"
#include "common/http/framing.hpp"
#include "common/providers/provider.hpp"
#include "tests/conformance/collection.hpp"
#include "tests/conformance/exchanges.hpp"
#include "tests/simulator/answer.hpp"
#include "tests/simulator/running_simulator.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::conformance {
namespace {

namespace dom = simdjson::dom;
using events::ErrorCode;
using events::FinishReason;
using providers::test::AnswerRecorder;
using simulator::CallResult;
using simulator::RunningSimulator;
using testing::HasSubstr;

struct DialectCase {
  std::string name{};
  std::string adapter{};
  std::string path{};  ///< of the base URL
  std::string model{};
  std::vector<std::string> folders{};  ///< of recordings
  bool thinks = true;                  ///< the adapter can ask for reasoning, and reads it
};

const std::vector<DialectCase>& dialects() {
  static const std::vector<DialectCase> all = {
      {"ollama", "ollama", "", "sim-think:1b", {"ollama"}},
      {"openai", "openai", "/v1", "gpt-4.1", {"openai", "llamacpp", "vllm"}, false},
      {"responses", "openai-responses", "/v1", "gpt-5", {"openai-responses", "azure"}},
      {"azure", "azure", "", "gpt-4.1", {"azure", "openai", "llamacpp"}, false},
      {"azure-classic",
       "azure",
       "/openai/deployments?api-version=2024-10-21",
       "gpt-4.1",
       {"azure", "openai", "llamacpp"},
       false},
      {"anthropic", "anthropic", "", "claude-sonnet-4-5", {"anthropic"}},
      {"gemini", "gemini", "", "gemini-2.5-flash", {"gemini"}},
      {"cohere", "cohere", "", "command-a-reasoning-08-2025", {"cohere"}},
  };
  return all;
}

class Dialects : public testing::TestWithParam<DialectCase> {
 protected:
  void SetUp() override {
    std::set<std::string> names;
    for (const auto& dialect : dialects()) names.insert(dialect.model);
    names.erase("sim-think:1b");
    const auto models =
        fmt::format(R"([{{"name":"sim-think:1b","capabilities":["completion","tools","thinking"]}},"{}")",
                    fmt::join(names, "\",\""));
    ASSERT_EQ(simulator_.call("POST", "/_sim/models", models + "]").status, 200);
  }

  [[nodiscard]] const providers::Provider& adapter() const { return *providers::find_provider(GetParam().adapter); }
  [[nodiscard]] providers::Target target() const {
    return {.provider = GetParam().adapter,
            .base_url = simulator_.url() + GetParam().path,
            .upstream_name = GetParam().model,
            .credential = {.type = providers::AuthType::bearer, .secret = Secret("canary")}};
  }

  [[nodiscard]] CallResult send(const http::Request& request) const {
    simulator::CallHeaders headers;
    for (const auto& header : request.headers) headers.emplace_back(header.name, header.value);
    return simulator_.call(request.method, request.url.substr(simulator_.url().size()), request.body, headers);
  }
  [[nodiscard]] static http::ResponseHead head_of_result(const CallResult& result) {
    http::ResponseHead head{.status = result.status};
    for (auto [name, value] : result.headers) {
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      head.headers.push_back({.name = name, .value = value});
    }
    return head;
  }

  /// Asks through the adapter; `more` are further fields of our own request.
  [[nodiscard]] CallResult ask(AnswerRecorder& answer, std::string_view message, std::string_view more = "") const {
    const auto json = fmt::format(R"({{"requestId":"r","orgId":"o","messages":[{{"role":"user","content":"{}"}}]{}}})",
                                  message, more);
    const auto parsed = events::parse_chat_request(json, {});
    if (!std::holds_alternative<events::ChatRequest>(parsed)) {
      ADD_FAILURE() << json;
      return {};
    }
    auto call = adapter().chat(std::get<events::ChatRequest>(parsed), target(), {});
    if (!call) {
      ADD_FAILURE() << call.error().detail;
      return {};
    }
    auto result = send(call->request);
    if (result.status != 200) return result;
    call->decoder->head(head_of_result(result), answer);
    call->decoder->feed(result.body, answer);
    call->decoder->end(answer);
    return result;
  }

  const RunningSimulator simulator_{};
};

constexpr std::string_view tools =
    R"(,"tools":[{"name":"look","description":"Looks.","parameters":{"type":"object","properties":{}}}])";

TEST_P(Dialects, AnAnswerIsReadByItsAdapter) {
  simulator::Behaviour behaviour;
  behaviour.tokens = 9;
  behaviour.utf8 = true;
  for (const bool stream : {true, false}) {
    AnswerRecorder answer;
    const auto result = ask(answer, R"(  Wie geht’s? [[sim tokens=9 utf8=on output_tokens=77 input_tokens=5]])",
                            fmt::format(",\"stream\":{}", stream));
    ASSERT_EQ(result.status, 200) << result.body;
    EXPECT_FALSE(answer.failure()) << answer.summary() << result.body;
    EXPECT_EQ(answer.text(), simulator::answer_text("Wie geht’s?", "", behaviour)) << result.body;
    EXPECT_EQ(answer.finish(), FinishReason::stop);
    ASSERT_TRUE(answer.usage()) << result.body;
    EXPECT_EQ(answer.usage()->output_tokens, 77);
    EXPECT_EQ(answer.usage()->input_tokens, 5);
    EXPECT_FALSE(answer.usage()->estimated);
    EXPECT_THAT(answer.warnings(), testing::IsEmpty());
  }
}

TEST_P(Dialects, AdapterReadsToolCallsAndThinking) {
  for (const bool stream : {true, false}) {
    AnswerRecorder answer;
    const auto more = fmt::format(R"({},"stream":{}{})", tools, stream,
                                  GetParam().thinks ? R"(,"reasoning":{"effort":"medium"},"maxTokens":5000)" : "");
    const auto result =
        ask(answer, R"(x [[sim tokens=2 thinking=2 tool=auto tool_calls=2 arguments={\"a\":1}]])", more);
    ASSERT_EQ(result.status, 200) << result.body;
    EXPECT_FALSE(answer.failure()) << answer.summary() << result.body;
    EXPECT_EQ(answer.reasoning(), "Thinking 1") << result.body;
    ASSERT_EQ(answer.tool_calls().size(), 2U) << result.body;
    for (const auto& call : answer.tool_calls()) {
      EXPECT_EQ(call.name, "look");
      EXPECT_EQ(call.arguments, R"({"a":1})");
      EXPECT_NE(call.id, "");
    }
    EXPECT_NE(answer.tool_calls()[0].id, answer.tool_calls()[1].id);
    EXPECT_EQ(answer.finish(), FinishReason::tool_calls) << result.body;
    EXPECT_THAT(answer.warnings(), testing::IsEmpty());
  }
}

TEST_P(Dialects, EachFragmentOfAToolCallIsProgress) {
  const auto json =
      fmt::format(R"({{"requestId":"r","orgId":"o","messages":[{{"role":"user","content":)"
                  R"("x [[sim tokens=1 tool=auto fragments=9 arguments={{\"a\":\"0123456789\"}}]]"}}]{}}})",
                  tools);
  const auto parsed = events::parse_chat_request(json, {});
  ASSERT_TRUE(std::holds_alternative<events::ChatRequest>(parsed)) << json;
  auto call = adapter().chat(std::get<events::ChatRequest>(parsed), target(), {});
  ASSERT_TRUE(call) << call.error().detail;
  const auto body = send(call->request).body;
  AnswerRecorder answer;
  std::size_t grown = 0;
  std::uint64_t before = 0;
  for (std::size_t at = 0; at < body.size();) {
    const auto end = std::min(body.find('\n', at), body.size() - 1) + 1;
    call->decoder->feed(std::string_view(body).substr(at, end - at), answer);
    at = end;
    const auto now = call->decoder->piece_bytes();
    if (now > std::exchange(before, now)) ++grown;
  }
  call->decoder->end(answer);
  ASSERT_EQ(answer.tool_calls().size(), 1U) << body;
  EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"a":"0123456789"})");
  const bool whole = std::set<std::string>{"ollama", "gemini"}.contains(GetParam().name);
  EXPECT_EQ(grown, whole ? 0U : 10U) << "the beginning of the call and its fragments\n" << body;
}

TEST_P(Dialects, TheTokenLimitCutsTheAnswer) {
  AnswerRecorder answer;
  const auto result = ask(answer, "hello", R"(,"maxTokens":2)");
  EXPECT_EQ(answer.text(), "amber fjord") << result.body;
  EXPECT_EQ(answer.finish(), FinishReason::length) << result.body;
}

struct RefusalCase {
  std::string directive{};
  int status = 0;
  ErrorCode code{};
};

TEST_P(Dialects, RefusalsAreClassifiedAsMeant) {
  const std::vector<RefusalCase> cases = {
      {"fault=status:401", 401, ErrorCode::provider_auth},
      {"fault=context-length", 400, ErrorCode::context_too_long},
      // Ollama filters no contents.
      {"fault=content-filter", 400,
       GetParam().name == "ollama" ? ErrorCode::invalid_request : ErrorCode::content_filtered},
      {"fault=status:429 retry_after=3", 429, ErrorCode::provider_rate_limited},
      {"fault=status:500", 500, ErrorCode::provider_unavailable},
      {"fault=status:503", 503, ErrorCode::provider_unavailable},
      {"fault=status:529", 529, ErrorCode::provider_unavailable},
      {"fault=status:302 location=http://127.0.0.1:1/", 302, ErrorCode::invalid_model_config},
  };
  for (const auto& row : cases) {
    AnswerRecorder answer;
    const auto result = ask(answer, fmt::format("hello [[sim {}]]", row.directive));
    EXPECT_EQ(result.status, row.status) << row.directive;
    const auto failure = adapter().classify(target(), head_of_result(result), result.body);
    EXPECT_EQ(failure.failure.code, row.code) << row.directive << ": " << result.body;
    if (row.status == 429) EXPECT_EQ(failure.retry_after, std::chrono::milliseconds(3000)) << result.body;
  }
  ASSERT_EQ(simulator_.call("POST", "/_sim/models", R"(["another"])").status, 200);
  AnswerRecorder answer;
  const auto result = ask(answer, "hello");
  EXPECT_EQ(result.status, 404);
  EXPECT_EQ(adapter().classify(target(), head_of_result(result), result.body).failure.code, ErrorCode::model_not_found)
      << result.body;
}

TEST_P(Dialects, BrokenStreamsAreFailures) {
  for (const auto* fault :
       {"error-after:2", "eof-after:2", "malformed-after:2", "garbled-twice-after:1", "eof-at:200"}) {
    AnswerRecorder answer;
    const auto result = ask(answer, fmt::format("hello [[sim tokens=3 fault={}]]", fault));
    ASSERT_EQ(result.status, 200) << fault;
    ASSERT_TRUE(answer.failure()) << fault << ": " << result.body;
    EXPECT_EQ(answer.endings(), 1);
    EXPECT_EQ(answer.failure()->code, std::string_view(fault) == "error-after:2" ? ErrorCode::provider_unavailable
                                                                                 : ErrorCode::provider_protocol)
        << fault << ": " << answer.failure()->message;
  }
  AnswerRecorder answer;
  const auto result = ask(answer, "hello [[sim tokens=3 fault=garbled-after:1]]");
  EXPECT_EQ(answer.text(), "amber fjord cedar") << result.body;
  EXPECT_EQ(answer.warnings().size(), 1U);
}

TEST_P(Dialects, FinishReasonWithoutEndMarkerIsAnEnd) {
  AnswerRecorder answer;
  const auto result = ask(answer, "hello [[sim tokens=3 fault=no-end]]");
  // In these the finish reason is in the last frame itself.
  const bool needed = std::set<std::string>{"ollama", "gemini", "responses"}.contains(GetParam().name);
  EXPECT_EQ(answer.failure().has_value(), needed) << result.body;
  EXPECT_EQ(answer.text(), "amber fjord cedar");
}

TEST_P(Dialects, AnAnswerContinuesBehindAPrefill) {
  if (!adapter().takes_prefill(target())) return;  // a prefill is never sent there
  const auto json = R"({"requestId":"r","orgId":"o","messages":[{"role":"user","content":"hello [[sim tokens=3]]"},)"
                    R"({"role":"assistant","content":"amber fj"}]})";
  const auto parsed = events::parse_chat_request(json, {});
  auto call = adapter().chat(std::get<events::ChatRequest>(parsed), target(), {});
  ASSERT_TRUE(call) << call.error().detail;
  AnswerRecorder answer;
  const auto result = send(call->request);
  call->decoder->head(head_of_result(result), answer);
  call->decoder->feed(result.body, answer);
  call->decoder->end(answer);
  EXPECT_EQ(answer.text(), "ord cedar") << result.body;
}

TEST_P(Dialects, ModelsAreListed) {
  const auto* const lister = adapter().lister();
  ASSERT_NE(lister, nullptr);
  std::set<std::string> names;
  const auto result = send(lister->list(target(), ""));
  const auto page = lister->parse(target(), result.body);
  ASSERT_TRUE(page) << page.error().detail << result.body;
  for (const auto& model : page->models) names.insert(model.name);
  EXPECT_TRUE(names.contains(GetParam().model) || names.contains("models/" + GetParam().model)) << result.body;
  EXPECT_EQ(page->next, "");
  EXPECT_EQ(page->skipped, 0U);
}

// --- Frames and fields -------------------------------------------------------------------------------------------

using Fields = std::map<std::string, std::set<std::string>>;

/// Every field of a value as a path: "choices[].delta.content".
void collect(const dom::element& element, const std::string& path, std::set<std::string>& out) {
  if (dom::object object; element.get_object().get(object) == simdjson::SUCCESS) {
    for (const auto& [key, value] : object) {
      const auto below = path.empty() ? std::string(key) : path + "." + std::string(key);
      out.insert(below);
      // What a tool is called with is the model's business.
      if (key != "args" && key != "arguments" && key != "input") collect(value, below, out);
    }
  } else if (dom::array array; element.get_array().get(array) == simdjson::SUCCESS) {
    for (const auto value : array) collect(value, path + "[]", out);
  }
}

/// Of a body: by the name of the frame, which is the event's or the `type`, and else how the body came.
void collect_body(const std::string& body, bool events, bool lines, std::string_view kind, Fields& out) {
  dom::parser parser;
  const auto take = [&](std::string_view event, std::string_view json) {
    dom::element element;
    if (parser.parse(json.data(), json.size()).get(element) != simdjson::SUCCESS) return;
    std::string_view type = event;
    if (element.is_object()) static_cast<void>(element["type"].get_string().get(type));
    collect(element, "", out[fmt::format("{} {}", kind, type)]);
  };
  if (events) {
    http::SseFramer reader(16UL * 1024 * 1024);
    const auto on_event = [&](const http::ServerSentEvent& event) { take(event.type, event.data); };
    static_cast<void>(reader.feed(body, on_event));
    reader.finish(on_event);
  } else if (lines) {
    for (std::size_t begin = 0; begin < body.size();) {
      const auto end = std::min(body.find('\n', begin), body.size());
      take("", std::string_view(body).substr(begin, end - begin));
      begin = end + 1;
    }
  } else {
    take("", body);
  }
}

std::string_view kind_of(int status, bool streamed) {
  if (status >= 300) return "refusal";
  return streamed ? "frame" : "whole";
}

Fields recorded_fields(const std::vector<std::string>& folders) {
  Fields out;
  for (const auto& name : cases_of(folders)) {
    if (name.empty()) continue;
    const auto recording = simulator::load_recording(transcripts_folder(), name);
    if (!recording) continue;
    const bool streamed = recording->events || recording->lines;
    collect_body(recording->body, recording->events && recording->status < 300, recording->lines,
                 kind_of(recording->status, streamed), out);
  }
  return out;
}

/// What is recorded of no provider, but documented by it.
const std::map<std::string, std::set<std::string>> documented = {
    {"whole ",
     {"output[].arguments", "output[].call_id", "output[].name", "output[].summary[].text", "output[].summary[].type"}},
    {"whole message", {"content[].thinking", "content[].signature"}},
    {"frame message", {"error", "error.code", "error.message", "error.status"}},
};

TEST_P(Dialects, FramesHaveOnlyRecordedNamesAndFields) {
  if (const auto why = why_not_compared(); !why.empty()) GTEST_SKIP() << why;
  const auto recorded = recorded_fields(GetParam().folders);
  Fields made;
  for (const bool stream : {true, false}) {
    for (const auto* message : {"hi", "hi [[sim thinking=3]]", "hi [[sim tool=f tool_calls=2 arguments={\\\"a\\\":1}]]",
                                "hi [[sim fault=error-after:1]]", "hi [[sim fault=status:429]]",
                                "hi [[sim fault=context-length]]", "hi [[sim fault=status:401]]"}) {
      AnswerRecorder answer;
      const auto result = ask(answer, message, fmt::format(",\"stream\":{}", stream));
      const bool events = result.content_type.starts_with("text/event-stream");
      const bool lines = result.content_type.starts_with("application/x-ndjson");
      if (result.status >= 300 && result.status != 401 && result.status != 400 && result.status != 429) continue;
      collect_body(result.body, events, lines, kind_of(result.status, events || lines), made);
    }
  }
  EXPECT_GE(made.size(), 3U);
  for (const auto& [frame, fields] : made) {
    const auto known = recorded.find(frame);
    ASSERT_NE(known, recorded.end()) << "no recording has the frame " << frame;
    const auto also = documented.find(frame);
    for (const auto& field : fields) {
      EXPECT_TRUE(known->second.contains(field) || (also != documented.end() && also->second.contains(field)))
          << frame << ": " << field;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Simulated, Dialects, testing::ValuesIn(dialects()), [](const auto& info) {
  std::string name = info.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(SimulatedModelLists, HavePages) {
  const RunningSimulator simulator;
  ASSERT_EQ(simulator.call("POST", "/_sim/models", R"(["a:1","b:1","c:1"])").status, 200);
  struct Case {
    std::string adapter, first, then;
    simulator::CallHeaders headers{};
  };
  for (const auto& row :
       {Case{"anthropic", "/v1/models?limit=2", "/v1/models?limit=2&after_id=", {{"anthropic-version", "2023-06-01"}}},
        Case{"gemini", "/v1beta/models?pageSize=2", "/v1beta/models?pageSize=2&pageToken="},
        Case{"cohere", "/v1/models?page_size=2", "/v1/models?page_size=2&page_token="}}) {
    const auto* const lister = providers::find_provider(row.adapter)->lister();
    const auto first = lister->parse({}, simulator.call("GET", row.first, "", row.headers).body);
    ASSERT_TRUE(first) << row.adapter << first.error().detail;
    EXPECT_EQ(first->models.size(), 2U) << row.adapter;
    ASSERT_NE(first->next, "") << row.adapter;
    const auto last = lister->parse({}, simulator.call("GET", row.then + first->next, "", row.headers).body);
    ASSERT_TRUE(last) << row.adapter;
    ASSERT_EQ(last->models.size(), 1U) << row.adapter;
    EXPECT_TRUE(last->models[0].name.ends_with("c:1")) << row.adapter;
    EXPECT_EQ(last->next, "") << row.adapter;
  }
}

}  // namespace
}  // namespace tokenrail::conformance
