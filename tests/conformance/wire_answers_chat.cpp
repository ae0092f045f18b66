// Answers of chat completions, and of Ollama's own API.
#include <fmt/format.h>

#include "tests/conformance/json_tree.hpp"
#include "tests/conformance/wire_answers.hpp"

namespace tokenrail::conformance::wire {

namespace {

using tree::json_text;

constexpr std::string_view finish_of(const Said& said) {
  return said.calls.empty() ? "stop" : "tool_calls";
}

std::string usage() {
  return fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{}}})", input_tokens, output_tokens,
                     input_tokens + output_tokens);
}

std::string chunk(const Speaker& speaker, std::string_view choices, std::string_view more = "") {
  return fmt::format(
      "data: {{\"id\":\"chatcmpl-7\",\"object\":\"chat.completion.chunk\",\"created\":1782321945,\"model\":{},"
      "\"choices\":[{}]{}}}\n\n",
      json_text(speaker.model), choices, more);
}

std::string delta(const Speaker& speaker, std::string_view fields, std::string_view finish = "null",
                  std::string_view more = "") {
  return chunk(speaker, fmt::format(R"({{"index":0,"delta":{{{}}},"finish_reason":{}}})", fields, finish), more);
}

std::string detail(std::string_view field, std::string_view value) {
  return fmt::format(R"([{{"type":"reasoning.text","{}":{},"format":"anthropic-claude-v1","index":0}}])", field,
                     json_text(value));
}

std::string thinking_part(std::string_view text) {
  return fmt::format(R"({{"type":"thinking","thinking":[{{"type":"text","text":{}}}]}})", json_text(text));
}

std::string reasoning_delta(const Speaker& speaker, std::string_view piece) {
  switch (speaker.reasoning) {
    case ReasoningForm::field:
      return fmt::format(R"("{}":{})", speaker.reasoning_field, json_text(piece));
    case ReasoningForm::parts:
      return fmt::format(R"("content":[{}])", thinking_part(piece));
    case ReasoningForm::details:
      return fmt::format(R"("content":"","role":"assistant","reasoning":{},"reasoning_details":{})", json_text(piece),
                         detail("text", piece));
    case ReasoningForm::none:
    case ReasoningForm::own:
      break;
  }
  return "";
}

std::string id_field(const Speaker& speaker, const Said& said, std::size_t call) {
  return speaker.call_id.empty() ? "" : fmt::format(R"("id":"{}",)", id_of(speaker, said, call));
}

std::string call_deltas(const Speaker& speaker, const Said& said, std::size_t i) {
  const auto& call = said.calls[i];
  const auto begin = [&](std::string_view arguments) {
    return delta(speaker, fmt::format(R"("tool_calls":[{{"index":{},{}"type":"function",)"
                                      R"("function":{{"name":"{}","arguments":{}}}}}])",
                                      i, id_field(speaker, said, i), call.name, json_text(arguments)));
  };
  if (!speaker.fragments) return begin(call.arguments());
  auto out = begin("");
  for (const auto piece : call.pieces) {
    out += delta(speaker,
                 fmt::format(R"("tool_calls":[{{"index":{},"function":{{"arguments":{}}}}}])", i, json_text(piece)));
  }
  return out;
}

/// The fields of a whole message that say how the model came to it.
std::string whole_content(const Speaker& speaker, const Said& said) {
  const auto text = joined(said.text);
  const auto reasoning = joined(said.reasoning);
  const bool parts = speaker.reasoning == ReasoningForm::parts;
  if (parts && !text.empty()) {
    return fmt::format(R"("content":[{},{{"type":"text","text":{}}}])", thinking_part(reasoning), json_text(text));
  }
  if (parts) return fmt::format(R"("content":[{}])", thinking_part(reasoning));
  auto out = fmt::format(R"("content":{})", json_text(text));
  if (speaker.reasoning == ReasoningForm::field) {
    out += fmt::format(R"(,"{}":{})", speaker.reasoning_field, json_text(reasoning));
  } else if (speaker.reasoning == ReasoningForm::details) {
    out += fmt::format(R"(,"reasoning":{0},"reasoning_details":[{{"type":"reasoning.text","text":{0},"signature":{1},)"
                       R"("format":"anthropic-claude-v1","index":0}}])",
                       json_text(reasoning), json_text(speaker.signature(said.turn)));
  }
  return out;
}

}  // namespace

std::string id_of(const Speaker& speaker, const Said& said, std::size_t call) {
  return fmt::format(fmt::runtime(speaker.call_id), static_cast<std::size_t>(said.turn) * 2 + call);
}

std::string joined(const std::vector<std::string_view>& pieces) {
  std::string out;
  for (const auto piece : pieces) out += piece;
  return out;
}

std::string chat_stream(const Speaker& speaker, const Said& said) {
  std::string out = delta(speaker, R"("role":"assistant","content":"")");
  if (speaker.reasons()) {
    for (const auto piece : said.reasoning) out += delta(speaker, reasoning_delta(speaker, piece));
  }
  if (speaker.reasoning == ReasoningForm::details) {
    out += delta(speaker, fmt::format(R"("content":"","role":"assistant","reasoning_details":{})",
                                      detail("signature", speaker.signature(said.turn))));
  }
  for (const auto piece : said.text) out += delta(speaker, fmt::format(R"("content":{})", json_text(piece)));
  for (std::size_t i = 0; i < said.calls.size(); ++i) out += call_deltas(speaker, said, i);
  const auto finish = fmt::format("\"{}\"", finish_of(said));
  const auto count = fmt::format(R"(,"usage":{})", usage());
  if (speaker.provider == "groq" || speaker.provider == "mistral") {
    out += delta(speaker, "", finish, count);
  } else {
    out += delta(speaker, "", finish) + chunk(speaker, "", count);
  }
  return out + "data: [DONE]\n\n";
}

std::string chat_whole(const Speaker& speaker, const Said& said) {
  std::string calls;
  for (std::size_t i = 0; i < said.calls.size(); ++i) {
    calls += fmt::format(R"({}{{{}"type":"function","function":{{"name":"{}","arguments":{}}}}})", i == 0 ? "" : ",",
                         id_field(speaker, said, i), said.calls[i].name, json_text(said.calls[i].arguments()));
  }
  if (!calls.empty()) calls = fmt::format(R"(,"tool_calls":[{}])", calls);
  return fmt::format(
      R"({{"id":"chatcmpl-7","object":"chat.completion","created":1782321945,"model":{},"choices":[{{"index":0,)"
      R"("message":{{"role":"assistant",{}{}}},"finish_reason":"{}"}}],"usage":{}}})",
      json_text(speaker.model), whole_content(speaker, said), calls, finish_of(said), usage());
}

std::string ollama(const Speaker& speaker, const Said& said, bool stream) {
  const auto line = [&](std::string_view message, std::string_view more) {
    return fmt::format(
        "{{\"model\":{},\"created_at\":\"2026-05-04T22:49:10.471177Z\",\"message\":{{\"role\":\"assistant\",{}}},{}}}"
        "\n",
        json_text(speaker.model), message, more);
  };
  const auto last =
      fmt::format(R"("done":true,"done_reason":"stop","total_duration":1,"load_duration":1,"prompt_eval_count":{},)"
                  R"("prompt_eval_duration":1,"eval_count":{},"eval_duration":1)",
                  input_tokens, output_tokens);
  const auto call = [&](std::size_t i) {
    return fmt::format(R"({{"id":"{}","function":{{"index":{},"name":"{}","arguments":{}}}}})", id_of(speaker, said, i),
                       i, said.calls[i].name, said.calls[i].arguments());
  };
  const std::string going_on = R"("done":false)";
  std::string out;
  if (stream) {
    for (const auto piece : said.reasoning) {
      out += line(fmt::format(R"("content":"","thinking":{})", json_text(piece)), going_on);
    }
    for (const auto piece : said.text) out += line(fmt::format(R"("content":{})", json_text(piece)), going_on);
    for (std::size_t i = 0; i < said.calls.size(); ++i) {
      out += line(fmt::format(R"("content":"","tool_calls":[{}])", call(i)), going_on);
    }
    return out + line(R"("content":"")", last);
  }
  std::string calls;
  for (std::size_t i = 0; i < said.calls.size(); ++i) calls += (i == 0 ? "" : ",") + call(i);
  if (!calls.empty()) calls = fmt::format(R"(,"tool_calls":[{}])", calls);
  return line(fmt::format(R"("content":{},"thinking":{}{})", json_text(joined(said.text)),
                          json_text(joined(said.reasoning)), calls),
              last);
}

}  // namespace tokenrail::conformance::wire
