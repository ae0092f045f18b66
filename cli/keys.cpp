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

std::string key_table(const std::vector<crypto::KeyRing::KeyInfo>& keys) {
  std::vector<std::vector<std::string>> rows{{"KEY", "STATE"}};
  for (const auto& key : keys) rows.push_back({key.id, std::string(crypto::to_text(key.state))});
  return table(rows);
}

std::string key_json(const crypto::KeyRing::KeyInfo& key) {
  std::string line;
  events::JsonWriter json(line);
  json.begin_object();
  json.field("key", key.id);
  json.field("state", crypto::to_text(key.state));
  json.end_object();
  return line;
}

}  // namespace tokenrail::cli
