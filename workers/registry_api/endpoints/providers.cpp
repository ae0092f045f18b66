// GET /v1/providers: what connections can be made to.
#include "common/registry/connections.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;

awaitable<Answer> list_providers(Call& call) {
  return answer_page(call, [](GovernedDatabase& database, const registry::PageRequest& page) {
    return registry::Connections(database).providers(page);
  });
}

}  // namespace

void add_provider_routes(std::vector<Route>& routes) {
  static const auto page = schemas::page_of(schemas::provider());
  routes.push_back({.method = "GET",
                    .pattern = "/v1/providers",
                    .operation = "providers.list",
                    .summary = "Lists the providers that connections can be made to.",
                    .access = Access::caller,
                    .paged = true,
                    .reply = &page,
                    .tag = "providers",
                    .handler = list_providers});
}

}  // namespace tokenrail::registry_api
