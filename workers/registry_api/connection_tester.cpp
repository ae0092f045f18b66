#include "workers/registry_api/connection_tester.hpp"

#include <utility>

#include <fmt/format.h>

#include "workers/registry_api/loop_step.hpp"

namespace tokenrail::registry_api {

std::expected<TestPlaces::Place, Problem> TestPlaces::take(std::string name) {
  if (taken_.contains(name)) {
    return std::unexpected(Problem{
        .fault = Fault::rate_limited, .detail = "This connection is being tested already.", .retry_after_s = 5});
  }
  if (taken_.size() >= places_max) {
    return std::unexpected(Problem{.fault = Fault::rate_limited,
                                   .detail = fmt::format("{} connection tests are running already.", places_max),
                                   .retry_after_s = 5});
  }
  taken_.insert(name);
  return Place(*this, std::move(name));
}

ConnectionTester::ConnectionTester(boost::asio::io_context& loop, http::ClientOptions client, http::Egress egress)
    : providers::ConnectionTester(loop, std::move(client), std::move(egress), loop_step_name) {}

}  // namespace tokenrail::registry_api
