// What the store writes down of syncs, and how it is rid of it again.
#include <chrono>

#include <gmock/gmock.h>

#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;

class StoreHistory : public StoreTest {
 protected:
  void hold() {
    auto open = open_changes();
    if (open.empty()) open.push_back({.after = {.missing = {"a"}}, .reason = "the list is empty"});
    record({.held = std::move(open)}, run("held"));
  }
  std::vector<HeldChange> open_changes() {
    auto rows = store_->held_changes(connection_.id).value();
    std::erase_if(rows, [](const HeldChange& row) { return !row.decision.empty(); });
    return rows;
  }
  /// A list that no longer makes the held change.
  SyncPlan fine() {
    SyncPlan plan;
    for (const auto& row : open_changes()) plan.ended.push_back(row.id);
    return plan;
  }
  void record(const SyncPlan& plan, const SyncRun& run) {
    const auto applied = store_->apply(connection_, plan, run);
    ASSERT_TRUE(applied.has_value()) << applied.error().detail;
    connection_ = store_->connections()->at(0);
  }
  void fail_once() {
    auto failed = run("failed");
    failed.error_class = "unreachable";
    record({}, failed);
  }
  std::string count(const std::string& what) { return sql().run("SELECT count(*) FROM " + what); }
};

TEST_F(StoreHistory, PruningKeepsOpenRows) {
  apply({adding("a")});
  const auto asked = store_->request_sync("", person("ann")).value();
  hold();
  auto manual = run();
  manual.request_id = asked;
  record(fine(), manual);
  ASSERT_TRUE(store_->finish_sync_request(asked).has_value());
  hold();
  const auto waiting = store_->request_sync("", person("ann")).value();
  ASSERT_EQ(count("sync_run"), "4");
  ASSERT_EQ(count("held_change"), "2");
  auto db = sql();

  ASSERT_TRUE(store_->prune(std::chrono::hours(1)).has_value());
  EXPECT_EQ(count("sync_run"), "4") << "none is old";

  db.run("UPDATE sync_run SET finished_at = now() - interval '2 hours'");
  db.run("UPDATE held_change SET ended_at = now() - interval '2 hours' WHERE decision IS NOT NULL");
  db.run(
      "UPDATE sync_request SET requested_at = now() - interval '2 hours', finished_at = CASE WHEN finished_at IS "
      "NOT NULL THEN now() - interval '2 hours' END");
  const auto pruned = store_->prune(std::chrono::hours(1));
  ASSERT_TRUE(pruned.has_value()) << pruned.error().detail;
  EXPECT_EQ(db.run("SELECT string_agg(status, ',') FROM sync_run"), "held") << "a person has yet to decide on it";
  EXPECT_EQ(count("held_change WHERE decision IS NULL"), "1");
  EXPECT_EQ(count("held_change"), "1");
  EXPECT_EQ(db.run("SELECT string_agg(id::text, ',') FROM sync_request"), waiting);
}

TEST_F(StoreHistory, KeepsDecisionsInForce) {
  apply({adding("a")});
  hold();
  auto db = sql();
  db.run("UPDATE held_change SET decision = 'rejected', decided_by = 'ann', decided_at = now() - interval '2 hours'");
  ASSERT_TRUE(store_->prune(std::chrono::hours(1)).has_value());
  EXPECT_EQ(count("held_change"), "1");
}

TEST_F(StoreHistory, RecentlyDecidedListKeepsItsRun) {
  apply({adding("a")});
  hold();
  record(fine(), run());
  sql().run("UPDATE sync_run SET finished_at = now() - interval '2 hours'");
  const auto pruned = store_->prune(std::chrono::hours(1));
  ASSERT_TRUE(pruned.has_value()) << pruned.error().detail;
  EXPECT_EQ(count("held_change h JOIN sync_run r ON r.id = h.sync_run_id"), "1");
  EXPECT_EQ(count("sync_run"), "1");
}

TEST_F(StoreHistory, UnprunableRowsDoNotStopPruning) {
  apply({adding("a")});
  ASSERT_TRUE(store_->mark_published({outbox().at(0).seq}).has_value());
  auto db = sql();
  db.run("UPDATE outbox SET published_at = now() - interval '2 hours'");
  db.run("UPDATE sync_run SET finished_at = now() - interval '2 hours'");
  db.run(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN RAISE EXCEPTION 'not today' USING ERRCODE = '23503'; END $$");
  db.run("CREATE TRIGGER refuse BEFORE DELETE ON outbox EXECUTE FUNCTION refuse()");
  const auto pruned = store_->prune(std::chrono::hours(1));
  ASSERT_FALSE(pruned.has_value());
  EXPECT_THAT(pruned.error().detail, HasSubstr("not today"));
  EXPECT_EQ(count("sync_run"), "0");
}

TEST_F(StoreHistory, ASnapshotIsCompressedAndKeptOnce) {
  const std::string body(5000, 'x');
  ASSERT_TRUE(store_->keep_snapshot(connection_, body).has_value());
  auto db = sql();
  db.run("UPDATE provider_snapshot SET fetched_at = now() - interval '1 day'");
  ASSERT_TRUE(store_->keep_snapshot(connection_, body).has_value());
  EXPECT_EQ(
      db.run("SELECT count(*) || ' ' || bool_and(sha256 = sha256(convert_to(repeat('x', 5000), 'UTF8'))) || ' ' || "
             "bool_and(encoding = 'gzip') || ' ' || bool_and(octet_length(body) < 100) || ' ' || "
             "bool_and(fetched_at > now() - interval '1 hour') FROM provider_snapshot"),
      "1 true true true true");
}

TEST_F(StoreHistory, KeepsLastTenSnapshotsOfAConnection) {
  for (int i = 0; i < 13; ++i) ASSERT_TRUE(store_->keep_snapshot(connection_, "list " + std::to_string(i)).has_value());
  EXPECT_EQ(count("provider_snapshot"), "10");
  EXPECT_EQ(count("provider_snapshot WHERE sha256 = sha256('list 3')"), "1");
  EXPECT_EQ(count("provider_snapshot WHERE sha256 = sha256('list 2')"), "0");
}

TEST_F(StoreHistory, ALongTextIsCutBetweenCharacters) {
  auto failed = run("failed");
  failed.error_class = "unreachable";
  failed.detail = std::string(511, 'x') + "\xc3\xa9\xc3\xa9";
  record({}, failed);
  EXPECT_EQ(sql().run("SELECT detail FROM sync_run"), std::string(511, 'x'));

  const auto asked = store_->request_sync("", person(std::string(254, 'y') + "\xe2\x82\xac"));
  ASSERT_TRUE(asked.has_value()) << asked.error().detail;
  EXPECT_EQ(sql().run("SELECT requested_by FROM sync_request"), std::string(254, 'y'));
}

// A user name of an old terminal's encoding, say.
TEST_F(StoreHistory, LeavesOutBytesThatAreNoText) {
  auto failed = run("failed");
  failed.detail = "caf\xe9 said no\n";
  record({}, failed);
  EXPECT_EQ(sql().run("SELECT detail FROM sync_run"), "caf said no");
  ASSERT_TRUE(store_->request_sync("", person("Ren\xe9")).has_value());
  EXPECT_EQ(sql().run("SELECT requested_by FROM sync_request"), "Ren");
  ASSERT_TRUE(store_->request_sync("", person("\xff")).has_value());
  EXPECT_EQ(sql().run("SELECT requested_by FROM sync_request ORDER BY requested_at DESC LIMIT 1"), "unknown");
}

// ---- held changes --------------------------------------------------------------------------------------------------

TEST_F(StoreHistory, AnAcceptedListSaysWhoAcceptedIt) {
  apply({adding("a")});
  hold();
  auto accepting = run();
  accepting.trigger = "manual";
  accepting.request_id = store_->request_sync("", person("ann"), true).value();
  record({.accepted = open_changes()}, accepting);
  EXPECT_EQ(sql().run("SELECT decision || ' by ' || decided_by FROM held_change"), "accepted by ann");
  const auto rows = store_->held_changes(connection_.id).value();
  ASSERT_EQ(rows.size(), 1U) << "in force until its models are gone";
  EXPECT_EQ(rows[0].decision, "accepted");
  EXPECT_EQ(rows[0].after.missing, std::set<std::string>{"a"});
  EXPECT_TRUE(store_->held_changes("").value().empty()) << "nothing waits";
}

TEST_F(StoreHistory, GoodListSupersedesHeldChange) {
  apply({adding("a")});
  hold();
  record(fine(), run());
  EXPECT_EQ(sql().run("SELECT decision || ' by ' || decided_by FROM held_change"), "superseded by registry-sync");
}

TEST_F(StoreHistory, AFailureDecidesNothing) {
  apply({adding("a")});
  hold();
  fail_once();
  EXPECT_EQ(count("held_change WHERE decision IS NULL"), "1");
  hold();
  EXPECT_EQ(count("held_change"), "1") << "the same change still waits";
}

TEST_F(StoreHistory, ReadsHeldChangeAsWritten) {
  apply({adding("a"), adding("b")});
  const HeldChange change{.model_id = stored("a").state.id,
                          .model_name = "a",
                          .before = {.context_window = 4096, .capabilities = {{"chat", events::Support::supported}}},
                          .after = {.context_window = 512, .capabilities = {{"chat", events::Support::unknown}}},
                          .reason = "the context window would shrink"};
  record({.held = {change}}, run("held"));
  record({.held = {change}}, run("held"));
  const auto rows = store_->held_changes("").value();
  ASSERT_EQ(rows.size(), 1U) << "one a model";
  EXPECT_EQ(rows[0].model_name, "a");
  EXPECT_EQ(rows[0].connection_name, "env-ollama");
  EXPECT_EQ(rows[0].before, change.before);
  EXPECT_EQ(rows[0].after, change.after);
  EXPECT_GT(rows[0].since_ms, 0);
  const HeldChange other{.model_id = stored("b").state.id, .after = {.context_window = 1}, .reason = "shrinks"};
  record({.held = {rows[0], other}}, run("held"));
  EXPECT_EQ(count("held_change"), "2");
  EXPECT_EQ(count("outbox WHERE type = 'model_registry.sync.held'"), "3") << "each new one is published";
}

}  // namespace
}  // namespace tokenrail::registry
