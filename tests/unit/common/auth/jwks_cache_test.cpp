#include "common/auth/jwks_cache.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/auth/fake_issuer.hpp"
#include "tests/unit/common/auth/signer.hpp"
#include "tests/unit/common/http/scripted_server.hpp"

namespace tokenrail::auth {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
using Need = JwksSchedule::Need;

class JwksCacheTest : public ::testing::Test {
 protected:
  void ask(Need need = Need::keys) {
    const auto place = answers_.size();
    answers_.emplace_back();
    boost::asio::co_spawn(loop_, cache_->keys(need),
                          [this, place](const std::exception_ptr& failure, Result<JwkSet> keys) {
                            EXPECT_FALSE(failure);
                            answers_[place] = std::make_unique<Result<JwkSet>>(std::move(keys));
                          });
    settle();
  }
  void settle() {
    loop_.restart();
    loop_.poll();
  }
  void answer(const std::string& body, int status = 200) {
    issuer_.answer(body, status);
    settle();
  }
  [[nodiscard]] std::size_t keys_of(std::size_t place) const {
    EXPECT_TRUE(answers_.at(place) && *answers_[place]);
    return answers_.at(place) && *answers_[place] ? (*answers_[place])->size() : 0;
  }
  [[nodiscard]] std::string error_of(std::size_t place) const {
    if (!answers_.at(place) || *answers_[place]) return "";
    EXPECT_EQ(answers_[place]->error().kind, ErrorKind::unavailable);
    return answers_[place]->error().detail;
  }

  std::string one_key_ = testing::jwks({testing::keyring().ed25519.jwk("a")});
  std::string two_keys_ = testing::jwks({testing::keyring().ed25519.jwk("a"), testing::keyring().p256.jwk("b")});
  JwksSchedule::Time now_{1000h};
  boost::asio::io_context loop_;
  testing::FakeIssuer issuer_;
  std::unique_ptr<JwksCache> cache_ = std::make_unique<JwksCache>(
      loop_, issuer_, JwksCache::Options{.url = "https://issuer.example/jwks", .now = [this] { return now_; }});
  std::vector<std::unique_ptr<Result<JwkSet>>> answers_;
};

TEST_F(JwksCacheTest, ManyRequestsWaitForOneFetch) {
  for (int i = 0; i < 20; ++i) ask();
  EXPECT_EQ(issuer_.fetches, 1U);
  for (const auto& one : answers_) EXPECT_FALSE(one);
  answer(one_key_);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(keys_of(i), 1U);
  ask();
  EXPECT_EQ(keys_of(20), 1U);
  EXPECT_EQ(issuer_.fetches, 1U);
}

TEST_F(JwksCacheTest, FetchIsBoundedInTimeAndSize) {
  cache_->start();
  settle();
  EXPECT_EQ(issuer_.last_request.url, "https://issuer.example/jwks");
  EXPECT_EQ(issuer_.last_request.method, "GET");
  EXPECT_EQ(issuer_.limits.body_bytes_max, 256U * 1024);
  EXPECT_EQ(issuer_.clocks.total, 5s);
  EXPECT_EQ(issuer_.clocks.connect, 5s);
}

TEST_F(JwksCacheTest, StartFetchesOnceBeforeAnyRequest) {
  EXPECT_THAT(cache_->problem(), HasSubstr("not fetched yet"));
  cache_->start();
  cache_->start();
  settle();
  EXPECT_EQ(issuer_.fetches, 1U);
  answer(one_key_);
  EXPECT_EQ(cache_->problem(), "");
  ask();
  EXPECT_EQ(keys_of(0), 1U);
}

TEST_F(JwksCacheTest, AnswerWithoutKeySetIsAnError) {
  struct Row {
    std::function<void()> answer;
    const char* why;
  };
  for (const auto& row : std::vector<Row>{{[&] { answer(one_key_, 500); }, "status 500"},
                                          {[&] { answer(one_key_, 302); }, "status 302"},
                                          {[&] { answer("<html>"); }, "not a JSON object"},
                                          {[&] {
                                             issuer_.fail(http::Ending::total_timeout, "no answer in 5 s");
                                             settle();
                                           },
                                           "no answer in 5 s"},
                                          {[&] {
                                             issuer_.fail(http::Ending::too_large, "too large");
                                             settle();
                                           },
                                           "too large"}}) {
    const auto place = answers_.size();
    ask();
    ask();
    row.answer();
    EXPECT_THAT(error_of(place), HasSubstr(row.why));
    EXPECT_THAT(error_of(place), HasSubstr("https://issuer.example/jwks"));
    EXPECT_EQ(error_of(place + 1), error_of(place)) << "all that waited";
    EXPECT_THAT(cache_->problem(), HasSubstr(row.why));
    now_ += 2s;
  }
}

TEST_F(JwksCacheTest, UnknownKeyBringsNewerKeys) {
  ask();
  answer(one_key_);
  now_ += 30s;
  ask(Need::unknown_key);
  ask(Need::unknown_key);
  EXPECT_EQ(issuer_.fetches, 2U);
  answer(two_keys_);
  EXPECT_EQ(keys_of(1), 2U);
  EXPECT_EQ(keys_of(2), 2U);
  ask(Need::unknown_key);
  EXPECT_EQ(keys_of(3), 2U) << "answered at once, from what there is";
  EXPECT_EQ(issuer_.fetches, 2U) << "a stranger cannot make us ask the issuer again and again";
}

TEST_F(JwksCacheTest, StaleKeysServeWhileTheIssuerFails) {
  ask();
  answer(one_key_);
  now_ += 11min;
  ask();
  EXPECT_EQ(keys_of(1), 1U) << "without waiting";
  EXPECT_EQ(issuer_.fetches, 2U);
  answer("", 503);
  ask();
  EXPECT_EQ(keys_of(2), 1U);
  EXPECT_EQ(cache_->problem(), "");
  now_ += 24h;
  ask();
  answer("", 503);
  EXPECT_THAT(error_of(3), HasSubstr("status 503"));
  now_ += 2s;
  ask();
  answer(two_keys_);
  EXPECT_EQ(keys_of(4), 2U);
}

TEST_F(JwksCacheTest, AbandonedRequestLeavesFetchToOthers) {
  boost::asio::cancellation_signal give_up;
  bool ended = false;
  boost::asio::co_spawn(loop_, cache_->keys(Need::keys),
                        boost::asio::bind_cancellation_slot(
                            give_up.slot(), [&](const std::exception_ptr&, const Result<JwkSet>&) { ended = true; }));
  settle();
  ask();
  give_up.emit(boost::asio::cancellation_type::terminal);
  settle();
  EXPECT_TRUE(ended);
  EXPECT_FALSE(answers_[0]);
  answer(one_key_);
  EXPECT_EQ(keys_of(0), 1U);
}

TEST_F(JwksCacheTest, RequestsEndWithTheCache) {
  ask();
  cache_.reset();
  settle();
  EXPECT_THAT(error_of(0), HasSubstr("stopping"));
  EXPECT_EQ(issuer_.transfers(), 0U);
}

TEST_F(JwksCacheTest, LoopMayEndDuringAFetch) {
  ask();
  SUCCEED() << "the sanitizer would report what is freed twice or never";
}

/// By the client that the API uses, against a server on loopback.
class JwksOverHttp : public ::testing::Test {
 protected:
  /// The error, or "" with the keys in keys_.
  std::string fetch(const std::string& answer) {
    std::optional<Result<JwkSet>> keys;
    boost::asio::co_spawn(loop_, cache_.keys(Need::keys),
                          [&](const std::exception_ptr&, Result<JwkSet> got) { keys = std::move(got); });
    const auto connections = server_.connections.size();
    run_until([&] { return server_.connections.size() > connections && server_.connections.back()->has_request(); });
    request_ = server_.connections.back()->received;
    server_.connections.back()->send(answer);
    run_until([&] { return keys.has_value(); });
    if (!*keys) return keys->error().detail;
    keys_ = **keys;
    return "";
  }
  void run_until(const std::function<bool()>& done) {
    const auto until = std::chrono::steady_clock::now() + 30s;
    loop_.restart();
    while (!done() && loop_.run_one_until(until) > 0) {
    }
    ASSERT_TRUE(done());
  }

  boost::asio::io_context loop_;
  telemetry::Metrics metrics_;
  http::ScriptedServer server_{loop_};
  std::unique_ptr<http::Client> client_ = http::make_client(loop_, {}, metrics_);
  JwksCache cache_{loop_, *client_, {.url = server_.url("/jwks")}};
  std::string request_;
  JwkSet keys_;
};

TEST_F(JwksOverHttp, KeysAreFetched) {
  const auto body = testing::jwks({testing::keyring().p256.jwk("b")});
  EXPECT_EQ(fetch(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body)), "");
  EXPECT_THAT(request_, ::testing::StartsWith("GET /jwks HTTP/1.1\r\n"));
  EXPECT_NE(keys_.find("b"), nullptr);
}

TEST_F(JwksOverHttp, EndlessAnswerIsCutOff) {
  EXPECT_THAT(fetch("HTTP/1.1 200 OK\r\n\r\n" + std::string(JwkSet::bytes_max + 1, ' ')),
              HasSubstr("the response's body goes over 262144 bytes"));
}

TEST_F(JwksOverHttp, RedirectIsNotFollowed) {
  EXPECT_THAT(fetch("HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"), HasSubstr("status 302"));
  EXPECT_EQ(server_.connections.size(), 1U);
}

}  // namespace
}  // namespace tokenrail::auth
