// The frame around the endpoints. For each request: find the route, authenticate, limit the rate, authorise, check
// query and body, look for a stored answer, call the endpoint, and give the reply its headers. What an endpoint throws
// becomes a problem of status 500. One thread: the loop's.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "common/auth/authenticator.hpp"
#include "common/http/server.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_api/answer_keeper.hpp"
#include "workers/registry_api/call.hpp"
#include "workers/registry_api/context.hpp"
#include "workers/registry_api/rate_limits.hpp"
#include "workers/registry_api/routes.hpp"

namespace tokenrail::registry_api {

class ApiService final : public http::Service {
 public:
  struct Parts {
    const RouteTable* routes = nullptr;
    Context* context = nullptr;
    telemetry::Metrics* metrics = nullptr;
    /// Errors: unauthenticated or rejected (401), others as problem_of().
    std::function<boost::asio::awaitable<Result<auth::Identity>>(auth::Presented presented)> authenticate{};
    /// Whether there is such an organisation, for callers who may act in all of them. Empty: all exist.
    std::function<boost::asio::awaitable<bool>(std::string org)> organization_exists{};
    AnswerKeeper* answers = nullptr;  ///< null: Idempotency-Key is refused
    std::function<std::chrono::steady_clock::time_point()> steady_now = [] { return std::chrono::steady_clock::now(); };
    std::function<std::string()> new_request_id{};
  };
  /// Throws std::logic_error where a route names a permission that there is not.
  explicit ApiService(Parts parts);

  boost::asio::awaitable<http::Reply> handle(http::ServerRequest request) override;
  /// As a problem.
  [[nodiscard]] http::Reply refuse(int status, std::string text) override;

  /// Requests that are being answered.
  [[nodiscard]] std::size_t running() const { return running_; }

 private:
  struct Progress;  ///< what is known of a request so far, for its headers and its log line

  boost::asio::awaitable<Answer> answer(Call& call, Progress& progress);
  boost::asio::awaitable<Answer> let_in(Call& call, Progress& progress);
  /// Which organisation a path without {org} is about.
  [[nodiscard]] static Answer name_organization(Call& call);
  [[nodiscard]] Answer authorise(const Call& call);
  /// A platform administrator may act in every organisation, so that only here one that is not there is noticed.
  boost::asio::awaitable<Answer> find_organization(const Call* call);
  [[nodiscard]] static Answer read_body(Call& call);
  boost::asio::awaitable<Answer> answer_once(Call& call);
  boost::asio::awaitable<Answer> run_handler(Call& call);
  [[nodiscard]] Answer options_reply(const http::ServerRequest& request) const;
  void finish(const Call& call, const Progress& progress, http::Reply& reply);
  void count_refusal(std::string_view reason);

  Parts parts_;
  RateLimits rate_limits_;
  std::size_t running_ = 0;
  telemetry::Gauge& running_gauge_;
};

}  // namespace tokenrail::registry_api
