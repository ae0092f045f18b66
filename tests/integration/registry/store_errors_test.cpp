// What the store says of what PostgreSQL refuses: enough to fix it, and nothing that was bound.
#include <chrono>
#include <functional>
#include <future>
#include <thread>

#include <gmock/gmock.h>

#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

template <class T>
Error error_of(const Result<T>& result) {
  return result ? Error{.kind = ErrorKind::unavailable, .detail = "there was none"} : result.error();
}

class StoreErrors : public StoreTest {
 protected:
  /// Runs once a session waits for another one's lock.
  void when_one_waits(const std::function<void()>& act) {
    auto db = sql();
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    while (db.run("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND "
                  "a.datname = current_database()") == "0") {
      if (std::chrono::steady_clock::now() > give_up) {
        ADD_FAILURE() << "no session waits";
        break;
      }
      std::this_thread::yield();
    }
    act();
  }

  Result<void> apply_beside(const Connection& connection, const SyncPlan& plan) {
    return Store(options_).apply(
        connection, plan, {.connection_id = connection.id, .trigger = "schedule", .status = "ok", .started_ms = 1});
  }

  Connection second() {
    sql().run("INSERT INTO connection (provider, name, base_url) VALUES ('ollama', 'second', 'http://h:1')");
    for (auto& c : store_->connections().value())
      if (c.name == "second") return c;
    return {};
  }
};

TEST_F(StoreErrors, HoldNothingThatWasBound) {
  sql().run("ALTER TABLE provider_snapshot ADD CHECK (octet_length(body) < 10)");
  auto canary_in_the_row = adding("m");
  canary_in_the_row.raw = R"({"key":"CANARY"})";
  canary_in_the_row.after.kind = "nonsense";
  auto canary_as_json = adding("m");
  canary_as_json.raw = "CANARY";
  const auto base_url = store_->ensure_platform_connection(
      {.name = "env-ollama", .provider = "ollama", .base_url = "http://user:CANARY@host"});
  const auto request = store_->sync_request_state("CANARY");
  const auto snapshot = store_->keep_snapshot(connection_, std::string(4'000'000, 'x') + "CANARY");
  struct Row {
    const char* what;
    Error error;
    const char* said;
  };
  const std::vector<Row> table{
      {"a base URL", error_of(base_url), "connection_base_url_check"},
      {"a row", error_of(store_->apply(connection_, {.models = {canary_in_the_row}}, run())), "model_kind_check"},
      {"no JSON", error_of(store_->apply(connection_, {.models = {canary_as_json}}, run())), "22P02"},
      {"no id", error_of(request), "22P02"},
      {"a snapshot", error_of(snapshot), "provider_snapshot_body_check"},
  };
  for (const auto& [what, error, said] : table) {
    SCOPED_TRACE(what);
    EXPECT_EQ(error.kind, ErrorKind::invalid_input);
    EXPECT_THAT(error.detail, HasSubstr(said));
    EXPECT_THAT(error.detail, Not(HasSubstr("CANARY")));
    EXPECT_THAT(error.detail, Not(HasSubstr("INSERT")));
    EXPECT_LT(error.detail.size(), 1'500U);
  }
}

TEST_F(StoreErrors, FailedMigrationRevealsNoRow) {
  sql().run("CREATE TABLE secret (word text); INSERT INTO secret VALUES ('CANARY'), ('CANARY')");
  std::vector<Migration> all(migrations().begin(), migrations().end());
  all.push_back(
      {.version = all.back().version + 1, .name = "unique", .sql = "CREATE UNIQUE INDEX one ON secret (word)"});
  const auto done = migrate(options_, all);
  ASSERT_FALSE(done.has_value());
  EXPECT_THAT(done.error().detail, HasSubstr("could not create unique index \"one\""));
  EXPECT_THAT(done.error().detail, Not(HasSubstr("CANARY")));
}

// ---- another writer was there first: sync again -------------------------------------------------------------------

TEST_F(StoreErrors, ModelAddedByAnotherConnectionIsAConflict) {
  const auto other = second();
  apply({adding("a")});
  const auto late = apply_beside(other, {.models = {adding("a")}});
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::cancelled) << late.error().detail;
  EXPECT_EQ(sql().run("SELECT count(*) FROM model"), "1");
  EXPECT_EQ(sql().run("SELECT count(*) FROM deployment"), "1");
}

TEST_F(StoreErrors, SlugTakenAtTheSameTimeIsAConflict) {
  auto db = sql();
  db.run("BEGIN");
  db.run("INSERT INTO model (provider, model_name, slug) VALUES ('ollama', 'other', 'ollama/a')");
  auto late = std::async(std::launch::async, [&] { return apply_beside(connection_, {.models = {adding("a")}}); });
  when_one_waits([&] { db.run("COMMIT"); });
  const auto applied = late.get();
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().kind, ErrorKind::cancelled) << applied.error().detail;
  EXPECT_TRUE(apply_beside(connection_, {.models = {adding("a")}}).has_value()) << "it takes another slug now";
}

TEST_F(StoreErrors, GivingWayToAnotherWriterIsNoFailure) {
  for (const std::string sqlstate : {"40P01", "40001"}) {
    auto db = sql();
    db.run(
        "CREATE OR REPLACE FUNCTION give_way() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '" +
        sqlstate + "'; END $$");
    db.run("CREATE OR REPLACE TRIGGER give_way BEFORE INSERT ON model EXECUTE FUNCTION give_way()");
    const auto applied = apply_beside(connection_, {.models = {adding("a")}});
    ASSERT_FALSE(applied.has_value());
    EXPECT_EQ(applied.error().kind, ErrorKind::cancelled) << applied.error().detail;
    EXPECT_THAT(applied.error().detail, HasSubstr("deadlock detected"));
  }
}

TEST_F(StoreErrors, OverlappingAppliesWaitForEachOther) {
  const auto other = second();
  std::vector<PlannedModel> models;
  for (int i = 0; i < 80; ++i) models.push_back(adding("m" + std::to_string(i)));
  apply(models);
  SyncPlan plan;
  for (const auto& model : store_->load_models(connection_).value())
    plan.models.push_back(changing(model, PlannedModel::Kind::noted, {}));
  auto backwards = plan;
  std::ranges::reverse(backwards.models);
  for (int round = 0; round < 5; ++round) {
    auto beside = std::async(std::launch::async, [&] { return apply_beside(other, backwards); });
    const auto here = apply_beside(connection_, plan);
    const auto there = beside.get();
    ASSERT_TRUE(here.has_value()) << here.error().detail;
    ASSERT_TRUE(there.has_value()) << there.error().detail;
  }
}

TEST_F(StoreErrors, AppliesAddingSameModelsWaitForEachOther) {
  const auto other = second();
  for (int round = 0; round < 5; ++round) {
    SyncPlan plan;
    for (int i = 0; i < 40; ++i) plan.models.push_back(adding("m" + std::to_string(round * 100 + i)));
    auto backwards = plan;
    std::ranges::reverse(backwards.models);
    auto beside = std::async(std::launch::async, [&] { return apply_beside(other, backwards); });
    const auto here = apply_beside(connection_, plan);
    const auto there = beside.get();
    const auto words = (here ? "" : here.error().detail) + (there ? "" : there.error().detail);
    EXPECT_NE(here.has_value(), there.has_value()) << words;
    EXPECT_THAT(words, HasSubstr("was added by another writer")) << "not a deadlock";
  }
}

}  // namespace
}  // namespace tokenrail::registry
