#include "common/http/client.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/allocations.hpp"
#include "tests/unit/common/http/scripted_server.hpp"

namespace tokenrail::http {
namespace {

using std::chrono::milliseconds;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::chrono::seconds patience{120};
/// A total timeout within which an answer begins, also on a machine that does other things.
constexpr milliseconds time_for_a_beginning{3'000};
constexpr std::string_view chunked_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr std::string_view last_chunk = "0\r\n\r\n";

/// Notes what it hears; a test may hook in.
struct Recorder final : Listener {
  void on_head(const ResponseHead& head) override {
    EXPECT_EQ(heads, 0) << "the head comes once";
    EXPECT_FALSE(end) << "nothing comes after the end";
    ++heads;
    last_head = head;
    if (at_head) at_head();
  }
  bool on_body(std::string_view bytes) override {
    EXPECT_EQ(heads, 1) << "no body before the head";
    EXPECT_FALSE(end) << "nothing comes after the end";
    EXPECT_FALSE(bytes.empty());
    ++pieces;
    largest = std::max(largest, bytes.size());
    if (keep_body) body += bytes;
    body_bytes += bytes.size();
    return at_body ? at_body(bytes) : true;
  }
  void on_end(const End& with) override {
    EXPECT_FALSE(end) << "the end comes once";
    end = with;
    if (at_end) at_end();
  }

  int heads = 0;
  int pieces = 0;
  std::size_t largest = 0;
  std::size_t body_bytes = 0;
  bool keep_body = true;
  ResponseHead last_head{};
  std::string body{};
  std::optional<End> end{};
  std::function<void()> at_head{};
  std::function<bool(std::string_view)> at_body{};
  std::function<void()> at_end{};
};

class ClientTest : public ::testing::Test {
 protected:
  /// Runs the loop until `done`; fails the test where that takes too long.
  void run_until(const std::function<bool()>& done) {
    const auto until = std::chrono::steady_clock::now() + patience;
    loop_.restart();
    while (!done()) {
      if (loop_.run_one_until(until) == 0) break;
    }
    ASSERT_TRUE(done());
  }

  /// Runs the loop until it has nothing more to do at once; what waits for the other side stays.
  void settle() {
    int quiet = 0;
    while (quiet < 50) {
      loop_.restart();
      quiet = loop_.poll() == 0 ? quiet + 1 : 0;
    }
  }

  ScriptedServer::Connection& connection(std::size_t index = 0) {
    run_until([&] { return server_.connections.size() > index && server_.connections[index]->has_request(); });
    return *server_.connections.at(index);
  }

  TransferId get(Recorder& recorder, Clocks clocks = {}, Limits limits = {}) {
    return client_->start({.url = server_.url()}, clocks, limits, recorder);
  }

  std::uint64_t connections_opened() { return metrics_.counter("http_client_connections_opened_total", "").value(); }

  boost::asio::io_context loop_;
  telemetry::Metrics metrics_;
  ScriptedServer server_{loop_};
  std::unique_ptr<Client> client_ = make_client(loop_, {}, metrics_);
};

TEST_F(ClientTest, StreamsPieceByPiece) {
  Recorder recorder;
  get(recorder);
  auto& peer = connection();
  EXPECT_EQ(recorder.heads, 0);
  peer.send(std::string(chunked_head));
  run_until([&] { return recorder.heads == 1; });
  EXPECT_EQ(recorder.last_head.status, 200);
  for (const std::string piece : {"one", "two", "three"}) {
    const int before = recorder.pieces;
    peer.send_chunk(piece);
    run_until([&] { return recorder.pieces == before + 1; });
    EXPECT_THAT(recorder.body, EndsWith(piece));
    EXPECT_FALSE(recorder.end);
  }
  peer.send(std::string(last_chunk));
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::complete);
  EXPECT_EQ(recorder.end->detail, "");
  EXPECT_EQ(recorder.body, "onetwothree");
  EXPECT_EQ(client_->transfers(), 0U);
}

TEST_F(ClientTest, SendsWhatWasAskedFor) {
  Recorder recorder;
  client_->start({.method = "POST",
                  .url = server_.url("/api/chat?x=1"),
                  .headers = {{.name = "Content-Type", .value = "application/json"},
                              {.name = "Authorization", .value = "Bearer k", .secret = true},
                              {.name = "X-Empty", .value = ""}},
                  .body = "{\"a\":1}"},
                 {}, {}, recorder);
  const std::string& request = connection().received;
  run_until([&] { return request.ends_with("{\"a\":1}"); });
  EXPECT_THAT(request, StartsWith("POST /api/chat?x=1 HTTP/1.1\r\n"));
  for (const char* line : {"Content-Type: application/json\r\n", "Authorization: Bearer k\r\n", "X-Empty:\r\n",
                           "Content-Length: 7\r\n", "User-Agent: tokenrail\r\n"}) {
    EXPECT_THAT(request, HasSubstr(line));
  }
  EXPECT_THAT(request, Not(HasSubstr("Expect:")));
  EXPECT_THAT(request, Not(HasSubstr("Accept-Encoding:")));
}

TEST_F(ClientTest, MethodDoesNotLeakIntoNextRequest) {
  const std::vector<std::pair<Request, std::string>> rows{
      {{.method = "POST", .body = "x"}, "POST / HTTP/1.1\r\n"},
      {{.method = "GET"}, "GET / HTTP/1.1\r\n"},
      {{.method = "HEAD"}, "HEAD / HTTP/1.1\r\n"},
      {{.method = "POST"}, "POST / HTTP/1.1\r\n"},
      {{.method = "DELETE", .body = "y"}, "DELETE / HTTP/1.1\r\n"},
      {{.method = "GET"}, "GET / HTTP/1.1\r\n"},
      {{.method = "PUT", .body = ""}, "PUT / HTTP/1.1\r\n"},
      {{.method = "GET", .body = "z"}, "GET / HTTP/1.1\r\n"},
  };
  for (const auto& [row, start_line] : rows) {
    Recorder recorder;
    Request request = row;
    request.url = server_.url();
    client_->start(request, {}, {}, recorder);
    auto& peer = connection();
    run_until([&] { return peer.received.ends_with("\r\n\r\n" + request.body); });
    EXPECT_THAT(peer.received, StartsWith(start_line));
    EXPECT_EQ(peer.received.find("Content-Length") != std::string::npos,
              !request.body.empty() || row.method == "POST" || row.method == "PUT")
        << start_line;
    EXPECT_THAT(peer.received, Not(HasSubstr("Content-Type")));
    peer.received.clear();
    peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    run_until([&] { return recorder.end.has_value(); });
    EXPECT_EQ(recorder.last_head.status, 204);
  }
  EXPECT_EQ(connections_opened(), 1U) << "all of them over one kept-alive connection";
}

TEST_F(ClientTest, HeadersInLowerCase) {
  Recorder recorder;
  get(recorder);
  connection().send(
      "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 429 Too Many\r\nRetry-After:  7 \r\nX-A: 1\r\nx-a: "
      "2\r\nContent-Length: 0\r\n\r\n");
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.last_head.status, 429);
  EXPECT_EQ(recorder.last_head.header("retry-after"), "7");
  EXPECT_EQ(recorder.last_head.header("x-a"), "1") << "the first of that name";
  EXPECT_EQ(recorder.last_head.header("x-early"), std::nullopt);
  EXPECT_EQ(recorder.end->ending, Ending::complete) << "whatever its status";
}

TEST_F(ClientTest, NeverCallsBackFromInsideStart) {
  Recorder bad_url;
  Recorder bad_header;
  Recorder fine;
  client_->start({.url = "http://"}, {}, {}, bad_url);
  client_->start({.url = server_.url(), .headers = {{.name = "a", .value = "b\r\nc: d"}}}, {}, {}, bad_header);
  get(fine);
  EXPECT_FALSE(bad_url.end);
  EXPECT_FALSE(bad_header.end);
  EXPECT_EQ(client_->transfers(), 3U);
  run_until([&] { return bad_url.end && bad_header.end; });
  EXPECT_EQ(bad_url.end->ending, Ending::invalid_request);
  EXPECT_EQ(bad_header.end->ending, Ending::invalid_request);
}

TEST_F(ClientTest, RefusesWhatItMustNotSend) {
  const std::vector<Request> rows{
      {.url = ""},
      {.url = "file:///etc/passwd"},
      {.url = "ftp://127.0.0.1/"},
      {.url = "gopher://127.0.0.1/"},
      {.url = server_.url("/\r\nX: y")},
      {.url = "http://127.0.0.1:99999/"},
      {.method = "GET /", .url = server_.url()},
      {.method = "", .url = server_.url()},
      {.url = server_.url(), .headers = {{.name = "a b", .value = "c"}}},
      {.url = server_.url(), .headers = {{.name = "", .value = "c"}}},
      {.url = server_.url(), .headers = {{.name = "a", .value = std::string("b\0c", 3)}}},
  };
  for (const Request& row : rows) {
    Recorder recorder;
    client_->start(row, {}, {}, recorder);
    run_until([&] { return recorder.end.has_value(); });
    EXPECT_EQ(recorder.end->ending, Ending::invalid_request) << row.method << " " << row.url;
    EXPECT_FALSE(recorder.end->detail.empty());
    EXPECT_EQ(recorder.heads, 0);
  }
  EXPECT_THAT(server_.connections, IsEmpty());
}

TEST_F(ClientTest, Refused) {
  server_.stop_listening();
  settle();
  Recorder recorder;
  client_->start({.url = "http://127.0.0.1:1/"}, {}, {}, recorder);
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::connect_failed);
  EXPECT_THAT(recorder.end->detail, HasSubstr("127.0.0.1"));
  EXPECT_EQ(recorder.heads, 0);
}

TEST_F(ClientTest, NoSuchHost) {
  Recorder recorder;
  client_->start({.url = "http://no-such-host.invalid/"}, {}, {}, recorder);
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_THAT(recorder.end->ending, AnyOf(Ending::connect_failed, Ending::connect_timeout));
}

TEST_F(ClientTest, TlsToAServerThatSpeaksNone) {
  Recorder recorder;
  client_->start({.url = "https://127.0.0.1:" + std::to_string(server_.port()) + "/"}, {}, {}, recorder);
  run_until([&] { return !server_.connections.empty() && !server_.connections[0]->received.empty(); });
  server_.connections[0]->send("HTTP/1.1 400 Bad Request\r\n\r\n");
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::connect_failed) << recorder.end->detail;
}

TEST_F(ClientTest, BrokenInTheMiddle) {
  for (const bool orderly : {true, false}) {
    for (const std::string& so_far :
         std::vector<std::string>{"", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\nContent-Le", std::string(chunked_head),
                                  std::string(chunked_head) + "3\r\none\r\n", std::string(chunked_head) + "5\r\none",
                                  "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"}) {
      server_.connections.clear();
      client_ = make_client(loop_, {}, metrics_);
      Recorder recorder;
      get(recorder);
      auto& peer = connection();
      if (!so_far.empty()) peer.send(so_far);
      run_until([&] { return peer.sent_bytes == so_far.size(); });
      settle();
      EXPECT_FALSE(recorder.end);
      orderly ? peer.close() : peer.reset();
      run_until([&] { return recorder.end.has_value(); });
      // An answer of HTTP/1 with neither length nor chunks would end by the close; these have one or the other.
      EXPECT_EQ(recorder.end->ending, Ending::broken) << orderly << " after: " << so_far;
      EXPECT_FALSE(recorder.end->detail.empty());
    }
  }
}

TEST_F(ClientTest, ABodyWithoutLengthEndsWithTheConnection) {
  Recorder recorder;
  get(recorder);
  auto& peer = connection();
  peer.send("HTTP/1.0 200 OK\r\n\r\nall of it");
  run_until([&] { return recorder.body == "all of it"; });
  EXPECT_FALSE(recorder.end);
  peer.close();
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::complete);
}

TEST_F(ClientTest, GarbageIsBroken) {
  Recorder recorder;
  get(recorder);
  connection().send("this is not HTTP at all\r\n\r\n");
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::broken);
  EXPECT_EQ(recorder.heads, 0);
}

TEST_F(ClientTest, RedirectsAreAnswersLikeOthers) {
  Recorder recorder;
  get(recorder);
  connection().send("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::complete);
  EXPECT_EQ(recorder.last_head.status, 302);
}

TEST_F(ClientTest, TooLargeABody) {
  for (const char* head : {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"}) {
    server_.connections.clear();
    Recorder recorder;
    get(recorder, {}, {.body_bytes_max = 10});
    auto& peer = connection();
    peer.send(std::string(head) + "0123456789");
    run_until([&] { return recorder.body.size() == 10; });
    EXPECT_FALSE(recorder.end) << "exactly the limit is allowed";
    peer.send("x");
    run_until([&] { return recorder.end.has_value(); });
    EXPECT_EQ(recorder.end->ending, Ending::too_large);
    EXPECT_THAT(recorder.end->detail, HasSubstr("10 bytes"));
    EXPECT_EQ(recorder.body.size(), 10U);
  }
}

TEST_F(ClientTest, TooLargeAHead) {
  Recorder recorder;
  get(recorder, {}, {.header_bytes_max = 1'000});
  std::string head = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 100; ++i) head += "X-" + std::to_string(i) + ": 0123456789\r\n";
  connection().send(head);
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::too_large);
  EXPECT_THAT(recorder.end->detail, HasSubstr("headers"));
  EXPECT_EQ(recorder.heads, 0);
}

TEST_F(ClientTest, TotalTimeoutOnAServerThatNeverAnswers) {
  Recorder recorder;
  get(recorder, {.total = milliseconds(50)});
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::total_timeout);
  EXPECT_EQ(client_->transfers(), 0U);
}

TEST_F(ClientTest, TotalTimeoutInTheMiddleOfAStream) {
  Recorder recorder;
  get(recorder, {.total = time_for_a_beginning});
  auto& peer = connection();
  peer.send(std::string(chunked_head));
  peer.send_chunk("some");
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::total_timeout);
  EXPECT_EQ(recorder.body, "some");
}

TEST_F(ClientTest, ConnectTimeoutWhereTheHandshakeNeverEnds) {
  Recorder recorder;
  // The name look-up, TCP and TLS count together; this server takes the connection and says nothing to a TLS hello.
  client_->start({.url = "https://127.0.0.1:" + std::to_string(server_.port()) + "/"}, {.connect = milliseconds(50)},
                 {}, recorder);
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::connect_timeout);
}

TEST_F(ClientTest, CancelClosesConnectionSilently) {
  Recorder recorder;
  const TransferId id = get(recorder);
  auto& peer = connection();
  peer.send(std::string(chunked_head));
  peer.send_chunk("some");
  run_until([&] { return recorder.pieces == 1; });
  client_->cancel(id);
  EXPECT_EQ(client_->transfers(), 0U);
  run_until([&] { return peer.ended; });
  EXPECT_FALSE(recorder.end);
  client_->cancel(id);
  client_->resume(id);
  client_->cancel(TransferId{4711});
  settle();
  EXPECT_FALSE(recorder.end);
}

TEST_F(ClientTest, CancelRightAfterStart) {
  Recorder recorder;
  Recorder invalid;
  client_->cancel(get(recorder));
  client_->cancel(client_->start({.url = ""}, {}, {}, invalid));
  settle();
  EXPECT_FALSE(recorder.end);
  EXPECT_FALSE(invalid.end);
}

TEST_F(ClientTest, CancelFromWithinTheListenersCalls) {
  enum class Where { head, body, body_and_pause };
  for (const Where where : {Where::head, Where::body, Where::body_and_pause}) {
    server_.connections.clear();
    client_ = make_client(loop_, {}, metrics_);
    Recorder recorder;
    Recorder other;
    TransferId id{};
    const auto cancel = [&] {
      client_->cancel(id);
      client_->resume(id);
    };
    if (where == Where::head) recorder.at_head = cancel;
    if (where != Where::head) {
      recorder.at_body = [&](std::string_view) {
        cancel();
        return where == Where::body;
      };
    }
    id = get(recorder);
    auto& peer = connection();
    get(other);
    connection(1);
    peer.send(std::string(chunked_head) + "3\r\none\r\n3\r\ntwo\r\n" + std::string(last_chunk));
    run_until([&] { return peer.ended; });
    EXPECT_EQ(recorder.heads, 1);
    EXPECT_EQ(recorder.pieces, where == Where::head ? 0 : 1);
    EXPECT_FALSE(recorder.end);
    server_.connections[1]->send("HTTP/1.1 204 No Content\r\n\r\n");
    run_until([&] { return other.end.has_value(); });
    EXPECT_EQ(other.end->ending, Ending::complete) << "the others go on";
  }
}

TEST_F(ClientTest, OneListenerMayCancelAnothersTransfer) {
  Recorder first;
  Recorder second;
  get(first);
  connection(0);
  const TransferId id = get(second);
  connection(1);
  first.at_body = [&](std::string_view) {
    client_->cancel(id);
    return true;
  };
  // Both are ready in the same batch of events.
  server_.connections[0]->send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
  server_.connections[1]->send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
  run_until([&] { return first.end && server_.connections[1]->ended; });
  EXPECT_FALSE(second.end);
}

TEST_F(ClientTest, StartsFromWithinTheListenersCalls) {
  Recorder first;
  Recorder from_head;
  Recorder from_body;
  Recorder from_end;
  first.at_head = [&] { get(from_head); };
  first.at_body = [&](std::string_view) {
    get(from_body);
    return true;
  };
  first.at_end = [&] { get(from_end); };
  get(first);
  connection().send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
  // The first connection is free again by then, so the third request may come over it or over a third one.
  run_until([&] { return first.end.has_value() && client_->transfers() == 3; });
  for (const auto& peer : server_.connections) peer->received.clear();
  const auto answer_all = [&] {
    for (const auto& peer : server_.connections) {
      if (!peer->has_request()) continue;
      peer->received.clear();
      peer->send("HTTP/1.1 204 No Content\r\n\r\n");
    }
    return from_head.end && from_body.end && from_end.end;
  };
  run_until(answer_all);
}

TEST_F(ClientTest, KeepsConnectionsForTheNextTransfer) {
  for (int i = 0; i < 5; ++i) {
    Recorder recorder;
    get(recorder);
    auto& peer = connection();
    peer.received.clear();
    peer.send(std::string(chunked_head));
    peer.send_chunk("x");
    peer.send(std::string(last_chunk));
    run_until([&] { return recorder.end.has_value(); });
    EXPECT_EQ(recorder.end->ending, Ending::complete);
  }
  EXPECT_EQ(connections_opened(), 1U);
}

TEST_F(ClientTest, AKeptConnectionThatDiedIsReplaced) {
  Recorder first;
  get(first);
  connection().send("HTTP/1.1 204 No Content\r\n\r\n");
  run_until([&] { return first.end.has_value(); });
  server_.connections[0]->close();
  settle();
  Recorder second;
  get(second);
  connection(1).send("HTTP/1.1 204 No Content\r\n\r\n");
  run_until([&] { return second.end.has_value(); });
  EXPECT_EQ(second.end->ending, Ending::complete);
}

TEST_F(ClientTest, SendsBodyOnceIfKeptConnectionEnds) {
  const auto post = [&](Recorder& recorder) {
    client_->start({.method = "POST", .url = server_.url(), .body = "once"}, {}, {}, recorder);
  };
  Recorder first;
  post(first);
  connection().send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  run_until([&] { return first.end.has_value(); });
  connection().received.clear();

  Recorder second;
  post(second);
  run_until([&] { return server_.connections[0]->received.ends_with("once"); });
  server_.connections[0]->reset();
  run_until([&] { return second.end.has_value(); });
  EXPECT_EQ(second.end->ending, Ending::broken);
  EXPECT_EQ(second.end->detail, "the connection ended before a response");
  settle();
  for (std::size_t i = 1; i < server_.connections.size(); ++i) EXPECT_EQ(server_.connections[i]->received, "");

  Recorder third;
  post(third);
  run_until([&] { return server_.connections.size() > 1 && server_.connections.back()->received.ends_with("once"); });
  server_.connections.back()->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  run_until([&] { return third.end.has_value(); });
  EXPECT_EQ(third.end->ending, Ending::complete) << "the handle can be used again";
}

TEST_F(ClientTest, DetailsHoldNoCredentials) {
  server_.stop_listening();
  settle();
  for (const std::string url : {"http://user:hush@127.0.0.1:1/", "http://user:hush@no-such-hush.invalid/",
                                "http://user:hush@127.0.0.1:hush/", "hush://user:hush@h/"}) {
    Recorder recorder;
    client_->start({.url = url, .headers = {{.name = "X-Key", .value = "hush", .secret = true}}}, {}, {}, recorder);
    run_until([&] { return recorder.end.has_value(); });
    EXPECT_NE(recorder.end->ending, Ending::complete);
    EXPECT_THAT(recorder.end->detail, Not(HasSubstr("hush"))) << url;
  }
}

TEST_F(ClientTest, BigBodiesGoOutWhole) {
  std::string body;
  body.resize(20'000'000);
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 % 251);
  Recorder recorder;
  client_->start({.method = "POST", .url = server_.url(), .body = body}, {}, {}, recorder);
  auto& peer = connection();
  const std::size_t head = peer.received.find("\r\n\r\n") + 4;
  run_until([&] { return peer.received.size() == head + body.size(); });
  EXPECT_TRUE(peer.received.ends_with(body));
  peer.send("HTTP/1.1 204 No Content\r\n\r\n");
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::complete);
}

TEST_F(ClientTest, FreesRequestBodyDuringTheStream) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "needs a sanitizer's allocator";
  constexpr std::size_t size = 8 << 20;
  Recorder recorder;
  client_->start({.method = "POST", .url = server_.url(), .body = std::string(size, 'x')}, {}, {}, recorder);
  auto& peer = connection();
  run_until([&] { return peer.received.size() >= size; });
  settle();
  const std::size_t before = tests::allocated_bytes();
  peer.send(std::string(chunked_head));
  run_until([&] { return recorder.heads == 1; });
  EXPECT_LT(tests::allocated_bytes(), before - size / 2) << "the request's body is still held";
  peer.send_chunk("one");
  peer.send(std::string(last_chunk));
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.body, "one");
}

TEST_F(ClientTest, AnEarlyAnswerToABigBody) {
  std::string body;
  body.resize(20'000'000, 'x');
  Recorder recorder;
  client_->start({.method = "POST", .url = server_.url(), .body = std::move(body)}, {}, {}, recorder);
  auto& peer = connection();
  peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmuch");
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.last_head.status, 413);
  EXPECT_EQ(recorder.body, "much");
}

TEST_F(ClientTest, BackPressureReachesTheSender) {
  constexpr std::size_t total = 64 << 20;
  Recorder recorder;
  recorder.keep_body = false;
  recorder.at_body = [](std::string_view) { return false; };
  const TransferId id = get(recorder);
  auto& peer = connection();
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(total) + "\r\n\r\n");
  for (std::size_t i = 0; i < total; i += 1 << 20) peer.send(std::string(1 << 20, 'x'));
  run_until([&] { return recorder.pieces == 1; });
  settle();
  EXPECT_EQ(recorder.pieces, 1) << "nothing more until resume()";
  EXPECT_LE(recorder.body_bytes, 64U * 1024);
  EXPECT_LT(peer.sent_bytes, total / 2) << "the sender is held up once the kernel's buffers are full";

  client_->resume(id);
  EXPECT_EQ(recorder.pieces, 1) << "not from inside resume()";
  run_until([&] { return recorder.pieces == 2; });
  settle();
  EXPECT_EQ(recorder.pieces, 2);
  EXPECT_LE(recorder.largest, 64U * 1024);

  recorder.at_body = [](std::string_view) { return true; };
  client_->resume(id);
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::complete);
  EXPECT_EQ(recorder.body_bytes, total);
}

TEST_F(ClientTest, PausingAtEveryPieceLosesNothing) {
  Recorder recorder;
  TransferId id{};
  recorder.at_body = [](std::string_view) { return false; };
  id = get(recorder);
  std::string expected;
  std::string answer(chunked_head);
  for (int i = 0; i < 300; ++i) {
    const std::string piece = "piece " + std::to_string(i) + "\n";
    expected += piece;
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
    answer += size.data() + piece + "\r\n";
  }
  // All chunks and the end of the body lie in few packets, so that libcurl holds back several when it is paused.
  auto& peer = connection();
  peer.send(answer + std::string(last_chunk));
  int seen = 0;
  while (!recorder.end) {
    run_until([&] { return recorder.pieces > seen || recorder.end; });
    settle();
    EXPECT_LE(recorder.pieces, seen + 1) << "one piece a resume()";
    seen = recorder.pieces;
    client_->resume(id);
    client_->resume(id);
  }
  EXPECT_EQ(recorder.body, expected);
  EXPECT_EQ(recorder.end->ending, Ending::complete);
}

TEST_F(ClientTest, ResumeBeforeTheFalseThatItAnswers) {
  Recorder recorder;
  TransferId id{};
  recorder.at_body = [&](std::string_view) {
    client_->resume(id);
    return false;
  };
  id = get(recorder);
  auto& peer = connection();
  peer.send(std::string(chunked_head) + "1\r\na\r\n1\r\nb\r\n" + std::string(last_chunk));
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.body, "ab");
}

TEST_F(ClientTest, ResumeWithoutPauseChangesNothing) {
  Recorder recorder;
  recorder.at_body = [](std::string_view) { return false; };
  const TransferId id = get(recorder);
  client_->resume(id);
  auto& peer = connection();
  client_->resume(id);
  peer.send(std::string(chunked_head) + "1\r\na\r\n1\r\nb\r\n");
  run_until([&] { return recorder.pieces == 1; });
  settle();
  EXPECT_EQ(recorder.pieces, 1);
}

TEST_F(ClientTest, CancelWhilePaused) {
  Recorder recorder;
  recorder.at_body = [](std::string_view) { return false; };
  const TransferId id = get(recorder);
  auto& peer = connection();
  peer.send(std::string(chunked_head) + "1\r\na\r\n1\r\nb\r\n");
  run_until([&] { return recorder.pieces == 1; });
  client_->resume(id);
  client_->cancel(id);
  run_until([&] { return peer.ended; });
  EXPECT_EQ(recorder.pieces, 1);
  EXPECT_FALSE(recorder.end);
}

TEST_F(ClientTest, ReportsHangUpWhilePausedOnceAndLast) {
  Recorder recorder;
  recorder.at_body = [](std::string_view) { return false; };
  const TransferId id = get(recorder);
  auto& peer = connection();
  peer.send(std::string(chunked_head) + "1\r\na\r\n");
  run_until([&] { return recorder.pieces == 1; });
  peer.send("1\r\nb\r\n");
  run_until([&] { return peer.sent_bytes == chunked_head.size() + 12; });
  peer.close();
  settle();  // would never come to rest if the hang-up were reported again and again
  EXPECT_EQ(recorder.pieces, 1);
  EXPECT_FALSE(recorder.end);
  recorder.at_body = nullptr;
  client_->resume(id);
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.body, "ab");
  EXPECT_EQ(recorder.end->ending, Ending::broken);
}

TEST_F(ClientTest, TheTotalClockRunsWhilePaused) {
  Recorder recorder;
  recorder.at_body = [](std::string_view) { return false; };
  get(recorder, {.total = time_for_a_beginning});
  auto& peer = connection();
  peer.send(std::string(chunked_head) + "1\r\na\r\n");
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::total_timeout);
}

TEST_F(ClientTest, FindsTooLargeBodyInPausedBytes) {
  Recorder recorder;
  recorder.at_body = [](std::string_view) { return false; };
  const TransferId id = get(recorder, {}, {.body_bytes_max = 3});
  connection().send(std::string(chunked_head) + "2\r\nab\r\n2\r\ncd\r\n");
  run_until([&] { return recorder.pieces == 1; });
  client_->resume(id);
  run_until([&] { return recorder.end.has_value(); });
  EXPECT_EQ(recorder.end->ending, Ending::too_large);
  EXPECT_EQ(recorder.body, "ab");
}

TEST_F(ClientTest, ManyStreamsAtOnce) {
  constexpr std::size_t count = 200;
  std::vector<Recorder> recorders(count);
  for (std::size_t i = 0; i < count; ++i) {
    recorders[i].at_body = [](std::string_view) { return true; };
    client_->start({.url = server_.url("/" + std::to_string(i) + ".")}, {}, {}, recorders[i]);
  }
  EXPECT_EQ(client_->transfers(), count);
  run_until([&] {
    return server_.connections.size() == count &&
           std::ranges::all_of(server_.connections, [](const auto& peer) { return peer->has_request(); });
  });
  for (const auto& peer : server_.connections) {
    const auto start = peer->received.find('/');
    const std::string number = peer->received.substr(start + 1, peer->received.find('.') - start - 1);
    peer->send(std::string(chunked_head));
    for (int k = 0; k < 5; ++k) peer->send_chunk(number + " ");
    peer->send(std::string(last_chunk));
  }
  run_until([&] { return client_->transfers() == 0; });
  for (std::size_t i = 0; i < count; ++i) {
    std::string expected;
    for (int k = 0; k < 5; ++k) expected += std::to_string(i) + " ";
    EXPECT_EQ(recorders[i].body, expected);
  }
  EXPECT_THAT(metrics_.text(), HasSubstr("http_client_transfers 0\n"));
  EXPECT_THAT(metrics_.text(), HasSubstr("http_client_transfers_total{ending=\"complete\"} 200\n"));
}

TEST_F(ClientTest, AnIdleClientLetsTheLoopRunOut) {
  Recorder recorder;
  get(recorder, {.total = std::chrono::minutes(10)});
  connection().send("HTTP/1.1 204 No Content\r\n\r\n");
  run_until([&] { return recorder.end.has_value(); });
  server_.stop_listening();
  server_.connections[0]->close();
  loop_.restart();
  loop_.run_for(patience);
  EXPECT_TRUE(loop_.stopped()) << "work is left";
}

TEST_F(ClientTest, MayBeDestroyedWithTransfersRunning) {
  Recorder recorder;
  Recorder paused;
  paused.at_body = [](std::string_view) { return false; };
  get(recorder);
  connection(0);
  const TransferId id = get(paused);
  connection(1).send(std::string(chunked_head) + "1\r\na\r\n");
  run_until([&] { return paused.pieces == 1; });
  client_->resume(id);
  client_.reset();
  run_until([&] { return server_.connections[0]->ended && server_.connections[1]->ended; });
  EXPECT_FALSE(recorder.end);
  EXPECT_FALSE(paused.end);
}

}  // namespace
}  // namespace tokenrail::http
