// The bounds of chats, without brokers; tests/integration/test_playground.py shows the rest.
#include "workers/registry_api/chats.hpp"

#include <optional>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Asked = std::expected<http::Reply, Problem>;

class ChatsTest : public testing::Test {
 protected:
  void make(Chats::Options options) {
    options.client.properties = {{"bootstrap.servers", "127.0.0.1:1"}, {"log_level", "2"}};
    options.client.topics = {.requests = "r", .chunks = "c", .cancellations = "x"};
    options.client.lookup_time_max = 300ms;
    chats_ = std::make_unique<Chats>(loop_, std::move(options), metrics_);
  }
  std::shared_ptr<std::optional<Asked>> ask(const std::string& caller) {
    auto asked = std::make_shared<std::optional<Asked>>();
    chat::Question question{.request = {}, .key = "k", .timeout = 60s};
    question.request.request_id = "q";
    question.request.org_id = "acme";
    boost::asio::co_spawn(loop_, chats_->ask(std::move(question), caller, "request-1"),
                          [asked](const std::exception_ptr& failure, Asked answer) {
                            EXPECT_FALSE(failure);
                            *asked = std::move(answer);
                          });
    loop_.restart();
    loop_.poll();
    return asked;
  }
  void run_until(const std::optional<Asked>& asked) {
    loop_.restart();
    for (int i = 0; i < 400 && !asked; ++i) loop_.run_one_for(100ms);
  }

  boost::asio::io_context loop_;
  telemetry::Metrics metrics_;
  std::unique_ptr<Chats> chats_;
};

TEST_F(ChatsTest, MissingBrokersProblemNamesNoAddress) {
  make({});
  const auto asked = ask("ann");
  run_until(*asked);
  ASSERT_TRUE(*asked);
  ASSERT_FALSE(**asked);
  EXPECT_EQ((*asked)->error().fault, Fault::unavailable);
  EXPECT_THAT((*asked)->error().detail, Not(HasSubstr("127.0.0.1")));
}

TEST_F(ChatsTest, FurtherChatsAreRefused) {
  make({.chats_max = 3, .caller_chats_max = 2});
  std::vector<std::shared_ptr<std::optional<Asked>>> waiting{ask("ann"), ask("ann")};
  const auto third = ask("ann");
  ASSERT_TRUE(*third && !**third);
  EXPECT_EQ((*third)->error().fault, Fault::rate_limited);
  EXPECT_THAT((*third)->error().detail, HasSubstr("of this caller"));
  waiting.push_back(ask("bob"));
  const auto fourth = ask("eve");
  ASSERT_TRUE(*fourth && !**fourth);
  EXPECT_EQ((*fourth)->error().fault, Fault::rate_limited);
  // Places are free again once their chats have ended.
  for (const auto& one : waiting) run_until(*one);
  EXPECT_FALSE(*ask("ann")) << "it waits for the brokers";
}

TEST_F(ChatsTest, EndOfTheServiceEndsWhatWaits) {
  make({});
  const auto asked = ask("ann");
  EXPECT_FALSE(*asked);
  chats_.reset();
  run_until(*asked);
  ASSERT_TRUE(*asked);
  ASSERT_FALSE(**asked);
  EXPECT_EQ((*asked)->error().fault, Fault::unavailable);
}

TEST(SseEvent, HasNameAndData) {
  EXPECT_EQ(sse_event("chunk", R"({"a":1})"), "event: chunk\ndata: {\"a\":1}\n\n");
}

}  // namespace
}  // namespace tokenrail::registry_api
