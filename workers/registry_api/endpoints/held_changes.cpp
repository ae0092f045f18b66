// Changes of providers' lists that look wrong, and the decisions on them.
#include "common/registry/held_changes.hpp"

#include <utility>

#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::HeldChanges;

awaitable<Answer> list_held_changes(Call& call) {
  return answer_page(call, [actor = call.actor(), scope = call.scope()](GovernedDatabase& database,
                                                                        const registry::PageRequest& page) {
    return HeldChanges(database).list(actor, scope, page);
  });
}

awaitable<Answer> decide_held_change(Call& call) {
  const bool accept = call.body.text_of("decision") == "accept";
  co_return co_await answer_document(
      call, [actor = call.actor(), scope = call.scope(), id = call.path["change"], accept,
             reason = call.body.text_of("reason").value_or("")](GovernedDatabase& database) {
        const auto decision = accept ? HeldChanges::Decision::accept : HeldChanges::Decision::reject;
        return HeldChanges(database).decide(actor, scope, id, decision, reason);
      });
}

}  // namespace

void add_held_change_routes(std::vector<Route>& routes) {
  static const auto page = schemas::page_of(schemas::held_change());
  routes.push_back(
      {.method = "GET",
       .pattern = "/v1/orgs/{org}/held-changes",
       .operation = "held_changes.list",
       .summary = "Lists changes of providers' lists and of catalogues that look wrong and wait for a decision.",
       .permission = "org:connections:read",
       .paged = true,
       .reply = &page,
       .tag = "connections",
       .handler = list_held_changes});
  routes.push_back({.method = "POST",
                    .pattern = "/v1/orgs/{org}/held-changes/{change}:decide",
                    .operation = "held_changes.decide",
                    .summary = "Accepts a held change, which applies it, or rejects it.",
                    .permission = "org:connections:write",
                    .idempotent_by_key = true,
                    .body = &schemas::held_decision(),
                    .reply = &schemas::held_change(),
                    .tag = "connections",
                    .handler = decide_held_change});
}

}  // namespace tokenrail::registry_api
