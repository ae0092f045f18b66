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
    if (!parts.empty()) return parts.back();
  }
  for (auto at = parts.rbegin(); wanted && at != parts.rend(); ++at) {
    if (at->index == *wanted) return *at;
  }
  return parts.emplace_back(Part{.index = wanted.value_or(0)});
}

bool Item::has_part(std::int64_t wanted) const {
  return std::ranges::any_of(parts, [&](const Part& part) { return part.index == wanted && part.bytes > 0; });
}

Item* OutputItems::find(std::optional<std::int64_t> index, std::string_view id, ItemKind kind) {
  // The latest first: it is the one that is being written, and servers exist that number every item 0.
  for (auto at = items_.rbegin(); at != items_.rend(); ++at) {
    if (at->kind != kind) continue;
    if (index ? at->index == index : id.empty() || at->id == id) return &*at;
  }
  return nullptr;
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
  if (known == nullptr) known = &items_.emplace_back(Item{.kind = kind, .index = index, .id = std::string(id)});
  if (known->id.empty()) known->id = id;
  return *known;
}

Item& OutputItems::of(const events::ObjectReader& event, ItemKind kind, std::string_view id, bool& fresh) {
  const auto index = event.integer_if("output_index");
  auto* const known = find(index, id, kind);
  fresh = known == nullptr;
  if (known != nullptr) return *known;
  return items_.emplace_back(Item{.kind = kind, .index = index, .id = std::string(id)});
}

void OutputItems::end_call(const Item& whole) {
  for (auto& item : items_) {
    if (item.kind != ItemKind::call || item.done) continue;
    item.done = (!whole.id.empty() && item.id == whole.id) || (item.index && item.index == whole.index);
  }
}

}  // namespace tokenrail::providers::openai_responses
