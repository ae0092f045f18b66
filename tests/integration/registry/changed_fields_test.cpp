// What the event of a model says has changed, on a real PostgreSQL.
#include <gmock/gmock.h>

#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::UnorderedElementsAre;

class ChangedFieldsTest : public StoreTest {
 protected:
  /// The model is on a second connection too, which lists it no longer.
  void pass_over_second() {
    auto db = sql();
    db.run("INSERT INTO connection (provider, name, base_url) VALUES ('ollama', 'second', 'http://h:1')");
    db.run(
        "INSERT INTO deployment (model_id, connection_id, upstream_name, availability, missing_since, missing_runs) "
        "SELECT m.id, c.id, 'a', 'missing', now(), 1 FROM model m, connection c WHERE c.name = 'second'");
    auto told = changing(stored("a"), PlannedModel::Kind::updated, {"deployments"});
    apply({told});
  }
  events::ModelUpserted last_event() { return events::parse_model_upserted(*outbox().back().payload).value(); }
  std::string last_revision() {
    return sql().run("SELECT array_to_string(changed_fields, ',') FROM model_revision ORDER BY version DESC LIMIT 1");
  }
};

TEST_F(ChangedFieldsTest, DeploymentPassedOverNoLongerIsNamed) {
  apply({adding("a")});
  pass_over_second();
  ASSERT_EQ(last_event().model.deployments.size(), 2U);
  EXPECT_NE(last_event().model.deployments[0].enabled, last_event().model.deployments[1].enabled);

  auto gone = changing(stored("a"), PlannedModel::Kind::missing, {"availability", "missingSinceMs"});
  gone.after.availability = "missing";
  gone.after.missing_since_ms = gone.here.missing_since_ms = 1'700'000'000'123;
  gone.here.missing_runs = 1;
  apply({gone});
  EXPECT_TRUE(last_event().model.deployments[0].enabled && last_event().model.deployments[1].enabled);
  EXPECT_THAT(last_event().changed_fields, UnorderedElementsAre("availability", "missingSinceMs", "deployments"));
  EXPECT_EQ(last_revision(), "availability,missingSinceMs,deployments");
}

TEST_F(ChangedFieldsTest, PriceThatCameIntoForceIsNamed) {
  apply({adding("a")});
  sql().run(
      "INSERT INTO price (model_id, source, dimension, amount, created_by, effective_from) SELECT id, 'override', "
      "'input', "
      "5, 'ann', now() FROM model");
  apply({changing(stored("a"), PlannedModel::Kind::updated, {"digest"})});
  EXPECT_EQ(last_event().model.prices.input_micros, 5);
  EXPECT_THAT(last_event().changed_fields, UnorderedElementsAre("digest", "prices"));
}

TEST_F(ChangedFieldsTest, FirstEventNamesWhatItsWriterMeant) {
  apply({adding("a")});
  EXPECT_THAT(last_event().changed_fields, UnorderedElementsAre("digest", "enabled"));
}

}  // namespace
}  // namespace tokenrail::registry
