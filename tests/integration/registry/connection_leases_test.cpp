// Which process syncs which connection, on a real PostgreSQL.
#include "common/registry/connection_leases.hpp"

#include <gmock/gmock.h>

#include "common/registry/connections.hpp"
#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class ConnectionLeasesTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    sql().run("UPDATE registry_lease SET epoch = 1");
    ASSERT_TRUE(store_->let_syncs_begin().has_value());
  }
  ConnectionLeases process(const std::string& name) { return {options_, name, {"ollama"}}; }
  void connect(const std::string& name) {
    sql().run("INSERT INTO connection (provider, name, base_url) VALUES ('ollama', '" + name + "', 'http://h:1')");
  }
  static std::vector<std::string> names(const std::vector<ClaimedConnection>& claimed) {
    std::vector<std::string> all;
    for (const auto& one : claimed) all.push_back(one.connection.name);
    return all;
  }
  static ConnectionLeases::Held held(const ClaimedConnection& claimed) {
    return {.connection_id = claimed.connection.id, .epoch = claimed.connection.lease_epoch};
  }
  /// As if the holder had not renewed for a while.
  void expire() { sql().run("UPDATE connection_lease SET renewed_at = renewed_at - interval '11 seconds'"); }
};

TEST_F(ConnectionLeasesTest, OneProcessAtATimeClaimsAConnection) {
  connect("second");
  connect("third");
  auto a = process("a");
  auto b = process("b");
  const auto first = a.claim(2).value();
  EXPECT_THAT(first, SizeIs(2));
  EXPECT_EQ(first[0].trigger, "start");
  const auto rest = b.claim(10).value();
  EXPECT_THAT(rest, SizeIs(1));
  EXPECT_THAT(a.claim(10).value(), IsEmpty());
  ASSERT_TRUE(a.give_back({held(first[0])}).has_value());
  EXPECT_EQ(names(b.claim(10).value()), names({first[0]})) << "at once";
}

TEST_F(ConnectionLeasesTest, NewClaimOfExpiredLeaseFencesTheFirst) {
  auto a = process("a");
  auto b = process("b");
  const auto first = a.claim(1).value().at(0);
  ASSERT_TRUE(a.renew({held(first)}).has_value());
  EXPECT_THAT(b.claim(1).value(), IsEmpty());
  expire();
  const auto second = b.claim(1).value().at(0);
  EXPECT_EQ(second.connection.lease_epoch, first.connection.lease_epoch + 1);

  const auto late = store_->apply(first.connection, {.models = {adding("late")}}, run());
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind, ErrorKind::rejected);
  EXPECT_EQ(store_->keep_snapshot(first.connection, "[]").error().kind, ErrorKind::rejected);
  ASSERT_TRUE(store_->apply(second.connection, {.models = {adding("a")}}, run()).has_value());
  EXPECT_EQ(sql().run("SELECT string_agg(model_name, ',') FROM model"), "a");

  // The first one changes nothing of a lease that is not its own any more.
  ASSERT_TRUE(a.renew({held(first)}).has_value());
  ASSERT_TRUE(a.release(held(first), 0ms).has_value());
  EXPECT_THAT(a.claim(1).value(), IsEmpty());
  EXPECT_EQ(sql().run("SELECT holder FROM connection_lease"), "b");
}

TEST_F(ConnectionLeasesTest, AReleasedConnectionIsDueAfterItsInterval) {
  auto a = process("a");
  const auto first = a.claim(1).value().at(0);
  ASSERT_TRUE(a.release(held(first), 1h).has_value());
  EXPECT_THAT(a.claim(1).value(), IsEmpty());
  EXPECT_FALSE(store_->any_due({"ollama"}).value());
  sql().run("UPDATE connection_lease SET due_at = due_at - interval '61 minutes'");
  EXPECT_TRUE(store_->any_due({"ollama"}).value());
  EXPECT_EQ(a.claim(1).value().at(0).trigger, "schedule");
}

TEST_F(ConnectionLeasesTest, RequestDuringASyncGetsAnotherOne) {
  auto a = process("a");
  const auto first = a.claim(1).value().at(0);
  ASSERT_TRUE(store_->make_due("event").has_value());
  ASSERT_TRUE(a.release(held(first), 1h).has_value());
  EXPECT_EQ(a.claim(1).value().at(0).trigger, "event");
}

TEST_F(ConnectionLeasesTest, ChangeOfAConnectionMakesItDue) {
  connect("other");
  auto a = process("a");
  GovernedDatabase database(options_);
  CredentialStore::Sealed sealed{.id = database.new_id().value(),
                                 .provider = "ollama",
                                 .label = "work",
                                 .sealed = "c2VhbGVk",
                                 .key_id = "k1",
                                 .fingerprint = "f00",
                                 .last4 = "abcd",
                                 .secret_version = 1};
  ASSERT_TRUE(CredentialStore(database).add(person("ann"), {}, sealed).has_value());
  const auto settle = [&] {
    for (const auto& one : a.claim(10).value()) ASSERT_TRUE(a.release(held(one), 1h).has_value());
    ASSERT_THAT(a.claim(10).value(), IsEmpty());
  };
  const auto change = [&](const std::string& patch, Actor actor = person("ann")) {
    const auto changed = Connections(database).change(actor, {}, "env-ollama", patch, {});
    ASSERT_TRUE(changed.has_value()) << changed.error().detail;
  };
  const auto is_due = [&](const std::string& what) {
    const auto claimed = a.claim(10).value();
    ASSERT_THAT(names(claimed), ElementsAre("env-ollama")) << what;
    EXPECT_EQ(claimed[0].trigger, "event") << what;
    ASSERT_TRUE(a.release(held(claimed[0]), 1h).has_value());
  };
  settle();
  for (const std::string patch :
       {R"({"baseUrl":"http://other:1"})", R"({"authType":"header"})", R"({"authName":"X-Key"})",
        R"({"includeGlobs":["a*"]})", R"({"excludeGlobs":["b*"]})", R"({"syncIntervalS":60})"}) {
    change(patch);
    is_due(patch);
  }
  change(R"({"credentialId":")" + sealed.id + R"("})");
  is_due("a key");
  sealed.secret_version = 2;
  ASSERT_TRUE(CredentialStore(database).replace(person("ann"), {}, sealed).has_value());
  is_due("another secret");
  for (const std::string field : {"enabled", "syncEnabled"}) {
    change(R"({")" + field + R"(":false})");
    EXPECT_THAT(a.claim(10).value(), IsEmpty()) << field;
    change(R"({")" + field + R"(":true})");
    is_due(field);
  }
  // What has nothing to do with the list, what changes nothing, and what is not kept.
  change(R"({"priority":7})");
  change(R"({"baseUrl":"http://other:1"})");
  auto trying = person("ann");
  trying.dry_run = true;
  change(R"({"baseUrl":"http://tried:1"})", trying);
  EXPECT_THAT(a.claim(10).value(), IsEmpty());
}

TEST_F(ConnectionLeasesTest, ChangeDuringASyncGetsAnotherOne) {
  auto a = process("a");
  GovernedDatabase database(options_);
  const auto first = a.claim(1).value().at(0);
  ASSERT_TRUE(Connections(database)
                  .change(person("ann"), {}, first.connection.id, R"({"baseUrl":"http://other:1"})", {})
                  .has_value());
  ASSERT_TRUE(a.release(held(first), 1h).has_value());
  const auto again = a.claim(1).value().at(0);
  EXPECT_EQ(again.trigger, "event");
  EXPECT_EQ(again.connection.base_url, "http://other:1");
}

TEST_F(ConnectionLeasesTest, ARequestIsServedOnceForEachConnection) {
  connect("second");
  auto a = process("a");
  for (const auto& one : a.claim(10).value()) ASSERT_TRUE(a.release(held(one), 1h).has_value());
  const auto request = store_->request_sync("", person("ann"), true).value();
  ASSERT_THAT(store_->take_sync_requests().value(), SizeIs(1));
  EXPECT_THAT(store_->served_requests({"ollama"}).value(), IsEmpty());
  const auto claimed = a.claim(10).value();
  EXPECT_THAT(names(claimed), UnorderedElementsAre("env-ollama", "second"));
  for (const auto& one : claimed) {
    EXPECT_EQ(one.trigger, "manual");
    EXPECT_EQ(one.request.id, request);
    EXPECT_TRUE(one.request.accept_held);
    auto asked = run();
    asked.connection_id = one.connection.id;
    asked.request_id = request;
    ASSERT_TRUE(store_->apply(one.connection, {}, asked).has_value());
    ASSERT_TRUE(a.release(held(one), 1h).has_value());
  }
  EXPECT_THAT(a.claim(10).value(), IsEmpty());
  EXPECT_THAT(store_->served_requests({"ollama"}).value(), ElementsAre(request));
}

TEST_F(ConnectionLeasesTest, RequestedConnectionsComeFirstAndFailingLast) {
  connect("asked");
  connect("well");
  sql().run("UPDATE connection SET health = 'down' WHERE name = 'env-ollama'");
  auto a = process("a");
  ASSERT_TRUE(store_->request_sync("asked", person("ann")).has_value());
  EXPECT_EQ(names(a.claim(1).value()), std::vector<std::string>{"asked"});
  EXPECT_EQ(names(a.claim(1).value()), std::vector<std::string>{"well"});
  EXPECT_EQ(names(a.claim(1).value()), std::vector<std::string>{"env-ollama"});
}

TEST_F(ConnectionLeasesTest, ClaimsNothingBeforeLeaderReadsVersions) {
  auto a = process("a");
  sql().run("UPDATE registry_lease SET epoch = 2");
  EXPECT_THAT(a.claim(10).value(), IsEmpty());
  ASSERT_TRUE(store_->let_syncs_begin().has_value());
  EXPECT_THAT(a.claim(10).value(), SizeIs(1));
}

TEST_F(ConnectionLeasesTest, DoesNotClaimUnsyncableConnections) {
  connect("off");
  connect("gone");
  sql().run("UPDATE connection SET sync_enabled = false WHERE name = 'off'");
  sql().run("UPDATE connection SET deleted_at = now() WHERE name = 'gone'");
  EXPECT_EQ(names(process("a").claim(10).value()), std::vector<std::string>{"env-ollama"});
  ConnectionLeases other(options_, "b", {"openai"});
  expire();
  EXPECT_THAT(other.claim(10).value(), IsEmpty()) << "no adapter for it";
}

}  // namespace
}  // namespace tokenrail::registry
