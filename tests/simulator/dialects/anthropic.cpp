// Anthropic's Messages: content blocks that begin, grow and end.
#include <algorithm>

#include <fmt/format.h>

#include "tests/simulator/dialects/chat_reading.hpp"
#include "tests/simulator/dialects/dialect.hpp"

namespace tokenrail::simulator {

namespace {

constexpr ChatFields chat_fields{
    .tool_name = "/tools/0/name", .thinking = "/thinking/type", .thinking_off = "disabled"};

constexpr ProblemRow problems[] = {
    {0, Why::unknown_model, "not_found_error", "", "model: {}"},
    {0, Why::wrong_key, "authentication_error", "", "invalid x-api-key"},
    {0, Why::context_length, "invalid_request_error", "", "prompt is too long: 9001 tokens > 8192 maximum"},
    {0, Why::content_filter, "invalid_request_error", "", "Output blocked by content filtering policy"},
    {0, Why::prefill, "invalid_request_error", "",
     "This model does not support assistant message prefill. The conversation must end with a user message."},
    {0, Why::invalid, "invalid_request_error", "", ""},
    {429, Why::status, "rate_limit_error", "", "This request would exceed your organization's rate limit."},
    {500, Why::status, "api_error", "", "Internal server error"},
    {529, Why::status, "overloaded_error", "", "Overloaded"},
    {400, Why::status, "invalid_request_error", "", ""},
    {0, Why::status, "api_error", "", ""},
};

constexpr std::string_view request_id = "req_000000000000000000000000";

std::string error_json(std::string_view type, std::string_view text) {
  return fmt::format(R"({{"type":"error","error":{{"type":{},"message":{}}},"request_id":"{}"}})", json_string(type),
                     json_string(text), request_id);
}

std::string usage_json(std::int64_t input, std::int64_t output) {
  return fmt::format(
      R"({{"input_tokens":{},"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":)"
      R"({{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}},"output_tokens":{},)"
      R"("service_tier":"standard","inference_geo":"not_available"}})",
      input, output);
}

std::string stop_reason(const Ending& ending) {
  if (ending.calls && ending.reason == "stop") return "tool_use";
  if (ending.reason == "stop") return "end_turn";
  if (ending.reason == "length") return "max_tokens";
  if (ending.reason == "content_filter") return "refusal";
  return ending.reason;
}

class AnthropicFrames final : public Frames {
 public:
  explicit AnthropicFrames(const ChatCall& call) : call_(call) {}

  void begin(std::string& out) override {
    event(out, "message_start",
          fmt::format(R"("message":{{"model":{},"id":"{}","type":"message","role":"assistant","content":[],)"
                      R"("stop_reason":null,"stop_sequence":null,"usage":{}}})",
                      json_string(call_.model), id_of(call_, "msg_", 24), usage_json(call_.input_tokens, 1)));
  }
  void keepalive(std::string& out) override { out += "event: ping\ndata: {\"type\": \"ping\"}\n\n"; }
  void thinking(std::string& out, std::string_view piece) override {
    open(out, Block::thinking, R"({"type":"thinking","thinking":"","signature":""})");
    delta(out, fmt::format(R"({{"type":"thinking_delta","thinking":{}}})", json_string(piece)));
  }
  void text(std::string& out, std::string_view piece) override {
    open(out, Block::text, R"({"type":"text","text":""})");
    delta(out, fmt::format(R"({{"type":"text_delta","text":{}}})", json_string(piece)));
  }
  void tool_call(std::string& out, const ToolCall& call, std::size_t part, std::size_t parts) override {
    if (part == 0) {
      close(out);
      open(out, Block::call,
           fmt::format(R"({{"type":"tool_use","id":"{}","name":{},"input":{{}}}})", call.id, json_string(call.name)));
    }
    delta(out, fmt::format(R"({{"type":"input_json_delta","partial_json":{}}})",
                           json_string(piece_of(call.arguments, part, parts))));
  }
  void end(std::string& out, const Ending& ending) override {
    close(out);
    event(out, "message_delta",
          fmt::format(R"("delta":{{"stop_reason":{},"stop_sequence":null}},"usage":{{"input_tokens":{},)"
                      R"("cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":{}}})",
                      json_string(stop_reason(ending)), ending.input_tokens, ending.output_tokens));
    out += "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
  }
  void error(std::string& out, std::string_view text) override {
    out += "event: error\ndata: " + error_json("overloaded_error", text) + "\n\n";
  }
  void malformed(std::string& out) override {
    out += "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\": this is not JSON\n\n";
  }
  void whole(std::string& out, const WholeAnswer& answer) override {
    std::string content;
    const auto add = [&](const std::string& block) {
      if (!content.empty()) content += ',';
      content += block;
    };
    if (!answer.thinking.empty()) {
      add(fmt::format(R"({{"type":"thinking","thinking":{},"signature":"{}"}})", json_string(answer.thinking),
                      signature()));
    }
    if (!answer.text.empty()) add(fmt::format(R"({{"type":"text","text":{}}})", json_string(answer.text)));
    for (const auto& call : answer.calls) {
      add(fmt::format(R"({{"type":"tool_use","id":"{}","name":{},"input":{}}})", call.id, json_string(call.name),
                      call.arguments));
    }
    out += fmt::format(R"({{"model":{},"id":"{}","type":"message","role":"assistant","content":[{}],"stop_reason":{},)"
                       R"("stop_sequence":null,"usage":{}}})",
                       json_string(call_.model), id_of(call_, "msg_", 24), content,
                       json_string(stop_reason(answer.ending)),
                       usage_json(answer.ending.input_tokens, answer.ending.output_tokens));
  }

 private:
  enum class Block { none, thinking, text, call };

  [[nodiscard]] std::string signature() const { return id_of(call_, "sig", 40); }

  static void event(std::string& out, std::string_view type, std::string_view fields) {
    fmt::format_to(std::back_inserter(out), "event: {0}\ndata: {{\"type\":\"{0}\",{1}}}\n\n", type, fields);
  }
  void delta(std::string& out, std::string_view json) const {
    event(out, "content_block_delta", fmt::format(R"("index":{},"delta":{})", index_, json));
  }
  void open(std::string& out, Block block, std::string_view json) {
    if (open_ == block) return;
    close(out);
    open_ = block;
    event(out, "content_block_start", fmt::format(R"("index":{},"content_block":{})", index_, json));
  }
  void close(std::string& out) {
    if (open_ == Block::none) return;
    if (open_ == Block::thinking) {
      delta(out, fmt::format(R"({{"type":"signature_delta","signature":"{}"}})", signature()));
    }
    event(out, "content_block_stop", fmt::format(R"("index":{})", index_));
    open_ = Block::none;
    ++index_;
  }

  const ChatCall& call_;
  Block open_ = Block::none;
  int index_ = 0;
};

class Anthropic final : public Dialect {
 public:
  [[nodiscard]] std::string_view stream_type() const override { return "text/event-stream; charset=utf-8"; }
  [[nodiscard]] Result<ChatRequest> read(const Asked& asked) const override {
    auto chat = read_chat_fields(chat_fields, asked.body);
    if (!chat) return chat;
    if (!chat->call.has_messages) {
      return fail(ErrorKind::invalid_input, "messages: at least one message is required");
    }
    if (chat->call.tokens_max < 0) return fail(ErrorKind::invalid_input, "max_tokens: Field required");
    return chat;
  }
  [[nodiscard]] std::unique_ptr<Frames> frames(const ChatCall& call, const CreatedAt& /*now*/) const override {
    return std::make_unique<AnthropicFrames>(call);
  }
  [[nodiscard]] Refusal refusal(const Problem& problem) const override {
    const auto words = words_of(problems, problem);
    return {.body = error_json(words.type, words.text)};
  }
  [[nodiscard]] std::string models(const ModelQuery& query) const override {
    const auto& models = query.models;
    const auto after = query_value(query.query, "after_id");
    std::size_t first = 0;
    if (!after.empty()) {
      const auto found = std::ranges::find(models, after, &Model::name);
      first = found == models.end() ? models.size() : static_cast<std::size_t>(found - models.begin()) + 1;
    }
    const auto page = page_of(models.size(), first, query_number(query.query, "limit", 20));
    std::string out = "{\"data\":[";
    for (auto i = page.first; i < page.last; ++i) {
      if (i > page.first) out += ',';
      out += fmt::format(R"({{"type":"model","id":{},"display_name":{},"created_at":{},"max_input_tokens":{},)"
                         R"("max_tokens":4096}})",
                         json_string(models[i].name), json_string(models[i].name), json_string(models[i].modified_at),
                         models[i].context_length);
    }
    const bool any = page.first < page.last;
    return out + fmt::format(R"(],"has_more":{},"first_id":{},"last_id":{}}})", page.more,
                             any ? json_string(models[page.first].name) : "null",
                             any ? json_string(models[page.last - 1].name) : "null");
  }
};

}  // namespace

const Dialect& anthropic_dialect() {
  static const Anthropic dialect;
  return dialect;
}

}  // namespace tokenrail::simulator
