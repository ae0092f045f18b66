#include "common/providers/environment.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::providers {
namespace {

using testing::HasSubstr;
using testing::Not;

config::Values values_of(std::map<std::string, std::string> environment) {
  const auto settings = config::joined({environment_settings()});
  auto loaded = config::load(
      {.settings = settings, .arguments = {}, .environment = std::move(environment), .file_text = {}, .file_name = {}});
  EXPECT_TRUE(loaded) << loaded.error().detail;
  return loaded->values;
}

std::vector<EnvironmentConnection> connections_of(std::map<std::string, std::string> environment) {
  auto connections = environment_connections(values_of(std::move(environment)));
  EXPECT_TRUE(connections) << connections.error().detail;
  return connections ? std::move(*connections) : std::vector<EnvironmentConnection>();
}

events::DeploymentState deployment(std::string provider, std::string connection, std::string base_url) {
  events::DeploymentState state;
  state.provider = std::move(provider);
  state.connection_name = std::move(connection);
  state.base_url = std::move(base_url);
  return state;
}

TEST(EnvironmentConnections, EmptyEnvironmentHasNoConnection) {
  EXPECT_TRUE(connections_of({}).empty());
}

TEST(EnvironmentConnections, KeyMakesConnectionToTheProvider) {
  const auto made = connections_of({{"OPENAI_API_KEY", "sk-1"}, {"HF_TOKEN", "hf-1"}});
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(made[0].name, "env-openai");
  EXPECT_EQ(made[0].base_url, "https://api.openai.com/v1");
  EXPECT_EQ(made[0].keys.at(0).secret.reveal(), "sk-1");
  EXPECT_EQ(made[1].name, "env-huggingface");
}

TEST(EnvironmentConnections, SeveralKeysAreOneConnection) {
  const auto made =
      connections_of({{"OPENAI_API_KEY", "sk-1"}, {"OPENAI_API_KEY_3", "sk-3"}, {"OPENAI_API_KEY_9", "sk-9"}});
  ASSERT_EQ(made.size(), 1U);
  ASSERT_EQ(made[0].keys.size(), 3U);
  EXPECT_EQ(made[0].keys[1].variable, "OPENAI_API_KEY_3");
  EXPECT_EQ(made[0].keys[1].secret.reveal(), "sk-3");
  EXPECT_EQ(made[0].keys[2].variable, "OPENAI_API_KEY_9");
  EXPECT_EQ(connections_of({{"GROQ_API_KEY_2", "only"}}).at(0).keys.at(0).variable, "GROQ_API_KEY_2");
  const auto homeless = environment_connections(values_of({{"AZURE_OPENAI_API_KEY_2", "secret-7"}}));
  ASSERT_FALSE(homeless);
  EXPECT_THAT(homeless.error().detail, HasSubstr("AZURE_OPENAI_API_KEY_2 is set"));
}

TEST(EnvironmentConnections, FurtherKeysAreInNoTable) {
  const auto table = config::markdown_table(environment_settings());
  EXPECT_THAT(table, HasSubstr("Further keys: OPENAI_API_KEY_2 to OPENAI_API_KEY_9."));
  EXPECT_THAT(table, Not(HasSubstr("`OPENAI_API_KEY_2`")));
  EXPECT_THAT(values_of({}).print(), Not(HasSubstr("api_key_2")));
  const auto shown = values_of({{"OPENAI_API_KEY_2", "sk-2"}}).print();
  EXPECT_THAT(shown, HasSubstr("api_key_2"));
  EXPECT_THAT(shown, Not(HasSubstr("sk-2")));
}

TEST(EnvironmentConnections, OwnBaseUrlNeedsNoKey) {
  const auto made = connections_of(
      {{"OPENAI_COMPATIBLE_BASE_URL", "http://Localhost:8000/"}, {"OPENAI_BASE_URL", "http://127.0.0.1:9/v1"}});
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(made[0].base_url, "http://127.0.0.1:9/v1");
  EXPECT_TRUE(made[0].keys.empty());
  EXPECT_EQ(made[1].name, "env-openai-compatible");
  EXPECT_EQ(made[1].base_url, "http://localhost:8000");
}

TEST(EnvironmentConnections, KeyWithoutAddressNamesMissingVariable) {
  const auto made = environment_connections(values_of({{"AZURE_OPENAI_API_KEY", "secret-7"}}));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().detail, HasSubstr("AZURE_OPENAI_ENDPOINT"));
  EXPECT_THAT(made.error().detail, Not(HasSubstr("secret-7")));
}

TEST(ModelsByHand, NeedAProviderThatIsConnected) {
  const auto values = values_of({{"OPENAI_API_KEY", "k"}, {"TOKENRAIL_MODELS", "openai/gpt-x, openai/a/b"}});
  const auto connections = environment_connections(values);
  ASSERT_TRUE(connections);
  const auto models = models_by_hand(values, *connections);
  ASSERT_TRUE(models) << models.error().detail;
  ASSERT_EQ(models->size(), 2U);
  EXPECT_EQ((*models)[1].provider, "openai");
  EXPECT_EQ((*models)[1].name, "a/b");

  for (const auto* wrong : {"gpt-x", "/x", "openai/", "groq/x", "nosuch/x"}) {
    const auto refused = models_by_hand(values_of({{"TOKENRAIL_MODELS", wrong}}), *connections);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_THAT(refused.error().detail, HasSubstr(wrong));
  }
  EXPECT_THAT(models_by_hand(values_of({{"TOKENRAIL_MODELS", "groq/x"}}), *connections).error().detail,
              HasSubstr("GROQ_API_KEY"));
}

TEST(ModelsByHand, NeedNoVariableForOllama) {
  const auto models = models_by_hand(values_of({{"TOKENRAIL_MODELS", "ollama/llama3.2:1b"}}), {});
  ASSERT_TRUE(models) << models.error().detail;
  EXPECT_EQ(models->at(0).provider, "ollama");
  EXPECT_EQ(models->at(0).name, "llama3.2:1b");
}

TEST(Credentials, GoOnlyToTheirConnectionAndAddress) {
  const Credentials credentials(connections_of({{"OPENAI_API_KEY", "sk-1"}, {"ANTHROPIC_API_KEY", "ak-1"}}));
  const auto opened = credentials.open(deployment("openai", "env-openai", "https://api.openai.com/v1/"), 0, {}, 0);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->type, AuthType::bearer);
  EXPECT_EQ(opened->secret.reveal(), "sk-1");
  const auto named = credentials.open(deployment("anthropic", "env-anthropic", "https://api.anthropic.com"), 0, {}, 0);
  ASSERT_TRUE(named);
  EXPECT_EQ(named->type, AuthType::header);
  EXPECT_EQ(named->name, "x-api-key");

  // An organisation's own connection may have any name and any address.
  auto of_an_organisation = deployment("openai", "env-openai", "https://api.openai.com/v1");
  of_an_organisation.connection_org_id = "acme";
  for (const auto& other : {of_an_organisation, deployment("openai", "env-openai", "https://evil.example/v1"),
                            deployment("openai", "mine", "https://api.openai.com/v1"),
                            deployment("groq", "env-openai", "https://api.openai.com/v1")}) {
    const auto refused = credentials.open(other, 0, {}, 0);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail, Not(HasSubstr("sk-1")));
  }
}

TEST(Credentials, AreOpenedByTheirPosition) {
  const Credentials credentials(connections_of({{"OPENAI_API_KEY", "sk-1"}, {"OPENAI_API_KEY_2", "sk-2"}}));
  const auto here = deployment("openai", "env-openai", "https://api.openai.com/v1");
  EXPECT_EQ(credentials.key_count(here), 2U);
  EXPECT_EQ(credentials.open(here, 1, {}, 0)->secret.reveal(), "sk-2");
  EXPECT_EQ(credentials.key_variable(here, 1), "OPENAI_API_KEY_2");
  EXPECT_EQ(credentials.key_variable(here, 2), "");
  const auto elsewhere = deployment("openai", "env-openai", "https://evil.example/v1");
  EXPECT_EQ(credentials.key_count(elsewhere), 0U);
  EXPECT_EQ(credentials.key_variable(elsewhere, 0), "");
  EXPECT_FALSE(credentials.open(elsewhere, 1, {}, 0));
}

TEST(Credentials, ProvidersWithoutKeysNeedNone) {
  const Credentials credentials;
  const auto ollama = credentials.open(deployment("ollama", "env-ollama", "http://localhost:11434"), 0, {}, 0);
  ASSERT_TRUE(ollama);
  EXPECT_TRUE(ollama->secret.empty());
  const auto unknown = credentials.open(deployment("acme-llm", "c", "http://h"), 0, {}, 0);
  EXPECT_TRUE(unknown) << "the profile of an unknown provider says nothing of a key";
  const auto missing = credentials.open(deployment("openai", "env-openai", "https://api.openai.com/v1"), 0, {}, 0);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().detail, HasSubstr("OPENAI_API_KEY"));
}

}  // namespace
}  // namespace tokenrail::providers
