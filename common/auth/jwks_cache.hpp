// The keys of an issuer, fetched over HTTP on the event loop when jwks_schedule.hpp says so. Many requests wait for one
// fetch. One thread: the loop's.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/auth/jwks_schedule.hpp"
#include "common/http/client.hpp"
#include "common/result.hpp"

namespace tokenrail::auth {

class JwksCache {
 public:
  struct Options {
    std::string url{};
    JwksSchedule::Options schedule{};
    std::chrono::milliseconds fetch_time_max{5'000};
    std::function<JwksSchedule::Time()> now = [] { return std::chrono::steady_clock::now(); };
  };
  /// `client` outlives the cache.
  JwksCache(boost::asio::io_context& loop, http::Client& client, Options options);
  /// Requests that wait end with ErrorKind::unavailable.
  ~JwksCache();
  JwksCache(const JwksCache&) = delete;
  JwksCache& operator=(const JwksCache&) = delete;

  /// Begins the first fetch, so that the first request need not wait for it.
  void start();

  /// The keys to verify with. Errors: unavailable, where there are none that may be used; its detail says why.
  /// Destroying the coroutine leaves the fetch to the others.
  boost::asio::awaitable<Result<JwkSet>> keys(JwksSchedule::Need need);

  /// Empty: there are keys. Else why there are none, for /readyz.
  [[nodiscard]] std::string problem() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tokenrail::auth
