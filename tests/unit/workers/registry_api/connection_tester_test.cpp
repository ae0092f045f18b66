#include "workers/registry_api/connection_tester.hpp"

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/http/scripted_server.hpp"

namespace tokenrail::registry_api {
namespace {

using providers::StageResult;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// ---- places

TEST(TestPlaces, OneOfAConnectionAtATime) {
  TestPlaces places;
  {
    const auto place = places.take("a");
    ASSERT_TRUE(place);
    const auto again = places.take("a");
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().fault, Fault::rate_limited);
    EXPECT_TRUE(places.take("b"));
  }
  EXPECT_TRUE(places.take("a"));
}

TEST(TestPlaces, FewAltogether) {
  TestPlaces places;
  std::vector<TestPlaces::Place> taken;
  for (std::size_t i = 0; i < TestPlaces::places_max; ++i) {
    auto place = places.take(std::to_string(i));
    ASSERT_TRUE(place);
    taken.push_back(std::move(*place));
  }
  const auto refused = places.take("one more");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::rate_limited);
  EXPECT_TRUE(refused.error().retry_after_s);
  taken.pop_back();
  EXPECT_TRUE(places.take("one more"));
}

// ---- runs, against a server on loopback

constexpr std::string_view key = "sk-canary-1234567890";

std::string reply(int status, const std::string& body, const std::string& type = "application/json") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class ConnectionTesterTest : public ::testing::Test {
 protected:
  static http::Egress loopback_opened() { return http::Egress({*http::AddressRange::parse("127.0.0.0/8")}); }

  ConnectionTester::Subject subject(std::string model = {}) {
    return {.org_id = "acme",
            .adapter = "openai",
            .target = {.provider = "openai-compatible",
                       .base_url = server_.url("/v1"),
                       .upstream_name = std::move(model),
                       .credential = {.type = providers::AuthType::bearer, .secret = Secret(key)}}};
  }

  /// Runs the test; each request gets the next of `replies`.
  ConnectionTester::Report run(const http::Egress& egress, ConnectionTester::Subject of,
                               std::vector<std::string> replies = {}) {
    ConnectionTester tester(loop_, {}, egress);
    std::optional<ConnectionTester::Report> report;
    boost::asio::co_spawn(
        loop_, [&]() -> boost::asio::awaitable<void> { report = co_await tester.run(std::move(of)); },
        boost::asio::detached);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    std::size_t answered = 0;
    while (!report && loop_.run_one_until(until) != 0) {
      if (server_.connections.empty() || answered == replies.size()) continue;
      auto& connection = *server_.connections.back();
      if (!connection.has_request()) continue;
      received_ += connection.received;
      connection.received.clear();
      connection.send(replies[answered++]);
    }
    EXPECT_TRUE(report);
    EXPECT_EQ(answered, replies.size());
    return report ? std::move(*report) : ConnectionTester::Report{};
  }

  static std::string words_of(const ConnectionTester::Report& report) {
    std::string text;
    for (const auto& stage : report.stages) {
      text += std::string(text.empty() ? "" : " ") + std::string(name_of(stage.status));
      if (stage.cause) text += ":" + std::string(name_of(*stage.cause));
    }
    return text;
  }

  boost::asio::io_context loop_;
  http::ScriptedServer server_{loop_};
  std::string received_{};
};

TEST_F(ConnectionTesterTest, ListsAndCallsAsRoutingDoes) {
  const auto report =
      run(loopback_opened(), subject("m"),
          {reply(200, R"({"data":[{"id":"m"}]})"),
           reply(200,
                 "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"H\"},\"finish_reason\":\"length\"}]}"
                 "\n\ndata: [DONE]\n\n",
                 "text/event-stream")});
  EXPECT_EQ(words_of(report), "skipped ok skipped ok ok ok");
  EXPECT_THAT(received_, HasSubstr("GET /v1/models"));
  EXPECT_THAT(received_, HasSubstr("POST /v1/chat/completions"));
  EXPECT_THAT(received_, HasSubstr("Authorization: Bearer " + std::string(key)));
  EXPECT_THAT(providers::stages_json(report.stages), Not(HasSubstr(std::string(key))));
}

TEST_F(ConnectionTesterTest, KindOfTheModelPicksTheCall) {
  const auto report = run(loopback_opened(), subject("text-embedding-3-small"),
                          {reply(200, R"({"data":[{"id":"text-embedding-3-small"}]})"),
                           reply(200, R"({"data":[{"index":0,"embedding":[0.5]}]})")});
  EXPECT_EQ(words_of(report), "skipped ok skipped ok ok ok");
  EXPECT_THAT(received_, HasSubstr("POST /v1/embeddings"));
}

TEST_F(ConnectionTesterTest, RefusedKeyIsNotTriedWithACall) {
  const auto report = run(loopback_opened(), subject("m"),
                          {reply(401, R"({"error":{"message":"Invalid key )" + std::string(key) + R"("}})")});
  EXPECT_EQ(words_of(report), "skipped ok skipped failed:auth skipped skipped");
  EXPECT_THAT(providers::stages_json(report.stages), Not(HasSubstr(std::string(key))));
  EXPECT_EQ(report.stages[3].http_status, 401);
}

TEST_F(ConnectionTesterTest, AddressesInsideAreRefusedForOrganisations) {
  EXPECT_EQ(words_of(run({}, subject("m"))), "skipped failed:refused_address skipped skipped skipped skipped");
  EXPECT_THAT(server_.connections, IsEmpty());
  auto of_platform = subject();
  of_platform.org_id = "";
  EXPECT_EQ(words_of(run({}, std::move(of_platform), {reply(200, R"({"data":[]})")})),
            "skipped ok skipped ok ok skipped");
  EXPECT_THAT(server_.connections, SizeIs(1));
}

TEST_F(ConnectionTesterTest, RedirectIsNotFollowed) {
  const auto report =
      run(loopback_opened(), subject(),
          {"HTTP/1.1 302 X\r\nLocation: " + server_.url("/elsewhere") + "\r\nContent-Length: 0\r\n\r\n"});
  EXPECT_EQ(words_of(report), "skipped ok skipped skipped failed:bad_request skipped");
  EXPECT_THAT(server_.connections, SizeIs(1));
}

}  // namespace
}  // namespace tokenrail::registry_api
