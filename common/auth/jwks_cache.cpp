#include "common/auth/jwks_cache.hpp"

#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/async/waiters.hpp"
#include "common/http/fetcher.hpp"
#include "common/telemetry/text_escape.hpp"

namespace tokenrail::auth {
namespace {

constexpr const char* loop_step_name = "keys of the issuer";
constexpr int status_ok = 200;

/// The keys that an answer holds.
Result<JwkSet> read_answer(const http::Fetched& fetched) {
  if (fetched.end.ending != http::Ending::complete) return fail(ErrorKind::unavailable, fetched.end.detail);
  if (fetched.head.status != status_ok)
    return fail(ErrorKind::unavailable, fmt::format("the answer has status {}", fetched.head.status));
  return JwkSet::parse(fetched.body);
}

}  // namespace

struct JwksCache::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& the_loop, http::Client& client, Options the_options)
      : loop(the_loop),
        options(std::move(the_options)),
        fetcher(the_loop, client, loop_step_name),
        waiters(the_loop, loop_step_name),
        schedule(options.schedule) {}

  void begin_fetch() {
    schedule.started(options.now());
    boost::asio::co_spawn(loop, fetch(shared_from_this()), boost::asio::detached);
  }

  static boost::asio::awaitable<void> fetch(std::shared_ptr<State> self) {
    http::Request request{.method = "GET",
                          .url = self->options.url,
                          .headers = {{.name = "Accept", .value = "application/jwk-set+json, application/json"}},
                          .body = {}};
    const auto time_max = self->options.fetch_time_max;
    try {
      const auto fetched = co_await self->fetcher.fetch(std::move(request), {.connect = time_max, .total = time_max},
                                                        {.body_bytes_max = JwkSet::bytes_max});
      if (!self->closed) self->take(read_answer(fetched));
    } catch (const std::exception& error) {
      // Without memory, say. A fetch that never ends would hold up every request that follows.
      self->schedule.failed(error.what());
    }
    self->waiters.wake_all();
  }

  void take(Result<JwkSet> keys) {
    if (!keys) {
      schedule.failed(keys.error().detail);
      const auto now = options.now();
      const std::string effect =
          schedule.keys(now) == nullptr
              ? "no token can be verified until then"
              : fmt::format("keys that were fetched {} min ago stay in use for now",
                            std::chrono::floor<std::chrono::minutes>(*schedule.age(now)).count());
      spdlog::warn("the keys of the issuer could not be fetched from {}: {}; {}", options.url,
                   telemetry::one_line(keys.error().detail), effect);
      return;
    }
    for (const auto& reason : keys->ignored())
      spdlog::warn("the issuer's JWK set has a key that is not used: {}", telemetry::one_line(reason));
    schedule.succeeded(std::move(*keys), options.now());
  }

  boost::asio::io_context& loop;
  Options options;
  http::Fetcher fetcher;
  async::Waiters waiters;
  JwksSchedule schedule;
  bool closed = false;
};

JwksCache::JwksCache(boost::asio::io_context& loop, http::Client& client, Options options)
    : state_(std::make_shared<State>(loop, client, std::move(options))) {}

JwksCache::~JwksCache() {
  state_->closed = true;
  state_->fetcher.stop();
  state_->waiters.wake_all();
}

void JwksCache::start() {
  if (state_->schedule.step(JwksSchedule::Need::keys, state_->options.now()).fetch) state_->begin_fetch();
}

boost::asio::awaitable<Result<JwkSet>> JwksCache::keys(JwksSchedule::Need need) {
  const auto state = state_;
  const auto step = state->schedule.step(need, state->options.now());
  if (step.fetch) state->begin_fetch();
  if (step.wait) co_await state->waiters.wait_until([&state] { return !state->schedule.running() || state->closed; });
  if (state->closed) co_return fail(ErrorKind::unavailable, "this program is stopping");
  if (const auto* const keys = state->schedule.keys(state->options.now())) co_return *keys;
  co_return fail(ErrorKind::unavailable, fmt::format("the keys of the issuer could not be fetched from {}: {}",
                                                     state->options.url, state->schedule.failure()));
}

std::string JwksCache::problem() const {
  if (state_->schedule.keys(state_->options.now()) != nullptr) return {};
  const auto& failure = state_->schedule.failure();
  return fmt::format("the keys of the issuer are missing ({}): {}", state_->options.url,
                     failure.empty() ? "not fetched yet" : failure);
}

}  // namespace tokenrail::auth
