#include "tests/simulator/name_server.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/http/resolver.hpp"

namespace tokenrail::simulator {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const auto host = boost::asio::ip::address_v4::loopback();
constexpr std::string_view header("\7\7\1\0\0\1\0\0\0\0\0\0", 12);

TEST(NameServer, WhatIsNoQuestionGetsNoAnswer) {
  const std::string question = std::string(header) + std::string("\2ok\4test\0\0\1\0\1", 13);
  ASSERT_TRUE(name_reply(question, host));
  for (std::size_t size = 0; size < question.size(); ++size)
    EXPECT_FALSE(name_reply(std::string_view(question).substr(0, size), host)) << size;
  const auto reply = *name_reply(question, host);
  EXPECT_FALSE(name_reply(reply, host)) << "an answer";
  EXPECT_EQ(reply.substr(0, 2), "\7\7");
  EXPECT_THAT(reply, HasSubstr(std::string("\x7f\0\0\1", 4)));
}

/// The client's own resolver asks it.
class NameServerTest : public ::testing::Test {
 protected:
  http::NameAnswer look_up(const std::string& name) {
    std::optional<http::NameAnswer> answer;
    resolver_->look_up(name, [&](const http::NameAnswer& found) { answer = found; });
    const auto until = std::chrono::steady_clock::now() + 30s;
    loop_.restart();
    while (!answer && loop_.run_one_until(until) != 0) {
    }
    return answer.value_or(http::NameAnswer{.problem = "no answer"});
  }

  boost::asio::io_context loop_{1};
  telemetry::Metrics metrics_;
  NameServer server_{loop_, "127.0.0.1", 0};
  std::unique_ptr<http::Resolver> resolver_ =
      http::make_resolver(loop_, {.servers = {server_.address()}, .first_try = 50ms, .tries = 1}, metrics_);
};

TEST_F(NameServerTest, FirstLabelSaysWhatBecomesOfTheQuestion) {
  const auto found = look_up("api.tokenrail.test");
  ASSERT_EQ(found.addresses.size(), 1U) << found.problem;
  EXPECT_EQ(found.addresses.front().to_string(), "127.0.0.1");
  EXPECT_EQ(look_up("nxdomain.tokenrail.test").problem, "there is no such host");
  // After these answers the next server is asked, and here there is none.
  EXPECT_EQ(look_up("servfail.tokenrail.test").problem, "no name server could be reached");
  EXPECT_EQ(look_up("refused.tokenrail.test").problem, "no name server could be reached");
  EXPECT_EQ(look_up("silent.tokenrail.test").problem, "the name server did not answer");
}

}  // namespace
}  // namespace tokenrail::simulator
