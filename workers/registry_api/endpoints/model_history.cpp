// Below /v1/orgs/{org}/models/{model}: revisions, rollback, and what depends on it.
#include <array>

#include "common/events/json_writer.hpp"
#include "common/registry/governed_models.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"
#include "workers/registry_api/json_changes.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::Models;

awaitable<Answer> list_revisions(Call& call) {
  return answer_page(
      call,
      [actor = call.actor(), scope = call.scope(), id = call.path["model"]](GovernedDatabase& database,
                                                                            const registry::PageRequest& page) {
        return Models(database).revisions(actor, scope, id, page);
      },
      Kind::model);
}

std::string difference_body(const Json& from, const Json& to) {
  std::string body;
  events::JsonWriter json(body);
  json.begin_object();
  json.field("from", from.integer_of("version").value_or(0));
  json.field("to", to.integer_of("version").value_or(0));
  json.begin_array("changes");
  const Json nothing{Json::Object()};
  const auto model_of = [&](const Json& revision) {
    const auto* model = revision.find("model");
    return model == nullptr ? &nothing : model;
  };
  for (const auto& change : changes_between(*model_of(from), *model_of(to))) {
    json.begin_object();
    json.field("field", change.pointer);
    json.raw_field("before", change.before == nullptr ? "null" : change.before->write());
    json.raw_field("after", change.after == nullptr ? "null" : change.after->write());
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return body;
}

awaitable<Answer> compare_revisions(Call& call) {
  std::array<Json, 2> revisions;
  for (std::size_t i = 0; i < revisions.size(); ++i) {
    const auto version = *call.query.integer(i == 0 ? "from" : "to");
    const auto found = co_await call.context->database->run(
        [actor = call.actor(), scope = call.scope(), id = call.path["model"], version](GovernedDatabase& database) {
          return Models(database).revision(actor, scope, id, version);
        });
    if (!found) co_return std::unexpected(problem_of(found.error(), Kind::model));
    auto parsed = parse_document(found->json);
    if (!parsed) co_return refuse(Fault::internal, parsed.error().detail);
    revisions.at(i) = std::move(*parsed);
  }
  co_return json_reply(200, difference_body(revisions[0], revisions[1]));
}

awaitable<Answer> roll_back(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  const auto changed = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id = call.path["model"], match = *match,
       version = *call.body.integer_of("version")](GovernedDatabase& database) {
        Models models(database);
        return write_if_matching(
            match, Kind::model, [&] { return models.get(actor, scope, id); },
            [&](std::optional<std::int64_t> expected) {
              return models.roll_back(actor, scope, id, version, expected);
            });
      });
  if (!changed) co_return std::unexpected(changed.error());
  co_return versioned_reply(call, changed->version, changed->json);
}

awaitable<Answer> list_dependents(Call& call) {
  return answer_page(
      call,
      [actor = call.actor(), scope = call.scope(), id = call.path["model"]](GovernedDatabase& database,
                                                                            const registry::PageRequest& page) {
        return Models(database).dependents(actor, scope, id, page);
      },
      Kind::model);
}

/// Conversations, profiles and knowledge bases belong to an organisation.
std::optional<Problem> needs_an_organization(const Call& call) {
  if (!call.org().empty()) return std::nullopt;
  return Problem{.fault = Fault::invalid_path,
                 .detail = "Dependents are kept for an organisation, not for the platform."};
}

awaitable<Answer> add_dependent(Call& call) {
  if (auto refused = needs_an_organization(call)) co_return std::unexpected(std::move(*refused));
  Models::Dependent dependent{.ref_type = *call.body.text_of("refType"),
                              .ref_id = *call.body.text_of("refId"),
                              .label = call.body.text_of("label").value_or("")};
  const auto added = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id = call.path["model"], dependent = std::move(dependent)](
          GovernedDatabase& database) { return Models(database).add_dependent(actor, scope, id, dependent); });
  if (!added) co_return std::unexpected(problem_of(added.error(), Kind::model));
  co_return no_content();
}

awaitable<Answer> remove_dependent(Call& call) {
  if (auto refused = needs_an_organization(call)) co_return std::unexpected(std::move(*refused));
  Models::Dependent dependent{.ref_type = call.path["type"], .ref_id = call.path["ref"]};
  const auto removed = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id = call.path["model"], dependent = std::move(dependent)](
          GovernedDatabase& database) { return Models(database).remove_dependent(actor, scope, id, dependent); });
  if (!removed) co_return std::unexpected(problem_of(removed.error()));
  co_return no_content();
}

Route route(std::string_view method, std::string_view pattern, std::string_view operation, std::string_view summary,
            Handler handler) {
  return {.method = method,
          .pattern = pattern,
          .operation = operation,
          .summary = summary,
          .permission = method == "GET" ? "org:models:read" : "org:models:write",
          .tag = "models",
          .handler = handler};
}

}  // namespace

void add_model_history_routes(std::vector<Route>& routes) {
  static const auto revisions_page = schemas::page_of(schemas::revision());
  static const auto dependents_page = schemas::page_of(schemas::dependent());
  static constexpr std::array query{owner_parameter};

  auto revisions = route("GET", "/v1/orgs/{org}/models/{model}/revisions", "models.revisions",
                         "Lists what a model was like, newest first.", list_revisions);
  revisions.query = query;
  revisions.paged = true;
  revisions.reply = &revisions_page;
  routes.push_back(revisions);

  static constexpr std::array versions{owner_parameter,
                                       QueryParameter{.name = "from",
                                                      .type = QueryParameter::Type::integer,
                                                      .description = "Version of the earlier revision.",
                                                      .required = true},
                                       QueryParameter{.name = "to",
                                                      .type = QueryParameter::Type::integer,
                                                      .description = "Version of the later revision.",
                                                      .required = true}};
  auto compare = route("GET", "/v1/orgs/{org}/models/{model}/revisions:diff", "models.diff",
                       "Compares two revisions, field by field.", compare_revisions);
  compare.query = versions;
  compare.reply = &schemas::difference();
  routes.push_back(compare);

  auto rollback = route("POST", "/v1/orgs/{org}/models/{model}:rollback", "models.rollback",
                        "Sets what a person may set as it was in a revision.", roll_back);
  rollback.query = query;
  rollback.conditional = true;
  rollback.idempotent_by_key = true;
  rollback.body = &schemas::rollback_input();
  rollback.reply = &schemas::model();
  routes.push_back(rollback);

  auto dependents = route("GET", "/v1/orgs/{org}/models/{model}/dependents", "models.dependents",
                          "Lists what would break without the model.", list_dependents);
  dependents.query = query;
  dependents.paged = true;
  dependents.reply = &dependents_page;
  routes.push_back(dependents);

  auto add = route("POST", "/v1/orgs/{org}/models/{model}/dependents", "models.add_dependent",
                   "Registers something that needs the model.", add_dependent);
  add.idempotent_by_key = true;
  add.body = &schemas::dependent_input();
  add.status = 204;
  routes.push_back(add);

  auto remove = route("DELETE", "/v1/orgs/{org}/models/{model}/dependents/{type}/{ref}", "models.remove_dependent",
                      "Removes something that needed the model.", remove_dependent);
  remove.status = 204;
  routes.push_back(remove);
}

}  // namespace tokenrail::registry_api
