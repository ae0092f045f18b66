// Connections (an endpoint of a provider, with its credential) and sealed credentials, governed by people. Blocking;
// see governed_database.hpp. What is sealed comes sealed and goes out sealed: this module holds no key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

class Connections {
 public:
  explicit Connections(GovernedDatabase& database) : database_(database) {}

  /// Those of the scope and, for an organisation, the platform's; ids, names and health, never a secret.
  Result<DocumentPage> list(const Actor& actor, const Scope& scope, const PageRequest& page);
  /// `id`: its id or its name.
  Result<Document> get(const Actor& actor, const Scope& scope, const std::string& id);
  /// `fields`: an object with provider, name, baseUrl, and optionally authType, authName, credentialId, priority,
  /// weight, enabled, syncEnabled, syncIntervalS, includeGlobs, excludeGlobs, onNew, slugPrefix, metadata.
  /// Errors: conflict where the name is taken; not_found for a provider or a credential of that scope.
  Result<Document> create(const Actor& actor, const Scope& scope, std::string_view fields);
  /// Models that it serves are published again where routers see the change.
  Result<Document> change(const Actor& actor, const Scope& scope, const std::string& id, std::string_view patch,
                          const std::optional<std::int64_t>& expected_version);
  /// Error `conflict`, unless `force`: it still serves models.
  Result<void> remove(const Actor& actor, const Scope& scope, const std::string& id, bool force,
                      const std::optional<std::int64_t>& expected_version);
  /// Providers that connections can be made to.
  Result<DocumentPage> providers(const PageRequest& page);

 private:
  GovernedDatabase& database_;
};

class CredentialStore {
 public:
  explicit CredentialStore(GovernedDatabase& database) : database_(database) {}

  struct Sealed {
    std::string id;  ///< from GovernedDatabase::new_id(); bound into the seal
    std::string provider;
    std::string label;
    std::string sealed;  ///< base64
    std::string key_id;
    std::string fingerprint;
    std::string last4{};
    std::vector<std::string> header_names{};  ///< of further secret headers, which are sealed too
    std::optional<std::int64_t> expires_ms{};
    std::int64_t secret_version = 1;  ///< bound into the seal
  };
  Result<DocumentPage> list(const Actor& actor, const Scope& scope, const PageRequest& page);
  Result<Document> get(const Actor& actor, const Scope& scope, const std::string& id);
  /// Errors: conflict where the label is taken.
  Result<Document> add(const Actor& actor, const Scope& scope, const Sealed& credential);
  /// Another secret for the same credential. Error `conflict`: its secret version is no longer `secret_version` - 1, or
  /// it has another version than expected.
  Result<Document> replace(const Actor& actor, const Scope& scope, const Sealed& credential,
                           const std::optional<std::int64_t>& expected_version = {});
  /// The sealed text is removed, and routers drop it. Error `conflict`: connections use it, unless `force`; or it has
  /// another version than expected.
  Result<void> revoke(const Actor& actor, const Scope& scope, const std::string& id, bool force,
                      const std::optional<std::int64_t>& expected_version = {});

  /// What `open()` needs: the row as it is bound into the seal. Not for answers to people.
  struct Row {
    std::string id;
    Scope scope;
    std::string provider;
    std::string sealed;
    std::string key_id;
    std::optional<std::int64_t> expires_ms{};  ///< Unix
    std::int64_t secret_version = 1;
  };
  Result<Row> sealed(const Actor& actor, const Scope& scope, const std::string& id);
  /// The oldest `count_max` rows, of every scope, whose key is not `key_id`, after the id `after`. For a rewrap.
  Result<std::vector<Row>> not_under(const std::string& key_id, const std::string& after, std::int64_t count_max);
  /// Replaces the sealed text of an unchanged secret, publishes and audits it. False: the row was changed meanwhile,
  /// and nothing was written.
  Result<bool> rewrapped(const Actor& actor, const Row& before, const std::string& sealed, const std::string& key_id);
  struct KeyUse {
    std::string key_id;
    std::int64_t rows = 0;
  };
  Result<std::vector<KeyUse>> keys_in_use();

 private:
  GovernedDatabase& database_;
};

}  // namespace tokenrail::registry
