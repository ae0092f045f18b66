// Bodies about organisations and their people, and about what leads to models: defaults, aliases, grants and views.
#include <utility>
#include <vector>

#include "workers/registry_api/endpoints/schema_parts.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api::schemas {

namespace {

std::vector<Property> grant_properties() {
  return {required("subjectKind", choice({"org", "group", "user"})), optional("subject", text(0, 256)),
          required("objectKind", choice({"model", "connection", "alias"})), required("object", text(1, 512)),
          optional("effect", choice({"allow", "deny"}))};
}

}  // namespace

// ---- of requests

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

// ---- of replies

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

}  // namespace tokenrail::registry_api::schemas
