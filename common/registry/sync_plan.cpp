#include "common/registry/sync_plan.hpp"

#include <algorithm>
#include <tuple>

namespace tokenrail::registry {

namespace {

auto as_tuple(const events::DeploymentState& d) {
  return std::tie(d.id, d.connection_id, d.connection_name, d.provider, d.adapter, d.base_url, d.auth_type, d.auth_name,
                  d.credential_id, d.credential_version, d.upstream_name, d.priority, d.weight, d.enabled,
                  d.requests_per_minute, d.tokens_per_minute, d.parameters, d.prices);
}

bool same_deployments(const events::ModelState& before, const events::ModelState& after) {
  if (before.deployments.size() != after.deployments.size()) return false;
  for (std::size_t i = 0; i < before.deployments.size(); ++i)
    if (as_tuple(before.deployments[i]) != as_tuple(after.deployments[i])) return false;
  return true;
}

}  // namespace

std::string_view name_of(PlannedModel::Kind kind) {
  switch (kind) {
    case PlannedModel::Kind::added:
      return "added";
    case PlannedModel::Kind::linked:
      return "linked";
    case PlannedModel::Kind::updated:
      return "updated";
    case PlannedModel::Kind::missing:
      return "missing";
    case PlannedModel::Kind::back:
      return "back";
    case PlannedModel::Kind::expired:
      return "expired";
    case PlannedModel::Kind::noted:
      return "noted";
  }
  return "";
}

void FactsElsewhere::fill(events::ModelState& state) const {
  const auto number = [](std::optional<std::int64_t>& mine, const std::optional<std::int64_t>& other) {
    if (!mine) mine = other;
  };
  number(state.context_window, context_window);
  number(state.input_tokens_max, input_tokens_max);
  number(state.output_tokens_max, output_tokens_max);
  number(state.embedding_dimensions, embedding_dimensions);
  if (state.display_name.empty()) state.display_name = display_name;
  if (state.family.empty()) state.family = family;
  if (state.lifecycle == "active" && !lifecycle.empty()) state.lifecycle = lifecycle;
  for (const auto& [name, support] : capabilities) {
    auto& mine = state.capabilities[name];
    if (mine == events::Support::unknown) mine = support;
  }
}

bool SyncPlan::idle() const {
  const bool new_held = std::ranges::any_of(held, [](const HeldChange& change) { return change.id.empty(); });
  return models.empty() && accepted.empty() && ended.empty() && !new_held;
}

bool provider_answered(const SyncRun& run) {
  return run.status != "failed" || run.error_class == conflict_class || run.error_class == refused_class;
}

bool routable(const events::ModelState& state, bool missing_expired) {
  if (state.platform_blocked || !state.enabled || state.lifecycle == "retired") return false;
  if (state.availability == "missing" && missing_expired) return false;
  return std::ranges::any_of(state.deployments, &events::DeploymentState::enabled);
}

std::vector<std::string> changed_fields(const events::ModelState& before, const events::ModelState& after) {
  std::vector<std::string> fields;
  const auto compare = [&](const char* name, const auto& mine, const auto& theirs) {
    if (mine != theirs) fields.emplace_back(name);
  };
  compare("slug", before.slug, after.slug);
  compare("kind", before.kind, after.kind);
  compare("displayName", before.display_name, after.display_name);
  compare("description", before.description, after.description);
  compare("family", before.family, after.family);
  compare("digest", before.digest, after.digest);
  compare("lifecycle", before.lifecycle, after.lifecycle);
  compare("enabled", before.enabled, after.enabled);
  compare("platformBlocked", before.platform_blocked, after.platform_blocked);
  compare("availability", before.availability, after.availability);
  compare("missingSinceMs", before.missing_since_ms, after.missing_since_ms);
  compare("routable", before.routable, after.routable);
  compare("contextWindow", before.context_window, after.context_window);
  compare("inputTokensMax", before.input_tokens_max, after.input_tokens_max);
  compare("outputTokensMax", before.output_tokens_max, after.output_tokens_max);
  compare("embeddingDimensions", before.embedding_dimensions, after.embedding_dimensions);
  compare("capabilities", before.capabilities, after.capabilities);
  compare("isDefault", before.is_default, after.is_default);
  compare("inherits", before.inherits, after.inherits);
  compare("hidden", before.hidden, after.hidden);
  compare("maintenanceUntilMs", before.maintenance_until_ms, after.maintenance_until_ms);
  compare("maintenanceReason", before.maintenance_reason, after.maintenance_reason);
  compare("tags", before.tags, after.tags);
  compare("replacement", before.replacement, after.replacement);
  compare("qualityScore", before.quality_score, after.quality_score);
  compare("scores", before.scores, after.scores);
  compare("prices", before.prices, after.prices);
  if (!same_deployments(before, after)) fields.emplace_back("deployments");
  return fields;
}

}  // namespace tokenrail::registry
