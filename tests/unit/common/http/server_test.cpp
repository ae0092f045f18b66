#include "common/http/server.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/async/wakeable_timer.hpp"

namespace tokenrail::http {
namespace {

// NOLINTBEGIN(cppcoreguidelines-avoid-capturing-lambda-coroutines): the Reply that has the closure outlives its
// coroutine

namespace asio = boost::asio;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using tcp = asio::ip::tcp;

constexpr std::chrono::seconds patience{120};

/// Answers with a function and keeps what was asked.
class Recorder final : public Service {
 public:
  asio::awaitable<Reply> handle(ServerRequest request) override {
    requests.push_back(std::move(request));
    co_return answer(requests.back());
  }
  std::vector<ServerRequest> requests{};
  std::function<Reply(const ServerRequest&)> answer = [](const ServerRequest& request) {
    return Reply{.body = request.body};
  };
};

/// A connection that is written to and read from while the loop runs.
struct Client {
  explicit Client(asio::io_context& loop, std::uint16_t port) : socket(loop) {
    socket.connect({asio::ip::address_v4::loopback(), port});
  }
  void send(std::string_view text) { asio::write(socket, asio::buffer(text)); }
  void receive() {
    socket.async_read_some(asio::buffer(buffer), [this](boost::system::error_code error, std::size_t read) {
      reply.append(buffer.data(), read);
      ended = static_cast<bool>(error);
      if (!ended) receive();
    });
  }
  tcp::socket socket;
  std::array<char, 4096> buffer{};
  std::string reply{};
  bool ended = false;
};

class ServerTest : public ::testing::Test {
 protected:
  void start(const ServerLimits& limits = {}) {
    auto started = Server::start(loop_, "127.0.0.1:0", service_, limits);
    ASSERT_TRUE(started) << started.error().detail;
    server_ = std::move(*started);
  }

  template <class Until>
  bool run_until(Until&& until) {
    loop_.restart();
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!until() && loop_.run_one_until(end) > 0) {
    }
    return until();
  }

  /// Sends `text` on a connection of its own and returns all that comes back until the other side closes.
  std::string exchange(std::string_view text) {
    Client client(loop_, server_->port());
    client.send(text);
    client.receive();
    EXPECT_TRUE(run_until([&] { return client.ended; })) << "no end of the reply; so far: " << client.reply;
    return client.reply;
  }

  asio::io_context loop_;
  std::shared_ptr<Recorder> service_ = std::make_shared<Recorder>();
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, ServiceSeesTheRequestAsItCame) {
  start();
  const auto reply = exchange(
      "POST /orgs/a%20b/models?limit=2&x= HTTP/1.1\r\nHost: h\r\nX-Trace: 7\r\nConnection: close\r\n"
      "Content-Length: 4\r\n\r\nbody");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply, EndsWith("\r\n\r\nbody"));
  ASSERT_EQ(service_->requests.size(), 1U);
  const auto& request = service_->requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/orgs/a%20b/models");
  EXPECT_EQ(request.query, "limit=2&x=");
  EXPECT_EQ(request.body, "body");
  EXPECT_EQ(request.header("x-trace"), "7");
  EXPECT_EQ(request.header("absent"), std::nullopt);
  EXPECT_EQ(request.client, "127.0.0.1");
}

TEST_F(ServerTest, TargetMayBeAbsoluteWithEmptyPath) {
  start();
  exchange("GET http://h:1/v1/models?a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  exchange("GET http://h HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  exchange("GET /?u=http://x/y HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  ASSERT_EQ(service_->requests.size(), 3U);
  EXPECT_EQ(service_->requests[0].path, "/v1/models");
  EXPECT_EQ(service_->requests[0].query, "a");
  EXPECT_EQ(service_->requests[1].path, "/");
  EXPECT_EQ(service_->requests[2].path, "/");
  EXPECT_EQ(service_->requests[2].query, "u=http://x/y");
}

TEST_F(ServerTest, ReplyHasDateAndReplaceableDefaults) {
  service_->answer = [](const ServerRequest& request) {
    if (request.path == "/a") return Reply{};
    return Reply{.status = 201,
                 .headers = {{.name = "content-type", .value = "application/json"}, {.name = "ETag", .value = "\"1\""}},
                 .body = "{}"};
  };
  start();
  const auto plain = exchange("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(plain, HasSubstr("\r\nDate: "));
  EXPECT_THAT(plain, HasSubstr(" GMT\r\n"));
  EXPECT_THAT(plain, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(plain, HasSubstr("Cache-Control: no-store\r\n"));
  const auto json = exchange("GET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(json, StartsWith("HTTP/1.1 201 Created\r\n"));
  EXPECT_THAT(json, HasSubstr("application/json\r\n"));
  EXPECT_THAT(json, Not(HasSubstr("text/plain")));
  EXPECT_THAT(json, HasSubstr("ETag: \"1\"\r\n"));
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  service_->answer = [](const ServerRequest& request) { return Reply{.body = request.path + "\n"}; };
  start();
  const auto reply =
      exchange("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_LT(reply.find("/1\n"), reply.find("/2\n"));
  EXPECT_NE(reply.find("/2\n"), std::string::npos);
}

TEST_F(ServerTest, TakesHeadersAndBodiesUpToTheirBound) {
  start({.header_bytes_max = 256, .body_bytes_max = 8});
  const auto post = [](const std::string& body) {
    return "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  };
  EXPECT_THAT(exchange(post("12345678")), EndsWith("12345678"));
  const auto refused = exchange(post("123456789"));
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(refused, EndsWith("The body may have 8 bytes.\n"));
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "5\r\n12345\r\n5\r\n67890\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "))
      << "a body whose length is not said before";
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nX: " + std::string(300, 'x') + "\r\n\r\n"), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nbad header line\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(service_->requests.size(), 1U) << "the service sees none of the others";
}

/// Refuses in a form of its own.
class OwnForm final : public Service {
 public:
  asio::awaitable<Reply> handle(ServerRequest) override { throw std::runtime_error("it failed"); }
  Reply refuse(int status, std::string text) override { return {.status = status, .body = "own form: " + text}; }
};

TEST_F(ServerTest, ServiceGivesRefusalsItsOwnForm) {
  auto started = Server::start(loop_, "127.0.0.1:0", std::make_shared<OwnForm>(), {.body_bytes_max = 8});
  ASSERT_TRUE(started);
  server_ = std::move(*started);
  const auto large = exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n123456789");
  EXPECT_THAT(large, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(large, EndsWith("own form: The body may have 8 bytes.\n"));
  const auto failed = exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(failed, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(failed, HasSubstr("own form: "));
}

TEST_F(ServerTest, ARefusalReachesAClientThatStillSends) {
  start({.body_bytes_max = 8});
  const auto reply =
      exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + std::string(60'000, 'x'));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 413 "));
}

TEST_F(ServerTest, AnswersExpectContinue) {
  start();
  Client client(loop_, server_->port());
  client.receive();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return client.reply.ends_with("100 Continue\r\n\r\n"); }));
  client.send("hi");
  ASSERT_TRUE(run_until([&] { return client.ended; }));
  EXPECT_THAT(client.reply, EndsWith("\r\n\r\nhi"));
}

TEST_F(ServerTest, AServiceThatThrowsIsAnsweredFor) {
  service_->answer = [](const ServerRequest&) -> Reply { throw std::runtime_error("secret detail"); };
  start();
  const auto reply = exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(reply, Not(HasSubstr("secret")));
}

Reply streamed(std::vector<std::string> pieces) {
  return {.stream = [pieces = std::move(pieces)](std::shared_ptr<ReplyStream> stream) -> asio::awaitable<void> {
    for (const auto& piece : pieces) {
      if (!co_await stream->write(piece)) co_return;
    }
  }};
}

TEST_F(ServerTest, AStreamIsChunkedAndTheConnectionStays) {
  service_->answer = [](const ServerRequest& request) {
    return request.path == "/s" ? streamed({"one", "", "two"}) : Reply{.body = "next"};
  };
  start();
  const auto reply =
      exchange("GET /s HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(reply, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(reply, HasSubstr("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"));
  EXPECT_THAT(reply, EndsWith("\r\n\r\nnext"));
}

TEST_F(ServerTest, StreamToOldClientEndsWithConnection) {
  service_->answer = [](const ServerRequest&) { return streamed({"one", "two"}); };
  start();
  const auto reply = exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(reply, Not(HasSubstr("chunked")));
  EXPECT_THAT(reply, EndsWith("\r\n\r\nonetwo"));
}

TEST_F(ServerTest, HeadOfAStreamHasNoBody) {
  bool called = false;
  service_->answer = [&](const ServerRequest&) {
    return Reply{.stream = [&](std::shared_ptr<ReplyStream>) -> asio::awaitable<void> {
      called = true;
      co_return;
    }};
  };
  start();
  EXPECT_THAT(exchange("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), EndsWith("\r\n\r\n"));
  EXPECT_FALSE(called);
}

TEST_F(ServerTest, AStreamThatThrowsIsCutOff) {
  service_->answer = [](const ServerRequest&) {
    return Reply{.stream = [](std::shared_ptr<ReplyStream> stream) -> asio::awaitable<void> {
      co_await stream->write("one");
      throw std::runtime_error("lost");
    }};
  };
  start();
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), EndsWith("\r\n3\r\none\r\n")) << "no last chunk";
}

TEST_F(ServerTest, StreamLearnsOfGoneOrSlowClient) {
  std::size_t written = 0;
  bool ended = false;
  service_->answer = [&](const ServerRequest&) {
    return Reply{.stream = [&](std::shared_ptr<ReplyStream> stream) -> asio::awaitable<void> {
      const std::string piece(1024 * 1024, 'x');
      while (co_await stream->write(piece)) written += piece.size();
      EXPECT_FALSE(co_await stream->write("x")) << "and it stays so";
      ended = true;
    }};
  };
  start({.write_time_max = std::chrono::milliseconds(200)});
  {
    Client reads_nothing(loop_, server_->port());
    reads_nothing.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(run_until([&] { return ended; })) << "too slow";
  }
  EXPECT_LT(written, 64U * 1024 * 1024) << "what the kernel takes, no more";
  ended = false;
  Client leaves(loop_, server_->port());
  leaves.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  leaves.socket.close();
  EXPECT_TRUE(run_until([&] { return ended; })) << "gone";
}

TEST_F(ServerTest, IncompleteRequestEndsTheConnection) {
  start({.request_time_max = std::chrono::milliseconds(100)});
  for (const char* part : {"", "GET / HT", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"}) {
    EXPECT_EQ(exchange(part), "") << part;
  }
  EXPECT_TRUE(service_->requests.empty());
}

TEST_F(ServerTest, DrainEndsIdleConnectionsAndLetsRepliesFinish) {
  async::WakeableTimer gate(loop_, "test");
  service_->answer = [&](const ServerRequest&) {
    return Reply{.stream = [&](std::shared_ptr<ReplyStream> stream) -> asio::awaitable<void> {
      co_await stream->write("one");
      co_await gate.wait(std::chrono::hours(1));
      co_await stream->write("two");
    }};
  };
  start();
  Client idle(loop_, server_->port());
  idle.receive();
  Client busy(loop_, server_->port());
  busy.receive();
  busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return busy.reply.ends_with("one\r\n"); }));

  EXPECT_EQ(server_->connections(), 2U);
  server_->drain();
  ASSERT_TRUE(run_until([&] { return idle.ended && server_->connections() == 1; }));
  EXPECT_FALSE(busy.ended);
  gate.wake();
  ASSERT_TRUE(run_until([&] { return busy.ended && server_->connections() == 0; }));
  EXPECT_THAT(busy.reply, EndsWith("3\r\ntwo\r\n0\r\n\r\n"));
  loop_.restart();
  loop_.run_for(patience);
  EXPECT_TRUE(loop_.stopped()) << "work is left";
}

TEST_F(ServerTest, StopCutsRepliesOff) {
  async::WakeableTimer gate(loop_, "test");
  bool went_on = true;
  service_->answer = [&](const ServerRequest&) {
    return Reply{.stream = [&](std::shared_ptr<ReplyStream> stream) -> asio::awaitable<void> {
      co_await stream->write("one");
      co_await gate.wait(std::chrono::hours(1));
      went_on = co_await stream->write("two");
    }};
  };
  start();
  Client busy(loop_, server_->port());
  busy.receive();
  busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return busy.reply.ends_with("one\r\n"); }));
  server_->stop();
  gate.wake();
  loop_.restart();
  loop_.run_for(patience);
  EXPECT_TRUE(loop_.stopped()) << "work is left";
  EXPECT_FALSE(went_on);
  EXPECT_TRUE(busy.ended);
}

// NOLINTEND(cppcoreguidelines-avoid-capturing-lambda-coroutines)

}  // namespace
}  // namespace tokenrail::http
