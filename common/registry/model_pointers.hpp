// What leads to models: defaults, aliases and weighted sets, grants. Each change is published on the state topic.
// Blocking; see governed_database.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

class ModelPointers {
 public:
  explicit ModelPointers(GovernedDatabase& database) : database_(database) {}

  struct Default {
    std::string kind = "generation";
    std::string provider{};  ///< empty: of any
    std::string purpose{};   ///< empty: general
  };
  Result<DocumentPage> defaults(const Actor& actor, const Scope& scope, const PageRequest& page);
  /// The scope's own. Errors: not_found.
  Result<Document> get_default(const Actor& actor, const Scope& scope, const Default& of);
  /// `model`: id, slug or provider/name of a model that the scope sees. Errors: not_found; conflict with the version
  /// that was expected (no_row: there is no such default yet).
  Result<Document> set_default(const Actor& actor, const Scope& scope, const Default& of, const std::string& model,
                               const std::optional<std::int64_t>& expected_version = {});
  Result<void> remove_default(const Actor& actor, const Scope& scope, const Default& of,
                              const std::optional<std::int64_t>& expected_version = {});

  struct Target {
    std::string model;  ///< id, slug or provider/name
    std::int64_t weight = 1;
  };
  struct Alias {
    std::string alias;
    std::vector<Target> targets{};
    std::string sticky = "conversation";  ///< none | conversation | user
    std::string description{};
  };
  Result<DocumentPage> aliases(const Actor& actor, const Scope& scope, const PageRequest& page);
  Result<Document> alias(const Actor& actor, const Scope& scope, const std::string& alias);
  /// Replaces it whole, or makes it. Errors: not_found for a target; invalid_input for one that comes twice; conflict
  /// where it is the slug of a model, and with the version that was expected (no_row: there is no such alias yet).
  Result<Document> set_alias(const Actor& actor, const Scope& scope, const Alias& wanted,
                             const std::optional<std::int64_t>& expected_version);
  Result<void> remove_alias(const Actor& actor, const Scope& scope, const std::string& alias,
                            const std::optional<std::int64_t>& expected_version);

  struct Grant {
    std::string subject_kind;  ///< org | group | user
    std::string subject{};     ///< empty: the organisation
    std::string object_kind;   ///< model | connection | alias
    std::string object;        ///< id, slug or name
    std::string effect = "allow";
    std::optional<std::int64_t> expected_version{};  ///< no_row: the subject has none of the object yet
  };
  Result<DocumentPage> grants(const Actor& actor, const std::string& org_id, const PageRequest& page);
  Result<Document> grant(const Actor& actor, const std::string& org_id, const std::string& id);
  /// The one of the same subject and object, whatever its effect. Errors: not_found.
  Result<Document> same_grant(const Actor& actor, const std::string& org_id, const Grant& grant);
  /// Makes it, or gives the same_grant() its effect; one that has it already stays as it is. Errors: not_found for the
  /// object; conflict with the version that was expected.
  Result<Document> add_grant(const Actor& actor, const std::string& org_id, const Grant& grant);
  /// Each as add_grant() adds it, by itself, but published together: the organisation's grants once.
  std::vector<Result<Document>> add_grants(const Actor& actor, const std::string& org_id,
                                           std::span<const Grant> grants);
  /// Errors: not_found; conflict with the version that was expected.
  Result<void> remove_grant(const Actor& actor, const std::string& org_id, const std::string& id,
                            const std::optional<std::int64_t>& expected_version = {});
  struct RemovedGrant {
    std::string id;
    std::optional<std::int64_t> expected_version{};
  };
  /// Each as remove_grant() removes it, by itself, but published together.
  std::vector<Result<void>> remove_grants(const Actor& actor, const std::string& org_id,
                                          std::span<const RemovedGrant> removed);

 private:
  GovernedDatabase& database_;
};

}  // namespace tokenrail::registry
