// /v1/orgs/{org}/connections: endpoints of providers. What is shown never holds a secret.
#include "common/registry/connections.hpp"

#include <array>

#include "common/registry/governance_log.hpp"
#include "workers/registry_api/access.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::Connections;
using registry::GovernedDatabase;

awaitable<Answer> list_connections(Call& call) {
  return answer_page(call, [actor = call.actor(), scope = call.scope()](GovernedDatabase& database,
                                                                        const registry::PageRequest& page) {
    return Connections(database).list(actor, scope, page);
  });
}

awaitable<Answer> get_connection(Call& call) {
  return answer_document(call, [actor = call.actor(), scope = call.scope(), id = call.path["connection"]](
                                   GovernedDatabase& database) { return Connections(database).get(actor, scope, id); });
}

awaitable<Answer> create_connection(Call& call) {
  if (auto wrong = check_base_url(call.body)) co_return std::unexpected(std::move(*wrong));
  const auto made = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), fields = call.body.write()](GovernedDatabase& database) {
        return Connections(database).create(actor, scope, fields);
      });
  if (!made) {
    auto problem = as(problem_of(made.error()), Fault::conflict, Fault::already_exists);
    co_return std::unexpected(as(std::move(problem), Fault::not_found, Fault::invalid_value));
  }
  co_return created_reply(location_of(call, "connections", made->id), made->version, made->json);
}

awaitable<Answer> change_connection(Call& call) {
  if (auto wrong = check_base_url(call.body)) co_return std::unexpected(std::move(*wrong));
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  const auto changed = co_await call.context->database->run([actor = call.actor(), scope = call.scope(),
                                                             id = call.path["connection"], match = *match,
                                                             patch = call.body.write()](GovernedDatabase& database) {
    Connections connections(database);
    return write_if_matching(
        match, Kind::other, [&] { return connections.get(actor, scope, id); },
        [&](std::optional<std::int64_t> expected) { return connections.change(actor, scope, id, patch, expected); });
  });
  if (!changed) co_return std::unexpected(changed.error());
  co_return versioned_reply(call, changed->version, changed->json);
}

awaitable<Answer> delete_connection(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  const auto removed = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id = call.path["connection"], match = *match,
       force = call.query.boolean("force").value_or(false)](GovernedDatabase& database) {
        Connections connections(database);
        return write_if_matching(
            match, Kind::other, [&] { return connections.get(actor, scope, id); },
            [&](std::optional<std::int64_t> expected) {
              return connections.remove(actor, scope, id, force, expected);
            });
      });
  if (!removed) co_return std::unexpected(as(removed.error(), Fault::conflict, Fault::in_use));
  co_return no_content();
}

awaitable<Answer> sync_connection(Call& call) {
  const bool accept_held = call.body.boolean_of("acceptHeld").value_or(false);
  if (accept_held) {
    // It decides every held change, as held_changes.decide decides one.
    if (auto refused = lacks_permission(call, "org:connections:write")) co_return std::unexpected(std::move(*refused));
  }
  const auto asked =
      co_await call.context->database->run([actor = call.actor(), scope = call.scope(), id = call.path["connection"],
                                            accept_held](GovernedDatabase& database) {
        return registry::GovernanceLog(database).request_sync(actor, scope, id, accept_held);
      });
  if (!asked) co_return std::unexpected(problem_of(asked.error()));
  co_return operation_reply("sync", *asked, location_of(call, "operations", *asked));
}

Route route(std::string_view method, std::string_view pattern, std::string_view operation, std::string_view summary,
            std::string_view permission, Handler handler) {
  return {.method = method,
          .pattern = pattern,
          .operation = operation,
          .summary = summary,
          .permission = permission,
          .tag = "connections",
          .handler = handler};
}

}  // namespace

void add_connection_routes(std::vector<Route>& routes) {
  static const auto page = schemas::page_of(schemas::connection());
  static constexpr std::array reads{owner_parameter, fields_parameter};
  static constexpr std::array writes{owner_parameter};
  static constexpr std::array deletes{owner_parameter, force_parameter};

  auto list = route("GET", "/v1/orgs/{org}/connections", "connections.list",
                    "Lists the connections of an organisation and those of the platform.", "org:connections:read",
                    list_connections);
  list.query = reads;
  list.paged = true;
  list.reply = &page;
  routes.push_back(list);

  auto create = route("POST", "/v1/orgs/{org}/connections", "connections.create", "Creates a connection.",
                      "org:connections:write", create_connection);
  create.query = writes;
  create.idempotent_by_key = true;
  create.body = &schemas::connection_input();
  create.reply = &schemas::connection();
  create.status = 201;
  routes.push_back(create);

  auto get = route("GET", "/v1/orgs/{org}/connections/{connection}", "connections.get", "Reads a connection.",
                   "org:connections:read", get_connection);
  get.query = reads;
  get.conditional = true;
  get.reply = &schemas::connection();
  routes.push_back(get);

  auto change = route("PATCH", "/v1/orgs/{org}/connections/{connection}", "connections.change",
                      "Changes a connection; null resets a field.", "org:connections:write", change_connection);
  change.query = writes;
  change.conditional = true;
  change.body = &schemas::connection_patch();
  change.reply = &schemas::connection();
  routes.push_back(change);

  auto remove = route("DELETE", "/v1/orgs/{org}/connections/{connection}", "connections.delete",
                      "Deletes a connection that serves no models, or any with force.", "org:connections:write",
                      delete_connection);
  remove.query = deletes;
  remove.conditional = true;
  remove.status = 204;
  routes.push_back(remove);

  auto sync = route("POST", "/v1/orgs/{org}/connections/{connection}:sync", "connections.sync",
                    "Asks registry-sync to read the connection's models now; 409 where its sync is off.",
                    "org:sync:run", sync_connection);
  sync.query = writes;
  sync.idempotent_by_key = true;
  sync.body = &schemas::sync_input();
  sync.body_optional = true;
  sync.reply = &schemas::sync_request();
  sync.status = 202;
  routes.push_back(sync);
}

}  // namespace tokenrail::registry_api
