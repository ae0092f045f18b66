// How the governed models find and change the rows of one model. Private to this module's .cpp files.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/registry/governed_sql.hpp"

namespace tokenrail::registry {

std::unexpected<Error> no_model(const std::string& id);

/// Names of the members of a JSON object; none of what is no object.
[[nodiscard]] std::vector<std::string> names_in(std::string_view object);

/// The scope's own row of a model, and the platform's.
struct Rows {
  std::string own{};       ///< id; empty: none
  std::string platform{};  ///< id; empty: none
  /// The row that the scope writes; empty: it has none yet.
  [[nodiscard]] const std::string& of(const Scope& scope) const { return scope.platform() ? platform : own; }
};
/// What a name leads to.
struct Named {
  std::string provider;
  std::string model_name;
  Rows rows{};
};
/// Whatever it is named by: an id is of the scope's own row or of the platform's; the rest is the same in both. Takes a
/// small part of the time of find_model().
std::optional<Named> find_rows(soci::session& sql, const Scope& scope, const std::string& name);

/// The model as the scope sees it.
std::optional<Document> find_model(soci::session& sql, const Scope& scope, const std::string& name);
std::optional<Document> read_model(soci::session& sql, const Scope& scope, const Named& model);

Rows rows_of(const Document& document);
/// @own and @platform.
Arguments names_of(const Rows& rows);

struct Locked {
  Document before;  ///< as the scope saw the model before this change
  std::string row;  ///< id of the row that is written
  std::vector<ModelRow> model{};
};

/// The row that a change of that scope writes, locked; made over the platform's where the scope has none of its own.
/// `expected_version` is compared once the row is locked.
Result<Locked> lock_row(soci::session& sql, const Actor& actor, const Scope& scope, const std::string& id,
                        const std::optional<std::int64_t>& expected_version);

/// The patch, with `capabilities`, `metadata` and `params` as they are once it is merged into them.
std::string with_merged_maps(soci::session& sql, const Scope& scope, const Locked& locked, std::string_view patch);

/// Sets the values, and publishes what came of it.
Result<Document> write_model(soci::session& sql, const Actor& actor, const Scope& scope, Locked locked,
                             std::string_view patch, std::string_view action);

/// Documents of what needs the model of names_of(); to be followed by a condition.
[[nodiscard]] const std::string& dependents_select();

}  // namespace tokenrail::registry
