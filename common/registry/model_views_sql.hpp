// Filters and saved views as arguments of statements. Private to this module's .cpp files.
#pragma once

#include <string>
#include <string_view>

#include "common/registry/governed_sql.hpp"
#include "common/registry/model_filter.hpp"

namespace tokenrail::registry {

/// What the conditions of governed_models_sql.hpp take of a filter, each name with `prefix` before it.
void add_filter(Arguments& arguments, std::string_view prefix, const ModelFilter& filter);

struct SavedView {
  ModelFilter filter{};
  std::string pins{};  ///< JSON array of ids
};
/// The nearest view of that name: the scope's own, else the platform's. Error: not_found.
Result<SavedView> view_named(soci::session& sql, const Scope& scope, const std::string& name);

}  // namespace tokenrail::registry
