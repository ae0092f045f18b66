// Thousands of random changes of every kind that people and syncs make; then a reader that starts from the topics holds
// what one holds that starts from the database.
//
// TOKENRAIL_TEST_CHANGES is the number of changes (1,000 without it), TOKENRAIL_TEST_CHANGES_SEED the seed.
#include <array>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/registry/call_parameters.hpp"
#include "common/registry/catalogs.hpp"
#include "common/registry/connections.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/model_pointers.hpp"
#include "common/registry/model_views.hpp"
#include "common/registry/organizations.hpp"
#include "common/registry/prices.hpp"
#include "tests/integration/registry_sync/governed_world.hpp"
#include "tests/integration/registry_sync/topic_reader.hpp"

namespace tokenrail::registry_sync {
namespace {

using registry::Actor;
using registry::Scope;

constexpr std::int64_t published_together = 100;  ///< changes, before registry-sync gets its turn
constexpr std::int64_t compared_after = 500;      ///< changes
constexpr std::array listed_names{"a:1b", "b:7b", "c:8b", "d:70b", "e:latest", "f:3b"};

std::int64_t from_environment(const char* name, std::int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoll(text, nullptr, 10);
}

class RandomChanges : public GovernedWorld {
 protected:
  // ---- dice

  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }
  bool chance(std::size_t percent) { return below(100) < percent; }
  template <class Values>
  auto one_of(const Values& values) {
    return *std::next(std::begin(values), static_cast<std::ptrdiff_t>(below(std::size(values))));
  }
  std::string one(std::initializer_list<const char*> values) { return one_of(values); }
  std::string numbered(std::string_view word, std::size_t count) { return fmt::format("{}-{}", word, below(count)); }

  /// Whose rows a change is about, and who makes it. Some only look what would happen.
  struct Turn {
    Actor actor;
    Scope scope;
  };
  Turn turn(bool with_platform = true) {
    Turn made;
    if (with_platform && chance(30)) {
      made.actor = {.name = "cli:root", .all_organizations = true};
    } else {
      made.scope = {.org_id = one({"acme", "beta", "gamma"}), .user_id = chance(30) ? one({"anna", "bob"}) : ""};
      made.actor = {.name = "user:anna@" + made.scope.org_id, .scope = made.scope};
    }
    made.actor.dry_run = chance(3);
    return made;
  }
  Turn org_turn() {
    auto made = turn(false);
    made.scope.user_id = made.actor.scope.user_id = "";
    return made;
  }
  Actor root() { return {.name = "cli:root", .all_organizations = true, .dry_run = chance(3)}; }

  std::string some_model() {
    return chance(60) ? fmt::format("ollama/{}", one_of(listed_names)) : "openai/" + numbered("own", 8);
  }
  std::string some_patch(const Scope& scope) {
    std::string patch;
    const auto add = [&](std::size_t percent, std::string_view name, const std::string& value) {
      if (chance(percent)) patch += fmt::format("{}\"{}\":{}", patch.empty() ? "" : ",", name, value);
    };
    const bool enabled = chance(70);
    add(40, "enabled", !scope.platform() && chance(30) ? "null" : enabled ? "true" : "false");
    add(25, "displayName", chance(30) ? "null" : fmt::format("\"{}\"", numbered("Näme", 100)));
    add(15, "description", fmt::format("\"{}\"", numbered("text", 100)));
    add(15, "tags", one({R"(["fast"])", R"(["fast","cheap"])", "[]", "null"}));
    add(15, "capabilities", one({R"({"tools":"supported"})", R"({"vision":"unsupported"})", R"({"tools":null})"}));
    add(15, "contextWindow", chance(30) ? "null" : std::to_string(1024 << below(6)));
    add(10, "maintenanceUntil", one({R"("2100-01-01T00:00:00Z")", R"("2020-01-01T00:00:00Z")", "null"}));
    add(10, "maintenanceReason", chance(30) ? "null" : fmt::format("\"{}\"", numbered("disks", 9)));
    add(10, "lifecycle", one({R"("deprecated")", R"("retired")", R"("active")", "null"}));
    add(10, "hidden", one({"true", "false", "null"}));
    add(10, "blocked", one({"true", "false"}));
    add(5, "retiresAt", one({R"("2101-01-01T00:00:00Z")", "null"}));
    add(5, "metadata", one({R"({"team":"search"})", R"({"team":null})"}));
    add(5, "deployments",
        one({R"([{"connectionId":"own-0"}])", R"([{"connectionId":"env-ollama","weight":3}])", "[]"}));
    return "{" + patch + "}";
  }

  // ---- changes, each of a kind; whether it was accepted

  template <class T>
  bool accepted(const Result<T>& result) {
    // What people try may be refused, by a rule that is tested elsewhere; but the database has to answer.
    if (!result) EXPECT_NE(result.error().kind, ErrorKind::unavailable) << result.error().detail;
    return result.has_value();
  }

  bool change_model() {
    const auto by = turn();
    return accepted(models().change(by.actor, by.scope, some_model(), some_patch(by.scope), {}));
  }
  bool replace_model() {
    const auto by = turn();
    return accepted(models().replace(by.actor, by.scope, some_model(), some_patch(by.scope), {}));
  }
  bool change_models() {
    const auto by = turn();
    std::vector<registry::Models::Change> changes;
    for (int i = 0; i < 3; ++i) changes.push_back({.model = some_model(), .patch = some_patch(by.scope)});
    bool any = false;
    for (const auto& result : models().change_all(by.actor, by.scope, changes)) any = accepted(result) || any;
    return any;
  }
  bool create_model() {
    const auto by = turn();
    return accepted(
        models().create(by.actor, by.scope,
                        fmt::format(R"({{"provider":"openai","modelName":"{}","enabled":{}{}}})", numbered("own", 8),
                                    chance(80), chance(70) ? R"(,"deployments":[{"connectionId":"own-0"}])" : "")));
  }
  bool remove_model() {
    const auto by = turn(false);
    return accepted(models().remove(by.actor, by.scope, some_model(), chance(80), {}));
  }
  bool roll_model_back() {
    const auto by = turn();
    const auto model = some_model();
    const auto known = models().revisions(by.actor, by.scope, model, {});
    if (!known || known->items.empty()) return false;
    return accepted(models().roll_back(by.actor, by.scope, model, one_of(known->items).version, {}));
  }
  bool set_prices() {
    const auto by = turn();
    std::vector<Price> prices;
    if (chance(80))
      prices.push_back({.key = {.dimension = PriceDimension::input}, .micros = std::int64_t(below(9)) * 1'000});
    if (chance(60))
      prices.push_back({.key = {.dimension = PriceDimension::output}, .micros = std::int64_t(below(9)) * 5'000});
    return accepted(
        registry::Prices(*database_).set(by.actor, by.scope, some_model(), prices, {}, chance(20) ? "env-ollama" : ""));
  }
  bool set_parameters() {
    const auto by = turn();
    events::CallDefaults parameters;
    if (chance(60)) parameters.temperature = 0.1 * static_cast<double>(below(10));
    if (chance(40)) parameters.tokens_max = 100 + static_cast<std::int64_t>(below(100));
    return accepted(registry::CallParameters(*database_).set(by.actor, by.scope, some_model(), "", parameters));
  }
  bool set_scores() {
    std::vector<std::string> unknown;
    const std::array scores{registry::QualityScore{.provider = "ollama",
                                                   .model_name = one_of(listed_names),
                                                   .metric = one({"overall", "code"}),
                                                   .source = "us",
                                                   .score = fmt::format("0.{}", below(1000)),
                                                   .date = "2026-01-02"}};
    return accepted(registry::Catalogs(*database_).set_scores(root(), scores, unknown));
  }

  registry::ModelPointers::Default some_default() {
    return {.kind = one({"generation", "embedding"}),
            .provider = chance(30) ? "ollama" : "",
            .purpose = chance(30) ? "titles" : ""};
  }
  bool set_default() {
    const auto by = turn();
    return accepted(pointers().set_default(by.actor, by.scope, some_default(), some_model()));
  }
  bool remove_default() {
    const auto by = turn();
    return accepted(pointers().remove_default(by.actor, by.scope, some_default()));
  }
  bool set_alias() {
    const auto by = turn();
    registry::ModelPointers::Alias alias{.alias = numbered("alias", 4),
                                         .sticky = one({"none", "conversation", "user"})};
    for (std::size_t i = below(3) + 1; i > 0; --i)
      alias.targets.push_back({some_model(), static_cast<std::int64_t>(below(10))});
    return accepted(pointers().set_alias(by.actor, by.scope, alias, {}));
  }
  bool remove_alias() {
    const auto by = turn();
    return accepted(pointers().remove_alias(by.actor, by.scope, numbered("alias", 4), {}));
  }
  registry::ModelPointers::Grant some_grant() {
    registry::ModelPointers::Grant grant{.subject_kind = one({"org", "group", "user"}),
                                         .object_kind = one({"model", "alias", "connection"}),
                                         .object = {},
                                         .effect = one({"allow", "deny"})};
    if (grant.subject_kind != "org") grant.subject = one({"anna", "bob", "team"});
    grant.object = grant.object_kind == "model"   ? some_model()
                   : grant.object_kind == "alias" ? numbered("alias", 4)
                                                  : one({"env-ollama", "own-0", "own-1"});
    return grant;
  }
  bool add_grants() {
    const auto by = org_turn();
    if (chance(60)) return accepted(pointers().add_grant(by.actor, by.scope.org_id, some_grant()));
    const std::array grants{some_grant(), some_grant(), some_grant()};
    bool any = false;
    for (const auto& result : pointers().add_grants(by.actor, by.scope.org_id, grants)) any = accepted(result) || any;
    return any;
  }
  bool remove_grant() {
    const auto by = org_turn();
    const auto known = pointers().grants(by.actor, by.scope.org_id, {});
    if (!known || known->items.empty()) return false;
    return accepted(pointers().remove_grant(by.actor, by.scope.org_id, one_of(known->items).id));
  }
  bool set_view() {
    const auto by = turn();
    registry::ModelViews::View view{.name = numbered("view", 3), .for_auto = chance(40)};
    if (chance(50)) view.filter.tags = {"fast"};
    if (chance(30)) view.filter.search = "own";
    if (chance(50)) view.pins = {some_model()};
    return accepted(registry::ModelViews(*database_).set(by.actor, by.scope, view, {}));
  }
  bool remove_view() {
    const auto by = turn();
    return accepted(registry::ModelViews(*database_).remove(by.actor, by.scope, numbered("view", 3), {}));
  }

  registry::CredentialStore::Sealed sealed(const std::string& id, std::int64_t version) {
    return {.id = id,
            .provider = "openai",
            .label = numbered("key", 3),
            .sealed = one({"c2VhbGVkLW9uZQ", "c2VhbGVkLXR3bw", "c2VhbGVkLXRocmVl"}),
            .key_id = one({"k1", "k2"}),
            .fingerprint = "f00",
            .secret_version = version};
  }
  bool add_credential() {
    const auto by = turn(false);
    return accepted(credentials().add(by.actor, by.scope, sealed(database_->new_id().value(), 1)));
  }
  /// One of the scope's, if there is any.
  std::optional<registry::CredentialStore::Row> some_credential(const Turn& by) {
    const auto known = credentials().list(by.actor, by.scope, {});
    if (!known || known->items.empty()) return std::nullopt;
    auto row = credentials().sealed(by.actor, by.scope, one_of(known->items).id);
    return row ? std::optional(*row) : std::nullopt;
  }
  bool replace_credential() {
    const auto by = turn(false);
    const auto row = some_credential(by);
    return row && accepted(credentials().replace(by.actor, by.scope, sealed(row->id, row->secret_version + 1)));
  }
  bool rewrap_credential() {
    const auto row = some_credential(turn(false));
    return row && accepted(credentials().rewrapped({.name = "cli:root", .all_organizations = true}, *row,
                                                   fmt::format("cmV3cmFwcGVk{}", below(1000)), "k3"));
  }
  bool revoke_credential() {
    const auto by = turn(false);
    const auto row = some_credential(by);
    return row && accepted(credentials().revoke(by.actor, by.scope, row->id, chance(50)));
  }
  bool create_connection() {
    const auto by = turn(false);
    const auto row = some_credential(by);
    return accepted(connections().create(
        by.actor, by.scope,
        fmt::format(R"({{"provider":"openai","name":"{}","baseUrl":"https://api.openai.com/v1","authType":"bearer",)"
                    R"("syncEnabled":false{}}})",
                    numbered("own", 2), row ? fmt::format(R"(,"credentialId":"{}")", row->id) : "")));
  }
  bool change_connection() {
    const auto by = turn();
    return accepted(connections().change(by.actor, by.scope, by.scope.platform() ? "env-ollama" : numbered("own", 2),
                                         one({R"({"enabled":false})", R"({"enabled":true})", R"({"priority":5})",
                                              R"({"weight":7})", R"({"priority":0,"weight":1})"}),
                                         {}));
  }
  bool remove_connection() {
    const auto by = turn(false);
    return accepted(connections().remove(by.actor, by.scope, numbered("own", 2), chance(50), {}));
  }

  bool create_organization() {
    return accepted(organizations().create(root(), {.id = numbered("org", 40), .mode = one({"open", "allow_list"})}));
  }
  bool change_organization() {
    return accepted(organizations().change(
        root(), one({"acme", "beta", "gamma"}),
        one({R"({"displayName":"A"})", R"({"displayName":null})", R"({"mode":"allow_list"})", R"({"mode":"open"})",
             R"({"strictDefault":true})", R"({"strictDefault":false,"metadata":{"plan":"x"}})"}),
        {}));
  }
  bool remove_organization() { return accepted(organizations().remove(root(), numbered("org", 40), {})); }
  bool set_member() {
    const auto by = org_turn();
    return accepted(organizations().set_member(
        by.actor, by.scope.org_id,
        {.issuer = "idp", .subject = one({"anna", "bob"}), .role = one({"member", "viewer"})}));
  }
  /// With all that the user owns.
  bool remove_member() {
    const auto by = org_turn();
    const auto known = organizations().members(by.actor, by.scope.org_id, {});
    if (!known || known->items.empty()) return false;
    return accepted(organizations().remove_member(by.actor, by.scope.org_id, one_of(known->items).id));
  }

  /// The provider lists other models, and registry-sync syncs, with what it would hold.
  bool sync() {
    std::vector<std::string> names;
    for (const auto* name : listed_names)
      if (chance(80)) names.emplace_back(name);
    offer(names);
    const auto id = store_->request_sync("", person("test"), true);
    return id && run_until(loop_, [&] { return store_->sync_request_state(*id)->finished; });
  }

  // ---- all together

  struct Kind {
    const char* name;
    std::size_t weight;
    bool (RandomChanges::*make)();
    std::int64_t accepted = 0;
  };
  std::vector<Kind> kinds_{{"change_model", 30, &RandomChanges::change_model},
                           {"replace_model", 5, &RandomChanges::replace_model},
                           {"change_models", 5, &RandomChanges::change_models},
                           {"create_model", 10, &RandomChanges::create_model},
                           {"remove_model", 8, &RandomChanges::remove_model},
                           {"roll_model_back", 6, &RandomChanges::roll_model_back},
                           {"set_prices", 6, &RandomChanges::set_prices},
                           {"set_parameters", 6, &RandomChanges::set_parameters},
                           {"set_scores", 4, &RandomChanges::set_scores},
                           {"set_default", 6, &RandomChanges::set_default},
                           {"remove_default", 8, &RandomChanges::remove_default},
                           {"set_alias", 10, &RandomChanges::set_alias},
                           {"remove_alias", 5, &RandomChanges::remove_alias},
                           {"add_grants", 6, &RandomChanges::add_grants},
                           {"remove_grant", 5, &RandomChanges::remove_grant},
                           {"set_view", 6, &RandomChanges::set_view},
                           {"remove_view", 4, &RandomChanges::remove_view},
                           {"add_credential", 6, &RandomChanges::add_credential},
                           {"replace_credential", 4, &RandomChanges::replace_credential},
                           {"rewrap_credential", 4, &RandomChanges::rewrap_credential},
                           {"revoke_credential", 3, &RandomChanges::revoke_credential},
                           {"create_connection", 8, &RandomChanges::create_connection},
                           {"change_connection", 5, &RandomChanges::change_connection},
                           {"remove_connection", 3, &RandomChanges::remove_connection},
                           {"create_organization", 3, &RandomChanges::create_organization},
                           {"change_organization", 4, &RandomChanges::change_organization},
                           {"remove_organization", 2, &RandomChanges::remove_organization},
                           {"set_member", 3, &RandomChanges::set_member},
                           {"remove_member", 2, &RandomChanges::remove_member},
                           {"sync", 1, &RandomChanges::sync}};

  Kind& some_kind() {
    std::size_t total = 0;
    for (const auto& kind : kinds_) total += kind.weight;
    auto left = below(total);
    for (auto& kind : kinds_) {
      if (left < kind.weight) return kind;
      left -= kind.weight;
    }
    return kinds_.back();
  }

  void published() {
    ASSERT_TRUE(run_until(loop_, [&] { return store_->outbox_lag()->rows == 0; })) << workers_.back()->problems();
  }

  static std::map<std::string, std::string> database_says(const Result<std::vector<registry::PublishedState>>& states) {
    TopicReader reader;
    for (const auto& state : states.value()) reader.apply(state.key, state.payload);
    return reader.facts();
  }
  static void expect_same(const std::map<std::string, std::string>& topic,
                          const std::map<std::string, std::string>& database, const std::string& what) {
    for (const auto& [key, fact] : database) {
      const auto found = topic.find(key);
      EXPECT_EQ(found == topic.end() ? "nothing" : found->second, fact) << what << ": " << key;
    }
    for (const auto& [key, fact] : topic)
      EXPECT_TRUE(database.contains(key)) << what << ": only here " << key << ' ' << fact;
  }
  /// The topics against the database, read from their beginning, and as they are once they are compacted.
  void compare() {
    ASSERT_NO_FATAL_FAILURE(published());
    settle();
    for (const auto& [topic, states] : {std::pair("model_registry", store_->whole_state()),
                                        std::pair("model_registry.credentials", store_->whole_credentials())}) {
      const auto expected = database_says(states);
      const auto records = tail_->on(topic);
      TopicReader all;
      std::map<std::string, std::size_t> last;
      for (std::size_t i = 0; i < records.size(); ++i) {
        all.apply(records[i].key.value_or(""), records[i].value);
        last[records[i].key.value_or("")] = i;
      }
      expect_same(all.facts(), expected, topic);
      TopicReader compacted;
      for (std::size_t i = 0; i < records.size(); ++i)
        if (const auto key = records[i].key.value_or(""); last[key] == i) compacted.apply(key, records[i].value);
      expect_same(compacted.facts(), expected, fmt::format("{}, compacted", topic));
    }
  }

  registry::CredentialStore credentials() { return registry::CredentialStore(*database_); }
  registry::Connections connections() { return registry::Connections(*database_); }
  registry::Models models() { return registry::Models(*database_); }
  registry::ModelPointers pointers() { return registry::ModelPointers(*database_); }
  registry::Organizations organizations() { return registry::Organizations(*database_); }

  std::mt19937_64 random_;
};

TEST_F(RandomChanges, TopicsGiveWhatTheDatabaseHasAfterThousands) {
  const auto changes = from_environment("TOKENRAIL_TEST_CHANGES", 1'000);
  const auto seed = from_environment("TOKENRAIL_TEST_CHANGES_SEED", 1);
  SCOPED_TRACE(fmt::format("TOKENRAIL_TEST_CHANGES_SEED={}", seed));
  random_.seed(static_cast<std::uint64_t>(seed));
  offer({listed_names.begin(), listed_names.end()});
  start_whole();
  for (const auto* org : {"acme", "beta", "gamma"}) {
    const auto made = organizations().create({.name = "cli:root", .all_organizations = true}, {.id = org});
    ASSERT_TRUE(made.has_value()) << made.error().detail;
  }
  for (std::int64_t made = 0, compared = 0; made < changes && !HasFailure();) {
    auto& kind = some_kind();
    if (!(this->*kind.make)()) continue;
    ++kind.accepted;
    ++made;
    if (made % published_together == 0) ASSERT_NO_FATAL_FAILURE(published());
    if (made - compared < compared_after && made < changes) continue;
    compared = made;
    SCOPED_TRACE(fmt::format("after {} changes", made));
    ASSERT_NO_FATAL_FAILURE(compare());
  }
  for (const auto& kind : kinds_) EXPECT_GE(kind.accepted, changes / 1'000) << kind.name << " was hardly ever accepted";
}

}  // namespace
}  // namespace tokenrail::registry_sync
