#include "workers/registry_api/endpoints/schemas.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/crypto/credential_text.hpp"

namespace tokenrail::registry_api::schemas {

namespace {

constexpr std::int64_t count_max = 1'000'000'000'000;

Schema role() {
  return choice({"viewer", "member", "model_admin", "org_admin"});
}
Schema model_kind() {
  return choice({"generation", "embedding", "rerank", "classification", "ner", "image", "speech", "transcription",
                 "moderation", "video", "ocr", "other"});
}
Schema auth_type() {
  return choice({"none", "bearer", "header", "query", "basic"});
}
Schema model_name() {
  return described(text(1, 255), "Id, slug, or provider/name.");
}

/// Of a deployment, in a minute. Readers that leave it out, such as older pages, do not remove it.
Schema limit(std::string_view what) {
  return described(nullable(integer(1, count_max)),
                   fmt::format("How many {} a minute each router sends here before it tries other deployments first. "
                               "Left out, a deployment that is there keeps its limit; null: none.",
                               what));
}

std::vector<Property> grant_properties() {
  return {required("subjectKind", choice({"org", "group", "user"})), optional("subject", text(0, 256)),
          required("objectKind", choice({"model", "connection", "alias"})), required("object", text(1, 512)),
          optional("effect", choice({"allow", "deny"}))};
}

const Schema& deployment_input() {
  static const auto schema =
      object("DeploymentInput", {
                                    required("connectionId", described(text(1, 255), "Id or name.")),
                                    optional("upstreamName", text(1, 255)),
                                    optional("priority", integer(-1'000'000, 1'000'000)),
                                    optional("weight", integer(0, 1'000'000)),
                                    optional("enabled", boolean()),
                                    optional("params", any_object()),
                                    optional("requestsPerMinute", limit("requests")),
                                    optional("tokensPerMinute", limit("tokens")),
                                });
  return schema;
}

/// `patch`: null removes a parameter.
Schema model_params(bool patch) {
  constexpr std::int64_t int_max = 2'147'483'647;
  const auto parameter = [&](std::string name, Schema schema, std::string description = {}) {
    if (patch) schema.nullable = true;
    return optional(std::move(name), described(std::move(schema), std::move(description)));
  };
  return described(
      object(
          "",
          {parameter("temperature", number(0, 2)), parameter("topP", number(0, 1)),
           parameter("topK", integer(1, int_max)), parameter("maxTokens", integer(1, int_max)),
           parameter("stop", {}, "A text, or a list of texts."), parameter("numCtx", integer(1, int_max), "Of Ollama."),
           parameter("keepAlive", {}, "Of Ollama: seconds, or a duration such as 10m."),
           parameter("providerConfig", any_object(), "Fields of the provider's own API."),
           parameter("normalize", boolean(), "Of embeddings: whether vectors have the length 1."),
           parameter("distanceMetric", choice({"cosine", "dot", "l2"}), "Of embeddings: how vectors are compared."),
           parameter("batchSize", integer(1, 1'000'000), "Of embeddings: the most texts in a request.")}),
      "Default parameters of calls: a request's own count first, then those of its deployment, then these. Those of "
      "embeddings are for readers of vectors; no call uses them.");
}

/// What a person may set of a model.
Schema support() {
  return choice({"supported", "unsupported", "unknown"});
}

/// `support`: what a capability may be. `patch`: null gives back what may be given back.
std::vector<Property> model_fields(const Schema& support, bool patch = false) {
  return {
      optional("enabled", boolean()),
      optional("blocked", boolean()),
      optional("hidden", boolean()),
      optional("displayName", text(0, 255)),
      optional("description", text(0, 4096)),
      optional("family", text(0, 255)),
      optional("license", text(0, 255)),
      optional("kind", model_kind()),
      optional("lifecycle", choice({"preview", "active", "deprecated", "retired"})),
      optional("deprecatesAt", date_time()),
      optional("retiresAt", date_time()),
      optional("replacementId", uuid()),
      optional("maintenanceUntil", date_time()),
      optional("maintenanceReason", text(0, 1024)),
      optional("contextWindow", integer(1, count_max)),
      optional("inputTokensMax", integer(1, count_max)),
      optional("outputTokensMax", integer(1, count_max)),
      optional("embeddingDimensions", integer(1, count_max)),
      optional("capabilities", map_of(support, 64)),
      optional("tags", list_of(text(1, 64), 64)),
      optional("metadata", any_object()),
      optional("params", model_params(patch)),
      optional("deployments", list_of(deployment_input(), 64)),
  };
}

Schema with(std::string name, std::vector<Property> first, std::vector<Property> rest) {
  first.insert(first.end(), rest.begin(), rest.end());
  return object(std::move(name), std::move(first));
}

/// Of a reply: texts, of which any may be null.
std::vector<Property> texts(std::vector<std::string> names) {
  std::vector<Property> properties;
  for (auto& name : names)
    properties.push_back(optional(std::move(name), nullable(Schema{.type = Schema::Type::text})));
  return properties;
}

Schema reply_object(std::string name, std::vector<Property> properties, std::vector<std::string> text_names) {
  auto rest = texts(std::move(text_names));
  properties.insert(properties.end(), rest.begin(), rest.end());
  return open_object(std::move(name), std::move(properties));
}

Property version() {
  return required("version", integer(0));
}
Schema any_text() {
  return {.type = Schema::Type::text};
}

}  // namespace

const Schema& organization_input() {
  static const auto schema = object(
      "OrganizationInput", {required("id", text(1, 256)), optional("slug", text(1, 63)),
                            optional("displayName", text(0, 255)), optional("mode", choice({"open", "allow_list"}))});
  return schema;
}

const Schema& organization_patch() {
  static const auto schema =
      patch_of(object("", {optional("displayName", text(0, 255)), optional("mode", choice({"open", "allow_list"})),
                           optional("strictDefault", boolean()), optional("metadata", any_object())}),
               "OrganizationPatch");
  return schema;
}

const Schema& member_input() {
  static const auto schema =
      object("MemberInput", {required("issuer", text(1, 1024)), required("subject", text(1, 256)),
                             required("role", role()), optional("displayName", text(0, 255)),
                             optional("denied", list_of(described(text(1, 64), "A permission."), 64))});
  return schema;
}

const Schema& token_input() {
  static const auto schema = object(
      "TokenInput",
      {required("name", text(1, 255)),
       required("role", choice({"viewer", "member", "model_admin", "org_admin", "platform_admin"})),
       optional("expiresInDays", described(integer(1, 3650), "Without it the token is valid until it is revoked."))});
  return schema;
}

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

namespace {

Schema secret_headers(std::string description) {
  return described(map_of(text(1, crypto::credential_header_value_bytes_max), crypto::credential_headers_max),
                   std::move(description));
}

constexpr const char* stored_headers =
    "Further secret headers that calls carry, by name. Never shown again; without them there are none.";

}  // namespace

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

const Schema& model_input() {
  static const auto schema =
      with("ModelInput",
           {required("provider", text(1, 63)), required("modelName", text(1, 255)), optional("slug", text(1, 512))},
           model_fields(support()));
  return schema;
}

const Schema& model_replacement() {
  static const auto schema =
      with("ModelReplacement",
           {optional("provider", text(1, 63)), optional("modelName", text(1, 255)), optional("slug", text(1, 512))},
           model_fields(support()));
  return schema;
}

const Schema& model_patch() {
  static const auto schema = patch_of(object("", model_fields(nullable(support()), true)), "ModelPatch");
  return schema;
}

const Schema& org_model_input() {
  // Open: what it does not know, that API leaves out without a word.
  static const auto schema = open_object(
      "OrgModelInput",
      {required("provider", text(1, 63)), required("modelName", text(1, 255)), required("displayName", text(1, 255)),
       optional("description", text(0, 4096)), optional("isEnabled", boolean()), optional("isDefault", boolean()),
       optional("capabilities", list_of(text(1, 64), 64)), optional("contextWindow", integer(1, count_max)),
       optional("maxOutputTokens", integer(1, count_max)), optional("inputPriceMicros", integer(0, count_max)),
       optional("outputPriceMicros", integer(0, count_max)), optional("metadata", any_object())});
  return schema;
}

const Schema& model_batch_input() {
  static const auto change =
      object("ModelChange", {required("model", model_name()), required("patch", model_patch()),
                             optional("version", described(integer(1), "The version that the change is meant for."))});
  static const auto schema =
      object("ModelBatchInput",
             {required("changes", list_of(change, 500, 1)),
              optional("atomic", described(boolean(),
                                           "true: all changes are made or none. The reply is then the problem of the "
                                           "first change that is refused, with a pointer to it."))});
  return schema;
}

const Schema& rollback_input() {
  static const auto schema =
      object("RollbackInput", {required("version", described(integer(1), "Of a revision of this model."))});
  return schema;
}

const Schema& dependent_input() {
  static const auto schema = object(
      "DependentInput", {required("refType", choice({"profile", "knowledge_base", "conversation", "view", "other"})),
                         required("refId", text(1, 256)), optional("label", text(0, 255))});
  return schema;
}

const Schema& default_input() {
  static const auto schema =
      object("DefaultInput", {required("kind", model_kind()), optional("provider", text(1, 63)),
                              optional("purpose", text(0, 64)), required("model", model_name())});
  return schema;
}

const Schema& alias_input() {
  static const auto target =
      object("AliasTarget", {required("model", model_name()), optional("weight", integer(0, 1'000'000))});
  static const auto schema = object("AliasInput", {required("targets", list_of(target, 64, 1)),
                                                   optional("sticky", choice({"none", "conversation", "user"})),
                                                   optional("description", text(0, 1024))});
  return schema;
}

const Schema& grant_input() {
  static const auto schema = object("GrantInput", grant_properties());
  return schema;
}

const Schema& grant_batch_input() {
  static const auto schema = [] {
    auto properties = grant_properties();
    properties.push_back(optional(
        "version", described(integer(0), "The version that it replaces; 0: the subject has none of the object yet.")));
    return object("GrantBatchInput", {required("grants", list_of(object("GrantChange", properties), 500, 1))});
  }();
  return schema;
}

const Schema& grant_removals() {
  static const auto removal = object(
      "GrantRemoval",
      {required("id", text(1, 512)), optional("version", described(integer(1), "The version that is to be removed."))});
  static const auto schema = object("GrantRemovals", {required("grants", list_of(removal, 500, 1))});
  return schema;
}

const Schema& view_input() {
  static const auto filter = object(
      "ViewFilter",
      {optional("kind", model_kind()), optional("provider", text(1, 63)),
       optional("status", choice({"active", "disabled", "blocked", "maintenance", "retired", "missing", "unserved"})),
       optional("capabilities", list_of(text(1, 64), 64)), optional("tags", list_of(text(1, 64), 64)),
       optional("scope", choice({"platform", "organization"})), optional("q", text(1, 255)),
       optional("hidden", described(boolean(), "false: without hidden models.")),
       optional("free", described(boolean(), "true: every price is known and 0; false: one is above 0.")),
       optional("contextMin", described(integer(1, count_max), "Tokens."))});
  static const auto schema = object(
      "ViewInput",
      {optional("filter", filter),
       optional("pins", described(list_of(model_name(), 1000), "Models that the view shows whatever its filter says.")),
       optional("forAuto", described(boolean(),
                                     "true: \"auto\" selects from this view in its scope, and from "
                                     "no other of the scope."))});
  return schema;
}

const Schema& resolution_input() {
  // The fields of a chat request but for its ids; the values of the others are checked as routers check them.
  static const auto schema = [] {
    std::vector<Property> properties{optional("modelProvider", text(1, 255)),
                                     optional("modelName", described(text(1, 255), "A model, an alias, or auto.")),
                                     optional("userId", text(1, 256)), optional("groups", list_of(text(1, 256), 256))};
    for (const auto* name : {"auto", "messages", "temperature", "topP", "topK", "maxTokens", "stop", "seed", "stream",
                             "tools", "toolChoice", "responseFormat", "reasoning", "providerConfig", "fallbacks",
                             "onInterrupt", "timeoutMs", "metadata"})
      properties.push_back(optional(name, Schema{}));
    return object("ResolutionInput", std::move(properties));
  }();
  return schema;
}

// ---- of replies --------------------------------------------------------------------------------------------------

const Schema& organization() {
  static const auto schema = reply_object(
      "Organization",
      {required("id", any_text()), version(), optional("strictDefault", boolean()), optional("metadata", any_object())},
      {"slug", "displayName", "mode", "createdAt", "updatedAt"});
  return schema;
}

const Schema& member() {
  static const auto schema = reply_object("Member", {required("id", any_text()), version()},
                                          {"issuer", "subject", "kind", "displayName", "role", "createdAt"});
  return schema;
}

const Schema& token() {
  static const auto schema =
      reply_object("Token", {required("id", any_text())},
                   {"orgId", "name", "role", "createdBy", "createdAt", "expiresAt", "lastUsedAt", "revokedAt"});
  return schema;
}

const Schema& new_token() {
  static const auto schema =
      reply_object("NewToken",
                   {required("id", any_text()),
                    required("token", described(any_text(), "Shown once; only its hash is kept. Empty in a dry run."))},
                   {"orgId", "name", "role", "createdBy", "createdAt", "expiresAt"});
  return schema;
}

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

const Schema& model() {
  static const auto amount = described(any_text(), "US dollars per million tokens, as a decimal text.");
  static const auto prices =
      described(open_object("ModelPrices", {optional("input", amount), optional("output", amount)}),
                "Now, on the standard tier. null: no price is known.");
  static const auto schema = reply_object(
      "Model",
      {required("id", any_text()),
       version(),
       required("enabled", boolean()),
       optional("hidden", boolean()),
       optional("blocked", boolean()),
       optional("isDefault", boolean()),
       optional("contextWindow", nullable(integer())),
       optional("outputTokensMax", nullable(integer())),
       optional("capabilities", any_object()),
       optional("metadata", any_object()),
       optional("params", described(any_object(), "As in ModelInput, of the row whose deployments serve the model.")),
       optional("sources", described(any_object(),
                                     "Where a field's value comes from: organization, override (a person), "
                                     "provider, curated or inferred. Capabilities as capabilities.NAME.")),
       optional("origins", described(any_object(), "Of a curated field the catalogue, of an inferred one the rule.")),
       optional("prices", nullable(prices)),
       optional("inherits", described(boolean(), "enabled is the platform's.")),
       optional("inputTokensMax", nullable(integer())),
       optional("embeddingDimensions", nullable(integer())),
       optional("openWeights", nullable(boolean())),
       optional("tags", list_of(any_text(), 1000)),
       optional("deployments", list_of(any_object(), 1000)),
       optional("curated", any_object()),
       optional("inferred", any_object())},
      {"scope",
       "orgId",
       "platformId",
       "ownId",
       "provider",
       "modelName",
       "slug",
       "kind",
       "displayName",
       "description",
       "family",
       "license",
       "digest",
       "releaseDate",
       "knowledgeCutoff",
       "status",
       "blockedBy",
       "lifecycle",
       "deprecatesAt",
       "retiresAt",
       "replacementId",
       "maintenanceUntil",
       "maintenanceReason",
       "availability",
       "missingSince",
       "createdAt",
       "updatedAt"});
  return schema;
}

const Schema& org_model() {
  static const auto schema =
      reply_object("OrgModel",
                   {required("id", any_text()), required("isEnabled", boolean()), required("isDefault", boolean()),
                    required("capabilities", list_of(any_text(), 1000))},
                   {"orgId", "provider", "modelName", "displayName", "description", "scope"});
  return schema;
}

const Schema& model_batch() {
  static const auto result =
      open_object("ModelChangeResult", {required("model", any_text()), required("status", integer(200, 599)),
                                        optional("version", integer()), optional("problem", any_object())});
  static const auto schema = open_object("ModelBatch", {required("results", list_of(result, 500))});
  return schema;
}

const Schema& revision() {
  static const auto schema =
      reply_object("Revision", {version(), optional("model", any_object())}, {"scope", "cause", "actor", "at"});
  return schema;
}

const Schema& difference() {
  static const auto change = open_object("FieldChange", {required("field", described(any_text(), "JSON Pointer."))});
  static const auto schema = open_object("Difference", {required("from", integer(0)), required("to", integer(0)),
                                                        required("changes", list_of(change, 10'000))});
  return schema;
}

const Schema& dependent() {
  static const auto schema = reply_object("Dependent", {}, {"refType", "refId", "label"});
  return schema;
}

const Schema& explanation() {
  static const auto clause = reply_object("Clause", {required("clause", any_text()), required("holds", boolean())},
                                          {"scope", "detail", "hint"});
  static const auto schema =
      open_object("Explanation", {required("usable", boolean()), required("model", nullable(any_text())),
                                  optional("choice", any_object()), optional("targets", list_of(any_object(), 10'000)),
                                  optional("warnings", list_of(any_text(), 10'000)), optional("failure", any_object()),
                                  required("clauses", list_of(clause, 100))});
  return schema;
}

const Schema& model_default() {
  static const auto schema = reply_object(
      "Default", {version(), optional("warning", described(any_text(), "The model answers nothing now, and why."))},
      {"kind", "provider", "purpose", "modelId", "model", "updatedAt"});
  return schema;
}

const Schema& alias() {
  static const auto schema = reply_object("Alias", {version(), required("targets", list_of(any_object(), 1000))},
                                          {"id", "alias", "scope", "sticky", "description", "updatedAt"});
  return schema;
}

const Schema& grant() {
  static const auto schema =
      reply_object("Grant", {required("id", any_text()), version()},
                   {"subjectKind", "subject", "objectKind", "objectId", "object", "effect", "createdBy", "createdAt"});
  return schema;
}

const Schema& grant_batch() {
  static const auto result =
      open_object("GrantResult", {required("object", any_text()), required("status", integer(200, 599)),
                                  optional("grant", grant()), optional("problem", any_object())});
  static const auto schema = open_object("GrantBatch", {required("results", list_of(result, 500))});
  return schema;
}

const Schema& removed_grants() {
  static const auto result = open_object(
      "GrantRemovalResult",
      {required("id", any_text()), required("status", integer(200, 599)), optional("problem", any_object())});
  static const auto schema = open_object("RemovedGrants", {required("results", list_of(result, 500))});
  return schema;
}

const Schema& view() {
  static const auto schema =
      reply_object("View",
                   {version(), required("filter", any_object()), required("pins", list_of(any_object(), 1000)),
                    required("forAuto", boolean())},
                   {"name", "scope", "updatedAt"});
  return schema;
}

const Schema& audit_entry() {
  static const auto schema =
      reply_object("AuditEntry",
                   {required("id", any_text()), optional("version", nullable(integer())),
                    optional("before", nullable(any_object())), optional("after", nullable(any_object()))},
                   {"at", "orgId", "actor", "action", "targetType", "targetId", "targetName", "cause", "requestId"});
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

const Schema& held_decision() {
  static const auto schema =
      object("HeldDecision", {required("decision", choice({"accept", "reject"})), optional("reason", text(0, 1024))});
  return schema;
}

const Schema& sync_request() {
  static const auto schema = open_object(
      "SyncRequest", {required("id", described(any_text(), "Of the operation that Location names.")),
                      required("kind", choice({"sync", "republish"})), required("state", choice({"running"}))});
  return schema;
}

const Schema& statistics() {
  static const auto schema = open_object("Statistics", {required("models", integer(0))});
  return schema;
}

const Schema& usable_models() {
  static const auto item =
      open_object("UsableModel", {required("id", any_text()), required("object", any_text()),
                                  required("created", integer(0)), required("owned_by", any_text())});
  static const auto schema =
      open_object("UsableModels", {required("object", any_text()), required("data", list_of(item, 1'000'000))});
  return schema;
}

const Schema& dev_session_input() {
  static const auto schema = object(
      "DevSessionInput", {optional("org", described(text(0, 256), "Not needed for platform_admin.")),
                          required("role", choice({"viewer", "member", "model_admin", "org_admin", "platform_admin"})),
                          required("user", text(1, 256))});
  return schema;
}

const Schema& session() {
  static const auto membership =
      open_object("Membership", {required("org", any_text()), required("name", any_text()), required("role", role()),
                                 required("denied", list_of(described(any_text(), "A permission."), 64))});
  static const auto user = open_object(
      "SessionUser", {required("issuer", any_text()), required("subject", any_text()), required("name", any_text())});
  static const auto schema = open_object(
      "Session",
      {required("user", user), required("platformAdmin", boolean()), required("memberships", list_of(membership, 1000)),
       optional("csrfToken", described(any_text(), "For X-CSRF-Token. Absent where a token was sent.")),
       optional("expiresAt", date_time()), required("mode", choice({"dev", "jwt"})),
       optional("logoutUrl", described(any_text(),
                                       "Where the browser goes after DELETE /v1/session, to log out at the provider "
                                       "too. Absent where there is no such place."))});
  return schema;
}

const Schema& session_options() {
  static const auto schema =
      open_object("SessionOptions", {required("mode", choice({"dev", "jwt"})), required("oidc", boolean()),
                                     required("devRoles", list_of(any_text(), 16))});
  return schema;
}

const Schema& chat_input() {
  static const auto schema = object(
      "ChatInput",
      {optional("model", described(text(1, 511), "provider/name, or an alias. Without it: the default model.")),
       required("messages", list_of(described(any_object(), "As in schemas/chat-request.schema.json."), 1000, 1)),
       optional("params",
                described(any_object(),
                          "Fields of schemas/chat-request.schema.json: temperature, topP, topK, maxTokens, stop, seed, "
                          "responseFormat, reasoning, tools, toolChoice, auto, providerConfig."))});
  return schema;
}

const Schema& event_stream() {
  static const auto schema = described(
      formatted(any_text(), std::string(event_stream_type)),
      "Server-sent events: `chunk` with each record of chat.chunks, and at last `done`, or `error` with a problem.");
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

Schema page_of(const Schema& item) {
  return object(item.name + "Page", {required("data", list_of(item, 1000)), required("next_page_token", any_text()),
                                     optional("total_size", integer(0))});
}

}  // namespace tokenrail::registry_api::schemas
