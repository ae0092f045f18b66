// Changes of every kind that people make, and what is on the topics after them: what the database holds.
#include <map>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/registry/connections.hpp"
#include "common/registry/governed_models.hpp"
#include "common/registry/model_pointers.hpp"
#include "common/registry/organizations.hpp"
#include "tests/integration/registry_sync/governed_world.hpp"
#include "tests/integration/registry_sync/topic_reader.hpp"

namespace tokenrail::registry_sync {
namespace {

using registry::Actor;
using registry::Scope;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class GovernedTopics : public GovernedWorld {
 protected:
  static Actor root() { return {.name = "cli:root", .all_organizations = true}; }
  static Actor anna() { return {.name = "user:anna", .scope = acme()}; }
  static Scope acme() { return {.org_id = "acme"}; }
  registry::CredentialStore credentials() { return registry::CredentialStore(*database_); }
  registry::Connections connections() { return registry::Connections(*database_); }
  registry::Models models() { return registry::Models(*database_); }
  registry::ModelPointers pointers() { return registry::ModelPointers(*database_); }
  registry::Organizations organizations() { return registry::Organizations(*database_); }

  template <class T>
  static void well(const Result<T>& result) {
    ASSERT_TRUE(result.has_value()) << result.error().detail;
  }

  static registry::CredentialStore::Sealed sealed(const std::string& id, std::int64_t secret_version = 1) {
    return {.id = id,
            .provider = "openai",
            .label = "label of " + id,
            .sealed = "c2VhbGVkLXRleHQ",
            .key_id = "k1",
            .fingerprint = "f00",
            .secret_version = secret_version};
  }

  /// One change of every kind, and one removal.
  void change_everything() {
    well(organizations().create(root(), {.id = "acme", .display_name = "Acme"}));
    well(models().change(anna(), acme(), "ollama/a:1b", R"({"displayName":"A","tags":["fast"]})", {}));
    well(pointers().set_default(root(), {}, {}, "ollama/a:1b"));
    well(pointers().set_default(anna(), acme(), {}, "ollama/b:7b"));
    well(pointers().set_default(anna(), acme(), {.purpose = "titles"}, "ollama/b:7b"));
    well(pointers().remove_default(anna(), acme(), {.purpose = "titles"}));
    well(pointers().set_alias(anna(), acme(), {.alias = "best", .targets = {{"ollama/a:1b", 9}, {"ollama/b:7b", 1}}},
                              {}));
    well(pointers().set_alias(anna(), acme(), {.alias = "gone", .targets = {{"ollama/a:1b", 1}}}, {}));
    well(pointers().remove_alias(anna(), acme(), "gone", {}));
    well(pointers().add_grant(
        anna(), "acme", {.subject_kind = "user", .subject = "bob", .object_kind = "model", .object = "ollama/b:7b"}));
    kept_ = database_->new_id().value();
    revoked_ = database_->new_id().value();
    well(credentials().add(anna(), acme(), sealed(kept_)));
    well(credentials().add(anna(), acme(), sealed(revoked_)));
    well(connections().create(anna(), acme(),
                              R"({"provider":"openai","name":"own","baseUrl":"https://api.openai.com/v1",)"
                              R"("authType":"header","authName":"X-Api-Key","syncEnabled":false,"credentialId":")" +
                                  kept_ + R"("})"));
    well(models().create(
        anna(), acme(),
        R"({"provider":"openai","modelName":"gpt","enabled":true,"deployments":[{"connectionId":"own"}]})"));
    well(models().create(anna(), acme(), R"({"provider":"openai","modelName":"old","enabled":true})"));
    well(models().remove(anna(), acme(), "openai/old", true, {}));
    well(credentials().replace(anna(), acme(), sealed(kept_, 2)));
    well(credentials().revoke(anna(), acme(), revoked_, true));
  }

  void relayed() {
    ASSERT_TRUE(run_until(loop_, [&] { return store_->outbox_lag()->rows == 0; }));
    settle();
  }

  [[nodiscard]] TopicReader reader_of(const std::string& topic) const {
    TopicReader reader;
    for (const auto& record : tail_->on(topic)) reader.apply(record.key.value_or(""), record.value);
    return reader;
  }
  [[nodiscard]] std::map<std::string, std::string> topic_says(const std::string& topic) const {
    return reader_of(topic).facts();
  }
  static std::map<std::string, std::string> database_says(const Result<std::vector<registry::PublishedState>>& states) {
    TopicReader reader;
    for (const auto& state : states.value()) reader.apply(state.key, state.payload);
    return reader.facts();
  }
  void expect_equal() {
    EXPECT_TRUE(reader_of("model_registry").has_each_kind());
    const auto state = topic_says("model_registry");
    EXPECT_EQ(state, database_says(store_->whole_state()));
    for (const auto* key : {"_default/_/_/generation/_/_", "_default/acme/_/generation/_/_", "_alias/acme/_/best",
                            "_grants/acme", "_org/acme", "acme/_/openai/gpt", "acme/_/ollama/a:1b"})
      EXPECT_TRUE(state.contains(key)) << key;
    EXPECT_FALSE(state.contains("_alias/acme/_/gone"));
    EXPECT_FALSE(state.contains("acme/_/openai/old"));
    const auto sealed = topic_says("model_registry.credentials");
    EXPECT_EQ(sealed, database_says(store_->whole_credentials()));
    EXPECT_EQ(sealed.size(), 1U);
    EXPECT_TRUE(sealed.contains("acme/_/" + kept_));
  }

  std::string kept_;
  std::string revoked_;
};

TEST_F(GovernedTopics, TopicsEqualDatabaseAfterEveryKindOfChange) {
  start_whole();
  change_everything();
  relayed();
  expect_equal();
  for (const auto& record : tail_->on("model_registry.events")) {
    EXPECT_THAT(record.value.value_or(""), Not(HasSubstr("c2VhbGVkLXRleHQ")));
    EXPECT_THAT(record.key.value_or(""), Not(HasSubstr(kept_)));
  }
  const auto model = last_event("acme/_/openai/gpt");
  ASSERT_TRUE(model.has_value());
  EXPECT_EQ(model->model.deployments.at(0).credential_id, kept_);
  EXPECT_EQ(model->model.deployments.at(0).credential_version, 2);
  EXPECT_EQ(model->model.deployments.at(0).auth_name, "X-Api-Key");
}

TEST_F(GovernedTopics, RecreatedTopicsEqualTheDatabase) {
  start_whole();
  change_everything();
  relayed();
  workers_.back()->stop();
  tail_.reset();
  kafka_ = make_cluster();
  tail_ = std::make_unique<TopicTail>(loop_, *kafka_);
  start_whole();
  settle();
  expect_equal();
  EXPECT_THAT(events(), IsEmpty()) << "it is no news";
}

TEST_F(GovernedTopics, ADatabaseBehindTheTopicsOvertakesEveryKind) {
  start_whole();
  change_everything();
  relayed();
  workers_.back()->stop();
  kafka::testing::Reports reports;
  telemetry::Metrics metrics;
  auto producer = kafka::Producer::make(loop_, {.properties = kafka_->properties()}, reports, metrics);
  ASSERT_TRUE(producer.has_value());
  std::size_t count = 0;
  const auto ahead = [&](const std::string& topic, const std::vector<registry::PublishedState>& states) {
    for (const auto& state : states) {
      auto payload = state.payload;
      // The newest version that a reader has is not this database's.
      const auto version = "\"version\":" + std::to_string(state.version);
      for (auto at = payload.find(version); at != std::string::npos; at = payload.find(version, at + 1))
        payload.replace(at, version.size(), "\"version\":5000");
      ASSERT_EQ((*producer)->produce((*producer)->topic(topic), 0, state.key, payload, nullptr, 0),
                kafka::Produced::accepted);
      ++count;
    }
  };
  ahead("model_registry", store_->whole_state().value());
  ahead("model_registry.credentials", store_->whole_credentials().value());
  ASSERT_TRUE(run_until(loop_, [&] { return reports.all.size() == count; }));

  auto& running = start();
  ASSERT_TRUE(run_until(loop_, [&] { return running.worker().published_whole(); })) << running.problems();
  relayed();
  expect_equal();
  for (const auto& states : {store_->whole_state().value(), store_->whole_credentials().value()})
    for (const auto& state : states) EXPECT_GT(state.version, 5000) << state.key;
}

TEST_F(GovernedTopics, RepublishFillsWhatTheTopicsLack) {
  auto& running = start_whole();
  // The leader gets no notice of this row.
  sql().run("INSERT INTO organization (id, slug) VALUES ('acme', 'acme')");
  sql().run(
      "INSERT INTO credential (org_id, provider, label, sealed, key_id, fingerprint) VALUES ('acme', 'openai', 'l', "
      "'c2VhbGVk', 'k1', 'f00')");
  settle();
  EXPECT_FALSE(topic_says("model_registry").contains("_org/acme"));
  const auto id = store_->request_republish(root());
  ASSERT_TRUE(id.has_value()) << id.error().detail;
  registry::SyncRequestState state;
  ASSERT_TRUE(run_until(loop_, [&] {
    state = store_->sync_request_state(*id).value();
    return state.finished;
  })) << running.problems();
  settle();
  EXPECT_THAT(state.runs, IsEmpty());
  EXPECT_TRUE(topic_says("model_registry").contains("_org/acme"));
  EXPECT_EQ(topic_says("model_registry.credentials").size(), 1U);
  EXPECT_THAT(running.worker().metrics().text(),
              HasSubstr("registry_state_repairs_total{reason=\"missing\",topic=\"model_registry.credentials\"} 1"));
}

TEST_F(GovernedTopics, RepublishWaitsForKafka) {
  auto& running = start_whole();
  rd_kafka_mock_broker_set_down(kafka_->get(), 1);
  const auto id = store_->request_republish(root()).value();
  ASSERT_TRUE(run_until(loop_, [&] { return store_->sync_request_state(id)->started; }));
  EXPECT_FALSE(store_->sync_request_state(id)->finished);
  rd_kafka_mock_broker_set_up(kafka_->get(), 1);
  ASSERT_TRUE(run_until(loop_, [&] { return store_->sync_request_state(id)->finished; })) << running.problems();
}

}  // namespace
}  // namespace tokenrail::registry_sync
