// /v1/session: who is logged in with a browser, logging in and out.
#include <array>
#include <chrono>
#include <map>

#include <fmt/chrono.h>

#include "common/auth/dev_issuer.hpp"
#include "common/events/json_writer.hpp"
#include "common/registry/browser_sessions.hpp"
#include "common/registry/organizations.hpp"
#include "workers/registry_api/browser.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/log_in.hpp"
#include "workers/registry_api/endpoints/schemas.hpp"
#include "workers/registry_api/memberships.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using registry::GovernedDatabase;
using registry::Organizations;

/// Names of organisations by id; of one that is not there there is none.
using OrgNames = std::map<std::string, std::string, std::less<>>;

registry::Actor reader_of(const auth::Principal& principal, std::string org) {
  return {.name = "user:" + principal.subject,
          .scope = {.org_id = std::move(org), .user_id = principal.subject},
          .all_organizations = principal.platform_admin};
}

Result<OrgNames> read_names(GovernedDatabase& database, const auth::Principal& principal) {
  OrgNames names;
  for (const auto& [org, role] : principal.roles) {
    const auto found = Organizations(database).get(reader_of(principal, org), org);
    if (!found && found.error().kind == ErrorKind::not_found) continue;
    if (!found) return std::unexpected(found.error());
    const auto document = parse_json(found->json);
    names[org] = document ? document->text_of("displayName").value_or(org) : org;
  }
  return names;
}

/// Where the browser ends the session of the provider too; nothing: another way of logging in began this one, or the
/// provider has no such address.
std::optional<std::string> logout_url(const Call& call, const auth::Principal& principal) {
  const auto& logins = call.context->logins;
  if (logins.oidc == nullptr || principal.issuer != logins.oidc->issuer()) return std::nullopt;
  const auto base = base_url_of(logins.site, call.request);
  auto url = base.empty() ? base : logins.oidc->end_session_url(base + "/ui/");
  return url.empty() ? std::nullopt : std::optional(std::move(url));
}

std::string body_of(const auth::Principal& principal, const std::optional<auth::Session>& session,
                    const OrgNames& names, const Call& call) {
  std::string body;
  events::JsonWriter json(body);
  json.begin_object();
  json.begin_object("user");
  json.field("issuer", principal.issuer);
  json.field("subject", principal.subject);
  const bool named = session && !session->name.empty();
  json.field("name", named ? session->name : principal.subject);
  json.end_object();
  json.field("platformAdmin", principal.platform_admin);
  json.begin_array("memberships");
  for (const auto& [org, role] : principal.roles) {
    const auto name = names.find(org);
    if (name == names.end()) continue;
    json.begin_object();
    json.field("org", org);
    json.field("name", name->second.empty() ? org : name->second);
    json.field("role", name_of(role));
    json.begin_array("denied");
    if (const auto denied = principal.denied.find(org); denied != principal.denied.end()) {
      for (const auto permission : auth::permission_names)
        if (denied->second.contains(*auth::permission_of(permission))) json.element(permission);
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
  if (session) {
    json.field("csrfToken", session->csrf_token);
    json.field("expiresAt", fmt::format("{:%FT%TZ}", session->expires_at));
  }
  json.field("mode", call.context->logins.mode == auth::Mode::dev ? "dev" : "jwt");
  if (const auto url = session ? logout_url(call, principal) : std::nullopt) json.field("logoutUrl", *url);
  if (const auto& url = call.context->options.dashboard_url; !url.empty()) json.field("dashboardUrl", url);
  json.end_object();
  return body;
}

awaitable<Answer> session_answer(Call* call, const auth::Principal& principal,
                                 const std::optional<auth::Session>& session) {
  const auto names = co_await call->context->database->run(
      [principal](GovernedDatabase& database) { return read_names(database, principal); });
  if (!names) co_return std::unexpected(problem_of(names.error()));
  co_return json_reply(200, body_of(principal, session, *names, *call));
}

awaitable<Answer> get_session(Call& call) {
  return session_answer(&call, call.principal, call.session);
}

awaitable<Answer> get_options(Call& call) {
  const auto& logins = call.context->logins;
  std::string body;
  events::JsonWriter json(body);
  json.begin_object();
  json.field("mode", logins.mode == auth::Mode::dev ? "dev" : "jwt");
  json.field("oidc", logins.oidc != nullptr);
  json.begin_array("devRoles");
  if (logins.mode == auth::Mode::dev) {
    for (const auto role : auth::role_names) json.element(role);
    json.element(auth::platform_admin_name);
  }
  json.end_array();
  json.end_object();
  co_return json_reply(200, std::move(body));
}

/// Whether dev mode's login may be used by this request; see docs/explanation/authorisation.md.
std::optional<Problem> check_dev_login(const Call& call) {
  if (call.context->logins.mode != auth::Mode::dev) {
    return Problem{.fault = Fault::not_found,
                   .detail = "Logging in without a password is part of dev mode, and auth.mode is jwt.",
                   .hint = "Log in at GET /v1/session:login, or send a token."};
  }
  if (!is_local_host(call.request)) {
    return Problem{.fault = Fault::csrf_failed,
                   .detail =
                       "The login of dev mode is for addresses of this machine, and the request went to another "
                       "name.",
                   .hint = "Open the page at http://127.0.0.1 or http://localhost, with the port of this server."};
  }
  return check_origin(call.context->logins.site, call.request);
}

std::expected<auth::Principal, Problem> dev_principal(const Json& body) {
  auth::Principal principal{.issuer = std::string(auth::dev_issuer_name), .subject = *body.text_of("user")};
  const auto role = *body.text_of("role");
  const auto org = body.text_of("org").value_or("");
  if (role == auth::platform_admin_name) {
    principal.platform_admin = true;
    return principal;
  }
  if (org.empty()) {
    return std::unexpected(Problem{.fault = Fault::invalid_body,
                                   .detail = "The role is one in an organisation, and org is missing.",
                                   .errors = {{.pointer = "/org", .detail = "is needed with this role"}}});
  }
  principal.roles.emplace(org, *auth::role_of(role));
  return principal;
}

awaitable<Answer> log_in_dev(Call& call) {
  if (auto refused = check_dev_login(call)) co_return std::unexpected(std::move(*refused));
  auto principal = dev_principal(call.body);
  if (!principal) co_return std::unexpected(principal.error());
  if (!principal->roles.empty()) {
    const auto found = co_await call.context->database->run(
        [actor = reader_of(*principal, principal->roles.begin()->first)](GovernedDatabase& database) {
          return Organizations(database).get(actor, actor.scope.org_id);
        });
    if (!found) {
      auto problem = problem_of(found.error());
      if (problem.fault == Fault::not_found)
        problem.hint = "Log in as platform_admin and create it, or run: tokenrail org create NAME";
      co_return std::unexpected(std::move(problem));
    }
  }
  auto answer = co_await log_in(&call, std::move(*principal), *call.body.text_of("user"));
  co_return answer;
}

/// Ends the session of the call, or all sessions of its user, in the database.
Result<void> end_sessions(GovernedDatabase& database, const auth::Principal& principal,
                          const std::optional<auth::Session>& session, bool everywhere) {
  registry::BrowserSessions sessions(database);
  const auto actor = reader_of(principal, {});
  if (everywhere) return sessions.end_all(actor, principal.issuer, principal.subject);
  if (!session) return {};
  const auto expires = std::chrono::duration_cast<std::chrono::milliseconds>(session->expires_at.time_since_epoch());
  return sessions.end(actor, principal.issuer, principal.subject, session->id, expires.count());
}

awaitable<Answer> log_out(Call& call) {
  const bool everywhere = call.query.boolean("everywhere").value_or(false);
  const auto ended = co_await call.context->database->run(
      [principal = call.principal, session = call.session, everywhere](GovernedDatabase& database) {
        return end_sessions(database, principal, session, everywhere);
      });
  // The browser keeps its cookie where the session goes on, so that the person can try again.
  if (!ended) co_return std::unexpected(problem_of(ended.error()));
  call.context->known_callers->forget(call.principal);
  auto reply = no_content();
  reply.headers.push_back(
      {.name = "Set-Cookie", .value = session_cookie(call.context->logins.site.secure, "", std::chrono::seconds(0))});
  co_return reply;
}

Route route(std::string_view method, std::string_view pattern, std::string_view operation, std::string_view summary,
            Access access, Handler handler) {
  return {.method = method,
          .pattern = pattern,
          .operation = operation,
          .summary = summary,
          .access = access,
          .tag = "session",
          .handler = handler};
}

}  // namespace

awaitable<Answer> log_in(Call* call, auth::Principal principal, std::string name) {
  const auto& logins = call->context->logins;
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto lifetime = std::chrono::duration_cast<std::chrono::seconds>(call->context->options.session_lifetime);
  auth::Session session{.name = std::move(name),
                        .csrf_token = auth::new_csrf_token(),
                        .expires_at = now + lifetime,
                        .id = auth::new_session_id()};
  const auto known = co_await find_caller(call->context->database, call->context->known_callers, principal, session.id);
  if (!known) co_return std::unexpected(problem_of(known.error()));
  session.generation = login_generation(*known);
  // The memberships are not sealed: they are read again for each request.
  const auto sealed = logins.sealer->seal(principal, session);
  if (!sealed) co_return std::unexpected(problem_of(sealed.error()));
  const auto whole = with_memberships(std::move(principal), *known);
  auto answer = co_await session_answer(call, whole, session);
  if (answer)
    answer->headers.push_back({.name = "Set-Cookie", .value = session_cookie(logins.site.secure, *sealed, lifetime)});
  co_return answer;
}

void add_session_routes(std::vector<Route>& routes) {
  auto get = route("GET", "/v1/session", "session.get",
                   "Says who the caller is, and which organisations they belong to.", Access::caller, get_session);
  get.reply = &schemas::session();
  routes.push_back(get);
  auto options = route("GET", "/v1/session/options", "session.options", "Says how a person can log in here.",
                       Access::open, get_options);
  options.reply = &schemas::session_options();
  routes.push_back(options);
  auto dev = route("POST", "/v1/session:dev", "session.dev", "Logs in without a password: dev mode only.", Access::open,
                   log_in_dev);
  dev.body = &schemas::dev_session_input();
  dev.reply = &schemas::session();
  routes.push_back(dev);
  static constexpr std::array everywhere{
      QueryParameter{.name = "everywhere",
                     .type = QueryParameter::Type::boolean,
                     .description = "Ends every session of the caller, in other browsers too."}};
  auto out = route("DELETE", "/v1/session", "session.end",
                   "Logs out: ends the session on the server, and the browser forgets it.", Access::caller, log_out);
  out.query = everywhere;
  out.status = 204;
  routes.push_back(out);
}

}  // namespace tokenrail::registry_api
