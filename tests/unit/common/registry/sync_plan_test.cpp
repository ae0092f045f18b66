#include "common/registry/sync_plan.hpp"

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SyncPlan, FailuresOfThisProgramLeaveAProviderAnswered) {
  struct Row {
    std::string status;
    std::string error_class;
    bool answered;
  };
  const std::vector<Row> table{
      {"ok", "", true},
      {"held", "", true},
      {"failed", "conflict", true},
      {"failed", "refused", true},
      {"failed", "timeout", false},
      {"failed", "", false},
  };
  for (const auto& row : table)
    EXPECT_EQ(provider_answered(
                  {.connection_id = {}, .trigger = "schedule", .status = row.status, .error_class = row.error_class}),
              row.answered)
        << row.status << " " << row.error_class;
}

events::ModelState served() {
  events::ModelState model;
  model.enabled = true;
  model.deployments = {{}};
  model.deployments[0].enabled = true;
  return model;
}

TEST(SyncPlan, ModelIsRoutableUnlessARuleForbidsIt) {
  EXPECT_TRUE(routable(served(), false));
  struct Row {
    const char* what;
    std::function<void(events::ModelState&)> change;
    bool expired;
    bool routable;
  };
  const std::vector<Row> table{
      {"disabled", [](auto& m) { m.enabled = false; }, false, false},
      {"blocked", [](auto& m) { m.platform_blocked = true; }, false, false},
      {"retired", [](auto& m) { m.lifecycle = "retired"; }, false, false},
      {"deprecated", [](auto& m) { m.lifecycle = "deprecated"; }, false, true},
      {"missing within its grace", [](auto& m) { m.availability = "missing"; }, false, true},
      {"missing past its grace", [](auto& m) { m.availability = "missing"; }, true, false},
      {"without deployments", [](auto& m) { m.deployments.clear(); }, false, false},
      {"switched off where it is served", [](auto& m) { m.deployments[0].enabled = false; }, false, false},
  };
  for (const auto& row : table) {
    auto model = served();
    row.change(model);
    EXPECT_EQ(routable(model, row.expired), row.routable) << row.what;
  }
}

TEST(SyncPlan, EachFieldThatDiffersIsNamed) {
  struct Row {
    const char* field;
    std::function<void(events::ModelState&)> change;
  };
  const std::vector<Row> table{
      {"slug", [](auto& m) { m.slug = "x"; }},
      {"kind", [](auto& m) { m.kind = "x"; }},
      {"displayName", [](auto& m) { m.display_name = "x"; }},
      {"description", [](auto& m) { m.description = "x"; }},
      {"family", [](auto& m) { m.family = "x"; }},
      {"digest", [](auto& m) { m.digest = "x"; }},
      {"lifecycle", [](auto& m) { m.lifecycle = "x"; }},
      {"enabled", [](auto& m) { m.enabled = !m.enabled; }},
      {"platformBlocked", [](auto& m) { m.platform_blocked = true; }},
      {"availability", [](auto& m) { m.availability = "missing"; }},
      {"missingSinceMs", [](auto& m) { m.missing_since_ms = 1; }},
      {"routable", [](auto& m) { m.routable = !m.routable; }},
      {"contextWindow", [](auto& m) { m.context_window = 1; }},
      {"inputTokensMax", [](auto& m) { m.input_tokens_max = 1; }},
      {"outputTokensMax", [](auto& m) { m.output_tokens_max = 1; }},
      {"embeddingDimensions", [](auto& m) { m.embedding_dimensions = 1; }},
      {"capabilities", [](auto& m) { m.capabilities["chat"] = events::Support::supported; }},
      {"isDefault", [](auto& m) { m.is_default = true; }},
      {"deployments", [](auto& m) { m.deployments.clear(); }},
      {"deployments", [](auto& m) { m.deployments[0].enabled = false; }},
      {"deployments", [](auto& m) { m.deployments[0].base_url = "x"; }},
      {"deployments", [](auto& m) { m.deployments[0].credential_version = 2; }},
  };
  for (const auto& row : table) {
    auto model = served();
    row.change(model);
    EXPECT_THAT(changed_fields(served(), model), ElementsAre(row.field));
  }
  auto newer = served();
  newer.version = 7;
  EXPECT_THAT(changed_fields(served(), newer), IsEmpty());
}

}  // namespace
}  // namespace tokenrail::registry
