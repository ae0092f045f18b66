// Organisations, their members and their service tokens, in PostgreSQL. Blocking; see governed_database.hpp.
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

class Organizations {
 public:
  explicit Organizations(GovernedDatabase& database) : database_(database) {}

  struct New {
    std::string id;      ///< also what `orgId` of requests says
    std::string slug{};  ///< empty: the id
    std::string display_name{};
    std::string mode = "open";  ///< open | allow_list
  };
  /// Errors: conflict where the id or the slug is taken; invalid_input where the database would refuse it.
  Result<Document> create(const Actor& actor, const New& wanted);
  Result<DocumentPage> list(const Actor& actor, const PageRequest& page);
  Result<Document> get(const Actor& actor, const std::string& id);
  /// `patch`: displayName, mode, strictDefault, metadata; a member that is null resets its field.
  Result<Document> change(const Actor& actor, const std::string& id, std::string_view patch,
                          const std::optional<std::int64_t>& expected_version);
  /// It is gone for every reader; its rows stay. Error `conflict`: it still has models, connections or credentials.
  Result<void> remove(const Actor& actor, const std::string& id, const std::optional<std::int64_t>& expected_version);

  /// Members. A person is known by issuer and subject, as the identity provider says them.
  struct Member {
    std::string issuer;
    std::string subject;
    std::string role;
    std::string display_name{};
    std::vector<std::string> denied{};
  };
  Result<DocumentPage> members(const Actor& actor, const std::string& org_id, const PageRequest& page);
  /// Errors: not_found.
  Result<Document> member(const Actor& actor, const std::string& org_id, const std::string& principal_id);
  Result<Document> member_named(const Actor& actor, const std::string& org_id, const std::string& issuer,
                                const std::string& subject);
  /// Adds the member, or gives it another role. Error `conflict` with the version that was expected (no_row: the person
  /// is no member yet).
  Result<Document> set_member(const Actor& actor, const std::string& org_id, const Member& member,
                              const std::optional<std::int64_t>& expected_version = {});
  /// Takes the role that the member's sessions got by their login here too. Sessions and roles elsewhere stay.
  Result<void> remove_member(const Actor& actor, const std::string& org_id, const std::string& principal_id,
                             const std::optional<std::int64_t>& expected_version = {});
  /// What the rows say of a principal: memberships by organisation. Asked before there is an actor.
  struct Membership {
    std::string org_id;
    std::string role;
    std::vector<std::string> denied{};
  };
  /// Sessions with a lower generation give no role in the organisation by themselves.
  struct EndedRole {
    std::string org_id;
    std::int64_t generation = 0;
  };
  struct Known {
    bool platform_admin = false;
    std::vector<Membership> memberships{};
    std::vector<std::string> gone{};      ///< organisations that were asked about and are deleted
    std::int64_t session_generation = 0;  ///< sessions with a lower one have ended
    bool session_ended = false;           ///< the session that was asked about
    std::vector<EndedRole> ended_roles{};
  };
  /// `session_id`: of the browser's session; empty: there is none. `claimed`: organisations that the token names.
  Result<Known> known(const std::string& issuer, const std::string& subject, const std::string& session_id = {},
                      const std::vector<std::string>& claimed = {});

  /// Service tokens: only their SHA-256 is kept.
  struct NewToken {
    std::string id;
    std::string org_id;  ///< empty: of the platform, with role platform_admin
    std::string name;
    std::string role;
    std::string sha256_hex;
    std::optional<std::int64_t> expires_ms{};
  };
  Result<Document> add_token(const Actor& actor, const NewToken& token);
  Result<DocumentPage> tokens(const Actor& actor, const Scope& scope, const PageRequest& page);
  Result<void> revoke_token(const Actor& actor, const Scope& scope, const std::string& id);
  struct TokenOwner {
    std::string org_id;
    std::string name;
    std::string role;
    std::string sha256_hex;
  };
  /// The owner of a token that is neither revoked nor expired; notes that it was used. Asked before there is an actor.
  Result<std::optional<TokenOwner>> token_owner(const std::string& id);

 private:
  GovernedDatabase& database_;
};

}  // namespace tokenrail::registry
