// Random histories of lists, edits of people, decisions, prices and catalogues on a real PostgreSQL, against a model in
// the test: what a person set is never lost, nothing is deleted, every event is explained by a change, and the outbox
// replayed is the database's state.
//
// TOKENRAIL_TEST_HISTORIES is the number of histories (15 without it), TOKENRAIL_TEST_HISTORY_SEED the first one's
// seed.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/events/model_event.hpp"
#include "common/registry/catalogs.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/held_changes.hpp"
#include "common/registry/migrator.hpp"
#include "common/registry/prices.hpp"
#include "common/registry/store.hpp"
#include "tests/integration/registry/scratch_database.hpp"
#include "workers/registry_sync/diff.hpp"

namespace tokenrail::registry_sync {
namespace {

using events::ModelUpserted;
using events::Support;
using registry::Actor;
using registry::Connection;

constexpr int steps = 40;
constexpr int names = 14;  ///< more than a small list has, so that big removals are held

std::int64_t from_environment(const char* name, std::int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoll(text, nullptr, 10);
}

/// What a person has set of one model, as the test remembers it. Nothing: the person has left it to others.
struct Edits {
  std::optional<std::int64_t> context_window{};
  std::optional<std::int64_t> output_tokens_max{};
  std::optional<std::string> tag{};
  std::optional<bool> enabled{};
  std::optional<std::int64_t> input_price{};
};

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
    lists_.assign(2, {});
    now_ms_ = 1'760'000'000'000;
    empty_tables();
    for (const auto* name : {"one", "two"}) {
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
    return *std::ranges::find(all, std::string(index == 0 ? "one" : "two"), &Connection::name);
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
    const auto plan = plan_sync(asked, list, *stored, {.accept_held = chance(5)}, now_ms_, *decided);
    run.status = plan.held.empty() ? "ok" : "held";
    const auto applied = store_->apply(asked, plan, run);
    ASSERT_TRUE(applied.has_value()) << applied.error().detail;
    for (const auto& planned : plan.models) known_.insert(planned.after.model_name);
  }

  std::optional<std::string> some_known() {
    if (known_.empty()) return std::nullopt;
    return *std::next(known_.begin(), static_cast<std::ptrdiff_t>(below(known_.size())));
  }

  void edit() {
    const auto name = some_known();
    if (!name) return;
    auto& edits = edits_[*name];
    std::string patch;
    const bool back = chance(25);  // the person gives the field back to the others
    const auto number = std::int64_t{100} + static_cast<std::int64_t>(below(1000));
    switch (below(4)) {
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
      default:
        edits.enabled = chance(50);
        patch = fmt::format(R"({{"enabled":{}}})", *edits.enabled ? "true" : "false");
    }
    const auto changed = registry::Models(*database_).change(root(), {}, "ollama/" + *name, patch, std::nullopt);
    ASSERT_TRUE(changed.has_value()) << *name << " " << patch << ": " << changed.error().detail;
  }

  void set_price() {
    const auto name = some_known();
    if (!name) return;
    const auto micros = static_cast<std::int64_t>(below(5'000'000));
    const auto set = registry::Prices(*database_)
                         .set(root(), {}, "ollama/" + *name,
                              {{.key = {.dimension = PriceDimension::input}, .micros = micros}}, std::nullopt);
    ASSERT_TRUE(set.has_value()) << set.error().detail;
    edits_[*name].input_price = micros;
  }

  void decide() {
    const auto open = store_->held_changes("").value();
    if (open.empty()) return;
    const auto& change = open[below(open.size())];
    using Decision = registry::HeldChanges::Decision;
    const auto decided = registry::HeldChanges(*database_)
                             .decide(root(), {}, change.id, chance(50) ? Decision::accept : Decision::reject, "chance");
    ASSERT_TRUE(decided.has_value()) << decided.error().detail;
  }

  /// The entry as the catalogue has it.
  static catalog::Row catalogues_words(const catalog::KnownEntry& entry) {
    if (entry.held) return *entry.held;
    return entry.rejected.value_or(entry.row);
  }

  void update_catalogue() {
    catalog::Row row{.provider = "ollama", .model_name = name_of(below(names + 6))};
    row.context_window = std::int64_t{512} << below(6);
    if (chance(60)) row.output_tokens_max = std::int64_t{128} << below(4);
    row.capabilities = {{"vision", chance(50)}};
    if (chance(70))
      row.prices = {{.key = {.dimension = PriceDimension::input}, .micros = static_cast<std::int64_t>(below(900))},
                    {.key = {.dimension = PriceDimension::output}, .micros = static_cast<std::int64_t>(below(900))}};
    const auto source = chance(50) ? catalog::Source::litellm : catalog::Source::models_dev;
    const auto known = registry::Catalogs(*database_).entries(root("import"), source);
    ASSERT_TRUE(known.has_value());
    catalog::Catalog update{.source = source};
    for (const auto& entry : *known)
      if (entry.row.model_name != row.model_name)
        update.entries.push_back({.key = entry.row.model_name, .row = catalogues_words(entry)});
    update.entries.push_back({.key = row.model_name, .row = row});
    const auto plan = catalog::plan_import(update, *known, chance(20));
    ASSERT_TRUE(plan.has_value()) << plan.error().detail;
    const auto written = registry::Catalogs(*database_).apply(root("import"), source, plan->entries);
    ASSERT_TRUE(written.has_value()) << written.error().detail;
  }

  void step() {
    now_ms_ += static_cast<std::int64_t>(below(8)) * 3'600'000;
    const auto kind = below(100);
    if (kind < 25) {
      change_list();
    } else if (kind < 60) {
      sync();
    } else if (kind < 76) {
      edit();
    } else if (kind < 84) {
      decide();
    } else if (kind < 92) {
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
      topic.insert_or_assign(row.key, *event);
    }
    EXPECT_EQ(std::to_string(count), sql_->run("SELECT count(*) FROM model_revision")) << "one event a revision";
    return topic;
  }

  static void explain(const std::map<std::string, ModelUpserted>& topic, const ModelUpserted& event) {
    const auto before = topic.find(event.key);
    EXPECT_FALSE(event.changed_fields.empty()) << event.key << " version " << event.version;
    if (before == topic.end()) {
      EXPECT_FALSE(event.before_version.has_value()) << event.key;
      return;
    }
    EXPECT_GT(event.version, before->second.version) << event.key;
    EXPECT_EQ(event.before_version, before->second.version) << event.key;
    const auto differing = registry::changed_fields(before->second.model, event.model);
    const std::set<std::string> told(event.changed_fields.begin(), event.changed_fields.end());
    for (const auto& field : differing)
      EXPECT_TRUE(told.contains(field)) << event.key << " version " << event.version << ": " << field << " changed, by "
                                        << event.cause << ", and the event does not say so";
  }

  void check_edits(const std::map<std::string, ModelUpserted>& topic) {
    for (const auto& [name, edits] : edits_) {
      const auto found = topic.find("_/_/ollama/" + name);
      ASSERT_NE(found, topic.end()) << name;
      const auto& model = found->second.model;
      if (edits.context_window) EXPECT_EQ(model.context_window, edits.context_window) << name;
      if (edits.output_tokens_max) EXPECT_EQ(model.output_tokens_max, edits.output_tokens_max) << name;
      if (edits.tag) EXPECT_EQ(model.tags, std::vector{*edits.tag}) << name;
      if (edits.enabled) EXPECT_EQ(model.enabled, *edits.enabled) << name;
      if (edits.input_price) EXPECT_EQ(model.prices.input_micros, edits.input_price) << name;
    }
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
  std::map<std::string, Edits> edits_;
  std::set<std::string> known_;  ///< models that the registry has got
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
    check_edits(topic);
    ASSERT_NO_FATAL_FAILURE(check_state(topic));
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tokenrail::registry_sync
