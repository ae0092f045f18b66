#include "cli/keys.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/table.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::cli {

std::string new_key_id(const std::vector<crypto::KeyRing::KeyInfo>& keys, std::string_view day) {
  std::string id(day);
  const auto is_taken = [&] { return std::ranges::find(keys, id, &crypto::KeyRing::KeyInfo::id) != keys.end(); };
  for (int number = 2; is_taken(); ++number) id = fmt::format("{}-{}", day, number);
  return id;
}

std::vector<KeyStatus> key_statuses(const std::vector<crypto::KeyRing::KeyInfo>& keys,
                                    const std::optional<SealedCounts>& counts) {
  std::vector<KeyStatus> statuses;
  for (const auto& key : keys) {
    KeyStatus status{.id = key.id, .state = std::string(crypto::to_text(key.state))};
    if (counts) {
      const auto found = counts->find(key.id);
      status.credentials = found == counts->end() ? 0 : found->second;
    }
    statuses.push_back(std::move(status));
  }
  if (!counts) return statuses;
  for (const auto& [id, count] : *counts)
    if (std::ranges::find(keys, id, &crypto::KeyRing::KeyInfo::id) == keys.end())
      statuses.push_back({.id = id, .state = "missing", .credentials = count});
  return statuses;
}

std::vector<KeyStatus> unusable_keys(const std::vector<KeyStatus>& keys) {
  std::vector<KeyStatus> unusable;
  for (const auto& key : keys)
    if (key.credentials.value_or(0) > 0 && (key.state == "disabled" || key.state == "missing")) unusable.push_back(key);
  return unusable;
}

std::string key_table(const std::vector<KeyStatus>& keys) {
  const bool counted = !keys.empty() && keys.front().credentials.has_value();
  std::vector<std::vector<std::string>> rows{{"KEY", "STATE"}};
  if (counted) rows.front().emplace_back("CREDENTIALS");
  for (const auto& key : keys) {
    rows.push_back({key.id, key.state});
    if (counted) rows.back().push_back(fmt::format("{}", key.credentials.value_or(0)));
  }
  return table(rows);
}

std::string key_json(const KeyStatus& key) {
  std::string line;
  events::JsonWriter json(line);
  json.begin_object();
  json.field("key", key.id);
  json.field("state", key.state);
  if (key.credentials) json.field("credentials", *key.credentials);
  json.end_object();
  return line;
}

}  // namespace tokenrail::cli
