#include "common/registry/resolution.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "common/registry/near_names.hpp"

namespace tokenrail::registry {

namespace {

using events::ErrorCode;
using events::Failure;
using events::ModelState;

constexpr std::string_view list_command = "`tokenrail registry list`";

std::unexpected<Failure> refuse(ErrorCode code, std::string message, std::string_view provider = {}) {
  auto failure = Failure::of(code, std::move(message));
  failure.provider = provider;
  return std::unexpected(std::move(failure));
}

std::string name_of(const ModelState& model) {
  return fmt::format("{}/{}", model.provider, model.model_name);
}

std::string asked_name(const events::ModelReference& asked) {
  return asked.provider.empty() ? asked.name : fmt::format("{}/{}", asked.provider, asked.name);
}

struct Scope {
  std::string_view org_id;
  std::string_view user_id;
};

/// Nearest first.
std::vector<Scope> scopes_of(const events::ChatRequest& request) {
  std::vector<Scope> scopes;
  if (!request.user_id.empty()) scopes.push_back({request.org_id, request.user_id});
  scopes.push_back({request.org_id, {}});
  scopes.push_back({{}, {}});
  return scopes;
}

std::string_view scope_name(const ModelState& model) {
  if (!model.owner_user_id.empty()) return "user";
  return model.org_id.empty() ? "platform" : "organisation";
}

// ---- one model out of its rows ----------------------------------------------------------------------------------

/// What the nearest row leaves open comes from the rows above it.
void inherit(ModelState& nearest, const ModelState& outer) {
  const auto take = [](std::optional<std::int64_t>& mine, const std::optional<std::int64_t>& theirs) {
    if (!mine) mine = theirs;
  };
  take(nearest.context_window, outer.context_window);
  take(nearest.input_tokens_max, outer.input_tokens_max);
  take(nearest.output_tokens_max, outer.output_tokens_max);
  take(nearest.embedding_dimensions, outer.embedding_dimensions);
  for (const auto& [capability, support] : outer.capabilities) {
    auto& mine = nearest.capabilities[capability];
    if (mine == events::Support::unknown) mine = support;
  }
  if (nearest.deployments.empty() && !outer.deployments.empty()) {
    nearest.deployments = outer.deployments;
    // Whether a model is really there is known where its deployments are. An outer row that is merely disabled says
    // nothing about that.
    nearest.availability = outer.availability;
    nearest.missing_since_ms = outer.missing_since_ms;
    if (outer.availability == "missing" && outer.enabled && !outer.routable) nearest.routable = false;
  }
}

using Effective = std::expected<ModelState, Failure>;

/// The model as the caller may use it: the nearest row over those above it; blocks win from the top down.
Effective effective_model(const Projection& projection, const std::vector<Scope>& scopes, std::string_view provider,
                          std::string_view model_name) {
  std::optional<ModelState> model;
  const ModelState* blocked_by = nullptr;
  for (const auto& scope : scopes) {
    const auto* row = projection.find(scope.org_id, scope.user_id, provider, model_name);
    if (row == nullptr) continue;
    if (row->platform_blocked) blocked_by = row;
    if (!model) {
      model = *row;
    } else {
      inherit(*model, *row);
    }
  }
  const auto name = fmt::format("{}/{}", provider, model_name);
  if (!model) {
    return refuse(ErrorCode::model_not_found, fmt::format("The registry has no model {}.", name), provider);
  }
  if (blocked_by != nullptr) {
    return refuse(
        ErrorCode::model_not_enabled,
        fmt::format("The model {} is blocked at the {} level, which nothing below it can lift. Choose another "
                    "model ({}), or ask a {} administrator.",
                    name, scope_name(*blocked_by), list_command, scope_name(*blocked_by)),
        provider);
  }
  return std::move(*model);
}

// ---- the rules that one model has to pass -----------------------------------------------------------------------

bool is_usable(const ModelState& model) {
  return model.lifecycle != "retired" && model.enabled && model.routable;
}

/// Why the model cannot be used; nothing where is_usable().
std::optional<Failure> unusable(const ModelState& model) {
  if (is_usable(model)) return std::nullopt;
  const auto name = name_of(model);
  const auto no = [&](std::string message) {
    auto failure = Failure::of(ErrorCode::model_not_enabled, std::move(message));
    failure.provider = model.provider;
    return failure;
  };
  if (model.lifecycle == "retired")
    return no(fmt::format("The model {} is retired. Choose another model ({}).", name, list_command));
  if (!model.enabled) {
    return no(fmt::format("The model {} is disabled at the {} level. Enable it, or choose another model ({}).", name,
                          scope_name(model), list_command));
  }
  if (!model.routable && model.availability == "missing") {
    return no(
        fmt::format("The model {} is no longer offered by its provider. Install it there again and run `tokenrail "
                    "registry sync`, or choose another model ({}).",
                    name, list_command));
  }
  return no(fmt::format("The model {} cannot be routed to at the moment. See {} for its state, or choose another.",
                        name, list_command));
}

bool has_part(const events::ChatRequest& request, std::string_view type) {
  return std::ranges::any_of(request.messages, [&](const auto& message) {
    return std::ranges::any_of(message.content, [&](const auto& part) { return part.type == type; });
  });
}

std::int64_t text_bytes(const events::ChatRequest& request) {
  std::size_t bytes = 0;
  for (const auto& message : request.messages)
    for (const auto& part : message.content) bytes += part.text.size();
  return static_cast<std::int64_t>(bytes);
}

struct Need {
  std::string_view capability;
  std::string_view words;  ///< after "does not support"
  std::string_view advice;
};

/// Capabilities that the request cannot do without.
std::vector<Need> needs_of(const events::ChatRequest& request) {
  std::vector<Need> needs{{"chat", "chat", "Choose a chat model"}};
  const bool tools_off = request.tool_choice && request.tool_choice->mode == events::ToolChoice::Mode::none;
  if (!request.tools.empty() && !tools_off)
    needs.push_back({"tools", "tools", "Leave out `tools`, or choose a model that supports them"});
  if (has_part(request, "image"))
    needs.push_back({"vision", "images", "Leave out the image parts, or choose a model with vision"});
  if (has_part(request, "file"))
    needs.push_back({"files", "files", "Leave out the file parts, or choose a model that reads files"});
  if (has_part(request, "audio"))
    needs.push_back({"audio_in", "audio", "Leave out the audio parts, or choose a model that takes audio"});
  if (request.response_format) {
    using enum events::ResponseFormat::Kind;
    if (request.response_format->kind == json)
      needs.push_back({"json_mode", "JSON output", "Leave out `responseFormat`, or choose another model"});
    if (request.response_format->kind == json_schema)
      needs.push_back({"json_schema", "output by JSON Schema", "Leave out the schema, or choose another model"});
  }
  if (request.reasoning) {
    const auto& reasoning = *request.reasoning;
    const bool wanted = reasoning.enabled.value_or(!reasoning.effort.empty() || reasoning.tokens_max.has_value());
    if (wanted) needs.push_back({"reasoning", "reasoning", "Leave out `reasoning`, or choose a model that reasons"});
  }
  return needs;
}

/// Kinds that answer something other than a chat. A kind that this version does not know is let through: the provider
/// knows better.
bool answers_no_chat(std::string_view kind) {
  static constexpr std::array<std::string_view, 10> kinds{
      "embedding", "rerank", "classification", "ner", "image", "speech", "transcription", "moderation", "video", "ocr"};
  return std::ranges::find(kinds, kind) != kinds.end();
}

std::optional<Failure> fits(const ModelState& model, const events::ChatRequest& request) {
  const auto name = name_of(model);
  const auto no = [&](ErrorCode code, std::string message) {
    auto failure = Failure::of(code, std::move(message));
    failure.provider = model.provider;
    return failure;
  };
  if (answers_no_chat(model.kind)) {
    return no(
        ErrorCode::capability_unsupported,
        fmt::format("The model {} is of kind {} and cannot answer a chat. Choose a model of kind generation ({}).",
                    name, model.kind, list_command));
  }
  for (const auto& need : needs_of(request)) {
    const auto told = model.capabilities.find(std::string(need.capability));
    if (told == model.capabilities.end() || told->second != events::Support::unsupported) continue;
    return no(ErrorCode::capability_unsupported,
              fmt::format("The model {} does not support {}. {} ({}).", name, need.words, need.advice, list_command));
  }
  if (const auto limit = model.input_tokens_max ? model.input_tokens_max : model.context_window; limit && *limit > 0) {
    const auto bytes = text_bytes(request);
    if (bytes / prompt_bytes_per_token_max > *limit) {
      return no(ErrorCode::context_too_long,
                fmt::format("The messages hold {} bytes of text, far more than the {} tokens that the model {} can "
                            "read. Send fewer or shorter messages, or choose a model with a larger context ({}).",
                            bytes, *limit, name, list_command));
    }
  }
  if (request.tokens_max && model.output_tokens_max && *request.tokens_max > *model.output_tokens_max) {
    return no(ErrorCode::invalid_request,
              fmt::format("`maxTokens` is {}, but the model {} writes at most {} tokens. Ask for {} or fewer.",
                          *request.tokens_max, name, *model.output_tokens_max, *model.output_tokens_max));
  }
  return std::nullopt;
}

// ---- the order of deployments -----------------------------------------------------------------------------------

/// SplitMix64: spreads the caller's random bits over as many draws as a route needs.
std::uint64_t draw(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15ULL;
  auto z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

/// By priority; among equals each next one is drawn by weight. Weight 0 is a reserve: it comes after all that weigh.
std::vector<events::DeploymentState> in_order(std::vector<events::DeploymentState> deployments, std::uint64_t random) {
  std::ranges::sort(deployments, {}, [](const auto& d) { return std::pair(d.priority, std::string_view(d.id)); });
  // Large enough for any sensible weights, small enough that no sum overflows.
  static constexpr std::int64_t weight_max = 1'000'000;
  const auto weight_of = [](const auto& d) {
    return static_cast<std::uint64_t>(std::clamp<std::int64_t>(d.weight, 0, weight_max));
  };
  for (std::size_t at = 0; at < deployments.size(); ++at) {
    std::uint64_t total = 0;
    auto end = at;
    while (end < deployments.size() && deployments[end].priority == deployments[at].priority)
      total += weight_of(deployments[end++]);
    if (end - at < 2 || total == 0) continue;
    auto ticket = draw(random) % total;
    auto chosen = at;
    while (ticket >= weight_of(deployments[chosen])) ticket -= weight_of(deployments[chosen++]);
    std::swap(deployments[at], deployments[chosen]);
  }
  return deployments;
}

std::expected<std::vector<RouteTarget>, Failure> targets_of(ModelState model, const ResolutionRules& rules,
                                                            std::uint64_t random, std::vector<std::string>& warnings) {
  const auto name = name_of(model);
  std::vector<events::DeploymentState> callable;
  std::optional<Failure> failure;
  const auto leave_out = [&](ErrorCode code, std::string message) {
    warnings.push_back(message);
    if (failure) return;
    failure = Failure::of(code, std::move(message));
    failure->provider = model.provider;
  };
  bool any_disabled = false;
  for (const auto& deployment : model.deployments) {
    if (!deployment.enabled) {
      any_disabled = true;
    } else if (deployment.base_url.empty() || deployment.upstream_name.empty() || deployment.adapter.empty()) {
      leave_out(ErrorCode::invalid_model_config,
                fmt::format("The model {} has a deployment on connection {} without a base URL, an upstream name or an "
                            "adapter. Complete the connection.",
                            name, deployment.connection_name));
    } else if (!rules.adapters.empty() &&
               std::ranges::find(rules.adapters, deployment.adapter) == rules.adapters.end()) {
      leave_out(ErrorCode::unsupported_provider,
                fmt::format("The model {} is served through the adapter {}, which this version does not have (it has "
                            "{}). Choose a model of another provider ({}).",
                            name, deployment.adapter, fmt::join(rules.adapters, ", "), list_command));
    } else {
      callable.push_back(deployment);
    }
  }
  if (callable.empty()) {
    if (failure) return std::unexpected(std::move(*failure));
    if (any_disabled) {
      return refuse(ErrorCode::model_not_enabled,
                    fmt::format("Every connection that serves the model {} is disabled. Enable one, or choose another "
                                "model ({}).",
                                name, list_command),
                    model.provider);
    }
    return refuse(ErrorCode::invalid_model_config,
                  fmt::format("The model {} is served by no connection. Add one, or choose another model ({}).", name,
                              list_command),
                  model.provider);
  }
  std::vector<RouteTarget> targets;
  for (auto& deployment : in_order(std::move(callable), random))
    targets.push_back({.model = model, .deployment = std::move(deployment)});
  return targets;
}

// ---- from what was asked for to models --------------------------------------------------------------------------

/// `suggest`: with the names that may have been meant, which are looked for.
Failure not_found(const Projection& projection, const std::vector<Scope>& scopes, const events::ModelReference& asked,
                  bool suggest) {
  NearNames near(asked_name(asked), suggest ? 3 : 0);
  bool enough = !suggest;
  for (const auto& scope : scopes) {
    if (enough) break;
    projection.for_each_in_order(scope.org_id, scope.user_id, [&](const ModelState& model) {
      enough = !near.look_at(asked.provider.empty() ? std::string_view() : model.provider, model.model_name);
      return !enough;
    });
  }
  const auto names = near.found();
  const auto hint = names.empty() ? std::string() : fmt::format(" Did you mean {}?", fmt::join(names, " or "));
  auto failure =
      Failure::of(ErrorCode::model_not_found, fmt::format("The registry has no model {}.{} See {} for those there are.",
                                                          asked_name(asked), hint, list_command));
  failure.provider = asked.provider;
  return failure;
}

/// The provider and exact name that a reference means, or nothing.
std::optional<events::ModelReference> identify(const Projection& projection, const std::vector<Scope>& scopes,
                                               const events::ModelReference& asked,
                                               std::vector<std::string>& warnings) {
  if (!asked.provider.empty()) {
    for (const auto& scope : scopes)
      if (projection.find(scope.org_id, scope.user_id, asked.provider, asked.name) != nullptr) return asked;
  } else {
    for (const auto& scope : scopes) {
      if (const auto* model = projection.with_slug(scope.org_id, scope.user_id, asked.name))
        return events::ModelReference{.provider = model->provider, .name = model->model_name};
      const auto named = projection.named(scope.org_id, scope.user_id, asked.name);
      if (named.empty()) continue;
      if (named.size() > 1) {
        warnings.push_back(fmt::format("{} providers have a model {}; {} was taken. Name `modelProvider` to choose.",
                                       named.size(), asked.name, named.front()->provider));
      }
      return events::ModelReference{.provider = named.front()->provider, .name = asked.name};
    }
  }
  // Ollama lists "llama3.2:latest" and takes "llama3.2" to mean it; so do people.
  const auto slash = asked.name.rfind('/');
  const bool tagged = asked.name.find(':', slash == std::string::npos ? 0 : slash) != std::string::npos;
  if (tagged || (!asked.provider.empty() && asked.provider != "ollama")) return std::nullopt;
  const auto latest = asked.name + ":latest";
  for (const auto& scope : scopes) {
    if (projection.find(scope.org_id, scope.user_id, "ollama", latest) != nullptr)
      return events::ModelReference{.provider = "ollama", .name = latest};
    if (!asked.provider.empty()) continue;
    if (const auto* model = projection.with_slug(scope.org_id, scope.user_id, latest);
        model != nullptr && model->provider == "ollama")
      return events::ModelReference{.provider = model->provider, .name = model->model_name};
  }
  return std::nullopt;
}

struct Asking {
  const Projection& projection;
  const events::ChatRequest& request;
  const ResolutionRules& rules;
  std::vector<Scope> scopes;
  std::uint64_t random;
};

using Targets = std::expected<std::vector<RouteTarget>, Failure>;

Targets resolve_exact(Asking& asking, const events::ModelReference& model, std::vector<std::string>& warnings) {
  auto effective = effective_model(asking.projection, asking.scopes, model.provider, model.name);
  if (!effective) return std::unexpected(std::move(effective.error()));
  if (auto failure = unusable(*effective)) return std::unexpected(std::move(*failure));
  if (auto failure = fits(*effective, asking.request)) return std::unexpected(std::move(*failure));
  return targets_of(std::move(*effective), asking.rules, draw(asking.random), warnings);
}

/// `suggest`: a name that nobody has is answered with those that may have been meant.
Targets resolve_reference(Asking& asking, const events::ModelReference& asked, bool suggest,
                          std::vector<std::string>& warnings) {
  if (asked.provider.empty() && asked.name == "auto") {
    return refuse(ErrorCode::invalid_request,
                  fmt::format("`modelName` \"auto\" (selection by requirements) is not supported by this version yet. "
                              "Name a model ({}), or leave `modelName` out for the default.",
                              list_command));
  }
  const auto exact = identify(asking.projection, asking.scopes, asked, warnings);
  if (!exact) return std::unexpected(not_found(asking.projection, asking.scopes, asked, suggest));
  return resolve_exact(asking, *exact, warnings);
}

/// Whether the provider has stopped listing what serves that row.
bool is_missing(const Asking& asking, const ModelState& row) {
  if (!row.deployments.empty()) return row.availability == "missing";
  const auto model = effective_model(asking.projection, asking.scopes, row.provider, row.model_name);
  return model && model->availability == "missing";
}

/// The default pointer of the nearest scope; then, unless rules are strict, the first model that can answer this
/// request: one that is missing, and still tried within its grace, only where there is no other.
Targets resolve_default(Asking& asking, std::vector<std::string>& warnings) {
  std::optional<Failure> first_failure;
  const auto attempt = [&](const ModelState& row, bool pointed_at) -> std::optional<Targets> {
    std::vector<std::string> own_warnings;
    auto targets = resolve_exact(asking, {.provider = row.provider, .name = row.model_name}, own_warnings);
    if (targets || targets.error().code == ErrorCode::invalid_request) {
      warnings.insert(warnings.end(), own_warnings.begin(), own_warnings.end());
      return targets;
    }
    if (pointed_at) warnings.push_back(fmt::format("The default model could not be used: {}", targets.error().message));
    if (!first_failure) first_failure = std::move(targets.error());
    return std::nullopt;
  };
  for (const auto& scope : asking.scopes) {
    for (const auto* row : asking.projection.defaults(scope.org_id, scope.user_id)) {
      if (answers_no_chat(row->kind)) continue;
      if (auto targets = attempt(*row, true)) return std::move(*targets);
    }
  }
  if (first_failure && asking.rules.strict_default) return std::unexpected(std::move(*first_failure));
  if (asking.rules.strict_default) {
    return refuse(ErrorCode::model_not_found,
                  fmt::format("The request names no model and no default is set. Name one ({}), or set a default.",
                              list_command));
  }
  std::optional<Targets> found;
  bool any_missing = false;
  const auto look_in = [&](const Scope& scope, bool missing) {
    asking.projection.for_each_in_order(scope.org_id, scope.user_id, [&](const ModelState& row) {
      if (row.kind != "generation") return true;
      // Most registries hold many more models than are enabled: pass over those without copying them, and without
      // words.
      if (!is_usable(row)) {
        if (!first_failure) first_failure = unusable(row);
        return true;
      }
      if (is_missing(asking, row) != missing) {
        any_missing = true;
        return true;
      }
      found = attempt(row, false);
      return !found.has_value();
    });
    return found.has_value();
  };
  for (const bool missing : {false, true}) {
    for (const auto& scope : asking.scopes)
      if (look_in(scope, missing)) return std::move(*found);
    if (!any_missing) break;
  }
  if (first_failure) return std::unexpected(std::move(*first_failure));
  return refuse(ErrorCode::model_not_found,
                "The request names no model, and the registry has none that can chat. Install one (`ollama pull "
                "llama3.2`), run `tokenrail registry sync`, and ask again.");
}

}  // namespace

std::expected<Route, Failure> resolve(const Projection& projection, const events::ChatRequest& request,
                                      const ResolutionRules& rules, std::uint64_t random) {
  Asking asking{
      .projection = projection, .request = request, .rules = rules, .scopes = scopes_of(request), .random = random};
  Route route;
  auto primary = request.model ? resolve_reference(asking, *request.model, true, route.warnings)
                               : resolve_default(asking, route.warnings);
  if (primary) {
    route.targets = std::move(*primary);
  } else if (primary.error().code == ErrorCode::invalid_request || request.fallbacks.empty()) {
    return std::unexpected(std::move(primary.error()));
  } else {
    route.warnings.push_back(fmt::format("A fallback answers: {}", primary.error().message));
  }
  for (const auto& fallback : request.fallbacks) {
    std::vector<std::string> own_warnings;
    // A request may name many fallbacks: only its model is worth a search.
    auto targets = resolve_reference(asking, fallback, false, own_warnings);
    if (!targets) {
      route.warnings.push_back(
          fmt::format("The fallback {} was left out: {}", asked_name(fallback), targets.error().message));
      continue;
    }
    route.warnings.insert(route.warnings.end(), own_warnings.begin(), own_warnings.end());
    for (auto& target : *targets) {
      const auto same = [&](const RouteTarget& other) { return other.deployment.id == target.deployment.id; };
      if (std::ranges::none_of(route.targets, same)) route.targets.push_back(std::move(target));
    }
  }
  if (route.targets.empty()) return std::unexpected(std::move(primary.error()));
  return route;
}

}  // namespace tokenrail::registry
