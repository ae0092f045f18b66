#include "common/registry/judgement.hpp"

#include <array>
#include <utility>

namespace tokenrail::registry {

Asking::Asking(const Projection& held, const Question& asked, const ResolutionRules& applied, std::uint64_t bits,
               std::int64_t now)
    : projection(held),
      question(asked),
      rules(applied),
      random(bits),
      now_ms(now),
      scopes(asked.caller),
      access(held, asked.caller),
      requirements(asked.request != nullptr ? requirements_of(*asked.request) : requirements_of_kind(asked.kind)),
      only_platform_rows(true) {
  for (const auto& scope : scopes) {
    if (scope == LevelScope{}) continue;
    held.for_each_in_order(scope.org_id, scope.user_id, [&](const auto&) {
      only_platform_rows = false;
      return false;
    });
  }
}

events::ModelName name_of(const EffectiveModel& model) {
  return {.provider = model.nearest().provider, .name = model.nearest().model_name};
}

EffectiveModel effective(const Asking& asking, const events::ModelState& row) {
  if (asking.only_platform_rows) return EffectiveModel(row);
  return {asking.projection, asking.scopes, row.provider, row.model_name};
}

Judged judge(const Asking& asking, const EffectiveModel& model, std::string_view alias) {
  Judged judged{.model = model, .access = asking.access.of(model, alias)};
  judged.failing =
      model.failing(asking.now_ms) | asking.access.failing(judged.access) | failing(model, asking.requirements);
  if (!is_callable(model, asking.access, judged.access, asking.rules)) judged.failing.add(ClauseName::deployment);
  return judged;
}

std::vector<Clause> clauses_of(const Asking& asking, const Judged& judged, bool failing_only) {
  using enum ClauseName;
  static constexpr std::array order{organization, found,   blocked, lifecycle,  enabled, maintenance, available,
                                    allow_list,   granted, kind,    capability, context, output,      deployment};
  const auto name = text_of(name_of(judged.model));
  std::vector<Clause> clauses;
  for (const auto clause : order) {
    if (failing_only && !judged.failing.has(clause)) continue;
    switch (clause) {
      case organization:
      case allow_list:
      case granted:
        clauses.push_back(asking.access.describe(name, clause, judged.failing, judged.access));
        break;
      case found:
        clauses.push_back({.name = found,
                           .scope = std::string(level_of(judged.model.nearest())),
                           .detail = "The registry has the model " + name + "."});
        break;
      case kind:
      case capability:
      case context:
      case output:
        clauses.push_back(describe(judged.model, asking.requirements, clause, judged.failing));
        break;
      case deployment:
        clauses.push_back(describe_deployments(judged.model, asking.access, judged.access, asking.rules));
        break;
      default:
        clauses.push_back(describe(judged.model, clause, judged.failing, asking.now_ms));
    }
  }
  return clauses;
}

Refusal refusal_of(const Asking& asking, const Judged& judged) {
  auto refusal = refusal_of(clauses_of(asking, judged, true), judged.model.nearest().provider);
  refusal.model = name_of(judged.model);
  return refusal;
}

std::vector<RouteTarget> targets_of(Asking& asking, const Judged& judged, std::vector<std::string>& warnings) {
  return targets_of(judged.model, asking.access, judged.access, asking.rules, draw(asking.random), warnings);
}

}  // namespace tokenrail::registry
