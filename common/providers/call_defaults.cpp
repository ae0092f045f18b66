#include "common/providers/call_defaults.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <simdjson.h>

#include "common/events/json_writer.hpp"
#include "common/providers/provider.hpp"

namespace tokenrail::providers {

namespace {

using events::ChatRequest;
using events::DeploymentState;
using simdjson::dom::element;
using simdjson::dom::object;

/// Fields of the providers' bodies that say the same as a field of a request, at the top or inside an object.
struct SameMeaning {
  std::string_view field;
  bool (*asked)(const ChatRequest& request);
};
bool asks_temperature(const ChatRequest& request) {
  return request.temperature.has_value();
}
bool asks_top_p(const ChatRequest& request) {
  return request.top_p.has_value();
}
bool asks_top_k(const ChatRequest& request) {
  return request.top_k.has_value();
}
bool asks_tokens_max(const ChatRequest& request) {
  return request.tokens_max.has_value();
}
bool asks_stop(const ChatRequest& request) {
  return !request.stop.empty();
}
bool asks_seed(const ChatRequest& request) {
  return request.seed.has_value();
}
bool asks_tool_choice(const ChatRequest& request) {
  return request.tool_choice.has_value();
}
bool asks_format(const ChatRequest& request) {
  return request.response_format.has_value();
}
bool asks_reasoning(const ChatRequest& request) {
  return request.reasoning.has_value();
}
constexpr std::array<SameMeaning, 33> same_meanings{{
    {"temperature", asks_temperature},
    {"top_p", asks_top_p},
    {"topP", asks_top_p},
    {"p", asks_top_p},
    {"top_k", asks_top_k},
    {"topK", asks_top_k},
    {"k", asks_top_k},
    {"max_tokens", asks_tokens_max},
    {"max_completion_tokens", asks_tokens_max},
    {"max_output_tokens", asks_tokens_max},
    {"maxOutputTokens", asks_tokens_max},
    {"num_predict", asks_tokens_max},
    {"stop", asks_stop},
    {"stop_sequences", asks_stop},
    {"stopSequences", asks_stop},
    {"seed", asks_seed},
    {"random_seed", asks_seed},
    {"tool_choice", asks_tool_choice},
    {"toolConfig", asks_tool_choice},
    {"format", asks_format},
    {"response_format", asks_format},
    {"text", asks_format},
    {"output_config", asks_format},
    {"output_format", asks_format},
    {"responseMimeType", asks_format},
    {"responseSchema", asks_format},
    {"responseJsonSchema", asks_format},
    {"think", asks_reasoning},
    {"thinking", asks_reasoning},
    {"thinkingConfig", asks_reasoning},
    {"reasoning", asks_reasoning},
    {"reasoning_effort", asks_reasoning},
    {"effort", asks_reasoning},
}};

/// The key of `providerConfig` that the deployment's adapter reads.
std::string config_key(const DeploymentState& deployment) {
  const auto* const adapter = find_provider(deployment.adapter);
  return adapter == nullptr ? deployment.provider : std::string(adapter->config_key(deployment.provider));
}

/// `defaults` under `own`: fields of both are the request's, objects of both are laid over each other.
void lay_under(events::JsonWriter& json, const object* own, const object& defaults, const ChatRequest& request) {
  const auto write = [&](std::string_view name, const element& value, const object* own_part, const object* part) {
    if (part == nullptr) {
      json.raw_field(name, simdjson::minify(value));
      return;
    }
    json.begin_object(name);
    lay_under(json, own_part, *part, request);
    json.end_object();
  };
  if (own != nullptr) {
    for (const auto field : *own) {
      object mine;
      object theirs;
      const bool both = field.value.get_object().get(mine) == simdjson::SUCCESS &&
                        defaults.at_key(field.key).get_object().get(theirs) == simdjson::SUCCESS;
      write(field.key, field.value, &mine, both ? &theirs : nullptr);
    }
  }
  for (const auto field : defaults) {
    if (own != nullptr && own->at_key(field.key).error() == simdjson::SUCCESS) continue;
    const auto* const same = std::ranges::find(same_meanings, field.key, &SameMeaning::field);
    if (same != same_meanings.end() && same->asked(request)) continue;
    object theirs;
    const bool is_object = field.value.get_object().get(theirs) == simdjson::SUCCESS;
    write(field.key, field.value, nullptr, is_object ? &theirs : nullptr);
  }
}

/// Lays a JSON object under the request's own fields of the provider.
void lay_config_under(ChatRequest& request, const std::string& key, std::string_view defaults_text) {
  simdjson::dom::parser own_parser;
  simdjson::dom::parser parser;
  object defaults;
  if (parser.parse(defaults_text).get_object().get(defaults) != simdjson::SUCCESS) return;
  auto& config = request.provider_config[key];
  object own;
  if (config.empty()) config = "{}";
  if (own_parser.parse(config).get_object().get(own) != simdjson::SUCCESS) return;  // the adapter refuses it by name
  std::string merged;
  events::JsonWriter json(merged);
  json.begin_object();
  lay_under(json, &own, defaults, request);
  json.end_object();
  config = std::move(merged);
}

}  // namespace

CallParameters call_parameters(const ChatRequest& request, const events::ModelState& model,
                               const DeploymentState& deployment) {
  const auto& defaults = deployment.parameters;
  CallParameters out{.temperature = request.temperature ? request.temperature : defaults.temperature,
                     .top_p = request.top_p ? request.top_p : defaults.top_p,
                     .top_k = request.top_k ? request.top_k : defaults.top_k,
                     .tokens_max = request.tokens_max};
  if (!out.tokens_max && defaults.tokens_max) {
    out.tokens_max = std::min(*defaults.tokens_max, model.output_tokens_max.value_or(*defaults.tokens_max));
  }
  return out;
}

std::optional<ChatRequest> with_defaults(const ChatRequest& request, const events::ModelState& model,
                                         const DeploymentState& deployment) {
  const auto& defaults = deployment.parameters;
  if (defaults.empty()) return std::nullopt;
  auto filled = request;
  const auto key = config_key(deployment);
  // Before the parameters: a default of both kinds is the providerConfig's, as it is for a request.
  if (!defaults.provider_config.empty()) lay_config_under(filled, key, defaults.provider_config);
  const auto* const adapter = find_provider(deployment.adapter);
  const auto own = adapter == nullptr ? std::string() : adapter->own_defaults(defaults);
  if (!own.empty()) lay_config_under(filled, key, own);
  auto parameters = call_parameters(request, model, deployment);
  filled.temperature = parameters.temperature;
  filled.top_p = parameters.top_p;
  filled.top_k = parameters.top_k;
  filled.tokens_max = parameters.tokens_max;
  if (filled.stop.empty()) filled.stop = defaults.stop;
  return filled;
}

bool declares_continuing(const DeploymentState& deployment) {
  constexpr std::string_view field = "continue_final_message";
  const std::string_view config = deployment.parameters.provider_config;
  if (config.find(field) == std::string_view::npos) return false;
  simdjson::dom::parser parser;
  bool declared = false;
  return parser.parse(config)[field].get(declared) == simdjson::SUCCESS && declared;
}

std::optional<ServiceTier> service_tier(const ChatRequest& request, const DeploymentState& deployment) {
  const auto own = request.provider_config.find(config_key(deployment));
  for (const auto& config : {own == request.provider_config.end() ? std::string_view() : std::string_view(own->second),
                             std::string_view(deployment.parameters.provider_config)}) {
    constexpr std::string_view field = "service_tier";
    if (config.find(field) == std::string_view::npos) continue;
    simdjson::dom::parser parser;
    simdjson::dom::element value;
    std::string_view word;
    if (parser.parse(config)[field].get(value) != simdjson::SUCCESS || value.is_null()) continue;
    if (value.get(word) != simdjson::SUCCESS) return std::nullopt;
    if (word == "auto" || word == "default" || word == "standard_only") return ServiceTier::standard;
    return service_tier_from(word);
  }
  return ServiceTier::standard;
}

}  // namespace tokenrail::providers
