#include "tests/integration/registry_sync/topic_reader.hpp"

#include <string_view>

#include "common/events/model_event.hpp"
#include "common/events/registry_records.hpp"
#include "common/registry/projection.hpp"

namespace tokenrail::registry_sync {

namespace {

template <auto Parse>
std::string facts_of(std::string_view value) {
  auto record = Parse(value);
  if (!record) return "cannot be read: " + std::string(value);
  record->cause = record->actor = "";
  return events::to_json(*record);
}
std::string facts_of(std::string_view key, std::string_view value) {
  if (key.starts_with(events::default_key_prefix)) return facts_of<events::parse_registry_default>(value);
  if (key.starts_with(events::alias_key_prefix)) return facts_of<events::parse_registry_alias>(value);
  if (key.starts_with(events::view_key_prefix)) return facts_of<events::parse_registry_view>(value);
  if (key.starts_with(events::grants_key_prefix)) return facts_of<events::parse_registry_grants>(value);
  if (key.starts_with(events::organization_key_prefix)) return facts_of<events::parse_registry_organization>(value);
  return std::string(value);
}

}  // namespace

struct TopicReader::Held {
  registry::Projection projection{};
  std::map<std::string, std::string> others{};
};

TopicReader::TopicReader() : held_(std::make_unique<Held>()) {}
TopicReader::TopicReader(TopicReader&&) noexcept = default;
TopicReader& TopicReader::operator=(TopicReader&&) noexcept = default;
TopicReader::~TopicReader() = default;

void TopicReader::apply(const std::string& key, const std::optional<std::string>& value) {
  held_->projection.apply(key, value);
  if (registry::is_model_key(key) || key == events::registry_mark_key || key.starts_with("settle-")) return;
  if (value) {
    held_->others[key] = facts_of(key, *value);
  } else {
    held_->others.erase(key);
  }
}

std::map<std::string, std::string> TopicReader::facts() const {
  auto all = held_->others;
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
