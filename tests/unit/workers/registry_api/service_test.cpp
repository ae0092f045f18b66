#include "workers/registry_api/service.hpp"

#include <array>
#include <map>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/registry/text.hpp"
#include "workers/registry_api/idempotency.hpp"

namespace tokenrail::registry_api {
namespace {

using boost::asio::awaitable;
using testing::HasSubstr;
using namespace std::chrono_literals;

std::string header(const http::Reply& reply, std::string_view name) {
  for (const auto& field : reply.headers)
    if (field.name == name) return field.value;
  return {};
}

/// Keeps answers in memory.
class FakeKeeper final : public AnswerKeeper {
 public:
  struct Kept {
    std::string fingerprint;
    std::optional<http::Reply> reply{};
  };
  awaitable<Result<KeyClaim>> claim(registry::Actor actor, std::string key, std::string fingerprint) override {
    const auto [place, made] = kept.try_emplace(name(actor, key), Kept{.fingerprint = fingerprint});
    if (made) co_return KeyClaim{};
    if (place->second.fingerprint != fingerprint) co_return KeyClaim{.state = KeyClaim::State::mismatch};
    if (!place->second.reply) co_return KeyClaim{.state = KeyClaim::State::in_flight};
    co_return KeyClaim{.state = KeyClaim::State::replayed, .reply = *place->second.reply};
  }
  awaitable<Result<void>> finish(registry::Actor actor, std::string key, http::Reply reply) override {
    kept[name(actor, key)].reply = std::move(reply);
    co_return Result<void>();
  }
  awaitable<Result<void>> abandon(registry::Actor actor, std::string key) override {
    kept.erase(name(actor, key));
    co_return Result<void>();
  }
  static std::string name(const registry::Actor& actor, const std::string& key) {
    return actor.scope.org_id + "|" + actor.name + "|" + key;
  }
  std::map<std::string, Kept> kept{};
};

int handled = 0;
int next_status = 200;

awaitable<Answer> echo(Call& call) {
  ++handled;
  if (next_status >= 400) co_return refuse(Fault::unavailable, "The database is away.");
  if (const auto field = call.request.header("x-refused")) {
    const registry::BrokenRule rule{.field = std::string(*field), .constraint = "thing_check"};
    co_return std::unexpected(problem_of({.kind = ErrorKind::invalid_input, .detail = registry::refusal_of(rule)}));
  }
  co_return json_reply(next_status, R"({"id":"1","body":)" + call.body.write() + R"(,"org":")" + call.org() + R"("})");
}
awaitable<Answer> list(Call& call) {
  const auto page = call.page();
  if (!page) co_return std::unexpected(page.error());
  co_return json_reply(200,
                       page_body({R"({"id":"1","a":1,"b":2})"}, call.context->page_tokens.issue(page->list, "x"), 1));
}
awaitable<Answer> versioned(Call& call) {
  co_return versioned_reply(call, 5, "{}");
}
awaitable<Answer> failing(Call&) {
  throw std::runtime_error("secret detail of the failure");
  co_return refuse(Fault::internal, "");
}

const Schema& body_schema() {
  static const auto schema = object("Body", {required("name", text(1, 5))});
  return schema;
}

const Schema& page_schema() {
  static const auto schema = object(
      "Page",
      {required(
          "data",
          list_of(object("Thing", {required("id", text()), required("a", integer()), required("b", integer())}), 10))});
  return schema;
}

class ApiServiceTest : public testing::Test {
 protected:
  ApiServiceTest() {
    handled = 0;
    next_status = 200;
  }

  http::Reply send(http::ServerRequest request) {
    std::optional<http::Reply> reply;
    boost::asio::co_spawn(loop, service().handle(std::move(request)),
                          [&](const std::exception_ptr& error, http::Reply given) {
                            if (!error) reply = std::move(given);
                          });
    loop.restart();
    loop.run();
    EXPECT_TRUE(reply) << "the service threw";
    return reply.value_or(http::Reply{});
  }
  http::Reply get(std::string path, std::string query = {}, std::string token = "Bearer admin") {
    return send({.method = "GET",
                 .path = std::move(path),
                 .query = std::move(query),
                 .headers = {{.name = "authorization", .value = std::move(token)}}});
  }
  http::Reply post(std::string body, std::vector<http::Field> headers = {}, std::string token = "Bearer admin") {
    headers.push_back({.name = "authorization", .value = std::move(token)});
    headers.push_back({.name = "content-type", .value = "application/json"});
    return send({.method = "POST", .path = "/v1/orgs/acme/things", .headers = headers, .body = std::move(body)});
  }
  static std::string code_of(const http::Reply& reply) {
    const auto body = parse_json(reply.body);
    return body ? body->text_of("code").value_or("none") : reply.body;
  }

  ApiService& service() {
    if (!service_) service_ = std::make_unique<ApiService>(parts());
    return *service_;
  }

  ApiService::Parts parts() {
    return {.routes = &routes,
            .context = &context,
            .metrics = &metrics,
            .authenticate = [](auth::Presented presented) -> awaitable<Result<auth::Identity>> {
              const auto& authorization = presented.authorization;
              if (authorization.empty() && presented.cookie == "s=1") {
                co_return auth::Identity{
                    .principal = {.issuer = "i", .subject = "anna", .roles = {{"acme", auth::Role::org_admin}}},
                    .session = auth::Session{.csrf_token = "csrf-1"}};
              }
              if (authorization == "Bearer away") co_return fail(ErrorKind::unavailable, "The keys cannot be had.");
              if (authorization == "Bearer admin")
                co_return auth::Identity{
                    .principal = {.issuer = "i", .subject = "anna", .roles = {{"acme", auth::Role::org_admin}}}};
              if (authorization == "Bearer member")
                co_return auth::Identity{
                    .principal = {.issuer = "i", .subject = "max", .roles = {{"acme", auth::Role::member}}}};
              if (authorization == "Bearer viewer")
                co_return auth::Identity{
                    .principal = {.issuer = "i", .subject = "vera", .roles = {{"acme", auth::Role::viewer}}}};
              co_return fail(ErrorKind::rejected, "A valid access token is needed.");
            },
            .answers = &keeper,
            .steady_now = [this] { return now; },
            .new_request_id = [] { return std::string("made-id"); }};
  }

  static Route route(std::string_view method, std::string_view pattern, std::string_view operation, Handler handler) {
    return {.method = method,
            .pattern = pattern,
            .operation = operation,
            .summary = operation,
            .permission = method == "GET" ? "org:models:read" : "org:models:write",
            .handler = handler};
  }
  static std::vector<Route> all_routes() {
    static constexpr std::array fields{QueryParameter{.name = "fields"}};
    static constexpr std::array owner{
        QueryParameter{.name = "owner", .type = QueryParameter::Type::choice, .choices = "me"},
        QueryParameter{.name = "purpose"}};
    auto listing = route("GET", "/v1/orgs/{org}/things", "things.list", list);
    listing.paged = true;
    listing.reply = &page_schema();
    listing.query = fields;
    auto making = route("POST", "/v1/orgs/{org}/things", "things.create", echo);
    making.body = &body_schema();
    making.query = owner;
    making.idempotent_by_key = true;
    auto open = route("GET", "/open", "open", versioned);
    open.access = Access::open;
    open.permission = {};
    return {listing, making, open, route("GET", "/v1/orgs/{org}/fails", "fails", failing)};
  }

  boost::asio::io_context loop{};
  RouteTable routes{all_routes()};
  Context context{.page_tokens = PageTokens("key")};
  telemetry::Metrics metrics{};
  FakeKeeper keeper{};
  std::chrono::steady_clock::time_point now{1h};
  std::unique_ptr<ApiService> service_{};
};

TEST_F(ApiServiceTest, SessionChangesNothingWithoutItsCsrfToken) {
  context.logins.site = site_of("", "127.0.0.1:1", {});
  const auto change = [&](std::vector<http::Field> headers) {
    headers.push_back({.name = "cookie", .value = "s=1"});
    headers.push_back({.name = "host", .value = "127.0.0.1:1"});
    return post(R"({"name":"x"})", std::move(headers), "");
  };
  for (const auto& headers : std::vector<std::vector<http::Field>>{
           {},
           {{"x-csrf-token", "csrf-2"}},
           {{"x-csrf-token", ""}},
           {{"x-csrf-token", "csrf-1"}, {"origin", "https://evil.example"}},
           {{"x-csrf-token", "csrf-1"}, {"origin", "null"}},
       }) {
    const auto reply = change(headers);
    EXPECT_EQ(reply.status, 403);
    EXPECT_EQ(code_of(reply), "CSRF_FAILED");
  }
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(change({{"x-csrf-token", "csrf-1"}}).status, 200);
  EXPECT_EQ(change({{"x-csrf-token", "csrf-1"}, {"origin", "http://127.0.0.1:1"}}).status, 200);
  EXPECT_EQ(handled, 2);
  // Reading needs the cookie alone.
  const auto read = send({.method = "GET", .path = "/v1/orgs/acme/things", .headers = {{"cookie", "s=1"}}});
  EXPECT_EQ(read.status, 200);
}

TEST_F(ApiServiceTest, WebPageNeedsNoTokenAndHasOwnPolicy) {
  context.web_files = WebFiles{{"index.html", {.content_type = "text/html; charset=utf-8", .plain = "<html>"}}};
  const auto reply = get("/ui/models", {}, "");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "<html>");
  EXPECT_THAT(header(reply, "Content-Security-Policy"), HasSubstr("script-src 'self'"));
  EXPECT_EQ(header(reply, "X-Request-Id"), "made-id");
  // What is refused there shows no page, and its policy allows nothing.
  const auto missing = get("/ui/assets/x.js", {}, "");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(header(missing, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
}

TEST_F(ApiServiceTest, RefusesCallersWithoutAValidToken) {
  const auto none = send({.method = "GET", .path = "/v1/orgs/acme/things"});
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(header(none, "WWW-Authenticate"), R"(Bearer realm="tokenrail")");
  const auto wrong = get("/v1/orgs/acme/things", "", "Bearer nonsense");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_THAT(header(wrong, "WWW-Authenticate"), HasSubstr("invalid_token"));
  EXPECT_EQ(get("/v1/orgs/acme/things", "", "Bearer away").status, 503);
}

TEST_F(ApiServiceTest, ForeignOrganisationIsAnsweredAsUnknown) {
  const auto foreign = get("/v1/orgs/other/things");
  EXPECT_EQ(foreign.status, 404);
  EXPECT_EQ(foreign.body, get("/v1/orgs/other/things").body);
  EXPECT_THAT(foreign.body, HasSubstr("There is no organisation other."));
}

TEST_F(ApiServiceTest, AuthorisesBeforeItLooksAtTheBody) {
  const auto reply = post("nonsense", {}, "Bearer viewer");
  EXPECT_EQ(reply.status, 403);
  EXPECT_THAT(reply.body, HasSubstr("org:models:write"));
  EXPECT_EQ(handled, 0);
}

TEST_F(ApiServiceTest, OnlyTheParameterOwnerMakesARequestPersonal) {
  const auto status = [&](std::string query) {
    return send({.method = "POST",
                 .path = "/v1/orgs/acme/things",
                 .query = std::move(query),
                 .headers = {{.name = "authorization", .value = "Bearer member"},
                             {.name = "content-type", .value = "application/json"}},
                 .body = R"({"name":"x"})"})
        .status;
  };
  EXPECT_EQ(status("owner=me"), 200);
  EXPECT_EQ(status(""), 403);
  EXPECT_EQ(status("purpose=owner=me"), 403);
  EXPECT_EQ(status("purpose=x%26owner=me"), 403);
  EXPECT_EQ(status("owner=me&owner=me"), 403) << "a query that cannot be read gives no right";
}

TEST_F(ApiServiceTest, HandsValidBodyToTheEndpoint) {
  const auto reply = post(R"({"name":"x"})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"id":"1","body":{"name":"x"},"org":"acme"})");
}

TEST_F(ApiServiceTest, NamesWrongFieldsByPointer) {
  const auto reply = post(R"({"nam":"x"})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(code_of(reply), "INVALID_BODY");
  EXPECT_THAT(reply.body, HasSubstr(R"({"pointer":"/name","detail":"is required"})"));
  EXPECT_THAT(reply.body, HasSubstr("did you mean 'name'?"));
  EXPECT_EQ(post("[").status, 400);
  EXPECT_EQ(handled, 0);
}

TEST_F(ApiServiceTest, RefusesOtherContentTypes) {
  const auto reply = send(
      {.method = "POST",
       .path = "/v1/orgs/acme/things",
       .headers = {{.name = "authorization", .value = "Bearer admin"}, {.name = "content-type", .value = "text/plain"}},
       .body = R"({"name":"x"})"});
  EXPECT_EQ(reply.status, 415);
}

TEST_F(ApiServiceTest, RefusesBodyWhereNoneIsTaken) {
  const auto reply = send({.method = "GET", .path = "/open", .body = "{}"});
  EXPECT_EQ(reply.status, 400);
}

TEST_F(ApiServiceTest, RefusesUnknownQueryParameters) {
  EXPECT_EQ(get("/v1/orgs/acme/things", "page_sise=3").status, 400);
  EXPECT_EQ(get("/v1/orgs/acme/things", "page_size=3").status, 200);
}

TEST_F(ApiServiceTest, PageTokenIsValidForItsListOnly) {
  const auto body = parse_json(get("/v1/orgs/acme/things").body);
  const auto token = body->text_of("next_page_token");
  ASSERT_TRUE(token);
  EXPECT_EQ(get("/v1/orgs/acme/things", "page_token=" + *token).status, 200);
  EXPECT_EQ(get("/v1/orgs/acme/things", "page_token=" + *token, "Bearer viewer").status, 400)
      << "it is bound to its caller";
}

TEST_F(ApiServiceTest, FieldsLeaveTheOthersOut) {
  const auto body = parse_json(get("/v1/orgs/acme/things", "fields=b").body);
  EXPECT_EQ(body->find("data")->write(), R"([{"id":"1","b":2}])");
  EXPECT_NE(body->find("total_size"), nullptr);
}

TEST_F(ApiServiceTest, UnknownFieldsAreRefusedWithTheNearestName) {
  const auto refused = get("/v1/orgs/acme/things", "fields=b,bb");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(code_of(refused), "INVALID_QUERY");
  EXPECT_THAT(refused.body, HasSubstr("'bb'"));
  EXPECT_THAT(refused.body, HasSubstr("Did you mean 'b'?"));
  EXPECT_EQ(get("/v1/orgs/acme/things", "fields=nothing-like-it").status, 400);
}

TEST_F(ApiServiceTest, RefusedColumnPointsIntoTheBody) {
  const auto refused = post(R"({"name":"taken"})", {{.name = "x-refused", .value = "name"}});
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr(R"("errors":[{"pointer":"/name",)"));
  const auto elsewhere = post(R"({"name":"taken"})", {{.name = "x-refused", .value = "contextWindow"}});
  EXPECT_EQ(elsewhere.status, 422);
  EXPECT_THAT(elsewhere.body, HasSubstr("contextWindow"));
  EXPECT_THAT(elsewhere.body, testing::Not(HasSubstr("\"errors\"")));
}

TEST_F(ApiServiceTest, AnswersNotModified) {
  const auto fresh = send({.method = "GET", .path = "/open"});
  EXPECT_EQ(fresh.status, 200);
  EXPECT_EQ(header(fresh, "ETag"), "\"v5\"");
  const auto same = send({.method = "GET", .path = "/open", .headers = {{.name = "if-none-match", .value = "\"v5\""}}});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
  EXPECT_EQ(header(same, "ETag"), "\"v5\"");
}

TEST_F(ApiServiceTest, RepeatedKeyGivesTheStoredAnswer) {
  const auto first = post(R"({"name":"x"})", {{.name = "idempotency-key", .value = "k1"}});
  const auto second = post(R"( {"name" : "x"} )", {{.name = "idempotency-key", .value = "k1"}});
  EXPECT_EQ(handled, 1);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(header(second, "Idempotency-Replayed"), "true");
  EXPECT_EQ(header(second, "Content-Type"), "application/json");
  EXPECT_EQ(code_of(post(R"({"name":"y"})", {{.name = "idempotency-key", .value = "k1"}})), "IDEMPOTENCY_MISMATCH");
  EXPECT_EQ(post(R"({"name":"y"})", {{.name = "idempotency-key", .value = "k2"}}).status, 200);
  EXPECT_EQ(handled, 2);
}

TEST_F(ApiServiceTest, KeyOfRunningRequestIsAConflict) {
  keeper.kept["acme|user:anna|k1"] = {.fingerprint =
                                          request_fingerprint("POST", "/v1/orgs/acme/things", "", R"({"name":"x"})")};
  const auto reply = post(R"({"name":"x"})", {{.name = "idempotency-key", .value = "k1"}});
  EXPECT_EQ(code_of(reply), "IDEMPOTENCY_IN_FLIGHT");
  EXPECT_EQ(header(reply, "Retry-After"), "1");
  EXPECT_EQ(handled, 0);
}

TEST_F(ApiServiceTest, FailureFreesTheKey) {
  next_status = 503;
  EXPECT_EQ(post(R"({"name":"x"})", {{.name = "idempotency-key", .value = "k1"}}).status, 503);
  next_status = 201;
  EXPECT_EQ(post(R"({"name":"x"})", {{.name = "idempotency-key", .value = "k1"}}).status, 201);
  EXPECT_EQ(handled, 2);
}

TEST_F(ApiServiceTest, LimitsTheRateOfACaller) {
  context.options.rate_limit = {.per_second = 1, .burst = 2};
  EXPECT_EQ(header(get("/v1/orgs/acme/things"), "RateLimit-Remaining"), "1");
  EXPECT_EQ(get("/v1/orgs/acme/things").status, 200);
  const auto refused = get("/v1/orgs/acme/things");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(header(refused, "Retry-After"), "1");
  EXPECT_EQ(header(refused, "RateLimit-Remaining"), "0");
  EXPECT_EQ(get("/v1/orgs/acme/things", "", "Bearer viewer").status, 200) << "another caller has a bucket of its own";
  now += 1s;
  EXPECT_EQ(get("/v1/orgs/acme/things").status, 200);
}

TEST_F(ApiServiceTest, MadeUpOrganisationsGiveNoFurtherRequests) {
  context.options.rate_limit = {.per_second = 1, .burst = 2};
  EXPECT_EQ(get("/v1/orgs/one/things").status, 404);
  EXPECT_EQ(get("/v1/orgs/two/things").status, 404);
  EXPECT_EQ(get("/v1/orgs/three/things").status, 429);
  EXPECT_EQ(get("/v1/orgs/acme/things").status, 200) << "an organisation of the caller has a bucket of its own";
}

TEST_F(ApiServiceTest, FailureOfAnEndpointShowsNoDetail) {
  const auto reply = get("/v1/orgs/acme/fails");
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body.find("secret detail"), std::string::npos);
  EXPECT_EQ(service().running(), 0U);
}

TEST_F(ApiServiceTest, KeepsCleanRequestIdsOfClients) {
  const auto given = send({.method = "GET", .path = "/none", .headers = {{.name = "x-request-id", .value = "abc-1"}}});
  EXPECT_EQ(header(given, "X-Request-Id"), "abc-1");
  EXPECT_THAT(given.body, HasSubstr(R"("request_id":"abc-1")"));
  const auto dirty = send({.method = "GET", .path = "/none", .headers = {{.name = "x-request-id", .value = "a b"}}});
  EXPECT_EQ(header(dirty, "X-Request-Id"), "made-id");
  EXPECT_EQ(header(dirty, "X-Content-Type-Options"), "nosniff");
}

TEST_F(ApiServiceTest, OptionsNamesTheMethods) {
  const auto reply = send({.method = "OPTIONS", .path = "/v1/orgs/acme/things"});
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(header(reply, "Allow"), "GET, HEAD, OPTIONS, POST");
  EXPECT_EQ(header(reply, "Access-Control-Allow-Origin"), "");
  EXPECT_EQ(send({.method = "OPTIONS", .path = "/none"}).status, 404);
}

TEST_F(ApiServiceTest, AllowsTheOriginsOfTheSettings) {
  context.options.cors_origins = {"https://ui.example"};
  const auto reply = send({.method = "OPTIONS",
                           .path = "/v1/orgs/acme/things",
                           .headers = {{.name = "origin", .value = "https://ui.example"}}});
  EXPECT_EQ(header(reply, "Access-Control-Allow-Origin"), "https://ui.example");
}

TEST_F(ApiServiceTest, CountsRequestsByOperationAndStatus) {
  get("/v1/orgs/acme/things");
  get("/none");
  const auto text = metrics.text();
  EXPECT_THAT(text, HasSubstr(R"(registry_api_requests_total{operation="things.list",status="2xx"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(registry_api_requests_total{operation="none",status="4xx"} 1)"));
  EXPECT_THAT(text, HasSubstr("registry_api_requests_running 0"));
}

TEST_F(ApiServiceTest, RefusesMalformedRequestsAsProblems) {
  const auto reply = service().refuse(413, "The body may have 5 bytes.\n");
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(code_of(reply), "BODY_TOO_LARGE");
  EXPECT_EQ(service().refuse(400, "x").status, 400);
  EXPECT_EQ(service().refuse(431, "x").status, 431);
  EXPECT_EQ(service().refuse(500, "x").status, 500);
}

TEST_F(ApiServiceTest, RefusesRouteWithUnknownPermissionAtStart) {
  auto wrong = all_routes();
  wrong[0].permission = "org:models:reed";
  const RouteTable table(wrong);
  auto with_it = parts();
  with_it.routes = &table;
  EXPECT_THROW(ApiService(std::move(with_it)), std::logic_error);
}

}  // namespace
}  // namespace tokenrail::registry_api
