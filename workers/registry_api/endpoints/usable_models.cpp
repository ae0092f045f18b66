// GET /v1/models: the models that the caller may use, in the form of OpenAI's list, for clients that expect it.
#include "workers/registry_api/endpoints/usable_models.hpp"

#include <array>
#include <set>

#include "common/events/json_writer.hpp"
#include "common/registry/governed_models.hpp"
#include "workers/registry_api/access.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;

constexpr std::array org_parameter{
    QueryParameter{.name = "org", .description = "The organisation; needed by a caller who is in several."}};

/// The one organisation that the list is for.
std::expected<std::string, Problem> organization_of(const Call& call) {
  auto org = call.query.text("org").value_or("");
  if (org.empty()) {
    const auto& roles = call.principal.roles;
    if (roles.size() != 1)
      return refuse(Fault::invalid_query, "The caller is in several organisations, or in none. Name one with org=.");
    org = roles.begin()->first;
  }
  auto decision = auth::decide(call.principal, auth::Permission::models_use, org);
  if (decision.allowed) return org;
  if (decision.status == 404) return std::unexpected(no_such_organisation(org));
  return refuse(Fault::forbidden, "This needs the permission org:models:use.");
}

awaitable<Answer> list_usable_models(Call& call) {
  const auto org = organization_of(call);
  if (!org) co_return std::unexpected(org.error());
  auto actor = call.actor();
  actor.scope.org_id = *org;
  actor.all_organizations = false;
  const auto found = co_await call.context->database->run(
      [actor = std::move(actor)](GovernedDatabase& database) -> Result<std::vector<registry::Document>> {
        std::vector<registry::Document> all;
        registry::PageRequest page{.count_max = page_size_max};
        const registry::ModelFilter filter{.status = "active", .hidden = false};
        do {
          auto part = registry::Models(database).list(actor, {.org_id = actor.scope.org_id}, filter, page);
          if (!part) return std::unexpected(part.error());
          for (auto& item : part->items) all.push_back(std::move(item));
          page.after = part->next;
        } while (!page.after.empty());
        return all;
      });
  if (!found) co_return std::unexpected(problem_of(found.error()));
  std::vector<std::string> models;
  models.reserve(found->size());
  for (const auto& document : *found) models.push_back(document.json);
  co_return json_reply(200, openai_model_list(models));
}

}  // namespace

void add_usable_model_routes(std::vector<Route>& routes) {
  routes.push_back({.method = "GET",
                    .pattern = "/v1/models",
                    .operation = "usable_models.list",
                    .summary = "Lists the models that the caller may use, as OpenAI's API does.",
                    .access = Access::caller,
                    .query = org_parameter,
                    .reply = &schemas::usable_models(),
                    .tag = "models",
                    .handler = list_usable_models});
}

}  // namespace tokenrail::registry_api
