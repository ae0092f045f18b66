// Two writers of the same row: what a change was decided on is compared with the row once it is locked.
#include <chrono>
#include <future>
#include <string>

#include <gtest/gtest.h>

#include "common/registry/model_views.hpp"
#include "tests/integration/registry/governance_fixture.hpp"

namespace tokenrail::registry {
namespace {

class ConcurrentChangesTest : public GovernanceTest {
 protected:
  /// Another writer runs `first` in a transaction and commits it once `change` waits for it.
  template <class Change>
  auto beside(const std::string& first, Change change) {
    auto other = sql();
    other.run("BEGIN");
    other.run(first);
    auto waiting = std::async(std::launch::async, [&] {
      GovernedDatabase database(options_);
      return change(database);
    });
    auto watch = sql();
    while (waiting.wait_for(std::chrono::seconds(0)) != std::future_status::ready &&
           watch.run("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
                     "current_database()") == "0") {
    }
    other.run("COMMIT");
    return waiting.get();
  }
  std::int64_t version_of(const std::string& model, const Scope& where = {}) {
    const auto found = models().get(root(), where, model);
    EXPECT_TRUE(found.has_value());
    return found ? found->version : 0;
  }
  static std::string other_change(const std::string& model) {
    return "UPDATE model SET description = 'theirs', metadata = metadata || '{\"theirs\": 1}', override = override || "
           "'{\"description\": \"theirs\"}', version = nextval('registry_version') WHERE org_id IS NULL AND "
           "model_name = '" +
           model + "'";
  }
};

TEST_F(ConcurrentChangesTest, PlatformChangeComparesTheLockedVersion) {
  const auto version = version_of("ollama/qwen3");
  const auto late = beside(other_change("qwen3"), [&](GovernedDatabase& database) {
    return Models(database).change(root(), {}, "ollama/qwen3", R"({"hidden":true})", version);
  });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
}

TEST_F(ConcurrentChangesTest, ReplacementComparesTheLockedVersion) {
  const auto version = version_of("ollama/qwen3");
  const auto late = beside(other_change("qwen3"), [&](GovernedDatabase& database) {
    return Models(database).replace(root(), {}, "ollama/qwen3", R"({"hidden":true})", version);
  });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
}

TEST_F(ConcurrentChangesTest, SecondFirstOverrideIsAConflict) {
  const auto version = version_of("ollama/qwen3", scope("acme"));
  const auto late = beside(
      "INSERT INTO model (org_id, provider, model_name, slug, enabled) VALUES ('acme', 'ollama', 'qwen3', "
      "'ollama/qwen3', NULL)",
      [&](GovernedDatabase& database) {
        return Models(database).change(of("acme"), scope("acme"), "ollama/qwen3", R"({"hidden":true})", version);
      });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
}

TEST_F(ConcurrentChangesTest, FirstOverrideComparesThePlatformsVersion) {
  const auto version = version_of("ollama/qwen3", scope("acme"));
  ASSERT_OK(models().change(root(), {}, "ollama/qwen3", R"({"hidden":true})", {}));
  EXPECT_FALSE(models().change(of("acme"), scope("acme"), "ollama/qwen3", R"({"hidden":false})", version).has_value());
  const auto now = version_of("ollama/qwen3", scope("acme"));
  ASSERT_OK(models().change(of("acme"), scope("acme"), "ollama/qwen3", R"({"hidden":false})", now));
}

TEST_F(ConcurrentChangesTest, MetadataOfBothWritersAreKept) {
  const auto late = beside(other_change("qwen3"), [&](GovernedDatabase& database) {
    return Models(database).change(root(), {}, "ollama/qwen3", R"({"metadata":{"ours":2}})", {});
  });
  ASSERT_OK(late);
  EXPECT_EQ(sql().run("SELECT metadata = '{\"ours\": 2, \"theirs\": 1}' FROM model WHERE org_id IS NULL AND "
                      "model_name = 'qwen3'"),
            "t");
  // What the other writer did is not part of this change.
  const auto before = sql().run("SELECT before ->> 'description' FROM audit_log ORDER BY seq DESC LIMIT 1");
  EXPECT_EQ(before, "theirs");
}

TEST_F(ConcurrentChangesTest, ModelRemovalComparesTheLockedVersion) {
  const auto version = version_of("ollama/qwen3");
  const auto late = beside(other_change("qwen3"), [&](GovernedDatabase& database) {
    return Models(database).remove(root(), {}, "ollama/qwen3", true, version);
  });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  EXPECT_EQ(sql().run("SELECT count(*) FROM model WHERE deleted_at IS NULL"), "2");
}

TEST_F(ConcurrentChangesTest, ModelIsRemovedOnce) {
  const auto late =
      beside("UPDATE model SET deleted_at = now() WHERE model_name = 'qwen3'",
             [&](GovernedDatabase& database) { return Models(database).remove(root(), {}, "ollama/qwen3", true, {}); });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::not_found);
}

TEST_F(ConcurrentChangesTest, AliasRemovalComparesTheLockedVersion) {
  const auto alias = pointers().set_alias(root(), {}, {.alias = "best", .targets = {{"ollama/qwen3", 1}}}, {});
  ASSERT_OK(alias);
  const auto late =
      beside("UPDATE model_alias SET version = nextval('registry_version')", [&](GovernedDatabase& database) {
        return ModelPointers(database).remove_alias(root(), {}, "best", alias->version);
      });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  EXPECT_EQ(count("model_alias"), "1");
}

TEST_F(ConcurrentChangesTest, ViewRemovalComparesTheLockedVersion) {
  const auto view = ModelViews(*database_).set(of("acme"), scope("acme"), {.name = "fast"}, {});
  ASSERT_OK(view);
  const auto late =
      beside("UPDATE model_view SET version = nextval('registry_version')", [&](GovernedDatabase& database) {
        return ModelViews(database).remove(of("acme"), scope("acme"), "fast", view->version);
      });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  EXPECT_EQ(count("model_view"), "1");
}

}  // namespace
}  // namespace tokenrail::registry
