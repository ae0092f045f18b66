// A database with two organisations, "acme" and "other", and two models of the platform; and what people change in it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/registry/connections.hpp"
#include "common/registry/governance_log.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/model_pointers.hpp"
#include "common/registry/organizations.hpp"
#include "tests/integration/registry/store_fixture.hpp"

#define ASSERT_OK(result) ASSERT_TRUE((result).has_value()) << (result).error().detail

namespace tokenrail::registry {

class GovernanceTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    database_ = std::make_unique<GovernedDatabase>(options_);
    for (const auto* org : {"acme", "other"}) {
      const auto made = organizations().create(root(), {.id = org, .display_name = org});
      ASSERT_TRUE(made.has_value()) << made.error().detail;
    }
    import({"llama3.2", "qwen3"});
  }
  void TearDown() override {
    database_.reset();
    StoreTest::TearDown();
  }

  void import(const std::vector<std::string>& names) {
    SyncPlan plan;
    for (const auto& name : names) plan.models.push_back(adding(name));
    plan.listed = plan.added = static_cast<std::int64_t>(names.size());
    const auto applied = store_->apply(connection_, plan, run("ok"));
    ASSERT_TRUE(applied.has_value()) << applied.error().detail;
  }
  SyncRun run(const std::string& status) const {
    return {
        .connection_id = connection_.id, .connection_name = connection_.name, .trigger = "manual", .status = status};
  }

  static Actor root() { return {.name = "cli:root", .all_organizations = true}; }
  static Actor of(const std::string& org) { return {.name = "user:anna@" + org, .scope = {.org_id = org}}; }
  static Scope scope(const std::string& org) { return {.org_id = org}; }

  Organizations organizations() { return Organizations(*database_); }
  Connections connections() { return Connections(*database_); }
  CredentialStore credentials() { return CredentialStore(*database_); }
  Models models() { return Models(*database_); }
  ModelPointers pointers() { return ModelPointers(*database_); }
  GovernanceLog log() { return GovernanceLog(*database_); }

  /// The newest outbox row's column.
  std::string newest(const std::string& column) {
    return sql().run("SELECT " + column + " FROM outbox ORDER BY seq DESC LIMIT 1");
  }
  std::string count(const std::string& table) { return sql().run("SELECT count(*) FROM " + table); }

  std::unique_ptr<GovernedDatabase> database_;
};

}  // namespace tokenrail::registry
