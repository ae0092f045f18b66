// Tests of connections: makes the HTTP exchanges whose meaning connection_test.hpp decides. On the loop; each test has
// a client of its own, so that it finds the host, connects and agrees on TLS afresh.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/crypto/envelope.hpp"
#include "common/crypto/key_ring.hpp"
#include "common/http/client.hpp"
#include "common/http/egress.hpp"
#include "common/http/fetcher.hpp"
#include "common/providers/connection_test.hpp"
#include "common/providers/target.hpp"
#include "common/result.hpp"
#include "common/telemetry/metrics.hpp"

namespace tokenrail::providers {

/// How the credential of a connection is sent; without the secret. A name that is left out is the provider's own.
/// Errors (invalid_input): a type or a name that cannot be tested.
[[nodiscard]] Result<Credential> credential_to_test(std::string_view provider, std::string_view type, std::string name);

/// The same credential with the stored secret. Errors: the ring cannot open it.
[[nodiscard]] Result<Credential> with_stored_secret(Credential credential, const crypto::KeyRing& ring,
                                                    std::string_view sealed, const crypto::Binding& binding);

class ConnectionTester {
 public:
  /// `step`: what the loop does with an answer (telemetry::loop_step()); a string literal.
  ConnectionTester(boost::asio::io_context& loop, http::ClientOptions client, http::Egress egress, const char* step)
      : loop_(loop), client_options_(std::move(client)), egress_(std::move(egress)), step_(step) {}

  struct Subject {
    std::string org_id{};  ///< whose connection it is; empty: the platform's
    std::string adapter{};
    Target target{};  ///< `upstream_name`: the model to call; empty: none
  };
  struct Report {
    std::vector<StageResult> stages{};
    std::chrono::milliseconds latency{0};
  };
  /// Takes at most time_max. Nothing is thrown for what the network does.
  boost::asio::awaitable<Report> run(Subject subject);
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
  boost::asio::awaitable<void> call_model(Run* run, const ModelPage* page);

  boost::asio::io_context& loop_;
  http::ClientOptions client_options_;
  http::Egress egress_;
  const char* step_;
  telemetry::Metrics unseen_;  ///< of the tests' clients: what they do is not the service's traffic
  std::set<http::Fetcher*> running_{};
  bool stopped_ = false;
};

}  // namespace tokenrail::providers
