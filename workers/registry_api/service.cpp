#include "workers/registry_api/service.hpp"

#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/telemetry/loop_turns.hpp"
#include "common/telemetry/text_escape.hpp"
#include "workers/registry_api/access.hpp"
#include "workers/registry_api/browser.hpp"
#include "workers/registry_api/database_pool.hpp"
#include "workers/registry_api/idempotency.hpp"
#include "workers/registry_api/loop_step.hpp"
#include "workers/registry_api/metric_families.hpp"
#include "workers/registry_api/request_head.hpp"
#include "workers/registry_api/web_page.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;

constexpr std::size_t body_bytes_on_loop = 64UL * 1024;  ///< that are parsed there; more would keep others waiting

/// Nothing was refused, and there is no reply yet: the next step comes.
Answer go_on() {
  return http::Reply{.status = 0};
}
bool is_final(const Answer& answer) {
  return !answer || answer->status != 0;
}

std::unexpected<Problem> refuse_with(Fault fault, std::string detail = {}) {
  return registry_api::refuse(fault, std::move(detail));
}

Fault fault_of_status(int status) {
  switch (status) {
    case 413:
      return Fault::body_too_large;
    case 431:
      return Fault::headers_too_large;
    case 500:
      return Fault::internal;
    default:
      return Fault::malformed_request;
  }
}

std::string one_line_without_end(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

/// Of a key that was used before.
Answer answer_to_repeat(const KeyClaim& claim) {
  if (claim.state == KeyClaim::State::mismatch) {
    return refuse_with(Fault::idempotency_mismatch,
                       "A request with another method, path or body was sent with this Idempotency-Key.");
  }
  if (claim.state == KeyClaim::State::in_flight) {
    return std::unexpected(Problem{.fault = Fault::idempotency_in_flight,
                                   .detail = "The first request with this Idempotency-Key has not been answered yet.",
                                   .retry_after_s = 1});
  }
  auto reply = claim.reply;
  reply.headers.push_back({.name = "Idempotency-Replayed", .value = "true"});
  return reply;
}

std::expected<Query, Problem> read_query(const Call& call) {
  const auto& route = *call.route;
  std::vector<QueryParameter> known(route.query.begin(), route.query.end());
  if (route.paged) known.insert(known.end(), paging_parameters().begin(), paging_parameters().end());
  if (route.dry_run) known.push_back(dry_run_parameter());
  return Query::parse(call.request.query, known, route.other_query);
}

/// What the database refused is known by the name of its column. The body may have no such member, or no object.
void point_into_body(const Json& body, Problem& problem) {
  std::erase_if(problem.errors, [&](const FieldError& error) {
    return error.by_database && body.find(std::string_view(error.pointer).substr(1)) == nullptr;
  });
}

bool is_refused_token(ErrorKind kind) {
  return kind == ErrorKind::rejected || kind == ErrorKind::unauthenticated;
}

}  // namespace

struct ApiService::Progress {
  std::chrono::steady_clock::time_point began{};
  std::vector<http::Field> headers{};  ///< of every reply to this request
};

ApiService::ApiService(Parts parts)
    : parts_(std::move(parts)),
      rate_limits_(parts_.context->options.rate_limit, parts_.context->options.rate_callers_max),
      running_gauge_(parts_.metrics->gauge(metric_family("registry_api_requests_running"))) {
  for (const auto& route : parts_.routes->routes()) {
    const bool needs_one = route.access == Access::org || route.access == Access::platform;
    if (needs_one != auth::permission_of(route.permission).has_value())
      throw std::logic_error(
          fmt::format("the route {} has the wrong permission '{}'", route.operation, route.permission));
  }
}

awaitable<http::Reply> ApiService::handle(http::ServerRequest request) {
  telemetry::loop_step(loop_step_name);
  running_gauge_.set(static_cast<double>(++running_));
  Call call{.context = parts_.context, .request = std::move(request)};
  call.request_id = accepted_request_id(call.request.header("x-request-id")).value_or(std::string());
  if (call.request_id.empty()) call.request_id = parts_.new_request_id();
  Progress progress{.began = parts_.steady_now()};
  Answer given;
  std::string failure;
  try {
    given = co_await answer(call, progress);
  } catch (const std::exception& error) {
    failure = error.what();
  }
  telemetry::loop_step(loop_step_name);
  if (!failure.empty()) {
    spdlog::error("request {} failed: {}", call.request_id, telemetry::one_line(failure));
    given = refuse_with(Fault::internal);
  }
  const bool by_name = call.route != nullptr && call.route->errors_by_name;
  auto reply = given ? std::move(*given) : reply_of(given.error(), call.request_id, by_name);
  if (!given && info_of(given.error().fault).status >= 500 && !given.error().detail.empty())
    spdlog::warn("request {} was answered with {}: {}", call.request_id, reply.status,
                 telemetry::one_line(given.error().detail));
  finish(call, progress, reply);
  running_gauge_.set(static_cast<double>(--running_));
  co_return reply;
}

http::Reply ApiService::refuse(int status, std::string text) {
  const auto request_id = parts_.new_request_id();
  auto reply =
      reply_of({.fault = fault_of_status(status), .detail = one_line_without_end(std::move(text))}, request_id);
  add_common_headers(reply, request_id);
  return reply;
}

// handle() has the Call and the Progress in its own frame, and awaits what takes them.
// NOLINTBEGIN(cppcoreguidelines-avoid-reference-coroutine-parameters)
awaitable<Answer> ApiService::answer(Call& call, Progress& progress) {
  if (is_web_path(call.request.path)) {
    call.route = &web_route();
    co_return web_answer(parts_.context->web_files, call.request);
  }
  progress.headers = cors_headers(call.request.header("origin"), parts_.context->options.cors_origins);
  if (call.request.method == "OPTIONS") co_return options_reply(call.request);
  auto match = parts_.routes->find(call.request.method, call.request.path);
  if (!match) co_return std::unexpected(std::move(match.error()));
  call.route = match->route;
  call.path = std::move(match->parameters);

  // Whose rows it is about counts for the authorisation. A query that cannot be read is refused after that.
  auto query = read_query(call);
  if (query) call.query = std::move(*query);
  if (call.route->access != Access::open) {
    if (auto refused = co_await let_in(call, progress); is_final(refused)) co_return refused;
  }
  if (!query) co_return std::unexpected(std::move(query.error()));
  const auto fields = call.query.text("fields");
  if (fields && call.route->reply != nullptr) {
    if (auto wrong = check_fields(*call.route->reply, *fields)) co_return std::unexpected(std::move(*wrong));
  }
  if (auto refused = read_body(call); is_final(refused)) co_return refused;
  auto given = co_await answer_once(call);
  if (given && fields && given->status == 200 && call.request.method != "HEAD") {
    auto* const threads = parts_.context->database;
    if (given->body.size() > body_bytes_on_loop && threads != nullptr) {
      given->body = co_await threads->run_plain(
          [body = std::move(given->body), names = *fields] { return with_fields_only(body, names); });
      telemetry::loop_step(loop_step_name);
    } else {
      given->body = with_fields_only(given->body, *fields);
    }
  }
  co_return given;
}

Answer ApiService::options_reply(const http::ServerRequest& request) const {
  const auto allow = parts_.routes->allowed(request.path);
  if (allow.empty()) return refuse_with(Fault::not_found, "There is nothing at this path.");
  return http::Reply{.status = 204, .headers = {{.name = "Allow", .value = allow}}};
}

awaitable<Answer> ApiService::let_in(Call& call, Progress& progress) {
  const std::string header(call.request.header("authorization").value_or(""));
  auto identity = co_await parts_.authenticate(
      {.authorization = header, .cookie = std::string(call.request.header("cookie").value_or(""))});
  telemetry::loop_step(loop_step_name);
  if (!identity) {
    auto problem = problem_of(identity.error());
    if (is_refused_token(identity.error().kind)) {
      count_refusal("unauthenticated");
      problem.fault = Fault::unauthenticated;
      problem.headers.push_back({.name = "WWW-Authenticate",
                                 .value = header.empty() ? R"(Bearer realm="tokenrail")"
                                                         : R"(Bearer realm="tokenrail", error="invalid_token")"});
    }
    co_return std::unexpected(std::move(problem));
  }
  call.principal = std::move(identity->principal);
  call.session = std::move(identity->session);
  if (call.session) {
    if (auto refused = check_page_request(parts_.context->logins.site, call.request, *call.session)) {
      spdlog::info("request {}: refused {}: {}", call.request_id, call.route->operation, refused->detail);
      count_refusal("csrf");
      co_return std::unexpected(std::move(*refused));
    }
  }

  // A bucket for each organisation of the caller, and one for all other names, which a caller can make up.
  const auto org = call.principal.is_member_of(call.path["org"]) ? call.path["org"] : std::string();
  const auto decision = rate_limits_.take(fmt::format("{}\n{}\n{}", call.principal.issuer, call.principal.subject, org),
                                          parts_.steady_now());
  for (auto& field : headers_of(decision)) progress.headers.push_back(std::move(field));
  if (!decision.allowed) {
    count_refusal("rate_limited");
    co_return std::unexpected(
        Problem{.fault = Fault::rate_limited,
                .detail = fmt::format("The next request is accepted in {} s.", decision.retry_after_s),
                .retry_after_s = decision.retry_after_s});
  }
  if (auto named = name_organization(call); is_final(named)) co_return named;
  auto decided = authorise(call);
  if (is_final(decided)) co_return decided;
  co_return co_await find_organization(&call);
}

Answer ApiService::name_organization(Call& call) {
  if (call.route->org == Route::Org::path) return go_on();
  if (call.route->org == Route::Org::platform) {
    call.path.set("org", std::string(platform_org));
    return go_on();
  }
  const auto& roles = call.principal.roles;
  if (roles.size() != 1) {
    return refuse_with(Fault::invalid_query,
                       "The caller is in several organisations, or in none, and this path names none. Use "
                       "/v1/orgs/{org}/… instead.");
  }
  call.path.set("org", roles.begin()->first);
  return go_on();
}

awaitable<Answer> ApiService::find_organization(const Call* call) {
  const auto org = call->path["org"];
  const bool stranger = call->principal.platform_admin && !call->principal.is_member_of(org);
  if (org.empty() || org == platform_org || !stranger || !parts_.organization_exists) co_return go_on();
  const bool exists = co_await parts_.organization_exists(org);
  telemetry::loop_step(loop_step_name);
  if (exists) co_return go_on();
  co_return std::unexpected(no_such_organisation(org));
}

Answer ApiService::authorise(const Call& call) {
  auto decision = decide_access(*call.route, call.principal, call.path["org"], call.personal());
  const auto line = [&] {
    return fmt::format("request {}: {} {} by {} in {}: {}", call.request_id, decision.refusal ? "refused" : "allowed",
                       call.route->operation, telemetry::one_line(call.principal.subject),
                       telemetry::one_line(call.path["org"]), telemetry::one_line(decision.reason));
  };
  if (!decision.refusal) {
    if (spdlog::should_log(spdlog::level::debug)) spdlog::debug("{}", line());
    return go_on();
  }
  spdlog::info("{}", line());
  count_refusal(decision.refusal->fault == Fault::forbidden ? "forbidden" : "not_found");
  return std::unexpected(std::move(*decision.refusal));
}

Answer ApiService::read_body(Call& call) {
  const auto& route = *call.route;
  if (route.body == nullptr) {
    if (call.request.body.empty()) return go_on();
    return refuse_with(Fault::invalid_body, "This operation takes no body.");
  }
  if (call.request.body.empty() && route.body_optional) return go_on();
  if (auto wrong = check_content_type(call.request.header("content-type"), route.method == "PATCH"))
    return std::unexpected(std::move(*wrong));
  auto body = parse_json(call.request.body);
  if (!body) return refuse_with(Fault::invalid_body, body.error().detail);
  auto errors = check(*route.body, *body);
  if (!errors.empty()) {
    const auto& first = errors.front();
    auto detail = fmt::format("{} {}.", first.pointer.empty() ? "The body" : first.pointer, first.detail);
    return std::unexpected(
        Problem{.fault = Fault::invalid_body, .detail = telemetry::one_line(detail), .errors = std::move(errors)});
  }
  call.body = std::move(*body);
  return go_on();
}

awaitable<Answer> ApiService::answer_once(Call& call) {
  auto key = idempotency_key(call.request.header("idempotency-key"));
  if (!key) co_return std::unexpected(std::move(key.error()));
  if (!*key || !call.route->idempotent_by_key || parts_.answers == nullptr) co_return co_await run_handler(call);

  const auto actor = call.actor();
  const auto claim =
      co_await parts_.answers->claim(actor, **key,
                                     request_fingerprint(call.request.method, call.request.path, call.query.filter(),
                                                         call.body.is_null() ? "" : call.body.write_canonical()));
  telemetry::loop_step(loop_step_name);
  if (!claim) co_return std::unexpected(problem_of(claim.error()));
  if (claim->state != KeyClaim::State::fresh) co_return answer_to_repeat(*claim);

  auto given = co_await run_handler(call);
  const auto reply = given ? *given : reply_of(given.error(), call.request_id);
  Result<void> kept;
  if (worth_storing(reply.status)) {
    kept = co_await parts_.answers->finish(actor, **key, reply);
  } else {
    kept = co_await parts_.answers->abandon(actor, **key);
  }
  telemetry::loop_step(loop_step_name);
  if (!kept) {
    spdlog::warn("request {}: the answer to its Idempotency-Key was not kept: {}", call.request_id,
                 telemetry::one_line(kept.error().detail));
  }
  co_return given;
}

awaitable<Answer> ApiService::run_handler(Call& call) {
  std::string failure;
  try {
    auto given = co_await call.route->handler(call);
    if (!given) point_into_body(call.body, given.error());
    co_return given;
  } catch (const std::exception& error) {
    failure = error.what();
  }
  spdlog::error("request {}: {} failed: {}", call.request_id, call.route->operation, telemetry::one_line(failure));
  co_return refuse_with(Fault::internal);
}

// NOLINTEND(cppcoreguidelines-avoid-reference-coroutine-parameters)

void ApiService::finish(const Call& call, const Progress& progress, http::Reply& reply) {
  for (const auto& field : progress.headers) reply.headers.push_back(field);
  add_common_headers(reply, call.request_id);
  const auto took = std::chrono::duration<double, std::milli>(parts_.steady_now() - progress.began).count();
  const std::string_view operation = call.route == nullptr ? "none" : call.route->operation;
  parts_.metrics
      ->counter(metric_family("registry_api_requests_total"), {operation, fmt::format("{}xx", reply.status / 100)})
      .add();
  parts_.metrics
      ->histogram(metric_family("registry_api_request_duration_ms"), telemetry::Metrics::latency_bounds_ms(),
                  {operation})
      .observe(took);
  if (spdlog::should_log(spdlog::level::debug)) {
    spdlog::debug("request {}: {} {} from {}: {} in {:.1f} ms", call.request_id,
                  telemetry::one_line(call.request.method), telemetry::one_line(call.request.path), call.request.client,
                  reply.status, took);
  }
}

void ApiService::count_refusal(std::string_view reason) {
  parts_.metrics->counter(metric_family("registry_api_refusals_total"), {reason}).add();
}

}  // namespace tokenrail::registry_api
