#include "cli/config_removal.hpp"

#include <optional>

#include <fmt/format.h>

#include "cli/govern.hpp"
#include "common/registry/connections.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/model_pointers.hpp"
#include "common/registry/model_views.hpp"
#include "common/registry/organizations.hpp"

namespace tokenrail::cli {
namespace {

/// A file calls a model by provider and name, a grant by its id.
Result<std::string> id_of_model(registry::GovernedDatabase& database, const registry::Actor& actor,
                                const std::string& name) {
  const auto model = registry::Models(database).get(actor, actor.scope, name);
  if (!model) return std::unexpected(model.error());
  return model->id;
}

Result<void> remove_grant(registry::GovernedDatabase& database, const registry::Actor& actor, const ConfigValue& now) {
  registry::ModelPointers pointers(database);
  const auto org = now.text_of("org");
  auto object = now.text_of("object");
  const bool of_model = now.text_of("what") == "model";
  if (of_model) {
    const auto id = id_of_model(database, actor, object);
    if (!id) return std::unexpected(id.error());
    object = *id;
  }
  const auto all = all_pages([&](const auto& page) { return pointers.grants(actor, org, page); });
  if (!all) return std::unexpected(all.error());
  for (const auto& grant : *all) {
    const bool same = member_of(grant.json, "subjectKind") == now.text_of("to") &&
                      member_of(grant.json, "subject") == now.text_of("subject") &&
                      member_of(grant.json, "objectKind") == now.text_of("what") &&
                      member_of(grant.json, of_model ? "objectId" : "object") == object;
    if (same) return pointers.remove_grant(actor, org, grant.id);
  }
  return fail(ErrorKind::not_found, "There is no such grant any more.");
}

}  // namespace

Result<void> remove_entry(registry::GovernedDatabase& database, registry::Actor actor, const ConfigChange& change) {
  const auto& now = change.now;
  const registry::Scope scope{.org_id = now.text_of("org")};
  actor.scope = scope;
  if (change.collection == "organizations") {
    actor.scope = {};
    return registry::Organizations(database).remove(actor, now.text_of("id"), std::nullopt);
  }
  if (change.collection == "connections")
    return registry::Connections(database).remove(actor, scope, now.text_of("name"), false, std::nullopt);
  if (change.collection == "models")
    return registry::Models(database).remove(
        actor, scope, fmt::format("{}/{}", now.text_of("provider"), now.text_of("modelName")), false, std::nullopt);
  registry::ModelPointers pointers(database);
  if (change.collection == "defaults")
    return pointers.remove_default(
        actor, scope,
        {.kind = now.text_of("kind"), .provider = now.text_of("provider"), .purpose = now.text_of("purpose")});
  if (change.collection == "aliases") return pointers.remove_alias(actor, scope, now.text_of("alias"), std::nullopt);
  if (change.collection == "views")
    return registry::ModelViews(database).remove(actor, scope, now.text_of("name"), std::nullopt);
  return remove_grant(database, actor, now);
}

}  // namespace tokenrail::cli
