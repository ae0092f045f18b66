#include "common/providers/openai_responses/output_items.hpp"

#include <algorithm>

namespace tokenrail::providers::openai_responses {

ItemKind kind_of_item(std::string_view type) {
  if (type == "message") return ItemKind::message;
  if (type == "function_call") return ItemKind::call;
  if (type == "reasoning") return ItemKind::reasoning;
  return ItemKind::other;
}

std::string_view text_at(const events::ObjectReader& object, std::string_view name) {
  const auto element = object.find(name);
  return element ? events::string_of(*element).value_or("") : std::string_view();
}

Item::Part& Item::part(std::optional<std::int64_t> wanted) {
  if (!wanted) {
    numbered = false;
    wanted = newest_part.value_or(0);
  }
  const auto known = parts.find(*wanted);
  if (known != parts.end()) return known->second;
  newest_part = wanted;
  return parts[*wanted];
}

bool Item::has_part(std::int64_t wanted) const {
  const auto known = parts.find(wanted);
  return known != parts.end() && known->second.bytes > 0;
}

void Item::drop_parts() {
  parts.clear();
  newest_part.reset();
}

Item* OutputItems::find(std::optional<std::int64_t> index, std::string_view id, ItemKind kind) {
  // The latest is the one that is being written, and servers exist that number every item 0.
  if (!items_.empty()) {
    auto& last = items_.back();
    if (last.kind == kind && (index ? last.index == index : id.empty() || last.id == id)) return &last;
  }
  const auto item_in = [&](const auto& map, const auto& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &items_[found->second];
  };
  const auto& known = newest(kind);
  if (index) return item_in(known.of_index, *index);
  if (!id.empty()) return item_in(known.of_id, id);
  return known.of_all ? &items_[*known.of_all] : nullptr;
}

Item& OutputItems::add(std::optional<std::int64_t> index, std::string_view id, ItemKind kind) {
  auto& item = items_.emplace_back(Item{.kind = kind, .index = index, .place = items_.size()});
  auto& known = newest(kind);
  if (index) known.of_index.insert_or_assign(*index, item.place);
  known.of_all = item.place;
  name(item, id);
  return item;
}

void OutputItems::name(Item& item, std::string_view id) {
  if (!item.id.empty() || id.empty()) return;
  item.id = id;
  auto& latest = newest(item.kind).of_id.try_emplace(item.id, item.place).first->second;
  latest = std::max(latest, item.place);
}

Item& OutputItems::begin(const events::ObjectReader& event, const events::ObjectReader& item, bool& fresh) {
  const auto kind = kind_of_item(text_at(item, "type"));
  const auto index = event.integer_if("output_index");
  const auto id = text_at(item, "id");
  auto* known = find(index, id, kind);
  // Without a name of any kind, another item that begins is another item.
  if (known != nullptr && !index && id.empty()) known = nullptr;
  if (known != nullptr && known->id != id && (known->done || !known->id.empty())) known = nullptr;
  fresh = known == nullptr;
  if (known == nullptr) return add(index, id, kind);
  name(*known, id);
  return *known;
}

Item& OutputItems::of(const events::ObjectReader& event, ItemKind kind, std::string_view id, bool& fresh) {
  const auto index = event.integer_if("output_index");
  auto* const known = find(index, id, kind);
  fresh = known == nullptr;
  return known == nullptr ? add(index, id, kind) : *known;
}

void OutputItems::end_calls(const std::set<std::string_view>& ids, const std::set<std::int64_t>& places) {
  for (auto& item : items_) {
    if (item.kind != ItemKind::call || item.done) continue;
    item.done = (!item.id.empty() && ids.contains(item.id)) || (item.index && places.contains(*item.index));
  }
}

}  // namespace tokenrail::providers::openai_responses
