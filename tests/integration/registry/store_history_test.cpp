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
    const SyncPlan held{.held = true, .held_reason = "the list is empty"};
    record(held, run("held"));
  }
  void record(const SyncPlan& plan, const SyncRun& run) {
    const auto applied = store_->apply(connection_, plan, run, "");
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

TEST_F(StoreHistory, ALongTextIsCutBetweenCharacters) {
  auto failed = run("failed");
  failed.error_class = "unreachable";
  failed.detail = std::string(511, 'x') + "\xc3\xa9\xc3\xa9";
  record({}, failed);
  EXPECT_EQ(sql().run("SELECT detail FROM sync_run"), std::string(511, 'x'));

  const auto asked = store_->request_sync("", std::string(254, 'y') + "\xe2\x82\xac");
  ASSERT_TRUE(asked.has_value()) << asked.error().detail;
  EXPECT_EQ(sql().run("SELECT requested_by FROM sync_request"), std::string(254, 'y'));
}

// A user name of an old terminal's encoding, say.
TEST_F(StoreHistory, WhatIsNoTextIsLeftOutOfIt) {
  auto failed = run("failed");
  failed.detail = "caf\xe9 said no\n";
  record({}, failed);
  EXPECT_EQ(sql().run("SELECT detail FROM sync_run"), "caf said no");
  ASSERT_TRUE(store_->request_sync("", "Ren\xe9").has_value());
  EXPECT_EQ(sql().run("SELECT requested_by FROM sync_request"), "Ren");
  ASSERT_TRUE(store_->request_sync("", "\xff").has_value());
  EXPECT_EQ(sql().run("SELECT requested_by FROM sync_request ORDER BY requested_at DESC LIMIT 1"), "unknown");
}

// ---- held lists ----------------------------------------------------------------------------------------------------

}  // namespace
}  // namespace tokenrail::registry
