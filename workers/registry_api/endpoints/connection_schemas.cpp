// Bodies about providers, connections, their credentials, and what a sync does.
#include <string>
#include <utility>
#include <vector>

#include "common/crypto/credential_text.hpp"
#include "workers/registry_api/endpoints/schema_parts.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api::schemas {

namespace {

Schema secret_headers(std::string description) {
  return described(map_of(text(1, crypto::credential_header_value_bytes_max), crypto::credential_headers_max),
                   std::move(description));
}

constexpr const char* stored_headers =
    "Further secret headers that calls carry, by name. Never shown again; without them there are none.";

}  // namespace

// ---- of requests

const Schema& connection_input() {
  static const auto schema = object("ConnectionInput", {
                                                           required("provider", text(1, 63)),
                                                           required("name", text(1, 63)),
                                                           required("baseUrl", formatted(text(1, 2048), "uri")),
                                                           optional("authType", auth_type()),
                                                           optional("authName", text(0, 128)),
                                                           optional("credentialId", uuid()),
                                                           optional("priority", integer(-1'000'000, 1'000'000)),
                                                           optional("weight", integer(0, 1'000'000)),
                                                           optional("enabled", boolean()),
                                                           optional("syncEnabled", boolean()),
                                                           optional("syncIntervalS", integer(60, 31'536'000)),
                                                           optional("includeGlobs", list_of(text(1, 255), 100)),
                                                           optional("excludeGlobs", list_of(text(1, 255), 100)),
                                                           optional("onNew", choice({"disabled", "enabled"})),
                                                           optional("slugPrefix", text(0, 64)),
                                                           optional("metadata", any_object()),
                                                       });
  return schema;
}

const Schema& connection_patch() {
  static const auto schema = [] {
    auto patch = patch_of(connection_input(), "ConnectionPatch");
    // A connection keeps its provider: its models are that provider's.
    std::erase_if(patch.properties, [](const Property& property) { return property.name == "provider"; });
    return patch;
  }();
  return schema;
}

const Schema& connection_test_draft() {
  static const auto schema = object(
      "ConnectionTestDraft",
      {required("provider", text(1, 63)), required("baseUrl", formatted(text(1, 2048), "uri")),
       optional("authType", auth_type()), optional("authName", text(0, 128)),
       optional("secret", described(text(1, 16'384), "Sent to baseUrl, and neither stored nor shown.")),
       optional("headers", secret_headers("Further secret headers, sent to baseUrl, and neither stored nor shown.")),
       optional("model", described(text(1, 255), "To call, by its name at the provider."))});
  return schema;
}

const Schema& connection_test_input() {
  static const auto schema = object(
      "ConnectionTestInput", {optional("model", described(text(1, 255), "To call, by its name at the provider."))});
  return schema;
}

const Schema& credential_input() {
  static const auto schema =
      object("CredentialInput",
             {required("provider", text(1, 63)), required("label", text(1, 255)),
              required("secret", described(text(1, 16'384), "Never shown again, to anyone.")),
              optional("headers", secret_headers(stored_headers)), optional("expiresInDays", integer(1, 3650))});
  return schema;
}

const Schema& credential_replacement() {
  static const auto schema = object("CredentialReplacement", {required("secret", text(1, 16'384)),
                                                              optional("headers", secret_headers(stored_headers)),
                                                              optional("expiresInDays", integer(1, 3650))});
  return schema;
}

const Schema& sync_input() {
  static const auto schema = object(
      "SyncInput",
      {optional("acceptHeld",
                described(boolean(), "Apply also what would be held otherwise. Needs org:connections:write too."))});
  return schema;
}

const Schema& held_decision() {
  static const auto schema =
      object("HeldDecision", {required("decision", choice({"accept", "reject"})), optional("reason", text(0, 1024))});
  return schema;
}

// ---- of replies

const Schema& provider() {
  static const auto field = open_object(
      "CredentialField",
      {required("name",
                described(choice({"baseUrl", "authName", "secret"}),
                          "baseUrl and authName are the connection's, secret is the credential's. A name may be "
                          "there for several authTypes, with another label for each.")),
       required("label", any_text()), required("help", any_text()),
       required("secret", described(boolean(), "true: typed without being shown, and never shown again.")),
       required("required", boolean()),
       required("authTypes", described(list_of(auth_type(), 5), "With which the field is asked for.")),
       optional("default", described(any_text(), "What the field holds at first.")),
       optional("example", described(any_text(), "What the field could hold."))});
  static const auto form = described(open_object("CredentialForm", {required("fields", list_of(field, 64))}),
                                     "What a new connection asks for, in this order.");
  static const auto schema =
      reply_object("Provider",
                   {required("id", any_text()), required("kinds", list_of(model_kind(), 64)),
                    required("authTypes", list_of(auth_type(), 5)), required("credentialForm", form)},
                   {"adapter", "displayName", "defaultBaseUrl", "docUrl"});
  return schema;
}

const Schema& connection() {
  static const auto schema = reply_object(
      "Connection",
      {required("id", any_text()), version(), optional("enabled", boolean()), optional("syncEnabled", boolean()),
       optional("metadata", any_object()), optional("credential", nullable(any_object())),
       optional("priority", integer()), optional("weight", integer()), optional("syncIntervalS", nullable(integer())),
       optional("includeGlobs", list_of(any_text(), 1000)), optional("excludeGlobs", list_of(any_text(), 1000)),
       optional("lastSync", any_object())},
      {"scope", "orgId", "ownerUserId", "provider", "name", "baseUrl", "authType", "authName", "health", "healthReason",
       "healthSince", "onNew", "slugPrefix", "createdAt", "updatedAt"});
  return schema;
}

const Schema& connection_test() {
  static const auto stage = open_object(
      "ConnectionTestStage",
      {required("stage", choice({"dns", "tcp", "tls", "auth", "list", "call"})),
       required("status", choice({"ok", "failed", "skipped"})), optional("latencyMs", integer(0)),
       optional("cause", choice({"unreachable", "tls", "auth", "forbidden", "not_found_model", "rate_limited", "quota",
                                 "bad_request", "upstream_5xx", "timeout", "not_json", "refused_address"})),
       optional("httpStatus", integer()), required("message", any_text()),
       required("fix", described(any_text(), "What to do; empty where nothing failed."))});
  static const auto schema =
      reply_object("ConnectionTest",
                   {required("outcome", described(any_text(), "ok, or the cause of the first stage that failed.")),
                    required("latencyMs", integer(0)), required("stages", list_of(stage, 6))},
                   {"connectionId", "model"});
  return schema;
}

const Schema& credential() {
  static const auto schema =
      reply_object("Credential",
                   {required("id", any_text()), version(), optional("secretVersion", integer(1)),
                    optional("headerNames", list_of(any_text(), crypto::credential_headers_max))},
                   {"orgId", "ownerUserId", "provider", "label", "last4", "fingerprint", "keyId", "expiresAt",
                    "revokedAt", "lastUsedAt", "createdAt", "updatedAt"});
  return schema;
}

const Schema& sync_run() {
  static const auto schema =
      reply_object("SyncRun", {required("id", any_text())}, {"connection", "connectionId", "trigger", "status"});
  return schema;
}

const Schema& held_change() {
  static const auto schema = reply_object(
      "HeldChange",
      {required("id", any_text()), optional("before", described(any_object(), "The fields as they are.")),
       optional("after", described(any_object(),
                                   "What the list or the catalogue says; missing: the models that a list lacks."))},
      {"connection", "connectionId", "catalog", "modelId", "model", "reason", "since", "decision", "decidedBy",
       "decidedAt", "decisionReason"});
  return schema;
}

const Schema& sync_request() {
  static const auto schema = open_object(
      "SyncRequest", {required("id", described(any_text(), "Of the operation that Location names.")),
                      required("kind", choice({"sync", "republish"})), required("state", choice({"running"}))});
  return schema;
}

const Schema& operation() {
  static const auto schema = open_object(
      "Operation",
      {required("id", any_text()), required("kind", choice({"sync", "republish"})),
       required("state", choice({"running", "done", "failed"})), optional("connection", nullable(any_text())),
       optional("connectionId", nullable(any_text())), required("progress", any_object()),
       optional("result", nullable(described(any_object(), "Once the operation has ended.")))});
  return schema;
}

}  // namespace tokenrail::registry_api::schemas
