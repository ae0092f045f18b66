// POST /v1/orgs/{org}/models:batch: many changes in one request. Each is made by itself, and has a result of its own;
// or all of them are made, or none.
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/events/json_writer.hpp"
#include "common/registry/governed_models.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::Models;

using Change = Models::Change;
using Outcome = std::expected<registry::Document, Problem>;

Outcome outcome_of(Models& models, const registry::Actor& actor, const registry::Scope& scope, const Change& change,
                   Result<registry::Document> changed) {
  if (changed) return std::move(*changed);
  if (change.expected_version && changed.error().kind == ErrorKind::conflict) {
    const auto now = models.get(actor, scope, change.model);
    if (now && now->version != *change.expected_version) return std::unexpected(precondition_failed(now->version));
  }
  return std::unexpected(problem_of(changed.error(), Kind::model));
}

std::string results_as_json(const std::vector<Change>& changes, const std::vector<Outcome>& outcomes,
                            std::string_view request_id) {
  std::string body;
  events::JsonWriter json(body);
  json.begin_object();
  json.begin_array("results");
  for (std::size_t i = 0; i < changes.size(); ++i) {
    json.begin_object();
    json.field("model", changes[i].model);
    const auto& outcome = outcomes[i];
    json.field("status", outcome ? 200 : info_of(outcome.error().fault).status);
    if (outcome) {
      json.field("id", outcome->id);
      json.field("version", outcome->version);
    } else {
      json.raw_field("problem", body_of(outcome.error(), request_id));
    }
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return body;
}

/// The problem of the change that keeps all others from being made.
Problem refusal_of_all(const std::vector<Change>& changes, std::size_t at, Problem problem) {
  problem.detail =
      fmt::format("Nothing was changed, because the change of {} was refused: {}", changes[at].model, problem.detail);
  for (auto& error : problem.errors) error.pointer = fmt::format("/changes/{}/patch{}", at, error.pointer);
  if (problem.errors.empty())
    problem.errors.push_back({.pointer = fmt::format("/changes/{}", at), .detail = "is refused"});
  return problem;
}

awaitable<Answer> change_all_or_none(Call& call, std::vector<Change> changes) {
  auto made = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), changes](GovernedDatabase& database) {
        Models models(database);
        std::size_t refused = 0;
        auto all = models.change_all_or_none(actor, scope, changes, refused);
        std::vector<Outcome> outcomes;
        if (!all && refused == changes.size()) {
          outcomes.emplace_back(std::unexpected(problem_of(all.error(), Kind::model)));
          return outcomes;
        }
        if (!all) {
          auto outcome = outcome_of(models, actor, scope, changes[refused], std::unexpected(all.error()));
          outcomes.emplace_back(std::unexpected(refusal_of_all(changes, refused, std::move(outcome.error()))));
          return outcomes;
        }
        for (auto& document : *all) outcomes.emplace_back(std::move(document));
        return outcomes;
      });
  if (!made.front()) co_return std::unexpected(std::move(made.front().error()));
  co_return json_reply(200, results_as_json(changes, made, call.request_id));
}

awaitable<Answer> change_models(Call& call) {
  std::vector<Change> changes;
  for (const auto& change : *call.body.find("changes")->array())
    changes.push_back({.model = *change.text_of("model"),
                       .patch = change.find("patch")->write(),
                       .expected_version = change.integer_of("version")});
  if (call.body.boolean_of("atomic").value_or(false)) co_return co_await change_all_or_none(call, std::move(changes));
  const auto outcomes = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), changes](GovernedDatabase& database) {
        Models models(database);
        auto results = models.change_all(actor, scope, changes);
        std::vector<Outcome> all;
        all.reserve(changes.size());
        for (std::size_t i = 0; i < changes.size(); ++i)
          all.push_back(outcome_of(models, actor, scope, changes[i], std::move(results[i])));
        return all;
      });
  co_return json_reply(200, results_as_json(changes, outcomes, call.request_id));
}

}  // namespace

void add_model_batch_routes(std::vector<Route>& routes) {
  static constexpr std::array query{owner_parameter};
  routes.push_back(
      {.method = "POST",
       .pattern = "/v1/orgs/{org}/models:batch",
       .operation = "models.batch",
       .summary = "Changes up to 500 models, each by itself or all or none; the reply has a result for each.",
       .permission = "org:models:write",
       .query = query,
       .idempotent_by_key = true,
       .body = &schemas::model_batch_input(),
       .reply = &schemas::model_batch(),
       .tag = "models",
       .handler = change_models});
}

}  // namespace tokenrail::registry_api
