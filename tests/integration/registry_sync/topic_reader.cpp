#include "tests/integration/registry_sync/topic_reader.hpp"

#include <string_view>

#include "common/events/model_event.hpp"
#include "common/events/registry_records.hpp"
#include "common/registry/projection.hpp"

namespace tokenrail::registry_sync {

namespace {

constexpr std::string_view not_held = "not held";

template <class Record>
std::string facts_of(const Record* held) {
  if (held == nullptr) return std::string(not_held);
  auto record = *held;
  record.cause = record.actor = "";
  return events::to_json(record);
}

/// What the projection holds of the thing that a record was about.
std::string held_of(const registry::Projection& held, std::string_view key, const std::string& value) {
  const auto as = [&](auto parse, auto find) {
    const auto record = parse(value);
    return record ? facts_of(find(*record)) : "cannot be read: " + value;
  };
  if (key.starts_with(events::default_key_prefix))
    return as(events::parse_registry_default, [&](const events::RegistryDefault& r) {
      return held.default_pointer(r.org_id, r.owner_user_id, r.kind, r.provider, r.purpose);
    });
  if (key.starts_with(events::alias_key_prefix))
    return as(events::parse_registry_alias,
              [&](const events::RegistryAlias& r) { return held.alias(r.org_id, r.owner_user_id, r.alias); });
  if (key.starts_with(events::view_key_prefix))
    return as(events::parse_registry_view,
              [&](const events::RegistryView& r) { return held.view(r.org_id, r.owner_user_id, r.name); });
  if (key.starts_with(events::grants_key_prefix))
    return as(events::parse_registry_grants, [&](const events::RegistryGrants& r) { return held.grants(r.org_id); });
  if (key.starts_with(events::organization_key_prefix))
    return as(events::parse_registry_organization,
              [&](const events::RegistryOrganization& r) { return held.organization(r.org_id); });
  return value;
}

}  // namespace

struct TopicReader::Held {
  registry::Projection projection{};
  std::map<std::string, std::string> others{};  ///< by key: the last value
  std::map<std::string, std::string> gone{};    ///< the last value before the tombstone
};

TopicReader::TopicReader() : held_(std::make_unique<Held>()) {}
TopicReader::TopicReader(TopicReader&&) noexcept = default;
TopicReader& TopicReader::operator=(TopicReader&&) noexcept = default;
TopicReader::~TopicReader() = default;

void TopicReader::apply(const std::string& key, const std::optional<std::string>& value) {
  held_->projection.apply(key, value);
  if (registry::is_model_key(key) || key == events::registry_mark_key || key.starts_with("settle-")) return;
  auto before = held_->others.extract(key);
  held_->gone.erase(key);
  if (value) {
    held_->others[key] = *value;
  } else if (before) {
    held_->gone.insert(std::move(before));
  }
}

std::map<std::string, std::string> TopicReader::facts() const {
  std::map<std::string, std::string> all;
  for (const auto& [key, value] : held_->others) {
    all[key] = held_of(held_->projection, key, value);
    if (!key.starts_with(events::view_key_prefix)) continue;
    // Which of the scope's views "auto" selects from.
    const auto view = events::parse_registry_view(value);
    const auto* const held = view ? held_->projection.auto_view(view->org_id, view->owner_user_id) : nullptr;
    all["auto of " + key.substr(0, key.rfind('/'))] = held == nullptr ? std::string(not_held) : held->name;
  }
  for (const auto& [key, value] : held_->gone) {
    if (!key.starts_with('_')) continue;  // a credential, which no projection holds
    if (const auto held = held_of(held_->projection, key, value); held != not_held) all[key] = "removed, but " + held;
  }
  for (const auto& [key, model] : held_->projection.models()) {
    all[key] = events::to_json(
        events::ModelUpserted{.key = key, .version = model.version, .cause = "any", .actor = "any", .model = model});
  }
  return all;
}

bool TopicReader::has_each_kind() const {
  const auto& projection = held_->projection;
  return projection.default_pointer("acme", "", "generation", "", "") != nullptr &&
         projection.alias("acme", "", "best") != nullptr && projection.grants("acme") != nullptr &&
         projection.organization("acme") != nullptr;
}

}  // namespace tokenrail::registry_sync
