// /v1/orgs/{org}/defaults: which model answers where a request names none.
#include <array>

#include "common/registry/model_pointers.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::ModelPointers;

constexpr std::array which_default{
    QueryParameter{.name = "kind", .description = "Of which kind of model.", .required = true},
    QueryParameter{.name = "provider", .description = "The default among one provider's models."},
    QueryParameter{.name = "purpose", .description = "The default for one purpose."},
    owner_parameter,
};

awaitable<Answer> list_defaults(Call& call) {
  return answer_page(call, [actor = call.actor(), scope = call.scope()](GovernedDatabase& database,
                                                                        const registry::PageRequest& page) {
    return ModelPointers(database).defaults(actor, scope, page);
  });
}

awaitable<Answer> set_default(Call& call) {
  ModelPointers::Default of{.kind = *call.body.text_of("kind"),
                            .provider = call.body.text_of("provider").value_or(""),
                            .purpose = call.body.text_of("purpose").value_or("")};
  const auto set = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), of = std::move(of), model = *call.body.text_of("model")](
          GovernedDatabase& database) { return ModelPointers(database).set_default(actor, scope, of, model); });
  if (!set) co_return std::unexpected(problem_of(set.error(), Kind::model));
  co_return versioned_reply(call, set->version, set->json);
}

awaitable<Answer> remove_default(Call& call) {
  ModelPointers::Default of{.kind = *call.query.text("kind"),
                            .provider = call.query.text("provider").value_or(""),
                            .purpose = call.query.text("purpose").value_or("")};
  const auto removed = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), of = std::move(of)](GovernedDatabase& database) {
        return ModelPointers(database).remove_default(actor, scope, of);
      });
  if (!removed) co_return std::unexpected(problem_of(removed.error()));
  co_return no_content();
}

}  // namespace

void add_default_routes(std::vector<Route>& routes) {
  static const auto page = schemas::page_of(schemas::model_default());
  static constexpr std::array owner{owner_parameter};
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs/{org}/defaults",
                    .operation = "defaults.list",
                    .summary = "Lists the defaults.",
                    .permission = "org:models:read",
                    .query = owner,
                    .paged = true,
                    .reply = &page,
                    .tag = "defaults",
                    .handler = list_defaults});
  routes.push_back({.method = "PUT",
                    .pattern = "/v1/orgs/{org}/defaults",
                    .operation = "defaults.set",
                    .summary = "Points a default to a model.",
                    .permission = "org:defaults:write",
                    .query = owner,
                    .body = &schemas::default_input(),
                    .reply = &schemas::model_default(),
                    .tag = "defaults",
                    .handler = set_default});
  routes.push_back({.method = "DELETE",
                    .pattern = "/v1/orgs/{org}/defaults",
                    .operation = "defaults.remove",
                    .summary = "Removes a default.",
                    .permission = "org:defaults:write",
                    .query = which_default,
                    .status = 204,
                    .tag = "defaults",
                    .handler = remove_default});
}

}  // namespace tokenrail::registry_api
