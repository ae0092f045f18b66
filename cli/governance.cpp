// Opens what the settings name: a registry API, else the database.
#include "cli/governance.hpp"

#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "cli/api_governance.hpp"
#include "cli/stored_governance.hpp"
#include "common/auth/trusted_url.hpp"
#include "common/http/client.hpp"
#include "common/http/client_options.hpp"
#include "common/http/fetcher.hpp"
#include "common/telemetry/metrics.hpp"

namespace tokenrail::cli {
namespace {

using namespace std::chrono_literals;

// The test of a connection waits for the provider, twice.
constexpr auto patience = 120s;
constexpr std::size_t answer_bytes_max = 64UL * 1024 * 1024;

/// Carries requests to the API, one after the other.
class ApiConnection {
 public:
  explicit ApiConnection(const Context& context)
      : url_(context.values.text("api.url")),
        token_(context.values.text("api.token")),
        client_(http::make_client(loop_, http::client_options_from(context.values), metrics_)),
        fetcher_(loop_, *client_, "registry API") {
    while (url_.ends_with('/')) url_.pop_back();
  }

  Result<ApiAnswer> exchange(ApiRequest wanted) {
    http::Request request{.method = std::move(wanted.method),
                          .url = url_ + wanted.path,
                          .headers = {{.name = "Authorization", .value = "Bearer " + token_, .secret = true}},
                          .body = std::move(wanted.body)};
    if (!request.body.empty()) {
      request.headers.push_back(
          {.name = "Content-Type",
           .value = request.method == "PATCH" ? "application/merge-patch+json" : "application/json"});
    }
    if (!wanted.if_match.empty()) request.headers.push_back({.name = "If-Match", .value = wanted.if_match});
    if (!wanted.if_none_match.empty())
      request.headers.push_back({.name = "If-None-Match", .value = wanted.if_none_match});
    std::optional<http::Fetched> fetched;
    loop_.restart();
    boost::asio::co_spawn(
        loop_,
        fetcher_.fetch(std::move(request), {.connect = 5s, .total = patience}, {.body_bytes_max = answer_bytes_max}),
        [&](const std::exception_ptr& failure, http::Fetched answer) {
          if (!failure) fetched = std::move(answer);
          loop_.stop();
        });
    loop_.run();
    if (!fetched) return fail(ErrorKind::unavailable, "the registry API was not asked");
    if (fetched->end.ending == http::Ending::complete)
      return ApiAnswer{.status = fetched->head.status, .body = std::move(fetched->body)};
    const bool late = fetched->end.ending == http::Ending::total_timeout;
    return fail(late ? ErrorKind::timed_out : ErrorKind::unavailable,
                fmt::format("the registry API at {} gave no answer: {}", url_, fetched->end.detail));
  }

 private:
  std::string url_;
  std::string token_;
  boost::asio::io_context loop_{1};
  telemetry::Metrics metrics_;
  std::unique_ptr<http::Client> client_;
  http::Fetcher fetcher_;
};

}  // namespace

bool api_is_configured(const config::Values& values) {
  return values.is_set("api.url");
}

Result<std::unique_ptr<Governance>> open_governance(const Context& context) {
  if (!api_is_configured(context.values)) return stored_governance(context);
  const auto url = context.values.text("api.url");
  if (!auth::is_trusted_url(url))
    return fail(
        ErrorKind::invalid_input,
        fmt::format("api.url is {}, and the token would be sent unencrypted; use https, or http to this machine", url));
  if (!context.values.is_set("api.token"))
    return fail(
        ErrorKind::invalid_input,
        "api.url is set and api.token is not; set TOKENRAIL_API_TOKEN to a service token, or in dev mode to the "
        "output of 'tokenrail auth token'");
  auto connection = std::make_shared<ApiConnection>(context);
  return api_governance([connection](ApiRequest request) { return connection->exchange(std::move(request)); },
                        context.call.value("org").value_or(""), context.call.has("dry-run"));
}

Result<void> check_registry_is_reached(const Context& context) {
  const auto& command = *context.call.command;
  const bool exempt = !command.without_database.empty() && context.call.has(command.without_database);
  const bool named = context.values.source("database.url") != config::Source::default_value;
  if (command.registry != RegistryBy::database || exempt || named || !api_is_configured(context.values)) return {};
  return fail(ErrorKind::invalid_input,
              fmt::format("'tokenrail {}' works on the database, and only a registry API is configured; set "
                          "TOKENRAIL_DATABASE_URL too",
                          command.path));
}

}  // namespace tokenrail::cli
