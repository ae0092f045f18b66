// Answers of the Responses API, Anthropic, Gemini and Cohere.
#include <fmt/format.h>

#include "tests/conformance/json_tree.hpp"
#include "tests/conformance/wire_answers.hpp"

namespace tokenrail::conformance::wire {

namespace {

using tree::json_text;

std::string event(std::string_view type, std::string_view fields) {
  return fmt::format("event: {0}\ndata: {{\"type\":\"{0}\",{1}}}\n\n", type, fields);
}

// Responses ----------------------------------------------------------------------------------------------------------

std::string reasoning_item(const Speaker& speaker, const Said& said, bool done) {
  const auto summary =
      done ? fmt::format(R"({{"type":"summary_text","text":{}}})", json_text(joined(said.reasoning))) : std::string();
  return fmt::format(R"({{"id":"rs_{}","type":"reasoning","encrypted_content":"{}","summary":[{}]}})", said.turn,
                     speaker.signature(said.turn), summary);
}

std::string call_item(const Speaker& speaker, const Said& said, std::size_t i, bool done) {
  return fmt::format(
      R"({{"id":"fc_{}","type":"function_call","status":"{}","arguments":{},"call_id":"{}","name":"{}"}})", i,
      done ? "completed" : "in_progress", done ? json_text(said.calls[i].arguments()) : "\"\"", id_of(speaker, said, i),
      said.calls[i].name);
}

std::string message_item(const Said& said, bool done) {
  const auto part = done ? fmt::format(R"({{"type":"output_text","annotations":[],"logprobs":[],"text":{}}})",
                                       json_text(joined(said.text)))
                         : std::string();
  return fmt::format(R"({{"id":"msg_{}","type":"message","status":"{}","content":[{}],"role":"assistant"}})", said.turn,
                     done ? "completed" : "in_progress", part);
}

std::string response(const Speaker& speaker, const Said& said, bool done) {
  std::string output;
  if (done) {
    output = reasoning_item(speaker, said, true);
    if (!said.text.empty()) output += "," + message_item(said, true);
    for (std::size_t i = 0; i < said.calls.size(); ++i) output += "," + call_item(speaker, said, i, true);
  }
  const auto usage = done ? fmt::format(R"({{"input_tokens":{},"output_tokens":{},"total_tokens":{}}})", input_tokens,
                                        output_tokens, input_tokens + output_tokens)
                          : std::string("null");
  return fmt::format(R"({{"id":"resp_{}","object":"response","created_at":1782321669,"status":"{}","error":null,)"
                     R"("incomplete_details":null,"model":"{}","output":[{}],"usage":{}}})",
                     said.turn, done ? "completed" : "in_progress", speaker.model, output, usage);
}

std::string item_event(std::string_view type, std::size_t index, std::string_view item) {
  return event(type, fmt::format(R"("item":{},"output_index":{},"sequence_number":1)", item, index));
}

std::string responses_call(const Speaker& speaker, const Said& said, std::size_t i, std::size_t index) {
  auto out = item_event("response.output_item.added", index, call_item(speaker, said, i, false));
  for (const auto piece : said.calls[i].pieces) {
    out += event("response.function_call_arguments.delta",
                 fmt::format(R"("delta":{},"item_id":"fc_{}","output_index":{},"sequence_number":1)", json_text(piece),
                             i, index));
  }
  out += event("response.function_call_arguments.done",
               fmt::format(R"("arguments":{},"item_id":"fc_{}","output_index":{},"sequence_number":1)",
                           json_text(said.calls[i].arguments()), i, index));
  return out + item_event("response.output_item.done", index, call_item(speaker, said, i, true));
}

// Anthropic ----------------------------------------------------------------------------------------------------------

std::string block(std::size_t index, std::string_view content, const std::vector<std::string>& deltas) {
  auto out = event("content_block_start", fmt::format(R"("index":{},"content_block":{})", index, content));
  for (const auto& delta : deltas) {
    out += event("content_block_delta", fmt::format(R"("index":{},"delta":{})", index, delta));
  }
  return out + event("content_block_stop", fmt::format(R"("index":{})", index));
}

std::string tool_use(const Speaker& speaker, const Said& said, std::size_t i, std::string_view input) {
  return fmt::format(R"({{"type":"tool_use","id":"{}","name":"{}","input":{},"caller":{{"type":"direct"}}}})",
                     id_of(speaker, said, i), said.calls[i].name, input);
}

constexpr std::string_view stop_reason(const Said& said) {
  return said.calls.empty() ? "end_turn" : "tool_use";
}

// Gemini -------------------------------------------------------------------------------------------------------------

std::string gemini_item(const Said& said, std::string_view parts, std::string_view finish) {
  return fmt::format(
      R"({{"candidates":[{{"content":{{"parts":[{}],"role":"model"}}{},"index":0}}],"usageMetadata":)"
      R"({{"promptTokenCount":{},"candidatesTokenCount":{},"totalTokenCount":{},"thoughtsTokenCount":5}},)"
      R"("modelVersion":"gemini-3-pro-preview","responseId":"zwCzaYWfAbnoz7IPm{}"}})",
      parts, finish, input_tokens, output_tokens - 5, input_tokens + output_tokens, said.turn);
}

std::string gemini_calls(const Speaker& speaker, const Said& said) {
  std::string out;
  for (std::size_t i = 0; i < said.calls.size(); ++i) {
    out += fmt::format(R"({}{{"functionCall":{{"name":"{}","args":{}}}{}}})", i == 0 ? "" : ",", said.calls[i].name,
                       said.calls[i].arguments(),
                       i > 0 ? "" : fmt::format(R"(,"thoughtSignature":"{}")", speaker.signature(said.turn)));
  }
  return out;
}

// Cohere -------------------------------------------------------------------------------------------------------------

std::string cohere_message(std::string_view type, std::string_view fields, std::string_view index = "") {
  return event(type, fmt::format(R"({}"delta":{{"message":{{{}}}}})", index, fields));
}

std::string cohere_content(std::size_t index, std::string_view type, const std::vector<std::string_view>& pieces) {
  const auto number = fmt::format(R"("index":{},)", index);
  auto out = cohere_message("content-start", fmt::format(R"("content":{{"type":"{0}","{0}":""}})", type), number);
  for (const auto piece : pieces) {
    out += cohere_message("content-delta", fmt::format(R"("content":{{"{}":{}}})", type, json_text(piece)), number);
  }
  return out + event("content-end", fmt::format(R"("index":{})", index));
}

std::string cohere_call(std::string_view id, std::string_view name, std::string_view arguments) {
  return fmt::format(R"({{"id":"{}","type":"function","function":{{"name":"{}","arguments":{}}}}})", id, name,
                     json_text(arguments));
}

std::string cohere_end(const Said& said) {
  return fmt::format(R"("finish_reason":"{}","usage":{{"billed_units":{{"input_tokens":1,"output_tokens":1}},)"
                     R"("tokens":{{"input_tokens":{},"output_tokens":{}}}}})",
                     said.calls.empty() ? "COMPLETE" : "TOOL_CALL", input_tokens, output_tokens);
}

}  // namespace

std::string responses(const Speaker& speaker, const Said& said, bool stream) {
  if (!stream) return response(speaker, said, true);
  auto out = event("response.created", R"("response":)" + response(speaker, said, false) + R"(,"sequence_number":0)");
  out += item_event("response.output_item.added", 0, reasoning_item(speaker, said, false));
  for (const auto piece : said.reasoning) {
    out += event("response.reasoning_summary_text.delta",
                 fmt::format(R"("delta":{},"item_id":"rs_{}","output_index":0,"summary_index":0,"sequence_number":1)",
                             json_text(piece), said.turn));
  }
  out += item_event("response.output_item.done", 0, reasoning_item(speaker, said, true));
  std::size_t index = 1;
  if (!said.text.empty()) {
    out += item_event("response.output_item.added", index, message_item(said, false));
    for (const auto piece : said.text) {
      out += event("response.output_text.delta",
                   fmt::format(R"("content_index":0,"delta":{},"item_id":"msg_{}","output_index":{},)"
                               R"("sequence_number":1)",
                               json_text(piece), said.turn, index));
    }
    out += item_event("response.output_item.done", index++, message_item(said, true));
  }
  for (std::size_t i = 0; i < said.calls.size(); ++i) out += responses_call(speaker, said, i, index++);
  return out +
         event("response.completed", R"("response":)" + response(speaker, said, true) + R"(,"sequence_number":9)");
}

std::string anthropic_stream(const Speaker& speaker, const Said& said) {
  auto out =
      event("message_start", fmt::format(R"("message":{{"model":"{}","id":"msg_1","type":"message","role":"assistant",)"
                                         R"("content":[],"stop_reason":null,"stop_sequence":null,)"
                                         R"("usage":{{"input_tokens":{},"output_tokens":2}}}})",
                                         speaker.model, input_tokens));
  std::size_t index = 0;
  std::vector<std::string> deltas;
  for (const auto piece : said.reasoning) {
    deltas.push_back(fmt::format(R"({{"type":"thinking_delta","thinking":{}}})", json_text(piece)));
  }
  deltas.push_back(fmt::format(R"({{"type":"signature_delta","signature":"{}"}})", speaker.signature(said.turn)));
  out += block(index++, R"({"type":"thinking","thinking":"","signature":""})", deltas);
  deltas.clear();
  for (const auto piece : said.text) {
    deltas.push_back(fmt::format(R"({{"type":"text_delta","text":{}}})", json_text(piece)));
  }
  if (!deltas.empty()) out += block(index++, R"({"type":"text","text":""})", deltas);
  for (std::size_t i = 0; i < said.calls.size(); ++i) {
    deltas.clear();
    for (const auto piece : said.calls[i].pieces) {
      deltas.push_back(fmt::format(R"({{"type":"input_json_delta","partial_json":{}}})", json_text(piece)));
    }
    out += block(index++, tool_use(speaker, said, i, "{}"), deltas);
  }
  out += event("message_delta", fmt::format(R"("delta":{{"stop_reason":"{}","stop_sequence":null}},)"
                                            R"("usage":{{"output_tokens":{}}})",
                                            stop_reason(said), output_tokens));
  return out + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
}

std::string anthropic_whole(const Speaker& speaker, const Said& said) {
  auto content = fmt::format(R"({{"type":"thinking","thinking":{},"signature":"{}"}})",
                             json_text(joined(said.reasoning)), speaker.signature(said.turn));
  if (!said.text.empty()) content += fmt::format(R"(,{{"type":"text","text":{}}})", json_text(joined(said.text)));
  for (std::size_t i = 0; i < said.calls.size(); ++i) {
    content += "," + tool_use(speaker, said, i, said.calls[i].arguments());
  }
  return fmt::format(
      R"({{"model":"{}","id":"msg_1","type":"message","role":"assistant","content":[{}],"stop_reason":"{}",)"
      R"("stop_sequence":null,"usage":{{"input_tokens":{},"output_tokens":{}}}}})",
      speaker.model, content, stop_reason(said), input_tokens, output_tokens);
}

std::string gemini(const Speaker& speaker, const Said& said, bool stream) {
  const auto thought = [](std::string_view text) {
    return fmt::format(R"({{"text":{},"thought":true}})", json_text(text));
  };
  const auto text = [](std::string_view text, std::string_view more = "") {
    return fmt::format(R"({{"text":{}{}}})", json_text(text), more);
  };
  const auto signature = fmt::format(R"(,"thoughtSignature":"{}")", speaker.signature(said.turn));
  constexpr std::string_view finish = R"(,"finishReason":"STOP")";
  if (!stream) {
    auto parts = thought(joined(said.reasoning));
    if (!said.text.empty()) parts += "," + text(joined(said.text), said.calls.empty() ? signature : "");
    if (!said.calls.empty()) parts += "," + gemini_calls(speaker, said);
    return gemini_item(said, parts, finish);
  }
  std::string out;
  const auto add = [&](std::string_view parts, std::string_view end) {
    out += "data: " + gemini_item(said, parts, end) + "\r\n\r\n";
  };
  for (const auto piece : said.reasoning) add(thought(piece), "");
  for (const auto piece : said.text) add(text(piece), "");
  add(said.calls.empty() ? text("", signature) : gemini_calls(speaker, said), finish);
  return out;
}

std::string cohere_stream(const Speaker& speaker, const Said& said) {
  const auto id = R"("id":"d73d7f76-783c-4f52-8538-02e28b23a001",)";
  auto out = cohere_message("message-start",
                            R"("role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[])", id);
  if (said.calls.empty()) {
    out += cohere_content(0, "thinking", said.reasoning);
    out += cohere_content(1, "text", said.text);
  } else {
    for (const auto piece : said.reasoning) {
      out += cohere_message("tool-plan-delta", fmt::format(R"("tool_plan":{})", json_text(piece)));
    }
    if (!said.text.empty()) out += cohere_content(0, "text", said.text);
  }
  for (std::size_t i = 0; i < said.calls.size(); ++i) {
    const auto index = fmt::format(R"("index":{},)", i);
    const auto call = cohere_call(id_of(speaker, said, i), said.calls[i].name, "");
    out += cohere_message("tool-call-start", fmt::format(R"("tool_calls":{})", call), index);
    for (const auto piece : said.calls[i].pieces) {
      out += cohere_message("tool-call-delta",
                            fmt::format(R"("tool_calls":{{"function":{{"arguments":{}}}}})", json_text(piece)), index);
    }
    out += event("tool-call-end", fmt::format(R"("index":{})", i));
  }
  return out + event("message-end", fmt::format(R"("delta":{{{}}})", cohere_end(said))) + "data: [DONE]\n\n";
}

std::string cohere_whole(const Speaker& speaker, const Said& said) {
  std::string message = R"("role":"assistant")";
  const auto reasoning = json_text(joined(said.reasoning));
  const auto text =
      said.text.empty() ? std::string() : fmt::format(R"({{"type":"text","text":{}}})", json_text(joined(said.text)));
  if (said.calls.empty()) {
    message += fmt::format(R"(,"content":[{{"type":"thinking","thinking":{}}},{}])", reasoning, text);
  } else {
    message += fmt::format(R"(,"tool_plan":{})", reasoning);
    if (!text.empty()) message += fmt::format(R"(,"content":[{}])", text);
    std::string calls;
    for (std::size_t i = 0; i < said.calls.size(); ++i) {
      calls +=
          (i == 0 ? "" : ",") + cohere_call(id_of(speaker, said, i), said.calls[i].name, said.calls[i].arguments());
    }
    message += fmt::format(R"(,"tool_calls":[{}])", calls);
  }
  return fmt::format(R"({{"id":"99f0c9f0-ddaf-465f-b7bf-edbd4c91069a","message":{{{}}},{}}})", message,
                     cohere_end(said));
}

}  // namespace tokenrail::conformance::wire
