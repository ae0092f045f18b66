// What resolution decides, as it reaches the audit log: aliases, and the time for maintenance windows.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "common/events/registry_records.hpp"
#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RoutingTest : public RouterCoreTest {
 protected:
  std::string request_event() {
    for (const auto& entry : producer->logs[{"llm.audit", 0}]) {
      if (entry.value->contains("\"llm.request\"")) return *entry.value;
    }
    return {};
  }
};

TEST_F(RoutingTest, TheAuditEventRecordsWhatWasChosenAndWhy) {
  const auto& known = projection.models().begin()->second;
  const events::RegistryAlias alias{
      .version = 9,
      .alias = "fast",
      .targets = {{.model_id = known.id, .model = {.provider = known.provider, .name = known.model_name}}},
      .cause = "api",
      .actor = "test"};
  projection.apply(record_key(alias), to_json(alias));
  assign();
  request("r1", "", "k", R"("modelName":"fast",)");
  settle();
  EXPECT_EQ(http.started, 1U);
  EXPECT_THAT(request_event(), HasSubstr(R"("modelAsked":{"name":"fast"})"));
  EXPECT_THAT(request_event(), HasSubstr(R"("routing":{"asked":"fast","chosen":")" + known.provider + "/" +
                                         known.model_name + R"(","alias":"fast","reason":"alias","detail":")"));
}

// S3.22
TEST_F(RoutingTest, SourceOfASelectionIsRecordedAndCounted) {
  assign();
  request("r1", "", "k", R"("modelName":"auto",)");
  settle();
  EXPECT_THAT(request_event(), Not(HasSubstr("\"view\"")));
  const events::RegistryView view{.version = 9, .name = "house", .for_auto = true, .cause = "api", .actor = "test"};
  projection.apply(record_key(view), to_json(view));
  request("r2", "", "k2", R"("modelName":"auto",)");
  settle();
  EXPECT_EQ(http.started, 2U);
  const auto counted = metrics.text();
  for (const auto* name : {"", "house"})
    EXPECT_THAT(counted,
                HasSubstr(fmt::format("tokenrail_router_auto_selections_total{{orgId=\"o\",view=\"{}\"}} 1", name)));
  std::size_t named = 0;
  for (const auto& entry : producer->logs[{"llm.audit", 0}])
    if (entry.value->contains(R"("view":"house","reason":"auto")")) ++named;
  EXPECT_EQ(named, 1U);
}

TEST_F(RoutingTest, MaintenanceEndsByTheClockOfTheRouter) {
  auto model = projection.models().begin()->second;
  events::ModelUpserted event;
  event.key = events::model_key(model);
  event.version = model.version = 99;
  event.cause = "api";
  model.maintenance_until_ms = (environment.now().wall + 60s).count();
  event.model = model;
  projection.apply(event.key, events::to_json(event));
  assign();
  const auto named = R"("modelProvider":")" + model.provider + R"(","modelName":")" + model.model_name + R"(",)";
  request("r1", "", "k", named);
  settle();
  ASSERT_EQ(chunks().size(), 1U);
  EXPECT_EQ(chunks()[0].error_code, "MODEL_NOT_ENABLED");
  EXPECT_THAT(chunks()[0].error_message, HasSubstr("under maintenance until"));
  EXPECT_EQ(http.started, 0U);

  environment.advance(61s);
  request("r2", "", "k2", named);
  settle();
  EXPECT_EQ(http.started, 1U);
}

}  // namespace
}  // namespace tokenrail::router
