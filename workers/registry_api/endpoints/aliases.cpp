// /v1/orgs/{org}/aliases: names for a model, or for several by weight.
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

awaitable<Answer> list_aliases(Call& call) {
  return answer_page(call, [actor = call.actor(), scope = call.scope()](GovernedDatabase& database,
                                                                        const registry::PageRequest& page) {
    return ModelPointers(database).aliases(actor, scope, page);
  });
}

awaitable<Answer> get_alias(Call& call) {
  return answer_document(
      call, [actor = call.actor(), scope = call.scope(), name = call.path["alias"]](GovernedDatabase& database) {
        return ModelPointers(database).alias(actor, scope, name);
      });
}

awaitable<Answer> set_alias(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  ModelPointers::Alias wanted{.alias = call.path["alias"],
                              .sticky = call.body.text_of("sticky").value_or("conversation"),
                              .description = call.body.text_of("description").value_or("")};
  for (const auto& target : *call.body.find("targets")->array())
    wanted.targets.push_back({.model = *target.text_of("model"), .weight = target.integer_of("weight").value_or(1)});
  const auto set = co_await call.context->database->run([actor = call.actor(), scope = call.scope(), match = *match,
                                                         wanted = std::move(wanted)](GovernedDatabase& database) {
    ModelPointers pointers(database);
    return set_if_matching(
        match, Kind::model, [&] { return pointers.alias(actor, scope, wanted.alias); },
        [&](std::optional<std::int64_t> expected) { return pointers.set_alias(actor, scope, wanted, expected); });
  });
  if (!set) co_return std::unexpected(set.error());
  co_return versioned_reply(call, set->version, set->json);
}

awaitable<Answer> remove_alias(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  const auto removed = co_await call.context->database->run([actor = call.actor(), scope = call.scope(), match = *match,
                                                             name = call.path["alias"]](GovernedDatabase& database) {
    ModelPointers pointers(database);
    return write_if_matching(
        match, Kind::other, [&] { return pointers.alias(actor, scope, name); },
        [&](std::optional<std::int64_t> expected) { return pointers.remove_alias(actor, scope, name, expected); });
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
          .permission = method == "GET" ? "org:models:read" : "org:aliases:write",
          .query = owner,
          .tag = "aliases",
          .handler = handler};
}

}  // namespace

void add_alias_routes(std::vector<Route>& routes) {
  static const auto page = schemas::page_of(schemas::alias());
  auto list = route("GET", "/v1/orgs/{org}/aliases", "aliases.list", "Lists the aliases.", list_aliases);
  list.paged = true;
  list.reply = &page;
  routes.push_back(list);

  auto get = route("GET", "/v1/orgs/{org}/aliases/{alias}", "aliases.get", "Reads an alias.", get_alias);
  get.conditional = true;
  get.reply = &schemas::alias();
  routes.push_back(get);

  auto set =
      route("PUT", "/v1/orgs/{org}/aliases/{alias}", "aliases.set", "Makes an alias, or replaces it whole.", set_alias);
  set.conditional = true;
  set.takes_absent = true;
  set.body = &schemas::alias_input();
  set.reply = &schemas::alias();
  routes.push_back(set);

  auto remove = route("DELETE", "/v1/orgs/{org}/aliases/{alias}", "aliases.delete", "Deletes an alias.", remove_alias);
  remove.conditional = true;
  remove.status = 204;
  routes.push_back(remove);
}

}  // namespace tokenrail::registry_api
