#include "common/registry/model_indexes.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace tokenrail::registry {

double preference_value(const events::ModelState& model, Preference preference) {
  static constexpr auto unknown = std::numeric_limits<double>::infinity();
  switch (preference) {
    case Preference::order:
      return 0;
    case Preference::quality:
      return model.quality_score ? 1 - *model.quality_score : unknown;
    case Preference::price:
      if (!model.prices.input_micros || !model.prices.output_micros) return unknown;
      return static_cast<double>(*model.prices.input_micros) + static_cast<double>(*model.prices.output_micros);
    case Preference::speed:
      return model.first_token_ms ? static_cast<double>(*model.first_token_ms) : unknown;
  }
  return unknown;
}

std::int64_t priority_of(const events::ModelState& model) {
  auto priority = std::numeric_limits<std::int64_t>::max();
  for (const auto& deployment : model.deployments)
    if (deployment.enabled) priority = std::min(priority, deployment.priority);
  return priority;
}

bool is_candidate(const events::ModelState& model) {
  // Whether a row that inherits is enabled is known only beside the rows above it.
  const bool enabled = model.inherits || (model.enabled && model.routable);
  return model.kind == "generation" && !model.hidden && enabled && !model.platform_blocked &&
         model.lifecycle != "retired";
}

namespace {

std::pair<std::string_view, std::string_view> upstream(std::string_view connection_id, std::string_view name) {
  if (name.ends_with(default_tag)) name.remove_suffix(default_tag.size());
  return {connection_id, name};
}

bool is_blocked_for_all(const events::ModelState& model) {
  return model.platform_blocked && model.org_id.empty();
}

}  // namespace

void BlockedUpstreams::insert(const events::ModelState& model) {
  if (!is_blocked_for_all(model)) return;
  for (const auto& deployment : model.deployments)
    models_.emplace(upstream(deployment.connection_id, deployment.upstream_name), &model);
}

void BlockedUpstreams::erase(const events::ModelState& model) {
  if (!is_blocked_for_all(model)) return;
  for (const auto& deployment : model.deployments) {
    auto [at, end] = models_.equal_range(upstream(deployment.connection_id, deployment.upstream_name));
    while (at != end) at = at->second == &model ? models_.erase(at) : std::next(at);
  }
}

const events::ModelState* BlockedUpstreams::find(std::string_view connection_id, std::string_view upstream_name) const {
  const auto found = models_.find(upstream(connection_id, upstream_name));
  return found == models_.end() ? nullptr : found->second;
}

void ModelIndexes::insert(const events::ModelState& model) {
  by_identity.insert(model);
  by_name.insert(model);
  if (!model.slug.empty()) by_slug.insert(model);
  by_id.insert(model);
  by_order.insert(model);
  if (model.is_default) defaults.insert(model);
  blocked.insert(model);
  if (!is_candidate(model)) return;
  candidates.insert(model);
  by_quality.insert(model);
  by_price.insert(model);
  by_speed.insert(model);
}

void ModelIndexes::erase(const events::ModelState& model) {
  by_identity.erase(model);
  by_name.erase(model);
  by_slug.erase(model);
  by_id.erase(model);
  by_order.erase(model);
  defaults.erase(model);
  blocked.erase(model);
  candidates.erase(model);
  by_quality.erase(model);
  by_price.erase(model);
  by_speed.erase(model);
}

}  // namespace tokenrail::registry
