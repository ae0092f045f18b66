#include "cli/stored_governance.hpp"

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cli/database.hpp"
#include "cli/govern.hpp"
#include "cli/published_registry.hpp"
#include "cli/stored_connection_test.hpp"
#include "common/crypto/credential_binding.hpp"
#include "common/crypto/credential_text.hpp"
#include "common/crypto/fingerprint.hpp"
#include "common/registry/call_parameters.hpp"
#include "common/registry/catalogs.hpp"
#include "common/registry/configuration.hpp"
#include "common/registry/connections.hpp"
#include "common/registry/explanation_json.hpp"
#include "common/registry/governance_log.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/held_changes.hpp"
#include "common/registry/operations.hpp"
#include "common/registry/prices.hpp"
#include "common/registry/resolution.hpp"

namespace tokenrail::cli {
namespace {

using registry::CredentialStore;

class StoredGovernance final : public Governance {
 public:
  StoredGovernance(const Context& context, std::shared_ptr<registry::GovernedDatabase> database, registry::Actor actor)
      : context_(context),
        shared_(std::move(database)),
        database_(*shared_),
        actor_(std::move(actor)),
        scope_(actor_.scope) {}

  std::unique_ptr<Governance> of(const std::string& org) override {
    auto actor = actor_;
    actor.scope = {.org_id = org};
    return std::make_unique<StoredGovernance>(context_, shared_, std::move(actor));
  }

  One create_organization(const registry::Organizations::New& wanted) override {
    return registry::Organizations(database_).create(actor_, wanted);
  }
  One change_organization(const std::string& id, const std::string& patch, Expected expected) override {
    return registry::Organizations(database_).change(actor_, id, patch, expected);
  }
  Result<void> remove_organization(const std::string& id, Expected expected) override {
    return registry::Organizations(database_).remove(actor_, id, expected);
  }
  Page organizations(const PageRequest& page) override { return registry::Organizations(database_).list(actor_, page); }

  One model(const std::string& name) override { return models().get(actor_, scope_, name); }
  One create_model(const std::string& fields) override { return models().create(actor_, scope_, fields); }
  One change_model(const std::string& name, const std::string& patch) override {
    return models().change(actor_, scope_, name, patch, std::nullopt);
  }
  One replace_model(const std::string& name, const std::string& patch, Expected expected) override {
    return models().replace(actor_, scope_, name, patch, expected);
  }
  Result<void> remove_model(const std::string& name, bool force) override {
    return models().remove(actor_, scope_, name, force, std::nullopt);
  }
  Page models(const PageRequest& page) override { return models().list(actor_, scope_, {}, page); }
  One prices(const std::string& model, const std::string& connection) override {
    return registry::Prices(database_).get(actor_, scope_, model, connection);
  }
  One set_prices(const std::string& model, const std::vector<Price>& prices, const std::string& connection,
                 Expected expected) override {
    return registry::Prices(database_).set(actor_, scope_, model, prices, expected, connection);
  }
  One set_parameters(const std::string& model, const std::string& connection,
                     const events::CallDefaults& parameters) override {
    return registry::CallParameters(database_).set(actor_, scope_, model, connection, parameters);
  }
  Page revisions(const std::string& name, const PageRequest& page) override {
    return models().revisions(actor_, scope_, name, page);
  }
  One roll_back(const std::string& name, std::int64_t version) override {
    return models().roll_back(actor_, scope_, name, version, std::nullopt);
  }
  One explanation(const std::string& name) override {
    auto found = models().get(actor_, scope_, name);
    if (!found) return found;
    const auto projection = read_published_registry(context_);
    if (!projection) return std::unexpected(projection.error());
    if (!projection->complete())
      return fail(ErrorKind::unavailable,
                  "the registry has not been published whole yet; start tokenrail-registry-sync and ask again");
    const auto kind = member_of(found->json, "kind");
    const registry::Question question{.caller = {.org_id = scope_.org_id},
                                      .model = events::ModelReference{.provider = member_of(found->json, "provider"),
                                                                      .name = member_of(found->json, "modelName")},
                                      .kind = kind};
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    found->json = registry::explanation_json(registry::explain(
        *projection, question, {}, std::chrono::duration_cast<std::chrono::milliseconds>(now).count()));
    return found;
  }

  Page defaults(const PageRequest& page) override { return pointers().defaults(actor_, scope_, page); }
  One set_default(const Pointers::Default& of, const std::string& model, Expected expected) override {
    return pointers().set_default(actor_, scope_, of, model, expected);
  }
  Result<void> remove_default(const Pointers::Default& of, Expected expected) override {
    return pointers().remove_default(actor_, scope_, of, expected);
  }
  Page aliases(const PageRequest& page) override { return pointers().aliases(actor_, scope_, page); }
  One alias(const std::string& name) override { return pointers().alias(actor_, scope_, name); }
  One set_alias(const Pointers::Alias& wanted, Expected expected) override {
    return pointers().set_alias(actor_, scope_, wanted, expected);
  }
  Result<void> remove_alias(const std::string& name, Expected expected) override {
    return pointers().remove_alias(actor_, scope_, name, expected);
  }
  One set_view(const registry::ModelViews::View& wanted, Expected expected) override {
    return registry::ModelViews(database_).set(actor_, scope_, wanted, expected);
  }
  Result<void> remove_view(const std::string& name, Expected expected) override {
    return registry::ModelViews(database_).remove(actor_, scope_, name, expected);
  }
  Page grants(const PageRequest& page) override { return pointers().grants(actor_, scope_.org_id, page); }
  One add_grant(const Pointers::Grant& grant) override { return pointers().add_grant(actor_, scope_.org_id, grant); }
  Result<void> remove_grant(const std::string& id, Expected expected) override {
    return pointers().remove_grant(actor_, scope_.org_id, id, expected);
  }
  Page audit(const PageRequest& page) override {
    return registry::GovernanceLog(database_).audit(actor_, scope_, {}, page);
  }

  Page held_changes(const PageRequest& page) override {
    return registry::HeldChanges(database_).list(actor_, scope_, page);
  }
  One decide(const std::string& id, bool accept, const std::string& reason) override {
    using Decision = registry::HeldChanges::Decision;
    return registry::HeldChanges(database_).decide(actor_, scope_, id, accept ? Decision::accept : Decision::reject,
                                                   reason);
  }

  Page connections(const PageRequest& page) override {
    return registry::Connections(database_).list(actor_, scope_, page);
  }
  One connection(const std::string& name) override {
    return registry::Connections(database_).get(actor_, scope_, name);
  }
  One create_connection(const std::string& fields) override {
    return registry::Connections(database_).create(actor_, scope_, fields);
  }
  One change_connection(const std::string& id, const std::string& patch, Expected expected) override {
    return registry::Connections(database_).change(actor_, scope_, id, patch, expected);
  }
  Result<void> remove_connection(const std::string& name, bool force, Expected expected) override {
    return registry::Connections(database_).remove(actor_, scope_, name, force, expected);
  }
  Result<std::string> request_sync(const std::string& connection, bool accept_held) override {
    return registry::GovernanceLog(database_).request_sync(actor_, scope_, connection, accept_held);
  }
  Result<std::string> request_republish() override { return registry::Operations(database_).request_republish(actor_); }
  One operation(const std::string& id) override { return registry::Operations(database_).get(actor_, scope_, id); }
  One test_connection(const std::string& name, const std::string& model) override {
    return test_stored_connection(context_, database_, actor_, name, model);
  }

  Page credentials(const PageRequest& page) override { return CredentialStore(database_).list(actor_, scope_, page); }
  Result<void> can_seal() override {
    if (const auto ring = configured_key_ring(context_); !ring) return std::unexpected(ring.error());
    return {};
  }
  One add_credential(const std::string& provider, const std::string& label,
                     const crypto::CredentialText& secrets) override {
    auto id = database_.new_id();
    if (!id) return std::unexpected(std::move(id.error()));
    const auto credential = sealed(
        {.id = std::move(*id), .provider = provider, .label = label, .sealed = {}, .key_id = {}, .fingerprint = {}},
        secrets);
    if (!credential) return std::unexpected(credential.error());
    return CredentialStore(database_).add(actor_, scope_, *credential);
  }
  One replace_credential(const registry::Document& known, const crypto::CredentialText& secrets) override {
    const auto credential = sealed({.id = known.id,
                                    .provider = member_of(known.json, "provider"),
                                    .label = member_of(known.json, "label"),
                                    .sealed = {},
                                    .key_id = {},
                                    .fingerprint = {},
                                    .secret_version = std::stoll(member_of(known.json, "secretVersion")) + 1},
                                   secrets);
    if (!credential) return std::unexpected(credential.error());
    return CredentialStore(database_).replace(actor_, scope_, *credential, known.version);
  }
  Result<void> revoke_credential(const std::string& id, bool force, Expected expected) override {
    return CredentialStore(database_).revoke(actor_, scope_, id, force, expected);
  }

  One configuration() override { return document_of(registry::read_configuration(database_, actor_)); }
  One owned_by_sync() override { return document_of(registry::read_owned_by_sync(database_, actor_)); }
  One inspection() override { return catalogs().inspect(actor_, scope_); }

  Result<std::vector<catalog::KnownEntry>> catalog_entries(catalog::Source source) override {
    return catalogs().entries(actor_, source);
  }
  Result<std::int64_t> apply_catalog(catalog::Source source, std::span<const catalog::PlannedEntry> entries) override {
    return catalogs().apply(actor_, source, entries);
  }
  Result<std::int64_t> infer_from_names() override { return catalogs().infer(actor_); }
  Result<void> record_import(const registry::CatalogImport& import) override {
    return catalogs().record(actor_, import);
  }
  Result<std::int64_t> set_scores(std::span<const registry::QualityScore> scores,
                                  std::vector<std::string>& unknown) override {
    return catalogs().set_scores(actor_, scores, unknown);
  }

 private:
  registry::Models models() { return registry::Models(database_); }
  registry::ModelPointers pointers() { return registry::ModelPointers(database_); }
  registry::Catalogs catalogs() { return registry::Catalogs(database_); }
  static One document_of(Result<std::string> json) {
    if (!json) return std::unexpected(std::move(json.error()));
    return registry::Document{.id = {}, .json = std::move(*json)};
  }

  Result<CredentialStore::Sealed> sealed(CredentialStore::Sealed credential,
                                         const crypto::CredentialText& secrets) const {
    const auto ring = configured_key_ring(context_);
    if (!ring) return std::unexpected(ring.error());
    const auto plain = crypto::to_text(secrets);
    if (!plain) return std::unexpected(plain.error());
    const auto text = crypto::seal(*ring, *plain,
                                   crypto::binding_of({.id = credential.id,
                                                       .org_id = scope_.org_id,
                                                       .owner_user_id = scope_.user_id,
                                                       .provider = credential.provider,
                                                       .secret_version = credential.secret_version}));
    if (!text) return std::unexpected(text.error());
    credential.sealed = crypto::to_text(*text);
    credential.key_id = ring->primary_id();
    credential.fingerprint = crypto::fingerprint(*ring, secrets.secret);
    credential.last4 = crypto::last4(secrets.secret);
    for (const auto& [name, value] : secrets.headers) credential.header_names.push_back(name);
    return credential;
  }

  const Context& context_;
  std::shared_ptr<registry::GovernedDatabase> shared_;
  registry::GovernedDatabase& database_;
  registry::Actor actor_;
  registry::Scope scope_;
};

}  // namespace

std::unique_ptr<Governance> stored_governance(const Context& context) {
  auto actor = actor_of(context);
  // What comes from a file says so in revisions and in the audit log.
  const auto command = context.call.command->path;
  if (command == "registry apply" || command.starts_with("catalog ")) actor.cause = "import";
  return std::make_unique<StoredGovernance>(
      context, std::make_shared<registry::GovernedDatabase>(database_options(context)), std::move(actor));
}

}  // namespace tokenrail::cli
