#include "common/providers/openai/chat_body.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_writer.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/openai/messages.hpp"
#include "common/providers/openai_models.hpp"
#include "common/providers/profile.hpp"
#include "common/providers/provider_config.hpp"

namespace tokenrail::providers::openai {

namespace {

namespace dom = simdjson::dom;
using events::ChatRequest;
using Warnings = std::vector<std::string>;
using Mode = events::ToolChoice::Mode;

/// All words for how hard to think, rising; what a profile lacks becomes the nearest that it has.
constexpr std::array<std::string_view, 7> effort_ranks = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};

std::ptrdiff_t rank_of(std::string_view word) {
  return std::ranges::find(effort_ranks, word) - effort_ranks.begin();
}

constexpr std::string_view continue_switch = "continue_final_message";
constexpr std::string_view prompt_switch = "add_generation_prompt";

class Body {
 public:
  Body(std::string& out, const ChatRequest& request, const Target& target, const ChatProfile& profile,
       ProviderConfig config, Warnings& warnings)
      : json_(out),
        request_(request),
        target_(target),
        profile_(profile),
        config_(std::move(config)),
        warnings_(warnings),
        title_(title_of(target.provider)) {}

  Result<void> write() {
    json_.begin_object();
    json_.field("model", target_.upstream_name);
    if (auto written = write_messages(json_, request_, profile_, title_, target_.provider); !written) return written;
    // Servers refuse the switch behind any other message, so it is never laid over a request as it is.
    const bool declared = config_.take(continue_switch) == "true";
    (void)config_.take(prompt_switch);
    if ((declared || profile_.prefill == Prefill::switched) && !request_.messages.empty() &&
        request_.messages.back().role == events::Role::assistant) {
      json_.field(prompt_switch, false);
      json_.field(continue_switch, true);
    }
    json_.field("stream", request_.stream);
    if (request_.stream && profile_.asks_for_usage && !config_.has("stream_options")) {
      json_.raw_field("stream_options", R"({"include_usage":true})");
    }
    write_sampling();
    if (auto written = write_stop(); !written) return written;
    if (auto written = write_tools(); !written) return written;
    if (auto written = write_format(); !written) return written;
    write_reasoning();
    config_.write(json_);
    json_.end_object();
    return {};
  }

 private:
  void write_sampling() {
    if (request_.tokens_max && !config_.has("max_tokens") && !config_.has("max_completion_tokens")) {
      json_.field(profile_.tokens_max, *request_.tokens_max);
    }
    const bool own_sampling = samples_by_itself();
    const auto sampling = [&](std::string_view name, std::string_view ours, const std::optional<double>& value) {
      if (!value || config_.has(name)) return;
      if (!own_sampling || *value == 1.0) return json_.field(name, *value);
      warnings_.push_back(fmt::format("{}: {} does not take it while it reasons; it was left out.", ours,
                                      quotable(target_.upstream_name, 200)));
    };
    sampling("temperature", "temperature", request_.temperature);
    sampling("top_p", "topP", request_.top_p);
    if (request_.top_k && !config_.has("top_k")) {
      if (profile_.top_k) {
        json_.field("top_k", *request_.top_k);
      } else {
        warnings_.push_back(fmt::format("topK: {} has no such parameter; it was left out.", title_));
      }
    }
    if (request_.seed && !config_.has(profile_.seed)) {
      if (!profile_.seed.empty()) {
        json_.field(profile_.seed, *request_.seed);
      } else {
        warnings_.push_back(fmt::format("seed: {} has no such parameter; it was left out.", title_));
      }
    }
  }

  [[nodiscard]] bool samples_by_itself() const {
    return profile_.provider == "openai" && !openai_model(target_.upstream_name).samples(request_.reasoning);
  }

  Result<void> write_stop() {
    if (request_.stop.empty() || config_.has("stop")) return {};
    if (profile_.stop_max > 0 && request_.stop.size() > profile_.stop_max) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("stop: {} takes at most {} stop sequences; leave some out", title_, profile_.stop_max));
    }
    json_.begin_array("stop");
    for (const auto& stop : request_.stop) json_.element(stop);
    json_.end_array();
    return {};
  }

  Result<void> write_tools() {
    const auto mode = request_.tool_choice ? request_.tool_choice->mode : Mode::automatic;
    const bool forced = mode == Mode::required || mode == Mode::named;
    const bool choosable = profile_.tool_choices != ToolChoices::none;
    if (request_.tools.empty() || (mode == Mode::none && !choosable)) return {};
    if (forced && !choosable) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("toolChoice: {} cannot be made to call a tool; ask for \"auto\", or choose a model of "
                              "another provider",
                              title_));
    }
    // A server that knows no names can still be made to call this one tool: by knowing no other.
    const bool only_named = mode == Mode::named && profile_.tool_choices == ToolChoices::words_only;
    json_.begin_array("tools");
    for (const auto& tool : request_.tools) {
      if (only_named && tool.name != request_.tool_choice->name) continue;
      json_.begin_object();
      json_.field("type", "function");
      json_.begin_object("function");
      json_.field("name", tool.name);
      if (!tool.description.empty()) json_.field("description", tool.description);
      json_.raw_field("parameters", tool.parameters.empty() ? R"({"type":"object","properties":{}})" : tool.parameters);
      json_.end_object();
      json_.end_object();
    }
    json_.end_array();
    if (!request_.tool_choice || !choosable || config_.has("tool_choice")) return {};
    if (mode == Mode::automatic) json_.field("tool_choice", "auto");
    if (mode == Mode::none) json_.field("tool_choice", "none");
    if (mode == Mode::required || only_named) json_.field("tool_choice", profile_.tool_required);
    if (mode != Mode::named || only_named) return {};
    json_.begin_object("tool_choice");
    json_.field("type", "function");
    json_.begin_object("function");
    json_.field("name", request_.tool_choice->name);
    json_.end_object();
    json_.end_object();
    return {};
  }

  Result<void> write_format() {
    using Kind = events::ResponseFormat::Kind;
    if (!request_.response_format || config_.has("response_format")) return {};
    const auto& format = *request_.response_format;
    if (format.kind == Kind::text) return {};
    const bool schema = format.kind == Kind::json_schema;
    if (schema && profile_.schemas == Schemas::none) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("responseFormat: {} cannot hold an answer to a JSON schema; ask for JSON without one, or "
                              "choose another model",
                              title_));
    }
    json_.begin_object("response_format");
    if (profile_.schemas == Schemas::tgi) {
      json_.field("type", "json");
      json_.raw_field("value", schema ? format.schema : R"({"type":"object"})");
    } else if (!schema) {
      json_.field("type", "json_object");
    } else {
      json_.field("type", "json_schema");
      json_.begin_object("json_schema");
      json_.field("name", "response");
      json_.raw_field("schema", format.schema);
      if (is_strict_schema(format.schema)) json_.field("strict", true);
      json_.end_object();
    }
    json_.end_object();
    return {};
  }

  void write_reasoning() {
    if (!request_.reasoning) return;
    const auto& reasoning = *request_.reasoning;
    auto effort = std::string_view(reasoning.effort);
    if (!effort.empty() && rank_of(effort) == std::ssize(effort_ranks)) {
      warnings_.push_back(fmt::format(
          "reasoning.effort: \"{}\" is not known (none, minimal, low, medium, high, xhigh, max); it was left out.",
          quotable(effort, 60)));
      effort = "";
    }
    const bool off = (reasoning.enabled && !*reasoning.enabled) || effort == "none";
    const bool on = !off && (reasoning.enabled.value_or(false) || !effort.empty());
    if (profile_.reasoning_object) return write_reasoning_object(reasoning, effort, off, on);
    if (reasoning.tokens_max && !off) write_budget(*reasoning.tokens_max);
    if (off) return write_off();
    if (effort.empty()) {
      if (reasoning.enabled) write_on();
      return;
    }
    if (profile_.efforts.empty()) {
      write_on();
      warnings_.push_back(fmt::format("reasoning.effort: {} has no such parameter; it was left out.", title_));
      return;
    }
    if (config_.has("reasoning_effort")) return;
    const auto word = nearest(effort);
    if (word != effort) {
      warnings_.push_back(fmt::format("reasoning.effort: {} has no \"{}\"; \"{}\" was sent.", title_, effort, word));
    }
    json_.field("reasoning_effort", word);
    if (reasoning.enabled && !profile_.reasoning.field.empty()) write_switch(profile_.reasoning.on);
  }

  void write_reasoning_object(const events::Reasoning& reasoning, std::string_view effort, bool off, bool on) {
    if (config_.has("reasoning") || (!off && !on && !reasoning.tokens_max)) return;
    json_.begin_object("reasoning");
    if (off) {
      json_.field("enabled", false);
    } else if (reasoning.tokens_max) {
      json_.field("max_tokens", *reasoning.tokens_max);  // takes no effort beside it
    } else if (!effort.empty()) {
      json_.field("effort", effort);
    } else {
      json_.field("enabled", true);
    }
    json_.end_object();
  }

  void write_budget(std::int64_t tokens) {
    if (!profile_.reasoning_budget.empty()) {
      if (!config_.has(profile_.reasoning_budget)) json_.field(profile_.reasoning_budget, tokens);
      return;
    }
    warnings_.push_back(fmt::format(
        "reasoning.maxTokens: {} cannot bound reasoning by itself; maxTokens bounds all of the answer.", title_));
  }

  void write_off() {
    if (!profile_.reasoning.field.empty()) return write_switch(profile_.reasoning.off);
    if (std::ranges::find(profile_.efforts, "none") != profile_.efforts.end()) {
      if (!config_.has("reasoning_effort")) json_.field("reasoning_effort", "none");
      return;
    }
    warnings_.push_back(fmt::format("reasoning: {} has no parameter that switches it off.", title_));
  }

  void write_on() {
    if (!profile_.reasoning.field.empty()) return write_switch(profile_.reasoning.on);
    if (profile_.effort_on.empty() || config_.has("reasoning_effort")) return;
    json_.field("reasoning_effort", profile_.effort_on);
  }

  void write_switch(std::string_view value) {
    if (!config_.has(profile_.reasoning.field)) json_.raw_field(profile_.reasoning.field, value);
  }

  /// Of two that are as near, the higher one. Never "none", which is no effort.
  [[nodiscard]] std::string_view nearest(std::string_view effort) const {
    std::string_view best;
    for (const auto word : profile_.efforts) {
      if (word == "none") continue;
      if (best.empty() || std::abs(rank_of(word) - rank_of(effort)) <= std::abs(rank_of(best) - rank_of(effort))) {
        best = word;
      }
    }
    return best;
  }

  events::JsonWriter json_;
  const ChatRequest& request_;
  const Target& target_;
  const ChatProfile& profile_;
  ProviderConfig config_;
  Warnings& warnings_;
  const std::string_view title_;
};

std::size_t expected_bytes(const ChatRequest& request) {
  std::size_t bytes = 512;
  for (const auto& message : request.messages) {
    bytes += 128 + message.reasoning.size();
    for (const auto& part : message.content) bytes += part.text.size() + part.text.size() / 8 + part.data.size();
    for (const auto& block : message.provider_blocks) bytes += block.data.size();
  }
  for (const auto& tool : request.tools) bytes += 128 + tool.description.size() + tool.parameters.size();
  return bytes;
}

bool is_strict(dom::element schema);

bool is_strict_object(dom::object object) {
  bool open = true;
  if (object["additionalProperties"].get_bool().get(open) != simdjson::SUCCESS || open) return false;
  dom::object properties;
  if (object["properties"].get_object().get(properties) != simdjson::SUCCESS) return true;
  dom::array required;
  if (object["required"].get_array().get(required) != simdjson::SUCCESS) return properties.size() == 0;
  // As a set, because a search through the list for each property would be a square of the schema.
  std::set<std::string_view> needed;
  for (const auto one : required) {
    std::string_view name;
    if (one.get_string().get(name) == simdjson::SUCCESS) needed.insert(name);
  }
  for (const auto property : properties) {
    if (!needed.contains(property.key) || !is_strict(property.value)) return false;
  }
  return true;
}

bool all_strict(dom::element schemas) {
  if (dom::array array; schemas.get_array().get(array) == simdjson::SUCCESS) {
    return std::ranges::all_of(array, [](dom::element one) { return is_strict(one); });
  }
  dom::object object;
  if (schemas.get_object().get(object) != simdjson::SUCCESS) return false;
  return std::ranges::all_of(object, [](const auto& field) { return is_strict(field.value); });
}

bool is_strict(dom::element schema) {
  dom::object object;
  if (schema.get_object().get(object) != simdjson::SUCCESS) return false;
  dom::element part;
  for (const auto* const name : {"anyOf", "$defs", "definitions"}) {
    if (object[name].get(part) == simdjson::SUCCESS && !all_strict(part)) return false;
  }
  for (const auto* const name : {"allOf", "oneOf", "not", "patternProperties", "if"}) {
    if (object[name].get(part) == simdjson::SUCCESS) return false;
  }
  if (object["items"].get(part) == simdjson::SUCCESS && !is_strict(part)) return false;
  std::string_view type;
  const bool is_object = object["properties"].get(part) == simdjson::SUCCESS ||
                         (object["type"].get_string().get(type) == simdjson::SUCCESS && type == "object");
  return !is_object || is_strict_object(object);
}

}  // namespace

bool is_strict_schema(std::string_view schema) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(schema.data(), schema.size()).get(root) != simdjson::SUCCESS) return false;
  // The root is an object and no choice between several.
  std::string_view type;
  if (root["type"].get_string().get(type) != simdjson::SUCCESS || type != "object") return false;
  return root["anyOf"].error() != simdjson::SUCCESS && is_strict(root);
}

Result<std::string> chat_body(const ChatRequest& request, const Target& target, const ChatProfile& profile,
                              Warnings& warnings) {
  auto config = ProviderConfig::read(request, target.provider, warnings, {});
  if (!config) return std::unexpected(config.error());
  std::string body;
  body.reserve(expected_bytes(request));
  if (auto written = Body(body, request, target, profile, std::move(*config), warnings).write(); !written) {
    return std::unexpected(written.error());
  }
  return body;
}

}  // namespace tokenrail::providers::openai
