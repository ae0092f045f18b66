// A store over a database of its own, migrated, with the platform's connection made; and plans to apply.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "common/registry/migrator.hpp"
#include "common/registry/store.hpp"
#include "tests/integration/registry/scratch_database.hpp"

namespace tokenrail::registry {

class StoreTest : public ScratchDatabase {
 protected:
  void SetUp() override {
    ScratchDatabase::SetUp();
    if (IsSkipped()) return;
    const auto migrated = migrate(options_);
    ASSERT_TRUE(migrated.has_value()) << migrated.error().detail;
    store_ = std::make_unique<Store>(options_);
    connection_ = ensure("http://localhost:11434");
  }
  void TearDown() override {
    store_.reset();
    ScratchDatabase::TearDown();
  }

  Connection ensure(const std::string& base_url) {
    auto made = store_->ensure_platform_connection({.name = "env-ollama", .provider = "ollama", .base_url = base_url});
    EXPECT_TRUE(made.has_value()) << made.error().detail;
    return made.value_or(Connection{});
  }

  /// Who may do everything.
  static Actor person(std::string name) { return {.name = std::move(name), .all_organizations = true}; }

  static PlannedModel adding(const std::string& name) {
    PlannedModel planned;
    planned.kind = PlannedModel::Kind::added;
    planned.changed_fields = {"digest", "enabled"};
    planned.after.provider = "ollama";
    planned.after.model_name = name;
    planned.after.slug = "ollama/" + name;
    planned.after.enabled = true;
    planned.after.digest = "sha-1";
    planned.after.context_window = 4096;
    planned.after.capabilities = {{"chat", events::Support::supported}, {"vision", events::Support::unsupported}};
    planned.details_digest = "sha-1";
    planned.raw = R"({"parameterSize":"8B"})";
    planned.here = {.upstream_name = name, .digest = "sha-1"};
    return planned;
  }

  /// A plan that changes a stored model.
  static PlannedModel changing(const StoredModel& stored, PlannedModel::Kind kind, std::vector<std::string> fields) {
    return {.kind = kind,
            .before_version = stored.state.version,
            .changed_fields = std::move(fields),
            .after = stored.state,
            .details_digest = stored.details_digest,
            .here = stored.here.value_or(StoredDeployment{.upstream_name = stored.state.model_name})};
  }

  SyncRun run(std::string status = "ok") const {
    return {.connection_id = connection_.id, .trigger = "schedule", .status = std::move(status), .started_ms = 1000};
  }

  void apply(std::vector<PlannedModel> models) {
    const auto applied = store_->apply(connection_, {.models = std::move(models)}, run());
    ASSERT_TRUE(applied.has_value()) << applied.error().detail;
    connection_ = store_->connections()->at(0);
  }

  /// What waits to be published, without changes of health.
  std::vector<OutboxRecord> outbox() {
    auto records = store_->unpublished(1000).value();
    std::erase_if(records, [](const auto& record) { return record.type == "connection.health_changed"; });
    return records;
  }
  std::vector<std::string> health_events() {
    std::vector<std::string> payloads;
    for (const auto& record : store_->unpublished(1000).value())
      if (record.type == "connection.health_changed") payloads.push_back(record.key + " " + *record.payload);
    return payloads;
  }
  StoredModel stored(const std::string& name) {
    for (auto& model : store_->load_models(connection_).value())
      if (model.state.model_name == name) return model;
    ADD_FAILURE() << "no model " << name;
    return {};
  }

  /// Ends the store's session and waits until no session is left, so that the database's statistics contain all.
  void end_sessions() {
    store_.reset();
    auto watch = sql();
    while (watch.run("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = "
                     "'client backend' AND pid <> pg_backend_pid()") != "0") {
    }
  }

  std::unique_ptr<Store> store_;
  Connection connection_;
};

}  // namespace tokenrail::registry
