// explain() against resolve(), and both against the rules written down once more, plainly, over random registries.
#include <algorithm>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/registry/resolution.hpp"
#include "tests/unit/common/registry/registry_fixture.hpp"

namespace tokenrail::registry {
namespace {

using events::ChatRequest;
using events::ModelState;
using events::ObjectKind;
using events::SubjectKind;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> names{"a", "b", "c"};
const std::vector<std::string> providers{"ollama", "openai"};

/// Everything that random_world() may put into a registry, kept beside it for the plain rules.
struct World {
  Projection projection{};
  std::vector<ModelState> rows{};
  std::optional<events::RegistryGrants> grants{};
  std::optional<events::RegistryOrganization> organization{};
};

World random_world(std::mt19937_64& random) {
  const auto one_in = [&](unsigned n) { return random() % n == 0; };
  World world;
  std::vector<std::string> ids;
  std::vector<std::string> connections;
  for (const auto& provider : providers) {
    for (const auto& name : names) {
      for (int level = 0; level < 3; ++level) {
        if (one_in(2)) continue;
        auto m = model(provider, name, level > 0 ? "acme" : "", level > 1 ? "ann" : "");
        m.inherits = level > 0 && one_in(2);
        m.enabled = !one_in(5);
        m.platform_blocked = one_in(15);
        m.hidden = one_in(6);
        if (one_in(12)) m.lifecycle = one_in(2) ? "retired" : "deprecated";
        if (one_in(8)) m.maintenance_until_ms = test_now_ms + (one_in(2) ? 1'000 : -1'000);
        if (one_in(8)) m.availability = "missing";
        const bool expired = m.availability == "missing" && one_in(2);
        m.routable = m.enabled && !m.platform_blocked && m.lifecycle != "retired" && !expired;
        if (one_in(8)) m.kind = "embedding";
        if (one_in(3)) m.capabilities["tools"] = one_in(2) ? events::Support::supported : events::Support::unsupported;
        if (one_in(4)) m.output_tokens_max = 10;
        if (one_in(2)) m.quality_score = static_cast<double>(random() % 10) / 10;
        if (one_in(2)) m.prices = {.input_micros = random() % 5, .output_micros = random() % 5};
        if (level > 0 && one_in(2)) m.deployments.clear();
        if (!m.deployments.empty() && one_in(4)) m.deployments.push_back(deployment("second-" + m.id, 0, 3));
        for (auto& d : m.deployments) {
          d.enabled = !one_in(8);
          if (one_in(12)) d.adapter = "zeta";
          connections.push_back(d.connection_id);
        }
        m.is_default = one_in(10);
        ids.push_back(m.id);
        put(world.projection, m);
        world.rows.push_back(std::move(m));
      }
    }
  }
  for (const auto& org : {"", "acme"}) {
    if (!one_in(2)) {
      auto alias = alias_of("alias",
                            {target_of(providers[random() % 2], names[random() % 3], random() % 3),
                             target_of(providers[random() % 2], names[random() % 3], random() % 3)},
                            org);
      alias.sticky = one_in(2) ? events::Sticky::conversation : events::Sticky::none;
      put_record(world.projection, alias);
    }
    if (one_in(3)) put_record(world.projection, default_of(providers[random() % 2], names[random() % 3], org));
  }
  if (one_in(2)) {
    world.grants = events::RegistryGrants{.org_id = "acme", .restricted = one_in(2)};
    for (std::uint64_t i = random() % 5; i > 0 && !ids.empty(); --i) {
      const bool connection = !connections.empty() && one_in(3);
      static constexpr std::array subjects{SubjectKind::org, SubjectKind::group, SubjectKind::user};
      const auto subject = subjects[random() % subjects.size()];
      const std::string id = subject == SubjectKind::org     ? "acme"
                             : subject == SubjectKind::group ? (one_in(2) ? "engineering" : "sales")
                                                             : (one_in(2) ? "ann" : "bob");
      world.grants->grants.push_back(
          grant_of(subject, id, connection ? ObjectKind::connection : ObjectKind::model,
                   connection ? connections[random() % connections.size()] : ids[random() % ids.size()], !one_in(3)));
    }
    put_record(world.projection, *world.grants);
  }
  if (one_in(2)) {
    world.organization =
        events::RegistryOrganization{.org_id = "acme", .allow_list = one_in(2), .strict_default = one_in(3)};
    world.organization->deleted = one_in(20);
    put_record(world.projection, *world.organization);
  }
  return world;
}

ChatRequest random_request(std::mt19937_64& random) {
  const auto one_in = [&](unsigned n) { return random() % n == 0; };
  ChatRequest request;
  request.request_id = "r1";
  request.org_id = "acme";
  if (!one_in(3)) request.user_id = "ann";
  if (!one_in(3)) request.groups = {"engineering"};
  if (one_in(3)) request.tools.push_back({.name = "f"});
  if (one_in(4)) request.tokens_max = one_in(2) ? 5 : 50;
  if (one_in(2)) request.metadata["conversationId"] = fmt::format("k-{}", random() % 9);
  request.messages.push_back({.content = {{.text = "hello"}}});
  switch (random() % 6) {
    case 0:
      break;
    case 1:
      request.model = {.provider = {}, .name = "auto"};
      if (one_in(2)) request.auto_selection.input_micros_max = 2;
      if (one_in(3)) request.auto_selection.prefer = events::AutoSelection::Prefer::price;
      break;
    case 2:
      request.model = {.provider = {}, .name = "alias"};
      break;
    case 3:
      request.model = {.provider = {}, .name = names[random() % 3]};
      break;
    default:
      request.model = {.provider = providers[random() % 2], .name = names[random() % 3]};
  }
  return request;
}

// ---- the rules once more -----------------------------------------------------------------------------------------

/// Whether a model may be used by that request, said as plainly as can be and without the code under test.
bool plainly_usable(const World& world, const ChatRequest& request, const std::string& provider,
                    const std::string& name) {
  std::vector<const ModelState*> rows;  // nearest first
  for (const auto& [org, user] : {std::pair<std::string, std::string>{"acme", "ann"}, {"acme", ""}, {"", ""}}) {
    if (!user.empty() && request.user_id != user) continue;
    for (const auto& row : world.rows)
      if (row.org_id == org && row.owner_user_id == user && row.provider == provider && row.model_name == name)
        rows.push_back(&row);
  }
  if (rows.empty()) return false;
  if (world.organization && world.organization->deleted) return false;

  bool enabled = false;
  for (const auto* row : rows) {
    if (row->inherits) continue;
    enabled = row->enabled;
    break;
  }
  std::string lifecycle = "active";
  for (auto row = rows.rbegin(); row != rows.rend(); ++row)
    if ((*row)->lifecycle != "active") lifecycle = (*row)->lifecycle;
  const ModelState* serving = rows.front();
  for (auto row = rows.rbegin(); row != rows.rend(); ++row)
    if (!(*row)->deployments.empty()) serving = *row;
  if (!enabled || lifecycle == "retired") return false;
  for (const auto* row : rows)
    if (row->platform_blocked || (row->maintenance_until_ms && *row->maintenance_until_ms > test_now_ms)) return false;
  const auto gone = [](const ModelState* row) {
    return row->enabled && !row->platform_blocked && row->lifecycle != "retired" && !row->routable;
  };
  if (gone(rows.front()) || (serving->availability == "missing" && gone(serving))) return false;

  const auto says = [&](ObjectKind kind, const std::string& id, bool allow) {
    if (!world.grants) return false;
    return std::ranges::any_of(world.grants->grants, [&](const events::Grant& grant) {
      const bool mine =
          (grant.subject_kind == SubjectKind::org && grant.subject == "acme") ||
          (grant.subject_kind == SubjectKind::user && grant.subject == request.user_id) ||
          (grant.subject_kind == SubjectKind::group && !request.groups.empty() && grant.subject == request.groups[0]);
      return mine && grant.allow == allow && grant.object_kind == kind && grant.object == id;
    });
  };
  const auto model_says = [&](bool allow) {
    return std::ranges::any_of(rows, [&](const auto* row) { return says(ObjectKind::model, row->id, allow); });
  };
  if (model_says(false)) return false;
  const bool own = serving->owner_user_id == "ann" && !serving->deployments.empty();
  const bool org_row =
      std::ranges::any_of(rows, [](const auto* row) { return row->org_id == "acme" && row->owner_user_id.empty(); });
  const bool needs_grant = (world.grants && world.grants->restricted && !own) ||
                           (world.organization && world.organization->allow_list && !org_row && !own);
  const bool any_connection = needs_grant && !model_says(true);
  bool callable = false;
  for (const auto& d : serving->deployments) {
    const bool granted = !any_connection || says(ObjectKind::connection, d.connection_id, true);
    if (d.enabled && d.adapter != "zeta" && granted && !says(ObjectKind::connection, d.connection_id, false))
      callable = true;
  }
  if (!callable) return false;

  if (rows.front()->kind == "embedding") return false;
  if (!request.tools.empty()) {
    for (const auto* row : rows) {
      const auto held = row->capabilities.find("tools");
      if (held == row->capabilities.end()) continue;
      if (held->second == events::Support::unsupported) return false;
      break;
    }
  }
  if (request.tokens_max.value_or(0) > 10)
    if (std::ranges::any_of(rows, [](const auto* row) { return row->output_tokens_max.has_value(); })) return false;
  return true;
}

std::vector<std::string> failing_names(const std::vector<Clause>& clauses) {
  std::vector<std::string> failing;
  for (const auto& clause : clauses)
    if (!clause.ok) failing.emplace_back(name_of(clause.name));
  return failing;
}

TEST(Explanation, AgreesWithResolutionOnRandomRegistries) {
  const ResolutionRules rules{.adapters = {"ollama"}};
  int usable = 0;
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    const auto world = random_world(random);
    const auto request = random_request(random);
    const auto bits = random();
    const auto route = resolve(world.projection, request, rules, bits);
    const auto explanation = explain(world.projection, question_of(request), rules, test_now_ms, bits);

    ASSERT_EQ(explanation.usable, route.has_value());
    ASSERT_EQ(explanation.route.has_value(), route.has_value());
    ASSERT_EQ(explanation.failure.has_value(), !route.has_value());
    if (route) {
      ++usable;
      ASSERT_TRUE(failing_names(explanation.clauses).empty());
      ASSERT_EQ(explanation.route->choice.chosen, route->choice.chosen);
      ASSERT_EQ(explanation.route->warnings, route->warnings);
      ASSERT_EQ(explanation.route->targets.size(), route->targets.size());
      for (std::size_t i = 0; i < route->targets.size(); ++i)
        ASSERT_EQ(explanation.route->targets[i].deployment.id, route->targets[i].deployment.id);
    } else {
      ASSERT_EQ(explanation.failure->message, route.error().message);
      ASSERT_FALSE(failing_names(explanation.clauses).empty());
      ASSERT_EQ(failing_names(explanation.clauses), failing_names(route.error().clauses));
    }
    for (const auto& clause : explanation.clauses) ASSERT_FALSE(clause.detail.empty()) << name_of(clause.name);

    // The plain rules decide every model that is named, every model that was chosen, and whether "auto" finds one.
    if (request.model && !request.model->provider.empty()) {
      ASSERT_EQ(route.has_value(), plainly_usable(world, request, request.model->provider, request.model->name));
    }
    if (route && route->choice.alias.empty()) {
      const auto& chosen = route->targets[0].model;
      ASSERT_TRUE(plainly_usable(world, request, chosen.provider, chosen.model_name));
    }
    const bool unlimited = request.auto_selection == events::AutoSelection{};
    if (request.model && request.model->name == "auto" && unlimited) {
      bool any = false;
      for (const auto& provider : providers) {
        for (const auto& name : names) {
          const bool hidden = std::ranges::any_of(world.rows, [&](const ModelState& row) {
            return row.hidden && row.provider == provider && row.model_name == name &&
                   (row.owner_user_id.empty() || row.owner_user_id == request.user_id);
          });
          any = any || (!hidden && plainly_usable(world, request, provider, name));
        }
      }
      ASSERT_EQ(route.has_value(), any);
    }
  }
  EXPECT_GT(usable, 2'000);
  EXPECT_LT(usable, 8'000);
}

TEST(Explanation, ListsEveryClauseOfAUsableModel) {
  Projection projection;
  auto m = model("ollama", "m");
  m.context_window = 8'192;
  put(projection, m);
  const auto explanation = explain(
      projection, {.caller = {.org_id = "acme"}, .model = events::ModelReference{"ollama", "m"}}, {}, test_now_ms);
  EXPECT_TRUE(explanation.usable);
  std::vector<std::string> all;
  for (const auto& clause : explanation.clauses) all.emplace_back(name_of(clause.name));
  EXPECT_THAT(all, ElementsAre("organization", "found", "blocked", "lifecycle", "enabled", "maintenance", "available",
                               "allow_list", "granted", "kind", "capability", "context", "output", "deployment"));
  ASSERT_TRUE(explanation.route.has_value());
  EXPECT_EQ(explanation.route->choice.chosen, "ollama/m");
}

TEST(Explanation, ExplainsUnknownName) {
  Projection projection;
  put(projection, model("ollama", "llama3.2"));
  const auto explanation =
      explain(projection, {.caller = {.org_id = "acme"}, .model = events::ModelReference{"ollama", "lama3.2"}}, {},
              test_now_ms);
  EXPECT_FALSE(explanation.usable);
  EXPECT_THAT(failing_names(explanation.clauses), ElementsAre("found"));
  EXPECT_THAT(explanation.failure->message, HasSubstr("Did you mean ollama/llama3.2?"));
}

// An alias is granted by itself, and its explanation takes that into account.
TEST(Explanation, ExplainsTargetThroughItsAlias) {
  Projection projection;
  auto m = model("ollama", "m");
  m.enabled = m.routable = false;
  put(projection, m);
  put_record(projection, alias_of("fast", {target_of("ollama", "m")}));
  put_record(projection,
             events::RegistryGrants{.org_id = "acme",
                                    .restricted = true,
                                    .grants = {grant_of(SubjectKind::org, "acme", ObjectKind::alias, "fast")}});
  const auto explanation =
      explain(projection, {.caller = {.org_id = "acme"}, .model = events::ModelReference{"", "fast"}}, {}, test_now_ms);
  EXPECT_THAT(failing_names(explanation.clauses), ElementsAre("enabled"));
}

}  // namespace
}  // namespace tokenrail::registry
