#include "common/registry/model_patch_sql.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "common/registry/settable_fields.hpp"

namespace tokenrail::registry {

namespace {

/// A column and its value once `patch` (SQL, jsonb) is applied.
using Assignment = std::pair<std::string, std::string>;

/// What `override` becomes: the fields that are set here.
std::string override_after(std::string_view patch) {
  return fmt::format(
      "(override || COALESCE((SELECT jsonb_object_agg(f.key, f.value) FROM jsonb_each({0}) f WHERE f.value <> 'null' "
      "AND f.key <> 'deployments'), '{{}}')) - COALESCE((SELECT array_agg(f.key) FROM jsonb_each({0}) f WHERE f.value "
      "= "
      "'null'), CAST(ARRAY[] AS text[]))",
      patch);
}

/// All that people set but `override`.
std::vector<Assignment> assignments(std::string_view patch) {
  const auto where_given = [&](std::string_view name, const std::string& value, std::string_view column) {
    return fmt::format("CASE WHEN jsonb_exists({}, '{}') THEN {} ELSE {} END", patch, name, value, column);
  };
  std::vector<Assignment> all;
  all.emplace_back("enabled",
                   where_given("enabled", fmt::format("CAST({} ->> 'enabled' AS boolean)", patch), "enabled"));
  all.emplace_back("platform_blocked",
                   where_given("blocked", fmt::format("COALESCE(CAST({} ->> 'blocked' AS boolean), false)", patch),
                               "platform_blocked"));
  all.emplace_back("tags", where_given("tags",
                                       fmt::format("ARRAY(SELECT jsonb_array_elements_text(CASE jsonb_typeof({0} -> "
                                                   "'tags') WHEN 'array' THEN {0} -> 'tags' ELSE '[]' END))",
                                                   patch),
                                       "tags"));
  for (const auto& field : settable) {
    const auto value = field.type == "jsonb" ? fmt::format("NULLIF({} -> '{}', 'null')", patch, field.name)
                                             : fmt::format("CAST({} ->> '{}' AS {})", patch, field.name, field.type);
    all.emplace_back(field.column,
                     where_given(field.name, fmt::format("COALESCE({}, {})", value, field.empty), field.column));
  }
  return all;
}

}  // namespace

std::string patched_values(std::string_view patch) {
  std::string values;
  for (const auto& [column, value] : assignments(patch)) values += fmt::format("{} = {}, ", column, value);
  // The details are asked for again where a fact goes back to what the provider says.
  return values +
         fmt::format(
             "details_digest = CASE WHEN EXISTS (SELECT 1 FROM jsonb_each({}) f WHERE f.value = 'null') THEN '' "
             "ELSE details_digest END, override = {}",
             patch, override_after(patch));
}

std::string patch_changes(std::string_view patch) {
  std::string before;
  std::string after;
  for (const auto& [column, value] : assignments(patch)) {
    before += column + ", ";
    after += value + ", ";
  }
  // Two notations of one value are the same: of the fields that are set only the names are compared.
  const auto names = [](const std::string& object) {
    return fmt::format("ARRAY(SELECT k FROM jsonb_object_keys({}) k ORDER BY k)", object);
  };
  return fmt::format("ROW({}{}) IS DISTINCT FROM ROW({}{})", before, names("override"), after,
                     names(override_after(patch)));
}

}  // namespace tokenrail::registry
