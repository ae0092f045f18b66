#include "common/registry/effective_model.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/core.h>

namespace tokenrail::registry {

using events::ModelState;

Scopes::Scopes(const Caller& caller) {
  if (!caller.user_id.empty()) scopes_[count_++] = {.org_id = caller.org_id, .user_id = caller.user_id};
  if (!caller.org_id.empty()) scopes_[count_++] = {.org_id = caller.org_id};
  scopes_[count_++] = {};
}

std::string_view level_of(const LevelScope& scope) {
  if (!scope.user_id.empty()) return "user";
  return scope.org_id.empty() ? "platform" : "organisation";
}

std::string_view level_of(const ModelState& row) {
  return level_of(scope_of(row));
}

EffectiveModel::EffectiveModel(const Projection& projection, const Scopes& scopes, std::string_view provider,
                               std::string_view name) {
  for (const auto& scope : scopes)
    if (const auto* row = projection.find(scope.org_id, scope.user_id, provider, name)) rows_[count_++] = row;
}

EffectiveModel::EffectiveModel(const ModelState& platform_row) {
  rows_[count_++] = &platform_row;
}

const ModelState& EffectiveModel::serving() const {
  for (const auto* row : rows())
    if (!row->deployments.empty()) return *row;
  return nearest();
}

const ModelState* EffectiveModel::blocked_by() const {
  const ModelState* blocked = nullptr;
  for (const auto* row : rows())
    if (row->platform_blocked) blocked = row;
  return blocked;
}

const ModelState& EffectiveModel::enabled_by() const {
  for (const auto* row : rows())
    if (!row->inherits) return *row;
  return *rows().back();
}

const ModelState* EffectiveModel::maintained_by(std::int64_t now_ms) const {
  const ModelState* longest = nullptr;
  for (const auto* row : rows()) {
    if (row->maintenance_until_ms.value_or(now_ms) <= now_ms) continue;
    if (longest == nullptr || *row->maintenance_until_ms > *longest->maintenance_until_ms) longest = row;
  }
  return longest;
}

const ModelState& EffectiveModel::lifecycle_by() const {
  for (const auto* row : rows())
    if (row->lifecycle != "active") return *row;
  return nearest();
}

bool EffectiveModel::available() const {
  // A row is not routable for its own disabling, too; only an enabled one says something about the provider.
  const auto gone = [](const ModelState& row) {
    return row.enabled && !row.platform_blocked && row.lifecycle != "retired" && !row.routable;
  };
  if (gone(nearest())) return false;
  // Whether a model is really there is known where its deployments are.
  const auto& served = serving();
  return &served == &nearest() || served.availability != "missing" || !gone(served);
}

bool EffectiveModel::hidden() const {
  for (const auto* row : rows())
    if (row->hidden) return true;
  return false;
}

events::Support EffectiveModel::support(std::string_view capability) const {
  for (const auto* row : rows()) {
    const auto held = row->capabilities.find(std::string(capability));
    if (held != row->capabilities.end() && held->second != events::Support::unknown) return held->second;
  }
  return events::Support::unknown;
}

const events::ModelPrices& EffectiveModel::prices() const {
  for (const auto* row : rows())
    if (row->prices != events::ModelPrices{}) return row->prices;
  return nearest().prices;
}

std::optional<double> EffectiveModel::quality(std::string_view metric) const {
  if (metric.empty()) return nearest_value(&ModelState::quality_score);
  for (const auto* row : rows()) {
    if (!row->scores) continue;
    const auto held = row->scores->find(std::string(metric));
    if (held != row->scores->end()) return held->second;
  }
  return std::nullopt;
}

double EffectiveModel::preference(Preference preference) const {
  for (const auto* row : rows()) {
    const bool own = preference == Preference::price     ? row->prices != events::ModelPrices{}
                     : preference == Preference::quality ? row->quality_score.has_value()
                                                         : row->first_token_ms.has_value();
    if (own) return preference_value(*row, preference);
  }
  return preference_value(nearest(), preference);
}

namespace {

/// What a row that inherits has for `enabled` says nothing. Without a row above it nothing enables the model, as in the
/// database.
bool is_enabled(const EffectiveModel& model) {
  const auto& row = model.enabled_by();
  return row.enabled && !row.inherits;
}

}  // namespace

ModelState EffectiveModel::state() const {
  auto model = nearest();
  const auto& served = serving();
  if (&served != &nearest()) {
    model.deployments = served.deployments;
    model.availability = served.availability;
    model.missing_since_ms = served.missing_since_ms;
  }
  model.enabled = is_enabled(*this);
  model.routable = model.enabled && available();
  model.lifecycle = lifecycle_by().lifecycle;
  model.hidden = hidden();
  for (const auto* row : rows().subspan(1)) {
    const auto take = [row, &model](auto ModelState::* field) {
      if (!(model.*field)) model.*field = row->*field;
    };
    take(&ModelState::context_window);
    take(&ModelState::input_tokens_max);
    take(&ModelState::output_tokens_max);
    take(&ModelState::embedding_dimensions);
    take(&ModelState::quality_score);
    take(&ModelState::first_token_ms);
    take(&ModelState::replacement);
    if (row->scores) {
      if (!model.scores) model.scores = std::map<std::string, double>();
      model.scores->insert(row->scores->begin(), row->scores->end());
    }
    for (const auto& [capability, support] : row->capabilities) {
      auto& mine = model.capabilities[capability];
      if (mine == events::Support::unknown) mine = support;
    }
  }
  model.prices = prices();
  // Prices of a deployment count before those of the row that serves it, and before no nearer row's.
  for (const auto* row : rows()) {
    if (row == &served) break;
    if (row->prices == events::ModelPrices{}) continue;
    for (auto& deployment : model.deployments) deployment.prices = std::nullopt;
  }
  return model;
}

Failing EffectiveModel::failing(std::int64_t now_ms) const {
  Failing failing;
  if (blocked_by() != nullptr) failing.add(ClauseName::blocked);
  if (lifecycle_by().lifecycle == "retired") failing.add(ClauseName::lifecycle);
  if (!is_enabled(*this)) failing.add(ClauseName::enabled);
  if (maintained_by(now_ms) != nullptr) failing.add(ClauseName::maintenance);
  if (!available()) failing.add(ClauseName::available);
  return failing;
}

namespace {

std::string utc(std::int64_t ms) {
  // A time that no calendar has is as good as never.
  static constexpr std::int64_t year_9999_ms = 253'402'300'799'000;
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                     fmt::gmtime(static_cast<std::time_t>(std::min(ms, year_9999_ms) / 1000)));
}

std::string another(std::string_view first) {
  return fmt::format("{}, or choose another model ({}).", first, list_command);
}

}  // namespace

Clause describe(const EffectiveModel& model, ClauseName name, const Failing& failing, std::int64_t now_ms) {
  const auto text = text_of({model.nearest().provider, model.nearest().model_name});
  Clause clause{.name = name, .ok = !failing.has(name)};
  switch (name) {
    case ClauseName::blocked:
      if (clause.ok) {
        clause.detail = "No level blocks it.";
        break;
      }
      clause.scope = level_of(*model.blocked_by());
      clause.detail =
          fmt::format("The model {} is blocked at the {} level, which nothing below it can lift.", text, clause.scope);
      clause.advice = fmt::format("Choose another model ({}), or ask a {} administrator.", list_command, clause.scope);
      break;
    case ClauseName::lifecycle: {
      const auto& row = model.lifecycle_by();
      clause.scope = level_of(row);
      if (clause.ok) {
        clause.detail = fmt::format("Its lifecycle is {}.", row.lifecycle);
        break;
      }
      clause.detail = fmt::format("The model {} is retired.", text);
      const auto replacement = model.nearest_value(&ModelState::replacement);
      clause.advice = replacement ? fmt::format("Use its replacement {}.", text_of(*replacement))
                                  : fmt::format("Choose another model ({}).", list_command);
      break;
    }
    case ClauseName::enabled:
      clause.scope = level_of(model.enabled_by());
      clause.detail = clause.ok ? fmt::format("It is enabled at the {} level.", clause.scope)
                                : fmt::format("The model {} is disabled at the {} level.", text, clause.scope);
      if (!clause.ok) clause.advice = another("Enable it");
      break;
    case ClauseName::maintenance: {
      const auto* row = model.maintained_by(now_ms);
      if (row == nullptr) {
        clause.detail = "It is not under maintenance.";
        break;
      }
      clause.scope = level_of(*row);
      clause.detail =
          fmt::format("The model {} is under maintenance until {}{}{}.", text, utc(*row->maintenance_until_ms),
                      row->maintenance_reason.empty() ? "" : ": ", row->maintenance_reason);
      clause.advice = another("Ask again then");
      break;
    }
    case ClauseName::available:
      clause.scope = level_of(model.serving());
      if (clause.ok) {
        clause.detail = fmt::format("Its provider lists it as {}.", model.serving().availability);
      } else if (model.missing()) {
        clause.detail = fmt::format("The model {} is no longer offered by its provider.", text);
        clause.advice = another("Install it there again and run `tokenrail registry sync`");
      } else {
        clause.detail = fmt::format("The model {} cannot be routed to at the moment.", text);
        clause.advice = fmt::format("See {} for its state, or choose another.", list_command);
      }
      break;
    default:
      break;
  }
  return clause;
}

}  // namespace tokenrail::registry
