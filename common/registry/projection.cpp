#include "common/registry/projection.hpp"

#include <algorithm>

namespace tokenrail::registry {

namespace {

std::string part_or_underscore(std::string_view part) {
  return part.empty() ? "_" : std::string(part);
}

}  // namespace

bool is_model_key(std::string_view key) {
  // Four parts, of which only the last may hold further slashes.
  if (std::ranges::count(key, '/') < 3) return false;
  const auto first = key.substr(0, key.find('/'));
  return first == "_" || !first.starts_with('_');
}

std::string Projection::scope_of(std::string_view org_id, std::string_view user_id) {
  std::string scope = part_or_underscore(org_id);
  scope += '/';
  scope += part_or_underscore(user_id);
  scope += '/';
  return scope;
}

Projection::OrderKey Projection::order_key(const std::string& key, const events::ModelState& model) {
  auto priority = std::numeric_limits<std::int64_t>::max();
  for (const auto& deployment : model.deployments)
    if (deployment.enabled) priority = std::min(priority, deployment.priority);
  return {.scope = scope_of(model.org_id, model.owner_user_id), .priority = priority, .slug = model.slug, .key = key};
}

void Projection::index(const std::string& key, const events::ModelState& model) {
  const auto scope = scope_of(model.org_id, model.owner_user_id);
  by_name_.emplace(scope + model.model_name, key);
  if (!model.slug.empty()) by_slug_.emplace(scope + model.slug, key);
  if (model.is_default) defaults_.emplace(scope, key);
  by_order_.insert(order_key(key, model));
}

void Projection::unindex(const std::string& key, const events::ModelState& model) {
  const auto scope = scope_of(model.org_id, model.owner_user_id);
  by_name_.erase({scope + model.model_name, key});
  by_slug_.erase({scope + model.slug, key});
  defaults_.erase({scope, key});
  by_order_.erase(order_key(key, model));
}

Projection::Applied Projection::apply(std::string_view key, std::optional<std::string_view> value) {
  if (key == events::registry_mark_key) {
    if (!value) {
      mark_.reset();
      return Applied::mark;
    }
    const auto mark = events::parse_registry_mark(*value);
    if (!mark) return Applied::malformed;
    mark_ = *mark;
    return Applied::mark;
  }
  if (!is_model_key(key)) return Applied::ignored;

  const auto held = models_.find(key);
  if (!value) {
    if (held == models_.end()) return Applied::unchanged;
    unindex(held->first, held->second);
    models_.erase(held);
    return Applied::removed;
  }
  auto event = events::parse_model_upserted(*value);
  if (!event) return Applied::malformed;
  // A record whose content belongs under another key could show one organisation's model to another.
  if (events::model_key(event->model) != key) return Applied::malformed;
  event->model.version = event->version;
  if (held == models_.end()) {
    const auto [added, fresh] = models_.emplace(std::string(key), std::move(event->model));
    index(added->first, added->second);
    return Applied::changed;
  }
  if (event->version <= held->second.version) return Applied::unchanged;
  unindex(held->first, held->second);
  held->second = std::move(event->model);
  index(held->first, held->second);
  return Applied::changed;
}

const events::ModelState* Projection::find(std::string_view org_id, std::string_view user_id, std::string_view provider,
                                           std::string_view model_name) const {
  events::ModelState wanted;
  wanted.org_id = org_id;
  wanted.owner_user_id = user_id;
  wanted.provider = provider;
  wanted.model_name = model_name;
  const auto held = models_.find(events::model_key(wanted));
  if (held == models_.end()) return nullptr;
  // Whatever a key may look like: the content decides whose it is.
  const auto& model = held->second;
  const bool same = model.org_id == org_id && model.owner_user_id == user_id && model.provider == provider &&
                    model.model_name == model_name;
  return same ? &model : nullptr;
}

std::vector<const events::ModelState*> Projection::named(std::string_view org_id, std::string_view user_id,
                                                         std::string_view model_name) const {
  std::vector<const events::ModelState*> found;
  auto wanted = scope_of(org_id, user_id);
  wanted += model_name;
  for (auto at = by_name_.lower_bound({wanted, ""}); at != by_name_.end() && at->first == wanted; ++at) {
    const auto& model = models_.find(at->second)->second;
    if (model.org_id == org_id && model.owner_user_id == user_id && model.model_name == model_name)
      found.push_back(&model);
  }
  std::ranges::sort(found, {}, &events::ModelState::provider);
  return found;
}

const events::ModelState* Projection::with_slug(std::string_view org_id, std::string_view user_id,
                                                std::string_view slug) const {
  auto wanted = scope_of(org_id, user_id);
  wanted += slug;
  for (auto at = by_slug_.lower_bound({wanted, ""}); at != by_slug_.end() && at->first == wanted; ++at) {
    const auto& model = models_.find(at->second)->second;
    if (model.org_id == org_id && model.owner_user_id == user_id && model.slug == slug) return &model;
  }
  return nullptr;
}

std::vector<const events::ModelState*> Projection::defaults(std::string_view org_id, std::string_view user_id) const {
  std::vector<const events::ModelState*> found;
  const auto scope = scope_of(org_id, user_id);
  for (auto at = defaults_.lower_bound({scope, ""}); at != defaults_.end() && at->first == scope; ++at) {
    const auto& model = models_.find(at->second)->second;
    if (model.org_id == org_id && model.owner_user_id == user_id) found.push_back(&model);
  }
  return found;
}

}  // namespace tokenrail::registry
