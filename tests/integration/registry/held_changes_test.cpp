// What a person decides about changes of a provider's list, on a real PostgreSQL.
#include "common/registry/held_changes.hpp"

#include <gmock/gmock.h>

#include "common/registry/organizations.hpp"
#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using Decision = HeldChanges::Decision;

class HeldChangesTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    database_ = std::make_unique<GovernedDatabase>(options_);
    apply({adding("a"), adding("b")});
  }
  void TearDown() override {
    database_.reset();
    StoreTest::TearDown();
  }
  static Actor root() { return {.name = "cli:root", .all_organizations = true}; }
  HeldChanges held() { return HeldChanges(*database_); }
  std::string hold(HeldChange change) {
    const auto applied = store_->apply(connection_, {.held = {std::move(change)}}, run("held"));
    EXPECT_TRUE(applied.has_value()) << applied.error().detail;
    connection_ = store_->connections()->at(0);
    return store_->held_changes("").value().back().id;
  }
  std::string hold_shrinking() {
    return hold({.model_id = stored("a").state.id,
                 .before = {.context_window = 4096, .capabilities = {{"chat", events::Support::supported}}},
                 .after = {.context_window = 512, .capabilities = {{"chat", events::Support::unsupported}}},
                 .reason = "it would shrink"});
  }
  Result<Document> decide(const std::string& id, Decision decision, Actor actor = root()) {
    return held().decide(actor, {}, id, decision, "because");
  }
  std::string decisions() {
    return sql().run(
        "SELECT string_agg(decision || ' by ' || decided_by || ': ' || decision_reason, ', ') FROM "
        "held_change WHERE decision IS NOT NULL");
  }

  std::unique_ptr<GovernedDatabase> database_;
};

TEST_F(HeldChangesTest, AnAcceptedChangeIsAppliedPublishedAndAudited) {
  const auto id = hold_shrinking();
  const auto page = held().list(root(), {}, {}).value();
  ASSERT_THAT(page.items, SizeIs(1));
  EXPECT_THAT(page.items[0].json, HasSubstr(R"("model" : "ollama/a")"));
  const auto before = outbox().size();

  const auto decided = decide(id, Decision::accept);
  ASSERT_TRUE(decided.has_value()) << decided.error().detail;
  EXPECT_THAT(decided->json, HasSubstr(R"("decision" : "accepted")"));
  EXPECT_EQ(stored("a").state.context_window, 512);
  EXPECT_EQ(stored("a").state.capabilities.at("chat"), events::Support::unsupported);
  EXPECT_EQ(stored("a").state.capabilities.at("vision"), events::Support::unsupported);
  EXPECT_EQ(stored("b").state.context_window, 4096);
  ASSERT_THAT(outbox(), SizeIs(before + 1));
  EXPECT_THAT(*outbox().back().payload, HasSubstr(R"("changedFields":["contextWindow","capabilities"])"));
  EXPECT_EQ(sql().run("SELECT cause || ' ' || actor FROM model_revision ORDER BY version DESC LIMIT 1"),
            "api cli:root");
  EXPECT_EQ(sql().run("SELECT action || ' ' || target_id FROM audit_log"), "held_change.accepted " + id);
  EXPECT_EQ(decisions(), "accepted by cli:root: because");
  EXPECT_EQ(sql().run("SELECT count(*) FROM sync_request"), "1") << "the connection is synced again";
  EXPECT_THAT(store_->held_changes(connection_.id).value(), SizeIs(0)) << "there is nothing more to remember";
  EXPECT_THAT(held().list(root(), {}, {}).value().items, SizeIs(0));
}

TEST_F(HeldChangesTest, RejectedChangeIsKeptAndChangesNoModel) {
  const auto id = hold_shrinking();
  const auto before = outbox().size();
  ASSERT_TRUE(decide(id, Decision::reject).has_value());
  EXPECT_EQ(stored("a").state.context_window, 4096);
  EXPECT_THAT(outbox(), SizeIs(before));
  EXPECT_EQ(sql().run("SELECT action FROM audit_log"), "held_change.rejected");
  const auto rows = store_->held_changes(connection_.id).value();
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].decision, "rejected");
  const auto again = decide(id, Decision::accept);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().kind, ErrorKind::conflict);
  EXPECT_EQ(decisions(), "rejected by cli:root: because");
}

TEST_F(HeldChangesTest, PersonsValuesOutliveAcceptedChange) {
  sql().run("UPDATE model SET override = '{\"contextWindow\": 4096}' WHERE model_name = 'a'");
  ASSERT_TRUE(decide(hold_shrinking(), Decision::accept).has_value());
  EXPECT_EQ(stored("a").state.context_window, 4096);
  EXPECT_EQ(stored("a").state.capabilities.at("chat"), events::Support::unsupported);
}

TEST_F(HeldChangesTest, AcceptedRemovalBeginsGraceOfItsModels) {
  const auto id = hold({.after = {.missing = {"a", "gone before"}}, .reason = "most are gone"});
  ASSERT_TRUE(decide(id, Decision::accept).has_value());
  EXPECT_EQ(stored("a").state.availability, "missing");
  EXPECT_EQ(stored("a").here->missing_runs, 1);
  EXPECT_TRUE(stored("a").state.routable) << "within the grace";
  EXPECT_EQ(stored("b").state.availability, "listed");
  const auto rows = store_->held_changes(connection_.id).value();
  ASSERT_THAT(rows, SizeIs(1)) << "in force until the models are gone or back";
  EXPECT_EQ(rows[0].decision, "accepted");
}

TEST_F(HeldChangesTest, ARemovalLeavesWhatAnotherConnectionListsAvailable) {
  auto db = sql();
  db.run("INSERT INTO connection (provider, name, base_url) VALUES ('ollama', 'second', 'http://h:1')");
  db.run(
      "INSERT INTO deployment (model_id, connection_id, upstream_name) SELECT m.id, c.id, 'a' FROM model m, "
      "connection c WHERE m.model_name = 'a' AND c.name = 'second'");
  ASSERT_TRUE(decide(hold({.after = {.missing = {"a"}}, .reason = "gone"}), Decision::accept).has_value());
  EXPECT_EQ(stored("a").state.availability, "listed");
  EXPECT_EQ(db.run("SELECT string_agg(d.availability, ',' ORDER BY c.name) FROM deployment d JOIN connection c ON "
                   "c.id = d.connection_id JOIN model m ON m.id = d.model_id WHERE m.model_name = 'a'"),
            "missing,listed");
}

TEST_F(HeldChangesTest, AnOrganisationDecidesNothingOfThePlatform) {
  const auto id = hold_shrinking();
  ASSERT_TRUE(Organizations(*database_).create(root(), {.id = "acme", .display_name = "acme"}).has_value());
  const Actor anna{.name = "user:anna", .scope = {.org_id = "acme"}};
  EXPECT_THAT(held().list(anna, {.org_id = "acme"}, {}).value().items, SizeIs(0));
  for (const auto& scope : {Scope{}, Scope{.org_id = "acme"}}) {
    const auto decided = held().decide(anna, scope, id, Decision::accept, "");
    ASSERT_FALSE(decided.has_value());
    EXPECT_EQ(decided.error().kind, ErrorKind::not_found);
  }
  EXPECT_EQ(stored("a").state.context_window, 4096);
}

TEST_F(HeldChangesTest, ADryRunDecidesNothing) {
  const auto id = hold_shrinking();
  auto actor = root();
  actor.dry_run = true;
  ASSERT_TRUE(decide(id, Decision::accept, actor).has_value());
  EXPECT_EQ(stored("a").state.context_window, 4096);
  EXPECT_EQ(sql().run("SELECT count(*) FROM sync_request"), "0");
  EXPECT_THAT(store_->held_changes("").value(), SizeIs(1));
}

}  // namespace
}  // namespace tokenrail::registry
