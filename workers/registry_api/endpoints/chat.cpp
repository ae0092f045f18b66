// POST /v1/orgs/{org}/chat: asks a model as a member of the organisation, and streams the answer.
#include "common/crypto/bytes.hpp"
#include "workers/registry_api/access.hpp"
#include "workers/registry_api/chats.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/chat_question.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;

constexpr std::size_t request_id_bytes = 16;

awaitable<Answer> ask(Call& call) {
  if (call.org().empty()) co_return std::unexpected(no_such_organisation(call.path["org"]));
  const auto request_id = "playground-" + crypto::to_base64url(crypto::random_public_bytes(request_id_bytes));
  auto question = chat_question(call.body, {.request_id = request_id,
                                            .org_id = call.org(),
                                            .user_id = call.principal.subject,
                                            .timeout = call.context->chats->answer_time_max()});
  if (!question) co_return std::unexpected(question.error());
  auto reply = co_await call.context->chats->ask(
      std::move(*question), call.principal.issuer + '\n' + call.principal.subject, call.request_id);
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  co_return std::move(*reply);
}

}  // namespace

void add_chat_routes(std::vector<Route>& routes) {
  routes.push_back({.method = "POST",
                    .pattern = "/v1/orgs/{org}/chat",
                    .operation = "chat.ask",
                    .summary = "Asks a model and streams the answer as server-sent events: chunk, then done or error.",
                    .permission = "org:models:use",
                    .body = &schemas::chat_input(),
                    .reply = &schemas::event_stream(),
                    .tag = "chat",
                    .handler = ask});
}

}  // namespace tokenrail::registry_api
