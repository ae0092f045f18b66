// Random histories of lists, edits of people, decisions, prices and catalogues on a real PostgreSQL, against a model in
// the test. What a person set is never lost, nothing is deleted, what looks wrong waits for a person. Every event is
// explained by a change, and the outbox replayed is the database's state.
//
// TOKENRAIL_TEST_HISTORIES is the number of histories (15 without it), TOKENRAIL_TEST_HISTORY_SEED the first one's
// seed.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "common/events/model_event.hpp"
#include "common/registry/catalogs.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/held_changes.hpp"
#include "common/registry/migrator.hpp"
#include "common/registry/prices.hpp"
#include "common/registry/store.hpp"
#include "tests/integration/registry/scratch_database.hpp"
#include "tests/integration/registry_sync/edits.hpp"
#include "tests/integration/registry_sync/price_oracle.hpp"
#include "workers/registry_sync/diff.hpp"

namespace tokenrail::registry_sync {
namespace {

using catalog::Source;
using events::ModelUpserted;
using events::Support;
using registry::Actor;
using registry::Connection;

constexpr int steps = 40;
constexpr int names = 14;  ///< more than a small list has, so that big removals are held
constexpr std::array connection_names{"one", "two"};
/// Ten times, a tenth, and zero are among their steps.
constexpr std::array<std::int64_t, 7> amounts{0, 90, 100, 150, 999, 1000, 5000};

std::int64_t from_environment(const char* name, std::int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoll(text, nullptr, 10);
}

class RandomHistories : public registry::ScratchDatabase {
 protected:
  void SetUp() override {
    ScratchDatabase::SetUp();
    if (IsSkipped()) return;
    const auto migrated = registry::migrate(options_);
    ASSERT_TRUE(migrated.has_value()) << migrated.error().detail;
    store_ = std::make_unique<registry::Store>(options_);
    database_ = std::make_unique<registry::GovernedDatabase>(options_);
    sql_ = std::make_unique<registry::Sql>(options_.url);
  }
  void TearDown() override {
    store_.reset();
    database_.reset();
    sql_.reset();
    ScratchDatabase::TearDown();
  }

  static Actor root(const char* cause = "api") {
    return {.name = "cli:root", .all_organizations = true, .cause = cause};
  }
  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
  static std::string name_of(std::size_t index) { return fmt::format("m{}:1b", index); }
  Costs some_costs() {
    Costs costs;
    for (const auto& [dimension, percent] :
         {std::pair(PriceDimension::input, 90), std::pair(PriceDimension::output, 60),
          std::pair(PriceDimension::cache_read, 20)})
      if (chance(percent)) costs[dimension] = amounts.at(below(amounts.size()));
    return costs;
  }

  /// Row by row: TRUNCATE of some thirty tables with a few rows each takes most of a second.
  void empty_tables() {
    sql_->run("SET session_replication_role = replica");
    sql_->run(
        "DO $$ DECLARE name text; BEGIN FOR name IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace "
        "= 'public'::regnamespace AND relname NOT IN ('schema_migration', 'provider', 'registry_lease') LOOP EXECUTE "
        "format('DELETE FROM %I', name); END LOOP; END $$");
    sql_->run("SET session_replication_role = origin");
  }

  void begin(std::uint64_t seed) {
    random_.seed(seed);
    edits_.clear();
    known_.clear();
    deployed_.clear();
    allowed_.clear();
    prices_ = {};
    files_.clear();
    lists_.assign(connection_names.size(), {});
    now_ms_ = 1'760'000'000'000;
    empty_tables();
    for (const auto* name : connection_names) {
      const auto made = store_->ensure_platform_connection(
          {.name = name, .provider = "ollama", .base_url = fmt::format("http://{}:11434", name)});
      ASSERT_TRUE(made.has_value()) << made.error().detail;
    }
    for (std::size_t i = 0; i < names; ++i) lists_[0][name_of(i)] = invented(name_of(i));
  }

  ListedModel invented(const std::string& name) {
    ListedModel model;
    model.name = name;
    model.digest = fmt::format("d{}", below(4));
    model.family = chance(80) ? "llama" : "qwen";
    if (chance(90)) model.context_window = std::int64_t{1024} << below(5);
    if (chance(50)) model.output_tokens_max = std::int64_t{256} << below(3);
    model.capabilities = {{"chat", Support::supported},
                          {"tools", chance(70) ? Support::supported : Support::unsupported}};
    model.details_known = chance(95);
    if (model.details_known && chance(60)) model.prices = prices_of(some_costs());
    model.details_key = fmt::format("{} {}", model.digest, below(1000));
    model.raw = "{}";
    return model;
  }

  void change_list() {
    auto& list = lists_[below(2)];
    const auto changes = 1 + below(4);
    for (std::size_t i = 0; i < changes; ++i) {
      const auto name = name_of(below(names + 6));
      if (chance(30)) {
        list.erase(name);
      } else {
        list[name] = invented(name);
      }
    }
    if (chance(6)) list.clear();
  }

  Connection connection(std::size_t index) {
    const auto all = store_->connections().value();
    return *std::ranges::find(all, std::string(connection_names.at(index)), &Connection::name);
  }

  void sync() {
    const auto index = below(2);
    const auto asked = connection(index);
    registry::SyncRun run{.connection_id = asked.id, .trigger = "schedule", .status = "ok", .started_ms = now_ms_};
    if (chance(10)) {
      run.status = "failed";
      run.error_class = chance(50) ? "connect_failed" : "not_json";
      const auto failed = store_->record_failure(asked, run);
      ASSERT_TRUE(failed.has_value()) << failed.error().detail;
      return;
    }
    ProviderList list;
    for (const auto& [name, model] : lists_[index]) list.models.push_back(model);
    if (chance(5)) list.unreadable = 1;
    const auto stored = store_->load_models(asked);
    const auto decided = store_->held_changes(asked.id);
    ASSERT_TRUE(stored && decided);
    const DiffRules rules{.accept_held = chance(5)};
    const auto plan = plan_sync(asked, list, *stored, rules, now_ms_, *decided);
    run.status = plan.held.empty() ? "ok" : "held";
    const auto applied = store_->apply(asked, plan, run);
    ASSERT_TRUE(applied.has_value()) << applied.error().detail;
    for (const auto& planned : plan.models) {
      known_.insert(planned.after.model_name);
      deployed_.insert({.connection = asked.name, .model = planned.after.model_name});
      if (!planned.changed_fields.empty()) ++allowed_[{"sync", planned.after.model_name}];
    }
    expect_holds(asked, list, rules);
    if (chance(10)) expect_no_more(asked, list);
  }

  /// A price of a list that looks wrong waits for a person, or a person has rejected it.
  void expect_holds(const Connection& asked, const ProviderList& list, const DiffRules& rules) {
    std::map<std::string, Costs> waiting;
    for (const auto& model : list.models) {
      if (!model.prices) continue;
      const auto said = costs_of(*model.prices);
      if (prices_.list({.connection = asked.name, .model = model.name}, said, rules.accept_held))
        waiting.emplace(model.name, said);
    }
    if (waiting.empty()) return;
    const auto rows = store_->held_changes(asked.id).value();
    for (const auto& [name, said] : waiting) {
      const auto found = std::ranges::find_if(rows, [&](const registry::HeldChange& row) {
        return row.model_name == name && row.decision != "accepted" && costs_of(row.after.prices) == said;
      });
      EXPECT_NE(found, rows.end()) << "a price of " << name << " on " << asked.name << " looks wrong and is not held";
    }
  }

  /// The same list at the same time changes nothing about the models that it has.
  void expect_no_more(const Connection& asked, const ProviderList& list) {
    const auto again =
        plan_sync(asked, list, store_->load_models(asked).value(), {}, now_ms_, store_->held_changes(asked.id).value());
    for (const auto& planned : again.models)
      EXPECT_FALSE(lists_[asked.name == connection_names[0] ? 0 : 1].contains(planned.after.model_name))
          << planned.after.model_name << " would change again: " << fmt::format("{}", planned.changed_fields);
  }

  std::optional<std::string> some_known() {
    if (known_.empty()) return std::nullopt;
    return *std::next(known_.begin(), static_cast<std::ptrdiff_t>(below(known_.size())));
  }

  void edit() {
    const auto name = some_known();
    if (!name) return;
    auto edits = edits_.newest(*name);
    std::string patch;
    const bool back = chance(25);  // the person gives the field back to the others
    const auto number = std::int64_t{100} + static_cast<std::int64_t>(below(1000));
    switch (below(6)) {
      case 0:
        edits.context_window = back ? std::nullopt : std::optional(number);
        patch = fmt::format(R"({{"contextWindow":{}}})", back ? "null" : std::to_string(number));
        break;
      case 1:
        edits.output_tokens_max = back ? std::nullopt : std::optional(number);
        patch = fmt::format(R"({{"outputTokensMax":{}}})", back ? "null" : std::to_string(number));
        break;
      case 2:
        edits.tag = fmt::format("t{}", number);
        patch = fmt::format(R"({{"tags":["{}"]}})", *edits.tag);
        break;
      case 3:
        edits.display_name = back ? std::nullopt : std::optional(fmt::format("d{}", number));
        patch = fmt::format(R"({{"displayName":{}}})", back ? "null" : "\"" + *edits.display_name + "\"");
        break;
      case 4:
        edits.tools = back ? std::nullopt : std::optional(chance(50) ? Support::supported : Support::unsupported);
        patch = back ? R"({"capabilities":null})"
                     : fmt::format(R"({{"capabilities":{{"tools":"{}"}}}})",
                                   edits.tools == Support::supported ? "supported" : "unsupported");
        break;
      default:
        edits.enabled = chance(50);
        patch = fmt::format(R"({{"enabled":{}}})", *edits.enabled ? "true" : "false");
    }
    const auto changed = registry::Models(*database_).change(root(), {}, "ollama/" + *name, patch, std::nullopt);
    ASSERT_TRUE(changed.has_value()) << *name << " " << patch << ": " << changed.error().detail;
    edits_.add(*name, changed->version, std::move(edits));
  }

  /// Of the model, or of one of its deployments.
  void set_price() {
    const auto name = some_known();
    if (!name) return;
    Place place{.connection = chance(50) ? connection_names.at(below(connection_names.size())) : "", .model = *name};
    if (!deployed_.contains(place)) place.connection.clear();
    const auto own = chance(25) ? Costs() : some_costs();
    const auto set =
        registry::Prices(*database_).set(root(), {}, "ollama/" + *name, prices_of(own), std::nullopt, place.connection);
    ASSERT_TRUE(set.has_value()) << set.error().detail;
    prices_.set(place, own);
    auto edits = edits_.newest(*name);
    edits.prices[place.connection] = own;
    edits_.add(*name, set->version, std::move(edits));
  }

  void decide() {
    auto open = store_->held_changes("").value();
    // Those of catalogues are fewer.
    const auto lists = std::ranges::partition(open, [](const auto& change) { return !change.catalog.empty(); });
    if (lists.begin() != open.begin() && chance(50)) open.erase(lists.begin(), open.end());
    if (open.empty()) return;
    const auto& change = open[below(open.size())];
    using Decision = registry::HeldChanges::Decision;
    const bool accept = chance(50);
    const auto decided = registry::HeldChanges(*database_)
                             .decide(root(), {}, change.id, accept ? Decision::accept : Decision::reject, "chance");
    ASSERT_TRUE(decided.has_value()) << decided.error().detail;
    auto name = change.model_name;
    if (!change.catalog.empty()) {
      name.erase(0, std::string_view("ollama/").size());
      ASSERT_TRUE(prices_.decide(catalog::source_from(change.catalog).value(), name, accept))
          << "the entry of " << name << " is held for no reason: " << change.reason;
    } else if (accept && !change.after.prices.empty()) {
      prices_.accept_listed({.connection = change.connection_name, .model = name}, costs_of(change.after.prices));
    }
    if (!accept) return;
    if (!change.model_id.empty()) ++allowed_[{"api", name}];
    for (const auto& missing : change.after.missing) ++allowed_[{"api", missing}];
  }

  catalog::Row some_row(const std::string& name) {
    catalog::Row row{.provider = "ollama", .model_name = name};
    row.context_window = std::int64_t{512} << below(6);
    if (chance(60)) row.output_tokens_max = std::int64_t{128} << below(4);
    row.capabilities = {{"vision", chance(50)}};
    if (chance(70)) row.prices = prices_of(some_costs());
    return row;
  }

  void update_catalogue() {
    const auto source = chance(50) ? Source::litellm : Source::models_dev;
    auto& file = files_[source];
    if (chance(75)) {
      // Mostly the same few, so that entries change.
      const auto name = name_of(below(chance(75) ? 4 : names + 6));
      file.insert_or_assign(name, some_row(name));
    } else if (file.size() > 4 && chance(40)) {
      file.erase(std::next(file.begin(), static_cast<std::ptrdiff_t>(below(file.size()))));
    }
    const bool accept = chance(15);
    const auto import = [&](bool accepting) {
      const auto known = registry::Catalogs(*database_).entries(root("import"), source);
      EXPECT_TRUE(known.has_value());
      catalog::Catalog update{.source = source};
      for (const auto& [name, row] : file) update.entries.push_back({.key = name, .row = row});
      return catalog::plan_import(update, known.value(), accepting);
    };
    const auto plan = import(accept);
    ASSERT_TRUE(plan.has_value()) << plan.error().detail;
    const auto written = registry::Catalogs(*database_).apply(root("import"), source, plan->entries);
    ASSERT_TRUE(written.has_value()) << written.error().detail;
    for (const auto& entry : plan->entries) ++allowed_[{"import", entry.row.model_name}];
    for (const auto& [name, row] : file) static_cast<void>(prices_.read(source, row, accept));
    if (chance(10)) EXPECT_TRUE(import(false)->entries.empty()) << "a second import writes nothing";
  }

  void step() {
    now_ms_ += static_cast<std::int64_t>(below(8)) * 3'600'000;
    const auto kind = below(100);
    if (kind < 22) {
      change_list();
    } else if (kind < 55) {
      sync();
    } else if (kind < 68) {
      edit();
    } else if (kind < 79) {
      decide();
    } else if (kind < 90) {
      update_catalogue();
    } else {
      set_price();
    }
  }

  /// The newest event of each model by key, each held against the one before it.
  std::map<std::string, ModelUpserted> replayed() {
    std::map<std::string, ModelUpserted> topic;
    std::size_t count = 0;
    for (const auto& row : store_->unpublished(1'000'000).value()) {
      if (row.type != events::model_upserted_type) continue;
      ++count;
      const auto event = events::parse_model_upserted(row.payload.value_or(""));
      EXPECT_TRUE(event.has_value()) << row.key << ": a model is gone";
      if (!event) continue;
      explain(topic, *event);
      edits_.check(*event);
      topic.insert_or_assign(row.key, *event);
    }
    EXPECT_EQ(std::to_string(count), sql_->run("SELECT count(*) FROM model_revision")) << "one event a revision";
    return topic;
  }

  /// The event is of a step that may change the model, and names what differs from the one before it.
  void explain(const std::map<std::string, ModelUpserted>& topic, const ModelUpserted& event) {
    const auto before = topic.find(event.key);
    const auto what = fmt::format("{} version {} by {}", event.key, event.version, event.cause);
    EXPECT_FALSE(event.changed_fields.empty()) << what;
    const auto& name = event.model.model_name;
    const bool edited = event.cause == "api" && edits_.made(name, event.version);
    if (!edited) EXPECT_GE(--allowed_[std::pair(event.cause, name)], 0) << what << ": no change explains it";
    if (before == topic.end()) {
      EXPECT_FALSE(event.before_version.has_value()) << what;
      return;
    }
    EXPECT_GT(event.version, before->second.version) << what;
    EXPECT_EQ(event.before_version, before->second.version) << what;
    const auto differing = registry::changed_fields(before->second.model, event.model);
    // A person may set what was so already.
    EXPECT_TRUE(edited || !differing.empty())
        << what << ": nothing differs, but it says " << fmt::format("{}", event.changed_fields);
    const std::set<std::string> told(event.changed_fields.begin(), event.changed_fields.end());
    for (const auto& field : differing)
      EXPECT_TRUE(told.contains(field)) << what << ": " << field << " changed, and the event does not say so";
  }

  /// What each model costs, and what waits for a person.
  void check_prices(const std::map<std::string, ModelUpserted>& topic) {
    for (const auto& [key, event] : topic) {
      const auto& model = event.model;
      const auto cost_on = [&](const events::DeploymentState& deployment) {
        return prices_.cost({.connection = deployment.connection_name, .model = model.model_name});
      };
      ASSERT_FALSE(model.deployments.empty()) << key;
      EXPECT_EQ(costs_of(model.prices), cost_on(model.deployments.front())) << key;
      for (const auto& deployment : model.deployments)
        EXPECT_EQ(costs_of(deployment.prices ? *deployment.prices : model.prices), cost_on(deployment))
            << key << " on " << deployment.connection_name;
    }
    for (const auto& change : store_->held_changes("").value()) {
      if (!change.catalog.empty() || change.after.prices.empty()) continue;
      const auto& counts = prices_.listed({.connection = change.connection_name, .model = change.model_name});
      EXPECT_EQ(costs_of(change.before.prices), counts) << change.model_name;
      EXPECT_TRUE(suspicious(counts, costs_of(change.after.prices))) << change.model_name;
    }
  }

  void check_catalogues() {
    std::size_t count = 0;
    for (const auto source : {Source::litellm, Source::models_dev}) {
      for (const auto& entry : registry::Catalogs(*database_).entries(root("import"), source).value()) {
        ++count;
        const auto expected = prices_.entries().find({source, entry.row.model_name});
        ASSERT_NE(expected, prices_.entries().end()) << entry.row.model_name;
        const auto& [counts, waiting, rejected] = expected->second;
        EXPECT_EQ(entry.row == counts, true) << entry.row.model_name << ": something else counts";
        EXPECT_EQ(entry.held == waiting, true) << entry.row.model_name << ": something else is held";
        EXPECT_EQ(entry.rejected == rejected, true) << entry.row.model_name << ": something else was rejected";
      }
    }
    EXPECT_EQ(count, prices_.entries().size());
  }

  void check_state(const std::map<std::string, ModelUpserted>& topic) {
    std::size_t models = 0;
    for (const auto& state : store_->whole_state().value()) {
      if (state.type != events::model_upserted_type) continue;
      ++models;
      const auto stored = events::parse_model_upserted(state.payload);
      const auto found = topic.find(state.key);
      ASSERT_TRUE(stored.has_value() && found != topic.end()) << state.key;
      EXPECT_EQ(stored->version, found->second.version) << state.key;
      EXPECT_EQ(registry::changed_fields(found->second.model, stored->model), std::vector<std::string>{}) << state.key;
    }
    EXPECT_EQ(models, topic.size());
    EXPECT_EQ(models, known_.size()) << "nothing is deleted";
  }

  std::unique_ptr<registry::Store> store_;
  std::unique_ptr<registry::GovernedDatabase> database_;
  std::unique_ptr<registry::Sql> sql_;
  std::mt19937_64 random_;
  EditLog edits_;
  PriceOracle prices_;
  std::map<Source, std::map<std::string, catalog::Row>> files_;
  std::set<std::string> known_;  ///< models that the registry has got
  std::set<Place> deployed_;     ///< where it has got them
  /// How many events a step may have caused that are not known by their version.
  std::map<std::pair<std::string, std::string>, std::int64_t> allowed_;
  std::vector<std::map<std::string, ListedModel>> lists_;
  std::int64_t now_ms_ = 0;
};

TEST_F(RandomHistories, KeepEditsDeleteNothingAndExplainEveryEvent) {
  const auto histories = from_environment("TOKENRAIL_TEST_HISTORIES", 15);
  const auto first = from_environment("TOKENRAIL_TEST_HISTORY_SEED", 1);
  for (std::int64_t seed = first; seed < first + histories; ++seed) {
    SCOPED_TRACE(fmt::format("TOKENRAIL_TEST_HISTORY_SEED={}", seed));
    ASSERT_NO_FATAL_FAILURE(begin(static_cast<std::uint64_t>(seed)));
    for (int i = 0; i < steps; ++i) ASSERT_NO_FATAL_FAILURE(step());
    const auto topic = replayed();
    ASSERT_NO_FATAL_FAILURE(check_prices(topic));
    ASSERT_NO_FATAL_FAILURE(check_catalogues());
    ASSERT_NO_FATAL_FAILURE(check_state(topic));
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tokenrail::registry_sync
