// /orgs/{org}/models: the paths of an older API, for its clients. What they ask for is translated; the rest is /v1's.
#include "workers/registry_api/endpoints/org_models.hpp"

#include <utility>
#include <vector>

#include "common/registry/governed_models.hpp"
#include "common/registry/model_pointers.hpp"
#include "common/registry/prices.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::ModelPointers;
using registry::Models;

struct Part {
  std::string models{};  ///< separated by commas
  std::string next{};
};

awaitable<Answer> list_org_models(Call& call) {
  // A page at a time, so that other requests come to a session between; put into its form where it was read, and not on
  // the loop.
  std::string list;
  registry::PageRequest page{.count_max = page_size_max, .counted = false};
  do {
    auto part = co_await call.context->database->run(
        [actor = call.actor(), scope = call.scope(), page](GovernedDatabase& database) -> Result<Part> {
          const auto found = Models(database).list(actor, scope, {}, page);
          if (!found) return std::unexpected(found.error());
          Part part{.next = found->next};
          append_org_models(part.models, found->items);
          return part;
        });
    if (!part) co_return std::unexpected(problem_of(part.error()));
    if (!list.empty() && !part->models.empty()) list += ',';
    list += part->models;
    page.after = std::move(part->next);
  } while (!page.after.empty());
  co_return json_reply(200, R"({"models":[)" + std::move(list) + "]}");
}

struct Wanted {
  std::string provider;
  std::string name;
  Json body;
};

/// Makes the model the default among those of its kind and provider, or no longer.
Result<void> set_default(GovernedDatabase& database, const registry::Actor& actor, const registry::Scope& scope,
                         const registry::Document& model, const Wanted& wanted) {
  const auto parsed = parse_document(model.json);
  if (!parsed) return std::unexpected(parsed.error());
  const ModelPointers::Default of{.kind = parsed->text_of("kind").value_or("generation"), .provider = wanted.provider};
  if (*wanted.body.boolean_of("isDefault")) {
    const auto set = ModelPointers(database).set_default(actor, scope, of, model.id);
    return set ? Result<void>() : std::unexpected(set.error());
  }
  if (!parsed->boolean_of("isDefault").value_or(false)) return {};
  auto removed = ModelPointers(database).remove_default(actor, scope, of);
  if (!removed && removed.error().kind == ErrorKind::not_found) return {};
  return removed;
}

Result<void> set_prices(GovernedDatabase& database, const registry::Actor& actor, const registry::Scope& scope,
                        const registry::Document& model, const Wanted& wanted) {
  if (!prices_from_org_model(wanted.body, Json())) return {};
  registry::Prices prices(database);
  const auto now = prices.get(actor, scope, model.id);
  if (!now) return std::unexpected(now.error());
  const auto parsed = parse_document(now->json);
  const auto* const own = parsed ? parsed->find("own") : nullptr;
  const auto set =
      prices.set(actor, scope, model.id, *prices_from_org_model(wanted.body, own == nullptr ? Json() : *own), {});
  return set ? Result<void>() : std::unexpected(set.error());
}

Result<registry::Document> upsert(GovernedDatabase& database, const registry::Actor& actor,
                                  const registry::Scope& scope, const Wanted& wanted) {
  Models models(database);
  const auto id = wanted.provider + "/" + wanted.name;
  const auto now = models.get(actor, scope, id);
  if (!now && now.error().kind != ErrorKind::not_found) return now;
  Result<registry::Document> written;
  if (now) {
    const auto parsed = parse_document(now->json);
    const bool first = parsed && parsed->text_of("ownId").value_or("").empty();
    written = models.replace(actor, scope, id, patch_from_org_model(wanted.body, first).write(), std::nullopt);
  } else {
    auto fields =
        merge_patch(patch_from_org_model(wanted.body, true),
                    Json(Json::Object{{"provider", Json(wanted.provider)}, {"modelName", Json(wanted.name)}}));
    written = models.create(actor, scope, fields.write());
  }
  if (!written) return written;
  if (auto priced = set_prices(database, actor, scope, *written, wanted); !priced)
    return std::unexpected(priced.error());
  if (!wanted.body.boolean_of("isDefault")) return models.get(actor, scope, written->id);
  if (auto set = set_default(database, actor, scope, *written, wanted); !set) return std::unexpected(set.error());
  return models.get(actor, scope, written->id);
}

awaitable<Answer> upsert_org_model(Call& call) {
  const auto written =
      co_await call.context->database->run([actor = call.actor(), scope = call.scope(),
                                            wanted = Wanted{.provider = *call.body.text_of("provider"),
                                                            .name = *call.body.text_of("modelName"),
                                                            .body = call.body}](GovernedDatabase& database) {
        return upsert(database, actor, scope, wanted);
      });
  if (!written) {
    auto problem = problem_of(written.error(), Kind::model);
    co_return std::unexpected(as(std::move(problem), Fault::model_not_found, Fault::invalid_model_config));
  }
  const auto model = parse_document(written->json);
  if (!model) co_return refuse(Fault::internal, model.error().detail);
  co_return json_reply(200, Json(Json::Object{{"model", org_model_of(*model)}}).write());
}

}  // namespace

void add_org_models_routes(std::vector<Route>& routes) {
  static const auto list = object("OrgModels", {required("models", list_of(schemas::org_model(), 1'000'000))});
  static const auto one = object("OneOrgModel", {required("model", schemas::org_model())});
  routes.push_back({.method = "GET",
                    .pattern = "/orgs/{org}/models",
                    .operation = "org_models.list",
                    .summary = "Lists the models of an organisation in the form of an older API.",
                    .permission = "org:models:read",
                    .reply = &list,
                    .errors_by_name = true,
                    .tag = "compatibility",
                    .handler = list_org_models});
  routes.push_back({.method = "PUT",
                    .pattern = "/orgs/{org}/models",
                    .operation = "org_models.upsert",
                    .summary = "Creates or changes a model of an organisation in the form of an older API.",
                    .permission = "org:models:write",
                    .body = &schemas::org_model_input(),
                    .reply = &one,
                    .errors_by_name = true,
                    .tag = "compatibility",
                    .handler = upsert_org_model});
}

}  // namespace tokenrail::registry_api
