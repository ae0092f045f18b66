// One request on its way through the API: what the frame has found out about it before an endpoint answers.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "common/auth/session.hpp"
#include "common/http/server.hpp"
#include "common/registry/actor.hpp"
#include "workers/registry_api/json_value.hpp"
#include "workers/registry_api/page.hpp"
#include "workers/registry_api/preconditions.hpp"
#include "workers/registry_api/query.hpp"
#include "workers/registry_api/routes.hpp"

namespace tokenrail::registry_api {

struct Context;

/// The name of the platform's scope in a path: /v1/orgs/_/models. No organisation can have it.
inline constexpr std::string_view platform_org = "_";

/// ApiService::handle() has it in its own frame until the reply is there, and awaits all that it hands it to. So
/// coroutines on the way take it by reference. What goes on behind the reply (a stream, work that was begun) takes
/// copies.
struct Call {
  Context* context = nullptr;  ///< what endpoints work with; outlives every call
  const Route* route = nullptr;
  http::ServerRequest request{};
  PathParameters path{};
  Query query{};
  Json body{};                             ///< fits the route's schema; null where there is none
  auth::Principal principal{};             ///< no subject on open routes
  std::optional<auth::Session> session{};  ///< of a browser; nothing where a token came
  std::string request_id{};

  /// {org} of the path; empty for the platform's scope and for paths without one.
  [[nodiscard]] std::string org() const;
  /// The request is about the caller's own rows (`owner=me`, or a route that always is).
  [[nodiscard]] bool personal() const { return (route != nullptr && route->own_rows) || query.text("owner") == "me"; }
  /// Whose rows the request is about.
  [[nodiscard]] registry::Scope scope() const;
  /// As whom changes are made and recorded.
  [[nodiscard]] registry::Actor actor() const;
  /// Where `page_size` and `page_token` point to, for this operation and path.
  [[nodiscard]] std::expected<ListPage, Problem> page() const;
  /// The headers If-Match and If-None-Match of a change.
  [[nodiscard]] std::expected<Precondition, Problem> precondition() const;
};

// ---- replies -----------------------------------------------------------------------------------------------------

[[nodiscard]] http::Reply json_reply(int status, std::string body);
/// 200 with the ETag of that version, or 304 where the caller has it already.
[[nodiscard]] http::Reply versioned_reply(const Call& call, std::int64_t version, std::string body);
/// 201 with Location and ETag.
[[nodiscard]] http::Reply created_reply(std::string location, std::int64_t version, std::string body);
[[nodiscard]] http::Reply no_content();

/// What is wrong with `fields` for a reply of that schema: a name that its objects do not have. Nothing: it is right.
[[nodiscard]] std::optional<Problem> check_fields(const Schema& reply, std::string_view fields);

/// `fields`: names separated by commas. The members of that name of each object in `data`, or of the object itself;
/// `id` and the members of a page stay. The body where it is no JSON object.
[[nodiscard]] std::string with_fields_only(const std::string& body, std::string_view fields);

}  // namespace tokenrail::registry_api
