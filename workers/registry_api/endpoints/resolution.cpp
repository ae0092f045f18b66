// What routers would do: /v1/orgs/{org}/models:resolve, …/models/{model}/explain, and /v1/models, the models that the
// caller may use, in the form of OpenAI's list. All answer from the registry as routers hold it.
#include "common/registry/resolution.hpp"

#include <array>
#include <chrono>
#include <utility>
#include <variant>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "common/crypto/bytes.hpp"
#include "common/providers/profile.hpp"
#include "common/registry/explanation_json.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/usable_models.hpp"
#include "common/telemetry/loop_turns.hpp"
#include "workers/registry_api/access.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"
#include "workers/registry_api/endpoints/usable_models.hpp"
#include "workers/registry_api/live_registry.hpp"
#include "workers/registry_api/loop_step.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;

constexpr std::size_t rows_a_turn = 256;  ///< that the loop looks at before anything else has its turn

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

/// The registry as routers hold it, or why it is not there.
std::expected<const registry::Projection*, Problem> projection_of(const Call& call) {
  const auto* const live = call.context->live_registry;
  const auto problem = live == nullptr ? std::string("this server does not follow it") : live->problem();
  if (problem.empty()) return &live->projection();
  return std::unexpected(
      Problem{.fault = Fault::unavailable,
              .detail = fmt::format("The registry as routers hold it is not known here: {}.", problem),
              .hint = "Check that Kafka can be reached and that registry-sync runs.",
              .retry_after_s = 2});
}

/// Names mean what they mean to a router. Whether a router has an adapter is not known here.
const registry::ResolutionRules& rules() {
  static const registry::ResolutionRules one{.implied_tags = providers::implied_tags()};
  return one;
}

/// What another user's own rows lead to is for those who see these rows.
std::optional<Problem> hidden_user(const Call& call, std::string_view user) {
  if (user.empty() || user == call.principal.subject) return std::nullopt;
  if (auth::decide(call.principal, auth::Permission::models_read, call.org(), user)) return std::nullopt;
  return Problem{.fault = Fault::forbidden,
                 .detail = "What another user's requests resolve to is shown to an org_admin only.",
                 .hint = "Leave the user out, or ask as that user."};
}

// ---- a request

/// The request that the body describes, with what the server knows better.
std::expected<events::ChatRequest, Problem> request_of(const Call& call) {
  auto body = call.body;
  auto& members = *body.object();
  std::erase_if(members, [](const JsonMember& member) { return member.name == "requestId" || member.name == "orgId"; });
  members.push_back({.name = "requestId", .value = Json(call.request_id)});
  members.push_back({.name = "orgId", .value = Json(call.org())});
  if (body.find("messages") == nullptr) {
    members.push_back(
        {.name = "messages",
         .value = Json(Json::Array{Json(Json::Object{{.name = "role", .value = Json(std::string("user"))},
                                                     {.name = "content", .value = Json(std::string())}})})});
  }
  auto parsed = events::parse_chat_request(body.write(), {});
  if (auto* const request = std::get_if<events::ChatRequest>(&parsed)) return std::move(*request);
  if (const auto* const invalid = std::get_if<events::InvalidRequest>(&parsed))
    return refuse(Fault::invalid_body, invalid->failure.message);
  return refuse(Fault::invalid_body, std::get<events::Unanswerable>(parsed).reason);
}

awaitable<Answer> resolve_request(Call& call) {
  if (call.org().empty())
    co_return refuse(Fault::invalid_path, "Requests are an organisation's, so name one instead of the platform.");
  const auto projection = projection_of(call);
  if (!projection) co_return std::unexpected(projection.error());
  const auto request = request_of(call);
  if (!request) co_return std::unexpected(request.error());
  if (auto refused = hidden_user(call, request->user_id)) co_return std::unexpected(std::move(*refused));
  // A conversation that sticks to a variant of an alias gets the same each time; the rest is drawn as a router draws.
  std::uint64_t random = 0;
  for (const char byte : crypto::random_public_bytes(sizeof random))
    random = random << 8U | static_cast<unsigned char>(byte);
  co_return json_reply(200, registry::explanation_json(registry::explain(**projection, registry::question_of(*request),
                                                                         rules(), now_ms(), random)));
}

// ---- a model

awaitable<Answer> explain(Call& call) {
  const auto found = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id = call.path["model"]](GovernedDatabase& database) {
        return registry::Models(database).get(actor, scope, id);
      });
  if (!found) co_return std::unexpected(problem_of(found.error(), Kind::model));
  const auto model = parse_document(found->json);
  if (!model) co_return refuse(Fault::internal, model.error().detail);
  const auto projection = projection_of(call);
  if (!projection) co_return std::unexpected(projection.error());
  const auto scope = call.scope();
  const auto user = call.query.text("user").value_or(scope.user_id);
  if (auto refused = hidden_user(call, user)) co_return std::unexpected(std::move(*refused));
  const auto kind = model->text_of("kind").value_or("generation");
  const registry::Question question{.caller = {.org_id = scope.org_id, .user_id = user},
                                    .model = events::ModelReference{.provider = model->text_of("provider").value_or(""),
                                                                    .name = model->text_of("modelName").value_or("")},
                                    .kind = kind};
  co_return json_reply(200, registry::explanation_json(registry::explain(**projection, question, rules(), now_ms())));
}

// ---- the models of a caller

/// The one organisation that the list is for.
std::expected<std::string, Problem> organization_of(const Call& call) {
  auto org = call.query.text("org").value_or("");
  if (org.empty()) {
    const auto& roles = call.principal.roles;
    if (roles.size() != 1)
      return refuse(Fault::invalid_query, "The caller is in several organisations, or in none. Name one with org=.");
    org = roles.begin()->first;
  }
  auto decision = auth::decide(call.principal, auth::Permission::models_use, org);
  if (decision.allowed) return org;
  if (decision.status == 404) return std::unexpected(no_such_organisation(org));
  return refuse(Fault::forbidden, "This needs the permission org:models:use.");
}

awaitable<Answer> list_usable_models(Call& call) {
  const auto org = organization_of(call);
  if (!org) co_return std::unexpected(org.error());
  // Step by step: other requests have their turns between.
  registry::UsableModelsWalk walk(*org, call.principal.subject);
  OpenAiModelList list;
  while (true) {
    const auto projection = projection_of(call);
    if (!projection) co_return std::unexpected(projection.error());
    list.add(walk.next(**projection, {}, now_ms(), rows_a_turn));
    if (walk.done()) break;
    co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
    telemetry::loop_step(loop_step_name);
  }
  co_return json_reply(200, std::move(list).finish());
}

}  // namespace

void add_resolution_routes(std::vector<Route>& routes) {
  static constexpr std::array user{
      owner_parameter,
      QueryParameter{.name = "user",
                     .description = "Id of a user of the organisation, whose own rows and grants count."}};
  static constexpr std::array org{
      QueryParameter{.name = "org", .description = "The organisation; needed by a caller who is in several."}};
  routes.push_back({.method = "POST",
                    .pattern = "/v1/orgs/{org}/models:resolve",
                    .operation = "models.resolve",
                    .summary = "Says which model and deployment would answer a request now, and why.",
                    .permission = "org:models:read",
                    .body = &schemas::resolution_input(),
                    .reply = &schemas::explanation(),
                    .tag = "models",
                    .handler = resolve_request});
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs/{org}/models/{model}/explain",
                    .operation = "models.explain",
                    .summary = "Explains why the model may be used, or may not: each rule as routers apply it.",
                    .permission = "org:models:read",
                    .query = user,
                    .reply = &schemas::explanation(),
                    .tag = "models",
                    .handler = explain});
  routes.push_back({.method = "GET",
                    .pattern = "/v1/models",
                    .operation = "usable_models.list",
                    .summary = "Lists the models that the caller may use, as OpenAI's API does.",
                    .access = Access::caller,
                    .query = org,
                    .reply = &schemas::usable_models(),
                    .tag = "models",
                    .handler = list_usable_models});
}

}  // namespace tokenrail::registry_api
