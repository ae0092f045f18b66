// Default parameters of deployments: set by a person, kept by syncs, checked by the database.
#include <gmock/gmock.h>

#include "common/registry/call_parameters.hpp"
#include "common/registry/text.hpp"
#include "tests/integration/registry/governance_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* model_name = "llama3.2:latest";
constexpr const char* of_ollama = "ollama/llama3.2:latest";

TEST_F(StoreTest, DefaultParametersArePublishedWithTheModel) {
  apply({adding(model_name)});
  const auto before = stored(model_name).state.version;
  const events::CallDefaults parameters{
      .temperature = 0.2, .stop = {"END"}, .keep_alive = "\"10m\"", .provider_config = R"({"options":{"mirostat":2}})"};
  GovernedDatabase database(options_);
  const auto set = [&] { return CallParameters(database).set(person("ada"), {}, of_ollama, "", parameters); };
  const auto first = set();
  ASSERT_OK(first);
  EXPECT_THAT(first->json, HasSubstr(R"("changed":1)"));
  EXPECT_THAT(first->json, HasSubstr(R"("params":{"temperature":0.2,)"));

  const auto after = stored(model_name);
  EXPECT_EQ(after.state.deployments.at(0).parameters, parameters);
  EXPECT_GT(after.state.version, before);
  const auto event = events::parse_model_upserted(*outbox().back().payload).value();
  EXPECT_EQ(event.model.deployments.at(0).parameters, parameters);
  EXPECT_EQ(event.before_version, before);
  EXPECT_EQ(event.cause, "api");
  EXPECT_EQ(event.actor, "ada");
  EXPECT_THAT(event.changed_fields, ElementsAre("deployments"));

  const auto events_so_far = outbox().size();
  const auto again = set();
  ASSERT_OK(again);
  EXPECT_THAT(again->json, HasSubstr(R"("changed":0)"));
  EXPECT_EQ(again->version, after.state.version);
  EXPECT_EQ(outbox().size(), events_so_far) << "nothing has changed";

  auto sync = changing(after, PlannedModel::Kind::updated, {"digest"});
  sync.after.digest = "sha-2";
  apply({sync});
  EXPECT_EQ(stored(model_name).state.deployments.at(0).parameters, parameters) << "a sync leaves them alone";
}

TEST_F(StoreTest, DefaultParametersNeedAModelAndAConnection) {
  apply({adding(model_name)});
  GovernedDatabase database(options_);
  const auto set = [&](const std::string& model, const std::string& connection) {
    return CallParameters(database).set(person("ada"), {}, model, connection, {.top_k = 1});
  };
  EXPECT_EQ(set("ollama/other", "").error().kind, ErrorKind::not_found);
  EXPECT_EQ(set(of_ollama, "other").error().kind, ErrorKind::not_found);
  EXPECT_THAT(set(of_ollama, "env-ollama")->json, HasSubstr(R"("changed":1)"));
  EXPECT_THAT(set(of_ollama, connection_.id)->json, HasSubstr(R"("changed":0)"));
}

TEST_F(GovernanceTest, DefaultParametersBelongToTheOwnerOfTheDeployments) {
  CallParameters parameters(*database_);
  const auto refused = parameters.set(of("acme"), scope("acme"), "ollama/llama3.2", "", {.top_k = 1});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_EQ(parameters.set(of("acme"), {}, "ollama/llama3.2", "", {.top_k = 1}).error().kind, ErrorKind::forbidden);

  const auto now = parameters.get(root(), {}, "ollama/llama3.2");
  ASSERT_OK(now);
  EXPECT_EQ(parameters.set(root(), {}, "ollama/llama3.2", "", {.top_k = 1}, now->version - 1).error().kind,
            ErrorKind::conflict)
      << "a version that is no longer that of the model";
  ASSERT_OK(parameters.set(root(), {}, "ollama/llama3.2", "", {.top_k = 1}, now->version));
  const auto then = parameters.get(root(), {}, "ollama/llama3.2");
  EXPECT_THAT(then->json, HasSubstr(R"("params":{"topK":1})"));
  EXPECT_GT(then->version, now->version);
}

TEST_F(GovernanceTest, ParametersOfTheModelAreUnderThoseOfItsDeployments) {
  const auto published = [&] {
    const auto event = events::parse_model_upserted(newest("payload")).value();
    return event.model.deployments.at(0).parameters;
  };
  const auto set = [&](const std::string& params) {
    return models().change(root(), {}, "ollama/llama3.2", R"({"params":)" + params + "}", {});
  };
  CallParameters parameters(*database_);
  ASSERT_OK(parameters.set(root(), {}, "ollama/llama3.2", "", {.temperature = 0.2}));
  const auto changed = set(R"({"temperature":1,"topK":40,"stop":"END","normalize":true})");
  ASSERT_OK(changed);
  EXPECT_THAT(changed->json,
              HasSubstr(R"("params" : {"stop": "END", "topK": 40, "normalize": true, "temperature": 1})"));
  EXPECT_EQ(published(), (events::CallDefaults{.temperature = 0.2, .top_k = 40, .stop = {"END"}}));

  const auto now = parameters.get(root(), {}, "ollama/llama3.2");
  ASSERT_OK(now);
  EXPECT_THAT(now->json, HasSubstr(R"("params":{"temperature":0.2},"effective":{"temperature":0.2,"topK":40,)"));
  // The deployment keeps its own alone, also where the model has the same.
  EXPECT_THAT(parameters.set(root(), {}, "ollama/llama3.2", "", {.temperature = 0.2})->json,
              HasSubstr(R"("changed":0)"));
  ASSERT_OK(parameters.set(root(), {}, "ollama/llama3.2", "", {}));
  EXPECT_EQ(published(), (events::CallDefaults{.temperature = 1, .top_k = 40, .stop = {"END"}}));

  ASSERT_OK(set(R"({"topK":null,"stop":null})"));
  EXPECT_EQ(published(), events::CallDefaults{.temperature = 1});
  const auto refused = set(R"({"keepAlive":"soon"})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid_input);
  EXPECT_THAT(refused.error().detail, HasSubstr("keepAlive must be"));
  ASSERT_OK(set("null"));
  EXPECT_EQ(published(), events::CallDefaults{});
}

TEST_F(GovernanceTest, ParametersOfTheModelBelongToTheOwnerOfTheDeployments) {
  const auto set = [&](const std::string& patch) {
    return models().change(of("acme"), scope("acme"), "ollama/llama3.2", patch, {});
  };
  ASSERT_OK(models().change(root(), {}, "ollama/llama3.2", R"({"params":{"topK":1}})", {}));
  EXPECT_THAT(models().get(of("acme"), scope("acme"), "ollama/llama3.2")->json, HasSubstr(R"("params" : {"topK": 1})"));
  const auto refused = set(R"({"params":{"topK":2}})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr("are the platform's"));

  ASSERT_OK(connections().create(of("acme"), scope("acme"),
                                 R"({"provider":"ollama","name":"own","baseUrl":"https://models.example.com"})"));
  const auto own = set(R"({"params":{"topK":2},"deployments":[{"connectionId":"own"}]})");
  ASSERT_OK(own);
  EXPECT_EQ(events::parse_model_upserted(newest("payload"))->model.deployments.at(0).parameters,
            events::CallDefaults{.top_k = 2});
  const auto none = set(R"({"params":null})");
  ASSERT_OK(none);
  EXPECT_THAT(none->json, HasSubstr(R"("params" : {})")) << "the platform's parameters are those of its deployments";
  ASSERT_OK(set(R"({"params":{"topK":3}})"));
  EXPECT_EQ(set(R"({"deployments":[]})").error().kind, ErrorKind::conflict) << "nothing would use its parameters";
}

TEST_F(GovernanceTest, TheDatabaseRefusesParametersOfModelsOutOfBounds) {
  for (const char* params : {R"({"temperature":2.5})", R"({"topP":-1})", R"({"topK":0})", R"({"maxTokens":"1"})",
                             R"({"numCtx":[]})", R"({"normalize":1})", R"({"distanceMetric":"manhattan"})",
                             R"({"batchSize":0})", R"({"providerConfig":[]})", R"({"warmth":1})"}) {
    const auto refused =
        models().change(root(), {}, "ollama/llama3.2", std::string(R"({"params":)") + params + "}", {});
    ASSERT_FALSE(refused.has_value()) << params;
    EXPECT_EQ(refused.error().kind, ErrorKind::invalid_input) << params;
    EXPECT_EQ(refused_field(refused.error().detail), "params") << refused.error().detail;
  }
  ASSERT_OK(models().change(root(), {}, "ollama/llama3.2",
                            R"({"params":{"normalize":false,"distanceMetric":"dot","batchSize":64}})", {}));
}

TEST_F(StoreTest, TheDatabaseRefusesParametersOutOfBounds) {
  apply({adding(model_name)});
  sql().run(
      "CREATE FUNCTION set_params(value jsonb) RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
      "UPDATE deployment SET params = value; RETURN 'taken'; "
      "EXCEPTION WHEN check_violation THEN RETURN 'refused'; END $$");
  for (const char* value :
       {R"({"temperature":2.5})", R"({"temperature":"1"})", R"({"temperature":null})", R"({"topP":-1})",
        R"({"topK":0})", R"({"maxTokens":0})", R"({"numCtx":[]})", R"({"warmth":1})", "[]"}) {
    EXPECT_EQ(sql().run(std::string("SELECT set_params('") + value + "')"), "refused") << value;
  }
  EXPECT_EQ(sql().run("SELECT set_params('{}')"), "taken");
  sql().run(R"(UPDATE deployment SET params = '{"temperature":2,"topP":0,"topK":1}' RETURNING 1)");
  EXPECT_EQ(stored(model_name).state.deployments.at(0).parameters,
            (events::CallDefaults{.temperature = 2, .top_p = 0, .top_k = 1}));
}

TEST_F(StoreTest, UncheckedParameterCostsItselfOnly) {
  apply({adding(model_name)});
  sql().run(R"(UPDATE deployment SET params = '{"topK":7,"keepAlive":"soon"}' RETURNING 1)");
  const auto state = stored(model_name).state;
  EXPECT_EQ(state.deployments.at(0).parameters, events::CallDefaults{.top_k = 7});
  const auto warnings = events::invalid_parameters(state);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr("deployment " + state.deployments.at(0).id));
  EXPECT_THAT(warnings[0], HasSubstr("keepAlive must be"));
}

}  // namespace
}  // namespace tokenrail::registry
