// /v1/orgs/{org}/grants: who in an organisation may, or may not, use what.
#include "common/registry/model_pointers.hpp"
#include "workers/registry_api/access.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::ModelPointers;

awaitable<Answer> list_grants(Call& call) {
  return answer_page(
      call, [actor = call.actor(), org = call.org()](GovernedDatabase& database, const registry::PageRequest& page) {
        return ModelPointers(database).grants(actor, org, page);
      });
}

awaitable<Answer> add_grant(Call& call) {
  if (call.org().empty()) co_return std::unexpected(no_such_organisation(call.path["org"]));
  ModelPointers::Grant grant{.subject_kind = *call.body.text_of("subjectKind"),
                             .subject = call.body.text_of("subject").value_or(""),
                             .object_kind = *call.body.text_of("objectKind"),
                             .object = *call.body.text_of("object"),
                             .effect = call.body.text_of("effect").value_or("allow")};
  if ((grant.subject_kind == "org") != grant.subject.empty()) {
    co_return std::unexpected(Problem{.fault = Fault::invalid_body,
                                      .detail = "A group or a user needs a subject, the organisation has none.",
                                      .errors = {{.pointer = "/subject", .detail = "does not fit /subjectKind"}}});
  }
  const auto added = co_await call.context->database->run(
      [actor = call.actor(), org = call.org(), grant = std::move(grant)](GovernedDatabase& database) {
        return ModelPointers(database).add_grant(actor, org, grant);
      });
  if (!added) {
    auto problem = as(problem_of(added.error()), Fault::conflict, Fault::already_exists);
    co_return std::unexpected(as(std::move(problem), Fault::not_found, Fault::invalid_value));
  }
  auto reply = json_reply(201, added->json);
  reply.headers.push_back({.name = "Location", .value = location_of(call, "grants", added->id)});
  co_return reply;
}

awaitable<Answer> remove_grant(Call& call) {
  const auto removed = co_await call.context->database->run(
      [actor = call.actor(), org = call.org(), id = call.path["grant"]](GovernedDatabase& database) {
        return ModelPointers(database).remove_grant(actor, org, id);
      });
  if (!removed) co_return std::unexpected(problem_of(removed.error()));
  co_return no_content();
}

}  // namespace

void add_grant_routes(std::vector<Route>& routes) {
  static const auto page = schemas::page_of(schemas::grant());
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs/{org}/grants",
                    .operation = "grants.list",
                    .summary = "Lists who may, or may not, use what.",
                    .permission = "org:models:read",
                    .paged = true,
                    .reply = &page,
                    .tag = "grants",
                    .handler = list_grants});
  routes.push_back({.method = "POST",
                    .pattern = "/v1/orgs/{org}/grants",
                    .operation = "grants.add",
                    .summary = "Lets someone use a model, a connection or an alias, or forbids it.",
                    .permission = "org:grants:write",
                    .idempotent_by_key = true,
                    .body = &schemas::grant_input(),
                    .reply = &schemas::grant(),
                    .status = 201,
                    .tag = "grants",
                    .handler = add_grant});
  routes.push_back({.method = "DELETE",
                    .pattern = "/v1/orgs/{org}/grants/{grant}",
                    .operation = "grants.remove",
                    .summary = "Removes a grant.",
                    .permission = "org:grants:write",
                    .status = 204,
                    .tag = "grants",
                    .handler = remove_grant});
}

}  // namespace tokenrail::registry_api
