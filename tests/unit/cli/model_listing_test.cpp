#include "cli/model_listing.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cli/table.hpp"

namespace tokenrail::cli {
namespace {

events::ModelState model(std::string name) {
  events::ModelState state;
  state.provider = "ollama";
  state.model_name = name;
  state.slug = "ollama/" + name;
  events::DeploymentState deployment;
  deployment.connection_name = "env-ollama";
  state.deployments.push_back(deployment);
  return state;
}

TEST(ModelListing, ReportsStrongestReason) {
  auto state = model("m");
  EXPECT_EQ(state_word(state), "ready");
  state.routable = false;
  EXPECT_EQ(state_word(state), "not routable");
  state.deployments[0].enabled = false;
  EXPECT_EQ(state_word(state), "not served");
  state.availability = "missing";
  EXPECT_EQ(state_word(state), "missing");
  state.routable = true;
  EXPECT_EQ(state_word(state), "missing (still tried)");
  state.lifecycle = "retired";
  EXPECT_EQ(state_word(state), "retired");
  state.enabled = false;
  EXPECT_EQ(state_word(state), "disabled");
  state.platform_blocked = true;
  EXPECT_EQ(state_word(state), "blocked");
}

TEST(ModelListing, ListsApiDocumentAsState) {
  const auto state = model_of(
      R"({"id":"1","orgId":null,"provider":"ollama","modelName":"a","slug":"ollama/a","kind":"generation",)"
      R"("status":"active","enabled":true,"blocked":false,"isDefault":true,"lifecycle":"active","availability":"listed",)"
      R"("contextWindow":8192,"capabilities":{"chat":"supported","vision":"unknown"},"version":7,"deployments":[)"
      R"({"connection":"env-ollama","enabled":true,"connectionEnabled":true,"params":{"topK":5}},)"
      R"({"connection":"off","enabled":true,"connectionEnabled":false}]})");
  EXPECT_EQ(listing({state}),
            "MODEL               SCOPE     STATE  CONTEXT  CAPABILITIES  CONNECTIONS     PARAMETERS\n"
            "ollama/a (default)  platform  ready  8192     chat          env-ollama,off  env-ollama: {\"topK\":5}\n");
  EXPECT_EQ(state.version, 7);
  EXPECT_TRUE(state.deployments.at(0).enabled);
  EXPECT_FALSE(state.deployments.at(1).enabled);
  EXPECT_EQ(state_word(model_of(R"({"provider":"p","modelName":"m","status":"disabled","enabled":false})")),
            "disabled");
}

TEST(ModelListing, InheritingRowIsEnabledAsRowAbove) {
  const auto inheriting = [](std::string name, std::string org, std::string user = {}) {
    auto row = model(std::move(name));
    row.org_id = std::move(org);
    row.owner_user_id = std::move(user);
    row.inherits = true;
    return row;
  };
  auto off = model("off");
  off.enabled = off.routable = false;
  auto acmes = model("on");
  acmes.org_id = "acme";
  acmes.enabled = acmes.routable = false;
  std::vector models{inheriting("on", "acme", "anna"),
                     inheriting("on", "beta", "anna"),
                     inheriting("on", "beta"),
                     inheriting("off", "beta"),
                     inheriting("off", "beta", "anna"),
                     inheriting("gone", "beta"),
                     model("on"),
                     off,
                     acmes};
  take_inherited(models);
  std::vector<std::string> words;
  for (const auto& one : models) words.push_back(state_word(one));
  EXPECT_EQ(words, (std::vector<std::string>{"disabled", "ready", "ready", "disabled", "disabled", "disabled", "ready",
                                             "disabled", "disabled"}));
  EXPECT_FALSE(models[0].routable);
}

TEST(ModelListing, AnOrganisationSeesItsOwnAndThePlatforms) {
  auto own = model("own");
  own.org_id = "acme";
  auto foreign = model("foreign");
  foreign.org_id = "other";
  auto personal = own;
  personal.owner_user_id = "u";
  const auto seen = seen_by({model("all"), own, foreign, personal}, "acme");
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].model_name, "all");
  EXPECT_EQ(seen[1].model_name, "own");
}

TEST(ModelListing, ColumnsAndUnknowns) {
  auto known = model("llama3.2:1b");
  known.context_window = 131072;
  known.capabilities = {{"tools", events::Support::supported}, {"vision", events::Support::unsupported}};
  EXPECT_EQ(listing({known, model("x")}),
            "MODEL               SCOPE     STATE  CONTEXT  CAPABILITIES  CONNECTIONS\n"
            "ollama/llama3.2:1b  platform  ready  131072   tools         env-ollama\n"
            "ollama/x            platform  ready  ?                      env-ollama\n");
  EXPECT_EQ(listing_json(model("x")),
            R"({"provider":"ollama","modelName":"x","slug":"ollama/x","kind":"generation","state":"ready",)"
            R"("routable":true,"enabled":true,"availability":"listed","default":false,"contextWindow":null,)"
            R"("capabilities":[],"connections":["env-ollama"],"digest":"","version":0})");
}

TEST(ModelListing, DefaultParametersHaveAColumnIfAny) {
  auto tuned = model("tuned");
  tuned.deployments[0].parameters = {.temperature = 0.2, .num_ctx = 8192};
  EXPECT_EQ(listing({tuned, model("x")}),
            "MODEL         SCOPE     STATE  CONTEXT  CAPABILITIES  CONNECTIONS  PARAMETERS\n"
            "ollama/tuned  platform  ready  ?                      env-ollama   {\"temperature\":0.2,\"numCtx\":8192}\n"
            "ollama/x      platform  ready  ?                      env-ollama\n");
  EXPECT_NE(listing_json(tuned).find(
                R"("parameters":[{"connection":"env-ollama","parameters":{"temperature":0.2,"numCtx":8192}}])"),
            std::string::npos)
      << listing_json(tuned);
  auto second = tuned.deployments[0];
  second.connection_name = "other";
  tuned.deployments.push_back(second);
  EXPECT_NE(listing({tuned}).find(R"(env-ollama: {"temperature":0.2,"numCtx":8192}, other: {)"), std::string::npos);
}

TEST(Table, CountsCodePointsNotBytes) {
  EXPECT_EQ(table({{"é", "b"}, {"aa", "c"}}), "é   b\naa  c\n");
}

}  // namespace
}  // namespace tokenrail::cli
