// What the commands that govern the registry can ask for, wherever it runs: by the registry API where one is
// configured, else in the database. A command has one body for both.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.hpp"
#include "common/catalog/plan.hpp"
#include "common/crypto/credential_text.hpp"
#include "common/events/call_defaults.hpp"
#include "common/price.hpp"
#include "common/registry/catalogs.hpp"
#include "common/registry/document.hpp"
#include "common/registry/model_pointers.hpp"
#include "common/registry/model_views.hpp"
#include "common/registry/organizations.hpp"

namespace tokenrail::cli {

/// Of one scope: --org, else the platform. Blocking. Errors as those of common/registry, with the same meanings.
class Governance {
 public:
  using One = Result<registry::Document>;
  using Page = Result<registry::DocumentPage>;
  using Pointers = registry::ModelPointers;
  using PageRequest = registry::PageRequest;
  /// The version that a change was decided on; registry::no_row: nothing was there. Nothing: whatever is there is to be
  /// changed, as a person who gives a whole new value means it. Errors of a change that has one: conflict, where
  /// another one was faster.
  using Expected = std::optional<std::int64_t>;

  Governance() = default;
  virtual ~Governance() = default;
  Governance(const Governance&) = delete;
  Governance& operator=(const Governance&) = delete;

  /// The same for the rows of another organisation; empty: the platform's. May outlive this.
  [[nodiscard]] virtual std::unique_ptr<Governance> of(const std::string& org) = 0;

  virtual One create_organization(const registry::Organizations::New& wanted) = 0;
  virtual One change_organization(const std::string& id, const std::string& patch, Expected expected) = 0;
  virtual Result<void> remove_organization(const std::string& id, Expected expected) = 0;
  virtual Page organizations(const PageRequest& page) = 0;

  virtual One model(const std::string& name) = 0;
  virtual One create_model(const std::string& fields) = 0;
  virtual One change_model(const std::string& name, const std::string& patch) = 0;
  /// As change_model(), but `capabilities` and `metadata` become what the patch says.
  virtual One replace_model(const std::string& name, const std::string& patch, Expected expected) = 0;
  virtual Result<void> remove_model(const std::string& name, bool force) = 0;
  virtual Page models(const PageRequest& page) = 0;
  /// `connection`: on that one; empty: on the first that serves the model.
  virtual One prices(const std::string& model, const std::string& connection) = 0;
  /// `expected`: of the model.
  virtual One set_prices(const std::string& model, const std::vector<Price>& prices, const std::string& connection,
                         Expected expected) = 0;
  /// Replaces the default parameters of the model's deployments, of those on `connection`, or of all; see
  /// common/registry/call_parameters.hpp.
  virtual One set_parameters(const std::string& model, const std::string& connection,
                             const events::CallDefaults& parameters) = 0;
  virtual Page revisions(const std::string& name, const PageRequest& page) = 0;
  virtual One roll_back(const std::string& name, std::int64_t version) = 0;
  /// Why the model may be used, or may not.
  virtual One explanation(const std::string& name) = 0;

  virtual Page defaults(const PageRequest& page) = 0;
  virtual One set_default(const Pointers::Default& of, const std::string& model, Expected expected) = 0;
  virtual Result<void> remove_default(const Pointers::Default& of, Expected expected) = 0;
  virtual Page aliases(const PageRequest& page) = 0;
  virtual One alias(const std::string& name) = 0;
  virtual One set_alias(const Pointers::Alias& wanted, Expected expected) = 0;
  virtual Result<void> remove_alias(const std::string& name, Expected expected) = 0;
  virtual One set_view(const registry::ModelViews::View& wanted, Expected expected) = 0;
  virtual Result<void> remove_view(const std::string& name, Expected expected) = 0;
  virtual Page grants(const PageRequest& page) = 0;
  virtual One add_grant(const Pointers::Grant& grant) = 0;
  virtual Result<void> remove_grant(const std::string& id, Expected expected) = 0;
  virtual Page audit(const PageRequest& page) = 0;
  virtual Page held_changes(const PageRequest& page) = 0;
  virtual One decide(const std::string& id, bool accept, const std::string& reason) = 0;

  virtual Page connections(const PageRequest& page) = 0;
  /// `name`: or its id.
  virtual One connection(const std::string& name) = 0;
  virtual One create_connection(const std::string& fields) = 0;
  virtual One change_connection(const std::string& id, const std::string& patch, Expected expected) = 0;
  virtual Result<void> remove_connection(const std::string& name, bool force, Expected expected) = 0;
  /// Asks for a sync of one connection; the id of the operation.
  virtual Result<std::string> request_sync(const std::string& connection, bool accept_held) = 0;
  /// Asks for a comparison of the topics with the database; the id of the operation, which is the platform's.
  virtual Result<std::string> request_republish() = 0;
  /// How far an operation is: its state is running, done or failed.
  virtual One operation(const std::string& id) = 0;
  /// Stage by stage. `model`: to call, by its name at the provider; empty: none.
  virtual One test_connection(const std::string& name, const std::string& model) = 0;

  virtual Page credentials(const PageRequest& page) = 0;
  /// Whether a secret could be sealed; asked before a person types it.
  virtual Result<void> can_seal() = 0;
  virtual One add_credential(const std::string& provider, const std::string& label,
                             const crypto::CredentialText& secrets) = 0;
  /// Other secrets for one that is there, as `credentials` showed it, in that version.
  virtual One replace_credential(const registry::Document& known, const crypto::CredentialText& secrets) = 0;
  virtual Result<void> revoke_credential(const std::string& id, bool force, Expected expected) = 0;

  /// What people decided, of the platform and all organisations; see common/registry/configuration.hpp.
  virtual One configuration() = 0;
  /// What of it a sync owns, in the same form.
  virtual One owned_by_sync() = 0;
  /// What the registry knows and what it lacks.
  virtual One inspection() = 0;

  // Catalogues, as common/registry/catalogs.hpp has them.
  virtual Result<std::vector<catalog::KnownEntry>> catalog_entries(catalog::Source source) = 0;
  virtual Result<std::int64_t> apply_catalog(catalog::Source source,
                                             std::span<const catalog::PlannedEntry> entries) = 0;
  virtual Result<std::int64_t> infer_from_names() = 0;
  virtual Result<void> record_import(const registry::CatalogImport& import) = 0;
  virtual Result<std::int64_t> set_scores(std::span<const registry::QualityScore> scores,
                                          std::vector<std::string>& unknown) = 0;
};

/// Errors (invalid_input): settings of the API that make no sense.
[[nodiscard]] Result<std::unique_ptr<Governance>> open_governance(const Context& context);

/// Whether the settings name a registry API.
[[nodiscard]] bool api_is_configured(const config::Values& values);

/// Nothing, or why the command of this call must not run: it works on the database and only an API is configured, or it
/// asks an API and none is.
[[nodiscard]] Result<void> check_registry_is_reached(const Context& context);

}  // namespace tokenrail::cli
