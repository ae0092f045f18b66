// The way back to an earlier revision of a model, on a real PostgreSQL.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/registry/governance_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;

class RollbackTest : public GovernanceTest {
 protected:
  std::int64_t change(const std::string& patch, const Scope& where = {}) {
    const auto changed = models().change(root(), where, "ollama/llama3.2", patch, {});
    EXPECT_TRUE(changed.has_value()) << changed.error().detail;
    return changed ? changed->version : 0;
  }
  std::string back_to(std::int64_t version, const Scope& where = {}) {
    const auto back = models().roll_back(root(), where, "ollama/llama3.2", version, {});
    EXPECT_TRUE(back.has_value()) << back.error().detail;
    return back ? back->json : std::string();
  }
  std::int64_t first_version() { return std::stoll(of_platform("version")); }
  std::string of_platform(const std::string& column) {
    return sql().run("SELECT " + column + " FROM model WHERE org_id IS NULL AND model_name = 'llama3.2'");
  }
};

TEST_F(RollbackTest, RollsBackAllPersonsValues) {
  const auto other = models().get(root(), {}, "ollama/qwen3");
  ASSERT_OK(other);
  const auto before = change(R"({"license":"mit","metadata":{"team":"search"},"tags":["old"]})");
  change(R"({"maintenanceUntil":"2100-01-01T00:00:00Z","maintenanceReason":"disks","lifecycle":"deprecated",)"
         R"("deprecatesAt":"2100-01-01T00:00:00Z","retiresAt":"2100-02-01T00:00:00Z","family":"mine",)"
         R"("license":"apache","metadata":{"team":"chat","more":1},"tags":["new"],"blocked":true,"enabled":false,)"
         R"("capabilities":{"vision":"supported"},"contextWindow":99,"replacementId":")" +
         other->id + R"("})");
  const auto now = back_to(before);
  EXPECT_THAT(now, HasSubstr(R"("maintenanceUntil" : null)"));
  EXPECT_THAT(now, HasSubstr(R"("maintenanceReason" : "")"));
  EXPECT_THAT(now, HasSubstr(R"("replacementId" : null)"));
  EXPECT_THAT(now, HasSubstr(R"("deprecatesAt" : null)"));
  EXPECT_THAT(now, HasSubstr(R"("retiresAt" : null)"));
  EXPECT_THAT(now, HasSubstr(R"("lifecycle" : "active")"));
  EXPECT_THAT(now, HasSubstr(R"("status" : "active")"));
  EXPECT_THAT(now, HasSubstr(R"("license" : "mit")"));
  EXPECT_THAT(now, HasSubstr(R"("tags" : ["old"])"));
  EXPECT_EQ(of_platform("metadata = '{\"team\": \"search\"}'"), "t");
  EXPECT_EQ(of_platform("override - CAST(ARRAY['enabled', 'blocked'] AS text[])"),
            R"({"tags": ["old"], "license": "mit", "metadata": {"team": "search"}})");
}

TEST_F(RollbackTest, ProvidersFactsStayTheProviders) {
  const auto before = first_version();
  change(R"({"hidden":true})");
  EXPECT_THAT(back_to(before), HasSubstr(R"("hidden" : false)"));
  EXPECT_EQ(of_platform("override"), "{}");
  EXPECT_EQ(of_platform("context_window"), "4096");
}

TEST_F(RollbackTest, StateOfEnabledIsThatOfTheRevision) {
  const auto before = first_version();
  const auto disabled = change(R"({"enabled":false})");
  EXPECT_THAT(back_to(before), HasSubstr(R"("enabled" : true)"));
  EXPECT_THAT(back_to(disabled), HasSubstr(R"("enabled" : false)"));

  const auto inherits = change(R"({"displayName":"Ours"})", scope("acme"));
  change(R"({"enabled":true,"displayName":null})", scope("acme"));
  const auto now = back_to(inherits, scope("acme"));
  EXPECT_THAT(now, HasSubstr(R"("inherits" : true)"));
  EXPECT_THAT(now, HasSubstr(R"("displayName" : "Ours")"));
}

// A program from before migration 18 writes revisions without what people had set.
TEST_F(RollbackTest, OlderProgramsRevisionRestoresItsFields) {
  const auto other = models().get(root(), {}, "ollama/qwen3");
  ASSERT_OK(other);
  const auto before = change(R"({"description":"first","maintenanceUntil":"2100-01-01T00:00:00Z","replacementId":")" +
                             other->id + R"("})");
  sql().run(
      "DO $$ BEGIN IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'model_revision' AND "
      "column_name = 'set_by_people') THEN UPDATE model_revision SET set_by_people = NULL; END IF; END $$");
  change(R"({"description":"second","hidden":true,"maintenanceUntil":null,"replacementId":null,"license":"mit"})");
  change(R"({"maintenanceUntil":"2101-01-01T00:00:00Z"})");
  const auto now = back_to(before);
  EXPECT_THAT(now, HasSubstr(R"("description" : "first")"));
  EXPECT_THAT(now, HasSubstr(R"("hidden" : false)"));
  EXPECT_THAT(now, HasSubstr(R"("maintenanceUntil" : "2100-01-01T00:00:00.000Z")"));
  EXPECT_THAT(now, HasSubstr(R"("license" : "mit")"));
  EXPECT_EQ(of_platform("jsonb_exists(override, 'contextWindow')"), "f");
}

}  // namespace
}  // namespace tokenrail::registry
