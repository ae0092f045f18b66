// Several keys of one connection: which one the next call uses, and the call that is made again at once.
#include "workers/router/core/key_rotation.hpp"

#include <gmock/gmock.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(KeyRotation, AKeyIsUsedUntilItRests) {
  KeyRotation keys;
  EXPECT_EQ(keys.choose("c", 3, 0s), 0U);
  EXPECT_EQ(keys.choose("c", 3, 0s), 0U);
  keys.rest("c", 0, 0s, 10s);
  EXPECT_EQ(keys.choose("c", 3, 1s), 1U);
  EXPECT_EQ(keys.choose("c", 3, 20s), 1U) << "the first one has rested, but this one works";
  keys.rest("c", 1, 0s, 30s);
  EXPECT_EQ(keys.choose("c", 3, 20s), 2U);
  keys.rest("c", 2, 0s, 40s);
  EXPECT_EQ(keys.choose("c", 3, 20s), 0U) << "round again";
  EXPECT_EQ(keys.choose("other", 3, 20s), 0U);
}

TEST(KeyRotation, WhereAllRestTheOneThatIsReadyFirstIsUsed) {
  KeyRotation keys;
  keys.rest("c", 0, 0s, 30s);
  keys.rest("c", 1, 0s, 10s);
  keys.rest("c", 2, 0s, 20s);
  EXPECT_EQ(keys.ready_in("c", 3, 9'999ms), 1ms);
  EXPECT_EQ(keys.choose("c", 3, 0s), 1U);
  EXPECT_EQ(keys.ready_in("c", 3, 10s), 0ms);
  EXPECT_EQ(keys.ready_in("c", 4, 0s), 0ms) << "a fourth has never rested";
  EXPECT_EQ(keys.ready_in("other", 2, 0s), 0ms);
}

TEST(KeyRotation, ALongRestIsNotShortened) {
  KeyRotation keys;
  keys.rest("c", 0, 0s, 600s);
  keys.rest("c", 0, 0s, 1s);
  EXPECT_EQ(keys.choose("c", 2, 2s), 1U);
}

TEST(KeyRotation, AKeyThatWorksDoesNotRest) {
  KeyRotation keys;
  keys.rest("c", 0, 0s, 600s);
  EXPECT_EQ(keys.ready_in("c", 1, 0s), 600s);
  keys.works("c", 0);
  EXPECT_EQ(keys.ready_in("c", 1, 0s), 0ms);
  keys.works("other", 3);
}

TEST(KeyRotation, HasABound) {
  KeyRotation keys(2);
  keys.rest("a", 0, 0s, 10s);
  keys.rest("b", 0, 0s, 20s);
  keys.rest("c", 0, 1s, 20s);
  EXPECT_EQ(keys.ready_in("c", 1, 1s), 0ms) << "full";
  keys.rest("c", 0, 10s, 20s);
  EXPECT_EQ(keys.ready_in("c", 1, 10s), 10s) << "what is over makes room";
  EXPECT_EQ(keys.size(), 2U);
}

/// Model "many" on a connection with three keys, and model "llama3" on one without.
class KeysTest : public RouterCoreTest {
 protected:
  KeysTest() {
    const auto* const profile = providers::find_profile("openai");
    std::vector<providers::EnvironmentConnection> connections;
    connections.push_back({.profile = profile, .name = "env-openai", .base_url = "http://many"});
    for (const char* number : {"", "_2", "_3"}) {
      connections.back().keys.push_back(
          {.variable = std::string("OPENAI_API_KEY") + number, .secret = Secret(std::string("sk") + number)});
    }
    credentials = providers::Credentials(std::move(connections));
    events::ModelUpserted event;
    event.version = 2;
    event.cause = "sync";
    event.actor = "test";
    event.model = {.id = "many", .provider = "openai", .model_name = "many", .slug = "openai/many", .version = 2};
    event.model.deployments.push_back({.id = "d-many",
                                       .connection_id = "c-many",
                                       .connection_name = "env-openai",
                                       .provider = "openai",
                                       .adapter = "openai",
                                       .base_url = "http://many",
                                       .auth_type = "bearer",
                                       .upstream_name = "many"});
    event.key = events::model_key(event.model);
    EXPECT_EQ(projection.apply(event.key, events::to_json(event)), registry::Projection::Applied::changed);
    make_core(options);
    assign();
  }
  void ask(const std::string& id) {
    request(id, "", std::nullopt, R"("modelProvider":"openai","modelName":"many",)");
    settle();
  }
  void refuse(std::uint64_t call, int status, std::vector<http::Header> headers = {}) {
    http.calls.at(call).listener->on_head({.status = status, .headers = std::move(headers)});
    http.end(call);
    settle();
    core->on_wake();  // without a delay
    settle();
  }
  void speak_openai(std::uint64_t call) {
    http.head(call);
    http.body(call,
              "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"yes\"},\"finish_reason\":\"stop\"}]}\n\n"
              "data: [DONE]\n\n");
    http.end(call);
    settle();
  }
  std::string key_of(std::uint64_t call) {
    for (const auto& header : http.calls.at(call).request.headers) {
      if (header.name == "Authorization") return header.value;
    }
    return {};
  }
  std::string response_event() {
    std::string last;
    for (const auto& entry : producer->logs[{"llm.audit", 0}]) {
      EXPECT_THAT(*entry.value, Not(HasSubstr("\"sk")));
      if (entry.value->contains("\"llm.response\"")) last = *entry.value;
    }
    return last;
  }
};

TEST_F(KeysTest, ARefusedKeyIsReplacedAtOnceAndRestsForTenMinutes) {
  ask("r1");
  EXPECT_EQ(key_of(1), "Bearer sk");
  refuse(1, 401);
  ASSERT_EQ(http.started, 2U);
  EXPECT_EQ(key_of(2), "Bearer sk_2");
  speak_openai(2);
  EXPECT_EQ(chunks().back().finish_reason, "stop");
  EXPECT_THAT(response_event(), HasSubstr(R"("status":401,"ms":0,"errorClass":"auth","key":"OPENAI_API_KEY")"));
  EXPECT_THAT(response_event(), HasSubstr(R"("key":"OPENAI_API_KEY_2")"));

  ask("r2");
  EXPECT_EQ(key_of(3), "Bearer sk_2") << "the next request does not try the refused one";
  speak_openai(3);
}

TEST_F(KeysTest, AKeyOverItsLimitRestsForItsRetryAfter) {
  ask("r1");
  refuse(1, 429, {{.name = "retry-after", .value = "7"}});
  EXPECT_EQ(key_of(2), "Bearer sk_2");
  refuse(2, 429, {{.name = "retry-after", .value = "20"}});
  EXPECT_EQ(key_of(3), "Bearer sk_3");
  refuse(3, 429, {{.name = "retry-after", .value = "30"}});
  EXPECT_EQ(http.started, 3U) << "no key is ready: it waits";
  wake_after(6'999ms);
  EXPECT_EQ(http.started, 3U);
  wake_after(701ms);  // and up to a tenth more
  settle();
  ASSERT_EQ(http.started, 4U);
  EXPECT_EQ(key_of(4), "Bearer sk") << "the one that is ready first";
}

TEST_F(KeysTest, AKeyThatIsRefusedWithAnotherStatusIsReplaced) {
  ask("r1");
  http.head(1, 400);
  http.body(1, R"({"code":"Client specified an invalid argument","error":"Incorrect API key provided: sk***."})");
  http.end(1);
  settle();
  core->on_wake();
  ASSERT_EQ(http.started, 2U);
  EXPECT_EQ(key_of(2), "Bearer sk_2");
}

TEST_F(KeysTest, ALimitThatIsSaidInsideAnAnswerReplacesTheKey) {
  ask("r1");
  http.head(1);
  http.body(1, "data: {\"error\":{\"message\":\"Rate limit reached\",\"type\":\"rate_limit_error\"}}\n\n");
  http.end(1);
  settle();
  core->on_wake();
  ASSERT_EQ(http.started, 2U);
  EXPECT_EQ(key_of(2), "Bearer sk_2");
}

TEST_F(KeysTest, ALimitThatBreaksAnAnswerOffRestsTheKeyForTheNextRequest) {
  ask("r1");
  http.head(1);
  http.body(1, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"y\"}}]}\n\n");
  http.body(1, "data: {\"error\":{\"message\":\"Rate limit reached\",\"type\":\"rate_limit_error\"}}\n\n");
  http.end(1);
  settle();
  EXPECT_EQ(chunks().back().error_code, "PROVIDER_RATE_LIMITED");
  ask("r2");
  EXPECT_EQ(key_of(2), "Bearer sk_2");
}

TEST_F(KeysTest, WhereEveryKeyIsRefusedTheRequestEndsWithTheError) {
  ask("r1");
  refuse(1, 401);
  refuse(2, 401);
  refuse(3, 401);
  EXPECT_EQ(http.started, 3U);
  EXPECT_EQ(chunks().back().error_code, "PROVIDER_AUTH");
}

TEST_F(KeysTest, OtherFailuresKeepTheKey) {
  ask("r1");
  refuse(1, 500);
  wake_after(10s);
  settle();
  ASSERT_EQ(http.started, 2U);
  EXPECT_EQ(key_of(2), "Bearer sk");
}

TEST_F(KeysTest, AUsedUpLimitRestsTheKeyAndNotTheDeployment) {
  ask("r1");
  http.calls.at(1).listener->on_head({.status = 200,
                                      .headers = {{.name = "x-ratelimit-remaining-requests", .value = "0"},
                                                  {.name = "x-ratelimit-reset-requests", .value = "10s"}}});
  http.body(1,
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"y\"},\"finish_reason\":\"stop\"}]}\n\n"
            "data: [DONE]\n\n");
  http.end(1);
  settle();
  ask("r2");
  EXPECT_EQ(key_of(2), "Bearer sk_2");
}

}  // namespace
}  // namespace tokenrail::router
