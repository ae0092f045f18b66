#include "common/http/resolver.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/http/name_server.hpp"

namespace tokenrail::http {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::chrono::seconds patience{120};

class ResolverTest : public ::testing::Test {
 protected:
  void run_until(const std::function<bool()>& done) {
    const auto until = std::chrono::steady_clock::now() + patience;
    loop_.restart();
    while (!done()) {
      if (loop_.run_one_until(until) == 0) break;
    }
    ASSERT_TRUE(done());
  }

  std::unique_ptr<Resolver> make(const ResolverOptions& options) { return make_resolver(loop_, options, metrics_); }

  /// Addresses as text, or the problem.
  std::vector<std::string> look_up(const std::string& name) {
    std::optional<NameAnswer> answer;
    resolver_->look_up(name, [&](const NameAnswer& found) { answer = found; });
    EXPECT_FALSE(answer) << "never from inside look_up()";
    run_until([&] { return answer.has_value(); });
    std::vector<std::string> texts;
    for (const auto& address : answer->addresses) texts.push_back(address.to_string());
    if (texts.empty()) texts.push_back(answer->problem);
    return texts;
  }

  /// A question is asked once: silence lasts as long as a test.
  ResolverOptions patient() {
    auto options = server_.options();
    options.first_try = std::chrono::minutes(10);
    return options;
  }

  boost::asio::io_context loop_;
  telemetry::Metrics metrics_;
  NameServer server_{loop_};
  std::unique_ptr<Resolver> resolver_ = make(patient());
};

TEST_F(ResolverTest, NamedServersAreAskedInsteadOfTheConfigured) {
  NameServer other(loop_);
  auto options = server_.options();
  options.port = 53;
  options.servers = {"127.0.0.1:" + std::to_string(other.options().port)};
  resolver_ = make(options);
  server_.names["api.example"] = {"127.0.0.1"};
  other.names["api.example"] = {"127.0.0.2"};
  EXPECT_THAT(look_up("api.example"), ElementsAre("127.0.0.2"));
  server_.configure("nameserver 127.0.0.9\n");
  EXPECT_THAT(look_up("api.example"), ElementsAre("127.0.0.2")) << "also where resolv.conf changes";
  EXPECT_THAT(server_.questions, IsEmpty());
}

TEST_F(ResolverTest, ServerThatCannotBeReadIsNotReplacedByAnother) {
  auto options = server_.options();
  options.servers = {"nameserver"};
  EXPECT_THROW(make(options), std::runtime_error);
}

TEST_F(ResolverTest, FindsEveryAddress) {
  server_.names["api.example"] = {"127.0.0.1", "127.0.0.2", "::1"};
  EXPECT_THAT(look_up("api.example"), UnorderedElementsAre("127.0.0.1", "127.0.0.2", "::1"));
  ASSERT_NE(resolver_->known("api.example"), nullptr);
  EXPECT_EQ(resolver_->known("other.example"), nullptr);
}

TEST_F(ResolverTest, NoSuchName) {
  EXPECT_THAT(look_up("nowhere.example"), ElementsAre("there is no such host"));
  ASSERT_NE(resolver_->known("nowhere.example"), nullptr) << "a failure is known, too";
}

TEST_F(ResolverTest, ASilentNameServerIsGivenUp) {
  server_.silent = true;
  auto options = server_.options();
  options.first_try = std::chrono::milliseconds(20);
  resolver_ = make(options);
  EXPECT_THAT(look_up("api.example"), ElementsAre("the name server did not answer"));
}

TEST_F(ResolverTest, LocalhostNeedsNoNameServer) {
  server_.silent = true;
  EXPECT_THAT(look_up("localhost"), Contains("127.0.0.1"));
  EXPECT_EQ(server_.asked("localhost"), 0U);
}

TEST_F(ResolverTest, SearchDomainsAreTried) {
  server_.configure("search first.test second.test\nnameserver 127.0.0.1\n");
  resolver_ = make(patient());
  server_.names["ollama.second.test"] = {"127.0.0.7"};
  EXPECT_THAT(look_up("ollama"), ElementsAre("127.0.0.7"));
  EXPECT_THAT(server_.questions, Contains("ollama.first.test"));
}

TEST_F(ResolverTest, ReadsChangedConfigurationBeforeLookUp) {
  // What is being looked up meanwhile is asked again, where the new configuration says.
  server_.silent_about.insert("waits.example");
  server_.names["waits.new.test"] = {"127.0.0.8"};
  server_.names["ollama.new.test"] = {"127.0.0.9"};
  std::optional<NameAnswer> waiting;
  resolver_->look_up("waits", [&](const NameAnswer& answer) { waiting = answer; });
  server_.configure("search new.test\nnameserver 127.0.0.1\noptions ndots:1\n");
  EXPECT_THAT(look_up("ollama"), ElementsAre("127.0.0.9"));
  run_until([&] { return waiting.has_value(); });
  ASSERT_EQ(waiting->addresses.size(), 1U);
  EXPECT_EQ(waiting->addresses[0].to_string(), "127.0.0.8");
}

TEST_F(ResolverTest, CallersOfOneNameShareOneQuestion) {
  server_.silent_about.insert("slow.example");
  server_.names["quick.example"] = {"127.0.0.1"};
  int told = 0;
  for (int i = 0; i < 50; ++i) resolver_->look_up("slow.example", [&](const NameAnswer&) { ++told; });
  look_up("quick.example");
  EXPECT_EQ(told, 0);
  EXPECT_LE(server_.asked("slow.example"), 2U) << "one for each family of addresses";
}

TEST_F(ResolverTest, ASilentNameDoesNotHoldUpOthers) {
  server_.silent_about.insert("slow.example");
  bool told = false;
  resolver_->look_up("slow.example", [&](const NameAnswer&) { told = true; });
  for (int i = 0; i < 20; ++i) {
    const std::string name = "n" + std::to_string(i) + ".example";
    server_.names[name] = {"127.0.0.1"};
    EXPECT_THAT(look_up(name), ElementsAre("127.0.0.1"));
  }
  EXPECT_FALSE(told);
}

TEST_F(ResolverTest, AForgottenWaiterIsNotCalled) {
  server_.names["api.example"] = {"127.0.0.1"};
  const auto id = resolver_->look_up("api.example", [](const NameAnswer&) { FAIL() << "forgotten"; });
  resolver_->forget(id);
  resolver_->forget(id);
  EXPECT_THAT(look_up("api.example"), ElementsAre("127.0.0.1"));
}

TEST_F(ResolverTest, MayBeDestroyedDuringALookUp) {
  server_.silent = true;
  resolver_->look_up("slow.example", [](const NameAnswer&) { FAIL() << "no callback may run"; });
  run_until([&] { return !server_.questions.empty(); });
  resolver_.reset();
}

TEST_F(ResolverTest, MoreNamesThanAllowedAreRefused) {
  server_.silent = true;
  auto options = patient();
  options.cache.lookups_max = 2;
  resolver_ = make(options);
  for (const auto* name : {"a.example", "b.example"}) resolver_->look_up(name, [](const NameAnswer&) { FAIL(); });
  EXPECT_THAT(look_up("c.example"), ElementsAre("2 other names are being looked up, as many as may be"));
}

}  // namespace
}  // namespace tokenrail::http
