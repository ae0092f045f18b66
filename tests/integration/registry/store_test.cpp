#include "common/registry/store.hpp"

#include <chrono>
#include <future>

#include <gmock/gmock.h>

#include "common/registry/projection.hpp"
#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(StoreTest, APlanIsRowsRevisionAndOutboxTogether) {
  apply({adding("llama3.2:latest"), adding("hf.co/a/b:Q4_K_M")});

  const auto models = store_->load_models(connection_).value();
  ASSERT_THAT(models, SizeIs(2));
  const auto& m = models[1];
  EXPECT_EQ(m.state.model_name, "llama3.2:latest");
  EXPECT_EQ(m.state.context_window, 4096);
  EXPECT_EQ(m.state.output_tokens_max, std::nullopt);
  EXPECT_EQ(m.state.capabilities.at("vision"), events::Support::unsupported);
  EXPECT_TRUE(m.state.enabled);
  EXPECT_TRUE(m.state.routable);
  EXPECT_EQ(m.details_digest, "sha-1");
  ASSERT_TRUE(m.here.has_value());
  EXPECT_EQ(m.here->missing_since_ms, std::nullopt);
  ASSERT_THAT(m.state.deployments, SizeIs(1));
  EXPECT_EQ(m.state.deployments[0].base_url, "http://localhost:11434");
  EXPECT_EQ(m.state.deployments[0].adapter, "ollama");
  EXPECT_EQ(m.state.deployments[0].upstream_name, "llama3.2:latest");

  const auto records = outbox();
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].key, "_/_/ollama/llama3.2:latest");
  EXPECT_EQ(records[0].type, "model_registry.upserted");
  EXPECT_LT(records[0].seq, records[1].seq);
  const auto event = events::parse_model_upserted(*records[0].payload);
  ASSERT_TRUE(event.has_value()) << event.error().detail;
  EXPECT_EQ(event->version, m.state.version);
  EXPECT_EQ(event->before_version, std::nullopt);
  EXPECT_EQ(event->cause, "sync");
  EXPECT_THAT(event->changed_fields, ElementsAre("digest", "enabled"));
  EXPECT_EQ(event->model.deployments.at(0).id, m.here->id);

  EXPECT_EQ(sql().run("SELECT count(*) FROM model_revision r JOIN outbox o ON o.id = r.event_id AND "
                      "r.snapshot::text = o.payload::text"),
            "2");
  EXPECT_EQ(sql().run("SELECT raw->>'parameterSize' FROM model LIMIT 1"), "8B");
  EXPECT_EQ(sql().run("SELECT count(*) FROM sync_run WHERE status = 'ok'"), "1");
}

TEST_F(StoreTest, TheEventsAreWhatARouterCanHold) {
  apply({adding("a"), adding("b")});
  Projection projection;
  for (const auto& record : outbox())
    EXPECT_EQ(projection.apply(record.key, record.payload), Projection::Applied::changed);
  ASSERT_NE(projection.find("", "", "ollama", "a"), nullptr);
  for (const auto& state : store_->whole_state().value())
    EXPECT_EQ(projection.apply(state.key, state.payload), Projection::Applied::unchanged);
}

TEST_F(StoreTest, VersionsComeFromOneSequence) {
  apply({adding("a"), adding("b")});
  const auto a = stored("a");
  const auto b = stored("b");
  EXPECT_LT(a.state.version, b.state.version);
  auto change = changing(a, PlannedModel::Kind::updated, {"digest"});
  change.after.digest = "sha-2";
  apply({change});
  EXPECT_GT(stored("a").state.version, b.state.version);
  const auto event = events::parse_model_upserted(*outbox().back().payload).value();
  EXPECT_EQ(event.before_version, a.state.version);
  EXPECT_EQ(event.model.digest, "sha-2");
}

TEST_F(StoreTest, AnEmptyPlanWritesNothingAtAll) {
  apply({adding("a")});
  auto db = sql();
  const auto state = [&] {
    return db.run(
        "SELECT (SELECT count(*) FROM sync_run) || ' ' || (SELECT count(*) FROM outbox) || ' ' || "
        "(SELECT max(xmin::text::bigint) FROM model) || ' ' || (SELECT xmin::text FROM connection) || ' ' || "
        "(SELECT last_value FROM registry_version)");
  };
  const auto before = state();
  apply({});
  apply({});
  EXPECT_EQ(state(), before);
}

TEST_F(StoreTest, BookkeepingMakesNeitherVersionNorEvent) {
  apply({adding("a")});
  const auto before = stored("a");
  auto note = changing(before, PlannedModel::Kind::noted, {});
  note.here.missing_runs = 2;
  note.details_digest = "sha-9";
  apply({note});
  const auto after = stored("a");
  EXPECT_EQ(after.state.version, before.state.version);
  EXPECT_EQ(after.here->missing_runs, 2);
  EXPECT_EQ(after.details_digest, "sha-9");
  EXPECT_THAT(outbox(), SizeIs(1));
  EXPECT_EQ(sql().run("SELECT count(*) FROM sync_run"), "1");
}

TEST_F(StoreTest, MissingModelIsRoutableDuringItsGrace) {
  apply({adding("a")});
  auto gone = changing(stored("a"), PlannedModel::Kind::missing, {"availability", "missingSinceMs"});
  gone.after.availability = "missing";
  gone.after.missing_since_ms = gone.here.missing_since_ms = 1'700'000'000'123;
  gone.here.missing_runs = 1;
  apply({gone});
  auto model = stored("a");
  EXPECT_EQ(model.state.availability, "missing");
  EXPECT_EQ(model.state.missing_since_ms, 1'700'000'000'123);
  EXPECT_EQ(model.here->missing_since_ms, 1'700'000'000'123);
  EXPECT_TRUE(model.state.routable);

  auto expired = changing(model, PlannedModel::Kind::expired, {"routable"});
  expired.missing_expired = true;
  apply({expired});
  EXPECT_FALSE(stored("a").state.routable);
  EXPECT_FALSE(events::parse_model_upserted(*outbox().back().payload)->model.routable);

  auto back = changing(stored("a"), PlannedModel::Kind::back, {"availability", "missingSinceMs", "routable"});
  back.after.availability = "listed";
  back.after.missing_since_ms = back.here.missing_since_ms = std::nullopt;
  back.here.missing_runs = 0;
  apply({back});
  EXPECT_TRUE(stored("a").state.routable);
  EXPECT_EQ(stored("a").state.availability, "listed");
}

TEST_F(StoreTest, ModelChangedByAnotherWriterStopsThePlan) {
  apply({adding("a"), adding("b")});
  auto stale = changing(stored("a"), PlannedModel::Kind::updated, {"digest"});
  stale.after.digest = "mine";
  sql().run("UPDATE model SET version = nextval('registry_version'), enabled = false WHERE model_name = 'a'");
  auto other = changing(stored("b"), PlannedModel::Kind::updated, {"digest"});
  other.after.digest = "other";
  const auto applied = store_->apply(connection_, {.models = {other, stale}}, run());
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().kind, ErrorKind::cancelled);
  EXPECT_EQ(stored("b").state.digest, "sha-1");
  EXPECT_THAT(outbox(), SizeIs(2));
}

TEST_F(StoreTest, RefusedValueWritesNothing) {
  auto bad = adding("bad");
  bad.after.kind = "nonsense";
  const auto applied = store_->apply(connection_, {.models = {adding("good"), bad}}, run());
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().kind, ErrorKind::invalid_input);
  EXPECT_THAT(outbox(), IsEmpty());
  EXPECT_THAT(store_->load_models(connection_).value(), IsEmpty());
}

TEST_F(StoreTest, NamesAreDataNeverStatements) {
  const std::string name = "x'); DROP TABLE model; -- :id \\ \" $1 \xc3\xa9";
  auto planned = adding(name);
  planned.raw = R"({"a":"'; DROP TABLE model; --"})";
  apply({planned});
  EXPECT_EQ(stored(name).state.model_name, name);
  EXPECT_EQ(outbox().at(0).key, "_/_/ollama/" + name);
}

TEST_F(StoreTest, NewBaseUrlRepublishesModels) {
  apply({adding("a")});
  EXPECT_EQ(ensure("http://localhost:11434").id, connection_.id);
  EXPECT_THAT(outbox(), SizeIs(1));

  const auto moved = ensure("http://10.0.0.7:11434");
  EXPECT_EQ(moved.id, connection_.id);
  const auto records = outbox();
  ASSERT_THAT(records, SizeIs(2));
  const auto event = events::parse_model_upserted(*records[1].payload).value();
  EXPECT_THAT(event.changed_fields, ElementsAre("deployments"));
  EXPECT_EQ(event.model.deployments.at(0).base_url, "http://10.0.0.7:11434");
  EXPECT_GT(event.version, *event.before_version);
}

TEST_F(StoreTest, PublishesFailuresAndHeldListsOnce) {
  apply({adding("a")});
  auto failed = run("failed");
  failed.error_class = "unreachable";
  failed.detail = "connection refused";
  const auto fail_once = [&] {
    ASSERT_TRUE(store_->record_failure(connection_, failed).has_value());
    connection_ = store_->connections()->at(0);
  };
  fail_once();
  fail_once();
  fail_once();
  EXPECT_EQ(connection_.health, "down");
  EXPECT_EQ(connection_.health_reason, "unreachable");
  EXPECT_EQ(connection_.last_error_class, "unreachable");
  EXPECT_EQ(sql().run("SELECT count(*) FROM sync_run WHERE status = 'failed'"), "1");
  ASSERT_THAT(outbox(), SizeIs(2));
  EXPECT_EQ(outbox()[1].type, "model_registry.sync.completed");
  EXPECT_THAT(*outbox()[1].payload, HasSubstr("unreachable"));

  for (int i = 0; i < 3; ++i) {
    auto held = store_->held_changes(connection_.id).value();
    if (held.empty()) held.push_back({.after = {.missing = {"a"}}, .reason = "the list is empty"});
    ASSERT_TRUE(store_->apply(connection_, {.held = std::move(held)}, run("held")).has_value());
    connection_ = store_->connections()->at(0);
  }
  EXPECT_THAT(outbox(), SizeIs(3));
  EXPECT_EQ(outbox()[2].type, "model_registry.sync.held");
  EXPECT_EQ(sql().run("SELECT reason FROM held_change WHERE decision IS NULL"), "the list is empty");
  EXPECT_EQ(stored("a").state.availability, "listed");

  const auto waiting = store_->held_changes(connection_.id).value().at(0).id;
  ASSERT_TRUE(store_->apply(connection_, {.ended = {waiting}}, run()).has_value());
  connection_ = store_->connections()->at(0);
  EXPECT_EQ(connection_.last_sync_status, "ok");
  EXPECT_EQ(sql().run("SELECT count(*) FROM held_change WHERE decision IS NULL"), "0");
}

TEST_F(StoreTest, HealthIsAnEventWhenItChanges) {
  const auto end_with = [&](const std::string& status, const std::string& error_class) {
    auto ended = run(status);
    ended.error_class = error_class;
    ASSERT_TRUE(store_->apply(connection_, {}, ended).has_value());
    connection_ = store_->connections()->at(0);
  };
  const auto last = [&] { return health_events().back(); };
  end_with("ok", "");
  end_with("ok", "");
  ASSERT_THAT(health_events(), SizeIs(1));
  EXPECT_THAT(last(), HasSubstr(R"(_/_/ollama/_connection {"type":"connection.health_changed")"));
  EXPECT_THAT(last(), HasSubstr(R"("source":"sync","health":"healthy","sinceMs":)"));
  EXPECT_THAT(last(), HasSubstr(R"("previousHealth":"unknown"})"));

  end_with("failed", "auth");
  end_with("failed", "auth");
  ASSERT_THAT(health_events(), SizeIs(2));
  EXPECT_THAT(last(), HasSubstr(R"("health":"down","reason":"auth")"));
  EXPECT_THAT(last(), HasSubstr(R"("previousHealth":"healthy","previousSinceMs":)"));
  const auto since = sql().run("SELECT health_since FROM connection");

  // Another reason is news, but the connection has been down all the time.
  end_with("failed", "connect_failed");
  ASSERT_THAT(health_events(), SizeIs(3));
  EXPECT_THAT(last(), HasSubstr(R"("previousReason":"auth")"));
  EXPECT_EQ(sql().run("SELECT health_since FROM connection"), since);

  // What is this program's own failure says nothing about the provider.
  end_with("failed", "refused");
  end_with("failed", "conflict");
  EXPECT_THAT(health_events(), SizeIs(3));
  EXPECT_EQ(connection_.health, "down");
  EXPECT_EQ(connection_.health_reason, "connect_failed");

  end_with("failed", "rate_limited");
  EXPECT_EQ(connection_.health, "degraded");
  end_with("ok", "");
  EXPECT_EQ(connection_.health, "healthy");
  EXPECT_THAT(health_events(), SizeIs(5));
}

TEST_F(StoreTest, NextSyncResetsHealthSetByATest) {
  apply({});
  sql().run("UPDATE connection SET health = 'down', health_reason = 'auth'");
  connection_ = store_->connections()->at(0);
  apply({});
  EXPECT_EQ(connection_.health, "healthy");
  EXPECT_THAT(health_events(), SizeIs(2));
}

TEST_F(StoreTest, TwoConnectionsServeOneModel) {
  apply({adding("a")});
  auto db = sql();
  db.run("INSERT INTO connection (provider, name, base_url, priority) VALUES ('ollama', 'second', 'http://h:1', -1)");
  const auto second = [&] {
    for (auto& c : store_->connections().value())
      if (c.name == "second") return c;
    return Connection{};
  }();
  auto there = store_->load_models(second).value();
  ASSERT_THAT(there, SizeIs(1));
  EXPECT_FALSE(there[0].here.has_value());
  EXPECT_TRUE(there[0].listed_elsewhere);
  EXPECT_FALSE(there[0].told_elsewhere) << "the second one has priority";

  ASSERT_TRUE(store_
                  ->apply(second, {.models = {changing(there[0], PlannedModel::Kind::linked, {"deployments"})}},
                          {.connection_id = second.id, .trigger = "start", .status = "ok"})
                  .has_value());
  auto here = stored("a");
  ASSERT_THAT(here.state.deployments, SizeIs(2));
  EXPECT_EQ(here.state.deployments[0].connection_name, "second");
  EXPECT_TRUE(here.told_elsewhere);

  // Missing on one of them: that one is passed over, the model stays.
  auto gone = changing(here, PlannedModel::Kind::updated, {"deployments"});
  gone.here.missing_since_ms = 5;
  apply({gone});
  here = stored("a");
  EXPECT_EQ(here.state.availability, "listed");
  EXPECT_TRUE(here.state.deployments[0].enabled);
  EXPECT_FALSE(here.state.deployments[1].enabled);
  EXPECT_TRUE(here.state.routable);
}

TEST_F(StoreTest, ReadsOutboxInOrderUntilMarked) {
  apply({});
  sql().run("DELETE FROM outbox");  // that the connection is healthy now
  apply({adding("a"), adding("b"), adding("c")});
  auto first = store_->unpublished(2).value();
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_EQ(store_->outbox_lag()->rows, 3);
  ASSERT_TRUE(store_->mark_published({first[0].seq, first[1].seq}).has_value());
  const auto rest = store_->unpublished(10).value();
  ASSERT_THAT(rest, SizeIs(1));
  EXPECT_GT(rest[0].seq, first[1].seq);
  ASSERT_TRUE(store_->mark_published({rest[0].seq}).has_value());
  EXPECT_EQ(store_->outbox_lag()->rows, 0);

  ASSERT_TRUE(store_->prune(std::chrono::hours(1)).has_value());
  EXPECT_EQ(sql().run("SELECT count(*) FROM outbox"), "3");
  sql().run("UPDATE outbox SET published_at = now() - interval '2 hours'");
  ASSERT_TRUE(store_->prune(std::chrono::hours(1)).has_value());
  EXPECT_EQ(sql().run("SELECT count(*) FROM outbox"), "0");
}

TEST_F(StoreTest, HistoryFollowsStateRowByRow) {
  using Part = Store::OutboxPart;
  apply({});
  sql().run("DELETE FROM outbox");  // that the connection is healthy now
  apply({adding("a"), adding("b")});
  sql().run(
      "INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload) VALUES "
      "(tokenrail_uuid_v7(), 'credential', 'acme/_/c', 'model_registry.credential', '{}')");
  EXPECT_THAT(store_->unpublished(10, Part::history).value(), SizeIs(0)) << "the state comes first";
  const auto waiting = store_->unpublished(10, Part::state).value();
  ASSERT_THAT(waiting, SizeIs(2));
  EXPECT_TRUE(store_->whole_state()->at(0).pending);

  ASSERT_TRUE(store_->mark_published({waiting[0].seq}, Part::state).has_value());
  EXPECT_THAT(store_->unpublished(10, Part::state).value(), SizeIs(1));
  ASSERT_TRUE(store_->mark_published({waiting[1].seq}, Part::state).has_value());
  EXPECT_FALSE(store_->whole_state()->at(0).pending) << "a history that waits keeps no topic from being repaired";
  EXPECT_EQ(store_->outbox_lag(Part::state)->rows, 0);
  EXPECT_EQ(store_->outbox_lag(Part::history)->rows, 2);
  EXPECT_EQ(store_->outbox_lag(Part::credentials)->rows, 1);
  sql().run("UPDATE outbox SET state_published_at = now() - interval '2 hours' WHERE state_published_at IS NOT NULL");
  ASSERT_TRUE(store_->prune(std::chrono::hours(1)).has_value());

  const auto history = store_->unpublished(10, Part::history).value();
  ASSERT_THAT(history, SizeIs(2)) << "what the history lacks is not removed";
  EXPECT_EQ(history[0].seq, waiting[0].seq);
  ASSERT_TRUE(store_->mark_published({history[0].seq, history[1].seq}, Part::history).has_value());
  EXPECT_EQ(store_->outbox_lag(Part::history)->rows, 0);
  const auto sealed = store_->unpublished(10, Part::credentials).value();
  ASSERT_THAT(sealed, SizeIs(1));
  ASSERT_TRUE(store_->mark_published({sealed[0].seq}, Part::credentials).has_value());
  EXPECT_EQ(store_->outbox_lag()->rows, 0);
}

// A cursor on seq would pass over the row of a transaction that commits late.
TEST_F(StoreTest, LateCommitIsNotSkipped) {
  auto late = sql();
  late.run("BEGIN");
  late.run(
      "INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload) VALUES "
      "(tokenrail_uuid_v7(), 'model', 'late', 't', '{}')");
  apply({adding("early")});
  const auto first = outbox();
  ASSERT_THAT(first, SizeIs(1));
  ASSERT_TRUE(store_->mark_published({first[0].seq}).has_value());
  late.run("COMMIT");
  const auto then = outbox();
  ASSERT_THAT(then, SizeIs(1));
  EXPECT_EQ(then[0].key, "late");
  EXPECT_LT(then[0].seq, first[0].seq);
}

TEST_F(StoreTest, SyncOfAConnectionThatIsNotSyncedIsRefused) {
  const auto refused = [&] { return store_->request_sync("env-ollama", person("ann")); };
  sql().run("UPDATE connection SET sync_enabled = false RETURNING 1");
  ASSERT_FALSE(refused().has_value());
  EXPECT_EQ(refused().error().kind, ErrorKind::conflict);
  EXPECT_THAT(refused().error().detail, HasSubstr("The sync of the connection env-ollama is off"));
  EXPECT_THAT(refused().error().hint, HasSubstr("connections set env-ollama --sync on"));
  sql().run("UPDATE connection SET sync_enabled = true, enabled = false RETURNING 1");
  ASSERT_FALSE(refused().has_value());
  EXPECT_THAT(refused().error().hint, HasSubstr("--enable"));
  EXPECT_EQ(sql().run("SELECT count(*) FROM sync_request"), "0");
}

TEST_F(StoreTest, SyncIsRequestedTakenUpAndAwaited) {
  const auto nobody = store_->request_sync("nowhere", person("ann"));
  ASSERT_FALSE(nobody.has_value());
  EXPECT_EQ(nobody.error().kind, ErrorKind::not_found);
  EXPECT_THAT(nobody.error().detail, HasSubstr("env-ollama"));

  const auto id = store_->request_sync("", person("ann")).value();
  EXPECT_FALSE(store_->sync_request_state(id)->started);
  const auto ignored = store_->await_sync(id, std::chrono::milliseconds(0));
  ASSERT_FALSE(ignored.has_value());
  EXPECT_EQ(ignored.error().kind, ErrorKind::timed_out);
  EXPECT_THAT(ignored.error().detail, HasSubstr("No registry-sync"));

  auto waiting =
      std::async(std::launch::async, [&] { return Store(options_).await_sync(id, std::chrono::seconds(120)); });
  const auto taken = store_->take_sync_requests().value();
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].id, id);
  EXPECT_EQ(taken[0].connection_id, "");
  // A leader that died in between: the next one takes it up again.
  EXPECT_THAT(store_->take_sync_requests().value(), SizeIs(1));
  EXPECT_THAT(store_->take_sync_requests({id}).value(), IsEmpty()) << "it is being served";
  const auto late = store_->await_sync(id, std::chrono::milliseconds(0));
  ASSERT_TRUE(late.has_value()) << late.error().detail;
  EXPECT_FALSE(late->finished);
  EXPECT_THAT(late->unfinished, ElementsAre("env-ollama"));
  auto manual = run();
  manual.request_id = id;
  manual.trigger = "manual";
  manual.listed = manual.unchanged = 3;
  ASSERT_TRUE(store_->apply(connection_, {}, manual).has_value());
  EXPECT_THAT(store_->sync_request_state(id)->unfinished, IsEmpty());
  ASSERT_TRUE(store_->finish_sync_request(id).has_value());
  const auto state = waiting.get();
  ASSERT_TRUE(state.has_value()) << state.error().detail;
  ASSERT_THAT(state->runs, SizeIs(1));
  EXPECT_EQ(state->runs[0].connection_name, "env-ollama");
  EXPECT_EQ(state->runs[0].listed, 3);
  EXPECT_THAT(store_->take_sync_requests().value(), IsEmpty());

  const auto one = store_->request_sync("env-ollama", person("ann"), true).value();
  const auto again = store_->take_sync_requests().value();
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].id, one);
  EXPECT_EQ(again[0].connection_id, connection_.id);
  EXPECT_TRUE(again[0].accept_held);
}

TEST_F(StoreTest, RefusedConnectionNamesPartOfUrl) {
  const auto refused = [&](const std::string& url) {
    const auto checked = Store({.url = url, .application = "tokenrail-tests"}).check();
    EXPECT_FALSE(checked.has_value());
    if (checked) return std::string();
    EXPECT_EQ(checked.error().kind, ErrorKind::unavailable) << "a worker waits until it is made";
    return checked.error().detail;
  };
  EXPECT_THAT(refused(with_database(cluster_, "no_such_database")), HasSubstr("answers, but refuses the connection: "));
  EXPECT_THAT(refused(with_database(cluster_, "no_such_database")),
              HasSubstr("Check the database in TOKENRAIL_DATABASE_URL"));
  const auto host = cluster_.find('@');
  ASSERT_NE(host, std::string::npos);
  EXPECT_THAT(refused("postgresql://no_such_role" + cluster_.substr(host)), HasSubstr("Check the user in"));
}

TEST_F(StoreTest, ReopensLostConnection) {
  ASSERT_TRUE(store_->check().has_value());
  Sql(cluster_).run(
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = "
      "'tokenrail-tests' AND datname = '" +
      name_ + "'");
  const auto broken = store_->check();
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().kind, ErrorKind::unavailable);
  EXPECT_TRUE(store_->check().has_value());
}

TEST_F(StoreTest, MissingSchemaErrorSaysWhatToDo) {
  sql().run("DROP TABLE schema_migration");
  const auto checked = store_->check();
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().kind, ErrorKind::rejected);
  EXPECT_THAT(checked.error().detail, HasSubstr("tokenrail migrate"));
}

// ---- rules that hold whatever writes to the database ---------------------------------------------------------------

TEST_F(StoreTest, TheSchemaRefusesWhatNoProgramShouldWrite) {
  auto db = sql();
  db.run("INSERT INTO organization (id, slug) VALUES ('acme', 'acme')");
  db.run("INSERT INTO model (provider, model_name, slug) VALUES ('ollama', 'm', 'm')");
  const std::vector<std::pair<std::string, std::string>> table{
      {"INSERT INTO model (provider, model_name, slug) VALUES ('ollama', 'm', 'other')", "23505"},
      {"INSERT INTO model (provider, model_name, slug) VALUES ('ollama', 'n', 'm')", "23505"},
      {"INSERT INTO model (provider, model_name, slug) VALUES ('nobody', 'n', 'n')", "23503"},
      {"INSERT INTO model (provider, model_name, slug) VALUES ('ollama', '', 'n')", "23514"},
      {"INSERT INTO model (provider, model_name, slug) VALUES ('ollama', repeat('x', 256), 'n')", "23514"},
      {"INSERT INTO model (provider, model_name, slug) VALUES ('ollama', E'a\\nb', 'n')", "23514"},
      {"INSERT INTO model (provider, model_name, slug, context_window) VALUES ('ollama', 'n', 'n', 0)", "23514"},
      {"INSERT INTO model (provider, model_name, slug, availability) VALUES ('ollama', 'n', 'n', 'missing')", "23514"},
      {"INSERT INTO model (owner_user_id, provider, model_name, slug) VALUES ('ann', 'ollama', 'n', 'n')", "23514"},
      {"INSERT INTO organization (id, slug) VALUES ('_', 'x')", "23514"},
      {"INSERT INTO organization (id, slug) VALUES ('a/b', 'x')", "23514"},
      {"INSERT INTO connection (provider, name, base_url) VALUES ('ollama', 'env-ollama', 'http://h')", "23505"},
      {"INSERT INTO connection (provider, name, base_url) VALUES ('ollama', 'c', 'ftp://h')", "23514"},
      {"INSERT INTO connection (provider, name, base_url) VALUES ('ollama', 'c', 'http://user:pw@h')", "23514"},
      {"INSERT INTO connection (provider, name, base_url, sync_interval_s) VALUES ('ollama', 'c', 'http://h', 59)",
       "23514"},
  };
  for (const auto& [statement, sqlstate] : table) EXPECT_EQ(db.refusal(statement), sqlstate) << statement;
  EXPECT_EQ(db.refusal("INSERT INTO model (org_id, provider, model_name, slug) VALUES ('acme', 'ollama', 'm', 'm')"),
            "");
  EXPECT_EQ(db.refusal("INSERT INTO model (org_id, provider, model_name, slug) VALUES ('acme', 'ollama', 'm', 'z')"),
            "23505");
}

}  // namespace
}  // namespace tokenrail::registry
