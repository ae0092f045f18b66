#include "common/http/health_server.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::http {
namespace {

namespace asio = boost::asio;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using tcp = asio::ip::tcp;

constexpr std::chrono::seconds patience{120};

class HealthServerTest : public ::testing::Test {
 protected:
  void start() {
    auto started = start_health_server(loop_, "127.0.0.1:0", metrics_, [this] { return conditions_; });
    ASSERT_TRUE(started) << started.error().detail;
    server_ = std::move(*started);
  }

  /// Sends `text` on a connection of its own and returns all that comes back until the other side closes.
  std::string exchange(const std::string& text) {
    tcp::socket socket(loop_);
    socket.connect({asio::ip::address_v4::loopback(), server_->port()});
    asio::write(socket, asio::buffer(text));
    std::string reply;
    bool ended = false;
    asio::async_read(socket, asio::dynamic_buffer(reply), [&](auto, std::size_t) { ended = true; });
    loop_.restart();
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!ended && loop_.run_one_until(until) > 0) {
    }
    EXPECT_TRUE(ended) << "no end of the reply; so far: " << reply;
    return reply;
  }

  std::string get(const std::string& path, const std::string& method = "GET") {
    return exchange(method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }

  asio::io_context loop_;
  telemetry::Metrics metrics_;
  std::vector<telemetry::Condition> conditions_;
  std::unique_ptr<Server> server_;
};

TEST_F(HealthServerTest, SaysThatItLives) {
  start();
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HealthServerTest, SaysWhatIsNotReady) {
  start();
  conditions_ = {{.name = "kafka", .problem = ""}, {.name = "registry", .problem = "not read \"whole\" yet"}};
  const std::string reply = get("/readyz");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(reply, HasSubstr(R"({"ready":false,"conditions":[{"name":"kafka","ok":true},)"
                               R"({"name":"registry","ok":false,"problem":"not read \"whole\" yet"}]})"));
  conditions_[1].problem.clear();
  EXPECT_THAT(get("/readyz?verbose"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HealthServerTest, ServesTheMetrics) {
  start();
  metrics_.counter("c", "help").add(7);
  const std::string reply = get("/metrics");
  EXPECT_THAT(reply, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(reply, EndsWith("\r\n\r\n# HELP c help\n# TYPE c counter\nc 7\n"));
}

TEST_F(HealthServerTest, RefusesOtherPathsAndMethods) {
  start();
  EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/metrics/x"), StartsWith("HTTP/1.1 404 "));
  const std::string reply = exchange("POST /livez HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(reply, HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST_F(HealthServerTest, HeadHasNoBody) {
  start();
  const std::string reply = get("/livez", "HEAD");
  EXPECT_THAT(reply, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_THAT(reply, EndsWith("\r\n\r\n"));
}

TEST_F(HealthServerTest, KeepsTheConnectionForTheNextRequest) {
  start();
  const std::string reply = exchange("GET /livez HTTP/1.1\r\n\r\nGET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply, HasSubstr("HTTP/1.1 404 Not Found\r\n"));
}

TEST_F(HealthServerTest, RefusesHugeHeadersAndGarbageAndHangsUp) {
  start();
  EXPECT_THAT(exchange("GET /livez HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(exchange("\x16\x03\x01 this is not HTTP\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HealthServerTest, HasABoundOnConnections) {
  start();
  std::vector<tcp::socket> open;
  for (int i = 0; i < 64; ++i) {
    open.emplace_back(loop_).connect({asio::ip::address_v4::loopback(), server_->port()});
  }
  EXPECT_EQ(get("/livez"), "") << "the 65th";
  open.clear();
  loop_.restart();
  const auto until = std::chrono::steady_clock::now() + patience;
  while (server_->connections() > 0 && loop_.run_one_until(until) > 0) {
  }
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 OK\r\n")) << "after the others have gone";
}

TEST_F(HealthServerTest, StopLetsTheLoopRunOut) {
  start();
  tcp::socket idle(loop_);
  idle.connect({asio::ip::address_v4::loopback(), server_->port()});
  loop_.poll();
  server_->stop();
  loop_.restart();
  loop_.run_for(patience);
  EXPECT_TRUE(loop_.stopped()) << "work is left";
}

TEST_F(HealthServerTest, MayBeDestroyedBeforeTheLoopRunsAgain) {
  start();
  tcp::socket idle(loop_);
  idle.connect({asio::ip::address_v4::loopback(), server_->port()});
  loop_.poll();
  server_.reset();
  loop_.restart();
  loop_.run_for(patience);
  EXPECT_TRUE(loop_.stopped());
}

TEST_F(HealthServerTest, SaysWhenThePortIsTaken) {
  start();
  const auto second = start_health_server(loop_, "127.0.0.1:" + std::to_string(server_->port()), metrics_, nullptr);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(second.error().detail, HasSubstr(std::to_string(server_->port())));
}

TEST_F(HealthServerTest, RefusesWhatIsNoAddress) {
  for (const char* listen : {"", "9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:80x",
                             "host.example:80", "::1:80", "[127.0.0.1]:80", "[::1]"}) {
    const auto result = start_health_server(loop_, listen, metrics_, nullptr);
    ASSERT_FALSE(result) << listen;
    EXPECT_EQ(result.error().kind, ErrorKind::invalid_input) << listen;
  }
}

}  // namespace
}  // namespace tokenrail::http
