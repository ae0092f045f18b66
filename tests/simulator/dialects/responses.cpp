// OpenAI's Responses: output items that begin, grow and end, each event with a number.
#include <fmt/format.h>

#include "tests/simulator/dialects/chat_reading.hpp"
#include "tests/simulator/dialects/dialect.hpp"

namespace tokenrail::simulator {

namespace {

constexpr ChatFields chat_fields{.messages = "input",
                                 .tool_name = "/tools/0/name",
                                 .tokens_max = {"/max_output_tokens", "/max_output_tokens"},
                                 .thinking = "/reasoning/summary"};

class ResponsesFrames final : public Frames {
 public:
  explicit ResponsesFrames(const ChatCall& call) : call_(call) {}

  void begin(std::string& out) override {
    response_event(out, "response.created", "in_progress", "null", nullptr);
    response_event(out, "response.in_progress", "in_progress", "null", nullptr);
  }
  void thinking(std::string& out, std::string_view piece) override {
    open(out, Item::reasoning);
    text_ += piece;
    event(out, "response.reasoning_summary_text.delta",
          fmt::format(R"("delta":{},{},"summary_index":0)", json_string(piece), place()));
  }
  void text(std::string& out, std::string_view piece) override {
    open(out, Item::message);
    // Bounded, because an endless answer has no end that repeats it.
    if (text_.size() < kept_bytes_max) text_ += piece;
    event(out, "response.output_text.delta",
          fmt::format(R"("content_index":0,"delta":{},{},"logprobs":[])", json_string(piece), place()));
  }
  void tool_call(std::string& out, const ToolCall& call, std::size_t part, std::size_t parts) override {
    if (part == 0) {
      close(out);
      call_item_ = call;
      open(out, Item::call);
    }
    event(out, "response.function_call_arguments.delta",
          fmt::format(R"("delta":{},{})", json_string(piece_of(call.arguments, part, parts)), place()));
  }
  void end(std::string& out, const Ending& ending) override {
    close(out);
    const auto why = why_incomplete(ending);
    const bool whole = why.empty();
    response_event(out, whole ? "response.completed" : "response.incomplete", whole ? "completed" : "incomplete",
                   whole ? "null" : fmt::format(R"({{"reason":"{}"}})", why), &ending);
  }
  void error(std::string& out, std::string_view text) override {
    event(out, "error",
          fmt::format(R"("error":{{"type":"server_error","code":"server_error","message":{},"param":null}})",
                      json_string(text)));
    failure_ = fmt::format(R"({{"code":"server_error","message":{}}})", json_string(text));
    response_event(out, "response.failed", "failed", "null", nullptr);
  }
  void malformed(std::string& out) override {
    out += "event: response.output_text.delta\ndata: {\"type\": this event is not JSON\n\n";
  }
  void whole(std::string& out, const WholeAnswer& answer) override {
    if (!answer.thinking.empty()) {
      text_ = answer.thinking;
      item_ = Item::reasoning;
      keep_item();
    }
    if (!answer.text.empty()) {
      text_ = answer.text;
      item_ = Item::message;
      keep_item();
    }
    for (const auto& call : answer.calls) {
      call_item_ = call;
      item_ = Item::call;
      keep_item();
    }
    const auto why = why_incomplete(answer.ending);
    out += response(why.empty() ? "completed" : "incomplete",
                    why.empty() ? "null" : fmt::format(R"({{"reason":"{}"}})", why), &answer.ending);
  }

 private:
  enum class Item { none, reasoning, message, call };
  static constexpr std::size_t kept_bytes_max = 1'000'000;

  static std::string why_incomplete(const Ending& ending) {
    if (ending.reason == "length") return "max_output_tokens";
    if (ending.reason == "content_filter") return "content_filter";
    return "";
  }

  void event(std::string& out, std::string_view type, std::string_view fields) {
    fmt::format_to(std::back_inserter(out), "event: {0}\ndata: {{\"type\":\"{0}\",{1},\"sequence_number\":{2}}}\n\n",
                   type, fields, number_++);
  }
  void response_event(std::string& out, std::string_view type, std::string_view status, std::string_view incomplete,
                      const Ending* ending) {
    event(out, type, "\"response\":" + response(status, incomplete, ending));
  }
  [[nodiscard]] std::string response(std::string_view status, std::string_view incomplete, const Ending* ending) const {
    const auto usage =
        ending == nullptr
            ? std::string("null")
            : fmt::format(R"({{"input_tokens":{},"input_tokens_details":{{"cached_tokens":0}},"output_tokens":{},)"
                          R"("output_tokens_details":{{"reasoning_tokens":{}}},"total_tokens":{}}})",
                          ending->input_tokens, ending->output_tokens, ending->thinking_tokens,
                          ending->input_tokens + ending->output_tokens);
    return fmt::format(
        R"({{"id":"{}","object":"response","created_at":{},"status":"{}","background":false,"error":{},)"
        R"("incomplete_details":{},"instructions":null,"max_output_tokens":null,"max_tool_calls":null,"model":{},)"
        R"("output":[{}],"parallel_tool_calls":true,"previous_response_id":null,"service_tier":"default","store":false,)"
        R"("temperature":1.0,"text":{{"format":{{"type":"text"}}}},"tool_choice":"auto","tools":[],"top_logprobs":0,)"
        R"("top_p":1.0,"truncation":"disabled","usage":{},"user":null,"metadata":{{}}}})",
        id_of(call_, "resp_", 32), call_.created_s, status, failure_, incomplete, json_string(call_.model), done_items_,
        usage);
  }

  [[nodiscard]] std::string item_id() const {
    const std::string_view prefix = item_ == Item::reasoning ? "rs_" : item_ == Item::message ? "msg_" : "fc_";
    return id_of(call_, prefix, 24) + std::to_string(index_);
  }
  [[nodiscard]] std::string place() const {
    return fmt::format(R"("item_id":"{}","output_index":{})", item_id(), index_);
  }
  [[nodiscard]] std::string part() const {
    return fmt::format(R"({{"type":"output_text","annotations":[],"logprobs":[],"text":{}}})", json_string(text_));
  }
  /// The item as it is so far, or whole.
  [[nodiscard]] std::string item(bool done) const {
    const std::string_view status = done ? "completed" : "in_progress";
    if (item_ == Item::reasoning) {
      return fmt::format(R"({{"id":"{}","type":"reasoning","summary":[{}]}})", item_id(),
                         done ? fmt::format(R"({{"type":"summary_text","text":{}}})", json_string(text_)) : "");
    }
    if (item_ == Item::message) {
      return fmt::format(R"({{"id":"{}","type":"message","status":"{}","content":[{}],"role":"assistant"}})", item_id(),
                         status, done ? part() : "");
    }
    return fmt::format(R"({{"id":"{}","type":"function_call","status":"{}","arguments":{},"call_id":"{}","name":{}}})",
                       item_id(), status, done ? json_string(call_item_.arguments) : "\"\"", call_item_.id,
                       json_string(call_item_.name));
  }
  void keep_item() {
    if (!done_items_.empty()) done_items_ += ',';
    done_items_ += item(true);
    ++index_;
  }

  void open(std::string& out, Item kind) {
    if (item_ == kind) return;
    close(out);
    item_ = kind;
    event(out, "response.output_item.added", fmt::format(R"("item":{},"output_index":{})", item(false), index_));
    if (kind == Item::message) {
      event(out, "response.content_part.added", fmt::format(R"("content_index":0,{},"part":{})", place(), part()));
    } else if (kind == Item::reasoning) {
      event(out, "response.reasoning_summary_part.added",
            fmt::format(R"({},"part":{{"type":"summary_text","text":""}},"summary_index":0)", place()));
    }
  }
  void close(std::string& out) {
    if (item_ == Item::none) return;
    if (item_ == Item::message) {
      event(out, "response.output_text.done",
            fmt::format(R"("content_index":0,{},"logprobs":[],"text":{})", place(), json_string(text_)));
      event(out, "response.content_part.done", fmt::format(R"("content_index":0,{},"part":{})", place(), part()));
    } else if (item_ == Item::reasoning) {
      event(out, "response.reasoning_summary_text.done",
            fmt::format(R"({},"summary_index":0,"text":{})", place(), json_string(text_)));
      event(out, "response.reasoning_summary_part.done",
            fmt::format(R"({},"part":{{"type":"summary_text","text":{}}},"summary_index":0)", place(),
                        json_string(text_)));
    } else {
      event(out, "response.function_call_arguments.done",
            fmt::format(R"("arguments":{},{})", json_string(call_item_.arguments), place()));
    }
    event(out, "response.output_item.done", fmt::format(R"("item":{},"output_index":{})", item(true), index_));
    keep_item();
    text_.clear();
    item_ = Item::none;
  }

  const ChatCall& call_;
  Item item_ = Item::none;
  ToolCall call_item_{};
  std::string text_{};        ///< of the open item
  std::string done_items_{};  ///< JSON, joined by commas
  std::string failure_ = "null";
  int index_ = 0;
  int number_ = 0;
};

class Responses final : public Dialect {
 public:
  [[nodiscard]] Result<ChatRequest> read(const Asked& asked) const override {
    auto chat = read_chat_fields(chat_fields, asked.body);
    if (chat && !chat->call.has_messages) {
      return fail(ErrorKind::invalid_input, "Missing required parameter: 'input'.");
    }
    return chat;
  }
  [[nodiscard]] std::unique_ptr<Frames> frames(const ChatCall& call, const CreatedAt& /*now*/) const override {
    return std::make_unique<ResponsesFrames>(call);
  }
  [[nodiscard]] Refusal refusal(const Problem& problem) const override { return openai_dialect().refusal(problem); }
  [[nodiscard]] std::string models(const ModelQuery& query) const override { return openai_dialect().models(query); }
};

}  // namespace

const Dialect& responses_dialect() {
  static const Responses dialect;
  return dialect;
}

}  // namespace tokenrail::simulator
