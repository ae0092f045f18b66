// HTTPS: whom the client trusts, and sessions that are resumed.
#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/http/client.hpp"
#include "tests/unit/common/http/tls_server.hpp"

namespace tokenrail::http {
namespace {

using ::testing::HasSubstr;

struct EndOnly final : Listener {
  void on_head(const ResponseHead& head) override { status = head.status; }
  bool on_body(std::string_view /*bytes*/) override { return true; }
  void on_end(const End& with) override { end = with; }
  int status = 0;
  std::optional<End> end{};
};

class TlsClientTest : public ::testing::Test {
 protected:
  ~TlsClientTest() override { std::filesystem::remove(ca_file_); }

  /// A client that trusts that certificate beside the system's.
  std::unique_ptr<Client> client_that_trusts(const OwnCertificate& trusted) {
    std::ofstream(ca_file_) << trusted.certificate;
    return make_client(loop_, {.certificates = {.ca_file = ca_file_}}, metrics_);
  }
  void run_until(const std::function<bool()>& done) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    loop_.restart();
    while (!done() && loop_.run_one_until(until) > 0) {
    }
    ASSERT_TRUE(done());
  }
  End end_of_get(Client& client, const std::string& url) {
    EndOnly listener;
    client.start({.url = url}, {}, {}, listener);
    run_until([&] { return listener.end.has_value(); });
    return listener.end.value_or(End{});
  }

  const std::string ca_file_ = ::testing::TempDir() + "tls-client-" + std::to_string(::getpid()) + ".pem";
  boost::asio::io_context loop_;
  telemetry::Metrics metrics_;
};

TEST_F(TlsClientTest, HandlesShareTheSessionsOfAHost) {
  const OwnCertificate own("IP:127.0.0.1");
  TlsServer server(loop_, own);
  const auto client = client_that_trusts(own);
  EXPECT_EQ(end_of_get(*client, server.url()).ending, Ending::complete);
  EXPECT_EQ(server.resumed, 0U);
  // One of them takes the handle of the first, the others are new.
  std::array<EndOnly, 4> together;
  for (auto& listener : together) client->start({.url = server.url()}, {}, {}, listener);
  run_until([&] { return std::ranges::all_of(together, [](const auto& one) { return one.end.has_value(); }); });
  for (const auto& one : together) EXPECT_EQ(one.status, 200) << one.end->detail;
  EXPECT_EQ(server.handshakes, 5U);
  EXPECT_EQ(server.resumed, 4U);
}

TEST_F(TlsClientTest, ACertificateThatIsNotTrustedEndsInTheTlsStep) {
  TlsServer server(loop_, OwnCertificate("IP:127.0.0.1"));
  const auto client = client_that_trusts(OwnCertificate("IP:127.0.0.1"));
  const auto end = end_of_get(*client, server.url());
  EXPECT_EQ(end.ending, Ending::connect_failed);
  EXPECT_EQ(end.step, Step::tls);
  EXPECT_THAT(end.detail, HasSubstr("certificate"));
}

TEST_F(TlsClientTest, ACertificateOfAnotherHostEndsInTheTlsStep) {
  const OwnCertificate own("DNS:another.example");
  TlsServer server(loop_, own);
  const auto client = client_that_trusts(own);
  const auto end = end_of_get(*client, server.url());
  EXPECT_EQ(end.ending, Ending::connect_failed);
  EXPECT_EQ(end.step, Step::tls);
}

TEST_F(TlsClientTest, AnExpiredCertificateEndsInTheTlsStep) {
  const OwnCertificate own("IP:127.0.0.1", -1);
  TlsServer server(loop_, own);
  const auto client = client_that_trusts(own);
  const auto end = end_of_get(*client, server.url());
  EXPECT_EQ(end.ending, Ending::connect_failed);
  EXPECT_EQ(end.step, Step::tls);
  EXPECT_THAT(end.detail, HasSubstr("expired"));
}

}  // namespace
}  // namespace tokenrail::http
