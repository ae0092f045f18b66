// Saved views: a filter over models with a name, and models that it shows whatever the filter says. Lists take one by
// name, and "auto" selects from the one that its scope sets, so that the same choice is made everywhere. Blocking; see
// governed_database.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"
#include "common/registry/model_filter.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

class ModelViews {
 public:
  explicit ModelViews(GovernedDatabase& database) : database_(database) {}

  struct View {
    std::string name;
    ModelFilter filter{};             ///< its `view` is empty: views do not name views
    std::vector<std::string> pins{};  ///< ids, slugs or provider/name
    bool for_auto = false;            ///< "auto" selects from it in its scope; the view that did so no longer does
  };
  /// By name: the platform's and the scope's own.
  Result<DocumentPage> list(const Actor& actor, const Scope& scope, const PageRequest& page);
  /// The scope's own, else the platform's. Errors: not_found.
  Result<Document> get(const Actor& actor, const Scope& scope, const std::string& name);
  /// Replaces the scope's own whole, or makes it. Errors: not_found for a pinned model; invalid_input for a provider
  /// that is not there; conflict with the version that was expected (no_row: the scope has none of that name yet).
  Result<Document> set(const Actor& actor, const Scope& scope, const View& wanted,
                       const std::optional<std::int64_t>& expected_version);
  Result<void> remove(const Actor& actor, const Scope& scope, const std::string& name,
                      const std::optional<std::int64_t>& expected_version);

 private:
  GovernedDatabase& database_;
};

}  // namespace tokenrail::registry
