// A registry-sync with everything around it in one process and on one loop: a real PostgreSQL, the provider simulator,
// and librdkafka's mock cluster; and what the two topics contain.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "common/config/settings.hpp"
#include "common/crypto/key_ring_settings.hpp"
#include "common/events/json_document.hpp"
#include "common/events/model_event.hpp"
#include "common/kafka/log_reader.hpp"
#include "common/providers/environment.hpp"
#include "common/registry/store.hpp"
#include "tests/integration/registry/scratch_database.hpp"
#include "tests/simulator/server.hpp"
#include "tests/unit/common/kafka/mock_cluster.hpp"
#include "workers/registry_sync/worker.hpp"

namespace tokenrail::registry_sync {

using kafka::testing::MockCluster;
using kafka::testing::run_until;

/// Everything that was written to the registry's topics of one cluster, read as it comes.
class TopicTail {
 public:
  TopicTail(boost::asio::io_context& loop, const MockCluster& cluster) {
    auto reader = kafka::LogReader::make(loop, {.properties = cluster.properties()}, log_, metrics_);
    EXPECT_TRUE(reader.has_value());
    reader_ = std::move(*reader);
    reader_->start(
        {{.partition = {.topic = "model_registry", .partition = 0}, .offset = kafka::offset_beginning},
         {.partition = {.topic = "model_registry.events", .partition = 0}, .offset = kafka::offset_beginning},
         {.partition = {.topic = "model_registry.credentials", .partition = 0}, .offset = kafka::offset_beginning}});
  }

  [[nodiscard]] std::vector<kafka::Record> on(const std::string& topic) const {
    std::vector<kafka::Record> records;
    for (const auto& record : log_.records)
      if (record.topic == topic) records.push_back(record);
    return records;
  }
  [[nodiscard]] bool has(const std::string& topic, const std::string& key) const {
    return std::ranges::any_of(log_.records, [&](const auto& r) { return r.topic == topic && r.key == key; });
  }
  [[nodiscard]] std::size_t count() const { return log_.records.size(); }
  /// Type and key of the records of a topic from the `from`th on: "model_registry.upserted _/_/ollama/a".
  [[nodiscard]] std::vector<std::string> words(const std::string& topic, std::size_t from = 0) const {
    std::vector<std::string> out;
    const auto records = on(topic);
    for (std::size_t i = from; i < records.size(); ++i)
      out.push_back(std::string(kafka::header(records[i].headers, "ce_type").value_or("")) + " " +
                    records[i].key.value_or(""));
    return out;
  }
  [[nodiscard]] bool marked() const {
    const auto records = on("model_registry");
    return !records.empty() && std::ranges::any_of(records, [](const auto& r) { return r.key == "_registry"; });
  }

 private:
  telemetry::Metrics metrics_;
  kafka::testing::ReadLog log_;
  std::unique_ptr<kafka::LogReader> reader_;
};

class SyncWorld : public registry::ScratchDatabase {
 protected:
  void SetUp() override {
    ScratchDatabase::SetUp();
    if (IsSkipped()) return;
    kafka_ = make_cluster();
    tail_ = std::make_unique<TopicTail>(loop_, *kafka_);
    offer({"a:1b", "b:7b"});
    store_ = std::make_unique<registry::Store>(options_);
  }
  void TearDown() override {
    for (auto& worker : workers_) worker->stop();
    workers_.clear();
    tail_.reset();
    provider_down();
    store_.reset();
    ScratchDatabase::TearDown();
  }

  /// Who may do everything.
  static registry::Actor person(std::string name) { return {.name = std::move(name), .all_organizations = true}; }

  static std::unique_ptr<MockCluster> make_cluster() {
    auto cluster = std::make_unique<MockCluster>();
    cluster->topic("model_registry", 1);
    cluster->topic("model_registry.events", 1);
    cluster->topic("model_registry.credentials", 1);
    return cluster;
  }

  /// What the simulator offers from now on, at the same address.
  void offer_models(const std::vector<simulator::Model>& models) { offer_script({.models = models}); }
  void offer_script(simulator::Script script) {
    provider_down();
    simulator_ = std::make_unique<simulator::Server>(loop_, "127.0.0.1", port_,
                                                     simulator::HubOptions{.script = std::move(script)});
    port_ = simulator_->port();
  }
  void offer(const std::vector<std::string>& names) {
    std::vector<simulator::Model> models;
    for (const auto& name : names) models.push_back({.name = name});
    offer_models(models);
  }
  void provider_down() {
    if (!simulator_) return;
    simulator_->stop();
    // Its sessions hear of it on the loop, and they need it for that.
    loop_.restart();
    loop_.poll();
    simulator_.reset();
  }

  /// A worker that syncs at start and when asked, never by its clock.
  class Running {
   public:
    Running(SyncWorld& world, const MockCluster& cluster, const std::map<std::string, std::string>& settings)
        : world_(world) {
      std::map<std::string, std::string> environment{
          {"TOKENRAIL_DATABASE_URL", world.options_.url},
          {"TOKENRAIL_HTTP_LISTEN", "127.0.0.1:0"},
          {"TOKENRAIL_EGRESS_ALLOW", "127.0.0.0/8"},
          {"OLLAMA_BASE_URL", "http://127.0.0.1:" + std::to_string(world.port_)},
          {"TOKENRAIL_SYNC_INTERVAL", "24h"},
          {"TOKENRAIL_SYNC_POLL_INTERVAL", "20ms"},
      };
      for (const auto& [name, value] : cluster.properties()) {
        std::string variable = "TOKENRAIL_KAFKA_" + name;
        for (auto& c : variable) c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        environment[variable] = value;
      }
      for (const auto& [name, value] : settings) environment[name] = value;
      settings_ = config::joined({config::common_settings(), providers::environment_settings(),
                                  crypto::key_ring_settings(), registry_sync_settings()});
      auto loaded = config::load(
          {.settings = settings_, .arguments = {}, .environment = environment, .file_text = {}, .file_name = {}});
      EXPECT_TRUE(loaded.has_value()) << loaded.error().detail;
      values_ = std::make_unique<config::Values>(loaded->values);
      worker_ = std::make_unique<Worker>(world.loop_, *values_);
      const auto started = worker_->start();
      EXPECT_TRUE(started.has_value()) << started.error().detail;
    }
    void stop() {
      if (!worker_) return;
      worker_->stop();
      EXPECT_TRUE(run_until(world_.loop_, [&] { return worker_->ended(); })) << "the worker does not stop";
      EXPECT_EQ(worker_->exit_code(), 0);
      worker_.reset();
    }
    [[nodiscard]] Worker& worker() { return *worker_; }
    [[nodiscard]] std::string problems() const {
      std::string text;
      for (const auto& condition : worker_->conditions()) text += condition.name + ": " + condition.problem + "\n";
      return text;
    }

   private:
    SyncWorld& world_;
    std::vector<config::Setting> settings_;
    std::unique_ptr<config::Values> values_;
    std::unique_ptr<Worker> worker_;
  };

  Running& start(const std::map<std::string, std::string>& settings = {}) {
    workers_.push_back(std::make_unique<Running>(*this, *kafka_, settings));
    return *workers_.back();
  }
  /// Starts a worker and waits until the registry is published whole.
  Running& start_whole(const std::map<std::string, std::string>& settings = {}) {
    auto& running = start(settings);
    EXPECT_TRUE(run_until(loop_, [&] { return running.worker().published_whole() && tail_->marked(); }))
        << running.problems();
    read_all();
    return running;
  }

  /// `tokenrail registry sync`, and everything that it publishes read.
  registry::SyncRequestState sync_now(bool accept = false) {
    const auto id = store_->request_sync("", person("test"), accept);
    EXPECT_TRUE(id.has_value()) << id.error().detail;
    registry::SyncRequestState state;
    EXPECT_TRUE(run_until(loop_, [&] {
      state = store_->sync_request_state(*id).value_or(registry::SyncRequestState{});
      return state.finished;
    }));
    read_all();
    return state;
  }
  /// Runs the loop until everything in the outbox is on its topics, the history too, and has been read.
  void read_all() {
    EXPECT_TRUE(run_until(loop_, [&] { return store_->outbox_lag()->rows == 0; }));
    settle();
  }
  /// Runs the loop until a record of our own, published after everything else, has been read.
  void settle() {
    const auto marker = "settle-" + std::to_string(++markers_);
    kafka::testing::Reports reports;
    telemetry::Metrics metrics;
    auto producer = kafka::Producer::make(loop_, {.properties = kafka_->properties()}, reports, metrics);
    ASSERT_TRUE(producer.has_value());
    const std::vector<std::string> topics{"model_registry", "model_registry.events", "model_registry.credentials"};
    for (const auto& topic : topics)
      ASSERT_EQ((*producer)->produce((*producer)->topic(topic), 0, marker, "{}", nullptr, 0),
                kafka::Produced::accepted);
    const auto seen = [&](const std::string& topic) { return tail_->has(topic, marker); };
    ASSERT_TRUE(run_until(loop_, [&] { return std::ranges::all_of(topics, seen); }));
  }
  /// words() without our own markers.
  std::vector<std::string> events(const std::string& topic = "model_registry.events") const {
    auto words = tail_->words(topic);
    std::erase_if(words, [](const auto& word) {
      return word.starts_with(" settle-") || word.starts_with("connection.health_changed ");
    });
    return words;
  }
  /// "{connection} {health before} {health} {reason}" of each change of health on the topic.
  std::vector<std::string> health_changes() const {
    std::vector<std::string> changes;
    for (const auto& record : tail_->on("model_registry.events")) {
      if (!record.value || !record.value->contains("connection.health_changed")) continue;
      const events::JsonDocument document(*record.value);
      const events::ObjectReader read(document.root());
      changes.push_back(read.text("connectionName") + " " + read.text("previousHealth") + " " + read.text("health") +
                        " " + read.text("reason"));
    }
    return changes;
  }
  std::vector<std::string> events_after(std::size_t from, const std::string& topic = "model_registry.events") const {
    auto words = events(topic);
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(std::min(from, words.size())));
    return words;
  }
  std::optional<events::ModelUpserted> last_event(const std::string& key) const {
    std::optional<events::ModelUpserted> last;
    for (const auto& record : tail_->on("model_registry"))
      if (record.key == key && record.value)
        if (auto event = events::parse_model_upserted(*record.value)) last = *event;
    return last;
  }

  boost::asio::io_context loop_;
  std::unique_ptr<MockCluster> kafka_;
  std::unique_ptr<TopicTail> tail_;
  std::uint16_t port_ = 0;
  std::unique_ptr<simulator::Server> simulator_;
  std::unique_ptr<registry::Store> store_;
  std::vector<std::unique_ptr<Running>> workers_;
  int markers_ = 0;
};

}  // namespace tokenrail::registry_sync
