// Gemini's generateContent: each event is a piece of an answer with the usage so far.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "tests/simulator/dialects/chat_reading.hpp"
#include "tests/simulator/dialects/dialect.hpp"

namespace tokenrail::simulator {

namespace {

constexpr ChatFields fields{.messages = "contents",
                            .content = "parts",
                            .assistant = "model",
                            .tool_name = "/tools/0/functionDeclarations/0/name",
                            .tokens_max = {"/generationConfig/maxOutputTokens", "/generationConfig/maxOutputTokens"},
                            .thinking = "/generationConfig/thinkingConfig/includeThoughts",
                            .model_in_body = false};

constexpr ProblemRow problems[] = {
    {0, Why::unknown_model, "NOT_FOUND", "",
     "models/{} is not found for API version v1beta, or is not supported for generateContent. Call "
     "ModelService.ListModels to see the list of available models and their supported methods."},
    {0, Why::wrong_key, "UNAUTHENTICATED", "", "API key not valid. Please pass a valid API key."},
    {0, Why::context_length, "INVALID_ARGUMENT", "",
     "The input token count (9001) exceeds the maximum number of tokens allowed (8192)."},
    {0, Why::content_filter, "INVALID_ARGUMENT", "", "The request was blocked (content_filter)."},
    {0, Why::prefill, "INVALID_ARGUMENT", "",
     "Please ensure that multiturn requests end with a user role or a function response."},
    {0, Why::invalid, "INVALID_ARGUMENT", "", ""},
    {429, Why::status, "RESOURCE_EXHAUSTED", "", "Resource has been exhausted (e.g. check quota)."},
    {500, Why::status, "INTERNAL", "", "An internal error has occurred. Please retry."},
    {503, Why::status, "UNAVAILABLE", "", "The model is overloaded. Please try again later."},
    {400, Why::status, "INVALID_ARGUMENT", "", ""},
    {0, Why::status, "UNKNOWN", "", ""},
};

std::string error_json(int status, std::string_view name, std::string_view text, std::string_view details = "") {
  return fmt::format(R"({{"error":{{"code":{},"message":{},"status":{}{}}}}})", status, json_string(text),
                     json_string(name), details);
}

std::string finish_of(const Ending& ending) {
  if (ending.reason == "length") return "MAX_TOKENS";
  if (ending.reason == "content_filter") return "SAFETY";
  return ending.reason == "stop" ? "STOP" : ending.reason;
}

class GeminiFrames final : public Frames {
 public:
  explicit GeminiFrames(const ChatCall& call) : call_(call) {}

  void thinking(std::string& out, std::string_view piece) override {
    event(out, fmt::format(R"({{"text":{},"thought":true}})", json_string(piece)));
  }
  void text(std::string& out, std::string_view piece) override {
    event(out, fmt::format(R"({{"text":{}}})", json_string(piece)));
  }
  void tool_call(std::string& out, const ToolCall& call, std::size_t part, std::size_t parts) override {
    if (part + 1 == parts) event(out, part_of(call));
  }
  void end(std::string& out, const Ending& ending) override {
    event(out, R"({"text":""})", fmt::format("\"finishReason\":{},", json_string(finish_of(ending))), &ending);
  }
  void error(std::string& out, std::string_view text) override {
    out += "data: " + error_json(503, "UNAVAILABLE", text) + "\n\n";
  }
  void whole(std::string& out, const WholeAnswer& answer) override {
    std::string parts;
    const auto add = [&](std::string part) {
      if (!parts.empty()) parts += ',';
      parts += part;
    };
    if (!answer.thinking.empty()) add(fmt::format(R"({{"text":{},"thought":true}})", json_string(answer.thinking)));
    if (!answer.text.empty()) add(fmt::format(R"({{"text":{}}})", json_string(answer.text)));
    for (const auto& call : answer.calls) add(part_of(call));
    out += object(parts, fmt::format("\"finishReason\":{},", json_string(finish_of(answer.ending))), &answer.ending);
  }

 private:
  [[nodiscard]] static std::string part_of(const ToolCall& call) {
    return fmt::format(R"({{"functionCall":{{"name":{},"args":{},"id":"{}"}}}})", json_string(call.name),
                       call.arguments, call.id);
  }
  void event(std::string& out, std::string_view parts, std::string_view reason = "",
             const Ending* ending = nullptr) const {
    out += "data: " + object(parts, reason, ending) + "\r\n\r\n";
  }
  [[nodiscard]] std::string object(std::string_view parts, std::string_view reason, const Ending* ending) const {
    const auto input = call_.input_tokens;
    std::string counts = fmt::format(R"("totalTokenCount":{})", input);
    if (ending != nullptr) {
      counts = fmt::format(R"("candidatesTokenCount":{},"totalTokenCount":{})",
                           ending->output_tokens - ending->thinking_tokens, input + ending->output_tokens);
      if (ending->thinking_tokens > 0) counts += fmt::format(R"(,"thoughtsTokenCount":{})", ending->thinking_tokens);
    }
    return fmt::format(
        R"({{"candidates": [{{"content": {{"parts": [{}],"role": "model"}},{}"index": 0}}],"usageMetadata": )"
        R"({{"promptTokenCount": {},{},"promptTokensDetails":[{{"modality":"TEXT","tokenCount":{}}}]}},)"
        R"("modelVersion": {},"responseId": "{}"}})",
        parts, reason, input, counts, input, json_string(call_.model), id_of(call_, "", 22));
  }

  const ChatCall& call_;
};

class Gemini final : public Dialect {
 public:
  [[nodiscard]] std::string_view json_type() const override { return "application/json; charset=UTF-8"; }
  [[nodiscard]] Result<ChatRequest> read(const Asked& asked) const override {
    auto chat = read_chat_fields(fields, asked.body);
    if (!chat) return chat;
    if (!chat->call.has_messages) {
      return fail(ErrorKind::invalid_input, "* GenerateContentRequest.contents: contents is not specified\n");
    }
    constexpr std::string_view before = "/models/";
    const auto name = asked.path.rfind(before) + before.size();
    chat->call.model = asked.path.substr(name, asked.path.rfind(':') - name);
    chat->call.stream = asked.path.ends_with(":streamGenerateContent");
    return chat;
  }
  [[nodiscard]] std::unique_ptr<Frames> frames(const ChatCall& call, const CreatedAt& /*now*/) const override {
    return std::make_unique<GeminiFrames>(call);
  }
  [[nodiscard]] Refusal refusal(const Problem& problem) const override {
    const auto words = words_of(problems, problem);
    if (problem.retry_after.empty()) return {.body = error_json(problem.status, words.type, words.text)};
    return {.body = error_json(problem.status, words.type, words.text,
                               fmt::format(R"(,"details":[{{"@type":"type.googleapis.com/google.rpc.RetryInfo",)"
                                           R"("retryDelay":"{}s"}}])",
                                           problem.retry_after)),
            .has_delay = true};
  }
  [[nodiscard]] std::string models(const ModelQuery& query) const override {
    const auto& models = query.models;
    const auto page =
        page_of(models.size(), query_number(query.query, "pageToken", 0), query_number(query.query, "pageSize", 50));
    std::string out = "{\"models\":[";
    for (auto i = page.first; i < page.last; ++i) {
      if (i > page.first) out += ',';
      out +=
          fmt::format(R"({{"name":{},"version":"001","displayName":{},"inputTokenLimit":{},"outputTokenLimit":4096,)"
                      R"("supportedGenerationMethods":["generateContent","countTokens"],"temperature":1}})",
                      json_string("models/" + models[i].name), json_string(models[i].name), models[i].context_length);
    }
    out += ']';
    if (page.more) out += fmt::format(R"(,"nextPageToken":"{}")", page.last);
    return out + '}';
  }
};

}  // namespace

const Dialect& gemini_dialect() {
  static const Gemini dialect;
  return dialect;
}

}  // namespace tokenrail::simulator
