// The simulator over TLS, as a client sees it.
#include "tests/simulator/tls_front.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/http/client.hpp"
#include "tests/simulator/server.hpp"

namespace tokenrail::simulator {
namespace {

struct Answer final : http::Listener {
  void on_head(const http::ResponseHead& head) override { status = head.status; }
  bool on_body(std::string_view bytes) override {
    body += bytes;
    return true;
  }
  void on_end(const http::End& with) override { end = with; }
  int status = 0;
  std::string body{};
  std::optional<http::End> end{};
};

/// What becomes of the last of so many calls, one after the other, each on a connection of its own. `trusted`: the
/// client is given the certificate.
Answer called(TlsFault fault, bool trusted, int calls = 1,
              const std::shared_ptr<TlsCounts>& counts = std::make_shared<TlsCounts>()) {
  boost::asio::io_context loop(1);
  HubOptions hub;
  hub.tls = counts;
  Server server(loop, "127.0.0.1", 0, hub);
  TlsFront front(loop, "127.0.0.1", 0, server.port(), fault, counts);
  const auto file = ::testing::TempDir() + "tls-front-" + std::to_string(::getpid()) + ".pem";
  std::ofstream(file) << front.certificate();
  telemetry::Metrics metrics;
  const http::ClientOptions options{.certificates = {.ca_file = trusted ? file : std::string()}};
  const auto client = http::make_client(loop, options, metrics);
  Answer answer;
  for (int i = 0; i < calls; ++i) {
    answer = {};
    client->start({.method = "POST",
                   .url = front.url() + "/api/chat",
                   .body = R"({"model":"sim-chat:1b","messages":[{"role":"user","content":)"
                           R"("hi [[sim tokens=50 keep_alive=off]]"}]})"},
                  {}, {}, answer);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!answer.end && loop.run_one_until(until) > 0) {
    }
  }
  std::filesystem::remove(file);
  front.stop();
  server.stop();
  return answer;
}

TEST(TlsFront, PassesAnAnswerOn) {
  const auto answer = called(TlsFault::none, true);
  ASSERT_TRUE(answer.end);
  EXPECT_EQ(answer.end->ending, http::Ending::complete) << answer.end->detail;
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body.contains("\"done\":true")) << answer.body;
}

TEST(TlsFront, CountsHandshakesAndThoseThatResumeASession) {
  const auto counts = std::make_shared<TlsCounts>();
  ASSERT_EQ(called(TlsFault::none, true, 3, counts).status, 200);
  EXPECT_EQ(counts->handshakes, 3U);
  EXPECT_EQ(counts->resumed, 2U);
  ASSERT_TRUE(called(TlsFault::none, false, 1, counts).end);
  EXPECT_EQ(counts->handshakes, 3U) << "a client that does not accept the certificate";
}

TEST(TlsFront, HasCertificatesThatAreNotAccepted) {
  for (const auto& [fault, trusted] :
       {std::pair(TlsFault::none, false), std::pair(TlsFault::expired, true), std::pair(TlsFault::wrong_host, true)}) {
    const auto answer = called(fault, trusted);
    ASSERT_TRUE(answer.end);
    EXPECT_EQ(answer.end->ending, http::Ending::connect_failed);
    EXPECT_EQ(answer.end->step, http::Step::tls) << answer.end->detail;
  }
}

}  // namespace
}  // namespace tokenrail::simulator
