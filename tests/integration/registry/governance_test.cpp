// The governed part of the registry on a real PostgreSQL: what people change, what is published and written down of it,
// and what the database itself refuses.
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/events/model_event.hpp"
#include "common/registry/browser_sessions.hpp"
#include "common/registry/model_views.hpp"
#include "tests/integration/registry/governance_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;

TEST_F(GovernanceTest, AnOrganisationSeesThePlatformsModels) {
  const auto page = models().list(of("acme"), scope("acme"), {}, {});
  ASSERT_OK(page);
  EXPECT_EQ(page->total, 2);
  ASSERT_EQ(page->items.size(), 2U);
  EXPECT_THAT(page->items[0].json, HasSubstr(R"("slug" : "ollama/llama3.2")"));
  EXPECT_THAT(page->items[0].json, HasSubstr(R"("scope" : "platform")"));
  EXPECT_THAT(page->items[0].json, HasSubstr(R"("status" : "active")"));
}

TEST_F(GovernanceTest, OrganisationsChangeIsItsOwnRow) {
  const auto changed = models().change(of("acme"), scope("acme"), "ollama/llama3.2",
                                       R"({"enabled":false,"displayName":"Llama","tags":["fast"]})", std::nullopt);
  ASSERT_OK(changed);
  EXPECT_THAT(changed->json, HasSubstr(R"("scope" : "override")"));
  EXPECT_THAT(changed->json, HasSubstr(R"("status" : "disabled")"));
  EXPECT_THAT(changed->json, HasSubstr(R"("displayName" : "Llama")"));
  // What it left open comes from the platform.
  EXPECT_THAT(changed->json, HasSubstr(R"("contextWindow" : 4096)"));
  EXPECT_THAT(changed->json, HasSubstr(R"("connection" : "env-ollama")"));
  EXPECT_EQ(newest("aggregateid"), "acme/_/ollama/llama3.2");
  const auto event = events::parse_model_upserted(newest("payload"));
  ASSERT_OK(event);
  EXPECT_FALSE(event->model.enabled);
  EXPECT_FALSE(event->model.inherits);
  EXPECT_EQ(event->cause, "api");
  EXPECT_EQ(event->actor, "user:anna@acme");

  const auto elsewhere = models().get(of("other"), scope("other"), "ollama/llama3.2");
  ASSERT_OK(elsewhere);
  EXPECT_THAT(elsewhere->json, HasSubstr(R"("status" : "active")"));
}

TEST_F(GovernanceTest, NullGivesAFieldBackToThePlatform) {
  ASSERT_OK(
      models().change(of("acme"), scope("acme"), "ollama/qwen3", R"({"enabled":false,"contextWindow":1024})", {}));
  const auto back =
      models().change(of("acme"), scope("acme"), "ollama/qwen3", R"({"enabled":null,"contextWindow":null})", {});
  ASSERT_OK(back);
  EXPECT_THAT(back->json, HasSubstr(R"("inherits" : true)"));
  EXPECT_THAT(back->json, HasSubstr(R"("enabled" : true)"));
  EXPECT_THAT(back->json, HasSubstr(R"("contextWindow" : 4096)"));
  const auto event = events::parse_model_upserted(newest("payload"));
  ASSERT_OK(event);
  EXPECT_TRUE(event->model.inherits);
  EXPECT_TRUE(event->model.routable);
}

TEST_F(GovernanceTest, NoSyncChangesPersonsValues) {
  const auto changed =
      models().change(root(), {}, "ollama/llama3.2", R"({"contextWindow":8192,"description":"ours"})", {});
  ASSERT_OK(changed);
  EXPECT_THAT(changed->json, HasSubstr(R"("contextWindow" : "override")"));
  const auto stored = store_->load_models(connection_);
  ASSERT_OK(stored);
  EXPECT_TRUE(stored->front().overridden.contains("contextWindow"));
}

TEST_F(GovernanceTest, TheSameChangeAgainWritesNothing) {
  ASSERT_OK(models().change(root(), {}, "ollama/llama3.2", R"({"hidden":true})", {}));
  const auto rows = count("outbox");
  const auto audit = count("audit_log");
  const auto again = models().change(root(), {}, "ollama/llama3.2", R"({"hidden":true})", {});
  ASSERT_OK(again);
  EXPECT_EQ(count("outbox"), rows);
  EXPECT_EQ(count("audit_log"), audit);
}

TEST_F(GovernanceTest, AnOldVersionIsAConflict) {
  const auto first = models().change(root(), {}, "ollama/llama3.2", R"({"hidden":true})", {});
  ASSERT_OK(first);
  ASSERT_OK(models().change(root(), {}, "ollama/llama3.2", R"({"hidden":false})", first->version));
  const auto late = models().change(root(), {}, "ollama/llama3.2", R"({"hidden":true})", first->version);
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  EXPECT_FALSE(late.error().hint.empty());
}

TEST_F(GovernanceTest, AnOrganisationDoesNotWriteThePlatformsRows) {
  const auto refused = models().change(of("acme"), {}, "ollama/llama3.2", R"({"enabled":false})", {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::forbidden);
  const auto elsewhere = models().change(of("acme"), scope("other"), "ollama/llama3.2", R"({"enabled":false})", {});
  ASSERT_FALSE(elsewhere.has_value());
}

TEST_F(GovernanceTest, RevisionsAndTheWayBack) {
  ASSERT_OK(models().change(of("acme"), scope("acme"), "ollama/llama3.2", R"({"displayName":"One"})", {}));
  ASSERT_OK(
      models().change(of("acme"), scope("acme"), "ollama/llama3.2", R"({"displayName":"Two","enabled":false})", {}));
  const auto revisions = models().revisions(of("acme"), scope("acme"), "ollama/llama3.2", {});
  ASSERT_OK(revisions);
  ASSERT_GE(revisions->items.size(), 3U);
  EXPECT_THAT(revisions->items[0].json, HasSubstr(R"("displayName":"Two")"));
  const auto back = models().roll_back(of("acme"), scope("acme"), "ollama/llama3.2", revisions->items[1].version, {});
  ASSERT_OK(back);
  EXPECT_THAT(back->json, HasSubstr(R"("displayName" : "One")"));
  EXPECT_THAT(back->json, HasSubstr(R"("status" : "active")"));
  EXPECT_EQ(sql().run("SELECT cause FROM model_revision ORDER BY version DESC LIMIT 1"), "rollback");
}

TEST_F(GovernanceTest, AnOverrideThatIsRemovedIsATombstone) {
  ASSERT_OK(models().change(of("acme"), scope("acme"), "ollama/llama3.2", R"({"enabled":false})", {}));
  const auto removed = models().remove(of("acme"), scope("acme"), "ollama/llama3.2", false, {});
  ASSERT_OK(removed);
  EXPECT_EQ(newest("type"), "model_registry.deleted");
  EXPECT_EQ(newest("aggregateid"), "acme/_/ollama/llama3.2");
  EXPECT_EQ(newest("payload IS NULL"), "t");
  const auto now = models().get(of("acme"), scope("acme"), "ollama/llama3.2");
  ASSERT_OK(now);
  EXPECT_THAT(now->json, HasSubstr(R"("status" : "active")"));
}

TEST_F(GovernanceTest, AModelThatIsUsedIsNotRemoved) {
  ASSERT_OK(pointers().set_default(root(), {}, {}, "ollama/qwen3"));
  ASSERT_OK(models().add_dependent(of("acme"), scope("acme"), "ollama/qwen3",
                                   {.ref_type = "profile", .ref_id = "p-1", .label = "Support"}));
  const auto refused = models().remove(root(), {}, "ollama/qwen3", false, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr("profile:p-1"));
  EXPECT_THAT(refused.error().detail, HasSubstr("default:generation"));
  ASSERT_OK(models().remove(root(), {}, "ollama/qwen3", true, {}));
  // The entry names those that are left without it.
  const auto left = sql().run("SELECT after FROM audit_log WHERE action = 'model.deleted' ORDER BY seq DESC LIMIT 1");
  EXPECT_THAT(left, HasSubstr("dependents"));
  EXPECT_THAT(left, HasSubstr("p-1"));
  EXPECT_THAT(left, HasSubstr("Support"));
}

TEST_F(GovernanceTest, OrganisationsModelOnItsOwnConnection) {
  const auto connection = connections().create(
      of("acme"), scope("acme"), R"({"provider":"openai","name":"acme-openai","baseUrl":"https://api.openai.com/v1"})");
  ASSERT_OK(connection);
  const auto model = models().create(
      of("acme"), scope("acme"),
      R"({"provider":"openai","modelName":"gpt-4o","enabled":true,"deployments":[{"connectionId":"acme-openai"}]})");
  ASSERT_OK(model);
  EXPECT_THAT(model->json, HasSubstr(R"("status" : "active")"));
  EXPECT_THAT(model->json, HasSubstr(R"("scope" : "organization")"));
  const auto event = events::parse_model_upserted(newest("payload"));
  ASSERT_OK(event);
  EXPECT_TRUE(event->model.routable);
  ASSERT_EQ(event->model.deployments.size(), 1U);
  EXPECT_EQ(event->model.deployments[0].base_url, "https://api.openai.com/v1");

  // Routers learn of a new address at once.
  ASSERT_OK(connections().change(of("acme"), scope("acme"), "acme-openai",
                                 R"({"baseUrl":"https://gateway.acme.test/v1"})", connection->version));
  const auto moved = events::parse_model_upserted(newest("payload"));
  ASSERT_OK(moved);
  EXPECT_EQ(moved->model.deployments[0].base_url, "https://gateway.acme.test/v1");

  const auto other = models().list(of("other"), scope("other"), {}, {});
  ASSERT_OK(other);
  EXPECT_EQ(other->total, 2);
  EXPECT_FALSE(connections().get(of("other"), scope("other"), "acme-openai").has_value());
  const auto used = connections().remove(of("acme"), scope("acme"), "acme-openai", false, {});
  ASSERT_FALSE(used.has_value());
  EXPECT_EQ(used.error().kind, ErrorKind::conflict);
}

CredentialStore::Sealed sealed(const std::string& id, std::int64_t secret_version = 1) {
  return {.id = id,
          .provider = "openai",
          .label = "main",
          .sealed = "c2VhbGVk",
          .key_id = "k1",
          .fingerprint = "f00",
          .last4 = "abcd",
          .secret_version = secret_version};
}

TEST_F(GovernanceTest, PublishesSealedCredentialThenItsConnections) {
  const auto id = database_->new_id();
  ASSERT_OK(id);
  const auto added = credentials().add(of("acme"), scope("acme"), sealed(*id));
  ASSERT_OK(added);
  EXPECT_THAT(added->json, testing::Not(HasSubstr("c2VhbGVk")));
  EXPECT_EQ(newest("aggregateid"), "acme/_/" + *id);
  EXPECT_EQ(newest("type"), "model_registry.credential");
  ASSERT_OK(connections().create(
      of("acme"), scope("acme"),
      R"({"provider":"openai","name":"a","baseUrl":"https://api.openai.com/v1","authType":"bearer",)"
      R"("credentialId":")" +
          *id + R"("})"));
  ASSERT_OK(models().create(
      of("acme"), scope("acme"),
      R"({"provider":"openai","modelName":"gpt","enabled":true,"deployments":[{"connectionId":"a"}]})"));

  ASSERT_OK(credentials().replace(of("acme"), scope("acme"), sealed(*id, 2)));
  const auto event = events::parse_model_upserted(newest("payload"));
  ASSERT_OK(event);
  EXPECT_EQ(event->model.deployments[0].credential_version, 2);
  const auto late = credentials().replace(of("acme"), scope("acme"), sealed(*id, 2));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);

  EXPECT_FALSE(credentials().revoke(of("acme"), scope("acme"), *id, false).has_value());
  ASSERT_OK(credentials().revoke(of("acme"), scope("acme"), *id, true));
  EXPECT_EQ(newest("payload IS NULL"), "t");
  EXPECT_EQ(sql().run("SELECT count(*) FROM credential WHERE sealed IS NOT NULL"), "0");
}

TEST_F(GovernanceTest, AnotherOrganisationsCredentialIsNotUsed) {
  const auto id = database_->new_id();
  ASSERT_OK(credentials().add(of("acme"), scope("acme"), sealed(*id)));
  const auto refused = connections().create(
      of("other"), scope("other"),
      R"({"provider":"openai","name":"a","baseUrl":"https://x.test","credentialId":")" + *id + R"("})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::not_found);
  EXPECT_FALSE(credentials().get(of("other"), scope("other"), *id).has_value());
}

TEST_F(GovernanceTest, PublishesDefaultAliasAndGrant) {
  const auto made = pointers().set_default(of("acme"), scope("acme"), {}, "ollama/qwen3");
  ASSERT_OK(made);
  EXPECT_EQ(newest("aggregateid"), "_default/acme/_/generation/_/_");
  const auto alias = pointers().set_alias(
      of("acme"), scope("acme"), {.alias = "best", .targets = {{"ollama/qwen3", 9}, {"ollama/llama3.2", 1}}}, {});
  ASSERT_OK(alias);
  EXPECT_EQ(newest("aggregateid"), "_alias/acme/_/best");
  EXPECT_THAT(newest("payload"), HasSubstr("\"weight\":9"));
  const auto grant = pointers().add_grant(
      of("acme"), "acme", {.subject_kind = "user", .subject = "bob", .object_kind = "model", .object = "ollama/qwen3"});
  ASSERT_OK(grant);
  EXPECT_EQ(newest("aggregateid"), "_grants/acme");
  ASSERT_OK(pointers().remove_grant(of("acme"), "acme", grant->id));
  ASSERT_OK(pointers().remove_alias(of("acme"), scope("acme"), "best", alias->version));
  EXPECT_EQ(newest("payload IS NULL"), "t");
  ASSERT_OK(pointers().remove_default(of("acme"), scope("acme"), {}));
  EXPECT_EQ(newest("aggregateid"), "_default/acme/_/generation/_/_");
  EXPECT_EQ(newest("payload IS NULL"), "t");
}

TEST_F(GovernanceTest, AnAliasDoesNotTakeAModelsSlug) {
  const auto refused = pointers().set_alias(of("acme"), scope("acme"),
                                            {.alias = "ollama/qwen3", .targets = {{"ollama/llama3.2", 1}}}, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
}

TEST_F(GovernanceTest, PointersGoWithTheirModel) {
  ASSERT_OK(pointers().set_default(root(), {}, {}, "ollama/qwen3"));
  ASSERT_OK(pointers().set_alias(root(), {},
                                 {.alias = "best", .targets = {{"ollama/qwen3", 9}, {"ollama/llama3.2", 1}}}, {}));
  ASSERT_OK(pointers().set_alias(root(), {}, {.alias = "only", .targets = {{"ollama/qwen3", 1}}}, {}));
  EXPECT_FALSE(pointers().set_alias(root(), {}, {.alias = "none"}, {}).has_value());
  ASSERT_OK(models().remove(root(), {}, "ollama/qwen3", true, {}));
  const auto last = [&](const std::string& key) {
    return sql().run("SELECT COALESCE(CAST(payload AS text), 'tombstone') FROM outbox WHERE aggregateid = '" + key +
                     "' ORDER BY seq DESC LIMIT 1");
  };
  EXPECT_EQ(last("_default/_/_/generation/_/_"), "tombstone");
  EXPECT_EQ(last("_alias/_/_/only"), "tombstone");
  EXPECT_THAT(last("_alias/_/_/best"), testing::AllOf(HasSubstr("llama3.2"), testing::Not(HasSubstr("qwen3"))));
}

TEST_F(GovernanceTest, NextPageContinuesAfterTheLast) {
  import({"a", "b", "c"});
  std::string seen;
  PageRequest request{.count_max = 2};
  for (int pages = 0; pages < 5; ++pages) {
    const auto page = models().list(of("acme"), scope("acme"), {}, request);
    ASSERT_OK(page);
    EXPECT_EQ(page->total, 5);
    for (const auto& item : page->items) seen += item.id + "\n";
    request.after = page->next;
    if (page->next.empty()) break;
  }
  EXPECT_EQ(std::ranges::count(seen, '\n'), 5);
}

TEST_F(GovernanceTest, FiltersNarrowTheList) {
  ASSERT_OK(models().change(of("acme"), scope("acme"), "ollama/qwen3", R"({"enabled":false,"tags":["slow"]})", {}));
  const auto total = [&](const ModelFilter& filter) {
    const auto page = models().list(of("acme"), scope("acme"), filter, {});
    EXPECT_TRUE(page.has_value()) << page.error().detail;
    return page ? page->total : -1;
  };
  EXPECT_EQ(total({.status = "disabled"}), 1);
  EXPECT_EQ(total({.status = "active"}), 1);
  EXPECT_EQ(total({.capabilities = {"chat"}}), 2);
  EXPECT_EQ(total({.capabilities = {"chat", "vision"}}), 0);
  EXPECT_EQ(total({.tags = {"slow"}}), 1);
  // The own row has one of them, the platform's the other; and what the own row takes away does not count.
  ASSERT_OK(
      models().change(of("acme"), scope("acme"), "ollama/qwen3", R"({"capabilities":{"vision":"supported"}})", {}));
  EXPECT_EQ(total({.capabilities = {"chat", "vision"}}), 1);
  EXPECT_EQ(total({.capabilities = {"vision"}}), 1);
  ASSERT_OK(
      models().change(of("acme"), scope("acme"), "ollama/qwen3", R"({"capabilities":{"chat":"unsupported"}})", {}));
  EXPECT_EQ(total({.capabilities = {"chat"}}), 1);
  EXPECT_EQ(models().list(of("other"), scope("other"), {.capabilities = {"vision"}}, {})->total, 0);
  EXPECT_EQ(total({.scope = "organization"}), 1);
  EXPECT_EQ(total({.search = "QWEN"}), 1);
  EXPECT_EQ(total({.provider = "openai"}), 0);
}

TEST_F(GovernanceTest, UnknownCapabilityOfAnOverrideIsInherited) {
  const auto capabilities = [&] {
    const auto model = models().get(of("acme"), scope("acme"), "ollama/qwen3");
    EXPECT_TRUE(model.has_value());
    const auto at = model ? model->json.find(R"("capabilities")") : std::string::npos;
    return at == std::string::npos ? std::string() : model->json.substr(at, model->json.find('}', at) - at);
  };
  const auto above = capabilities();
  ASSERT_THAT(above, HasSubstr(R"("chat": "supported")"));
  ASSERT_OK(models().change(of("acme"), scope("acme"), "ollama/qwen3",
                            R"({"capabilities":{"chat":"unknown","vision":"supported","code":"unknown"}})", {}));
  const auto merged = capabilities();
  EXPECT_THAT(merged, HasSubstr(R"("chat": "supported")"));
  EXPECT_THAT(merged, HasSubstr(R"("vision": "supported")"));
  EXPECT_THAT(merged, HasSubstr(R"("code": "unknown")"));
}

TEST_F(GovernanceTest, AuditLogNamesActorsAndOnlyGrows) {
  ASSERT_OK(models().change(of("acme"), scope("acme"), "ollama/qwen3", R"({"enabled":false})", {}));
  const auto page = log().audit(of("acme"), scope("acme"), {.action = "model.changed"}, {});
  ASSERT_OK(page);
  ASSERT_EQ(page->items.size(), 1U);
  EXPECT_THAT(page->items[0].json, HasSubstr(R"("actor" : "user:anna@acme")"));
  EXPECT_EQ(log().audit(of("other"), scope("other"), {.action = "model.changed"}, {})->total, 0);
  EXPECT_EQ(sql().refusal("UPDATE audit_log SET actor = 'nobody'"), "42501");
}

TEST_F(GovernanceTest, AuditLogPagesGoBackInTime) {
  for (const auto* name : {"One", "Two", "Three"})
    ASSERT_OK(models().change(of("acme"), scope("acme"), "ollama/qwen3",
                              std::string(R"({"displayName":")") + name + R"("})", {}));
  const auto first = log().audit(of("acme"), scope("acme"), {.target_type = "model"}, {.count_max = 2});
  ASSERT_OK(first);
  EXPECT_EQ(first->total, 3);
  ASSERT_EQ(first->items.size(), 2U);
  EXPECT_THAT(first->items[0].json, HasSubstr("Three"));
  const auto rest =
      log().audit(of("acme"), scope("acme"), {.target_type = "model"}, {.count_max = 2, .after = first->next});
  ASSERT_OK(rest);
  ASSERT_EQ(rest->items.size(), 1U);
  EXPECT_THAT(rest->items[0].json, HasSubstr("One"));
  EXPECT_EQ(rest->next, "");
}

TEST_F(GovernanceTest, TheDatabaseAloneKeepsOrganisationsApart) {
  ASSERT_OK(models().change(of("acme"), scope("acme"), "ollama/qwen3", R"({"enabled":false})", {}));
  const auto id = database_->new_id();
  ASSERT_OK(credentials().add(of("acme"), scope("acme"), sealed(*id)));
  auto as_other = sql();
  as_other.run("SET ROLE tokenrail_app");
  as_other.run("SET tokenrail.org_id = 'other'");
  EXPECT_EQ(as_other.run("SELECT count(*) FROM model WHERE org_id IS NOT NULL"), "0");
  EXPECT_EQ(as_other.run("SELECT count(*) FROM model"), "2");
  EXPECT_EQ(as_other.run("SELECT count(*) FROM credential"), "0");
  EXPECT_EQ(as_other.run("SELECT count(*) FROM organization"), "1");
  EXPECT_EQ(as_other.run("SELECT count(*) FROM audit_log WHERE org_id = 'acme'"), "0");
  EXPECT_EQ(as_other.refusal("SELECT payload FROM outbox"), "42501");
  EXPECT_EQ(
      as_other.refusal("INSERT INTO model (org_id, provider, model_name, slug) VALUES ('acme', 'ollama', 'x', 'x')"),
      "42501");
  as_other.run("UPDATE model SET enabled = false");
  EXPECT_EQ(sql().run("SELECT count(*) FROM model WHERE org_id IS NULL AND NOT enabled"), "0");
  // Without an organisation there is nothing but the platform's.
  auto as_none = sql();
  as_none.run("SET ROLE tokenrail_app");
  EXPECT_EQ(as_none.run("SELECT count(*) FROM model"), "2");
  EXPECT_EQ(as_none.run("SELECT count(*) FROM organization"), "0");
}

TEST_F(GovernanceTest, ARequestThatComesTwiceGetsItsAnswer) {
  const auto fresh = log().claim(of("acme"), "key-1", std::string(64, 'a'));
  ASSERT_OK(fresh);
  EXPECT_EQ(fresh->outcome, GovernanceLog::Claimed::fresh);
  EXPECT_EQ(log().claim(of("acme"), "key-1", std::string(64, 'a'))->outcome, GovernanceLog::Claimed::in_flight);
  ASSERT_OK(log().finish(of("acme"), "key-1", {.status = 201, .headers = R"({"etag":"v1"})", .body = "{}"}));
  const auto again = log().claim(of("acme"), "key-1", std::string(64, 'a'));
  ASSERT_OK(again);
  EXPECT_EQ(again->outcome, GovernanceLog::Claimed::replayed);
  EXPECT_EQ(again->answer.status, 201);
  EXPECT_EQ(log().claim(of("acme"), "key-1", std::string(64, 'b'))->outcome, GovernanceLog::Claimed::mismatch);
  EXPECT_EQ(log().claim(of("other"), "key-1", std::string(64, 'b'))->outcome, GovernanceLog::Claimed::fresh);
}

TEST_F(GovernanceTest, MembersAndTokens) {
  ASSERT_OK(organizations().set_member(of("acme"), "acme", {.issuer = "idp", .subject = "anna", .role = "org_admin"}));
  ASSERT_OK(organizations().set_member(of("other"), "other", {.issuer = "idp", .subject = "anna", .role = "viewer"}));
  const auto known = organizations().known("idp", "anna");
  ASSERT_OK(known);
  EXPECT_EQ(known->memberships.size(), 2U);
  EXPECT_EQ(organizations().members(of("acme"), "acme", {})->total, 1);
  const auto token = organizations().add_token(
      of("acme"),
      {.id = "token-0001", .org_id = "acme", .name = "ci", .role = "viewer", .sha256_hex = std::string(64, 'a')});
  ASSERT_OK(token);
  EXPECT_THAT(token->json, testing::Not(HasSubstr("aaaa")));
  const auto owner = organizations().token_owner("token-0001");
  ASSERT_OK(owner);
  ASSERT_TRUE(owner->has_value());
  EXPECT_EQ((*owner)->role, "viewer");
  ASSERT_OK(organizations().revoke_token(of("acme"), scope("acme"), "token-0001"));
  EXPECT_FALSE(organizations().token_owner("token-0001")->has_value());
}

TEST_F(GovernanceTest, OrganisationOfATokenMayBeDeleted) {
  ASSERT_OK(organizations().create(root(), {.id = "short-lived"}));
  EXPECT_TRUE(organizations().known("idp", "anna", "", {"short-lived", "acme", "never-made"})->gone.empty());
  ASSERT_OK(organizations().remove(root(), "short-lived", std::nullopt));
  EXPECT_THAT(organizations().known("idp", "anna", "", {"short-lived", "acme"})->gone,
              testing::ElementsAre("short-lived"));
}

TEST_F(GovernanceTest, EndsOneSessionOrAllOfAPerson) {
  const Actor anna{.name = "user:anna", .scope = {.user_id = "anna"}};
  BrowserSessions sessions(*database_);
  const std::string one = "session-0000000001";
  const std::string two = "session-0000000002";
  ASSERT_OK(sessions.end(anna, "idp", "anna", one, 32'000'000'000'000));
  ASSERT_OK(sessions.end(anna, "idp", "anna", one, 32'000'000'000'000));
  EXPECT_TRUE(organizations().known("idp", "anna", one)->session_ended);
  EXPECT_FALSE(organizations().known("idp", "anna", two)->session_ended);
  EXPECT_EQ(organizations().known("idp", "anna")->session_generation, 0);
  ASSERT_OK(sessions.end_all(anna, "idp", "anna"));
  ASSERT_OK(sessions.end_all(anna, "idp", "anna"));
  EXPECT_EQ(organizations().known("idp", "anna")->session_generation, 2);
  EXPECT_EQ(organizations().known("other-idp", "anna")->session_generation, 0);

  // What would have ended by itself by now needs no row any more.
  ASSERT_OK(sessions.end(anna, "idp", "anna", two, 1'000));
  EXPECT_EQ(*log().prune(), 1);
  EXPECT_EQ(count("ended_session"), "1");
}

TEST_F(GovernanceTest, OthersEndNoSessionOfAPerson) {
  const Actor mallory{.name = "user:mallory", .scope = {.org_id = "acme", .user_id = "mallory"}};
  BrowserSessions sessions(*database_);
  EXPECT_FALSE(sessions.end(mallory, "idp", "anna", "session-0000000001", 32'000'000'000'000).has_value());
  EXPECT_FALSE(sessions.end_all(mallory, "idp", "anna").has_value());
  EXPECT_EQ(count("ended_session"), "0");
  EXPECT_EQ(organizations().known("idp", "anna")->session_generation, 0);
}

TEST_F(GovernanceTest, RemovalOfAMemberEndsTheirRoleInThatOrganisationOnly) {
  const auto remove = [&](const std::string& org) {
    const auto member =
        organizations().set_member(of(org), org, {.issuer = "idp", .subject = "anna", .role = "viewer"});
    ASSERT_OK(member);
    ASSERT_OK(organizations().remove_member(of(org), org, member->id));
  };
  remove("acme");
  const auto once = organizations().known("idp", "anna");
  ASSERT_OK(once);
  EXPECT_EQ(once->session_generation, 0) << "an organisation ends no session";
  ASSERT_EQ(once->ended_roles.size(), 1U);
  EXPECT_EQ(once->ended_roles[0].org_id, "acme");
  EXPECT_EQ(once->ended_roles[0].generation, 1);
  EXPECT_TRUE(organizations().known("other-idp", "anna")->ended_roles.empty());

  // Numbers grow over all organisations, and over all sessions that were ended.
  remove("other");
  remove("acme");
  const Actor anna{.name = "user:anna", .scope = {.user_id = "anna"}};
  ASSERT_OK(BrowserSessions(*database_).end_all(anna, "idp", "anna"));
  const auto after = organizations().known("idp", "anna");
  ASSERT_OK(after);
  ASSERT_EQ(after->ended_roles.size(), 2U);
  EXPECT_EQ(after->ended_roles[0].generation, 3);
  EXPECT_EQ(after->ended_roles[1].generation, 2);
  EXPECT_EQ(after->session_generation, 4) << "above every session that has begun";
}

TEST_F(GovernanceTest, NameOfAMemberIsTheOrganisationsOwn) {
  const auto name = [&](const std::string& org, const std::string& wanted) {
    const auto set = organizations().set_member(
        of(org), org, {.issuer = "idp", .subject = "anna", .role = "viewer", .display_name = wanted});
    if (!set.has_value()) return set.error().detail;
    return set->json;
  };
  EXPECT_THAT(name("acme", "Anna of the merger team"), HasSubstr("merger"));
  EXPECT_THAT(name("other", ""), testing::Not(HasSubstr("merger")));
  EXPECT_THAT(name("other", "Anna"), HasSubstr(R"("displayName" : "Anna")"));
  // One that is not given stays.
  EXPECT_THAT(name("acme", ""), HasSubstr("merger"));
  EXPECT_THAT(organizations().members(of("other"), "other", {})->items.at(0).json, testing::Not(HasSubstr("merger")));
}

/// Everything that one user may own, in acme.
void own_everything(GovernedDatabase& database, const std::string& user) {
  const Actor actor{.name = "user:" + user, .scope = {.org_id = "acme", .user_id = user}};
  const auto& own = actor.scope;
  const auto id = database.new_id();
  ASSERT_OK(id);
  ASSERT_OK(CredentialStore(database).add(actor, own, sealed(*id)));
  ASSERT_OK(Connections(database).create(
      actor, own,
      R"({"provider":"openai","name":"own","baseUrl":"https://api.openai.com/v1","authType":"bearer","credentialId":")" +
          *id + R"("})"));
  const auto model = Models(database).create(
      actor, own, R"({"provider":"openai","modelName":"mine","enabled":true,"deployments":[{"connectionId":"own"}]})");
  ASSERT_OK(model);
  ASSERT_OK(Models(database).change(actor, own, "ollama/qwen3", R"({"displayName":"Mine"})", {}));
  ASSERT_OK(ModelPointers(database).set_default(actor, own, {}, model->id));
  ASSERT_OK(ModelPointers(database).set_alias(actor, own, {.alias = "fast", .targets = {{model->id, 1}}}, {}));
  ASSERT_OK(ModelViews(database).set(actor, own, {.name = "view"}, {}));
}

TEST_F(GovernanceTest, RowsOfARemovedMemberGoToo) {  // S2.16
  const auto anna =
      organizations().set_member(of("acme"), "acme", {.issuer = "idp", .subject = "anna", .role = "member"});
  ASSERT_OK(anna);
  ASSERT_OK(organizations().set_member(of("acme"), "acme", {.issuer = "idp", .subject = "ben", .role = "member"}));
  own_everything(*database_, "anna");
  own_everything(*database_, "ben");
  const auto rows_of = [&](const std::string& user) {
    const auto of_user = " WHERE owner_user_id = '" + user + "'";
    return sql().run(
        "SELECT concat_ws(' ', (SELECT count(*) FROM model_view" + of_user + "), (SELECT count(*) FROM model_alias" +
        of_user + "), (SELECT count(*) FROM model_default" + of_user + "), (SELECT count(*) FROM model" + of_user +
        " AND deleted_at IS NULL), (SELECT count(*) FROM connection" + of_user +
        " AND deleted_at IS NULL), (SELECT count(*) FROM credential" + of_user + " AND revoked_at IS NULL))");
  };
  ASSERT_EQ(rows_of("anna"), "1 1 1 2 1 1");
  const auto before = sql().run("SELECT max(seq) FROM outbox");

  // Tried only: nothing goes.
  auto trying = of("acme");
  trying.dry_run = true;
  ASSERT_OK(organizations().remove_member(trying, "acme", anna->id));
  ASSERT_EQ(rows_of("anna"), "1 1 1 2 1 1");

  ASSERT_OK(organizations().remove_member(of("acme"), "acme", anna->id));
  EXPECT_EQ(rows_of("anna"), "0 0 0 0 0 0");
  EXPECT_EQ(rows_of("ben"), "1 1 1 2 1 1");
  EXPECT_EQ(sql().run("SELECT count(*) FROM membership"), "1");
  // Routers get a tombstone for each record.
  EXPECT_EQ(
      sql().run("SELECT string_agg(DISTINCT aggregateid, ' ') FROM outbox WHERE payload IS NULL AND aggregatetype <> "
                "'credential' AND seq > " +
                before),
      "_alias/acme/anna/fast _default/acme/anna/generation/_/_ _view/acme/anna/view acme/anna/ollama/qwen3 "
      "acme/anna/openai/mine");
  EXPECT_EQ(sql().run("SELECT count(*) FROM outbox WHERE payload IS NULL AND aggregatetype = 'credential' AND seq > " +
                      before),
            "1");
  EXPECT_EQ(
      sql().run("SELECT string_agg(DISTINCT action, ' ') FROM audit_log WHERE actor = 'user:anna@acme' AND org_id = "
                "'acme' AND action NOT LIKE 'organization.%' AND action <> 'member.set'"),
      "alias.removed connection.deleted credential.revoked default.removed member.removed model.deleted view.removed");
}

TEST_F(GovernanceTest, SubjectsRowsStayForItsOtherIssuer) {  // S2.16
  const auto anna =
      organizations().set_member(of("acme"), "acme", {.issuer = "idp", .subject = "anna", .role = "member"});
  ASSERT_OK(anna);
  ASSERT_OK(
      organizations().set_member(of("acme"), "acme", {.issuer = "other-idp", .subject = "anna", .role = "member"}));
  own_everything(*database_, "anna");
  ASSERT_OK(organizations().remove_member(of("acme"), "acme", anna->id));
  EXPECT_EQ(sql().run("SELECT count(*) FROM model WHERE owner_user_id = 'anna' AND deleted_at IS NULL"), "2");
}

TEST_F(GovernanceTest, RemovesOrganisationWithoutContent) {
  ASSERT_OK(models().change(of("acme"), scope("acme"), "ollama/qwen3", R"({"enabled":false})", {}));
  const auto refused = organizations().remove(root(), "acme", {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().detail, HasSubstr("models: 1"));
  ASSERT_OK(models().remove(of("acme"), scope("acme"), "ollama/qwen3", false, {}));
  ASSERT_OK(organizations().remove(root(), "acme", {}));
  EXPECT_EQ(newest("aggregateid"), "_org/acme");
  EXPECT_FALSE(organizations().get(root(), "acme").has_value());
}

}  // namespace
}  // namespace tokenrail::registry
