// Cohere's version 2: contents that begin, grow and end.
#include <fmt/format.h>

#include "tests/simulator/dialects/chat_reading.hpp"
#include "tests/simulator/dialects/dialect.hpp"

namespace tokenrail::simulator {

namespace {

constexpr ChatFields chat_fields{.thinking = "/thinking/type", .thinking_off = "disabled"};

constexpr ProblemRow problems[] = {
    {0, Why::unknown_model, "", "",
     "model '{}' not found, make sure the correct model ID was used and that you have access to the model."},
    {0, Why::wrong_key, "", "", "invalid api token"},
    {0, Why::context_length, "TOO_MANY_TOKENS", "",
     "too many tokens: size limit exceeded by 809 tokens. Try using shorter or fewer inputs. The limit for this model "
     "is 8192 tokens."},
    {0, Why::content_filter, "", "", "the request was blocked by the content_filter"},
    {0, Why::prefill, "", "", "invalid request: the last message must be from the user or a tool"},
    {0, Why::invalid, "", "", ""},
    {429, Why::status, "", "",
     "You are using a Trial key, which is limited to 20 API calls / minute. You can continue to use the Trial key for "
     "free or upgrade to a Production key with higher rate limits."},
    {500, Why::status, "", "", "internal server error, this has been reported to our developers"},
    {503, Why::status, "", "", "service unavailable"},
    {0, Why::status, "", "", ""},
};

std::string finish_of(const Ending& ending) {
  if (ending.calls && ending.reason == "stop") return "TOOL_CALL";
  if (ending.reason == "stop") return "COMPLETE";
  if (ending.reason == "length") return "MAX_TOKENS";
  if (ending.reason == "content_filter") return "ERROR_TOXIC";
  return ending.reason;
}

std::string usage_json(const Ending& ending) {
  return fmt::format(R"({{"billed_units":{{"input_tokens":{0},"output_tokens":{1}}},"tokens":{{"input_tokens":{0},)"
                     R"("output_tokens":{1}}},"cached_tokens":0}})",
                     ending.input_tokens, ending.output_tokens);
}

class CohereFrames final : public Frames {
 public:
  explicit CohereFrames(const ChatCall& call) : call_(call) {}

  void begin(std::string& out) override {
    out += fmt::format(
        "event: message-start\ndata: {{\"id\":\"{}\",\"type\":\"message-start\",\"delta\":{{\"message\":"
        R"({{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}}}})",
        id_of(call_, "", 32));
    out += "\n\n";
  }
  void thinking(std::string& out, std::string_view piece) override { content(out, "thinking", piece); }
  void text(std::string& out, std::string_view piece) override { content(out, "text", piece); }
  void tool_call(std::string& out, const ToolCall& call, std::size_t part, std::size_t parts) override {
    if (part == 0) {
      close(out);
      event(out, "tool-call-start", call.index,
            fmt::format(R"({{"tool_calls":{{"id":"{}","type":"function","function":{{"name":{},"arguments":""}}}}}})",
                        call.id, json_string(call.name)));
    }
    event(out, "tool-call-delta", call.index,
          fmt::format(R"({{"tool_calls":{{"function":{{"arguments":{}}}}}}})",
                      json_string(piece_of(call.arguments, part, parts))));
    if (part + 1 == parts) event(out, "tool-call-end", call.index, "");
  }
  void end(std::string& out, const Ending& ending) override {
    close(out);
    message_end(out, finish_of(ending), "\"usage\":" + usage_json(ending));
  }
  void error(std::string& out, std::string_view text) override {
    message_end(out, "ERROR", fmt::format(R"("usage":{{}},"error":{})", json_string(text)));
  }
  void malformed(std::string& out) override {
    out += "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\": this is not JSON\n\n";
  }
  void whole(std::string& out, const WholeAnswer& answer) override {
    std::string message = R"("role":"assistant")";
    std::string contents;
    if (!answer.thinking.empty()) {
      contents += fmt::format(R"({{"type":"thinking","thinking":{}}})", json_string(answer.thinking));
    }
    if (!answer.text.empty()) {
      contents +=
          fmt::format(R"({}{{"type":"text","text":{}}})", contents.empty() ? "" : ",", json_string(answer.text));
    }
    if (!contents.empty()) message += ",\"content\":[" + contents + ']';
    if (!answer.calls.empty()) {
      message += ",\"tool_calls\":[";
      for (const auto& call : answer.calls) {
        message += fmt::format(R"({}{{"id":"{}","type":"function","function":{{"name":{},"arguments":{}}}}})",
                               call.index > 0 ? "," : "", call.id, json_string(call.name), json_string(call.arguments));
      }
      message += ']';
    }
    out += fmt::format(R"({{"id":"{}","message":{{{}}},"finish_reason":{},"usage":{}}})", id_of(call_, "", 32), message,
                       json_string(finish_of(answer.ending)), usage_json(answer.ending));
  }

 private:
  static void event(std::string& out, std::string_view type, int index, std::string_view message) {
    fmt::format_to(std::back_inserter(out), "event: {0}\ndata: {{\"type\":\"{0}\",\"index\":{1}{2}{3}{4}}}\n\n", type,
                   index, message.empty() ? "" : ",\"delta\":{\"message\":", message, message.empty() ? "" : "}");
  }
  static void message_end(std::string& out, std::string_view reason, std::string_view rest) {
    out += fmt::format("event: message-end\ndata: {{\"type\":\"message-end\",\"delta\":{{\"finish_reason\":{},{}}}}}",
                       json_string(reason), rest);
    out += "\n\ndata: [DONE]\n\n";
  }
  void content(std::string& out, std::string_view kind, std::string_view piece) {
    if (open_ != kind) {
      close(out);
      open_ = kind;
      event(out, "content-start", index_, fmt::format(R"({{"content":{{"type":"{0}","{0}":""}}}})", kind));
    }
    event(out, "content-delta", index_, fmt::format(R"({{"content":{{"{}":{}}}}})", kind, json_string(piece)));
  }
  void close(std::string& out) {
    if (open_.empty()) return;
    event(out, "content-end", index_++, "");
    open_ = {};
  }

  const ChatCall& call_;
  std::string_view open_{};
  int index_ = 0;
};

class Cohere final : public Dialect {
 public:
  [[nodiscard]] Result<ChatRequest> read(const Asked& asked) const override {
    auto chat = read_chat_fields(chat_fields, asked.body);
    if (chat && !chat->call.has_messages) {
      return fail(ErrorKind::invalid_input, "invalid request: messages must not be empty");
    }
    return chat;
  }
  [[nodiscard]] std::unique_ptr<Frames> frames(const ChatCall& call, const CreatedAt& /*now*/) const override {
    return std::make_unique<CohereFrames>(call);
  }
  [[nodiscard]] Refusal refusal(const Problem& problem) const override {
    const auto words = words_of(problems, problem);
    const auto type = words.type.empty() ? "" : fmt::format("\"error_type\":{},", json_string(words.type));
    return {.body = fmt::format(R"({{{}"id":"00000000-0000-0000-0000-000000000000","message":{}}})", type,
                                json_string(words.text))};
  }
  [[nodiscard]] std::string models(const ModelQuery& query) const override {
    const auto& models = query.models;
    const auto page =
        page_of(models.size(), query_number(query.query, "page_token", 0), query_number(query.query, "page_size", 20));
    std::string out = "{\"models\":[";
    for (auto i = page.first; i < page.last; ++i) {
      if (i > page.first) out += ',';
      out += fmt::format(R"({{"name":{},"endpoints":["chat"],"finetuned":false,"context_length":{},"tokenizer_url":"",)"
                         R"("features":["tools"],"default_endpoints":[]}})",
                         json_string(models[i].name), models[i].context_length);
    }
    out += ']';
    if (page.more) out += fmt::format(R"(,"next_page_token":"{}")", page.last);
    return out + '}';
  }
};

}  // namespace

const Dialect& cohere_dialect() {
  static const Cohere dialect;
  return dialect;
}

}  // namespace tokenrail::simulator
