// Registry-sync over a database that people change beside it.
#pragma once

#include <memory>

#include "common/registry/governed_database.hpp"
#include "tests/integration/registry_sync/sync_world.hpp"

namespace tokenrail::registry_sync {

class GovernedWorld : public SyncWorld {
 protected:
  void SetUp() override {
    SyncWorld::SetUp();
    if (IsSkipped()) return;
    database_ = std::make_unique<registry::GovernedDatabase>(options_);
  }
  void TearDown() override {
    database_.reset();
    SyncWorld::TearDown();
  }

  std::unique_ptr<registry::GovernedDatabase> database_;
};

}  // namespace tokenrail::registry_sync
