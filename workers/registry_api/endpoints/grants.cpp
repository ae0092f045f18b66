// /v1/orgs/{org}/grants: who in an organisation may, or may not, use what.
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "common/events/json_writer.hpp"
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

constexpr int created_status = 201;

awaitable<Answer> list_grants(Call& call) {
  return answer_page(
      call, [actor = call.actor(), org = call.org()](GovernedDatabase& database, const registry::PageRequest& page) {
        return ModelPointers(database).grants(actor, org, page);
      });
}

/// `place`: of the grant in the body.
std::expected<ModelPointers::Grant, Problem> grant_of(const Json& body, const std::string& place) {
  ModelPointers::Grant grant{.subject_kind = *body.text_of("subjectKind"),
                             .subject = body.text_of("subject").value_or(""),
                             .object_kind = *body.text_of("objectKind"),
                             .object = *body.text_of("object"),
                             .effect = body.text_of("effect").value_or("allow")};
  if ((grant.subject_kind == "org") == grant.subject.empty()) return grant;
  return std::unexpected(
      Problem{.fault = Fault::invalid_body,
              .detail = "A group or a user needs a subject, the organisation has none.",
              .errors = {{.pointer = place + "/subject", .detail = "does not fit " + place + "/subjectKind"}}});
}

Problem refused_grant(const Error& error) {
  return as(as(problem_of(error), Fault::conflict, Fault::already_exists), Fault::not_found, Fault::invalid_value);
}

awaitable<Answer> add_grant(Call& call) {
  if (call.org().empty()) co_return std::unexpected(no_such_organisation(call.path["org"]));
  auto grant = grant_of(call.body, "");
  if (!grant) co_return std::unexpected(std::move(grant.error()));
  const auto added = co_await call.context->database->run(
      [actor = call.actor(), org = call.org(), grant = std::move(*grant)](GovernedDatabase& database) {
        return ModelPointers(database).add_grant(actor, org, grant);
      });
  if (!added) co_return std::unexpected(refused_grant(added.error()));
  auto reply = json_reply(201, added->json);
  reply.headers.push_back({.name = "Location", .value = location_of(call, "grants", added->id)});
  co_return reply;
}

awaitable<Answer> add_grants(Call& call) {
  if (call.org().empty()) co_return std::unexpected(no_such_organisation(call.path["org"]));
  std::vector<ModelPointers::Grant> grants;
  for (const auto& given : *call.body.find("grants")->array()) {
    auto grant = grant_of(given, fmt::format("/grants/{}", grants.size()));
    if (!grant) co_return std::unexpected(std::move(grant.error()));
    grants.push_back(std::move(*grant));
  }
  const auto added = co_await call.context->database->run(
      [actor = call.actor(), org = call.org(), grants](GovernedDatabase& database) {
        return ModelPointers(database).add_grants(actor, org, grants);
      });
  std::string body;
  events::JsonWriter json(body);
  json.begin_object();
  json.begin_array("results");
  for (std::size_t i = 0; i < grants.size(); ++i) {
    json.begin_object();
    json.field("object", grants[i].object);
    if (added[i]) {
      json.field("status", created_status);
      json.raw_field("grant", added[i]->json);
    } else {
      const auto problem = refused_grant(added[i].error());
      json.field("status", info_of(problem.fault).status);
      json.raw_field("problem", body_of(problem, call.request_id));
    }
    json.end_object();
  }
  json.end_array();
  json.end_object();
  co_return json_reply(200, std::move(body));
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
  routes.push_back({.method = "POST",
                    .pattern = "/v1/orgs/{org}/grants:batch",
                    .operation = "grants.batch",
                    .summary = "Adds up to 500 grants, each by itself; the reply has a result for each.",
                    .permission = "org:grants:write",
                    .idempotent_by_key = true,
                    .body = &schemas::grant_batch_input(),
                    .reply = &schemas::grant_batch(),
                    .tag = "grants",
                    .handler = add_grants});
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
