#include "workers/registry_api/worker.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "common/crypto/bytes.hpp"
#include "common/crypto/key_ring_settings.hpp"
#include "common/http/client_options.hpp"
#include "common/http/health_server.hpp"
#include "common/registry/governance_log.hpp"
#include "common/registry/migrator.hpp"
#include "common/telemetry/text_escape.hpp"
#include "common/topics/names.hpp"
#include "workers/registry_api/endpoints/all_routes.hpp"
#include "workers/registry_api/loop_step.hpp"
#include "workers/registry_api/memberships.hpp"
#include "workers/registry_api/openapi.hpp"

namespace tokenrail::registry_api {

namespace {

using boost::asio::awaitable;
using namespace std::chrono_literals;

constexpr auto retry_after = 2s;
constexpr auto check_every = 5s;
constexpr auto prune_every = 10min;
constexpr auto drain_look_every = 50ms;
constexpr std::size_t key_bytes = 32;
constexpr std::size_t request_id_bytes = 16;

std::string page_key(const Options& options) {
  return options.page_key.empty() ? crypto::random_public_bytes(key_bytes) : options.page_key;
}

Chats::Options chat_options(const config::Values& values, const Options& options) {
  auto kafka = values.kafka_properties();
  // A question is a little longer as a record than as a body.
  const auto record_bytes = std::max<std::size_t>(options.limits.body_bytes_max, 1024UL * 1024) + 64UL * 1024;
  kafka.emplace("message.max.bytes", std::to_string(record_bytes));
  return {.client = {.properties = {kafka.begin(), kafka.end()},
                     .topics = topics::Names::with_prefix(values.text("topic.prefix")),
                     .lookup_time_max = 5s},
          .chats_max = static_cast<std::size_t>(values.integer("api.chats_max")),
          .answer_time_max = values.duration("api.chat_timeout")};
}

Context context_from(const config::Values& values, DatabasePool& database) {
  auto options = options_from(values);
  auto tokens = PageTokens(page_key(options));
  return {.options = std::move(options), .page_tokens = std::move(tokens), .database = &database};
}

}  // namespace

Worker::Worker(boost::asio::io_context& loop, const config::Values& values)
    : loop_(loop),
      values_(values),
      database_options_{.url = values.text("database.url"), .application = "tokenrail-registry-api"},
      database_(database_options_, static_cast<std::size_t>(values.integer("api.database_connections"))),
      context_(context_from(values, database_)),
      routes_(all_routes()),
      keeper_(database_),
      http_(http::make_client(loop, http::client_options_from(values), metrics_)),
      live_registry_(loop, topics::Names::with_prefix(values.text("topic.prefix")).registry),
      stop_signals_(loop, SIGTERM, SIGINT),
      idle_(loop, loop_step_name) {
  context_.openapi = openapi_document(routes_.routes(), api_version);
  context_.conditions = [this] { return conditions(); };
  context_.live_registry = &live_registry_;
  context_.known_callers = &known_callers_;
}

Worker::~Worker() = default;

Result<void> Worker::start() {
  if (auto checked = http::check_client_options(values_); !checked) return checked;
  auto egress = http::egress_from(values_);
  if (!egress) return std::unexpected(egress.error());
  connection_tester_ =
      std::make_unique<ConnectionTester>(loop_, http::client_options_from(values_), std::move(*egress));
  context_.connection_tester = connection_tester_.get();
  chats_ = std::make_unique<Chats>(loop_, chat_options(values_, context_.options), metrics_);
  context_.chats = chats_.get();
  auto ring = crypto::load_key_ring(values_);
  if (!ring) return std::unexpected(ring.error());
  context_.key_ring = std::move(*ring);
  if (!context_.key_ring)
    spdlog::warn("there is no key ring, so credentials cannot be stored; set TOKENRAIL_KEYRING_FILE");
  if (!context_.options.web_dir.empty()) {
    auto files = read_web_files(context_.options.web_dir);
    if (!files) return std::unexpected(files.error());
    spdlog::info("web page of {} files at /ui/", files->size());
    context_.web_files = std::move(*files);
  }
  if (auto started = start_authentication(); !started) return started;
  kafka::Properties properties;
  for (const auto& [name, value] : values_.kafka_properties()) properties.emplace_back(name, value);
  if (auto started = live_registry_.start(properties, metrics_); !started) return started;
  if (auto started = start_servers(); !started) return started;
  await_stop();
  boost::asio::co_spawn(loop_, run(), [this](const std::exception_ptr& failure) {
    if (failure) {
      exit_code_ = 1;
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& error) {
        spdlog::error("registry-api stops: {}", error.what());
      }
    }
    finish();
  });
  return {};
}

Result<void> Worker::start_authentication() {
  auto settings = auth::read_auth_settings(values_);
  if (!settings) return std::unexpected(settings.error());
  if (settings->mode == auth::Mode::dev) {
    if (auto refusal = auth::dev_mode_refusal(context_.options.listen))
      return fail(ErrorKind::invalid_input, std::move(*refusal));
    spdlog::warn("authentication is in dev mode: every process that can read this user's key file can make any token");
  }
  auto& logins = context_.logins;
  const auto& options = context_.options;
  logins.mode = settings->mode;
  logins.site = site_of(options.public_url, options.listen, options.cors_origins);
  logins.sealer = std::make_shared<auth::SessionSealer>(context_.key_ring ? &*context_.key_ring : nullptr);
  auto made = auth::Authenticator::make(
      loop_, *http_,
      {.settings = std::move(*settings),
       .service_tokens = [this](std::string id,
                                auth::Digest sha256) { return find_service_token(database_, std::move(id), sha256); },
       .sessions = logins.sealer.get(),
       .session_cookie = std::string(session_cookie_name(logins.site.secure))});
  if (!made) return std::unexpected(made.error());
  authenticator_ = std::move(*made);
  return start_logins();
}

Result<void> Worker::start_logins() {
  auto settings = auth::read_oidc_settings(values_);
  if (!settings) return std::unexpected(std::move(settings.error()));
  if (!*settings) return {};
  auto& logins = context_.logins;
  if (logins.site.public_url.empty() && logins.site.secure) {
    return fail(ErrorKind::invalid_input,
                "auth.oidc_client_id is set and api.public_url is not, so the provider cannot send browsers back; set "
                "TOKENRAIL_API_PUBLIC_URL to the address that browsers reach the API at");
  }
  oidc_ =
      std::make_unique<auth::OidcClient>(loop_, *http_, auth::OidcClient::Options{.settings = std::move(**settings)});
  oidc_->start();
  logins.oidc = oidc_.get();
  logins.attempts = std::make_shared<auth::LoginSealer>(context_.key_ring ? &*context_.key_ring : nullptr);
  spdlog::info("people log in at {}", oidc_->issuer());
  return {};
}

Result<void> Worker::start_servers() {
  service_ = std::make_shared<ApiService>(ApiService::Parts{
      .routes = &routes_,
      .context = &context_,
      .metrics = &metrics_,
      .authenticate = [this](auth::Presented presented) { return authenticate(std::move(presented)); },
      .organization_exists = [this](std::string org) { return organization_exists(&database_, std::move(org)); },
      .answers = &keeper_,
      .new_request_id = [] { return crypto::to_base64url(crypto::random_public_bytes(request_id_bytes)); }});
  auto health =
      http::start_health_server(loop_, values_.text("http.listen"), metrics_, [this] { return conditions(); });
  if (!health) return std::unexpected(health.error());
  health_ = std::move(*health);
  spdlog::info("health and metrics on port {}", health_->port());
  auto api = http::Server::start(loop_, context_.options.listen, service_, context_.options.limits);
  if (!api) return std::unexpected(api.error());
  api_ = std::move(*api);
  spdlog::info("registry API on port {}", api_->port());
  return {};
}

awaitable<Result<auth::Identity>> Worker::authenticate(auth::Presented presented) {
  auto identity = co_await authenticator_->authenticate(std::move(presented));
  if (!identity || is_service_token(identity->principal)) co_return identity;
  const auto known = co_await find_caller(&database_, &known_callers_, identity->principal,
                                          identity->session ? identity->session->id : std::string());
  if (!known) co_return std::unexpected(known.error());
  if (identity->session && is_ended(*identity->session, *known)) {
    spdlog::info("authentication refused: a session of {} that was ended",
                 telemetry::one_line(identity->principal.subject));
    co_return fail(ErrorKind::rejected, std::string(auth::unauthenticated_text));
  }
  if (identity->session)
    identity->principal = without_ended_roles(std::move(identity->principal), *identity->session, *known);
  identity->principal = with_memberships(std::move(identity->principal), *known);
  co_return identity;
}

void Worker::await_stop() {
  stop_signals_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    stop();
    await_stop();
  });
}

void Worker::stop() {
  // A second signal means: now.
  if (++stops_ > 1) std::_Exit(1);
  spdlog::info("stopping: {} requests are running", service_ ? service_->running() : 0);
  stopping_ = true;
  context_.stopping = true;
  if (api_) api_->drain();
  idle_.wake();
}

awaitable<void> Worker::run() {
  bool migrated = false;
  auto prune_due = Clock::now() + prune_every;
  while (!stopping_) {
    if (!migrated) {
      const auto options = database_options_;
      const auto applied =
          co_await database_.run([options](registry::GovernedDatabase&) { return registry::migrate(options); });
      note_database(applied ? std::string() : applied.error().detail);
      migrated = applied.has_value();
      if (applied)
        for (const auto& name : *applied) spdlog::info("applied migration {}", name);
    } else {
      const auto checked =
          co_await database_.run([](registry::GovernedDatabase& database) { return database.check(); });
      note_database(checked ? std::string() : checked.error().detail);
      if (checked && Clock::now() >= prune_due) {
        prune_due = Clock::now() + prune_every;
        const auto pruned = co_await database_.run(
            [](registry::GovernedDatabase& database) { return registry::GovernanceLog(database).prune(); });
        if (!pruned) spdlog::warn("stored answers were not pruned: {}", pruned.error().detail);
      }
    }
    if (!stopping_) co_await idle_.wait(database_problem_.empty() ? check_every : retry_after);
  }
  co_await drain();
}

awaitable<void> Worker::drain() {
  const auto until = Clock::now() + context_.options.drain_timeout;
  // Until the last reply has been taken, not only until it was made.
  while (api_->connections() > 0 && Clock::now() < until) co_await idle_.wait(drain_look_every);
  if (service_->running() == 0) co_return;
  spdlog::warn("{} requests had not finished after api.drain_timeout; they are cut off", service_->running());
  // What they wait for is about to go.
  std::_Exit(1);
}

void Worker::note_database(const std::string& problem) {
  if (database_problem_ != problem && !problem.empty()) spdlog::error("{}", problem);
  database_problem_ = problem;
}

std::vector<telemetry::Condition> Worker::conditions() const {
  std::vector<telemetry::Condition> all{{.name = "database", .problem = database_problem_}};
  all.push_back({.name = "authentication", .problem = authenticator_ ? authenticator_->problem() : "not started yet"});
  // Tokens and sessions that there are work without it.
  if (oidc_) all.push_back({.name = "logins", .problem = {}, .note = oidc_->problem()});
  // Everything but what asks how routers would decide works without it.
  all.push_back({.name = "registry", .problem = {}, .note = live_registry_.problem()});
  if (stopping_) all.push_back({.name = "service", .problem = "it is stopping"});
  return all;
}

void Worker::finish() {
  stop_signals_.cancel();
  if (api_) api_->stop();
  if (health_) health_->stop();
  if (connection_tester_) connection_tester_->stop();
  live_registry_.stop();
  // Its client's timers would keep the loop waiting, too.
  chats_.reset();
  authenticator_.reset();
  oidc_.reset();
  // Its sockets would keep the loop waiting.
  http_.reset();
  spdlog::info("stopped");
}

}  // namespace tokenrail::registry_api
