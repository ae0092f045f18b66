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
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  ModelPointers::Default of{.kind = *call.body.text_of("kind"),
                            .provider = call.body.text_of("provider").value_or(""),
                            .purpose = call.body.text_of("purpose").value_or("")};
  const auto set = co_await call.context->database->run([actor = call.actor(), scope = call.scope(), match = *match,
                                                         of = std::move(of), model = *call.body.text_of("model")](
                                                            GovernedDatabase& database) {
    ModelPointers pointers(database);
    return set_if_matching(
        match, Kind::model, [&] { return pointers.get_default(actor, scope, of); },
        [&](std::optional<std::int64_t> expected) { return pointers.set_default(actor, scope, of, model, expected); });
  });
  if (!set) co_return std::unexpected(set.error());
  co_return versioned_reply(call, set->version, set->json);
}

awaitable<Answer> remove_default(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  ModelPointers::Default of{.kind = *call.query.text("kind"),
                            .provider = call.query.text("provider").value_or(""),
                            .purpose = call.query.text("purpose").value_or("")};
  const auto removed = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), match = *match, of = std::move(of)](GovernedDatabase& database) {
        ModelPointers pointers(database);
        return write_if_matching(
            match, Kind::other, [&] { return pointers.get_default(actor, scope, of); },
            [&](std::optional<std::int64_t> expected) { return pointers.remove_default(actor, scope, of, expected); });
      });
  if (!removed) co_return std::unexpected(removed.error());
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
                    .conditional = true,
                    .takes_absent = true,
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
                    .conditional = true,
                    .status = 204,
                    .tag = "defaults",
                    .handler = remove_default});
}

}  // namespace tokenrail::registry_api
