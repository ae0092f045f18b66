#include "common/auth/oidc_client.hpp"

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/async/waiters.hpp"
#include "common/auth/jwks_cache.hpp"
#include "common/http/fetcher.hpp"
#include "common/telemetry/text_escape.hpp"

namespace tokenrail::auth {
namespace {

using boost::asio::awaitable;

constexpr const char* loop_step_name = "login at the provider";
constexpr int status_ok = 200;

/// A provider with its keys. Logins that have begun keep theirs while a newer one is taken.
struct Known {
  OidcProvider provider;
  std::shared_ptr<JwksCache> keys;
};

std::unexpected<LoginFailure> failed(LoginFailure failure, std::string_view detail) {
  spdlog::warn("a login at the provider failed: {}", telemetry::one_line(detail));
  return std::unexpected(failure);
}

/// Counts an exchange for as long as its coroutine lives.
class Running {
 public:
  explicit Running(std::size_t& count) : count_(count) { ++count_; }
  ~Running() { --count_; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  std::size_t& count_;
};

}  // namespace

struct OidcClient::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& the_loop, http::Client& the_client, Options the_options)
      : loop(the_loop),
        client(the_client),
        options(std::move(the_options)),
        fetcher(loop, client, loop_step_name),
        waiters(loop, loop_step_name) {}

  /// Fetches where it is due and no fetch runs.
  void look() {
    const auto now = options.steady_now();
    const bool current = known && now - fetched_at < options.refresh_after;
    const bool too_soon = !failure.empty() && now - attempted_at < options.pause;
    if (closed || running || current || too_soon) return;
    running = true;
    attempted_at = now;
    boost::asio::co_spawn(loop, fetch(shared_from_this()), boost::asio::detached);
  }

  static awaitable<void> fetch(std::shared_ptr<State> self) {
    http::Request request{.method = "GET",
                          .url = discovery_url(self->options.settings.issuer),
                          .headers = {{.name = "Accept", .value = "application/json"}},
                          .body = {}};
    const auto time_max = self->options.call_time_max;
    try {
      const auto fetched = co_await self->fetcher.fetch(std::move(request), {.connect = time_max, .total = time_max},
                                                        {.body_bytes_max = oidc_answer_bytes_max});
      if (!self->closed) self->take(fetched);
    } catch (const std::exception& error) {
      // Without memory, say. A fetch that never ends would hold up every login that follows.
      self->failure = error.what();
    }
    self->running = false;
    self->waiters.wake_all();
  }

  void take(const http::Fetched& fetched) {
    const auto provider = read(fetched);
    if (!provider) {
      failure = provider.error().detail;
      spdlog::warn("the provider of logins did not say how to log in ({}): {}", discovery_url(options.settings.issuer),
                   telemetry::one_line(failure));
      return;
    }
    failure.clear();
    fetched_at = options.steady_now();
    if (!known || known->provider.jwks_url != provider->jwks_url) {
      auto keys = std::make_shared<JwksCache>(loop, client,
                                              JwksCache::Options{.url = provider->jwks_url, .now = options.steady_now});
      keys->start();
      known = Known{.provider = *provider, .keys = std::move(keys)};
    } else {
      known->provider = *provider;
    }
  }

  [[nodiscard]] Result<OidcProvider> read(const http::Fetched& fetched) const {
    if (fetched.end.ending != http::Ending::complete) return fail(ErrorKind::unavailable, fetched.end.detail);
    if (fetched.head.status != status_ok)
      return fail(ErrorKind::unavailable, fmt::format("the answer has status {}", fetched.head.status));
    return read_discovery(fetched.body, options.settings.issuer);
  }

  /// Waits only where nothing is known.
  static awaitable<std::optional<Known>> provider(std::shared_ptr<State> self) {
    self->look();
    if (!self->known) co_await self->waiters.wait_until([&self] { return !self->running || self->closed; });
    co_return self->closed ? std::nullopt : self->known;
  }

  /// The ID token for the code.
  static awaitable<Result<Secret>> exchange(std::shared_ptr<State> self, const Known* at, const LoginAttempt* attempt,
                                            std::string code) {
    const auto time_max = self->options.call_time_max;
    const auto fetched = co_await self->fetcher.fetch(
        token_request(at->provider, self->options.settings, *attempt, code), {.connect = time_max, .total = time_max},
        {.body_bytes_max = oidc_answer_bytes_max});
    if (fetched.end.ending != http::Ending::complete)
      co_return fail(ErrorKind::unavailable, fmt::format("the token endpoint did not answer: {}", fetched.end.detail));
    co_return read_token_answer(fetched.head.status, fetched.body);
  }

  boost::asio::io_context& loop;
  http::Client& client;
  Options options;
  http::Fetcher fetcher;
  async::Waiters waiters;
  std::optional<Known> known{};
  std::string failure{};
  std::chrono::steady_clock::time_point attempted_at{};
  std::chrono::steady_clock::time_point fetched_at{};
  std::size_t exchanges = 0;
  bool running = false;
  bool closed = false;
};

OidcClient::OidcClient(boost::asio::io_context& loop, http::Client& client, Options options)
    : state_(std::make_shared<State>(loop, client, std::move(options))) {}

OidcClient::~OidcClient() {
  state_->closed = true;
  state_->fetcher.stop();
  // Its keys end their fetch while the client is still there.
  state_->known.reset();
}

void OidcClient::start() {
  state_->look();
}

awaitable<std::expected<std::string, LoginFailure>> OidcClient::begin(LoginAttempt attempt) {
  const auto state = state_;
  const auto known = co_await State::provider(state);
  if (!known) co_return std::unexpected(LoginFailure::unreachable);
  co_return authorization_url(known->provider, state->options.settings, attempt);
}

awaitable<std::expected<Login, LoginFailure>> OidcClient::finish(LoginAttempt attempt, std::string code) {
  const auto state = state_;
  if (state->exchanges >= state->options.logins_max) co_return failed(LoginFailure::busy, "too many at the same time");
  const Running running(state->exchanges);
  const auto known = co_await State::provider(state);
  if (!known) co_return std::unexpected(LoginFailure::unreachable);
  const auto token = co_await State::exchange(state, &*known, &attempt, std::move(code));
  if (!token) {
    co_return failed(token.error().kind == ErrorKind::unavailable ? LoginFailure::unreachable : LoginFailure::refused,
                     token.error().detail);
  }
  auto keys = co_await known->keys->keys(JwksSchedule::Need::keys);
  if (!keys) co_return failed(LoginFailure::unreachable, keys.error().detail);
  const auto& settings = state->options.settings;
  auto login = verify_id_token(token->reveal(), *keys, settings, attempt.nonce, state->options.now());
  if (!login && login.error().why == Refusal::unknown_key) {
    keys = co_await known->keys->keys(JwksSchedule::Need::unknown_key);
    if (!keys) co_return failed(LoginFailure::unreachable, keys.error().detail);
    login = verify_id_token(token->reveal(), *keys, settings, attempt.nonce, state->options.now());
  }
  if (!login) {
    co_return failed(LoginFailure::refused, fmt::format("the ID token does not hold: {} ({})",
                                                        name_of(login.error().why), login.error().detail));
  }
  co_return std::move(*login);
}

const std::string& OidcClient::issuer() const {
  return state_->options.settings.issuer;
}

std::string OidcClient::end_session_url(std::string_view afterwards) const {
  if (!state_->known) return {};
  return auth::end_session_url(state_->known->provider, state_->options.settings, afterwards);
}

std::string OidcClient::problem() const {
  if (state_->known) return {};
  return fmt::format("people cannot log in, because the provider {} is not known: {}", issuer(),
                     state_->failure.empty() ? "not fetched yet" : state_->failure);
}

}  // namespace tokenrail::auth
