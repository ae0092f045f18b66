// Whose warnings the terminal chunk has: those of the call that answers.
#include <gmock/gmock.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A model whose deployment on "a" speaks OpenAI's API, which has no topK, and whose deployment on "b" speaks Ollama's,
/// where this model cannot stop thinking.
class CallWarningsTest : public RouterCoreTest {
 protected:
  CallWarningsTest() {
    events::ModelUpserted event;
    event.version = 2;
    event.cause = "sync";
    event.actor = "test";
    event.model = {.id = "two", .provider = "ollama", .model_name = "two", .slug = "ollama/two", .version = 2};
    for (const auto* const adapter : {"openai", "ollama"}) {
      const std::string connection = adapter == std::string_view("openai") ? "a" : "b";
      event.model.deployments.push_back({.id = "d-" + connection,
                                         .connection_id = connection,
                                         .connection_name = connection,
                                         .provider = "ollama",
                                         .adapter = adapter,
                                         .base_url = "http://" + connection,
                                         .auth_type = "none",
                                         .upstream_name = "gpt-oss:20b",
                                         .priority = static_cast<std::int64_t>(event.model.deployments.size())});
    }
    event.key = events::model_key(event.model);
    EXPECT_EQ(projection.apply(event.key, events::to_json(event)), registry::Projection::Applied::changed);
    restart();
  }
  void restart() {
    make_core(options);
    assign();
  }
  void ask(const std::string& more = R"("topK":5,"reasoning":false,)") {
    request("r1", more, std::nullopt, R"("modelProvider":"ollama","modelName":"two",)");
    settle();
  }
  void answer_openai(std::uint64_t call) {
    http.head(call);
    http.body(call,
              "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"yes\"},\"finish_reason\":\"stop\"}]}\n\n"
              "data: [DONE]\n\n");
    http.end(call);
    settle();
  }
};

TEST_F(CallWarningsTest, AreThoseOfTheFirstCallWhereItAnswers) {
  ask();
  answer_openai(1);
  EXPECT_THAT(chunks().back().warnings, ElementsAre(HasSubstr("topK")));
}

TEST_F(CallWarningsTest, FieldsLeftOutAndEventsSkippedAreCounted) {
  ask(R"("topK":5,)");
  EXPECT_EQ(router_metrics.fields_left_out.value(), 1U);
  http.head(1);
  http.body(1,
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"yes\"}}]}\n\n"
            "data: {this is not JSON\n\n"
            "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
            "data: [DONE]\n\n");
  http.end(1);
  settle();
  EXPECT_EQ(chunks().back().finish_reason, "stop");
  EXPECT_EQ(router_metrics.events_skipped.value(), 1U);
}

TEST_F(CallWarningsTest, AreThoseOfTheFallbackWhereItAnswers) {
  ask();
  http.head(1, 404);
  http.end(1);
  settle();
  core->on_wake();
  ASSERT_EQ(http.started, 2U);
  answer(2);
  settle();
  EXPECT_THAT(chunks().back().warnings, ElementsAre(HasSubstr("thinking")));
}

TEST_F(CallWarningsTest, AreThoseOfTheHedgeWhereItAnswers) {
  options.hedge.after = 2s;
  restart();
  ask();
  wake_after(2s);
  ASSERT_EQ(http.started, 2U);
  answer(2);
  settle();
  EXPECT_THAT(chunks().back().warnings, ElementsAre(HasSubstr("thinking")));
}

TEST_F(CallWarningsTest, OfACallThatWasGivenUpAreNotPublished) {
  ask(R"("topK":5,)");
  http.head(1, 404);
  http.end(1);
  settle();
  core->on_wake();
  answer(2);
  settle();
  EXPECT_THAT(chunks().back().warnings, IsEmpty());
}

}  // namespace
}  // namespace tokenrail::router
