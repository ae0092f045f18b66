// The router's core between fake clients, and the words in which tests speak to it.
#pragma once

#include <gtest/gtest.h>

#include "common/events/audit.hpp"
#include "common/events/chunk.hpp"
#include "common/events/model_event.hpp"
#include "tests/support/fake_clients.hpp"
#include "workers/router/core/router_core.hpp"

namespace tokenrail::router {

using namespace std::chrono_literals;

/// What routers share: the clock, the brokers' logs, the registry.
struct RouterCoreTestWorld {
  void add_model(const std::string& name, const std::string& adapter, const std::string& connection) {
    events::ModelUpserted event;
    event.version = 1;
    event.cause = "sync";
    event.actor = "test";
    event.model = {.id = name, .provider = "ollama", .model_name = name, .slug = "ollama/" + name, .version = 1};
    event.model.deployments.push_back({.id = "d-" + name,
                                       .connection_id = connection,
                                       .connection_name = "local",
                                       .provider = "ollama",
                                       .adapter = adapter,
                                       .base_url = "http://provider",
                                       .auth_type = "none",
                                       .upstream_name = name});
    event.key = events::model_key(event.model);
    ASSERT_EQ(projection.apply(event.key, events::to_json(event)), registry::Projection::Applied::changed);
  }
  /// Model "two" with a deployment on each of the connections "a" and "b", which are tried in this order.
  void add_model_on_two_connections() { add_model_on_connections("two", {"a", "b"}); }
  /// A model with a deployment on each of these connections, which are tried in this order.
  void add_model_on_connections(const std::string& name, const std::vector<std::string>& connections,
                                const std::string& adapter = "ollama") {
    events::ModelUpserted event;
    event.version = 2;
    event.cause = "sync";
    event.actor = "test";
    event.model = {.id = name, .provider = "ollama", .model_name = name, .slug = "ollama/" + name, .version = 2};
    std::int64_t priority = 0;
    for (const auto& connection : connections) {
      event.model.deployments.push_back({.id = "d-" + connection,
                                         .connection_id = connection,
                                         .connection_name = connection,
                                         .provider = "ollama",
                                         .adapter = adapter,
                                         .base_url = "http://" + connection,
                                         .auth_type = "none",
                                         .upstream_name = name,
                                         .priority = ++priority});
    }
    event.key = events::model_key(event.model);
    ASSERT_EQ(projection.apply(event.key, events::to_json(event)), registry::Projection::Applied::changed);
  }
  void complete_registry() {
    projection.apply(events::registry_mark_key, events::to_json(events::RegistryMark{.version = 1, .models = 1}));
  }

  testing::ManualEnvironment environment;
  telemetry::Metrics metrics;
  RouterMetrics router_metrics{metrics};
  registry::Projection projection;
  RouterOptions options;
  providers::Credentials credentials;
  testing::FakeLogs logs;
  // For histories over several routers: what lies on chat.requests, and what the coordinator keeps.
  std::vector<kafka::Record> requests;
  std::map<kafka::TopicPartition, std::pair<std::int64_t, std::string>> committed;
};

class RouterCoreTest : public ::testing::Test, public RouterCoreTestWorld {
 protected:
  RouterCoreTest() {
    add_model("llama3", "ollama", "c1");
    complete_registry();
    make_core({});
  }

  void make_core(RouterOptions changed) {
    core.reset();
    questions.clear();
    options = std::move(changed);
    core = std::make_unique<RouterCore>(options,
                                        RouterCore::World{.environment = environment,
                                                          .http = http,
                                                          .projection = projection,
                                                          .questions = questions,
                                                          .credentials = &credentials},
                                        router_metrics);
    producer = std::make_unique<testing::FakeProducer>(core->producer_listener(), logs, environment);
    reader = std::make_unique<testing::FakeLogReader>(core->log_listener(), logs);
    group = std::make_unique<testing::FakeGroup>(core->consumer_listener());
    core->connect(producer.get());
    core->connect(group.get());
    core->connect(reader.get());
  }

  void assign(const std::vector<kafka::TopicPartition>& partitions = {{.topic = "chat.requests", .partition = 0}}) {
    core->consumer_listener().on_assigned(partitions);
    settle();
  }

  /// Lets everything that waits for Kafka be acknowledged.
  void settle() {
    for (int i = 0; i < 20; ++i) {
      producer->acknowledge_all();
      reader->deliver();
      group->answer_commits();
      questions.answer(*core);
    }
  }

  void wake_after(Millis by) {
    environment.advance(by);
    core->on_wake();
  }

  std::int64_t request(const std::string& id, const std::string& more = "", std::optional<std::string> key = "k",
                       const std::string& model = R"("modelProvider":"ollama","modelName":"llama3",)") {
    return record(R"({"requestId":")" + id + R"(","orgId":"o",)" + model + more +
                      R"("messages":[{"role":"user","content":"hi"}]})",
                  std::move(key));
  }
  std::int64_t record(std::string value, std::optional<std::string> key = "k", std::int32_t partition = 0) {
    const auto offset = next_offset++;
    logs[{"chat.requests", partition}].resize(static_cast<std::size_t>(offset));
    logs[{"chat.requests", partition}].push_back(
        {.key = key, .value = value, .timestamp_ms = environment.wall.count()});
    core->consumer_listener().on_record({.topic = "chat.requests",
                                         .partition = partition,
                                         .offset = offset,
                                         .key = std::move(key),
                                         .value = std::move(value),
                                         .timestamp_ms = environment.wall.count(),
                                         .log_append_time = true});
    return offset;
  }

  /// Of organisation "o"; `offset` is the cancellation's own.
  void cancel(const std::string& id, std::int64_t offset = 0) {
    core->log_listener().on_record({.topic = "chat.cancellations",
                                    .partition = 0,
                                    .offset = offset,
                                    .value = R"({"orgId":"o","requestId":")" + id + "\"}",
                                    .timestamp_ms = environment.wall.count()});
  }

  void speak(std::uint64_t call, const std::string& text) {
    http.body(call, R"({"model":"m","message":{"role":"assistant","content":")" + text + "\"},\"done\":false}\n");
  }
  void finish(std::uint64_t call) {
    http.body(call,
              "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,"
              "\"done_reason\":\"stop\",\"prompt_eval_count\":5,\"eval_count\":2}\n");
    http.end(call);
  }
  void answer(std::uint64_t call, const std::string& text = "yes") {
    http.head(call);
    speak(call, text);
    finish(call);
  }

  std::vector<events::Chunk> chunks(std::int32_t partition = 0) {
    std::vector<events::Chunk> all;
    for (const auto& entry : producer->logs[{"chat.chunks", partition}]) {
      auto chunk = events::parse_chunk(entry.value.value());
      EXPECT_TRUE(chunk.has_value()) << entry.value.value();
      if (chunk) all.push_back(*chunk);
    }
    return all;
  }
  std::vector<events::AuditFacts> audit(events::AuditFacts::Kind kind, std::int32_t partition = 0) {
    std::vector<events::AuditFacts> all;
    for (const auto& entry : producer->logs[{"llm.audit", partition}]) {
      auto facts = events::parse_audit(entry.value.value());
      EXPECT_TRUE(facts.has_value()) << entry.value.value();
      if (facts && facts->kind == kind) all.push_back(*facts);
    }
    return all;
  }
  using Kind = events::AuditFacts::Kind;

  testing::FakeHttp http;
  testing::FakeQuestions questions{logs};
  std::unique_ptr<RouterCore> core;
  std::unique_ptr<testing::FakeProducer> producer;
  std::unique_ptr<testing::FakeGroup> group;
  std::unique_ptr<testing::FakeLogReader> reader;
  std::int64_t next_offset = 0;
};

}  // namespace tokenrail::router
