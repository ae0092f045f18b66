// What the compacted topics should hold, as the database has it.
#include <algorithm>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/events/credential_event.hpp"
#include "common/events/registry_records.hpp"
#include "common/registry/connections.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/model_pointers.hpp"
#include "common/registry/organizations.hpp"
#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class PublicationTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    database_ = std::make_unique<GovernedDatabase>(options_);
    const Actor root{.name = "cli:root", .all_organizations = true};
    const Actor anna{.name = "user:anna", .scope = acme()};
    well(Organizations(*database_).create(root, {.id = "acme", .display_name = "Acme"}));
    apply({adding("a")});
    ModelPointers pointers(*database_);
    well(pointers.set_default(anna, acme(), {}, "ollama/a"));
    well(pointers.set_alias(anna, acme(), {.alias = "best", .targets = {{"ollama/a", 1}}}, {}));
    well(pointers.add_grant(anna, "acme",
                            {.subject_kind = "user", .subject = "bob", .object_kind = "model", .object = "ollama/a"}));
    CredentialStore credentials(*database_);
    kept_ = database_->new_id().value();
    const auto revoked = database_->new_id().value();
    for (const auto& id : {kept_, revoked}) {
      well(credentials.add(
          anna, acme(),
          {.id = id, .provider = "openai", .label = id, .sealed = "c2VhbGVk", .key_id = "k1", .fingerprint = "f00"}));
    }
    well(credentials.revoke(anna, acme(), revoked, false));
  }
  void TearDown() override {
    database_.reset();
    StoreTest::TearDown();
  }

  static Scope acme() { return {.org_id = "acme"}; }
  template <class T>
  static void well(const Result<T>& result) {
    ASSERT_TRUE(result.has_value()) << result.error().detail;
  }
  void publish_all() {
    std::vector<std::int64_t> seqs;
    for (const auto& row : outbox()) seqs.push_back(row.seq);
    well(store_->mark_published(seqs));
  }
  std::vector<PublishedState> all() {
    auto states = store_->whole_state().value();
    for (auto& sealed : store_->whole_credentials().value()) states.push_back(std::move(sealed));
    return states;
  }
  static std::vector<std::string> keys(const std::vector<PublishedState>& states) {
    std::vector<std::string> out;
    for (const auto& state : states) out.push_back(state.key);
    return out;
  }

  std::unique_ptr<GovernedDatabase> database_;
  std::string kept_;
};

TEST_F(PublicationTest, WholeStateHasLastEventOfEveryKey) {
  const auto states = all();
  EXPECT_THAT(keys(states), ElementsAre("_/_/ollama/a", "_default/acme/_/generation/_/_", "_alias/acme/_/best",
                                        "_grants/acme", "_org/acme", "acme/_/" + kept_));
  for (const auto& state : states) {
    EXPECT_TRUE(state.pending) << state.key;
    std::string last;
    std::string type;
    for (const auto& row : outbox()) {
      if (row.key != state.key) continue;
      last = row.payload.value_or("a tombstone");
      type = row.type;
    }
    EXPECT_EQ(state.type, type) << state.key;
    EXPECT_THAT(state.payload, HasSubstr("\"version\":" + std::to_string(state.version))) << state.key;
    EXPECT_THAT(last, HasSubstr("\"version\":" + std::to_string(state.version))) << state.key;
  }
  EXPECT_EQ(states.back().payload,
            sql().run("SELECT payload FROM outbox WHERE type = 'model_registry.credential' AND aggregateid = 'acme/_/" +
                      kept_ + "'"));
  publish_all();
  for (const auto& state : all()) EXPECT_FALSE(state.pending) << state.key;
}

TEST_F(PublicationTest, RepublishedRecordsHaveNewVersionAndEvent) {
  publish_all();
  const auto before = all();
  well(store_->raise_version(5000));
  std::vector<RecordName> names;
  for (const auto& state : before) names.push_back({.type = state.type, .id = state.id});
  well(store_->tell_anew(names));
  const auto events = outbox();
  EXPECT_THAT(events, SizeIs(before.size()));
  const auto after = all();
  ASSERT_THAT(after, SizeIs(before.size()));
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].key, before[i].key);
    EXPECT_GT(after[i].version, 5000) << after[i].key;
    const auto event = std::ranges::find(events, after[i].key, &OutboxRecord::key);
    ASSERT_NE(event, events.end()) << after[i].key;
    EXPECT_EQ(event->type, after[i].type);
    EXPECT_THAT(event->payload.value_or(""), HasSubstr("\"version\":" + std::to_string(after[i].version)));
    if (after[i].type != events::credential_upserted_type) {
      EXPECT_THAT(event->payload.value_or(""), HasSubstr("\"cause\":\"rollback\"")) << after[i].key;
    }
  }
}

TEST_F(PublicationTest, RepublishesOneRecordAlone) {
  publish_all();
  const auto before = all();
  well(store_->tell_anew({{.type = before[2].type, .id = before[2].id}}));
  const auto events = outbox();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].key, "_alias/acme/_/best");
}

TEST_F(PublicationTest, RepublishRequestWaitsForNoConnection) {
  const auto id = store_->request_republish(person("ann"));
  ASSERT_TRUE(id.has_value()) << id.error().detail;
  const auto taken = store_->take_sync_requests().value();
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_TRUE(taken[0].republish);
  EXPECT_EQ(taken[0].connection_id, "");
  auto state = store_->sync_request_state(*id).value();
  EXPECT_TRUE(state.started);
  EXPECT_FALSE(state.finished);
  EXPECT_THAT(state.unfinished, IsEmpty());
  well(store_->finish_sync_request(*id));
  EXPECT_TRUE(store_->sync_request_state(*id)->finished);
  const auto sync = store_->request_sync("", person("ann")).value();
  EXPECT_FALSE(store_->take_sync_requests().value().at(0).republish);
  EXPECT_THAT(store_->sync_request_state(sync)->unfinished, ElementsAre("env-ollama"));
}

}  // namespace
}  // namespace tokenrail::registry
