// /v1/orgs/{org}/grants: who in an organisation may, or may not, use what.
#include <cstdint>
#include <expected>
#include <optional>
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
constexpr int removed_status = 204;

awaitable<Answer> list_grants(Call& call) {
  return answer_page(
      call, [actor = call.actor(), org = call.org()](GovernedDatabase& database, const registry::PageRequest& page) {
        return ModelPointers(database).grants(actor, org, page);
      });
}

awaitable<Answer> get_grant(Call& call) {
  return answer_document(call,
                         [actor = call.actor(), org = call.org(), id = call.path["grant"]](GovernedDatabase& database) {
                           return ModelPointers(database).grant(actor, org, id);
                         });
}

/// `place`: of the grant in the body.
std::expected<ModelPointers::Grant, Problem> grant_of(const Json& body, const std::string& place) {
  ModelPointers::Grant grant{.subject_kind = *body.text_of("subjectKind"),
                             .subject = body.text_of("subject").value_or(""),
                             .object_kind = *body.text_of("objectKind"),
                             .object = *body.text_of("object"),
                             .effect = body.text_of("effect").value_or("allow"),
                             .expected_version = body.integer_of("version")};
  if ((grant.subject_kind == "org") == grant.subject.empty()) return grant;
  return std::unexpected(
      Problem{.fault = Fault::invalid_body,
              .detail = "A group or a user needs a subject, the organisation has none.",
              .errors = {{.pointer = place + "/subject", .detail = "does not fit " + place + "/subjectKind"}}});
}

/// What was asked for names an object that is not there.
Problem refused_grant(Problem problem) {
  return as(std::move(problem), Fault::not_found, Fault::invalid_value);
}

awaitable<Answer> add_grant(Call& call) {
  if (call.org().empty()) co_return std::unexpected(no_such_organisation(call.path["org"]));
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  auto grant = grant_of(call.body, "");
  if (!grant) co_return std::unexpected(std::move(grant.error()));
  const auto added = co_await call.context->database->run(
      [actor = call.actor(), org = call.org(), match = *match, grant = std::move(*grant)](GovernedDatabase& database) {
        ModelPointers pointers(database);
        return set_if_matching(
            match, Kind::other, [&] { return pointers.same_grant(actor, org, grant); },
            [&](std::optional<std::int64_t> expected) {
              auto wanted = grant;
              wanted.expected_version = expected;
              return pointers.add_grant(actor, org, wanted);
            });
      });
  if (!added) co_return std::unexpected(refused_grant(added.error()));
  co_return created_reply(location_of(call, "grants", added->id), added->version, added->json);
}

/// What became of one grant of a batch.
struct Outcome {
  int status = created_status;
  std::optional<registry::Document> grant{};  ///< as it is now
  std::optional<Problem> problem{};
};

Outcome outcome_of(ModelPointers& pointers, const registry::Actor& actor, const std::string& org,
                   const ModelPointers::Grant& wanted, Result<registry::Document> added) {
  if (added) return {.grant = std::move(*added)};
  Outcome outcome{.problem = refused_grant(problem_of(added.error()))};
  if (wanted.expected_version && added.error().kind == ErrorKind::conflict) {
    if (auto now = pointers.same_grant(actor, org, wanted)) outcome.grant = std::move(*now);
    outcome.problem = precondition_failed(outcome.grant ? std::optional(outcome.grant->version) : std::nullopt);
  }
  outcome.status = info_of(outcome.problem->fault).status;
  return outcome;
}

awaitable<Answer> add_grants(Call& call) {
  if (call.org().empty()) co_return std::unexpected(no_such_organisation(call.path["org"]));
  std::vector<ModelPointers::Grant> grants;
  for (const auto& given : *call.body.find("grants")->array()) {
    auto grant = grant_of(given, fmt::format("/grants/{}", grants.size()));
    if (!grant) co_return std::unexpected(std::move(grant.error()));
    grants.push_back(std::move(*grant));
  }
  const auto outcomes = co_await call.context->database->run(
      [actor = call.actor(), org = call.org(), grants](GovernedDatabase& database) {
        ModelPointers pointers(database);
        auto added = pointers.add_grants(actor, org, grants);
        std::vector<Outcome> all;
        all.reserve(grants.size());
        for (std::size_t i = 0; i < grants.size(); ++i)
          all.push_back(outcome_of(pointers, actor, org, grants[i], std::move(added[i])));
        return all;
      });
  std::string body;
  events::JsonWriter json(body);
  json.begin_object();
  json.begin_array("results");
  for (std::size_t i = 0; i < grants.size(); ++i) {
    const auto& outcome = outcomes[i];
    json.begin_object();
    json.field("object", grants[i].object);
    json.field("status", outcome.status);
    if (outcome.grant) json.raw_field("grant", outcome.grant->json);
    if (outcome.problem) json.raw_field("problem", body_of(*outcome.problem, call.request_id));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  co_return json_reply(200, std::move(body));
}

awaitable<Answer> remove_grant(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  const auto removed = co_await call.context->database->run(
      [actor = call.actor(), org = call.org(), match = *match, id = call.path["grant"]](GovernedDatabase& database) {
        ModelPointers pointers(database);
        return write_if_matching(
            match, Kind::other, [&] { return pointers.grant(actor, org, id); },
            [&](std::optional<std::int64_t> expected) { return pointers.remove_grant(actor, org, id, expected); });
      });
  if (!removed) co_return std::unexpected(removed.error());
  co_return no_content();
}

std::optional<Problem> problem_of_removal(ModelPointers& pointers, const registry::Actor& actor, const std::string& org,
                                          const ModelPointers::RemovedGrant& wanted, const Result<void>& removed) {
  if (removed) return std::nullopt;
  if (wanted.expected_version && removed.error().kind == ErrorKind::conflict) {
    if (const auto now = pointers.grant(actor, org, wanted.id)) return precondition_failed(now->version);
  }
  return problem_of(removed.error());
}

awaitable<Answer> remove_grants(Call& call) {
  if (call.org().empty()) co_return std::unexpected(no_such_organisation(call.path["org"]));
  std::vector<ModelPointers::RemovedGrant> wanted;
  for (const auto& given : *call.body.find("grants")->array())
    wanted.push_back({.id = *given.text_of("id"), .expected_version = given.integer_of("version")});
  const auto problems = co_await call.context->database->run(
      [actor = call.actor(), org = call.org(), wanted](GovernedDatabase& database) {
        ModelPointers pointers(database);
        const auto removed = pointers.remove_grants(actor, org, wanted);
        std::vector<std::optional<Problem>> all;
        all.reserve(wanted.size());
        for (std::size_t i = 0; i < wanted.size(); ++i)
          all.push_back(problem_of_removal(pointers, actor, org, wanted[i], removed[i]));
        return all;
      });
  std::string body;
  events::JsonWriter json(body);
  json.begin_object();
  json.begin_array("results");
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    json.begin_object();
    json.field("id", wanted[i].id);
    json.field("status", problems[i] ? info_of(problems[i]->fault).status : removed_status);
    if (problems[i]) json.raw_field("problem", body_of(*problems[i], call.request_id));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  co_return json_reply(200, std::move(body));
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
                    .conditional = true,
                    .takes_absent = true,
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
  routes.push_back({.method = "POST",
                    .pattern = "/v1/orgs/{org}/grants:remove",
                    .operation = "grants.remove_batch",
                    .summary = "Removes up to 500 grants, each by itself; the reply has a result for each.",
                    .permission = "org:grants:write",
                    .idempotent_by_key = true,
                    .body = &schemas::grant_removals(),
                    .reply = &schemas::removed_grants(),
                    .tag = "grants",
                    .handler = remove_grants});
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs/{org}/grants/{grant}",
                    .operation = "grants.get",
                    .summary = "Reads a grant.",
                    .permission = "org:models:read",
                    .conditional = true,
                    .reply = &schemas::grant(),
                    .tag = "grants",
                    .handler = get_grant});
  routes.push_back({.method = "DELETE",
                    .pattern = "/v1/orgs/{org}/grants/{grant}",
                    .operation = "grants.remove",
                    .summary = "Removes a grant.",
                    .permission = "org:grants:write",
                    .conditional = true,
                    .status = 204,
                    .tag = "grants",
                    .handler = remove_grant});
}

}  // namespace tokenrail::registry_api
