#include "common/registry/projection.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "common/events/registry_key.hpp"

namespace tokenrail::registry {

namespace {

using Applied = Projection::Applied;

/// One record of a kind other than models: kept under its own key, the highest version counts.
template <class Record, class Parse>
Applied apply_to(Records<Record>& records, std::string_view key, std::optional<std::string_view> value,
                 const Parse& parse) {
  const auto held = records.find(key);
  if (!value) {
    if (held == records.end()) return Applied::unchanged;
    records.erase(held);
    return Applied::removed;
  }
  auto record = parse(*value);
  if (!record) return Applied::malformed;
  // A record whose content belongs under another key could give one organisation's rights to another.
  if (record_key(*record) != key) return Applied::malformed;
  if (held == records.end()) {
    records.emplace(std::string(key), std::move(*record));
    return Applied::changed;
  }
  if (record->version <= held->second.version) return Applied::unchanged;
  held->second = std::move(*record);
  return Applied::changed;
}

Result<events::RegistryGrants> parse_sorted_grants(std::string_view value) {
  auto record = events::parse_registry_grants(value);
  if (record) {
    std::ranges::sort(record->grants, {},
                      [](const auto& grant) { return std::tuple(grant.object_kind, std::string_view(grant.object)); });
  }
  return record;
}

Result<events::RegistryView> parse_view_with_sorted_pins(std::string_view value) {
  auto record = events::parse_registry_view(value);
  if (record) std::ranges::sort(record->pins);
  return record;
}

/// As record_key() makes it, without a record.
std::string key_of(std::string_view prefix, std::initializer_list<std::string_view> parts) {
  std::string key(prefix);
  for (const auto part : parts) {
    if (key.size() > prefix.size()) key += '/';
    events::append_key_part_or_none(key, part);
  }
  return key;
}

template <class Record>
const Record* find_in(const Records<Record>& records, const std::string& key) {
  const auto held = records.find(key);
  return held == records.end() ? nullptr : &held->second;
}

}  // namespace

bool is_model_key(std::string_view key) {
  // Four parts, of which only the last may hold further slashes.
  if (std::ranges::count(key, '/') < 3) return false;
  const auto first = key.substr(0, key.find('/'));
  return first == "_" || !first.starts_with('_');
}

Applied Projection::apply(std::string_view key, std::optional<std::string_view> value) {
  if (key == events::registry_mark_key) return apply_mark(value);
  if (is_model_key(key)) return apply_model(key, value);
  if (key.starts_with(events::default_key_prefix))
    return apply_to(defaults_, key, value, events::parse_registry_default);
  if (key.starts_with(events::alias_key_prefix)) return apply_to(aliases_, key, value, events::parse_registry_alias);
  if (key.starts_with(events::view_key_prefix)) return apply_view(key, value);
  if (key.starts_with(events::grants_key_prefix)) return apply_to(grants_, key, value, parse_sorted_grants);
  if (key.starts_with(events::organization_key_prefix))
    return apply_to(organizations_, key, value, events::parse_registry_organization);
  return Applied::ignored;
}

std::size_t Projection::keep_only(const std::set<std::string, std::less<>>& keys) {
  std::vector<std::string> gone;
  const auto look_at = [&](const auto& records) {
    for (const auto& [key, record] : records)
      if (!keys.contains(key)) gone.push_back(key);
  };
  look_at(models_);
  look_at(defaults_);
  look_at(aliases_);
  look_at(views_);
  look_at(grants_);
  look_at(organizations_);
  for (const auto& key : gone) apply(key, std::nullopt);
  return gone.size();
}

Applied Projection::apply_mark(std::optional<std::string_view> value) {
  if (!value) {
    mark_.reset();
    return Applied::mark;
  }
  const auto mark = events::parse_registry_mark(*value);
  if (!mark) return Applied::malformed;
  mark_ = *mark;
  return Applied::mark;
}

Applied Projection::apply_model(std::string_view key, std::optional<std::string_view> value) {
  const auto held = models_.find(key);
  if (!value) {
    if (held == models_.end()) return Applied::unchanged;
    indexes_.erase(held->second);
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
    indexes_.insert(added->second);
    return Applied::changed;
  }
  if (event->version <= held->second.version) return Applied::unchanged;
  indexes_.erase(held->second);
  held->second = std::move(event->model);
  indexes_.insert(held->second);
  return Applied::changed;
}

Applied Projection::apply_view(std::string_view key, std::optional<std::string_view> value) {
  const auto applied = apply_to(views_, key, value, parse_view_with_sorted_pins);
  if (applied != Applied::changed && applied != Applied::removed) return applied;
  const auto scope = key.substr(0, key.rfind('/'));
  const auto held = auto_views_.find(scope);
  const auto* view = find_in(views_, std::string(key));
  if (view != nullptr && view->for_auto) {
    auto_views_[std::string(scope)] = key;
  } else if (held != auto_views_.end() && held->second == key) {
    // Another view of the scope may have taken its place before this record came.
    auto_views_.erase(held);
  }
  return applied;
}

const events::ModelState* Projection::find(std::string_view org_id, std::string_view user_id, std::string_view provider,
                                           std::string_view model_name) const {
  const events::ModelState* found = nullptr;
  indexes_.by_identity.for_each({org_id, user_id, provider, model_name},
                                [&](const events::ModelState& model) { found = &model; });
  return found;
}

std::vector<const events::ModelState*> Projection::named(std::string_view org_id, std::string_view user_id,
                                                         std::string_view model_name) const {
  std::vector<const events::ModelState*> found;
  indexes_.by_name.for_each({org_id, user_id, model_name},
                            [&](const events::ModelState& model) { found.push_back(&model); });
  std::ranges::sort(found, {}, &events::ModelState::provider);
  return found;
}

const events::ModelState* Projection::with_slug(std::string_view org_id, std::string_view user_id,
                                                std::string_view slug) const {
  const events::ModelState* found = nullptr;
  // A model without a slug is found by its name only.
  if (slug.empty()) return found;
  const auto name = [](const events::ModelState& model) { return std::tie(model.provider, model.model_name); };
  indexes_.by_slug.for_each({org_id, user_id, slug}, [&](const events::ModelState& model) {
    if (found == nullptr || name(model) < name(*found)) found = &model;
  });
  return found;
}

std::vector<const events::ModelState*> Projection::defaults(std::string_view org_id, std::string_view user_id) const {
  std::vector<const events::ModelState*> found;
  indexes_.defaults.for_each(std::tuple(org_id, user_id), [&](const events::ModelState& model) {
    found.push_back(&model);
    return true;
  });
  return found;
}

std::vector<const events::ModelState*> Projection::with_id(std::string_view model_id) const {
  std::vector<const events::ModelState*> found;
  indexes_.by_id.for_each({model_id}, [&](const events::ModelState& model) { found.push_back(&model); });
  std::ranges::sort(found, {}, [](const auto* model) {
    return std::tie(model->org_id, model->owner_user_id, model->provider, model->model_name);
  });
  return found;
}

const events::RegistryAlias* Projection::alias(std::string_view org_id, std::string_view user_id,
                                               std::string_view alias) const {
  if (aliases_.empty() || alias.empty()) return nullptr;
  return find_in(aliases_, key_of(events::alias_key_prefix, {org_id, user_id, alias}));
}

const events::RegistryView* Projection::view(std::string_view org_id, std::string_view user_id,
                                             std::string_view name) const {
  if (views_.empty() || name.empty()) return nullptr;
  return find_in(views_, key_of(events::view_key_prefix, {org_id, user_id, name}));
}

const events::RegistryView* Projection::auto_view(std::string_view org_id, std::string_view user_id) const {
  if (auto_views_.empty()) return nullptr;
  const auto held = auto_views_.find(key_of(events::view_key_prefix, {org_id, user_id}));
  return held == auto_views_.end() ? nullptr : find_in(views_, held->second);
}

const events::RegistryDefault* Projection::default_pointer(std::string_view org_id, std::string_view user_id,
                                                           std::string_view kind, std::string_view provider,
                                                           std::string_view purpose) const {
  if (defaults_.empty()) return nullptr;
  return find_in(defaults_, key_of(events::default_key_prefix, {org_id, user_id, kind, provider, purpose}));
}

const events::RegistryGrants* Projection::grants(std::string_view org_id) const {
  if (grants_.empty() || org_id.empty()) return nullptr;
  return find_in(grants_, key_of(events::grants_key_prefix, {org_id}));
}

const events::RegistryOrganization* Projection::organization(std::string_view org_id) const {
  if (organizations_.empty() || org_id.empty()) return nullptr;
  return find_in(organizations_, key_of(events::organization_key_prefix, {org_id}));
}

}  // namespace tokenrail::registry
