// /v1/orgs/{org}/connections:test, …/connections/{connection}:test and …/models/{model}:test: whether a connection
// works, stage by stage.
#include "common/registry/connection_tests.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <span>

#include "common/crypto/credential_binding.hpp"
#include "common/crypto/credential_text.hpp"
#include "common/events/json_writer.hpp"
#include "common/providers/profile.hpp"
#include "common/registry/connections.hpp"
#include "common/registry/governed_models.hpp"
#include "workers/registry_api/connection_tester.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"
#include "workers/registry_api/endpoints/secrets.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::ConnectionTestLog;
using registry::GovernedDatabase;

std::expected<providers::Credential, Problem> authentication(const std::string& provider, const std::string& type,
                                                             std::string name) {
  auto credential = providers::credential_to_test(provider, type, std::move(name));
  if (!credential) return refuse(Fault::invalid_value, credential.error().detail);
  return std::move(*credential);
}

std::expected<providers::Credential, Problem> opened(const Call& call, const registry::CredentialStore::Row& row,
                                                     providers::Credential credential) {
  if (!call.context->key_ring) {
    return std::unexpected(Problem{.fault = Fault::unavailable,
                                   .detail = "This server has no key ring, so it cannot open the credential.",
                                   .hint = "Ask the operator to set TOKENRAIL_KEYRING_FILE."});
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  if (row.expires_ms && *row.expires_ms <= std::chrono::duration_cast<std::chrono::milliseconds>(now).count()) {
    return std::unexpected(Problem{.fault = Fault::conflict,
                                   .detail = "The credential has expired, so routers do not use it.",
                                   .hint = "Give it a new secret, or give the connection another credential."});
  }
  auto whole = providers::with_stored_secret(std::move(credential), *call.context->key_ring, row.sealed,
                                             crypto::binding_of({.id = row.id,
                                                                 .org_id = row.scope.org_id,
                                                                 .owner_user_id = row.scope.user_id,
                                                                 .provider = row.provider,
                                                                 .secret_version = row.secret_version}));
  if (!whole) return refuse(Fault::unavailable, whole.error().detail);
  return std::move(*whole);
}

std::string body_of(const ConnectionTestLog::Record& record) {
  std::string body;
  events::JsonWriter json(body);
  json.begin_object();
  json.field("outcome", record.outcome);
  json.field("latencyMs", record.latency_ms);
  if (!record.connection_id.empty()) json.field("connectionId", record.connection_id);
  if (!record.model.empty()) json.field("model", record.model);
  json.raw_field("stages", record.stages);
  json.end_object();
  return body;
}

std::optional<registry::ConnectionHealth> health_of(std::span<const providers::StageResult> stages) {
  using enum providers::TestStage;
  const auto failed = std::ranges::find_if(stages, [](const auto& stage) { return stage.cause.has_value(); });
  if (failed != stages.end()) return registry::health_after_test(name_of(failed->stage), name_of(*failed->cause), true);
  const bool answered = std::ranges::any_of(stages, [](const auto& stage) {
    return (stage.stage == list || stage.stage == call) && stage.status == providers::StageStatus::ok;
  });
  return registry::health_after_test("", "", answered);
}

/// Runs the test in its place, keeps the result, and answers with it.
awaitable<Answer> tested(Call* call, std::string place_name, ConnectionTester::Subject subject,
                         ConnectionTestLog::Record record) {
  auto& tester = *call->context->connection_tester;
  const auto place = tester.places().take(std::move(place_name));
  if (!place) co_return std::unexpected(place.error());
  const auto report = co_await tester.run(std::move(subject));
  record.outcome = providers::outcome_of(report.stages);
  record.stages = providers::stages_json(report.stages);
  record.latency_ms = report.latency.count();
  record.health = health_of(report.stages);
  const auto kept = co_await call->context->database->run(
      [actor = call->actor(), scope = call->scope(), record](GovernedDatabase& database) {
        return ConnectionTestLog(database).record(actor, scope, record);
      });
  if (!kept) co_return std::unexpected(problem_of(kept.error()));
  co_return json_reply(200, body_of(record));
}

/// Tests a stored connection, with a call of `model` where that is not empty.
awaitable<Answer> test_stored(Call* called, std::string connection, std::string model) {
  auto& call = *called;
  const auto found = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id = std::move(connection)](GovernedDatabase& database) {
        return ConnectionTestLog(database).subject(actor, scope, id);
      });
  if (!found) co_return std::unexpected(problem_of(found.error()));
  auto credential = authentication(found->provider, found->auth_type, found->auth_name);
  if (!credential) co_return std::unexpected(credential.error());
  if (!found->credential_id.empty()) {
    const auto row = co_await call.context->database->run(
        [actor = call.actor(), scope = call.scope(), id = found->credential_id](GovernedDatabase& database) {
          return registry::CredentialStore(database).sealed(actor, scope, id);
        });
    if (!row) co_return std::unexpected(as(problem_of(row.error()), Fault::not_found, Fault::invalid_value));
    credential = opened(call, *row, std::move(*credential));
    if (!credential) co_return std::unexpected(credential.error());
  }
  ConnectionTester::Subject subject{.org_id = call.scope().org_id,
                                    .adapter = found->adapter,
                                    .target = {.provider = found->provider,
                                               .base_url = providers::normal_base_url(found->base_url),
                                               .upstream_name = model,
                                               .credential = std::move(*credential)}};
  co_return co_await tested(called, found->id, std::move(subject),
                            {.connection_id = found->id,
                             .name = found->name,
                             .provider = found->provider,
                             .base_url = found->base_url,
                             .model = model});
}

awaitable<Answer> test_connection(Call& call) {
  co_return co_await test_stored(&call, call.path["connection"], call.body.text_of("model").value_or(""));
}

/// The connection that requests for a model reach first, and the model's name there.
struct Served {
  std::string connection;
  std::string upstream_name;
};

std::expected<Served, Problem> served_by(const Json& model) {
  const auto* const deployments = model.find("deployments");
  const auto* const list = deployments == nullptr ? nullptr : deployments->array();
  if (list == nullptr || list->empty())
    return refuse(Fault::conflict, "No connection serves the model, so there is nothing to test.");
  return Served{.connection = list->front().text_of("connectionId").value_or(""),
                .upstream_name = list->front().text_of("upstreamName").value_or("")};
}

awaitable<Answer> test_model(Call& call) {
  const auto found = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id = call.path["model"]](GovernedDatabase& database) {
        return registry::Models(database).get(actor, scope, id);
      });
  if (!found) co_return std::unexpected(problem_of(found.error(), Kind::model));
  const auto model = parse_document(found->json);
  if (!model) co_return refuse(Fault::internal, model.error().detail);
  auto served = served_by(*model);
  if (!served) co_return std::unexpected(std::move(served.error()));
  co_return co_await test_stored(&call, std::move(served->connection), std::move(served->upstream_name));
}

awaitable<Answer> test_draft(Call& call) {
  auto secrets = take_secrets(call);
  const bool authorised = !secrets.secret.empty() || !secrets.headers.empty();
  if (const auto text = crypto::to_text(secrets); authorised && !text)
    co_return std::unexpected(unusable_secrets(text.error()));
  if (auto wrong = check_base_url(call.body)) co_return std::unexpected(std::move(*wrong));
  const auto provider = *call.body.text_of("provider");
  const auto base_url = *call.body.text_of("baseUrl");
  const auto adapter = co_await call.context->database->run(
      [provider](GovernedDatabase& database) { return ConnectionTestLog(database).adapter_of(provider); });
  if (!adapter) co_return std::unexpected(as(problem_of(adapter.error()), Fault::not_found, Fault::invalid_value));
  const auto* const profile = providers::find_profile(provider);
  const auto usual = profile == nullptr ? providers::AuthType::bearer : profile->auth;
  const auto type =
      secrets.secret.empty() ? "none" : call.body.text_of("authType").value_or(std::string(name_of(usual)));
  auto credential = authentication(provider, type, call.body.text_of("authName").value_or(""));
  if (!credential) co_return std::unexpected(credential.error());
  credential->secret = std::move(secrets.secret);
  credential->extra_headers = std::move(secrets.headers);
  const auto model = call.body.text_of("model").value_or("");
  ConnectionTester::Subject subject{.org_id = call.scope().org_id,
                                    .adapter = *adapter,
                                    .target = {.provider = provider,
                                               .base_url = providers::normal_base_url(base_url),
                                               .upstream_name = model,
                                               .credential = std::move(*credential)}};
  // One draft of a scope at a time: what makes two of them the same connection is not known yet.
  co_return co_await tested(&call, "draft of " + call.scope().org_id, std::move(subject),
                            {.provider = provider, .base_url = base_url, .model = model});
}

}  // namespace

void add_connection_test_routes(std::vector<Route>& routes) {
  static constexpr std::array writes{owner_parameter};
  routes.push_back({.method = "POST",
                    .pattern = "/v1/orgs/{org}/connections:test",
                    .operation = "connections.testDraft",
                    .summary = "Tests a connection that is not stored, stage by stage.",
                    .permission = "org:models:test",
                    .query = writes,
                    .body = &schemas::connection_test_draft(),
                    .reply = &schemas::connection_test(),
                    .tag = "connections",
                    .handler = test_draft});
  routes.push_back({.method = "POST",
                    .pattern = "/v1/orgs/{org}/connections/{connection}:test",
                    .operation = "connections.test",
                    .summary = "Tests a connection with its stored credential, stage by stage.",
                    .permission = "org:models:test",
                    .query = writes,
                    .body = &schemas::connection_test_input(),
                    .body_optional = true,
                    .reply = &schemas::connection_test(),
                    .tag = "connections",
                    .handler = test_connection});
  routes.push_back({.method = "POST",
                    .pattern = "/v1/orgs/{org}/models/{model}:test",
                    .operation = "models.test",
                    .summary = "Tests the connection that serves a model first, with a call of that model.",
                    .permission = "org:models:test",
                    .query = writes,
                    .reply = &schemas::connection_test(),
                    .tag = "models",
                    .handler = test_model});
}

}  // namespace tokenrail::registry_api
