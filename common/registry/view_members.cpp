#include "common/registry/view_members.hpp"

#include <algorithm>
#include <string>

namespace tokenrail::registry {

namespace {

using events::ModelState;
using events::ViewFilter;

bool same_letter(char a, char b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return lower(a) == lower(b);
}

bool is_named(const EffectiveModel& model, std::string_view part) {
  if (part.empty()) return true;
  std::string names = model.nearest().slug + ' ';
  for (const auto* row : model.rows()) {
    if (row->display_name.empty()) continue;
    names += row->display_name;
    break;
  }
  return !std::ranges::search(names, part, same_letter).empty();
}

bool is_of_scope(const EffectiveModel& model, std::string_view scope) {
  if (scope.empty()) return true;
  const bool own = !model.nearest().org_id.empty();
  return own ? scope == "organization" : scope == "platform";
}

bool has_tags(const EffectiveModel& model, const std::vector<std::string>& tags) {
  if (tags.empty()) return true;
  for (const auto* row : model.rows()) {
    if (row->tags.empty()) continue;
    return std::ranges::all_of(tags,
                               [&](const auto& tag) { return std::ranges::find(row->tags, tag) != row->tags.end(); });
  }
  return false;
}

/// Nothing: no price is known.
std::optional<bool> is_free(const EffectiveModel& model) {
  bool known = false;
  bool paid = false;
  const auto look_at = [&](const events::ModelPrices& prices) {
    const auto add = [&](std::int64_t micros) {
      known = true;
      paid = paid || micros > 0;
    };
    if (prices.input_micros) add(*prices.input_micros);
    if (prices.output_micros) add(*prices.output_micros);
    for (const auto& price : prices.others) add(price.micros);
  };
  look_at(model.prices());
  for (const auto& deployment : model.serving().deployments)
    if (deployment.prices) look_at(*deployment.prices);
  return known ? std::optional(!paid) : std::nullopt;
}

bool matches(const EffectiveModel& model, const ViewFilter& filter) {
  const auto& nearest = model.nearest();
  if (filter.unknown) return false;
  if (!filter.kind.empty() && filter.kind != nearest.kind) return false;
  if (!filter.provider.empty() && filter.provider != nearest.provider) return false;
  if (!filter.status.empty() && filter.status != "active") return false;
  if (!is_of_scope(model, filter.scope) || !is_named(model, filter.search) || !has_tags(model, filter.tags))
    return false;
  if (filter.context_min && model.nearest_value(&ModelState::context_window).value_or(-1) < *filter.context_min)
    return false;
  if (filter.free && is_free(model) != filter.free) return false;
  return std::ranges::all_of(filter.capabilities, [&](const auto& capability) {
    return model.support(capability) == events::Support::supported;
  });
}

}  // namespace

bool is_in_view(const events::RegistryView& view, const EffectiveModel& model) {
  return matches(model, view.filter) || std::ranges::any_of(model.rows(), [&](const ModelState* row) {
           return std::ranges::binary_search(view.pins, row->id);
         });
}

const events::RegistryView* find_view(const Projection& projection, const Scopes& scopes, std::string_view name) {
  for (const auto& scope : scopes)
    if (const auto* view = projection.view(scope.org_id, scope.user_id, name)) return view;
  return nullptr;
}

const events::RegistryView* find_auto_view(const Projection& projection, const Scopes& scopes) {
  for (const auto& scope : scopes)
    if (const auto* view = projection.auto_view(scope.org_id, scope.user_id)) return view;
  return nullptr;
}

}  // namespace tokenrail::registry
