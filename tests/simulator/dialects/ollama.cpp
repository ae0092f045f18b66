// Ollama's own API: one JSON object a line.
#include <fmt/format.h>

#include "common/events/json_writer.hpp"
#include "tests/simulator/dialects/chat_reading.hpp"
#include "tests/simulator/dialects/dialect.hpp"

namespace tokenrail::simulator {

namespace {

constexpr ChatFields fields{.tokens_max = {"/options/num_predict", "/options/num_predict"},
                            .thinking = "/think",
                            .thinking_off = "",
                            .stream_by_default = true};

constexpr ProblemRow problems[] = {
    {0, Why::unknown_model, "", "", "model '{}' not found"},
    {0, Why::wrong_key, "", "", "unauthorized"},
    {0, Why::context_length, "", "", "the input length exceeds the context length"},
    {0, Why::content_filter, "", "", "the request was blocked by a content filter (content_filter)"},
    {0, Why::prefill, "", "", "this model does not support assistant message prefill"},
    {0, Why::status, "", "", ""},
};

std::string error_json(std::string_view text) {
  std::string out = "{\"error\":";
  events::append_json_string(out, text);
  return out + "}";
}

class OllamaFrames final : public Frames {
 public:
  OllamaFrames(const ChatCall& call, const CreatedAt& now) : call_(call), now_(now) {}

  void keepalive(std::string& out) override { out += '\n'; }
  void text(std::string& out, std::string_view piece) override {
    begin_line(out);
    events::append_json_string(out, piece);
    out += "},\"done\":false}\n";
  }
  void thinking(std::string& out, std::string_view piece) override {
    begin_line(out);
    out += "\"\",\"thinking\":";
    events::append_json_string(out, piece);
    out += "},\"done\":false}\n";
  }
  void tool_call(std::string& out, const ToolCall& call, std::size_t part, std::size_t parts) override {
    if (part + 1 < parts) return;
    begin_line(out);
    out += "\"\",\"tool_calls\":[";
    append_call(out, call);
    out += "]},\"done\":false}\n";
  }
  void end(std::string& out, const Ending& ending) override {
    begin_line(out);
    out += "\"\"},";
    append_ending(out, ending);
    out += '\n';
  }
  void error(std::string& out, std::string_view text) override { out += error_json(text) + '\n'; }
  void malformed(std::string& out) override {
    out += "{\"model\":\"" + call_.model.substr(0, 20) + " this line is not JSON\n";
  }
  void whole(std::string& out, const WholeAnswer& answer) override {
    begin_line(out);
    events::append_json_string(out, answer.text);
    if (!answer.thinking.empty()) {
      out += ",\"thinking\":";
      events::append_json_string(out, answer.thinking);
    }
    if (!answer.calls.empty()) {
      out += ",\"tool_calls\":[";
      for (const auto& call : answer.calls) {
        if (call.index > 0) out += ',';
        append_call(out, call);
      }
      out += ']';
    }
    out += "},";
    append_ending(out, answer.ending);
  }
  void loaded(std::string& out) override {
    begin_line(out);
    out += "\"\"},\"done\":true,\"done_reason\":\"load\"}";
    if (call_.stream) out += '\n';
  }

 private:
  void begin_line(std::string& out) const {
    out += "{\"model\":";
    events::append_json_string(out, call_.model);
    out += ",\"created_at\":\"";
    out += now_();
    out += "\",\"message\":{\"role\":\"assistant\",\"content\":";
  }
  static void append_call(std::string& out, const ToolCall& call) {
    out += fmt::format(R"({{"id":"{}","function":{{"index":{},"name":)", call.id, call.index);
    events::append_json_string(out, call.name);
    out += ",\"arguments\":" + call.arguments + "}}";
  }
  static void append_ending(std::string& out, const Ending& ending) {
    out += fmt::format(
        R"("done":true,"done_reason":{},"total_duration":{},"load_duration":1000000,"prompt_eval_count":{},)"
        R"("prompt_eval_duration":1000000,"eval_count":{},"eval_duration":{}}})",
        json_string(ending.reason), 3'000'000 + ending.output_tokens * 1'000'000, ending.input_tokens,
        ending.output_tokens, ending.output_tokens * 1'000'000);
  }

  const ChatCall& call_;
  const CreatedAt& now_;
};

class Ollama final : public Dialect {
 public:
  [[nodiscard]] std::string_view stream_type() const override { return "application/x-ndjson"; }
  [[nodiscard]] std::string_view json_type() const override { return "application/json; charset=utf-8"; }
  [[nodiscard]] Result<ChatRequest> read(const Asked& asked) const override {
    return read_chat_fields(fields, asked.body);
  }
  [[nodiscard]] std::unique_ptr<Frames> frames(const ChatCall& call, const CreatedAt& now) const override {
    return std::make_unique<OllamaFrames>(call, now);
  }
  [[nodiscard]] Refusal refusal(const Problem& problem) const override {
    return {.body = error_json(words_of(problems, problem).text)};
  }
  [[nodiscard]] std::string models(const ModelQuery& query) const override { return tags_json(query.models); }
  [[nodiscard]] std::string lacks(const Model& model, const ChatRequest& request) const override {
    if (request.offers_tools && !model.can("tools")) {
      return fmt::format("registry.ollama.ai/library/{} does not support tools", request.call.model);
    }
    if (request.call.think == 1 && !model.can("thinking")) {
      return fmt::format("\"{}\" does not support thinking", request.call.model);
    }
    return "";
  }
};

}  // namespace

const Dialect& ollama_dialect() {
  static const Ollama dialect;
  return dialect;
}

}  // namespace tokenrail::simulator
