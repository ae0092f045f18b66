#include "common/registry/resolution.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "common/registry/selection.hpp"

namespace tokenrail::registry {

using events::ErrorCode;

Question question_of(const events::ChatRequest& request) {
  Question question{
      .caller = {.org_id = request.org_id, .user_id = request.user_id, .groups = request.groups},
      .model = request.model,
      .request = &request,
  };
  if (const auto held = request.metadata.find("conversationId"); held != request.metadata.end())
    question.conversation_id = held->second;
  return question;
}

std::expected<Route, Refusal> resolve(const Projection& projection, const events::ChatRequest& request,
                                      const ResolutionRules& rules, std::uint64_t random, std::int64_t now_ms) {
  const auto question = question_of(request);
  Asking asking(projection, question, rules, random, now_ms);
  Route route;
  auto primary = select(asking, request.model, true);
  if (primary) {
    route.targets = std::move(primary->targets);
    route.warnings = std::move(primary->warnings);
    route.choice = std::move(primary->choice);
  } else if (primary.error().code == ErrorCode::invalid_request || request.fallbacks.empty()) {
    return std::unexpected(std::move(primary.error()));
  } else {
    route.warnings.push_back(fmt::format("A fallback answers: {}", primary.error().message));
  }
  for (const auto& fallback : request.fallbacks) {
    const auto name = text_of({fallback.provider, fallback.name});
    // A request may name many fallbacks: only its model is worth a search.
    auto selected = select(asking, fallback, false);
    if (!selected) {
      route.warnings.push_back(fmt::format("The fallback {} was left out: {}", name, selected.error().message));
      continue;
    }
    route.warnings.insert(route.warnings.end(), selected->warnings.begin(), selected->warnings.end());
    if (route.targets.empty()) {
      route.choice = std::move(selected->choice);
      route.choice.reason = "fallback";
      route.choice.detail = fmt::format("The fallback {} answers, because the model asked for cannot.", name);
      route.choice.asked = request.model ? text_of({request.model->provider, request.model->name}) : std::string();
    }
    for (auto& target : selected->targets) {
      const auto same = [&](const RouteTarget& other) { return other.deployment.id == target.deployment.id; };
      if (std::ranges::none_of(route.targets, same)) route.targets.push_back(std::move(target));
    }
  }
  if (route.targets.empty()) return std::unexpected(std::move(primary.error()));
  return route;
}

Explanation explain(const Projection& projection, const Question& question, const ResolutionRules& rules,
                    std::int64_t now_ms, std::uint64_t random) {
  Asking asking(projection, question, rules, random, now_ms);
  auto selected = select(asking, question.model, true);
  Explanation explanation{.usable = selected.has_value()};
  if (selected) {
    explanation.clauses = clauses_of(asking, selected->judged, false);
    explanation.model = name_of(selected->judged.model);
    explanation.route = Route{.targets = std::move(selected->targets),
                              .warnings = std::move(selected->warnings),
                              .choice = std::move(selected->choice)};
    return explanation;
  }
  auto& refusal = selected.error();
  explanation.failure = refusal;
  explanation.model = refusal.model;
  if (refusal.model) {
    const EffectiveModel model(projection, asking.scopes, refusal.model->provider, refusal.model->name);
    explanation.clauses = clauses_of(asking, judge(asking, model, refusal.alias), false);
  } else {
    explanation.clauses = std::move(refusal.clauses);
  }
  return explanation;
}

}  // namespace tokenrail::registry
