#include "workers/registry_api/json_changes.hpp"

namespace tokenrail::registry_api {

namespace {

void compare(const std::string& pointer, const Json& before, const Json& after, std::vector<JsonChange>& changes) {
  const auto* const left = before.object();
  const auto* const right = after.object();
  if (left == nullptr || right == nullptr) {
    if (!(before == after)) changes.push_back({.pointer = pointer, .before = &before, .after = &after});
    return;
  }
  for (const auto& member : *left) {
    const auto place = pointer + pointer_part(member.name);
    if (const auto* other = after.find(member.name); other != nullptr) {
      compare(place, member.value, *other, changes);
    } else {
      changes.push_back({.pointer = place, .before = &member.value});
    }
  }
  for (const auto& member : *right)
    if (before.find(member.name) == nullptr)
      changes.push_back({.pointer = pointer + pointer_part(member.name), .after = &member.value});
}

}  // namespace

std::vector<JsonChange> changes_between(const Json& before, const Json& after) {
  std::vector<JsonChange> changes;
  compare("", before, after, changes);
  return changes;
}

}  // namespace tokenrail::registry_api
