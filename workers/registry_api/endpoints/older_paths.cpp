// /api/v1/admin/models…, /api/v1/models/… and /api/models…: paths of two older APIs. Most are another name of an
// operation of /v1, and have its parameters, bodies and answers.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "common/registry/governed_models.hpp"
#include "common/registry/model_pointers.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::ModelPointers;
using registry::Models;

/// One path and the operation that it is another name of.
struct OlderPath {
  std::string_view method;
  std::string_view pattern;
  std::string_view operation;
  std::string_view of;
  Route::Org org;
  bool own_rows = false;
};

// The first API has an administrator for all, the second one the caller's own models over the shared ones.
constexpr std::array older_paths{
    OlderPath{"GET", "/api/v1/admin/models", "admin_models.list", "models.list", Route::Org::platform},
    OlderPath{"POST", "/api/v1/admin/models", "admin_models.create", "models.create", Route::Org::platform},
    OlderPath{"GET", "/api/v1/admin/models/{model}", "admin_models.get", "models.get", Route::Org::platform},
    OlderPath{"PUT", "/api/v1/admin/models/{model}", "admin_models.change", "models.change", Route::Org::platform},
    OlderPath{"DELETE", "/api/v1/admin/models/{model}", "admin_models.delete", "models.delete", Route::Org::platform},
    OlderPath{"POST", "/api/v1/admin/models/{model}/test", "admin_models.test", "models.test", Route::Org::platform},
    OlderPath{"GET", "/api/models", "my_models.list", "models.list", Route::Org::callers, true},
    OlderPath{"POST", "/api/models", "my_models.create", "models.create", Route::Org::callers, true},
    OlderPath{"GET", "/api/models/{model}", "my_models.get", "models.get", Route::Org::callers, true},
    OlderPath{"PATCH", "/api/models/{model}", "my_models.change", "models.change", Route::Org::callers, true},
    OlderPath{"DELETE", "/api/models/{model}", "my_models.delete", "models.delete", Route::Org::callers, true},
    OlderPath{"POST", "/api/models/test-connection", "my_models.testConnection", "connections.testDraft",
              Route::Org::callers, true},
    OlderPath{"GET", "/api/models/templates", "my_models.templates", "providers.list", Route::Org::path},
};

const Route& operation_of(const std::vector<Route>& routes, std::string_view operation) {
  return *std::ranges::find(routes, operation, &Route::operation);
}

// ---- what /v1 has in another form

/// Makes a model the default of its kind.
awaitable<Answer> set_default(Call& call) {
  const auto set =
      co_await call.context->database->run([actor = call.actor(), scope = call.scope(), id = call.path["model"]](
                                               GovernedDatabase& database) -> Result<registry::Document> {
        const auto found = Models(database).get(actor, scope, id);
        if (!found) return found;
        const auto model = parse_document(found->json);
        if (!model) return std::unexpected(model.error());
        return ModelPointers(database).set_default(actor, scope,
                                                   {.kind = model->text_of("kind").value_or("generation")}, found->id);
      });
  if (!set) co_return std::unexpected(problem_of(set.error(), Kind::model));
  co_return versioned_reply(call, set->version, set->json);
}

/// Models of one kind that answer requests, as the caller's organisation sees them.
awaitable<Answer> list_active(Call& call, std::string kind) {
  const registry::ModelFilter filter{.kind = std::move(kind), .status = "active", .hidden = false};
  return answer_page(call, [actor = call.actor(), scope = call.scope(), filter](GovernedDatabase& database,
                                                                                const registry::PageRequest& page) {
    return Models(database).list(actor, scope, filter, page);
  });
}
awaitable<Answer> list_embedding(Call& call) {
  return list_active(call, "embedding");
}
awaitable<Answer> list_generation(Call& call) {
  return list_active(call, "generation");
}

Route copy_of(const Route& route, const OlderPath& older) {
  auto copy = route;
  copy.method = older.method;
  copy.pattern = older.pattern;
  copy.operation = older.operation;
  copy.org = older.org;
  copy.own_rows = older.own_rows;
  copy.tag = "compatibility";
  return copy;
}

}  // namespace

void add_older_path_routes(std::vector<Route>& routes) {
  const auto known = routes;
  for (const auto& older : older_paths) routes.push_back(copy_of(operation_of(known, older.of), older));

  auto set = copy_of(operation_of(known, "defaults.set"), {"PATCH", "/api/v1/admin/models/{model}/default",
                                                           "admin_models.setDefault", "", Route::Org::platform});
  set.summary = "Makes a model the default of its kind.";
  set.query = {};
  set.conditional = false;
  set.takes_absent = false;
  set.body = nullptr;
  set.handler = set_default;
  routes.push_back(set);

  const auto& list = operation_of(known, "models.list");
  const std::array<std::pair<OlderPath, Handler>, 2> active{
      {{{"GET", "/api/v1/models/embedding", "active_models.embedding", "", Route::Org::callers}, list_embedding},
       {{"GET", "/api/v1/models/generation", "active_models.generation", "", Route::Org::callers}, list_generation}}};
  for (const auto& [older, handler] : active) {
    auto route = copy_of(list, older);
    route.summary = "Lists the models of one kind that answer requests.";
    route.query = {};
    route.handler = handler;
    routes.push_back(route);
  }
}

}  // namespace tokenrail::registry_api
