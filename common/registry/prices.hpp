// Prices as people govern them: what a scope's models cost, and what it sets over the catalogues. Blocking; see
// governed_database.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/price.hpp"
#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

class Prices {
 public:
  explicit Prices(GovernedDatabase& database) : database_(database) {}

  /// The prices in force for the scope: `prices`, each with its source, and `own`, which a person set in this scope.
  /// The version is the model's. Amounts are decimal texts in US dollars per million units. Errors: not_found.
  /// `connection`: on that connection, where it may cost something else; empty: on the first one that serves it.
  Result<Document> get(const Actor& actor, const Scope& scope, const std::string& model,
                       const std::string& connection = {});
  /// Makes these all that a person has set in the scope; none gives the model back to the catalogues, and in an
  /// organisation to the platform. In a scope's row its own prices count as a whole over those of the row above; in one
  /// row they count dimension by dimension over the catalogues. With a connection they are those of its deployment,
  /// which count before those of the model; the scope has that deployment itself. Prices that end are kept with their
  /// time. Errors: not_found, conflict (another version), forbidden, invalid_input (a key twice).
  Result<Document> set(const Actor& actor, const Scope& scope, const std::string& model,
                       const std::vector<Price>& prices, const std::optional<std::int64_t>& expected_version,
                       const std::string& connection = {});

 private:
  GovernedDatabase& database_;
};

/// "2.5" dollars as micro-dollars: at most six digits behind the point. Errors: invalid_input.
[[nodiscard]] Result<std::int64_t> micros_from(const std::string& dollars);
/// "16:30" as minutes of the day.
[[nodiscard]] std::optional<std::int16_t> minute_from(const std::string& clock);

}  // namespace tokenrail::registry
