#include "common/registry/route.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace tokenrail::registry {

using events::DeploymentState;
using events::ErrorCode;

namespace {

// Large enough for any sensible weights, small enough that no sum overflows.
constexpr std::int64_t weight_max = 1'000'000;

std::uint64_t weight_of(std::int64_t weight) {
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(weight, 0, weight_max));
}

std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

enum class Callable { yes, disabled, blocked, not_granted, incomplete, other_adapter };

Callable callable(const EffectiveModel& model, const DeploymentState& deployment, const Access& access,
                  const ModelAccess& granted, const ResolutionRules& rules) {
  if (!deployment.enabled) return Callable::disabled;
  if (access.blocked_upstream(model, deployment) != nullptr) return Callable::blocked;
  if (!access.may_call(deployment, granted)) return Callable::not_granted;
  if (deployment.base_url.empty() || deployment.upstream_name.empty() || deployment.adapter.empty())
    return Callable::incomplete;
  if (!rules.adapters.empty() && std::ranges::find(rules.adapters, deployment.adapter) == rules.adapters.end())
    return Callable::other_adapter;
  return Callable::yes;
}

/// Why an enabled deployment is left out: the text and the code that it would be refused with.
struct LeftOut {
  ErrorCode code;
  std::string detail;
  std::string advice;
};

std::optional<LeftOut> left_out(const std::string& name, const DeploymentState& deployment, Callable callable,
                                const ResolutionRules& rules) {
  switch (callable) {
    case Callable::incomplete:
      return LeftOut{ErrorCode::invalid_model_config,
                     fmt::format("The model {} has a deployment on connection {} without a base URL, an upstream name "
                                 "or an adapter.",
                                 name, deployment.connection_name),
                     "Complete the connection."};
    case Callable::other_adapter:
      return LeftOut{ErrorCode::unsupported_provider,
                     fmt::format("The model {} is served through the adapter {}, which this version does not have (it "
                                 "has {}).",
                                 name, deployment.adapter, fmt::join(rules.adapters, ", ")),
                     fmt::format("Choose a model of another provider ({}).", list_command)};
    case Callable::not_granted:
      return LeftOut{
          ErrorCode::model_not_enabled,
          fmt::format("The model {} is served by connection {}, which is not granted to the caller.", name,
                      deployment.connection_name),
          fmt::format("Ask an organisation administrator for a grant, or choose another model ({}).", list_command)};
    case Callable::blocked:
      return LeftOut{ErrorCode::model_not_enabled,
                     fmt::format("The model {} is served by connection {} as {}, which the platform blocks.", name,
                                 deployment.connection_name, deployment.upstream_name),
                     fmt::format("Choose another model ({}), or ask a platform administrator.", list_command)};
    case Callable::yes:
    case Callable::disabled:
      break;
  }
  return std::nullopt;
}

std::string name_text(const EffectiveModel& model) {
  return text_of({model.nearest().provider, model.nearest().model_name});
}

}  // namespace

std::uint64_t draw(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15ULL;
  return mixed(state);
}

std::uint64_t stable_hash(std::string_view text, std::uint64_t seed) {
  // FNV-1a, whose low bits alone are poor; mixed() spreads them.
  std::uint64_t hash = 0xcbf29ce484222325ULL ^ seed;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return mixed(hash);
}

std::vector<std::size_t> drawn_order(const std::vector<events::AliasTarget>& targets, std::uint64_t seed) {
  // Weighted rendezvous hashing: each target has its own number for the seed, and the smallest wins.
  std::vector<double> scores;
  for (const auto& target : targets) {
    const auto weight = weight_of(target.weight);
    if (weight == 0) {
      scores.push_back(std::numeric_limits<double>::infinity());
      continue;
    }
    const auto hash = stable_hash(target.model.name, stable_hash(target.model.provider, seed));
    const auto uniform = (static_cast<double>(hash >> 11U) + 0.5) * 0x1p-53;
    scores.push_back(-std::log(uniform) / static_cast<double>(weight));
  }
  std::vector<std::size_t> order(targets.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t at) { return std::pair(scores[at], at); });
  return order;
}

std::vector<DeploymentState> in_order(std::vector<DeploymentState> deployments, std::uint64_t random) {
  std::ranges::sort(deployments, {}, [](const auto& d) { return std::pair(d.priority, std::string_view(d.id)); });
  for (std::size_t at = 0; at < deployments.size(); ++at) {
    std::uint64_t total = 0;
    auto end = at;
    while (end < deployments.size() && deployments[end].priority == deployments[at].priority)
      total += weight_of(deployments[end++].weight);
    if (end - at < 2 || total == 0) continue;
    auto ticket = draw(random) % total;
    auto chosen = at;
    while (ticket >= weight_of(deployments[chosen].weight)) ticket -= weight_of(deployments[chosen++].weight);
    std::swap(deployments[at], deployments[chosen]);
  }
  return deployments;
}

bool is_callable(const EffectiveModel& model, const Access& access, const ModelAccess& granted,
                 const ResolutionRules& rules) {
  return std::ranges::any_of(model.serving().deployments, [&](const auto& deployment) {
    return callable(model, deployment, access, granted, rules) == Callable::yes;
  });
}

std::vector<RouteTarget> targets_of(const EffectiveModel& model, const Access& access, const ModelAccess& granted,
                                    const ResolutionRules& rules, std::uint64_t random,
                                    std::vector<std::string>& warnings) {
  auto state = model.state();
  std::vector<DeploymentState> deployments;
  for (const auto& deployment : state.deployments) {
    const auto verdict = callable(model, deployment, access, granted, rules);
    if (verdict == Callable::yes) {
      deployments.push_back(deployment);
    } else if (const auto why = left_out(name_text(model), deployment, verdict, rules)) {
      warnings.push_back(why->detail + ' ' + why->advice);
    }
  }
  deployments = in_order(std::move(deployments), random);
  std::vector<RouteTarget> targets;
  targets.reserve(deployments.size());
  for (auto& deployment : deployments) {
    // Most models have one deployment: the last target needs no copy.
    const bool last = &deployment == &deployments.back();
    targets.push_back({.model = last ? std::move(state) : state, .deployment = std::move(deployment)});
  }
  return targets;
}

Clause describe_deployments(const EffectiveModel& model, const Access& access, const ModelAccess& granted,
                            const ResolutionRules& rules) {
  const auto& serving = model.serving();
  Clause clause{.name = ClauseName::deployment, .scope = std::string(level_of(serving))};
  const auto name = name_text(model);
  std::size_t callable_ones = 0;
  std::optional<LeftOut> first;
  for (const auto& deployment : serving.deployments) {
    const auto verdict = callable(model, deployment, access, granted, rules);
    if (verdict == Callable::yes) ++callable_ones;
    if (!first) first = left_out(name, deployment, verdict, rules);
  }
  clause.ok = callable_ones > 0;
  if (clause.ok) {
    clause.detail = fmt::format("{} of {} deployments can be called.", callable_ones, serving.deployments.size());
  } else if (first) {
    clause.code = first->code;
    clause.detail = std::move(first->detail);
    clause.advice = std::move(first->advice);
  } else if (serving.deployments.empty()) {
    clause.code = ErrorCode::invalid_model_config;
    clause.detail = fmt::format("The model {} is served by no connection.", name);
    clause.advice = fmt::format("Add one, or choose another model ({}).", list_command);
  } else {
    clause.detail = fmt::format("Every connection that serves the model {} is disabled.", name);
    clause.advice = fmt::format("Enable one, or choose another model ({}).", list_command);
  }
  return clause;
}

}  // namespace tokenrail::registry
