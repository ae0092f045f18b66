// Bodies about a browser's session, and about its chats.
#include <string>
#include <utility>
#include <vector>

#include "workers/registry_api/endpoints/schema_parts.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api::schemas {

// ---- of requests

const Schema& dev_session_input() {
  static const auto schema = object(
      "DevSessionInput", {optional("org", described(text(0, 256), "Not needed for platform_admin.")),
                          required("role", choice({"viewer", "member", "model_admin", "org_admin", "platform_admin"})),
                          required("user", text(1, 256))});
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

// ---- of replies

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
                                       "too. Absent where there is no such place.")),
       optional(
           "dashboardUrl",
           described(any_text(), "Of the use and cost of models: api.dashboard_url. Absent where it is not set."))});
  return schema;
}

const Schema& session_options() {
  static const auto schema =
      open_object("SessionOptions", {required("mode", choice({"dev", "jwt"})), required("oidc", boolean()),
                                     required("devRoles", list_of(any_text(), 16))});
  return schema;
}

const Schema& event_stream() {
  static const auto schema = described(
      formatted(any_text(), std::string(event_stream_type)),
      "Server-sent events: `chunk` with each record of chat.chunks, and at last `done`, or `error` with a problem.");
  return schema;
}

}  // namespace tokenrail::registry_api::schemas
