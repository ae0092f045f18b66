// /v1/orgs/{org}/credentials: keys of providers. A secret comes in, is sealed, and is never shown.
#include <array>

#include "common/crypto/bytes.hpp"
#include "common/crypto/credential_binding.hpp"
#include "common/crypto/credential_text.hpp"
#include "common/crypto/fingerprint.hpp"
#include "common/registry/connections.hpp"
#include "common/secret.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"
#include "workers/registry_api/endpoints/secrets.hpp"

namespace tokenrail::registry_api {

crypto::CredentialText take_secrets(Call& call) {
  crypto::cleanse(call.request.body);
  crypto::CredentialText taken;
  for (auto& member : *call.body.object()) {
    if (member.name == "secret") taken.secret = Secret(std::move(*member.value.text()));
    if (member.name != "headers") continue;
    for (auto& header : *member.value.object())
      taken.headers.emplace_back(header.name, Secret(std::move(*header.value.text())));
  }
  return taken;
}

Problem unusable_secrets(const Error& error) {
  auto problem = problem_of(error);
  if (error.kind == ErrorKind::invalid_input)
    problem.errors = {{.pointer = error.detail.contains("header") ? "/headers" : "/secret", .detail = error.detail}};
  return problem;
}

namespace {

using boost::asio::awaitable;
using registry::CredentialStore;
using registry::GovernedDatabase;

std::optional<Problem> no_key_ring(const Call& call) {
  if (call.context->key_ring) return std::nullopt;
  return Problem{.fault = Fault::unavailable,
                 .detail = "This server has no key ring, so it cannot store credentials.",
                 .hint = "Ask the operator to set TOKENRAIL_KEYRING_FILE."};
}

/// Seals the secrets for their row. On the loop: it takes microseconds.
Result<CredentialStore::Sealed> seal(const crypto::KeyRing& ring, const crypto::CredentialText& secrets,
                                     const registry::Scope& scope, CredentialStore::Sealed credential) {
  const auto text = crypto::to_text(secrets);
  if (!text) return std::unexpected(text.error());
  const auto sealed = crypto::seal(ring, *text,
                                   crypto::binding_of({.id = credential.id,
                                                       .org_id = scope.org_id,
                                                       .owner_user_id = scope.user_id,
                                                       .provider = credential.provider,
                                                       .secret_version = credential.secret_version}));
  if (!sealed) return std::unexpected(sealed.error());
  credential.sealed = crypto::to_text(*sealed);
  credential.key_id = ring.primary_id();
  credential.fingerprint = crypto::fingerprint(ring, secrets.secret);
  credential.last4 = crypto::last4(secrets.secret);
  for (const auto& [name, value] : secrets.headers) credential.header_names.push_back(name);
  return credential;
}

awaitable<Answer> list_credentials(Call& call) {
  return answer_page(call, [actor = call.actor(), scope = call.scope()](GovernedDatabase& database,
                                                                        const registry::PageRequest& page) {
    return CredentialStore(database).list(actor, scope, page);
  });
}

awaitable<Answer> get_credential(Call& call) {
  return answer_document(
      call, [actor = call.actor(), scope = call.scope(), id = call.path["credential"]](GovernedDatabase& database) {
        return CredentialStore(database).get(actor, scope, id);
      });
}

awaitable<Answer> create_credential(Call& call) {
  const auto secrets = take_secrets(call);
  if (auto missing = no_key_ring(call)) co_return std::unexpected(std::move(*missing));
  const auto id = co_await call.context->database->run([](GovernedDatabase& database) { return database.new_id(); });
  if (!id) co_return std::unexpected(problem_of(id.error()));
  auto sealed = seal(*call.context->key_ring, secrets, call.scope(),
                     {.id = *id,
                      .provider = *call.body.text_of("provider"),
                      .label = *call.body.text_of("label"),
                      .sealed = {},
                      .key_id = {},
                      .fingerprint = {},
                      .expires_ms = expiry_of(call.body)});
  if (!sealed) co_return std::unexpected(unusable_secrets(sealed.error()));
  const auto added = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), sealed = std::move(*sealed)](GovernedDatabase& database) {
        return CredentialStore(database).add(actor, scope, sealed);
      });
  if (!added) {
    auto problem = as(problem_of(added.error()), Fault::conflict, Fault::already_exists);
    co_return std::unexpected(as(std::move(problem), Fault::not_found, Fault::invalid_value));
  }
  co_return created_reply(location_of(call, "credentials", added->id), added->version, added->json);
}

awaitable<Answer> replace_credential(Call& call) {
  const auto secrets = take_secrets(call);
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  if (auto missing = no_key_ring(call)) co_return std::unexpected(std::move(*missing));
  const auto now = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id = call.path["credential"]](GovernedDatabase& database) {
        return CredentialStore(database).get(actor, scope, id);
      });
  if (!now) co_return std::unexpected(problem_of(now.error()));
  const auto before = parse_json(now->json);
  if (!before) co_return refuse(Fault::internal, "");
  auto sealed = seal(*call.context->key_ring, secrets, call.scope(),
                     {.id = now->id,
                      .provider = before->text_of("provider").value_or(""),
                      .label = before->text_of("label").value_or(""),
                      .sealed = {},
                      .key_id = {},
                      .fingerprint = {},
                      .expires_ms = expiry_of(call.body),
                      .secret_version = before->integer_of("secretVersion").value_or(0) + 1});
  if (!sealed) co_return std::unexpected(unusable_secrets(sealed.error()));
  const auto replaced =
      co_await call.context->database->run([actor = call.actor(), scope = call.scope(), match = *match,
                                            sealed = std::move(*sealed)](GovernedDatabase& database) {
        CredentialStore store(database);
        return write_if_matching(
            match, Kind::other, [&] { return store.get(actor, scope, sealed.id); },
            [&](std::optional<std::int64_t> expected) { return store.replace(actor, scope, sealed, expected); });
      });
  if (!replaced) co_return std::unexpected(replaced.error());
  co_return versioned_reply(call, replaced->version, replaced->json);
}

awaitable<Answer> revoke_credential(Call& call) {
  const auto match = call.precondition();
  if (!match) co_return std::unexpected(match.error());
  const auto revoked = co_await call.context->database->run(
      [actor = call.actor(), scope = call.scope(), id = call.path["credential"], match = *match,
       force = call.query.boolean("force").value_or(false)](GovernedDatabase& database) {
        CredentialStore store(database);
        return write_if_matching(
            match, Kind::other, [&] { return store.get(actor, scope, id); },
            [&](std::optional<std::int64_t> expected) { return store.revoke(actor, scope, id, force, expected); });
      });
  if (!revoked) co_return std::unexpected(as(revoked.error(), Fault::conflict, Fault::in_use));
  co_return no_content();
}

Route route(std::string_view method, std::string_view pattern, std::string_view operation, std::string_view summary,
            Handler handler) {
  static constexpr std::array owner{owner_parameter};
  return {.method = method,
          .pattern = pattern,
          .operation = operation,
          .summary = summary,
          .permission = method == "GET" ? "org:credentials:read" : "org:credentials:write",
          .query = owner,
          .tag = "credentials",
          .handler = handler};
}

}  // namespace

// Without Idempotency-Key: a fingerprint of the request, which has the secret, would be kept. The label makes a
// creation safe to repeat.
void add_credential_routes(std::vector<Route>& routes) {
  static const auto page = schemas::page_of(schemas::credential());
  static constexpr std::array deletes{owner_parameter, force_parameter};

  auto list = route("GET", "/v1/orgs/{org}/credentials", "credentials.list",
                    "Lists credentials by label and last characters.", list_credentials);
  list.paged = true;
  list.reply = &page;
  routes.push_back(list);

  auto create = route("POST", "/v1/orgs/{org}/credentials", "credentials.create", "Stores a provider's key, sealed.",
                      create_credential);
  create.body = &schemas::credential_input();
  create.reply = &schemas::credential();
  create.status = 201;
  routes.push_back(create);

  auto get = route("GET", "/v1/orgs/{org}/credentials/{credential}", "credentials.get",
                   "Reads what is known of a credential, never its secret.", get_credential);
  get.conditional = true;
  get.reply = &schemas::credential();
  routes.push_back(get);

  auto replace = route("POST", "/v1/orgs/{org}/credentials/{credential}:replace", "credentials.replace",
                       "Replaces the secret; routers use the new one at once.", replace_credential);
  replace.conditional = true;
  replace.body = &schemas::credential_replacement();
  replace.reply = &schemas::credential();
  routes.push_back(replace);

  auto revoke = route("DELETE", "/v1/orgs/{org}/credentials/{credential}", "credentials.revoke",
                      "Removes the secret; routers drop it.", revoke_credential);
  revoke.query = deletes;
  revoke.conditional = true;
  revoke.status = 204;
  routes.push_back(revoke);
}

}  // namespace tokenrail::registry_api
