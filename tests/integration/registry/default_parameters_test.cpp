// Default parameters of deployments: set by a person, kept by syncs, checked by the database.
#include <gmock/gmock.h>

#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* model_name = "llama3.2:latest";

TEST_F(StoreTest, DefaultParametersArePublishedWithTheModel) {
  apply({adding(model_name)});
  const auto before = stored(model_name).state.version;
  const events::CallDefaults parameters{
      .temperature = 0.2, .stop = {"END"}, .keep_alive = "\"10m\"", .provider_config = R"({"options":{"mirostat":2}})"};
  const Store::DefaultsChange change{
      .provider = "ollama", .model_name = model_name, .parameters = parameters, .actor = person("ada")};
  EXPECT_EQ(store_->set_call_defaults(change).value(), 1);

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
  EXPECT_EQ(store_->set_call_defaults(change).value(), 0);
  EXPECT_EQ(outbox().size(), events_so_far) << "nothing has changed";

  auto sync = changing(after, PlannedModel::Kind::updated, {"digest"});
  sync.after.digest = "sha-2";
  apply({sync});
  EXPECT_EQ(stored(model_name).state.deployments.at(0).parameters, parameters) << "a sync leaves them alone";
}

TEST_F(StoreTest, DefaultParametersNeedAModelAndAConnection) {
  apply({adding(model_name)});
  const auto set = [&](const std::string& model, const std::string& connection) {
    return store_->set_call_defaults({.provider = "ollama",
                                      .model_name = model,
                                      .connection_name = connection,
                                      .parameters = {.top_k = 1},
                                      .actor = person("ada")});
  };
  EXPECT_EQ(set("other", "").error().kind, ErrorKind::not_found);
  EXPECT_EQ(set(model_name, "other").error().kind, ErrorKind::not_found);
  EXPECT_EQ(set(model_name, "env-ollama").value(), 1);
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
