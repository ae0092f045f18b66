#include "tests/conformance/request_reading.hpp"

#include <algorithm>
#include <regex>
#include <set>

#include <fmt/format.h>

#include "tests/conformance/json_tree.hpp"

namespace tokenrail::conformance {

namespace {

using tree::find;
using tree::list;
using tree::text;
namespace dom = simdjson::dom;

bool is_blank(std::string_view words) {
  return words.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// What ids of tool calls look like at a provider; others are refused.
struct IdRule {
  std::string_view provider;
  const char* pattern;
};
constexpr IdRule id_rules[] = {{"mistral", "[a-zA-Z0-9]{9}"},
                               {"anthropic", "[a-zA-Z0-9_-]+"},
                               {"openai", ".{1,40}"},
                               {"azure", ".{1,40}"},
                               {"openai-responses", ".{1,64}"}};

/// Where an assistant message of chat completions may hold reasoning; providers that are not here take none.
struct ReplayRule {
  std::string_view provider;
  std::string_view field;
};
constexpr ReplayRule replay_rules[] = {
    {"llamacpp", "reasoning_content"}, {"deepseek", "reasoning_content"}, {"vllm", "reasoning"},
    {"ollama-openai", "reasoning"},    {"openrouter", "reasoning"},       {"openrouter", "reasoning_details"}};

class Reader {
 public:
  explicit Reader(const Speaker& speaker) : speaker_(speaker) {}

  RequestReading read(std::string_view body) {
    dom::parser parser;
    dom::element root;
    if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) {
      problem("it is not JSON");
      return std::move(reading_);
    }
    switch (speaker_.wire) {
      case Wire::ollama:
      case Wire::chat:
      case Wire::cohere:
        for (const auto message : list(root, "messages")) chat_message(message);
        break;
      case Wire::responses:
        responses(root);
        break;
      case Wire::anthropic:
        anthropic(root);
        break;
      case Wire::gemini:
        gemini(root);
        break;
    }
    close();
    if (reading_.turns.empty() || last_role_ == "assistant") problem("the model has nothing to answer");
    return std::move(reading_);
  }

 private:
  void problem(std::string what) { reading_.problems.push_back(std::move(what)); }

  // The conversation, whatever the format ------------------------------------------------------------------------

  ReadTurn& open(std::string_view role) {
    close();
    last_role_ = role;
    return reading_.turns.emplace_back(ReadTurn{.role = std::string(role)});
  }

  /// Every call has its result before anything else is said.
  void close() {
    if (reading_.turns.empty()) return;
    for (const auto& call : reading_.turns.back().calls) {
      if (!call.answered) problem(fmt::format("the call {} of {} has no result behind it", call.id, call.name));
    }
  }

  void add_call(ReadTurn& turn, std::string id, std::string name, std::optional<std::string> arguments) {
    static const std::regex name_rule("[a-zA-Z0-9_-]{1,64}");
    if (!std::regex_match(name, name_rule)) problem(fmt::format("\"{}\" is no name of a function", name));
    if (!arguments || !arguments->starts_with('{')) problem(fmt::format("arguments of {} are no object", name));
    for (const auto& rule : id_rules) {
      if (rule.provider == speaker_.provider && !std::regex_match(id, std::regex(rule.pattern))) {
        problem(fmt::format("{} refuses the id \"{}\"", rule.provider, id));
      }
    }
    const bool may_lack = speaker_.wire == Wire::ollama || speaker_.wire == Wire::gemini;
    if (id.empty() && !may_lack) problem(fmt::format("the call of {} has no id", name));
    if (!id.empty() && !ids_.insert(id).second) problem(fmt::format("two calls have the id \"{}\"", id));
    turn.calls.push_back({.id = std::move(id), .name = std::move(name), .arguments = arguments.value_or("")});
  }

  void add_result(std::string_view id, std::string_view name, std::string result) {
    last_role_ = "tool";
    if (!reading_.turns.empty()) {
      for (auto& call : reading_.turns.back().calls) {
        const bool meant = call.id == id && !call.answered && (name.empty() || name == call.name);
        if (!meant) continue;
        call.answered = true;
        call.result = std::move(result);
        return;
      }
    }
    problem(fmt::format("a result for \"{}\" answers no call right before it", id));
  }

  void only_fields(dom::element object, std::string_view where, std::initializer_list<std::string_view> allowed) {
    for (const auto& [key, value] : simdjson::dom::object(object.get_object().value_unsafe())) {
      if (std::ranges::find(allowed, key) == allowed.end()) problem(fmt::format("{} has the field {}", where, key));
    }
  }

  /// Of a string or of parts of that type, none of them empty.
  std::string text_of(dom::element content, std::string_view part_type) {
    if (const auto whole = text(content)) return *whole;
    std::string out;
    for (const auto part : simdjson::dom::array(content.get_array().value_unsafe())) {
      if (text(part, "type") != part_type) problem(fmt::format("content has a part of type {}", text(part, "type")));
      if (is_blank(text(part, "text"))) problem("content has a part without text");
      out += text(part, "text");
    }
    return out;
  }

  // Chat completions, Ollama, Cohere -----------------------------------------------------------------------------

  void chat_message(dom::element message) {
    const auto role = text(message, "role");
    const auto content = find(message, "content");
    if (role == "tool") {
      const bool ollama = speaker_.wire == Wire::ollama;
      only_fields(message, "a tool message",
                  {"role", "content", "tool_call_id", ollama ? "tool_name" : "role",
                   speaker_.provider == "mistral" ? "name" : "role"});
      const auto name = text(message, ollama ? "tool_name" : "name");
      if (ollama && name.empty()) problem("a result does not name its tool");
      return add_result(text(message, "tool_call_id"), name, content ? text_of(*content, "text") : "");
    }
    if (role == "assistant") return chat_answer(message, content);
    if (role != "system" && role != "user") problem("there is no role " + role);
    only_fields(message, "a message of " + role, {"role", "content"});
    open(role).text = content ? text_of(*content, "text") : "";
  }

  void chat_answer(dom::element message, std::optional<dom::element> content) {
    auto& turn = open("assistant");
    for (const auto& [key, value] : simdjson::dom::object(message.get_object().value_unsafe()))
      chat_field(turn, key, value);
    if (content && content->is_array() && speaker_.wire == Wire::cohere) {
      cohere_content(turn, *content);
    } else if (content && content->is_array() && speaker_.provider == "mistral") {
      mistral_content(turn, *content);
    } else if (content) {
      turn.text = text_of(*content, "text");
    }
    const auto calls = list(message, "tool_calls");
    if (find(message, "tool_calls") && calls.empty()) problem("an empty list of calls");
    if (calls.empty() && turn.text.empty()) problem("an assistant message says nothing");
    for (const auto call : calls) chat_call(turn, call);
  }

  void chat_field(ReadTurn& turn, std::string_view key, dom::element value) {
    if (key == "role" || key == "content" || key == "tool_calls") return;
    const bool allowed = speaker_.wire == Wire::ollama ? key == "thinking"
                         : speaker_.wire == Wire::cohere
                             ? key == "tool_plan"
                             : std::ranges::any_of(replay_rules, [&](const auto& rule) {
                                 return rule.provider == speaker_.provider && rule.field == key;
                               });
    if (!allowed) problem(fmt::format("an assistant message has the field {}", key));
    if (const auto words = text(value)) turn.reasoning = *words;
  }

  void cohere_content(ReadTurn& turn, dom::element content) {
    for (const auto part : simdjson::dom::array(content.get_array().value_unsafe())) {
      const auto type = text(part, "type");
      if (type != "text" && type != "thinking") problem("content has a part of type " + type);
      const auto words = text(part, type);
      if (is_blank(words)) problem("content has a part without text");
      (type == "text" ? turn.text : turn.reasoning) += words;
    }
  }

  void mistral_content(ReadTurn& turn, dom::element content) {
    for (const auto part : simdjson::dom::array(content.get_array().value_unsafe())) {
      const auto type = text(part, "type");
      if (type == "thinking") {
        for (const auto piece : list(part, "thinking")) turn.reasoning += text(piece, "text");
        if (is_blank(turn.reasoning)) problem("thinking without text");
      } else {
        if (type != "text" || is_blank(text(part, "text"))) problem("content has a part of type " + type);
        turn.text += text(part, "text");
      }
    }
  }

  void chat_call(ReadTurn& turn, dom::element call) {
    const auto function = find(call, "function");
    if (!function) return problem("a call without a function");
    only_fields(*function, "a function", {"name", "arguments"});
    const auto arguments = find(*function, "arguments");
    if (speaker_.wire == Wire::ollama) {
      only_fields(call, "a call", {"id", "function"});
      return add_call(turn, text(call, "id"), text(*function, "name"),
                      arguments ? std::optional(tree::canonical(*arguments)) : std::nullopt);
    }
    only_fields(call, "a call", {"id", "type", "function"});
    if (text(call, "type") != "function") problem("a call is not of type function");
    const auto json = arguments ? text(*arguments) : std::nullopt;
    add_call(turn, text(call, "id"), text(*function, "name"), json ? tree::canonical(*json) : std::nullopt);
  }

  // Responses ----------------------------------------------------------------------------------------------------

  /// Items of one answer follow each other: reasoning, text, calls.
  ReadTurn& answering() { return last_role_ == "assistant" ? reading_.turns.back() : open("assistant"); }

  void responses(dom::element root) {
    if (const auto instructions = find(root, "instructions")) open("system").text = text(*instructions).value_or("");
    bool reasoned = false;
    for (const auto item : list(root, "input")) {
      const auto type = text(item, "type");
      if (type == "reasoning") {
        only_fields(item, "a reasoning item", {"id", "type", "summary", "encrypted_content", "content", "status"});
        if (text(item, "encrypted_content").empty()) problem("reasoning without its encrypted form");
        for (const auto part : list(item, "summary")) answering().reasoning += text(part, "text");
        static_cast<void>(answering());
      } else if (type == "function_call") {
        only_fields(item, "a call", {"type", "call_id", "name", "arguments"});
        add_call(answering(), text(item, "call_id"), text(item, "name"), tree::canonical(text(item, "arguments")));
      } else if (type == "function_call_output") {
        only_fields(item, "a result", {"type", "call_id", "output"});
        add_result(text(item, "call_id"), "", text(item, "output"));
      } else if (text(item, "role") == "assistant") {
        answering().text += text_of(find(item, "content").value(), "output_text");
      } else {
        open(text(item, "role")).text = text_of(find(item, "content").value(), "input_text");
      }
      if (reasoned && type != "message" && type != "function_call" && type != "reasoning") {
        problem("a reasoning item that nothing of its answer follows");
      }
      reasoned = type == "reasoning";
    }
  }

  // Anthropic ----------------------------------------------------------------------------------------------------

  void anthropic(dom::element root) {
    for (const auto part : list(root, "system")) {
      if (is_blank(text(part, "text"))) problem("an empty system text");
      open("system").text = text(part, "text");
    }
    const auto thinking = find(root, "thinking");
    const bool thinks = thinking && text(*thinking, "type") == "enabled";
    std::string before;
    std::string first_of_tool_turn;
    for (const auto message : list(root, "messages")) {
      const auto role = text(message, "role");
      if (role != "user" && role != "assistant") problem("there is no role " + role);
      if (before.empty() && role != "user") problem("the first message is not the user's");
      if (role == before) problem("two messages of " + role + " in a row");
      before = role;
      const auto blocks = list(message, "content");
      if (blocks.empty()) problem("a message without content");
      if (role == "assistant") {
        static_cast<void>(open("assistant"));
        first_of_tool_turn = blocks.empty() ? "" : text(blocks.front(), "type");
      }
      bool other = false;
      for (const auto block : blocks) {
        const auto type = text(block, "type");
        if (type == "tool_result" && other) problem("results do not come first");
        other = other || type != "tool_result";
        anthropic_block(block, type, role);
      }
      if (role == "assistant" && reading_.turns.back().calls.empty()) first_of_tool_turn.clear();
    }
    if (thinks && !first_of_tool_turn.empty() && first_of_tool_turn != "thinking") {
      problem("thinking is on after calls that were made without it");
    }
  }

  void anthropic_block(dom::element block, const std::string& type, const std::string& role) {
    if (type == "text") {
      if (is_blank(text(block, "text"))) problem("a text block without text");
      auto& turn = role == "user" ? open("user") : reading_.turns.back();
      turn.text += text(block, "text");
    } else if (type == "thinking" && role == "assistant") {
      only_fields(block, "thinking", {"type", "thinking", "signature"});
      if (text(block, "signature").empty()) problem("thinking without a signature");
      if (!reading_.turns.back().text.empty() || !reading_.turns.back().calls.empty()) problem("thinking comes late");
      reading_.turns.back().reasoning += text(block, "thinking");
    } else if (type == "tool_use" && role == "assistant") {
      only_fields(block, "a call", {"type", "id", "name", "input"});
      const auto input = find(block, "input");
      add_call(reading_.turns.back(), text(block, "id"), text(block, "name"),
               input ? std::optional(tree::canonical(*input)) : std::nullopt);
    } else if (type == "tool_result" && role == "user") {
      only_fields(block, "a result", {"type", "tool_use_id", "content"});
      const auto content = find(block, "content");
      add_result(text(block, "tool_use_id"), "", content ? text_of(*content, "text") : "");
    } else {
      problem(fmt::format("a block of type {} in a message of {}", type, role));
    }
  }

  // Gemini -------------------------------------------------------------------------------------------------------

  void gemini(dom::element root) {
    if (const auto system = find(root, "systemInstruction")) {
      for (const auto part : list(*system, "parts")) open("system").text = text(part, "text");
    }
    std::string before;
    for (const auto content : list(root, "contents")) {
      const auto role = text(content, "role");
      if (role != "user" && role != "model") problem("there is no role " + role);
      if (before.empty() && role != "user") problem("the first turn is not the user's");
      if (role == before) problem("two turns of " + role + " in a row");
      before = role;
      if (list(content, "parts").empty()) problem("a turn without parts");
      if (role == "model") static_cast<void>(open("assistant"));
      for (const auto part : list(content, "parts")) gemini_part(part, role);
    }
  }

  void gemini_part(dom::element part, const std::string& role) {
    const auto signature = text(part, "thoughtSignature");
    if (const auto call = find(part, "functionCall")) {
      auto& turn = reading_.turns.back();
      if (role != "model") problem("a call by the user");
      if (turn.calls.empty() && signature.empty()) problem("the first call of a turn is not signed");
      only_fields(*call, "a call", {"id", "name", "args"});
      const auto args = find(*call, "args");
      add_call(turn, text(*call, "id"), text(*call, "name"),
               args ? std::optional(tree::canonical(*args)) : std::nullopt);
    } else if (const auto result = find(part, "functionResponse")) {
      if (role != "user") problem("a result by the model");
      only_fields(*result, "a result", {"id", "name", "response"});
      const auto response = find(*result, "response");
      if (!response || !response->is_object()) return problem("a result is no object");
      const auto words = find(*response, "result");
      add_result(text(*result, "id"), text(*result, "name"),
                 words ? text(*words).value_or("") : simdjson::minify(*response));
    } else {
      const auto words = text(part, "text");
      if (words.empty() && signature.empty()) problem("a part without text");
      auto& turn = role == "user" ? open("user") : reading_.turns.back();
      const bool thought = find(part, "thought").has_value();
      if (thought && signature.empty()) problem("a thought without its signature");
      (thought ? turn.reasoning : turn.text) += words;
    }
  }

  const Speaker& speaker_;
  RequestReading reading_{};
  std::set<std::string> ids_{};
  std::string last_role_{};
};

}  // namespace

RequestReading read_request(const Speaker& speaker, std::string_view body) {
  return Reader(speaker).read(body);
}

}  // namespace tokenrail::conformance
