// /v1/orgs/{org}/tokens: service tokens. A token is shown once, when it is made.
#include <fmt/format.h>

#include "common/auth/api_token.hpp"
#include "common/crypto/bytes.hpp"
#include "common/events/json_writer.hpp"
#include "common/registry/organizations.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::Organizations;

std::string hex(const auth::Digest& digest) {
  return crypto::to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

awaitable<Answer> list_tokens(Call& call) {
  return answer_page(call, [actor = call.actor(), scope = call.scope()](GovernedDatabase& database,
                                                                        const registry::PageRequest& page) {
    return Organizations(database).tokens(actor, scope, page);
  });
}

awaitable<Answer> create_token(Call& call) {
  const auto role = *call.body.text_of("role");
  if ((role == auth::platform_admin_name) != call.org().empty()) {
    co_return refuse(
        Fault::invalid_value,
        "A token of the platform has the role platform_admin, and one of an organisation has another role.");
  }
  auto made = auth::make_api_token();
  if (!made) co_return std::unexpected(problem_of(made.error()));
  Organizations::NewToken token{.id = made->id,
                                .org_id = call.org(),
                                .name = *call.body.text_of("name"),
                                .role = role,
                                .sha256_hex = hex(made->sha256)};
  token.expires_ms = expiry_of(call.body);
  const auto added = co_await call.context->database->run(
      [actor = call.actor(), token = std::move(token)](GovernedDatabase& database) {
        return Organizations(database).add_token(actor, token);
      });
  if (!added) co_return std::unexpected(problem_of(added.error()));
  auto document = parse_json(added->json);
  if (!document || document->object() == nullptr) co_return refuse(Fault::internal, "");
  // One that was not stored opens nothing.
  const auto shown = call.actor().dry_run ? std::string() : std::string(made->token.reveal());
  document->object()->push_back({.name = "token", .value = Json(shown)});
  auto reply = json_reply(201, document->write());
  reply.headers.push_back({.name = "Location", .value = location_of(call, "tokens", added->id)});
  co_return reply;
}

awaitable<Answer> revoke_token(Call& call) {
  const auto revoked = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id = call.path["token"]](GovernedDatabase& database) {
        return Organizations(database).revoke_token(actor, scope, id);
      });
  if (!revoked) co_return std::unexpected(problem_of(revoked.error()));
  co_return no_content();
}

}  // namespace

void add_token_routes(std::vector<Route>& routes) {
  static const auto page = schemas::page_of(schemas::token());
  routes.push_back({.method = "GET",
                    .pattern = "/v1/orgs/{org}/tokens",
                    .operation = "tokens.list",
                    .summary = "Lists the service tokens of an organisation, without the tokens themselves.",
                    .permission = "org:members:read",
                    .paged = true,
                    .reply = &page,
                    .tag = "tokens",
                    .handler = list_tokens});
  // Without Idempotency-Key: its answer, which has the token, would be kept.
  routes.push_back({.method = "POST",
                    .pattern = "/v1/orgs/{org}/tokens",
                    .operation = "tokens.create",
                    .summary = "Makes a service token. The reply has the token; it is never shown again.",
                    .permission = "org:members:write",
                    .body = &schemas::token_input(),
                    .reply = &schemas::new_token(),
                    .status = 201,
                    .tag = "tokens",
                    .handler = create_token});
  routes.push_back({.method = "DELETE",
                    .pattern = "/v1/orgs/{org}/tokens/{token}",
                    .operation = "tokens.revoke",
                    .summary = "Revokes a service token.",
                    .permission = "org:members:write",
                    .status = 204,
                    .tag = "tokens",
                    .handler = revoke_token});
}

}  // namespace tokenrail::registry_api
