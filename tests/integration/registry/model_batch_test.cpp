// Many changes of models in few transactions: the same as one after the other.
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "tests/integration/registry/governance_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;
using Changes = std::vector<Models::Change>;

class ModelBatchTest : public GovernanceTest {
 protected:
  /// What an organisation has made of its models, whatever their ids and versions are.
  std::string made_by(const std::string& org) {
    return sql().run(
        "SELECT string_agg(concat_ws('|', m.model_name, m.enabled, m.platform_blocked, m.hidden, m.display_name, "
        "m.override, m.tags, m.capabilities, m.metadata, (SELECT string_agg(concat_ws(',', r.changed_fields, r.cause), "
        "';' "
        "ORDER BY r.version) FROM model_revision r WHERE r.model_id = m.id), (SELECT string_agg(concat_ws(',', "
        "a.action, "
        "a.target_name, a.before ->> 'scope', a.before ->> 'displayName', a.after ->> 'displayName'), ';' ORDER BY "
        "a.seq) "
        "FROM audit_log a WHERE a.target_id = CAST(m.id AS text))), E'\\n' ORDER BY m.model_name) FROM model m WHERE "
        "m.org_id "
        "= '" +
        org + "' AND m.deleted_at IS NULL");
  }
  /// How many transactions wrote the organisation's rows as they are.
  std::string transactions() {
    return sql().run("SELECT count(DISTINCT CAST(xmin AS text)) FROM model WHERE org_id = 'acme'");
  }
  static std::string model(int number) { return "m-" + std::to_string(number); }
  void import_models(int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back(model(i));
    import(names);
  }
};

TEST_F(ModelBatchTest, ManyChangesTakeFewTransactions) {
  import_models(150);
  const auto events = std::stoll(count("outbox"));
  Changes changes;
  for (int i = 0; i < 150; ++i) changes.push_back({.model = "ollama/" + model(i), .patch = R"({"enabled":false})"});
  const auto made = models().change_all(of("acme"), scope("acme"), changes);
  ASSERT_EQ(made.size(), 150U);
  for (std::size_t i = 0; i < made.size(); ++i) {
    ASSERT_OK(made[i]);
    EXPECT_THAT(made[i]->json, HasSubstr("\"modelName\" : \"" + model(static_cast<int>(i)) + "\""));
    EXPECT_THAT(made[i]->json, HasSubstr(R"("enabled" : false, "inherits" : false)"));
    EXPECT_EQ(made[i]->version, models().get(of("acme"), scope("acme"), changes[i].model)->version);
  }
  EXPECT_EQ(std::stoll(count("outbox")), events + 150);
  EXPECT_EQ(sql().run("SELECT count(*) FROM audit_log WHERE action = 'model.changed' AND org_id = 'acme'"), "150");
  EXPECT_EQ(
      sql().run("SELECT count(*) FROM model_revision r JOIN model m ON m.id = r.model_id WHERE m.org_id = 'acme' AND "
                "r.version = m.version AND EXISTS (SELECT 1 FROM outbox o WHERE o.id = r.event_id)"),
      "150");
  EXPECT_EQ(transactions(), "2");

  // The same again changes nothing.
  const auto again = models().change_all(of("acme"), scope("acme"), changes);
  for (std::size_t i = 0; i < again.size(); ++i) EXPECT_EQ(again[i]->version, made[i]->version);
  EXPECT_EQ(std::stoll(count("outbox")), events + 150);
}

TEST_F(ModelBatchTest, BatchGivesWhatSingleChangesGive) {
  import_models(12);
  const auto names = [&](const std::string& org) {
    // Two of them have a row of the organisation already.
    for (int i : {3, 4}) {
      const auto set = models().change(of(org), scope(org), "ollama/" + model(i), R"({"displayName":"Old"})", {});
      EXPECT_TRUE(set.has_value());
    }
    const auto id = sql().run("SELECT id FROM model WHERE org_id IS NULL AND model_name = 'm-5'");
    const auto version = models().get(of(org), scope(org), "ollama/m-4")->version;
    return Changes{
        {.model = "ollama/m-0", .patch = R"({"enabled":false,"tags":["x","y"]})"},
        {.model = "ollama/nowhere", .patch = R"({"enabled":true})"},
        {.model = "ollama/m-1",
         .patch = R"({"displayName":"One","hidden":true,"deprecatesAt":"2030-01-01T00:00:00Z"})"},
        {.model = "ollama/m-3", .patch = R"({"displayName":null,"contextWindow":null})"},
        {.model = "ollama/m-4", .patch = R"({"displayName":"New"})", .expected_version = version},
        {.model = id, .patch = R"({"lifecycle":"retired"})", .expected_version = 1},
        {.model = "ollama/m-6", .patch = R"({"capabilities":{"vision":"supported"}})"},
        {.model = "ollama/m-7", .patch = "{}"},
        {.model = "ollama/m-8", .patch = R"({"maintenanceUntil":"2099-01-01T00:00:00Z","maintenanceReason":"disks"})"},
        {.model = "ollama/m-8", .patch = R"({"maintenanceUntil":null})"},
        {.model = "ollama/m-9", .patch = R"({"contextWindow":-5})"},
        {.model = "ollama/m-10", .patch = R"({"blocked":true})"},
    };
  };
  const auto together = models().change_all(of("acme"), scope("acme"), names("acme"));
  std::vector<Result<Document>> alone;
  for (const auto& change : names("other"))
    alone.push_back(models().change(of("other"), scope("other"), change.model, change.patch, change.expected_version));
  ASSERT_EQ(together.size(), alone.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    ASSERT_EQ(together[i].has_value(), alone[i].has_value()) << i;
    if (!alone[i]) {
      EXPECT_EQ(together[i].error().kind, alone[i].error().kind) << i;
    }
  }
  EXPECT_FALSE(together[1] || together[5] || together[10]);
  EXPECT_EQ(made_by("acme"), made_by("other"));
  EXPECT_THAT(made_by("acme"), HasSubstr("m-8"));
}

TEST_F(ModelBatchTest, PlainChangesGiveTheSameTogether) {
  import_models(8);
  const auto changes = [&](const std::string& org) {
    EXPECT_TRUE(models().change(of(org), scope(org), "ollama/m-3", R"({"displayName":"Old","tags":["a"]})", {}));
    EXPECT_TRUE(models().change(of(org), scope(org), "ollama/m-6", R"({"deprecatesAt":"2030-01-01T00:00:00Z"})", {}));
    return Changes{
        {.model = "ollama/m-0", .patch = R"({"enabled":false,"tags":["x","y"]})"},
        {.model = "ollama/m-1", .patch = R"({"displayName":"One","hidden":true,"retiresAt":"2030-01-01T00:00:00Z"})"},
        {.model = "ollama/m-2", .patch = R"({"enabled":null,"kind":"embedding","embeddingDimensions":8})"},
        {.model = "ollama/m-3", .patch = R"({"displayName":null,"tags":null,"contextWindow":1000})"},
        {.model = "ollama/m-4", .patch = "{}"},
        {.model = "ollama/m-5", .patch = R"({"blocked":true,"description":"no \"more\"","family":"f","license":"l"})"},
        // It is so already.
        {.model = "ollama/m-6", .patch = R"({"deprecatesAt":"2030-01-01T00:00:00Z"})"},
        {.model = "ollama/nowhere", .patch = "{}"},
    };
  };
  const auto before = std::stoll(count("outbox"));
  const auto together = models().change_all(of("acme"), scope("acme"), changes("acme"));
  EXPECT_EQ(transactions(), "2") << "that of the batch, and that of the one that is as it was";
  const auto events = std::stoll(count("outbox")) - before;
  for (const auto& change : changes("other"))
    (void)models().change(of("other"), scope("other"), change.model, change.patch, change.expected_version);
  EXPECT_EQ(std::stoll(count("outbox")) - before, 2 * events);
  EXPECT_EQ(made_by("acme"), made_by("other"));
  EXPECT_EQ(together.at(7).error().kind, ErrorKind::not_found);

  // The platform's own rows.
  const Changes platform{{.model = "ollama/m-0", .patch = R"({"enabled":false})"},
                         {.model = "ollama/m-1", .patch = R"({"enabled":false})", .expected_version = 1}};
  const auto own = models().change_all(root(), {}, platform);
  ASSERT_OK(own.at(0));
  ASSERT_FALSE(own.at(1).has_value());
  EXPECT_EQ(own.at(1).error().kind, ErrorKind::conflict);
  const auto refused = models().change_all(of("acme"), {}, platform);
  EXPECT_EQ(refused.at(0).error().kind, ErrorKind::forbidden);
}

TEST_F(ModelBatchTest, GrantsAreAddedAndPublishedTogether) {
  const auto events = std::stoll(count("outbox"));
  std::vector<ModelPointers::Grant> grants;
  for (const auto* object : {"ollama/llama3.2", "ollama/nowhere", "ollama/qwen3"})
    grants.push_back({.subject_kind = "group", .subject = "g", .object_kind = "model", .object = object});
  const auto added = pointers().add_grants(of("acme"), "acme", grants);
  ASSERT_EQ(added.size(), 3U);
  ASSERT_OK(added[0]);
  ASSERT_OK(added[2]);
  ASSERT_FALSE(added[1].has_value());
  EXPECT_EQ(added[1].error().kind, ErrorKind::not_found);
  EXPECT_EQ(std::stoll(count("outbox")), events + 1) << "all grants of an organisation are one record";
  EXPECT_EQ(sql().run("SELECT count(*) FROM audit_log WHERE action = 'grant.set' AND org_id = 'acme'"), "2");
  EXPECT_EQ(pointers().grants(of("acme"), "acme", {.count_max = 10})->items.size(), 2U);
  const auto forbidden = pointers().add_grants(of("other"), "acme", grants);
  EXPECT_EQ(forbidden.at(0).error().kind, ErrorKind::forbidden);
}

TEST_F(ModelBatchTest, RefusedGrantLeavesTheOthersPublishedOnce) {
  const auto events = std::stoll(count("outbox"));
  std::vector<ModelPointers::Grant> grants;
  for (const auto* subject : {"a", "b\x01", "c", "d\x01"})
    grants.push_back(
        {.subject_kind = "group", .subject = subject, .object_kind = "model", .object = "ollama/llama3.2"});
  const auto added = pointers().add_grants(of("acme"), "acme", grants);
  ASSERT_EQ(added.size(), 4U);
  ASSERT_OK(added[0]);
  ASSERT_OK(added[2]);
  for (const auto i : {1U, 3U}) {
    ASSERT_FALSE(added[i].has_value());
    EXPECT_EQ(added[i].error().kind, ErrorKind::invalid_input);
  }
  EXPECT_EQ(std::stoll(count("outbox")), events + 1) << "the grants of the organisation are published once";
  EXPECT_EQ(sql().run("SELECT string_agg(subject, ',' ORDER BY subject) FROM model_grant"), "a,c");
}

TEST_F(ModelBatchTest, GrantThatIsThereIsNotPublishedAgain) {
  const std::vector<ModelPointers::Grant> grants{
      {.subject_kind = "group", .subject = "g", .object_kind = "model", .object = "ollama/llama3.2"},
      {.subject_kind = "group", .subject = "g", .object_kind = "model", .object = "ollama/qwen3"}};
  const auto made = pointers().add_grants(of("acme"), "acme", grants);
  ASSERT_OK(made.at(0));
  const auto events = count("outbox");
  const auto audit = count("audit_log");
  const auto again = pointers().add_grants(of("acme"), "acme", grants);
  ASSERT_OK(again.at(1));
  EXPECT_EQ(again[1]->version, made[1]->version);
  ASSERT_OK(pointers().add_grant(of("acme"), "acme", grants[0]));
  auto only_new = grants;
  for (auto& grant : only_new) grant.expected_version = no_row;
  for (const auto& refused : pointers().add_grants(of("acme"), "acme", only_new)) {
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  }
  EXPECT_EQ(count("outbox"), events);
  EXPECT_EQ(count("audit_log"), audit);
}

TEST_F(ModelBatchTest, GrantsAreRemovedAndPublishedTogether) {
  std::vector<ModelPointers::Grant> grants;
  for (const auto* object : {"ollama/llama3.2", "ollama/qwen3"})
    grants.push_back({.subject_kind = "org", .object_kind = "model", .object = object});
  const auto made = pointers().add_grants(of("acme"), "acme", grants);
  ASSERT_OK(made.at(0));
  ASSERT_OK(made.at(1));
  const auto events = std::stoll(count("outbox"));
  const std::vector<ModelPointers::RemovedGrant> removed{
      {.id = made[0]->id, .expected_version = made[0]->version},
      {.id = "no id"},
      {.id = made[1]->id, .expected_version = made[1]->version + 1},
  };
  const auto results = pointers().remove_grants(of("acme"), "acme", removed);
  ASSERT_EQ(results.size(), 3U);
  ASSERT_OK(results[0]);
  EXPECT_EQ(results[1].error().kind, ErrorKind::not_found);
  EXPECT_EQ(results[2].error().kind, ErrorKind::conflict);
  EXPECT_EQ(std::stoll(count("outbox")), events + 1);
  EXPECT_EQ(sql().run("SELECT id FROM model_grant"), made[1]->id);
  EXPECT_EQ(sql().run("SELECT count(*) FROM audit_log WHERE action = 'grant.removed'"), "1");
  EXPECT_EQ(pointers().remove_grants(of("other"), "acme", removed).at(0).error().kind, ErrorKind::forbidden);
}

}  // namespace
}  // namespace tokenrail::registry
