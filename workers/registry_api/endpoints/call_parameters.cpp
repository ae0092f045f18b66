// /v1/orgs/{org}/models/{model}/parameters: the default parameters of a model's deployments.
#include "common/registry/call_parameters.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::CallParameters;
using registry::GovernedDatabase;

const Schema& parameters_input() {
  static const auto schema = object(
      "CallParametersInput",
      {required("parameters", described(any_object(),
                                        "All of them: temperature, topP, topK, maxTokens, stop; numCtx and keepAlive "
                                        "for Ollama; providerConfig. {} has none."))});
  return schema;
}

const Schema& parameters_reply() {
  static const auto deployment = open_object(
      "DeploymentParameters",
      {required("id", text()), required("connection", text()), required("connectionId", text()),
       required("params", any_object()),
       required("effective", described(any_object(), "What calls use: params over the params of the model."))});
  static const auto schema = open_object(
      "CallParameters", {required("model", text()), required("modelId", text()),
                         required("changed", described(integer(0), "How many deployments have other parameters now.")),
                         required("deployments", list_of(deployment, 10'000)),
                         required("version", described(integer(0), "That of the model."))});
  return schema;
}

awaitable<Answer> get_parameters(Call& call) {
  return answer_document(
      call,
      [actor = call.actor(), scope = call.scope(), id = call.path["model"]](GovernedDatabase& database) {
        return CallParameters(database).get(actor, scope, id);
      },
      Kind::model);
}

/// "providerConfig.model" as a JSON Pointer into the body.
std::string pointer_to(std::string key) {
  std::ranges::replace(key, '.', '/');
  return key.empty() ? "/parameters" : "/parameters/" + key;
}

awaitable<Answer> set_parameters(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  std::vector<events::InvalidDefault> invalid;
  auto parameters = events::read_call_defaults(call.body.find("parameters")->write(), invalid);
  if (!invalid.empty()) {
    Problem problem{.fault = Fault::invalid_value,
                    .detail = "A parameter cannot be used: " + to_text(invalid.front()) + "."};
    for (const auto& one : invalid)
      if (problem.errors.size() < field_errors_max)
        problem.errors.push_back({.pointer = pointer_to(one.key), .detail = one.reason});
    co_return std::unexpected(std::move(problem));
  }
  const auto set = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id = call.path["model"], match = *match,
       parameters = std::move(parameters),
       connection = call.query.text("connection").value_or("")](GovernedDatabase& database) {
        CallParameters all(database);
        return write_if_matching(
            match, Kind::model, [&] { return all.get(actor, scope, id); },
            [&](std::optional<std::int64_t> expected) {
              return all.set(actor, scope, id, connection, parameters, expected);
            });
      });
  if (!set) co_return std::unexpected(set.error());
  co_return versioned_reply(call, set->version, set->json);
}

}  // namespace

void add_call_parameter_routes(std::vector<Route>& routes) {
  static constexpr std::array reads{owner_parameter};
  static constexpr std::array writes{
      owner_parameter,
      QueryParameter{.name = "connection",
                     .description = "Only the deployment on that connection, by its name or id; without it: all."}};
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs/{org}/models/{model}/parameters",
                    .operation = "models.parameters.get",
                    .summary = "Reads the default parameters of a model's deployments.",
                    .permission = "org:models:read",
                    .query = reads,
                    .conditional = true,
                    .reply = &parameters_reply(),
                    .tag = "models",
                    .handler = get_parameters});
  routes.push_back({.method = "PUT",
                    .pattern = "/v1/orgs/{org}/models/{model}/parameters",
                    .operation = "models.parameters.set",
                    .summary = "Replaces the default parameters of a model's deployments, which calls use where their "
                               "request has none.",
                    .permission = "org:models:write",
                    .query = writes,
                    .conditional = true,
                    .body = &parameters_input(),
                    .reply = &parameters_reply(),
                    .tag = "models",
                    .handler = set_parameters});
}

}  // namespace tokenrail::registry_api
