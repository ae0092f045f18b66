#include "common/registry/view_members.hpp"

#include <gtest/gtest.h>

#include "tests/unit/common/registry/registry_fixture.hpp"

namespace tokenrail::registry {
namespace {

using events::ViewFilter;

/// A model of the platform that acme has a row of its own for.
class ViewMembersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto platform = model("ollama", "llama3.2");
    platform.display_name = "Llama 3.2";
    platform.tags = {"small", "approved"};
    platform.context_window = 8'192;
    platform.capabilities = {{"tools", events::Support::supported}, {"vision", events::Support::unsupported}};
    platform.prices = {.input_micros = 0, .output_micros = 0};
    put(projection_, platform);
  }

  bool has(ViewFilter filter, std::vector<std::string> pins = {}) {
    const Scopes scopes({.org_id = "acme"});
    const EffectiveModel effective(projection_, scopes, "ollama", "llama3.2");
    return is_in_view({.filter = std::move(filter), .pins = std::move(pins)}, effective);
  }

  Projection projection_;
};

TEST_F(ViewMembersTest, EachPartOfTheFilterNarrows) {
  EXPECT_TRUE(has({}));
  EXPECT_TRUE(has({.kind = "generation"}));
  EXPECT_FALSE(has({.kind = "embedding"}));
  EXPECT_TRUE(has({.provider = "ollama"}));
  EXPECT_FALSE(has({.provider = "openai"}));
  EXPECT_TRUE(has({.status = "active"}));
  EXPECT_FALSE(has({.status = "disabled"}));
  EXPECT_TRUE(has({.search = "LAMA3"}));
  EXPECT_TRUE(has({.search = "llama 3.2"}));
  EXPECT_FALSE(has({.search = "qwen"}));
  EXPECT_TRUE(has({.capabilities = {"tools"}}));
  EXPECT_FALSE(has({.capabilities = {"tools", "vision"}}));
  EXPECT_FALSE(has({.capabilities = {"audio"}})) << "unknown";
  EXPECT_TRUE(has({.tags = {"approved", "small"}}));
  EXPECT_FALSE(has({.tags = {"approved", "large"}}));
  EXPECT_TRUE(has({.context_min = 8'192}));
  EXPECT_FALSE(has({.context_min = 8'193}));
  EXPECT_FALSE(has({.provider = "ollama", .tags = {"large"}})) << "all parts hold";
  EXPECT_FALSE(has({.unknown = true}));
}

TEST_F(ViewMembersTest, FreeMeansEveryPriceIsKnownAndNull) {
  EXPECT_TRUE(has({.free = true}));
  EXPECT_FALSE(has({.free = false}));
  auto paid = model("ollama", "llama3.2");
  paid.deployments[0].prices = events::ModelPrices{.input_micros = 5};
  put(projection_, paid, 2);
  EXPECT_TRUE(has({.free = false})) << "a price of its deployment";
  paid.deployments[0].prices = std::nullopt;
  put(projection_, paid, 3);
  EXPECT_FALSE(has({.free = true}) || has({.free = false})) << "unknown is neither";
}

TEST_F(ViewMembersTest, ScopeIsWhetherTheOrganisationHasARow) {
  EXPECT_TRUE(has({.scope = "platform"}));
  EXPECT_FALSE(has({.scope = "organization"}));
  EXPECT_FALSE(has({.scope = "galaxy"}));
  auto own = model("ollama", "llama3.2", "acme");
  own.tags = {"ours"};
  own.display_name = "Our llama";
  put(projection_, own);
  EXPECT_TRUE(has({.scope = "organization"}));
  EXPECT_FALSE(has({.scope = "platform"}));
  EXPECT_TRUE(has({.search = "our llama", .tags = {"ours"}}));
  EXPECT_FALSE(has({.tags = {"approved"}})) << "its own tags count";
  EXPECT_TRUE(has({.context_min = 8'192})) << "what it leaves open comes from the platform";
}

TEST_F(ViewMembersTest, PinnedModelIsInTheView) {
  EXPECT_TRUE(has({.provider = "openai"}, {"a", "m---ollama-llama3.2"}));
  EXPECT_FALSE(has({.provider = "openai"}, {"a", "b"}));
  put(projection_, model("ollama", "llama3.2", "acme"));
  EXPECT_TRUE(has({.provider = "openai"}, {"m---ollama-llama3.2"})) << "by the platform's row";
  EXPECT_TRUE(has({.unknown = true}, {"m-acme--ollama-llama3.2"})) << "by the organisation's";
}

}  // namespace
}  // namespace tokenrail::registry
