// OpenAI's Chat Completions, and Azure's with what it adds.
#include <fmt/format.h>

#include "tests/simulator/dialects/chat_reading.hpp"
#include "tests/simulator/dialects/dialect.hpp"

namespace tokenrail::simulator {

namespace {

constexpr ChatFields fields{.tokens_max = {"/max_completion_tokens", "/max_tokens"}};

constexpr ProblemRow openai_problems[] = {
    {0, Why::unknown_model, "invalid_request_error", "model_not_found",
     "The model `{}` does not exist or you do not have access to it."},
    {0, Why::wrong_key, "invalid_request_error", "invalid_api_key",
     "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys."},
    {0, Why::context_length, "invalid_request_error", "context_length_exceeded",
     "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. Please "
     "reduce "
     "the length of the messages."},
    {0, Why::content_filter, "invalid_request_error", "content_policy_violation",
     "Your request was rejected as a result of our safety system."},
    {0, Why::prefill, "invalid_request_error", "",
     "This model does not support assistant message prefill. The conversation must end with a user message."},
    {0, Why::invalid, "invalid_request_error", "", ""},
    {429, Why::status, "requests", "rate_limit_exceeded", "Rate limit reached for requests. Please try again later."},
    {500, Why::status, "server_error", "", "The server had an error while processing your request. Sorry about that!"},
    {503, Why::status, "server_error", "", "The engine is currently overloaded, please try again later."},
    {400, Why::status, "invalid_request_error", "", ""},
    {0, Why::status, "server_error", "", ""},
};
constexpr ProblemRow azure_problems[] = {
    {0, Why::unknown_model, "invalid_request_error", "DeploymentNotFound",
     "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
     "please wait a moment and try again."},
    {0, Why::wrong_key, "", "401",
     "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
     "active subscription and use a correct regional API endpoint for your resource."},
    {0, Why::content_filter, "", "content_filter",
     "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify "
     "your prompt and retry."},
    {429, Why::status, "", "RateLimitReached", "Your requests have exceeded the rate limit of this deployment."},
};

struct Flavour {
  bool azure = false;
};

std::string text_or_null(std::string_view text) {
  return text.empty() ? "null" : json_string(text);
}

std::string refusal_json(const ProblemWords& words, bool whole_shape) {
  if (!whole_shape) {
    return fmt::format(R"({{"error":{{{}"code":{},"message":{}}}}})",
                       words.type.empty() ? "" : fmt::format("\"type\":{},", json_string(words.type)),
                       json_string(words.code), json_string(words.text));
  }
  return fmt::format(R"({{"error":{{"message":{},"type":{},"param":null,"code":{}}}}})", json_string(words.text),
                     text_or_null(words.type), text_or_null(words.code));
}

std::string usage_json(const Ending& ending) {
  return fmt::format(
      R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":0,)"
      R"("audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":{},"audio_tokens":0,)"
      R"("accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}})",
      ending.input_tokens, ending.output_tokens, ending.input_tokens + ending.output_tokens, ending.thinking_tokens);
}

class OpenAiFrames final : public Frames {
 public:
  OpenAiFrames(const ChatCall& call, Flavour flavour)
      : call_(call),
        flavour_(flavour),
        head_(fmt::format(R"("id":"{}","object":"chat.completion.chunk","created":{},"model":{},)",
                          id_of(call, "chatcmpl-", 24), call.created_s, json_string(call.model))),
        tail_(fmt::format(R"("service_tier":"default","system_fingerprint":null{})",
                          call.stream_usage ? ",\"usage\":null" : "")) {}

  void begin(std::string& out) override {
    if (flavour_.azure) {
      out += R"(data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[)"
             R"({"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},)"
             R"("self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},)"
             R"("violence":{"filtered":false,"severity":"safe"}}}]})"
             "\n\n";
    }
    chunk(out, R"({"role":"assistant","content":"","refusal":null})");
  }
  void text(std::string& out, std::string_view piece) override {
    chunk(out, fmt::format(R"({{"content":{}}})", json_string(piece)));
  }
  /// As the servers do it that show their reasoning here.
  void thinking(std::string& out, std::string_view piece) override {
    chunk(out, fmt::format(R"({{"reasoning_content":{}}})", json_string(piece)));
  }
  void tool_call(std::string& out, const ToolCall& call, std::size_t part, std::size_t parts) override {
    if (part == 0) {
      chunk(out, fmt::format(R"({{"tool_calls":[{{"index":{},"id":"{}","type":"function","function":{{"name":{},)"
                             R"("arguments":""}}}}]}})",
                             call.index, call.id, json_string(call.name)));
    }
    chunk(out, fmt::format(R"({{"tool_calls":[{{"index":{},"function":{{"arguments":{}}}}}]}})", call.index,
                           json_string(piece_of(call.arguments, part, parts))));
  }
  void end(std::string& out, const Ending& ending) override {
    chunk(out, "{}", json_string(reason_of(ending)));
    if (call_.stream_usage) {
      out += fmt::format(R"(data: {{{}"service_tier":"default","system_fingerprint":null,"choices":[],"usage":{}}})",
                         head_, usage_json(ending));
      out += "\n\n";
    }
    out += "data: [DONE]\n\n";
  }
  void error(std::string& out, std::string_view text) override {
    out += "data: " + refusal_json({.type = "server_error", .text = std::string(text)}, true) + "\n\n";
  }
  void whole(std::string& out, const WholeAnswer& answer) override {
    std::string message = fmt::format(R"({{"role":"assistant","content":{},)",
                                      answer.text.empty() && !answer.calls.empty() ? "null" : json_string(answer.text));
    if (!answer.thinking.empty()) message += fmt::format(R"("reasoning_content":{},)", json_string(answer.thinking));
    if (!answer.calls.empty()) {
      message += "\"tool_calls\":[";
      for (const auto& call : answer.calls) {
        message += fmt::format(R"({}{{"id":"{}","type":"function","function":{{"name":{},"arguments":{}}}}})",
                               call.index > 0 ? "," : "", call.id, json_string(call.name), json_string(call.arguments));
      }
      message += "],";
    }
    message += R"("refusal":null,"annotations":[]})";
    out += fmt::format(
        R"({{"id":"{}","object":"chat.completion","created":{},"model":{},"choices":[{{"index":0,"message":{},)"
        R"("finish_reason":{}}}],"usage":{},"service_tier":"default","system_fingerprint":null}})",
        id_of(call_, "chatcmpl-", 24), call_.created_s, json_string(call_.model), message,
        json_string(reason_of(answer.ending)), usage_json(answer.ending));
  }

 private:
  static std::string reason_of(const Ending& ending) {
    return ending.calls && ending.reason == "stop" ? "tool_calls" : ending.reason;
  }
  void chunk(std::string& out, std::string_view delta, std::string_view reason = "null") const {
    fmt::format_to(std::back_inserter(out),
                   R"(data: {{{}"choices":[{{{}"index":0,"delta":{},"finish_reason":{}}}],{}}})", head_,
                   flavour_.azure ? "\"content_filter_results\":{}," : "", delta, reason, tail_);
    out += "\n\n";
  }

  const ChatCall& call_;
  const Flavour flavour_;
  const std::string head_;
  const std::string tail_;
};

class OpenAi final : public Dialect {
 public:
  explicit OpenAi(Flavour flavour) : flavour_(flavour) {}

  [[nodiscard]] Result<ChatRequest> read(const Asked& asked) const override {
    auto chat = read_chat_fields(fields, asked.body);
    if (!chat && flavour_.azure) chat = read_deployment(asked);
    if (chat && !chat->call.has_messages) {
      return fail(ErrorKind::invalid_input,
                  "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array "
                  "instead.");
    }
    return chat;
  }
  [[nodiscard]] std::unique_ptr<Frames> frames(const ChatCall& call, const CreatedAt& /*now*/) const override {
    return std::make_unique<OpenAiFrames>(call, flavour_);
  }
  [[nodiscard]] Refusal refusal(const Problem& problem) const override {
    if (flavour_.azure) {
      for (const auto& row : azure_problems) {
        if (row.why != problem.why || (row.status != 0 && row.status != problem.status)) continue;
        return {.body = refusal_json(words_of(&row, 1, problem), false)};
      }
    }
    return {.body = refusal_json(words_of(openai_problems, problem), true)};
  }
  [[nodiscard]] std::string models(const ModelQuery& query) const override {
    std::string out = R"({"object":"list","data":[)";
    for (const auto& model : query.models) {
      if (&model != &query.models.front()) out += ',';
      out += fmt::format(R"({{"id":{},"object":"model","created":1767225600,"owned_by":"system"}})",
                         json_string(model.name));
    }
    return out + "]}";
  }

 private:
  /// The classic surface names the deployment in the path; a request without a model is whole there.
  static Result<ChatRequest> read_deployment(const Asked& asked) {
    auto without_name = fields;
    without_name.model_in_body = false;
    auto chat = read_chat_fields(without_name, asked.body);
    constexpr std::string_view before = "/deployments/";
    const auto begin = asked.path.find(before);
    if (!chat || begin == std::string::npos) return chat;
    const auto name = begin + before.size();
    chat->call.model = asked.path.substr(name, asked.path.find('/', name) - name);
    return chat;
  }

  const Flavour flavour_;
};

}  // namespace

const Dialect& openai_dialect() {
  static const OpenAi dialect(Flavour{});
  return dialect;
}

const Dialect& azure_dialect() {
  static const OpenAi dialect(Flavour{.azure = true});
  return dialect;
}

}  // namespace tokenrail::simulator
