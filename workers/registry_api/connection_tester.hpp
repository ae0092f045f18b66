// Tests of connections: makes the HTTP exchanges whose meaning common/providers/connection_test.hpp decides. On the
// loop; each test has a client of its own, so that it finds the host, connects and agrees on TLS afresh.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/http/certificates.hpp"
#include "common/http/egress.hpp"
#include "common/http/fetcher.hpp"
#include "common/providers/connection_test.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_api/problem.hpp"

namespace tokenrail::registry_api {

/// Which tests run now: one of a connection at a time, and few altogether. Pure.
class TestPlaces {
 public:
  static constexpr std::size_t places_max = 4;

  /// A place, given back when it is destroyed; within the life of the TestPlaces.
  class Place {
   public:
    Place(Place&& other) noexcept : places_(std::exchange(other.places_, nullptr)), name_(std::move(other.name_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (places_ != nullptr) places_->taken_.erase(name_);
    }

   private:
    friend class TestPlaces;
    Place(TestPlaces& places, std::string name) : places_(&places), name_(std::move(name)) {}
    TestPlaces* places_;
    std::string name_;
  };

  /// `name`: of what is tested. Problem: rate_limited, where it is being tested or all places are taken.
  [[nodiscard]] std::expected<Place, Problem> take(std::string name);

 private:
  std::set<std::string, std::less<>> taken_{};
};

class ConnectionTester {
 public:
  ConnectionTester(boost::asio::io_context& loop, http::Certificates certificates, http::Egress egress)
      : loop_(loop), certificates_(std::move(certificates)), egress_(std::move(egress)) {}

  struct Subject {
    std::string org_id{};  ///< whose connection it is; empty: the platform's
    std::string adapter{};
    providers::Target target{};  ///< `upstream_name`: the model to call; empty: none
  };
  struct Report {
    std::vector<providers::StageResult> stages{};
    std::chrono::milliseconds latency{0};
  };
  /// Takes at most time_max. Nothing is thrown for what the network does.
  boost::asio::awaitable<Report> run(Subject subject);
  [[nodiscard]] TestPlaces& places() { return places_; }
  /// Ends what runs.
  void stop();

  static constexpr std::chrono::seconds time_max{30};

 private:
  using Clock = std::chrono::steady_clock;
  struct Run;
  struct Timed {
    http::Fetched fetched{};
    std::chrono::milliseconds took{0};
  };
  boost::asio::awaitable<Timed> fetch(Run* run, http::Request request, std::chrono::milliseconds time_max_of_it);
  boost::asio::awaitable<void> call_model(Run* run, const providers::ModelPage* page);

  boost::asio::io_context& loop_;
  http::Certificates certificates_;
  http::Egress egress_;
  telemetry::Metrics unseen_;  ///< of the tests' clients: what they do is not the service's traffic
  TestPlaces places_{};
  std::set<http::Fetcher*> running_{};
  bool stopped_ = false;
};

}  // namespace tokenrail::registry_api
