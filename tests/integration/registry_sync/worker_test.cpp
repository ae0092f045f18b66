#include <memory>
#include <mutex>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "common/registry/connections.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/held_changes.hpp"
#include "common/registry/provider_answers.hpp"
#include "tests/integration/registry_sync/sync_world.hpp"

namespace tokenrail::registry_sync {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

/// Keeps what is logged. There before the first test: librdkafka's threads log too, and may do so at any time.
class KeptLog final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  static KeptLog& instance() {
    static const auto log = [] {
      auto made = std::make_shared<KeptLog>();
      spdlog::default_logger()->sinks().push_back(made);
      return made;
    }();
    return *log;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    text_.clear();
  }
  [[nodiscard]] std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    text_.append(line.data(), line.size());
  }
  void flush_() override {}

 private:
  std::string text_;
};
[[maybe_unused]] const auto& kept_from_the_start = KeptLog::instance();

/// Everything that is logged while it lives.
class LogCapture {
 public:
  LogCapture() { KeptLog::instance().clear(); }
  [[nodiscard]] static std::string text() { return KeptLog::instance().text(); }
};

class RegistrySync : public SyncWorld {};

TEST_F(RegistrySync, ImportsAndPublishesOllamasModelsThenTheMark) {
  offer_models({{.name = "chat:1b", .digest = "d1", .capabilities = {"completion", "tools"}, .context_length = 4096},
                {.name = "embed:latest", .capabilities = {"embedding"}, .family = "nomic-bert"},
                {.name = "old:latest", .capabilities_told = false}});
  auto& running = start_whole();
  EXPECT_THAT(events(), ElementsAre("model_registry.upserted _/_/ollama/chat:1b",
                                    "model_registry.upserted _/_/ollama/embed:latest",
                                    "model_registry.upserted _/_/ollama/old:latest"));
  auto state = events("model_registry");
  ASSERT_THAT(state, SizeIs(4));
  EXPECT_EQ(state.back(), "model_registry.mark _registry") << "the mark comes last";

  const auto chat = last_event("_/_/ollama/chat:1b");
  ASSERT_TRUE(chat.has_value());
  EXPECT_EQ(chat->cause, "sync");
  EXPECT_EQ(chat->model.digest, "d1");
  EXPECT_EQ(chat->model.context_window, 4096);
  EXPECT_TRUE(chat->model.enabled);
  EXPECT_TRUE(chat->model.routable);
  EXPECT_EQ(chat->model.capabilities.at("tools"), events::Support::supported);
  EXPECT_EQ(chat->model.capabilities.at("vision"), events::Support::unsupported);
  EXPECT_EQ(chat->model.deployments.at(0).base_url, "http://127.0.0.1:" + std::to_string(port_));
  EXPECT_EQ(chat->model.deployments.at(0).connection_name, "env-ollama");
  EXPECT_EQ(last_event("_/_/ollama/embed:latest")->model.kind, "embedding");
  EXPECT_THAT(last_event("_/_/ollama/old:latest")->model.capabilities, IsEmpty());

  const auto words = running.problems();
  EXPECT_THAT(words, HasSubstr("database: \n"));
  EXPECT_THAT(words, HasSubstr("kafka: \n"));
  EXPECT_THAT(words, HasSubstr("connection env-ollama: 3 models listed"));
  EXPECT_THAT(running.worker().metrics().text(),
              HasSubstr("ollama_health_status{connection=\"env-ollama\",org=\"platform\"} 1"));
}

TEST_F(RegistrySync, EachChangeIsExactlyOneEvent) {
  offer_models({{.name = "kept:1b"}, {.name = "removed:1b"}, {.name = "rebuilt:1b"}});
  start_whole();
  ASSERT_THAT(events(), SizeIs(3));
  const auto before = events("model_registry").size();

  auto state = sync_now();
  EXPECT_THAT(events(), SizeIs(3)) << "nothing has changed";
  ASSERT_THAT(state.runs, SizeIs(1));
  EXPECT_EQ(state.runs[0].status, "ok");
  EXPECT_EQ(state.runs[0].unchanged, 3);

  offer_models(
      {{.name = "kept:1b"}, {.name = "rebuilt:1b", .digest = "new", .context_length = 131072}, {.name = "added:1b"}});
  state = sync_now();
  EXPECT_EQ(state.runs.at(0).added, 1);
  EXPECT_EQ(state.runs.at(0).updated, 1);
  EXPECT_EQ(state.runs.at(0).missing, 1);
  const std::vector<std::string> expected{"model_registry.upserted _/_/ollama/added:1b",
                                          "model_registry.upserted _/_/ollama/rebuilt:1b",
                                          "model_registry.upserted _/_/ollama/removed:1b"};
  EXPECT_EQ(events_after(3), expected);
  EXPECT_EQ(events_after(before, "model_registry"), expected);
  EXPECT_THAT(last_event("_/_/ollama/rebuilt:1b")->changed_fields, UnorderedElementsAre("digest", "contextWindow"));
  EXPECT_EQ(last_event("_/_/ollama/removed:1b")->model.availability, "missing");
  EXPECT_TRUE(last_event("_/_/ollama/removed:1b")->model.routable) << "within the grace";

  sync_now();
  EXPECT_THAT(events(), SizeIs(6));
}

TEST_F(RegistrySync, KeepsEveryListAsItCame) {
  start_whole();
  auto db = sql();
  const std::string sha = db.run("SELECT encode(sha256, 'hex') FROM provider_snapshot");
  db.run("UPDATE provider_snapshot SET fetched_at = now() - interval '1 day'");
  sync_now();
  EXPECT_EQ(db.run("SELECT encode(sha256, 'hex') FROM provider_snapshot WHERE fetched_at > now() - interval '1 hour'"),
            sha);
  // What cannot be applied is kept too.
  db.run("ALTER TABLE model ADD CONSTRAINT picky CHECK (model_name <> 'c:1b')");
  offer({"a:1b", "b:7b", "c:1b"});
  EXPECT_EQ(sync_now().runs.at(0).status, "failed");
  EXPECT_EQ(db.run("SELECT count(*) FROM provider_snapshot"), "2");
}

TEST_F(RegistrySync, KeepsEntryAndDetailsAsTheyCame) {
  start_whole();
  registry::GovernedDatabase database(options_);
  const auto said =
      registry::ProviderAnswers(database).of_model({.name = "cli:root", .all_organizations = true}, {}, "ollama/a:1b");
  ASSERT_TRUE(said.has_value()) << said.error().detail;
  EXPECT_THAT(said->json, HasSubstr(R"("connection" : "env-ollama")"));
  EXPECT_THAT(said->json, HasSubstr(R"("list":{"name":"a:1b")"));
  EXPECT_THAT(said->json, HasSubstr(R"("model_info":{)")) << "the answer to a question about the model";
}

TEST_F(RegistrySync, MissingModelBecomesUnroutableAndComesBack) {
  offer({"a:1b", "b:1b", "gone:1b"});
  start_whole({{"TOKENRAIL_SYNC_MISSING_GRACE", "0"}, {"TOKENRAIL_SYNC_MISSING_RUNS", "2"}});
  offer({"a:1b", "b:1b"});
  sync_now();
  EXPECT_TRUE(last_event("_/_/ollama/gone:1b")->model.routable);
  sync_now();
  EXPECT_FALSE(last_event("_/_/ollama/gone:1b")->model.routable);
  sync_now();
  EXPECT_THAT(events_after(3), SizeIs(2)) << "missing once, unroutable once";
  offer({"a:1b", "b:1b", "gone:1b"});
  sync_now();
  EXPECT_THAT(events_after(5), ElementsAre("model_registry.upserted _/_/ollama/gone:1b"));
  EXPECT_TRUE(last_event("_/_/ollama/gone:1b")->model.routable);
}

TEST_F(RegistrySync, HoldsEmptyListUntilAccepted) {
  auto& running = start_whole();
  offer({});
  auto state = sync_now();
  EXPECT_EQ(state.runs.at(0).status, "held");
  sync_now();
  EXPECT_THAT(events_after(2), ElementsAre("model_registry.sync.held _/_/ollama/_connection")) << "published once";
  EXPECT_EQ(last_event("_/_/ollama/a:1b")->model.availability, "listed");
  EXPECT_THAT(running.problems(), HasSubstr("connection env-ollama: 0 models listed"));
  ASSERT_TRUE(run_until(loop_, [&] { return running.problems().contains("held changes: held since 20"); }));
  EXPECT_THAT(running.problems(),
              HasSubstr("the list is empty, but 2 models are known. Decide: tokenrail registry decide "));

  state = sync_now(true);
  EXPECT_EQ(state.runs.at(0).missing, 2);
  EXPECT_EQ(last_event("_/_/ollama/a:1b")->model.availability, "missing");
  EXPECT_EQ(sql().run("SELECT decision || ' by ' || decided_by FROM held_change"), "accepted by test");
}

TEST_F(RegistrySync, HoldsShrinkingLimitAndAppliesTheRest) {
  offer_models({{.name = "a:1b", .digest = "d1", .context_length = 8192}, {.name = "b:7b"}});
  auto& running = start_whole();
  offer_models({{.name = "a:1b", .digest = "d2", .context_length = 1024}, {.name = "new:1b"}});
  auto state = sync_now();
  EXPECT_EQ(state.runs.at(0).status, "held");
  EXPECT_EQ(state.runs.at(0).held, 1);
  EXPECT_EQ(state.runs.at(0).added, 1);
  EXPECT_EQ(state.runs.at(0).missing, 1);
  EXPECT_EQ(last_event("_/_/ollama/a:1b")->model.digest, "d2");
  EXPECT_EQ(last_event("_/_/ollama/a:1b")->model.context_window, 8192);
  EXPECT_TRUE(last_event("_/_/ollama/new:1b").has_value());
  const std::string words = "a:1b: the context window would shrink from 8192 to 1024";
  ASSERT_TRUE(run_until(loop_, [&] { return running.problems().contains(words); }));

  const auto held = store_->held_changes("").value();
  ASSERT_THAT(held, SizeIs(1));
  registry::GovernedDatabase database(options_);
  const auto decided = registry::HeldChanges(database).decide({.name = "ann", .all_organizations = true}, {},
                                                              held[0].id, registry::HeldChanges::Decision::accept, "");
  ASSERT_TRUE(decided.has_value()) << decided.error().detail;
  state = sync_now();
  EXPECT_EQ(state.runs.at(0).status, "ok");
  EXPECT_EQ(last_event("_/_/ollama/a:1b")->model.context_window, 1024);
  EXPECT_TRUE(run_until(loop_, [&] { return !running.problems().contains("held"); }));
}

TEST_F(RegistrySync, LeaderThatSyncedNothingNamesHeldChanges) {
  auto& first = start_whole();
  offer({});
  sync_now();
  first.stop();
  provider_down();
  auto& running = start_whole();
  const auto named = [&] { return running.problems().contains("the list is empty, but 2 models are known"); };
  ASSERT_TRUE(run_until(loop_, named)) << "held before it started; no list was read since: " << running.problems();

  // Of a catalogue too.
  sql().run(
      "INSERT INTO catalog_entry (source, provider, model_name, entry, held, held_reason, held_at) VALUES ('litellm', "
      "'ollama', 'a:1b', '{}', '{}', 'it looks wrong', now())");
  EXPECT_TRUE(run_until(loop_, [&] {
    return running.problems().contains("(and 1 more)") && running.problems().contains("All: tokenrail registry held");
  })) << running.problems();
  sql().run("UPDATE catalog_entry SET held = NULL, held_reason = NULL, held_at = NULL");
  const auto held = store_->held_changes("").value();
  ASSERT_THAT(held, SizeIs(1));
  registry::GovernedDatabase database(options_);
  ASSERT_TRUE(registry::HeldChanges(database)
                  .decide(person("ann"), {}, held[0].id, registry::HeldChanges::Decision::reject, "")
                  .has_value());
  EXPECT_TRUE(run_until(loop_, [&] { return !named(); })) << "decided, and no list was read: " << running.problems();
}

TEST_F(RegistrySync, AcceptingGoodListDecidesNothing) {
  start_whole();
  offer({});
  sync_now();
  offer({"a:1b", "b:7b"});
  sync_now(true);
  EXPECT_EQ(sql().run("SELECT decision || ' by ' || decided_by FROM held_change"), "superseded by registry-sync");
}

TEST_F(RegistrySync, AProviderThatIsDownChangesNoModel) {
  auto& running = start_whole();
  provider_down();
  auto state = sync_now();
  EXPECT_EQ(state.runs.at(0).status, "failed");
  EXPECT_THAT(state.runs.at(0).detail, Not(IsEmpty()));
  sync_now();
  EXPECT_THAT(events_after(2), ElementsAre("model_registry.sync.completed _/_/ollama/_connection"));
  EXPECT_THAT(running.worker().metrics().text(),
              HasSubstr("ollama_health_status{connection=\"env-ollama\",org=\"platform\"} 0"));
  EXPECT_THAT(running.problems(), HasSubstr("connection env-ollama: down"));
  EXPECT_THAT(health_changes(), ElementsAre("env-ollama unknown healthy ", "env-ollama healthy down connect_failed"));
  EXPECT_TRUE(run_until(loop_, [&] {
    return running.worker().metrics().text().contains(
        R"(registry_connection_health{connection="env-ollama",health="down",org="platform",provider="ollama"} 1)");
  }));

  offer({"a:1b", "b:7b"});
  state = sync_now();
  EXPECT_EQ(state.runs.at(0).status, "ok");
  EXPECT_EQ(state.runs.at(0).unchanged, 2);
  EXPECT_THAT(events("model_registry"), SizeIs(3)) << "two models and the mark, as at first";
}

TEST_F(RegistrySync, CorrectedAddressIsReadAtOnce) {
  start_whole();
  sql().run(
      "INSERT INTO connection (provider, name, base_url, on_new) VALUES ('ollama', 'wrong', 'http://127.0.0.1:1', "
      "'enabled')");
  const auto status = [&] { return sql().run("SELECT last_sync_status FROM connection WHERE name = 'wrong'"); };
  ASSERT_TRUE(run_until(loop_, [&] { return status() == "failed"; }));
  registry::GovernedDatabase database(options_);
  const auto changed = registry::Connections(database).change(
      person("ann"), {}, "wrong", R"({"baseUrl":"http://127.0.0.1:)" + std::to_string(port_) + R"("})", {});
  ASSERT_TRUE(changed.has_value()) << changed.error().detail;
  EXPECT_TRUE(run_until(loop_, [&] { return status() == "ok"; })) << "no person asked, and the interval is a day";
  EXPECT_EQ(sql().run("SELECT trigger FROM sync_run r JOIN connection c ON c.id = r.connection_id WHERE c.name = "
                      "'wrong' ORDER BY r.started_at DESC LIMIT 1"),
            "event");
}

TEST_F(RegistrySync, PublishesWhileProviderIsDownAtStart) {
  provider_down();
  start_whole();
  EXPECT_THAT(events("model_registry"), ElementsAre(HasSubstr("_registry")));
  offer({"late:1b"});
  sync_now();
  EXPECT_TRUE(last_event("_/_/ollama/late:1b").has_value());
}

TEST_F(RegistrySync, LaterSyncFetchesMissingDetails) {
  const auto script = simulator::Script::from_json(
      R"({"models": ["a:1b", "b:1b"], "behaviours": {"/api/show": {"fault": "status:500"}}})");
  ASSERT_TRUE(script.has_value()) << script.error().detail;
  offer_script(*script);
  start_whole();
  EXPECT_EQ(last_event("_/_/ollama/a:1b")->model.context_window, std::nullopt);
  EXPECT_TRUE(last_event("_/_/ollama/a:1b")->model.routable);

  offer({"a:1b", "b:1b"});
  sync_now();
  EXPECT_THAT(events_after(2), SizeIs(2));
  EXPECT_EQ(last_event("_/_/ollama/a:1b")->model.context_window, 8192);
  sync_now();
  EXPECT_THAT(events_after(4), IsEmpty());
}

TEST_F(RegistrySync, NextSyncTakesNewCapability) {
  const std::vector<simulator::Model> before{{.name = "a:1b", .digest = "d1", .capabilities = {"completion"}}};
  const std::vector<simulator::Model> after{{.name = "a:1b", .digest = "d1", .capabilities = {"completion", "vision"}}};
  const auto vision = [&] { return last_event("_/_/ollama/a:1b")->model.capabilities.at("vision"); };
  offer_script({.models = before, .version = "0.12.0"});
  start_whole();
  EXPECT_EQ(vision(), events::Support::unsupported);
  offer_script({.models = after, .version = "0.12.0"});
  sync_now();
  EXPECT_EQ(vision(), events::Support::unsupported) << "nothing says that there is anything to ask";
  offer_script({.models = after, .version = "0.13.0"});
  sync_now();
  EXPECT_EQ(vision(), events::Support::supported);
  const auto told = events().size();
  sync_now();
  EXPECT_THAT(events(), SizeIs(told));
}

TEST_F(RegistrySync, DetailsAreAskedForAgainAfterAWhile) {
  offer_models({{.name = "a:1b", .digest = "d1", .context_length = 4096}, {.name = "b:1b", .digest = "d2"}});
  start_whole().stop();
  offer_models({{.name = "a:1b", .digest = "d1", .context_length = 8192}, {.name = "b:1b", .digest = "d2"}});
  sql().run("UPDATE model SET details_at = details_at - interval '25 hours' WHERE model_name = 'a:1b'");
  auto& again = start();
  ASSERT_TRUE(run_until(loop_, [&] { return again.worker().published_whole(); })) << again.problems();
  settle();
  EXPECT_EQ(last_event("_/_/ollama/a:1b")->model.context_window, 8192);
  EXPECT_EQ(sql().run("SELECT count(*) FROM model WHERE details_at > now() - interval '1 hour'"), "2");
}

TEST_F(RegistrySync, ARestartSaysNothingNew) {
  auto& first = start_whole();
  first.stop();
  const auto before = tail_->count();
  auto& second = start();
  ASSERT_TRUE(run_until(loop_, [&] { return second.worker().published_whole(); })) << second.problems();
  settle();
  EXPECT_EQ(tail_->count(), before + 3) << "but for our own three markers";
}

TEST_F(RegistrySync, FillsRecreatedTopic) {
  start_whole().stop();
  const auto version = last_event("_/_/ollama/a:1b")->version;
  tail_.reset();
  kafka_ = make_cluster();
  tail_ = std::make_unique<TopicTail>(loop_, *kafka_);
  start_whole();
  EXPECT_THAT(events("model_registry"), ElementsAre(HasSubstr("a:1b"), HasSubstr("b:7b"), HasSubstr("_registry")));
  EXPECT_EQ(last_event("_/_/ollama/a:1b")->version, version);
  EXPECT_THAT(events(), IsEmpty()) << "it is no news";
}

// A database from a backup, or created again: routers keep the highest version, so what it says must be higher.
TEST_F(RegistrySync, ADatabaseBehindTheTopicOvertakesIt) {
  start_whole().stop();
  auto db = sql();
  db.run("UPDATE model SET version = 1 WHERE model_name = 'a:1b'");
  db.run("UPDATE model SET version = 2 WHERE model_name = 'b:7b'");
  db.run("SELECT setval('registry_version', 2)");
  events::ModelUpserted event = *last_event("_/_/ollama/a:1b");
  event.version = event.model.version = 5000;
  kafka::testing::Reports reports;
  telemetry::Metrics metrics;
  auto producer = kafka::Producer::make(loop_, {.properties = kafka_->properties()}, reports, metrics);
  ASSERT_TRUE(producer.has_value());
  ASSERT_EQ(
      (*producer)->produce((*producer)->topic("model_registry"), 0, event.key, events::to_json(event), nullptr, 0),
      kafka::Produced::accepted);
  ASSERT_TRUE(run_until(loop_, [&] { return reports.all.size() == 1; }));

  auto& running = start();
  ASSERT_TRUE(run_until(loop_, [&] { return running.worker().published_whole(); })) << running.problems();
  settle();
  EXPECT_GT(last_event("_/_/ollama/a:1b")->version, 5000);
  EXPECT_EQ(last_event("_/_/ollama/a:1b")->cause, "rollback");
}

TEST_F(RegistrySync, AnotherOneTakesOver) {
  auto& first = start_whole();
  auto& second = start();
  ASSERT_TRUE(run_until(loop_, [&] { return second.problems().find("database: \n") != std::string::npos; }));
  EXPECT_FALSE(second.worker().leading());
  EXPECT_THAT(second.problems(), Not(HasSubstr("kafka"))) << "it has nothing to say of Kafka yet";
  first.stop();
  ASSERT_TRUE(run_until(loop_, [&] { return second.worker().published_whole(); })) << second.problems();
  offer({"a:1b", "b:7b", "c:1b"});
  sync_now();
  EXPECT_THAT(events_after(2), ElementsAre("model_registry.upserted _/_/ollama/c:1b"));
}

TEST_F(RegistrySync, KafkaAwayDelaysEventsAndLosesNone) {
  auto& running = start_whole();
  rd_kafka_mock_broker_set_down(kafka_->get(), 1);
  offer({"a:1b", "b:7b", "c:1b"});
  const auto id = store_->request_sync("", person("test")).value();
  ASSERT_TRUE(run_until(loop_, [&] { return sql().run("SELECT count(*) FROM model") == "3"; }));
  rd_kafka_mock_broker_set_up(kafka_->get(), 1);
  ASSERT_TRUE(run_until(loop_, [&] { return last_event("_/_/ollama/c:1b").has_value(); })) << running.problems();
  ASSERT_TRUE(run_until(loop_, [&] { return store_->outbox_lag()->rows == 0; }));
  EXPECT_TRUE(run_until(loop_, [&] { return store_->sync_request_state(id)->finished; }));
}

TEST_F(RegistrySync, ReconnectsToDatabaseWithoutRestart) {
  auto& running = start_whole();
  registry::Sql(cluster_).run("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '" +
                              name_ + "' AND application_name = 'tokenrail-registry-sync'");
  offer({"a:1b", "b:7b", "c:1b"});
  sync_now();
  EXPECT_TRUE(last_event("_/_/ollama/c:1b").has_value()) << running.problems();
}

TEST_F(RegistrySync, StopsQuestionsAfterTimeOutsAndAppliesTheRest) {
  std::string names;
  for (int i = 0; i < 205; ++i) names += (i == 0 ? "\"" : ",\"") + std::string("m") + std::to_string(i) + ":1b\"";
  const auto script =
      simulator::Script::from_json(R"({"models": [)" + names + R"(], "behaviours": {"/api/show": {"fault": "hang"}}})");
  ASSERT_TRUE(script.has_value()) << script.error().detail;
  offer_script(*script);
  const LogCapture log;
  start_whole({{"TOKENRAIL_SYNC_ANSWER_TIMEOUT", "2s"}});
  EXPECT_EQ(sql().run("SELECT count(*) FROM model"), "205");
  // Four ask at a time: at most six questions before the third has timed out, and all but the third ask once more.
  EXPECT_THAT(log.text(),
              testing::ContainsRegex("205 of 205 models of env-ollama reported no details, (199|20[0-2]) of "
                                     "them were not asked because answers took too long"));

  // Those that were asked in vain come last; now all of them answer.
  offer_script({.models = script->models});
  sync_now();
  EXPECT_EQ(sql().run("SELECT count(*) FROM model WHERE details_digest <> ''"), "205");
}

TEST_F(RegistrySync, QuestionsEndWithTheConnectionsTime) {
  const auto script =
      simulator::Script::from_json(R"({"models": ["a:1b", "b:1b"], "behaviours": {"/api/show": {"fault": "hang"}}})");
  ASSERT_TRUE(script.has_value()) << script.error().detail;
  offer_script(*script);
  start_whole({{"TOKENRAIL_SYNC_CONNECTION_TIMEOUT", "3s"}, {"TOKENRAIL_SYNC_ANSWER_TIMEOUT", "10m"}});
  EXPECT_EQ(sql().run("SELECT count(*) FROM model"), "2") << "what was got is applied";
}

TEST_F(RegistrySync, LeavesOutAndNamesModelsAboveTheBound) {
  offer({"a:1b", "b:1b", "c:1b"});
  auto& running = start_whole({{"TOKENRAIL_SYNC_MODELS_MAX", "2"}});
  EXPECT_EQ(sql().run("SELECT string_agg(model_name, ' ' ORDER BY model_name) FROM model"), "a:1b b:1b");
  EXPECT_THAT(running.problems(), HasSubstr("c:1b the first of them: sync.models_max allows 2"));
  EXPECT_EQ(sync_now().runs.at(0).failed, 1);
  offer({"b:1b", "c:1b", "a:1b"});
  sync_now();
  EXPECT_EQ(sql().run("SELECT count(*) FROM model WHERE availability = 'listed'"), "2");
}

TEST_F(RegistrySync, ModelsOfOneDigestHaveOwnDetails) {
  offer_models({{.name = "chat:1b", .digest = "same", .capabilities = {"completion"}, .context_length = 4096},
                {.name = "embed:1b", .digest = "same", .capabilities = {"embedding"}, .context_length = 512},
                {.name = "see:1b", .digest = "same", .capabilities = {"completion", "vision"}}});
  start_whole();
  EXPECT_EQ(last_event("_/_/ollama/chat:1b")->model.context_window, 4096);
  EXPECT_EQ(last_event("_/_/ollama/embed:1b")->model.kind, "embedding");
  EXPECT_EQ(last_event("_/_/ollama/see:1b")->model.capabilities.at("vision"), events::Support::supported);
  EXPECT_EQ(last_event("_/_/ollama/chat:1b")->model.capabilities.at("vision"), events::Support::unsupported);
}

// ---- the state topic ---------------------------------------------------------------------------------------------

TEST_F(RegistrySync, RepairsStateTopicWithoutRestart) {
  auto& running = start_whole();
  const auto version = last_event("_/_/ollama/a:1b")->version;
  auto older = *last_event("_/_/ollama/b:7b");
  older.version = older.model.version = 1;
  kafka::testing::Reports reports;
  telemetry::Metrics metrics;
  // In one batch, so that one comparison finds all of them.
  auto producer =
      kafka::Producer::make(loop_, {.properties = kafka_->properties({{"linger.ms", "500"}})}, reports, metrics);
  ASSERT_TRUE(producer.has_value());
  const LogCapture log;
  const std::vector<std::pair<std::string, std::string>> bad{{"_/_/ollama/a:1b", "not json"},
                                                             {"_/_/ollama/b:7b", events::to_json(older)},
                                                             {"_/_/ollama/ghost:1b", R"({"version": "7"})"},
                                                             {"_registry", "not a mark"}};
  for (const auto& [key, value] : bad)
    ASSERT_EQ((*producer)->produce((*producer)->topic("model_registry"), 0, key, value, nullptr, 0),
              kafka::Produced::accepted);
  const auto last = [&](const std::string& key) {
    std::optional<std::string> value;
    for (const auto& record : tail_->on("model_registry"))
      if (record.key == key) value = record.value;
    return value;
  };
  ASSERT_TRUE(run_until(loop_, [&] { return log.text().contains("was repaired"); })) << running.problems();
  settle();
  EXPECT_THAT(log.text(), HasSubstr("repaired: 1 older, 2 unreadable, the mark"));
  EXPECT_EQ(last_event("_/_/ollama/a:1b")->version, version);
  EXPECT_TRUE(events::parse_model_upserted(last("_/_/ollama/a:1b").value_or("")).has_value());
  EXPECT_GT(events::parse_model_upserted(last("_/_/ollama/b:7b").value_or("")).value().version, 1);
  EXPECT_EQ(last("_/_/ollama/ghost:1b"), std::nullopt) << "a tombstone";
  EXPECT_TRUE(events::parse_registry_mark(last("_registry").value_or("")).has_value());
  EXPECT_THAT(running.worker().metrics().text(),
              HasSubstr("registry_state_repairs_total{reason=\"unreadable\",topic=\"model_registry\"} 2"));
  EXPECT_THAT(events(), SizeIs(2)) << "it is no news";
}

// ---- leadership --------------------------------------------------------------------------------------------------

TEST_F(RegistrySync, LeaderWithoutItsLeaseWaits) {
  auto& running = start_whole();
  sql().run("UPDATE registry_lease SET epoch = epoch + 1, holder = 'other', renewed_at = clock_timestamp()");
  ASSERT_TRUE(run_until(loop_, [&] { return !running.worker().leading(); })) << running.problems();
  EXPECT_EQ(sql().run("SELECT holder FROM registry_lease"), "other");
  EXPECT_THAT(running.worker().metrics().text(), HasSubstr("registry_sync_leader 0"));
  sql().run("UPDATE registry_lease SET renewed_at = '-infinity'");
  ASSERT_TRUE(run_until(loop_, [&] { return running.worker().published_whole(); })) << running.problems();
}

// ---- several connections -----------------------------------------------------------------------------------------

TEST_F(RegistrySync, DetailsOfABuildStayWithTheirConnection) {
  const std::vector<simulator::Model> here{{.name = "m:1b", .digest = "same", .context_length = 4096}};
  const std::vector<simulator::Model> there{{.name = "m:1b", .digest = "same", .context_length = 131072}};
  offer_models(here);
  start_whole();
  simulator::Server other(loop_, "127.0.0.1", 0, simulator::HubOptions{.script = {.models = there}});
  sql().run("INSERT INTO organization (id, slug) VALUES ('acme', 'acme')");
  sql().run(
      "INSERT INTO connection (org_id, provider, name, base_url, on_new) VALUES ('acme', 'ollama', 'own', "
      "'http://127.0.0.1:" +
      std::to_string(other.port()) + "', 'enabled')");
  const auto state = sync_now();
  other.stop();
  loop_.restart();
  loop_.poll();
  ASSERT_THAT(state.runs, SizeIs(2));
  EXPECT_EQ(last_event("_/_/ollama/m:1b")->model.context_window, 4096);
  EXPECT_EQ(last_event("acme/_/ollama/m:1b")->model.context_window, 131072);
}

TEST_F(RegistrySync, OrganisationsConnectionLeavesPlatformModelsAsTheyAre) {
  start_whole();
  sql().run("INSERT INTO organization (id, slug) VALUES ('acme', 'acme')");
  simulator::Server other(
      loop_, "127.0.0.1", 0,
      simulator::HubOptions{.script = {.models = {{.name = "a:1b"}, {.name = "b:7b"}, {.name = "own:1b"}}}});
  sql().run(
      "INSERT INTO connection (org_id, provider, name, base_url) VALUES ('acme', 'ollama', 'own', 'http://127.0.0.1:" +
      std::to_string(other.port()) + "')");
  registry::GovernedDatabase database(options_);
  const registry::Actor root{.name = "cli:root", .all_organizations = true};
  const auto change = [&](const std::string& patch) {
    const auto changed = registry::Models(database).change(root, {.org_id = "acme"}, "ollama/b:7b", patch, {});
    EXPECT_TRUE(changed.has_value()) << changed.error().detail;
  };
  change(R"({"displayName":"Ours"})");
  auto state = sync_now();
  ASSERT_THAT(state.runs, SizeIs(2));
  EXPECT_EQ(state.runs.at(1).listed, 3);
  EXPECT_EQ(state.runs.at(1).added, 1);
  EXPECT_FALSE(last_event("acme/_/ollama/a:1b").has_value());
  EXPECT_THAT(last_event("acme/_/ollama/b:7b")->model.deployments, IsEmpty());
  EXPECT_FALSE(last_event("acme/_/ollama/own:1b")->model.enabled);
  EXPECT_THAT(registry::Models(database).get(root, {.org_id = "acme"}, "ollama/a:1b")->json,
              HasSubstr(R"("status" : "active")"));

  // Once the organisation enables the model itself, its own connection serves it.
  change(R"({"enabled":true})");
  state = sync_now();
  ASSERT_THAT(last_event("acme/_/ollama/b:7b")->model.deployments, SizeIs(1));
  EXPECT_EQ(last_event("acme/_/ollama/b:7b")->model.deployments.at(0).connection_name, "own");
  other.stop();
  loop_.restart();
  loop_.poll();
}

TEST_F(RegistrySync, AConnectionOfAUserIsSyncedToo) {
  start_whole();
  sql().run("INSERT INTO organization (id, slug) VALUES ('acme', 'acme')");
  sql().run(
      "INSERT INTO connection (org_id, owner_user_id, provider, name, base_url, on_new) VALUES ('acme', 'ann', "
      "'ollama', 'own', 'http://127.0.0.1:" +
      std::to_string(port_) + "', 'enabled')");
  sync_now();
  const auto own = last_event("acme/ann/ollama/a:1b");
  ASSERT_TRUE(own.has_value());
  EXPECT_EQ(own->model.deployments.at(0).connection_owner_user_id, "ann");
}

class ContestedSync : public SyncWorld {
 protected:
  /// The database lets another writer have its way in the first `times` inserts of a model.
  void contest(int times) {
    auto db = sql();
    db.run("CREATE SEQUENCE tries");
    db.run("CREATE FUNCTION contest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('tries') <= " +
           std::to_string(times) +
           " THEN RAISE EXCEPTION 'contested' USING ERRCODE = '40001'; END IF; RETURN NEW; END $$");
    db.run("CREATE TRIGGER contest BEFORE INSERT ON model FOR EACH ROW EXECUTE FUNCTION contest()");
  }
};

TEST_F(ContestedSync, IsPlannedAgainAFewTimes) {
  start_whole();
  contest(4);
  offer({"a:1b", "b:7b", "c:1b"});
  const auto state = sync_now();
  EXPECT_EQ(state.runs.at(0).status, "ok") << state.runs.at(0).detail;
  EXPECT_EQ(state.runs.at(0).added, 1);
}

TEST_F(ContestedSync, IsRetriedAndNotBlamedOnTheProvider) {
  auto& running = start_whole();
  contest(5);
  offer({"a:1b", "b:7b", "c:1b"});
  const auto state = sync_now();
  EXPECT_EQ(state.runs.at(0).status, "failed");
  EXPECT_EQ(state.runs.at(0).error_class, "conflict");
  EXPECT_THAT(state.runs.at(0).detail, HasSubstr("tried again"));
  EXPECT_EQ(store_->connections()->at(0).health, "healthy");
  EXPECT_THAT(running.worker().metrics().text(),
              HasSubstr("ollama_health_status{connection=\"env-ollama\",org=\"platform\"} 1"));
  EXPECT_THAT(running.problems(), Not(HasSubstr("down")));

  sql().run("DROP TRIGGER contest ON model");
  EXPECT_EQ(sync_now().runs.at(0).added, 1);
}

// ---- what a log and a probe may show -------------------------------------------------------------------------------

TEST_F(RegistrySync, ShowsDatabaseRefusalWithoutValues) {
  start_whole().stop();
  sql().run("ALTER TABLE connection ADD CHECK (base_url NOT LIKE '%canary%')");
  const LogCapture log;
  auto& running = start({{"OLLAMA_BASE_URL", "http://127.0.0.1:1/canary"}});
  ASSERT_TRUE(run_until(loop_, [&] { return log.text().contains("refused a value"); })) << log.text();
  ASSERT_TRUE(run_until(loop_, [&] { return running.problems().contains("refused a value"); })) << running.problems();
  EXPECT_THAT(log.text() + running.problems(), HasSubstr("connection_base_url_check"));
  EXPECT_THAT(log.text() + running.problems(), Not(HasSubstr("canary")));
}

TEST_F(RegistrySync, RecordsRefusedListWithoutValues) {
  auto& running = start_whole();
  sql().run("ALTER TABLE model ADD CONSTRAINT picky CHECK (digest <> 'canary')");
  const LogCapture log;
  offer_models({{.name = "a:1b"}, {.name = "b:7b", .digest = "canary"}});
  const auto state = sync_now();
  EXPECT_EQ(state.runs.at(0).status, "failed");
  EXPECT_THAT(state.runs.at(0).detail, HasSubstr("picky"));
  EXPECT_THAT(log.text(), HasSubstr("picky"));
  EXPECT_THAT(log.text() + running.problems() + state.runs.at(0).detail, Not(HasSubstr("canary")));
}

// ---- topics --------------------------------------------------------------------------------------------------------

TEST_F(RegistrySync, NamesMissingTopicAndWaitsForIt) {
  rd_kafka_mock_topic_set_error(kafka_->get(), "model_registry", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  auto& running = start();
  const auto named = [&] {
    const auto words = running.problems();
    return words.contains("kafka: The topic model_registry does not exist") && words.contains("tokenrail topics apply");
  };
  ASSERT_TRUE(run_until(loop_, named)) << running.problems();
  ASSERT_TRUE(run_until(loop_, [&] { return store_->outbox_lag()->rows == 3; })) << "it syncs all the same";
  EXPECT_TRUE(named()) << running.problems();
  EXPECT_FALSE(running.worker().published_whole());
  running.stop();
  rd_kafka_mock_topic_set_error(kafka_->get(), "model_registry", RD_KAFKA_RESP_ERR_NO_ERROR);
  settle();
  EXPECT_THAT(events("model_registry"), IsEmpty());
  EXPECT_THAT(events(), IsEmpty()) << "the history follows the state";
  start_whole();
  EXPECT_THAT(events(), SizeIs(2));
}

// No router reads the history: that it is missing or refused keeps none from a model that was blocked.
TEST_F(RegistrySync, HistoryThatIsNotTakenDelaysOnlyItself) {
  const std::string outbox = "registry_outbox_rows{part=\"";
  for (const auto error : {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED}) {
    SCOPED_TRACE(rd_kafka_err2name(error));
    tail_.reset();
    kafka_ = make_cluster();
    tail_ = std::make_unique<TopicTail>(loop_, *kafka_);
    offer({"a:1b", "b:7b"});
    rd_kafka_mock_topic_set_error(kafka_->get(), "model_registry.events", error);
    auto& running = start();
    ASSERT_TRUE(run_until(loop_, [&] { return running.worker().published_whole(); })) << running.problems();
    offer({"a:1b", "b:7b", "c:1b"});
    const auto id = store_->request_sync("", person("test")).value();
    ASSERT_TRUE(run_until(loop_, [&] { return store_->sync_request_state(id)->finished; })) << running.problems();
    ASSERT_TRUE(run_until(loop_, [&] { return last_event("_/_/ollama/c:1b").has_value(); }));
    const auto named = [&] {
      const auto words = running.problems();
      const auto at = words.find("history: ");
      return at != std::string::npos && words.substr(at, words.find('\n', at) - at).contains("model_registry.events");
    };
    ASSERT_TRUE(run_until(loop_, named)) << running.problems();
    EXPECT_THAT(running.problems(), HasSubstr("kafka: \n"));
    const auto waiting = store_->outbox_lag(registry::Store::OutboxPart::history)->rows;
    EXPECT_GE(waiting, 3);
    EXPECT_EQ(store_->outbox_lag(registry::Store::OutboxPart::state)->rows, 0);
    ASSERT_TRUE(run_until(loop_, [&] {
      return running.worker().metrics().text().contains(outbox + "history\"} " + std::to_string(waiting));
    })) << running.worker().metrics().text();
    EXPECT_THAT(running.worker().metrics().text(), HasSubstr(outbox + "state\"} 0"));

    rd_kafka_mock_topic_set_error(kafka_->get(), "model_registry.events", RD_KAFKA_RESP_ERR_NO_ERROR);
    read_all();
    EXPECT_THAT(events(),
                ElementsAre("model_registry.upserted _/_/ollama/a:1b", "model_registry.upserted _/_/ollama/b:7b",
                            "model_registry.upserted _/_/ollama/c:1b"));
    EXPECT_THAT(
        events("model_registry"),
        UnorderedElementsAre("model_registry.upserted _/_/ollama/a:1b", "model_registry.upserted _/_/ollama/b:7b",
                             "model_registry.mark _registry", "model_registry.upserted _/_/ollama/c:1b"))
        << "each once, however often the history was tried";
    EXPECT_TRUE(run_until(loop_, [&] { return running.problems().contains("history: \n"); })) << running.problems();
    running.stop();
    sql().run("TRUNCATE model, outbox CASCADE");
  }
}

TEST_F(RegistrySync, PublishesModelsWithoutCredentialsTopic) {
  rd_kafka_mock_topic_set_error(kafka_->get(), "model_registry.credentials", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  auto& running = start();
  ASSERT_TRUE(run_until(loop_, [&] { return tail_->marked(); })) << running.problems();
  ASSERT_TRUE(run_until(loop_, [&] { return events().size() == 2; })) << running.problems();
  ASSERT_TRUE(run_until(loop_, [&] {
    return running.problems().contains("The topic model_registry.credentials does not exist");
  })) << running.problems();
  EXPECT_THAT(running.problems(), HasSubstr("kafka: \n"));
  EXPECT_FALSE(running.worker().published_whole());
  rd_kafka_mock_topic_set_error(kafka_->get(), "model_registry.credentials", RD_KAFKA_RESP_ERR_NO_ERROR);
  EXPECT_TRUE(run_until(loop_, [&] { return running.worker().published_whole(); })) << running.problems();
}

TEST_F(RegistrySync, ATopicThatVanishesIsNamedToo) {
  const LogCapture log;
  auto& running = start_whole({{"TOKENRAIL_KAFKA_TOPIC_METADATA_REFRESH_INTERVAL_MS", "200"}});
  std::vector<std::string> names{"a:1b", "b:7b"};
  for (const auto& [topic, condition] : {std::pair("model_registry", "kafka"), {"model_registry.events", "history"}}) {
    SCOPED_TRACE(topic);
    const auto named = fmt::format("{}: The topic {} does not exist", condition, topic);
    rd_kafka_mock_topic_set_error(kafka_->get(), topic, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    ASSERT_TRUE(run_until(loop_, [&] { return running.problems().contains(named); })) << "nothing waits for it";
    names.push_back(fmt::format("{}:1b", condition));
    offer(names);
    ASSERT_TRUE(store_->request_sync("", person("test")).has_value());
    ASSERT_TRUE(run_until(loop_, [&] { return store_->outbox_lag()->rows > 0; }));
    ASSERT_TRUE(run_until(loop_, [&] { return running.problems().contains(named); })) << running.problems();
    rd_kafka_mock_topic_set_error(kafka_->get(), topic, RD_KAFKA_RESP_ERR_NO_ERROR);
    ASSERT_TRUE(run_until(loop_, [&] { return store_->outbox_lag()->rows == 0; })) << running.problems();
    ASSERT_TRUE(run_until(loop_, [&] { return !events_after(2).empty(); }));
  }
}

TEST_F(RegistrySync, NamesAndLeavesOutRefusedRecord) {
  const LogCapture log;
  start_whole();
  // Of each topic the batch, then its one record alone.
  constexpr std::int16_t produce_key = 0;
  rd_kafka_mock_push_request_errors(kafka_->get(), produce_key, 4, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                    RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                    RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  offer({"a:1b", "b:7b", "c:1b"});
  ASSERT_TRUE(store_->request_sync("", person("test")).has_value());
  ASSERT_TRUE(run_until(loop_, [&] { return log.text().contains("was refused for good and was left out"); }));
  ASSERT_TRUE(run_until(loop_, [&] { return store_->outbox_lag()->rows == 0; })) << "it stops no other";
  EXPECT_THAT(log.text(), HasSubstr("too large"));
  offer({"a:1b", "b:7b", "c:1b", "d:1b"});
  ASSERT_TRUE(store_->request_sync("", person("test")).has_value());
  ASSERT_TRUE(run_until(loop_, [&] { return !events_after(2).empty(); }));
  ASSERT_TRUE(run_until(loop_, [&] { return store_->outbox_lag()->rows == 0; }));
}

}  // namespace
}  // namespace tokenrail::registry_sync
