// /v1/orgs/{org}/views: saved filters over models, which `view=` of a list names and "auto" selects from.
#include <array>

#include "common/registry/model_views.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::ModelViews;

awaitable<Answer> list_views(Call& call) {
  return answer_page(call, [actor = call.actor(), scope = call.scope()](GovernedDatabase& database,
                                                                        const registry::PageRequest& page) {
    return ModelViews(database).list(actor, scope, page);
  });
}

awaitable<Answer> get_view(Call& call) {
  return answer_document(
      call, [actor = call.actor(), scope = call.scope(), name = call.path["view"]](GovernedDatabase& database) {
        return ModelViews(database).get(actor, scope, name);
      });
}

awaitable<Answer> set_view(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  ModelViews::View wanted{.name = call.path["view"]};
  if (const auto* given = call.body.find("filter"); given != nullptr) {
    auto filter = registry::model_filter_from_json(given->write());
    if (!filter) co_return std::unexpected(problem_of(filter.error()));
    wanted.filter = std::move(*filter);
  }
  wanted.for_auto = call.body.boolean_of("forAuto").value_or(false);
  if (const auto* pins = call.body.find("pins"); pins != nullptr)
    for (const auto& pin : *pins->array()) wanted.pins.push_back(*pin.text());
  const auto set = co_await call.context->database->run([actor = call.actor(), scope = call.scope(), match = *match,
                                                         wanted = std::move(wanted)](GovernedDatabase& database) {
    ModelViews views(database);
    return set_if_matching(
        match, Kind::model, [&] { return views.get(actor, scope, wanted.name); },
        [&](std::optional<std::int64_t> expected) { return views.set(actor, scope, wanted, expected); });
  });
  if (!set) co_return std::unexpected(set.error());
  co_return versioned_reply(call, set->version, set->json);
}

awaitable<Answer> remove_view(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  const auto removed = co_await call.context->database->run([actor = call.actor(), scope = call.scope(), match = *match,
                                                             name = call.path["view"]](GovernedDatabase& database) {
    ModelViews views(database);
    return write_if_matching(
        match, Kind::other, [&] { return views.get(actor, scope, name); },
        [&](std::optional<std::int64_t> expected) { return views.remove(actor, scope, name, expected); });
  });
  if (!removed) co_return std::unexpected(removed.error());
  co_return no_content();
}

Route route(std::string_view method, std::string_view pattern, std::string_view operation, std::string_view summary,
            Handler handler) {
  static constexpr std::array owner{owner_parameter};
  return {.method = method,
          .pattern = pattern,
          .operation = operation,
          .summary = summary,
          .permission = method == "GET" ? "org:models:read" : "org:models:write",
          .query = owner,
          .tag = "views",
          .handler = handler};
}

}  // namespace

void add_view_routes(std::vector<Route>& routes) {
  static const auto page = schemas::page_of(schemas::view());
  auto list = route("GET", "/v1/orgs/{org}/views", "views.list", "Lists the saved views.", list_views);
  list.paged = true;
  list.reply = &page;
  routes.push_back(list);

  auto get = route("GET", "/v1/orgs/{org}/views/{view}", "views.get", "Reads a saved view.", get_view);
  get.conditional = true;
  get.reply = &schemas::view();
  routes.push_back(get);

  auto set = route("PUT", "/v1/orgs/{org}/views/{view}", "views.set", "Makes a view, or replaces it whole.", set_view);
  set.conditional = true;
  set.takes_absent = true;
  set.body = &schemas::view_input();
  set.reply = &schemas::view();
  routes.push_back(set);

  auto remove = route("DELETE", "/v1/orgs/{org}/views/{view}", "views.delete", "Deletes a saved view.", remove_view);
  remove.conditional = true;
  remove.status = 204;
  routes.push_back(remove);
}

}  // namespace tokenrail::registry_api
