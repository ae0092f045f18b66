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

// ---- two people make the same thing

TEST_F(ConcurrentChangesTest, NewAliasDoesNotReplaceOneMadeMeanwhile) {
  const auto late =
      beside("INSERT INTO model_alias (org_id, alias, description) VALUES ('acme', 'best', 'theirs')",
             [&](GovernedDatabase& database) {
               return ModelPointers(database).set_alias(of("acme"), scope("acme"),
                                                        {.alias = "best", .targets = {{"ollama/qwen3", 1}}}, no_row);
             });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  EXPECT_EQ(sql().run("SELECT description FROM model_alias"), "theirs");
  EXPECT_EQ(count("model_alias_target"), "0");
}

TEST_F(ConcurrentChangesTest, NewViewDoesNotReplaceOneMadeMeanwhile) {
  const auto late =
      beside("INSERT INTO model_view (org_id, name, filter) VALUES ('acme', 'fast', '{\"q\": \"theirs\"}')",
             [&](GovernedDatabase& database) {
               return ModelViews(database).set(of("acme"), scope("acme"), {.name = "fast"}, no_row);
             });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  EXPECT_EQ(sql().run("SELECT filter ->> 'q' FROM model_view"), "theirs");
}

TEST_F(ConcurrentChangesTest, NewDefaultDoesNotReplaceOneMadeMeanwhile) {
  const auto late = beside(
      "INSERT INTO model_default (org_id, kind, purpose, model_id) SELECT 'acme', 'generation', '', id FROM model "
      "WHERE model_name = 'llama3.2'",
      [&](GovernedDatabase& database) {
        return ModelPointers(database).set_default(of("acme"), scope("acme"), {}, "ollama/qwen3", no_row);
      });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  EXPECT_EQ(sql().run("SELECT m.model_name FROM model_default d JOIN model m ON m.id = d.model_id"), "llama3.2");
}

TEST_F(ConcurrentChangesTest, NewGrantDoesNotReplaceOneMadeMeanwhile) {
  const auto late = beside(
      "INSERT INTO model_grant (org_id, subject_kind, subject, object_kind, object_id, effect, created_by) SELECT "
      "'acme', 'group', 'staff', 'model', id, 'deny', 'them' FROM model WHERE model_name = 'qwen3'",
      [&](GovernedDatabase& database) {
        return ModelPointers(database).add_grant(of("acme"), "acme",
                                                 {.subject_kind = "group",
                                                  .subject = "staff",
                                                  .object_kind = "model",
                                                  .object = "ollama/qwen3",
                                                  .expected_version = no_row});
      });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  EXPECT_EQ(sql().run("SELECT effect FROM model_grant"), "deny");
}

TEST_F(ConcurrentChangesTest, NewMemberDoesNotReplaceOneMadeMeanwhile) {
  ASSERT_OK(organizations().set_member(of("other"), "other", {.issuer = "idp", .subject = "ben", .role = "viewer"}));
  const auto late =
      beside("INSERT INTO membership (org_id, principal_id, role) SELECT 'acme', id, 'viewer' FROM principal",
             [&](GovernedDatabase& database) {
               return Organizations(database).set_member(
                   of("acme"), "acme", {.issuer = "idp", .subject = "ben", .role = "org_admin"}, no_row);
             });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  EXPECT_EQ(sql().run("SELECT role FROM membership WHERE org_id = 'acme'"), "viewer");
}

// ---- two people change the same thing

TEST_F(ConcurrentChangesTest, DefaultComparesTheLockedVersion) {
  const auto made = pointers().set_default(of("acme"), scope("acme"), {}, "ollama/qwen3", no_row);
  ASSERT_OK(made);
  const auto theirs = "UPDATE model_default SET version = nextval('registry_version')";
  const auto late = beside(theirs, [&](GovernedDatabase& database) {
    return ModelPointers(database).set_default(of("acme"), scope("acme"), {}, "ollama/llama3.2", made->version);
  });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  const auto now = pointers().get_default(of("acme"), scope("acme"), {});
  ASSERT_OK(now);
  const auto removed = beside(theirs, [&](GovernedDatabase& database) {
    return ModelPointers(database).remove_default(of("acme"), scope("acme"), {}, now->version);
  });
  ASSERT_FALSE(removed.has_value());
  EXPECT_EQ(removed.error().kind, ErrorKind::conflict);
  EXPECT_EQ(count("model_default"), "1");
}

TEST_F(ConcurrentChangesTest, GrantComparesTheLockedVersion) {
  ModelPointers::Grant grant{.subject_kind = "user", .subject = "bo", .object_kind = "model", .object = "ollama/qwen3"};
  const auto made = pointers().add_grant(of("acme"), "acme", grant);
  ASSERT_OK(made);
  grant.effect = "deny";
  grant.expected_version = made->version;
  const auto theirs = "UPDATE model_grant SET version = nextval('registry_version')";
  const auto late = beside(
      theirs, [&](GovernedDatabase& database) { return ModelPointers(database).add_grant(of("acme"), "acme", grant); });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  const auto now = pointers().grant(of("acme"), "acme", made->id);
  ASSERT_OK(now);
  const auto removed = beside(theirs, [&](GovernedDatabase& database) {
    return ModelPointers(database).remove_grant(of("acme"), "acme", made->id, now->version);
  });
  ASSERT_FALSE(removed.has_value());
  EXPECT_EQ(removed.error().kind, ErrorKind::conflict);
  EXPECT_EQ(sql().run("SELECT effect FROM model_grant"), "allow");
}

TEST_F(ConcurrentChangesTest, MemberComparesTheLockedVersion) {
  Organizations::Member member{.issuer = "idp", .subject = "ben", .role = "viewer"};
  const auto made = organizations().set_member(of("acme"), "acme", member, no_row);
  ASSERT_OK(made);
  member.role = "org_admin";
  const auto theirs = "UPDATE membership SET version = nextval('registry_version')";
  const auto late = beside(theirs, [&](GovernedDatabase& database) {
    return Organizations(database).set_member(of("acme"), "acme", member, made->version);
  });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  const auto now = organizations().member(of("acme"), "acme", made->id);
  ASSERT_OK(now);
  const auto removed = beside(theirs, [&](GovernedDatabase& database) {
    return Organizations(database).remove_member(of("acme"), "acme", made->id, now->version);
  });
  ASSERT_FALSE(removed.has_value());
  EXPECT_EQ(removed.error().kind, ErrorKind::conflict);
  EXPECT_EQ(sql().run("SELECT role FROM membership"), "viewer");
}

TEST_F(ConcurrentChangesTest, CredentialComparesTheLockedVersion) {
  CredentialStore::Sealed sealed{.id = database_->new_id().value_or(""),
                                 .provider = "openai",
                                 .label = "key",
                                 .sealed = "c2VhbGVk",
                                 .key_id = "k1",
                                 .fingerprint = "f"};
  const auto made = credentials().add(of("acme"), scope("acme"), sealed);
  ASSERT_OK(made);
  // A rewrap gives the row a version, and the secret none.
  const auto theirs = "UPDATE credential SET version = nextval('registry_version')";
  sealed.secret_version = 2;
  const auto late = beside(theirs, [&](GovernedDatabase& database) {
    return CredentialStore(database).replace(of("acme"), scope("acme"), sealed, made->version);
  });
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  const auto now = credentials().get(of("acme"), scope("acme"), made->id);
  ASSERT_OK(now);
  const auto revoked = beside(theirs, [&](GovernedDatabase& database) {
    return CredentialStore(database).revoke(of("acme"), scope("acme"), made->id, true, now->version);
  });
  ASSERT_FALSE(revoked.has_value());
  EXPECT_EQ(revoked.error().kind, ErrorKind::conflict);
  EXPECT_EQ(count("credential WHERE sealed IS NOT NULL AND secret_version = 1"), "1");
}

}  // namespace
}  // namespace tokenrail::registry
