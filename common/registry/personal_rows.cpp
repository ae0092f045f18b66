#include "common/registry/personal_rows.hpp"

#include <string>
#include <vector>

#include "common/registry/connections.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/model_pointers.hpp"
#include "common/registry/model_views.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

Result<void> remove_personal_rows(GovernedDatabase& database, const Actor& actor, const Scope& user) {
  // The rows of a user are seen by that user only.
  auto as_user = actor;
  as_user.scope = user;
  return transact_as(database, as_user, [&](soci::session& sql) -> Result<void> {
    Result<void> removed;
    const auto each = [&](const std::string& select, const auto& remove) {
      if (!removed) return;
      for (const auto& name :
           read_texts(sql, select + "org_id = @org AND owner_user_id = @owner ORDER BY 1", Arguments().scope(user)))
        if (removed) removed = remove(name);
    };
    // What leads to a model goes before it, and what a model is served by after it.
    each("SELECT name FROM model_view WHERE ",
         [&](const std::string& name) { return ModelViews(database).remove(as_user, user, name, {}); });
    each("SELECT alias FROM model_alias WHERE ",
         [&](const std::string& name) { return ModelPointers(database).remove_alias(as_user, user, name, {}); });
    each("SELECT kind || chr(31) || COALESCE(provider, '') || chr(31) || purpose FROM model_default WHERE ",
         [&](const std::string& name) {
           const auto parts = parts_of(name);
           const auto part = [&](std::size_t index) { return index < parts.size() ? parts[index] : std::string(); };
           return ModelPointers(database).remove_default(as_user, user,
                                                         {.kind = part(0), .provider = part(1), .purpose = part(2)});
         });
    each("SELECT CAST(id AS text) FROM model WHERE deleted_at IS NULL AND ",
         [&](const std::string& id) { return Models(database).remove(as_user, user, id, true, {}); });
    each("SELECT CAST(id AS text) FROM connection WHERE deleted_at IS NULL AND ",
         [&](const std::string& id) { return Connections(database).remove(as_user, user, id, true, {}); });
    each("SELECT CAST(id AS text) FROM credential WHERE revoked_at IS NULL AND ",
         [&](const std::string& id) { return CredentialStore(database).revoke(as_user, user, id, true); });
    return removed;
  });
}

}  // namespace tokenrail::registry
