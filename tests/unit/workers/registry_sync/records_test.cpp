#include "workers/registry_sync/records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/events/credential_event.hpp"
#include "common/events/registry_records.hpp"
#include "common/registry/projection.hpp"

namespace tokenrail::registry_sync {
namespace {

using registry::Projection;
using registry::PublishedState;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

PublishedState state(const std::string& name, std::int64_t version, const std::string& org = "") {
  events::ModelUpserted event;
  event.model.id = "id-" + name;
  event.model.org_id = org;
  event.model.provider = "ollama";
  event.model.model_name = name;
  event.model.slug = "ollama/" + name;
  event.model.version = event.version = version;
  event.key = events::model_key(event.model);
  event.cause = "sync";
  return {.id = event.model.id,
          .type = std::string(events::model_upserted_type),
          .key = event.key,
          .version = version,
          .payload = events::to_json(event)};
}

template <class Record>
PublishedState other(std::string_view type, Record record, std::int64_t version) {
  record.version = version;
  return {.id = "row-of-" + events::record_key(record),
          .type = std::string(type),
          .key = events::record_key(record),
          .version = version,
          .payload = events::to_json(record)};
}
/// One of each kind beside models, as versions `first`, `first` + 1, …
std::vector<PublishedState> others(std::int64_t first) {
  return {other(events::registry_default_type,
                events::RegistryDefault{.org_id = "acme", .model_id = "m", .model = {"ollama", "a"}}, first),
          other(events::registry_alias_type,
                events::RegistryAlias{.org_id = "acme",
                                      .alias = "best",
                                      .targets = {{.model_id = "m", .model = {"ollama", "a"}, .weight = 1}}},
                first + 1),
          other(events::registry_view_type, events::RegistryView{.org_id = "acme", .name = "cheap"}, first + 2),
          other(events::registry_grants_type, events::RegistryGrants{.org_id = "acme"}, first + 3),
          other(events::registry_organization_type, events::RegistryOrganization{.org_id = "acme", .slug = "acme"},
                first + 4)};
}

PublishedState credential(const std::string& id, std::int64_t version, const std::string& org = "acme") {
  const events::SealedCredential sealed{
      .id = id, .org_id = org, .provider = "openai", .version = version, .key_id = "k1", .sealed = "c2VhbGVk"};
  return {.id = id,
          .type = std::string(events::credential_upserted_type),
          .key = events::credential_key(sealed),
          .version = version,
          .payload = events::to_json(sealed)};
}

TopicContent credentials_of(const std::vector<PublishedState>& states, bool marked = true) {
  TopicContent topic(Destination::credentials);
  for (const auto& s : states) topic.apply(s.key, s.payload);
  if (marked) topic.apply("_registry", events::to_json(events::RegistryMark{.version = 1, .models = 0}));
  return topic;
}

TopicContent topic_of(const std::vector<PublishedState>& states, bool marked = true) {
  TopicContent topic;
  for (const auto& s : states) topic.apply(s.key, s.payload);
  if (marked) topic.apply("_registry", events::to_json(events::RegistryMark{.version = 50, .models = 1}));
  return topic;
}

std::vector<std::string> keys(const std::vector<Outgoing>& records) {
  std::vector<std::string> out;
  for (const auto& record : records) out.push_back((record.value ? "" : "-") + record.key);
  return out;
}

std::string header(const Outgoing& record, std::string_view name) {
  return std::string(kafka::header(record.headers, name).value_or("(none)"));
}

registry::RecordName model(const std::string& id) {
  return {.type = std::string(events::model_upserted_type), .id = id};
}

TEST(Records, UpsertGoesToStateThenHistory) {
  const auto records = records_of({.seq = 1,
                                   .id = "u1",
                                   .key = "acme/_/ollama/m",
                                   .type = "model_registry.upserted",
                                   .payload = "{\"a\":1}",
                                   .created_ms = 1'700'000'000'000});
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].to, Destination::state);
  EXPECT_EQ(records[1].to, Destination::events);
  for (const auto& record : records) {
    EXPECT_EQ(record.key, "acme/_/ollama/m");
    EXPECT_EQ(record.value, "{\"a\":1}");
    EXPECT_EQ(header(record, "ce_id"), "u1");
    EXPECT_EQ(header(record, "ce_type"), "model_registry.upserted");
    EXPECT_EQ(header(record, "ce_source"), "/registry/acme");
    EXPECT_EQ(header(record, "ce_specversion"), "1.0");
    EXPECT_EQ(header(record, "ce_partitionkey"), "acme/_/ollama/m");
    EXPECT_EQ(header(record, "content-type"), "application/json");
    EXPECT_THAT(header(record, "ce_time"), testing::StartsWith("2023-11-14T22:13:20"));
  }
}

TEST(Records, DeletionIsTombstoneAndHistoryEvent) {
  const auto records = records_of(
      {.seq = 1, .id = "u", .key = "_/_/ollama/m", .type = "model_registry.deleted", .payload = "{}", .created_ms = 0});
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].value, std::nullopt);
  EXPECT_EQ(records[1].value, "{}");
  EXPECT_EQ(header(records[0], "ce_source"), "/registry/platform");
}

TEST(Records, OtherEventsGoToHistoryOnly) {
  const auto records = records_of(
      {.seq = 1, .id = "u", .key = "_/_/ollama/_connection", .type = "model_registry.sync.held", .payload = "{}"});
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].to, Destination::events);
}

TEST(Records, EveryKindOfStateGoesToBothTopics) {
  for (const auto& state : others(3)) {
    const auto records = records_of({.seq = 1, .id = "u", .key = state.key, .type = state.type, .payload = "{}"});
    ASSERT_THAT(records, SizeIs(2)) << state.type;
    EXPECT_EQ(records[0].to, Destination::state);
    EXPECT_EQ(records[0].value, "{}");
    EXPECT_EQ(records[1].to, Destination::events);
    EXPECT_EQ(header(records[0], "ce_type"), state.type);
    EXPECT_EQ(header(records[0], "ce_source"), "/registry/acme");
    const auto purged = records_of({.seq = 2, .id = "u", .key = state.key, .type = state.type, .payload = {}});
    ASSERT_THAT(purged, SizeIs(2)) << state.type;
    EXPECT_EQ(purged[0].to, Destination::state);
    EXPECT_EQ(purged[0].value, std::nullopt);
    EXPECT_EQ(purged[1].value, std::nullopt);
  }
}

TEST(Records, APlatformsPointerHasThePlatformAsSource) {
  const auto records = records_of(
      {.seq = 1, .id = "u", .key = "_default/_/_/generation/_/_", .type = "model_registry.default", .payload = "{}"});
  EXPECT_EQ(header(records.at(0), "ce_source"), "/registry/platform");
}

TEST(Records, ACredentialGoesToItsTopicOnly) {
  const auto sealed =
      records_of({.seq = 1, .id = "u", .key = "acme/_/c1", .type = "model_registry.credential", .payload = "{}"});
  ASSERT_THAT(sealed, SizeIs(1));
  EXPECT_EQ(sealed[0].to, Destination::credentials);
  EXPECT_EQ(sealed[0].value, "{}");
  EXPECT_EQ(header(sealed[0], "ce_source"), "/registry/acme");
  const auto revoked = records_of(
      {.seq = 2, .id = "u", .key = "acme/_/c1", .type = "model_registry.credential.revoked", .payload = std::nullopt});
  ASSERT_THAT(revoked, SizeIs(1));
  EXPECT_EQ(revoked[0].to, Destination::credentials);
  EXPECT_EQ(revoked[0].value, std::nullopt);
}

TEST(Reconcile, EqualTopicNeedsNoRecords) {
  const std::vector database{state("a", 3), state("b", 4, "acme")};
  const auto todo = reconcile(topic_of(database), database, 0);
  EXPECT_THAT(todo.records, IsEmpty());
  EXPECT_THAT(todo.behind, IsEmpty());
  EXPECT_FALSE(todo.mark);
}

TEST(Reconcile, ARecreatedTopicGetsEverythingAndTheMark) {
  const std::vector database{state("a", 3), state("b", 4)};
  const auto todo = reconcile({}, database, 0);
  EXPECT_THAT(keys(todo.records), ElementsAre("_/_/ollama/a", "_/_/ollama/b"));
  EXPECT_TRUE(todo.mark);

  Projection router;
  for (const auto& record : todo.records)
    EXPECT_EQ(router.apply(record.key, record.value), Projection::Applied::changed);
  const auto mark = mark_record(Destination::state, database, 0);
  EXPECT_EQ(router.apply(mark.key, mark.value), Projection::Applied::mark);
  EXPECT_TRUE(router.complete());
  EXPECT_EQ(router.mark()->version, 4);
  EXPECT_EQ(router.mark()->models, 2);
}

TEST(Reconcile, AnEmptyRegistryIsPublishedToo) {
  const auto todo = reconcile({}, {}, 0);
  EXPECT_THAT(todo.records, IsEmpty());
  EXPECT_TRUE(todo.mark);
  EXPECT_THAT(reconcile(topic_of({}), {}, 0).mark, false);
}

TEST(Reconcile, PublishesMissingAndRemovesUnknownKeys) {
  const std::vector database{state("a", 3), state("b", 9), state("c", 5)};
  const auto todo = reconcile(topic_of({state("a", 3), state("b", 4), state("ghost", 2)}), database, 0);
  EXPECT_THAT(keys(todo.records), ElementsAre("_/_/ollama/b", "_/_/ollama/c", "-_/_/ollama/ghost"));
  EXPECT_THAT(todo.behind, IsEmpty());
  EXPECT_TRUE(todo.mark);
}

TEST(Reconcile, ATopicWithoutItsMarkGetsIt) {
  const std::vector database{state("a", 3)};
  const auto todo = reconcile(topic_of(database, false), database, 0);
  EXPECT_THAT(todo.records, IsEmpty());
  EXPECT_TRUE(todo.mark);
}

// Routers keep the highest version of a key: what an older database says they would not take.
TEST(Reconcile, OlderDatabasePublishesItsModelsAgain) {
  const std::vector database{state("a", 3), state("b", 9)};
  const auto topic = topic_of({state("a", 700), state("b", 9)});
  EXPECT_THAT(reconcile(topic, database, 0).behind, ElementsAre(model("id-a")));
  EXPECT_EQ(topic.highest_version(), 700);
  EXPECT_EQ(topic_of({}).highest_version(), 50);
}

// What compaction leaves is the last record: a router that starts later sees nothing else.
TEST(Reconcile, RewritesUnreadableLastRecord) {
  const std::vector database{state("a", 3), state("b", 4), state("c", 5)};
  auto topic = topic_of(database);
  topic.apply("_/_/ollama/a", "not json");
  topic.apply("_/_/ollama/b", state("somebody-else", 9).payload);
  topic.apply("_/_/ollama/never-heard-of", "{}");
  const auto todo = reconcile(topic, database, 0);
  EXPECT_THAT(keys(todo.records), ElementsAre("_/_/ollama/a", "_/_/ollama/b", "-_/_/ollama/never-heard-of"));
  EXPECT_EQ(todo.unreadable, 3);
  EXPECT_THAT(todo.behind, IsEmpty()) << "no reader has taken another key's version";
  EXPECT_EQ(words_of(todo), "3 unreadable, the mark");

  topic.apply("_/_/ollama/a", database[0].payload);
  topic.apply("_/_/ollama/b", database[1].payload);
  topic.apply("_/_/ollama/never-heard-of", std::nullopt);
  EXPECT_EQ(words_of(reconcile(topic, database, 0)), "");
}

TEST(Reconcile, RewritesOlderLastRecord) {
  const std::vector database{state("a", 6), state("b", 4)};
  auto topic = topic_of(database);
  topic.apply("_/_/ollama/a", state("a", 5).payload);
  const auto todo = reconcile(topic, database, 0);
  EXPECT_THAT(keys(todo.records), ElementsAre("_/_/ollama/a"));
  EXPECT_EQ(todo.older, 1);
  EXPECT_THAT(todo.behind, IsEmpty());
  // A tombstone as the last record is a model that is lacking.
  topic.apply("_/_/ollama/b", std::nullopt);
  EXPECT_EQ(words_of(reconcile(topic, database, 0)), "1 missing, 1 older, the mark");
}

TEST(Reconcile, RewritesUnreadableOrRemovedMark) {
  const std::vector database{state("a", 3)};
  auto topic = topic_of(database);
  topic.apply("_registry", "not a mark");
  EXPECT_EQ(words_of(reconcile(topic, database, 0)), "the mark");
  topic.apply("_registry", std::nullopt);
  EXPECT_TRUE(reconcile(topic, database, 0).mark);
  topic.apply("_registry", *mark_record(Destination::state, database, 0).value);
  EXPECT_FALSE(reconcile(topic, database, 0).mark);
}

TEST(Reconcile, KeysOfUnknownKindsAreLeftAlone) {
  const std::vector database{state("a", 3)};
  auto topic = topic_of(database);
  for (const auto* key : {"nonsense", "_limits/_/x/y", "a/b/c", "\xff", ""}) topic.apply(key, "{}");
  EXPECT_EQ(words_of(reconcile(topic, database, 0)), "");
}

TEST(Reconcile, LeavesPendingRecordsToTheRelay) {
  std::vector database{state("a", 6), state("new", 7)};
  for (auto& one : database) one.pending = true;
  EXPECT_THAT(reconcile(topic_of({state("a", 5)}), database, 0).records, IsEmpty());
  EXPECT_THAT(reconcile(topic_of({state("a", 50)}), database, 0).behind, ElementsAre(model("id-a")));
}

TEST(Reconcile, AnEmptyDatabaseNeverEmptiesATopic) {
  const auto todo = reconcile(topic_of({state("a", 3)}), {}, 0);
  EXPECT_THAT(todo.records, IsEmpty());
}

TEST(Reconcile, ADatabaseWithoutModelsEmptiesNoTopic) {
  auto states = others(3);
  states.push_back(state("a", 2));
  const std::vector organization_only{others(3).back()};
  EXPECT_THAT(reconcile(topic_of(states), organization_only, 0).records, IsEmpty());
}

TEST(Reconcile, EveryKindIsKeptWhole) {
  auto database = others(10);
  database.push_back(state("a", 9));
  EXPECT_EQ(words_of(reconcile(topic_of(database), database, 0)), "");

  auto topic = topic_of({state("a", 9)});
  const auto all = reconcile(topic, database, 0);
  EXPECT_EQ(words_of(all), "5 missing, the mark");
  EXPECT_EQ(header(all.records.at(0), "ce_type"), "model_registry.default");
  EXPECT_EQ(header(all.records.at(0), "ce_id"), "state-row-of-_default/acme/_/generation/_/_-10");
  const auto mark = events::parse_registry_mark(mark_record(Destination::state, database, 0).value.value_or(""));
  ASSERT_TRUE(mark.has_value());
  EXPECT_EQ(mark->models, 1) << "the mark counts models only";
  EXPECT_EQ(mark->version, 14);
}

TEST(Reconcile, EveryKindIsRepaired) {
  auto database = others(10);
  database.push_back(state("a", 9));
  for (std::size_t i = 0; i + 1 < database.size(); ++i) {
    const auto key = database[i].key;
    auto topic = topic_of(database);
    topic.apply(key, "not json");
    EXPECT_EQ(words_of(reconcile(topic, database, 0)), "1 unreadable, the mark") << key;
    topic.apply(key, others(1)[i].payload);
    EXPECT_EQ(words_of(reconcile(topic, database, 0)), "1 older, the mark") << key;
    // A record of another organisation under this key.
    auto foreign = others(10)[i].payload;
    foreign.replace(foreign.find("\"acme\"", foreign.find("orgId")), 6, "\"evil\"");
    topic.apply(key, foreign);
    EXPECT_EQ(words_of(reconcile(topic, database, 0)), "1 unreadable, the mark") << key;
    topic.apply(key, others(700)[i].payload);
    EXPECT_THAT(reconcile(topic, database, 0).behind,
                ElementsAre(registry::RecordName{.type = database[i].type, .id = database[i].id}));

    auto without = database;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    const auto todo = reconcile(topic_of(database), without, 0);
    EXPECT_THAT(keys(todo.records), ElementsAre("-" + key));
    EXPECT_EQ(header(todo.records.at(0), "ce_type"), database[i].type);
  }
}

TEST(Reconcile, TheCredentialsTopicIsKeptWhole) {
  const std::vector database{credential("c1", 3), credential("c2", 9, "")};
  EXPECT_EQ(words_of(reconcile(credentials_of(database), database, 0)), "");
  EXPECT_EQ(words_of(reconcile(credentials_of(database, false), database, 0)), "the mark");
  const auto all = reconcile(credentials_of({}, false), database, 0);
  EXPECT_THAT(keys(all.records), ElementsAre("acme/_/c1", "_/_/c2"));
  for (const auto& record : all.records) EXPECT_EQ(record.to, Destination::credentials);
  EXPECT_TRUE(all.mark);
  const auto mark = mark_record(Destination::credentials, database, 0);
  EXPECT_EQ(mark.to, Destination::credentials);
  EXPECT_EQ(mark.key, "_registry");
  EXPECT_EQ(events::parse_registry_mark(mark.value.value_or(""))->version, 9);

  auto topic = credentials_of({credential("c1", 2), credential("revoked", 5)});
  topic.apply("_/_/c2", "not json");
  const auto todo = reconcile(topic, database, 0);
  EXPECT_EQ(words_of(todo), "1 older, 1 unreadable, 1 unknown to the database, the mark");
  EXPECT_EQ(header(todo.records.back(), "ce_type"), "model_registry.credential.revoked");
  EXPECT_EQ(credentials_of({credential("c1", 700)}).highest_version(), 700);
  EXPECT_THAT(reconcile(credentials_of({credential("c1", 700)}), database, 0).behind,
              ElementsAre(registry::RecordName{.type = "model_registry.credential", .id = "c1"}));
}

TEST(Reconcile, NoCredentialsInTheDatabaseEmptyNoTopic) {
  EXPECT_THAT(reconcile(credentials_of({credential("c1", 3)}), {}, 0).records, IsEmpty());
}

// Readers forget what a new log with a mark does not name.
TEST(Reconcile, CredentialsUnknownToTheDatabaseGetNoMark) {
  EXPECT_FALSE(reconcile(credentials_of({credential("c1", 3)}, false), {}, 0).mark);
  EXPECT_TRUE(reconcile(credentials_of({}, false), {}, 0).mark) << "the last one was revoked, or none was ever there";
}

TEST(Reconcile, KeepsStrangeKeysOfCredentialsTopic) {
  auto topic = credentials_of({credential("c1", 3)});
  for (const auto* key : {"nonsense", "_limits/_/x", "a/b/c/d", ""}) topic.apply(key, "{}");
  EXPECT_EQ(words_of(reconcile(topic, {credential("c1", 3)}, 0)), "");
}

}  // namespace
}  // namespace tokenrail::registry_sync
