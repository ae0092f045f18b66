// Histories over several routers that share brokers, coordinator and clock.
#pragma once

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {

/// One router with its clients; all of them share the brokers' logs and the clock.
struct Router {
  Router(RouterCoreTestWorld& shared, const RouterOptions& options)
      : world(shared),
        questions(shared.logs),
        core(options,
             {.environment = shared.environment, .http = http, .projection = shared.projection, .questions = questions},
             shared.router_metrics),
        producer(core.producer_listener(), shared.logs, shared.environment),
        group(core.consumer_listener()),
        reader(core.log_listener(), shared.logs) {
    core.connect(&producer);
    core.connect(&group);
    core.connect(&reader);
  }

  void take() {
    group.stored = world.committed;
    core.consumer_listener().on_assigned({{.topic = "chat.requests", .partition = 0}});
    from = group.assigned.empty() ? 0 : group.assigned[0].offset;
    deliver();
    settle();
  }
  void deliver() {
    for (; from < static_cast<std::int64_t>(world.requests.size()); ++from) {
      core.consumer_listener().on_record(kafka::Record(world.requests[static_cast<std::size_t>(from)]));
    }
  }
  void settle() {
    for (int i = 0; i < 20; ++i) {
      producer.acknowledge_all();
      reader.deliver();
      group.answer_commits();
      questions.answer(core);
    }
    if (!group.assigned.empty()) world.committed = group.stored;
  }
  void wake() {
    core.on_wake();
    settle();
  }
  void revoke() {
    core.consumer_listener().on_revoked({{.topic = "chat.requests", .partition = 0}});
    settle();
    world.committed = group.stored;
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
  void answer(std::uint64_t call) {
    http.head(call);
    speak(call, "yes");
    finish(call);
  }

  RouterCoreTestWorld& world;
  testing::FakeHttp http;
  testing::FakeQuestions questions;
  RouterCore core;
  testing::FakeProducer producer;
  testing::FakeGroup group;
  testing::FakeLogReader reader;
  std::int64_t from = 0;
};

class RecoveryTest : public ::testing::Test, public RouterCoreTestWorld {
 protected:
  using Kind = events::AuditFacts::Kind;
  RecoveryTest() {
    add_model("llama3", "ollama", "c1");
    complete_registry();
    options.lease = 15s;
  }

  void request(const std::string& id, std::optional<std::string> key = "k", const std::string& more = "") {
    requests.push_back(
        {.topic = "chat.requests",
         .partition = 0,
         .offset = static_cast<std::int64_t>(requests.size()),
         .key = std::move(key),
         .value = R"({"requestId":")" + id + R"(","orgId":"o",)" + more +
                  R"("modelProvider":"ollama","modelName":"llama3","messages":[{"role":"user","content":"hi"}]})",
         .timestamp_ms = environment.wall.count(),
         .log_append_time = true});
    logs[{"chat.requests", 0}].push_back(
        {.key = requests.back().key, .value = requests.back().value, .timestamp_ms = requests.back().timestamp_ms});
  }
  void cancel(const std::string& id) {
    logs[{"chat.cancellations", 0}].push_back(
        {.value = R"({"orgId":"o","requestId":")" + id + "\"}", .timestamp_ms = environment.wall.count()});
  }
  Router make() { return {*this, options}; }

  std::vector<events::AuditFacts> audit(Kind kind) {
    std::vector<events::AuditFacts> all;
    for (const auto& entry : logs[{"llm.audit", 0}]) {
      auto facts = events::parse_audit(entry.value.value());
      EXPECT_TRUE(facts.has_value()) << entry.value.value();
      if (facts && facts->kind == kind) all.push_back(*facts);
    }
    return all;
  }
  std::vector<events::Chunk> terminals() {
    std::vector<events::Chunk> all;
    for (const auto& entry : logs[{"chat.chunks", 0}]) {
      auto chunk = events::parse_chunk(entry.value.value());
      EXPECT_TRUE(chunk.has_value()) << entry.value.value();
      if (chunk && chunk->done) all.push_back(*chunk);
    }
    return all;
  }
};

}  // namespace tokenrail::router
