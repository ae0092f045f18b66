// The default parameters of a deployment, from the registry's event to the call and the audit event.
#include <gmock/gmock.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DefaultParametersTest : public RouterCoreTest {
 protected:
  DefaultParametersTest() {
    add_model_on_two_connections();
    // Sent once more with a higher version, now with defaults of its own for each deployment.
    auto model = projection.models().at("_/_/ollama/two");
    model.deployments.at(0).parameters = {.temperature = 0.25, .tokens_max = 64, .num_ctx = 2048};
    model.deployments.at(1).parameters = {.temperature = 0.75};
    events::ModelUpserted event;
    event.key = events::model_key(model);
    event.version = model.version = 3;
    event.cause = "api";
    event.model = model;
    projection.apply(event.key, events::to_json(event));
    options.retry.calls_per_target_max = 1;
    make_core(options);
    assign();
  }
  void ask(const std::string& more = "") {
    request("r1", more, std::nullopt, R"("modelProvider":"ollama","modelName":"two",)");
    settle();
  }
  std::string request_event() {
    for (const auto& entry : producer->logs[{"llm.audit", 0}]) {
      if (entry.value->contains("\"llm.request\"")) return *entry.value;
    }
    return {};
  }
};

TEST_F(DefaultParametersTest, ReachTheCallAndTheAuditEvent) {
  ask(R"("maxTokens":5,)");
  ASSERT_EQ(http.started, 1U);
  EXPECT_THAT(http.calls.at(1).request.body,
              HasSubstr(R"("options":{"temperature":0.25,"num_predict":5,"num_ctx":2048})"));
  EXPECT_THAT(request_event(), HasSubstr(R"("parameters":{"temperature":0.25,"maxTokens":5,"stream":true})"));
}

TEST_F(DefaultParametersTest, AreThoseOfTheDeploymentThatIsCalled) {
  ask();
  http.head(1, 500);
  http.end(1);
  settle();
  wake_after(10s);
  settle();
  ASSERT_EQ(http.started, 2U);
  EXPECT_THAT(http.calls.at(2).request.url, HasSubstr("http://b"));
  EXPECT_THAT(http.calls.at(2).request.body, HasSubstr(R"("options":{"temperature":0.75})"));
  EXPECT_THAT(http.calls.at(2).request.body, Not(HasSubstr("num_ctx")));
}

}  // namespace
}  // namespace tokenrail::router
