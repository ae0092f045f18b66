// /v1/configuration: what people decided, as one document; and what the registry knows and lacks.
#include "common/registry/configuration.hpp"

#include <utility>

#include "common/registry/catalogs.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;

Answer whole_answer(Result<std::string> json) {
  if (!json) return std::unexpected(problem_of(json.error(), Kind::other));
  return json_reply(200, std::move(*json));
}

awaitable<Answer> get_configuration(Call& call) {
  co_return whole_answer(co_await call.context->database->run(
      [actor = call.actor()](GovernedDatabase& database) { return registry::read_configuration(database, actor); }));
}

awaitable<Answer> get_owned_by_sync(Call& call) {
  co_return whole_answer(co_await call.context->database->run(
      [actor = call.actor()](GovernedDatabase& database) { return registry::read_owned_by_sync(database, actor); }));
}

awaitable<Answer> inspect(Call& call) {
  co_return co_await answer_document(call, [actor = call.actor(), scope = call.scope()](GovernedDatabase& database) {
    return registry::Catalogs(database).inspect(actor, scope);
  });
}

Property list_property(std::string name) {
  return required(std::move(name), list_of(any_object(), 10'000'000));
}

}  // namespace

void add_configuration_routes(std::vector<Route>& routes) {
  static const auto configuration = open_object(
      "Configuration", {list_property("organizations"), list_property("connections"), list_property("models"),
                        list_property("defaults"), list_property("aliases"), list_property("grants")});
  static const auto owned = open_object("OwnedBySync", {list_property("models"), list_property("connections")});
  static const auto inspection = open_object(
      "Inspection", {required("models", integer(0)), required("free", integer(0)), required("paid", integer(0)),
                     required("withoutPrice", integer(0)), required("withoutLimit", integer(0)),
                     list_property("byProvider"), list_property("catalogs"), list_property("lists")});
  routes.push_back({.method = "GET",
                    .pattern = "/v1/configuration",
                    .operation = "configuration.get",
                    .summary = "Reads what people decided, of the platform and all organisations, as one document.",
                    .access = Access::platform,
                    .permission = "platform:orgs:write",
                    .reply = &configuration,
                    .tag = "configuration",
                    .handler = get_configuration});
  routes.push_back({.method = "GET",
                    .pattern = "/v1/configuration/owned-by-sync",
                    .operation = "configuration.owned_by_sync",
                    .summary = "Reads which models and connections a sync owns, in the form of a configuration.",
                    .access = Access::platform,
                    .permission = "platform:orgs:write",
                    .reply = &owned,
                    .tag = "configuration",
                    .handler = get_owned_by_sync});
  routes.push_back(
      {.method = "GET",
       .pattern = "/v1/orgs/{org}/inspection",
       .operation = "models.inspect",
       .summary = "Counts what the registry knows of models and what it lacks: prices, limits, fresh lists.",
       .permission = "org:models:read",
       .reply = &inspection,
       .tag = "models",
       .handler = inspect});
}

}  // namespace tokenrail::registry_api
