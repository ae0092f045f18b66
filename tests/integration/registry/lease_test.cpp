// Who leads, and that a process which leads no longer writes nothing. Time passes by changing the row: no test waits.
#include "common/registry/lease.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

struct Candidate {
  Candidate(const DatabaseOptions& options, const std::string& name)
      : fence(std::make_shared<Fence>()), lease(options, name, fence), store(options, fence) {}
  std::shared_ptr<Fence> fence;
  Lease lease;
  Store store;
};

class LeaseTest : public StoreTest {
 protected:
  /// The lease was renewed that long ago.
  void age(const std::string& interval) {
    sql().run("UPDATE registry_lease SET renewed_at = clock_timestamp() - interval '" + interval + "'");
  }
};

TEST_F(LeaseTest, OneLeadsUntilItsLeaseExpires) {
  Candidate first(options_, "first");
  Candidate second(options_, "second");
  EXPECT_TRUE(first.lease.hold().value());
  EXPECT_EQ(first.fence->epoch(), 1);
  EXPECT_TRUE(first.lease.hold().value()) << "a renewal";
  EXPECT_EQ(first.fence->epoch(), 1);
  age("8 seconds");
  EXPECT_FALSE(second.lease.hold().value());
  EXPECT_TRUE(first.lease.hold().value());
  age("11 seconds");
  EXPECT_TRUE(second.lease.hold().value());
  EXPECT_EQ(second.fence->epoch(), 2);
  EXPECT_FALSE(first.lease.hold().value()) << "it has to notice";
  EXPECT_EQ(first.fence->epoch(), 0);
}

TEST_F(LeaseTest, RenewsExpiredLeaseThatIsStillFree) {
  Candidate only(options_, "only");
  ASSERT_TRUE(only.lease.hold().value());
  age("1 hour");
  EXPECT_TRUE(only.lease.hold().value());
  EXPECT_EQ(only.fence->epoch(), 1);
}

TEST_F(LeaseTest, AReleasedLeaseIsTakenAtOnce) {
  Candidate first(options_, "first");
  Candidate second(options_, "second");
  ASSERT_TRUE(first.lease.hold().value());
  first.lease.release();
  EXPECT_TRUE(second.lease.hold().value());
  first.lease.release();
  EXPECT_TRUE(second.lease.hold().value()) << "who does not lead gives nothing up";
  EXPECT_EQ(second.fence->epoch(), 2);
}

TEST_F(LeaseTest, FutureTimeDoesNotHoldTheLease) {
  Candidate first(options_, "first");
  Candidate second(options_, "second");
  ASSERT_TRUE(first.lease.hold().value());
  age("-1 hour");
  EXPECT_TRUE(second.lease.hold().value());
}

TEST_F(LeaseTest, LookingSaysWhoLeads) {
  EXPECT_FALSE(Lease::look(options_).value().has_value());
  Candidate first(options_, "host-a/17");
  ASSERT_TRUE(first.lease.hold().value());
  age("3 seconds");
  const auto leader = Lease::look(options_).value();
  ASSERT_TRUE(leader.has_value());
  EXPECT_EQ(leader->holder, "host-a/17");
  EXPECT_EQ(leader->epoch, 1);
  EXPECT_GT(leader->since_ms, 1'700'000'000'000);
  EXPECT_GE(leader->renewed_ago, std::chrono::seconds(3));
  age("11 seconds");
  EXPECT_FALSE(Lease::look(options_).value().has_value());
}

TEST_F(LeaseTest, OvertakenLeaderWritesNothing) {
  Candidate old(options_, "old");
  Candidate fresh(options_, "fresh");
  ASSERT_TRUE(old.lease.hold().value());
  ASSERT_TRUE(old.store.apply(connection_, {.models = {adding("a")}}, run()).has_value());
  const auto row = old.store.unpublished(10).value().at(0);
  const auto request = store_->request_sync("", person("test")).value();
  age("1 minute");
  ASSERT_TRUE(fresh.lease.hold().value());

  const auto everything = [&] {
    return sql().run(
        "SELECT concat_ws('|', (SELECT string_agg(concat(version, ' ', updated_at), ',') FROM model), (SELECT count(*) "
        "FROM model_revision), (SELECT string_agg(concat(seq, ' ', published_at, ' ', state_published_at), ',') FROM "
        "outbox), (SELECT "
        "string_agg(concat(base_url, ' ', last_sync_status), ',') FROM connection), (SELECT count(*) FROM sync_run), "
        "(SELECT last_value FROM registry_version), (SELECT string_agg(concat(started_at, finished_at), ',') FROM "
        "sync_request))");
  };
  const auto before = everything();
  const std::string model = stored("a").state.id;
  EXPECT_EQ(old.store.apply(connection_, {.models = {adding("b")}}, run()).error().kind, ErrorKind::rejected);
  EXPECT_EQ(old.store.record_failure(connection_, run("failed")).error().kind, ErrorKind::rejected);
  EXPECT_EQ(old.store.unpublished(10).error().kind, ErrorKind::rejected);
  for (const auto part : {Store::OutboxPart::all, Store::OutboxPart::state, Store::OutboxPart::history})
    EXPECT_EQ(old.store.mark_published({row.seq}, part).error().kind, ErrorKind::rejected);
  EXPECT_EQ(old.store.raise_version(5000).error().kind, ErrorKind::rejected);
  EXPECT_EQ(old.store.tell_anew({{.type = "model_registry.upserted", .id = model}}).error().kind, ErrorKind::rejected);
  EXPECT_EQ(old.store.take_sync_requests().error().kind, ErrorKind::rejected);
  EXPECT_EQ(old.store.finish_sync_request(request).error().kind, ErrorKind::rejected);
  EXPECT_EQ(old.store.prune(std::chrono::hours(0)).error().kind, ErrorKind::rejected);
  const auto moved = old.store.ensure_platform_connection(
      {.name = "env-ollama", .provider = "ollama", .base_url = "http://elsewhere:11434"});
  ASSERT_FALSE(moved.has_value());
  EXPECT_EQ(moved.error().kind, ErrorKind::rejected);
  EXPECT_THAT(moved.error().detail, HasSubstr("Another registry-sync"));
  EXPECT_EQ(everything(), before);

  EXPECT_THAT(fresh.store.unpublished(10).value(), SizeIs(2)) << "the model, and that its connection is healthy";
  EXPECT_TRUE(fresh.store.mark_published({row.seq}).has_value());
}

TEST_F(LeaseTest, TakeoverWaitsForAWriteButRenewalDoesNot) {
  Candidate first(options_, "first");
  Candidate second(options_, "second");
  ASSERT_TRUE(first.lease.hold().value());
  age("11 seconds");
  // As a write of the leader begins.
  auto writer = sql();
  writer.run("BEGIN");
  writer.run("SELECT 1 FROM registry_lease WHERE epoch = 1 FOR KEY SHARE");
  EXPECT_EQ(sql().refusal("SET lock_timeout = '100ms'; UPDATE registry_lease SET epoch = epoch + 1"), "55P03");
  ASSERT_TRUE(first.lease.hold().value());
  writer.run("COMMIT");
  EXPECT_FALSE(second.lease.hold().value()) << "it was renewed meanwhile";
}

// A leader that is stopped in the middle of a write would keep the others out for as long as it is stopped.
TEST_F(LeaseTest, DatabaseEndsStoppedWrite) {
  Candidate first(options_, "first");
  ASSERT_TRUE(first.lease.hold().value());
  sql().run(
      "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO noted VALUES "
      "(current_setting('idle_in_transaction_session_timeout')); RETURN NEW; END $$; "
      "CREATE TABLE noted (text text); "
      "CREATE TRIGGER note BEFORE INSERT ON model FOR EACH ROW EXECUTE FUNCTION note()");
  ASSERT_TRUE(first.store.apply(connection_, {.models = {adding("a")}}, run()).has_value());
  EXPECT_EQ(sql().run("SELECT text FROM noted"), "5s");
}

TEST_F(LeaseTest, TheServerNoticesAClientThatVanishes) {
  // Every session sets what the server's own keepalives do; over a Unix socket there are none to ask for.
  sql().run(
      "CREATE TABLE noted (text text); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
      "noted SELECT concat_ws(' ', current_setting('tcp_keepalives_idle'), current_setting('tcp_keepalives_interval'), "
      "current_setting('tcp_keepalives_count'), current_setting('tcp_user_timeout')); RETURN NEW; END $$; "
      "CREATE TRIGGER note BEFORE INSERT ON model FOR EACH ROW EXECUTE FUNCTION note()");
  ASSERT_TRUE(store_->apply(connection_, {.models = {adding("a")}}, run()).has_value());
  EXPECT_EQ(sql().run("SELECT text FROM noted"), "10 5 3 30000");
}

}  // namespace
}  // namespace tokenrail::registry
