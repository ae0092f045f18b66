// /v1/session:login and /v1/session/callback: logging in with a browser at an OpenID Connect provider.
#include <array>
#include <chrono>

#include <spdlog/spdlog.h>

#include "common/auth/oidc_client.hpp"
#include "common/auth/session.hpp"
#include "common/crypto/bytes.hpp"
#include "common/telemetry/loop_turns.hpp"
#include "common/telemetry/text_escape.hpp"
#include "workers/registry_api/browser.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/endpoints/endpoint.hpp"
#include "workers/registry_api/endpoints/log_in.hpp"
#include "workers/registry_api/loop_step.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;

constexpr std::size_t shown_bytes_max = 200;
constexpr std::string_view callback_path = "/v1/session/callback";

/// What the page learns of a login that failed: the value of `loginError`, which docs/how-to/serve-the-web-page.md
/// lists. `text`: where there is no page to go back to.
struct LoginError {
  std::string_view name;
  Fault fault;
  std::string_view text;
};
constexpr LoginError denied{"denied", Fault::forbidden, "The provider did not let the user log in."};
constexpr LoginError expired{"expired", Fault::invalid_query,
                             "The login took too long, was finished already, or was begun in another browser. Log in "
                             "again."};
constexpr LoginError unreachable{"unreachable", Fault::unavailable, "The provider of logins does not answer."};
constexpr LoginError refused{"refused", Fault::forbidden, "What the provider said of the user is not valid."};
constexpr LoginError busy{"busy", Fault::unavailable, "Too many people log in at the same time. Log in again."};
constexpr LoginError unavailable{"unavailable", Fault::unavailable, "The login could not be finished now."};

const LoginError& error_of(auth::LoginFailure failure) {
  switch (failure) {
    case auth::LoginFailure::unreachable:
      return unreachable;
    case auth::LoginFailure::busy:
      return busy;
    case auth::LoginFailure::refused:
      break;
  }
  return refused;
}

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

http::Reply redirect(std::string location) {
  return {.status = 303, .headers = {{.name = "Location", .value = std::move(location)}}};
}

/// Back to the page, which shows it; a problem where there is none.
Answer failed(const Call& call, const LoginError& error, std::string_view return_to) {
  spdlog::info("request {}: login failed: {}", call.request_id, error.name);
  if (!call.context->web_files) return refuse(error.fault, std::string(error.text));
  return redirect(with_login_error(return_to, error.name));
}

Answer no_provider() {
  return refuse(Fault::not_found, "There is no provider to log in at, because auth.oidc_client_id is not set.");
}

awaitable<Answer> begin_login(Call& call) {
  const auto& logins = call.context->logins;
  if (logins.oidc == nullptr) co_return no_provider();
  const auto return_to = safe_return_to(call.query.text("returnTo").value_or(""));
  const auto base = base_url_of(logins.site, call.request);
  if (base.empty()) {
    co_return refuse(Fault::invalid_header,
                     "The request went to a name that is not this machine's, and api.public_url is not set.");
  }
  const auto attempt = auth::new_login_attempt(base + std::string(callback_path), return_to, now());
  const auto url = co_await logins.oidc->begin(attempt);
  telemetry::loop_step(loop_step_name);
  if (!url) co_return failed(call, error_of(url.error()), return_to);
  const auto sealed = logins.attempts->seal(attempt);
  if (!sealed) co_return std::unexpected(problem_of(sealed.error()));
  auto reply = redirect(*url);
  reply.headers.push_back(
      {.name = "Set-Cookie", .value = login_cookie(logins.site.secure, *sealed, auth::login_attempt_lifetime)});
  co_return reply;
}

/// What ends a login before the provider is asked; null: nothing does.
const LoginError* error_in(const Call& call, const auth::LoginAttempt& attempt) {
  const auto state = call.query.text("state").value_or("");
  if (!crypto::equal_in_constant_time(state, attempt.state)) return &expired;
  // An answer that another provider gave to the browser (RFC 9207).
  const auto issuer = call.query.text("iss");
  if (issuer && *issuer != call.context->logins.oidc->issuer()) return &refused;
  const auto error = call.query.text("error");
  if (!error) return call.query.text("code").value_or("").empty() ? &refused : nullptr;
  spdlog::info("request {}: the provider ended a login: {} {}", call.request_id,
               telemetry::one_line(error->substr(0, shown_bytes_max)),
               telemetry::one_line(call.query.text("error_description").value_or("").substr(0, shown_bytes_max)));
  const bool provider_fails = *error == "server_error" || *error == "temporarily_unavailable";
  return provider_fails ? &unreachable : &denied;
}

awaitable<Answer> finish_attempt(Call* call, const auth::LoginAttempt* attempt) {
  if (const auto* const error = error_in(*call, *attempt)) co_return failed(*call, *error, attempt->return_to);
  auto login = co_await call->context->logins.oidc->finish(*attempt, *call->query.text("code"));
  telemetry::loop_step(loop_step_name);
  if (!login) co_return failed(*call, error_of(login.error()), attempt->return_to);
  auto begun = co_await log_in(call, std::move(login->principal), std::move(login->name));
  if (!begun) {
    spdlog::warn("request {}: a session could not be begun: {}", call->request_id,
                 telemetry::one_line(begun.error().detail));
    const bool too_large = begun.error().fault == Fault::invalid_value || begun.error().fault == Fault::invalid_body;
    co_return failed(*call, too_large ? refused : unavailable, attempt->return_to);
  }
  auto reply = redirect(attempt->return_to);
  for (auto& field : begun->headers)
    if (field.name == "Set-Cookie") reply.headers.push_back(std::move(field));
  co_return reply;
}

awaitable<Answer> finish_login(Call& call) {
  const auto& logins = call.context->logins;
  if (logins.oidc == nullptr) co_return no_provider();
  const auto cookie =
      auth::cookie_value(call.request.header("cookie").value_or(""), login_cookie_name(logins.site.secure));
  const auto attempt = logins.attempts->open(cookie, now());
  auto answer = attempt ? co_await finish_attempt(&call, &*attempt) : failed(call, expired, safe_return_to(""));
  // An attempt is for one answer of the provider, whatever that was. A stray request does not end it.
  const bool was_ours =
      attempt && crypto::equal_in_constant_time(call.query.text("state").value_or(""), attempt->state);
  if (was_ours && answer)
    answer->headers.push_back(
        {.name = "Set-Cookie", .value = login_cookie(logins.site.secure, "", std::chrono::seconds(0))});
  co_return answer;
}

constexpr std::array login_query{
    QueryParameter{.name = "returnTo", .description = "The path of the web page to come back to, below /ui/."}};

constexpr std::array callback_query{
    QueryParameter{.name = "code", .description = "Of the provider, for its tokens."},
    QueryParameter{.name = "state", .description = "Of the login that was begun."},
    QueryParameter{.name = "iss", .description = "The provider."},
    QueryParameter{.name = "error", .description = "Why the provider did not let the user log in."},
    QueryParameter{.name = "error_description", .description = "The same for people. For the log."},
};

Route route(std::string_view pattern, std::string_view operation, std::string_view summary,
            std::span<const QueryParameter> query, Handler handler) {
  return {.method = "GET",
          .pattern = pattern,
          .operation = operation,
          .summary = summary,
          .access = Access::open,
          .query = query,
          .status = 303,
          .tag = "session",
          .handler = handler};
}

}  // namespace

void add_oidc_login_routes(std::vector<Route>& routes) {
  routes.push_back(route("/v1/session:login", "session.login", "Begins to log in: leads the browser to the provider.",
                         login_query, begin_login));
  auto callback = route(callback_path, "session.callback",
                        "Ends a login: the provider leads the browser here, and this leads it to the page.",
                        callback_query, finish_login);
  callback.other_query = true;
  routes.push_back(callback);
}

}  // namespace tokenrail::registry_api
