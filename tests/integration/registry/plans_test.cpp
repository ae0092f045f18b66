// How PostgreSQL carries out the statements of the governed part at 100,000 models: by indexes, also behind row-level
// security, where a condition that is not leak-proof is looked at last.
#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/registry/connections.hpp"
#include "common/registry/governance_log.hpp"
#include "common/registry/governed_models_sql.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/model_pointers.hpp"
#include "common/registry/model_views_sql.hpp"
#include "common/registry/prices.hpp"
#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

class PlansTest : public StoreTest {
 protected:
  void fill() {
    auto database = sql();
    database.run("SET synchronous_commit = off");
    database.run("INSERT INTO organization (id, slug) VALUES ('acme', 'acme')");
    database.run(
        "INSERT INTO model (provider, model_name, slug, enabled, capabilities, tags) SELECT 'ollama', 'family' || g % "
        "50 || '/model-' || g, 'ollama/family' || g % 50 || '/model-' || g, true, jsonb_build_object('chat', "
        "'supported', 'vision', CASE g % 1000 WHEN 0 THEN 'supported' ELSE 'unsupported' END), CASE g % 1000 WHEN 0 "
        "THEN ARRAY['all', 'rare'] ELSE ARRAY['all'] END FROM generate_series(1, 100000) g");
    database.run(
        "INSERT INTO model (org_id, provider, model_name, slug, enabled) SELECT 'acme', provider, model_name, slug, "
        "false FROM model ORDER BY slug LIMIT 50");
    database.run("INSERT INTO deployment (model_id, connection_id, upstream_name) SELECT id, '" + connection_.id +
                 "', model_name FROM model WHERE org_id IS NULL");
    database.run(
        "INSERT INTO audit_log (org_id, actor, action, target_type) SELECT 'org-' || g % 1000, 'a', 'b', 'c' FROM "
        "generate_series(1, 100000) g");
    for (const auto* table : {"model", "deployment", "audit_log", "connection", "organization"})
      database.run("ANALYZE " + std::string(table));
  }

  /// The plan as acme's transaction gets it.
  std::string plan(const std::string& statement, const Arguments& arguments, const std::string& user = "") {
    return run_as_acme("EXPLAIN (FORMAT JSON) " + statement, arguments, user);
  }

  std::string run_as_acme(const std::string& statement, const Arguments& arguments, const std::string& user = "") {
    auto text = with_arguments(statement);
    const std::string value = "'" + arguments.object() + "'";
    for (auto at = text.find(":p"); at != std::string::npos; at = text.find(":p", at + value.size()))
      text.replace(at, 2, value);
    auto database = sql();
    database.run("SET jit = off");
    database.run("SET ROLE tokenrail_app");
    database.run("SET tokenrail.org_id = 'acme'");
    database.run("SET tokenrail.user_id = '" + user + "'");
    auto result = database.run(text);
    database.run("SELECT pg_stat_force_next_flush()");
    return result;
  }

  /// How often the part of a statement that ran most ran, as acme's transaction carries it out.
  long long most_loops(const std::string& statement, const Arguments& arguments) {
    const auto carried_out = run_as_acme("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement, arguments);
    long long most = 0;
    constexpr std::string_view loops = "\"Actual Loops\": ";
    for (auto at = carried_out.find(loops); at != std::string::npos; at = carried_out.find(loops, at + 1))
      most = std::max(most, std::stoll(carried_out.substr(at + loops.size())));
    return most;
  }

  /// Rows of what organisations have beside models: 100,000 aliases, grants and prices, of a thousand of them.
  void fill_what_leads_to_models() {
    fill();
    auto database = sql();
    database.run("SET synchronous_commit = off");
    database.run("INSERT INTO organization (id, slug) SELECT 'org-' || g, 'org-' || g FROM generate_series(0, 999) g");
    database.run("CREATE TEMP TABLE numbered AS SELECT id, row_number() OVER (ORDER BY slug, org_id) AS g FROM model");
    database.run(
        "INSERT INTO price (model_id, dimension, amount, source, created_by) SELECT id, 'input', 1, 'override', 'a' "
        "FROM "
        "numbered");
    database.run(
        "WITH made AS (INSERT INTO model_alias (org_id, alias) SELECT 'org-' || g % 1000, 'alias-' || g FROM numbered "
        "RETURNING id, CAST(split_part(alias, '-', 2) AS bigint) AS g) INSERT INTO model_alias_target (alias_id, "
        "model_id) SELECT made.id, numbered.id FROM made JOIN numbered USING (g)");
    database.run(
        "INSERT INTO model_grant (org_id, subject_kind, subject, object_kind, object_id, created_by) SELECT 'org-' || "
        "g "
        "% 1000, 'user', 'u' || g, 'model', id, 'a' FROM numbered");
    database.run(
        "INSERT INTO audit_log (org_id, actor, action, target_type, target_id) SELECT 'acme', 'a', 'b', 'model', 't' "
        "|| "
        "g FROM generate_series(1, 100000) g");
    for (const auto* table : {"price", "model_alias", "model_alias_target", "model_grant", "audit_log", "organization"})
      database.run("ANALYZE " + std::string(table));
  }

  /// That what `act` does reads a table by an index only: by this one; by any, where it is empty.
  void expect_index(const std::string& table, const std::string& index,
                    const std::function<void(GovernedDatabase&)>& act) {
    SCOPED_TRACE(table + " " + index);
    const auto whole = [&] {
      return sql().run("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = '" + table + "'");
    };
    const auto before = whole();
    const auto used_before = index.empty() ? "0" : scans(index);
    {
      auto options = options_;
      options.application = "plans";
      GovernedDatabase governed(options);
      act(governed);
    }
    // A session counts its scans when it ends at the latest.
    while (sql().run("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'plans'") != "0") {
    }
    EXPECT_EQ(whole(), before) << "scans of the whole table";
    if (!index.empty()) EXPECT_GT(std::stoll(scans(index)), std::stoll(used_before)) << "scans of the index";
  }

  /// How often an index was used.
  std::string scans(const std::string& index) {
    return sql().run("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = '" + index + "'");
  }
};

/// Whether a plan has a scan of the whole table of models.
bool reads_all_models(std::string_view plan) {
  constexpr std::string_view relation = "\"Relation Name\": \"";
  for (auto at = plan.find("Seq Scan"); at != std::string_view::npos; at = plan.find("Seq Scan", at + 1)) {
    const auto name = plan.find(relation, at);
    if (name != std::string_view::npos && plan.substr(name + relation.size()).starts_with("model\"")) return true;
  }
  return false;
}

Arguments of_acme() {
  return Arguments().scope({.org_id = "acme"});
}

// One test: filling the tables takes longer than all that is asked of them.
TEST_F(PlansTest, ReadsModelsPagesAndAuditLogByIndexes) {
  fill();
  // A model, whatever it is named by.
  // With a name that is no id the first part is a scan that is never begun, so an id is looked for here.
  const auto found = plan(named_models(), of_acme().text("name", "01a22878-0ed9-78de-8f4b-bd4cd757cf07"));
  EXPECT_THAT(found, Not(HasSubstr("Seq Scan"))) << found;
  const auto document = plan(effective_documents("m.provider = @provider AND m.model_name = @model") + "true",
                             of_acme().text("provider", "ollama").text("model", "family0/model-100000"));
  EXPECT_THAT(document, HasSubstr("model_provider_name"));
  EXPECT_THAT(document, HasSubstr("deployment_model_id_connection_id_key"));

  // A page, in the order of an index.
  const auto page = plan(effective_page("true", "true", ModelOrder::name),
                         of_acme()
                             .text_or_null("provider", "")
                             .text("after_key", "ollama/family3")
                             .text("after_id", "00000000-0000-0000-0000-000000000000")
                             .number("limit", 51));
  EXPECT_THAT(page, HasSubstr("model_platform_slug")) << page;

  const auto documents = plan(effective_documents(named_in_page()) + "true",
                              of_acme().json("page", R"([["ollama","family0/model-100000"]])"));
  EXPECT_THAT(documents, HasSubstr("model_provider_name")) << documents;

  // Models with a capability: an index finds their names, another one each row.
  const ModelFilter filter{.capabilities = {"vision"}};
  auto arguments = of_acme();
  add_filter(arguments, "", filter);
  const auto counted = effective_count(narrowed_by(filter), filter_condition(filter, Reads::whole, true));
  const auto some = plan(counted, arguments);
  EXPECT_THAT(some, HasSubstr("tokenrail_models_with")) << some;
  EXPECT_THAT(some, HasSubstr("model_provider_name")) << some;
  EXPECT_THAT(some, Not(HasSubstr("Seq Scan"))) << some;
  // The plan does not show what the function does inside; the index counts its scans.
  EXPECT_EQ(run_as_acme(counted, arguments), "100");
  EXPECT_GE(std::stoi(scans("model_supported")), 1);

  // Models with a tag, and with a part of a name.
  for (const auto& [by, function, index, count] :
       {std::tuple(ModelFilter{.tags = {"rare"}}, "tokenrail_models_tagged", "model_tags", "100"),
        std::tuple(ModelFilter{.search = "MODEL-4711"}, "tokenrail_models_like", "model_searched", "11")}) {
    auto values = of_acme();
    add_filter(values, "", by);
    const auto statement = effective_count(narrowed_by(by), filter_condition(by, Reads::whole, true));
    const auto planned = plan(statement, values);
    EXPECT_THAT(planned, HasSubstr(function)) << planned;
    EXPECT_THAT(planned, HasSubstr("model_provider_name")) << planned;
    EXPECT_THAT(planned, Not(HasSubstr("Seq Scan"))) << planned;
    EXPECT_EQ(run_as_acme(statement, values), count);
    EXPECT_GE(std::stoi(scans(index)), 1) << index;
  }

  // What counts many models looks nothing up for each: deployments and prices are read as sets. acme has 50 rows.
  constexpr long long of_own_rows = 100;
  for (const ModelFilter& counted_by :
       {ModelFilter{.status = "active"}, ModelFilter{.status = "unserved"}, ModelFilter{.status = "missing"},
        ModelFilter{.status = "disabled"}, ModelFilter{.free = true}, ModelFilter{.free = false},
        ModelFilter{.kind = "generation", .scope = "platform", .search = "model-4711"}, ModelFilter{.hidden = false}}) {
    auto values = of_acme();
    add_filter(values, "", counted_by);
    const auto statement = effective_count(narrowed_by(counted_by), filter_condition(counted_by, Reads::whole, true));
    EXPECT_LE(most_loops(statement, values), of_own_rows) << counted_by.status << statement;
  }
  EXPECT_LE(most_loops(statistics_of_models(), of_acme()), of_own_rows);
  const auto active = [&](std::string status) {
    auto values = of_acme();
    const ModelFilter by{.status = std::move(status)};
    add_filter(values, "", by);
    return run_as_acme(effective_count(narrowed_by(by), filter_condition(by, Reads::whole, true)), values);
  };
  EXPECT_EQ(active("active"), "99950");
  EXPECT_EQ(active("disabled"), "50");
  EXPECT_EQ(active("unserved"), "0");

  // A page is the same whether few or many models pass the filter, which decides how it is found.
  GovernedDatabase governed(options_);
  Models models(governed);
  const Actor anna{.name = "user:anna", .scope = {.org_id = "acme"}};
  const auto few = models.list(anna, anna.scope, filter, {.count_max = 3});
  ASSERT_TRUE(few.has_value()) << few.error().detail;
  EXPECT_EQ(few->total, 100);
  ASSERT_EQ(few->items.size(), 3U);
  EXPECT_THAT(few->items[0].json, HasSubstr("ollama/family0/model-1000\""));
  const auto many = models.list(anna, anna.scope, {.capabilities = {"chat"}}, {.count_max = 3});
  ASSERT_TRUE(many.has_value()) << many.error().detail;
  EXPECT_EQ(many->total, 100'000);
  ASSERT_EQ(many->items.size(), 3U);
  EXPECT_THAT(many->items[0].json, HasSubstr("ollama/family0/model-100\""));
  EXPECT_THAT(many->items[2].json, HasSubstr("ollama/family0/model-10000\""));
  const auto after = models.list(anna, anna.scope, {.capabilities = {"chat"}}, {.count_max = 1, .after = many->next});
  ASSERT_TRUE(after.has_value()) << after.error().detail;
  EXPECT_THAT(after->items.at(0).json, HasSubstr("ollama/family0/model-100000\""));

  // The same where an index finds the models, and where there are too many for one.
  for (const auto& [by, total] :
       {std::pair(ModelFilter{.tags = {"all"}}, 100'000), std::pair(ModelFilter{.search = "MODEL-"}, 100'000),
        std::pair(ModelFilter{.tags = {"all"}, .search = "model-10000"}, 2),
        std::pair(ModelFilter{.tags = {"rare"}, .search = "model-1"}, 12)}) {
    const auto listed = models.list(anna, anna.scope, by, {.count_max = 3});
    ASSERT_TRUE(listed.has_value()) << listed.error().detail;
    EXPECT_EQ(listed->total, total) << by.search;
  }

  // An organisation's entries of the audit log.
  const auto entries = plan(
      "SELECT a.seq FROM audit_log a WHERE (a.org_id = @org OR (@org IS NULL AND a.org_id IS NULL)) AND a.seq < 90000 "
      "ORDER "
      "BY a.seq DESC LIMIT 50",
      of_acme());
  EXPECT_THAT(entries, HasSubstr("audit_log_org")) << entries;
  EXPECT_THAT(entries, Not(HasSubstr("Seq Scan"))) << entries;
}

// A function that is called, instead of being a part of the statement, is planned again whenever the statement runs.
// That took most of the time of a model.
TEST_F(PlansTest, NoStatementCallsTheFunctionOfPrices) {
  sql().run("ALTER DATABASE " + name_ + " SET track_functions = 'all'");
  store_ = std::make_unique<Store>(options_);
  apply({adding("a"), adding("b")});
  stored("a");
  {
    GovernedDatabase governed(options_);
    const auto root = person("root");
    ASSERT_TRUE(Models(governed).list(root, {}, {}, {.count_max = 2}).has_value());
    ASSERT_TRUE(Models(governed).change(root, {}, "ollama/a", R"({"hidden":true})", {}).has_value());
    ASSERT_TRUE(Prices(governed)
                    .set(root, {}, "ollama/a", {{.key = {.dimension = PriceDimension::input}, .micros = 5}}, {})
                    .has_value());
    ASSERT_TRUE(Prices(governed).get(root, {}, "ollama/a", "env-ollama").has_value());
  }
  end_sessions();
  EXPECT_EQ(sql().run("SELECT COALESCE(sum(calls), 0) FROM pg_stat_user_functions WHERE funcname = 'tokenrail_prices'"),
            "0");
  EXPECT_NE(sql().run("SELECT COALESCE(sum(calls), 0) FROM pg_stat_user_functions"), "0") << "calls are counted";
}

TEST_F(PlansTest, ModelsOfAUserAreReadByAnIndex) {
  auto database = sql();
  database.run("INSERT INTO organization (id, slug) VALUES ('acme', 'acme')");
  database.run(
      "INSERT INTO model (org_id, owner_user_id, provider, model_name, slug, enabled) SELECT 'acme', 'user-' || g % "
      "5000, "
      "'ollama', 'model-' || g, 'ollama/model-' || g, g % 2 = 0 FROM generate_series(1, 100000) g");
  database.run("ANALYZE model");
  const Scope scope{.org_id = "acme", .user_id = "user-7"};
  const auto arguments = Arguments()
                             .scope(scope)
                             .text("after_key", "")
                             .text("after_id", "00000000-0000-0000-0000-000000000000")
                             .number("limit", 51);
  // A page of all that the user sees, and of those that are enabled.
  for (const ModelFilter& filter :
       {ModelFilter{}, ModelFilter{.status = "disabled"}, ModelFilter{.status = "unserved"}}) {
    const auto statement =
        effective_page(narrowed_by(filter), filter_condition(filter, Reads::single, false), ModelOrder::name);
    const auto page = plan(statement, arguments, scope.user_id);
    EXPECT_THAT(page, testing::AnyOf(HasSubstr("model_slug"), HasSubstr("model_identity"))) << page;
    EXPECT_FALSE(reads_all_models(page)) << page;
  }
  GovernedDatabase governed(options_);
  const auto own =
      Models(governed).list({.name = "user:7", .scope = scope}, scope, {.status = "disabled"}, {.count_max = 50});
  ASSERT_TRUE(own.has_value()) << own.error().detail;
  EXPECT_EQ(own->total, 20);
}

TEST_F(PlansTest, WhatLeadsToModelsIsReadByIndexes) {
  fill_what_leads_to_models();
  const Scope acme{.org_id = "acme"};
  const Actor anna{.name = "user:anna", .scope = acme};
  const Scope seventh{.org_id = "org-7"};
  const Actor bob{.name = "user:bob", .scope = seventh};

  expect_index("audit_log", "audit_log_target", [&](GovernedDatabase& governed) {
    const auto entries = GovernanceLog(governed).audit(anna, acme, {.target_id = "t4711"}, {});
    ASSERT_TRUE(entries.has_value()) << entries.error().detail;
    EXPECT_EQ(entries->total, 1);
  });
  expect_index("price", "", [&](GovernedDatabase& governed) {
    const auto model = Models(governed).get(anna, acme, "ollama/family7/model-70007");
    ASSERT_TRUE(model.has_value()) << model.error().detail;
    EXPECT_THAT(model->json, HasSubstr("\"0.000001\""));
  });
  expect_index("model_alias", "model_alias_name", [&](GovernedDatabase& governed) {
    const auto alias = ModelPointers(governed).alias(bob, seventh, "alias-70007");
    ASSERT_TRUE(alias.has_value()) << alias.error().detail;
  });
  const auto set_alias = [&](GovernedDatabase& governed) {
    const auto alias = ModelPointers(governed).set_alias(
        bob, seventh, {.alias = "alias-70007", .targets = {{"ollama/family1/model-1", 1}}}, {});
    ASSERT_TRUE(alias.has_value()) << alias.error().detail;
  };
  expect_index("model_alias", "model_alias_name", set_alias);
  expect_index("model_alias_target", "model_alias_target_pkey", set_alias);
  const auto add_grant = [&](GovernedDatabase& governed) {
    const auto grant = ModelPointers(governed).add_grant(
        bob, "org-7",
        {.subject_kind = "user", .subject = "eve", .object_kind = "model", .object = "ollama/family1/model-1"});
    ASSERT_TRUE(grant.has_value()) << grant.error().detail;
  };
  expect_index("model_grant", "", add_grant);
  expect_index("model", "", add_grant);
  const auto dependents = [&](GovernedDatabase& governed) {
    const auto found = Models(governed).dependents({.name = "cli:root", .all_organizations = true}, {},
                                                   "ollama/family7/model-70007", {});
    ASSERT_TRUE(found.has_value()) << found.error().detail;
    EXPECT_EQ(found->total, 1);
  };
  expect_index("model_alias_target", "model_alias_target_model", dependents);
  expect_index("model_alias", "", dependents);
  // acme's row over the platform's goes, and what leads to it leads to the platform's.
  const auto remove = [&](GovernedDatabase& governed) {
    const auto removed = Models(governed).remove(anna, acme, "ollama/family0/model-100", true, {});
    ASSERT_TRUE(removed.has_value()) << removed.error().detail;
  };
  expect_index("model_grant", "model_grant_object", remove);
}

TEST_F(PlansTest, RelayAndRewrapReadNoWholeTable) {
  auto database = sql();
  database.run(
      "INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, published_at) SELECT gen_random_uuid(), "
      "'model', 'k', 't', '{}', now() FROM generate_series(1, 50000)");
  database.run("ANALYZE outbox");
  const auto relay =
      database.run("EXPLAIN (FORMAT JSON) SELECT seq FROM outbox WHERE published_at IS NULL ORDER BY seq LIMIT 500");
  EXPECT_THAT(relay, HasSubstr("outbox_unpublished")) << relay;
  // While the history is not taken, its rows stay unpublished.
  database.run("UPDATE outbox SET published_at = NULL, state_published_at = now()");
  database.run("VACUUM ANALYZE outbox");
  const auto state = database.run(
      "EXPLAIN (FORMAT JSON) SELECT seq FROM outbox WHERE published_at IS NULL AND state_published_at IS NULL "
      "AND type NOT IN ('model_registry.credential', 'model_registry.credential.revoked') ORDER BY seq LIMIT 500");
  EXPECT_THAT(state, HasSubstr("outbox_state_unpublished")) << state;

  // Nearly all are wrapped with the new key, and with the old one those that were written last.
  database.run("INSERT INTO organization (id, slug) VALUES ('acme', 'acme')");
  database.run(
      "INSERT INTO credential (org_id, provider, label, sealed, key_id, fingerprint) SELECT 'acme', 'openai', 'l' || "
      "g, "
      "'c2VhbGVk', CASE WHEN g > 99990 THEN 'k1' ELSE 'k2' END, 'f' FROM generate_series(1, 100000) g");
  database.run("ANALYZE credential");
  expect_index("credential", "credential_key", [&](GovernedDatabase& governed) {
    const auto left = CredentialStore(governed).not_under("k2", "", 100);
    ASSERT_TRUE(left.has_value()) << left.error().detail;
    EXPECT_EQ(left->size(), 10U);
    EXPECT_TRUE(CredentialStore(governed).not_under("k2", left->back().id, 100)->empty());
  });
}

}  // namespace
}  // namespace tokenrail::registry
