#include "common/http/name_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Asked = NameCache::Asked;
using Outcome = NameCache::Outcome;

constexpr NameCache::Time start{seconds(1'000)};

NameAnswer addresses(const std::string& text) {
  return {.addresses = {boost::asio::ip::make_address(text)}};
}
NameAnswer problem(std::string text) {
  return {.problem = std::move(text)};
}

struct NameCacheTest : ::testing::Test {
  NameCacheOptions options{};
  NameCache cache{options};

  /// Looks `name` up and finds it.
  void find(const std::string& name, NameCache::Time now, milliseconds ttl = seconds(60)) {
    cache.ask(name, 99, now);
    cache.answered(name, Outcome::found, addresses("10.0.0.1"), ttl, now);
  }
};

TEST_F(NameCacheTest, AnswerIsValidForItsTimeToLive) {
  find("a", start, seconds(60));
  ASSERT_NE(cache.find("a", start), nullptr);
  EXPECT_NE(cache.find("a", start + seconds(60) - milliseconds(1)), nullptr);
  EXPECT_EQ(cache.find("a", start + seconds(60)), nullptr);
}

TEST_F(NameCacheTest, TimeToLiveIsBoundedBothWays) {
  find("short", start, seconds(0));
  EXPECT_NE(cache.find("short", start + options.ttl_min - milliseconds(1)), nullptr);
  EXPECT_EQ(cache.find("short", start + options.ttl_min), nullptr);
  find("long", start, seconds(86'400));
  EXPECT_NE(cache.find("long", start + options.ttl_max - milliseconds(1)), nullptr);
  EXPECT_EQ(cache.find("long", start + options.ttl_max), nullptr);
}

TEST_F(NameCacheTest, CaseOfNamesDoesNotMatter) {
  find("Api.Example", start);
  EXPECT_NE(cache.find("aPI.eXAMPLE", start), nullptr);
}

TEST_F(NameCacheTest, CallersOfOneNameShareALookUp) {
  EXPECT_EQ(cache.ask("a", 1, start), Asked::ask);
  EXPECT_EQ(cache.ask("A", 2, start), Asked::joined);
  EXPECT_EQ(cache.lookups(), 1U);
  const auto due = cache.answered("a", Outcome::found, addresses("10.0.0.1"), seconds(1), start);
  EXPECT_THAT(due.waiters, ElementsAre(1, 2));
  EXPECT_THAT(due.answer.addresses, SizeIs(1));
  EXPECT_EQ(cache.lookups(), 0U);
}

TEST_F(NameCacheTest, ForgottenWaiterGetsNoAnswer) {
  cache.ask("a", 1, start);
  cache.ask("a", 2, start);
  cache.forget(1);
  cache.forget(7);
  EXPECT_EQ(cache.lookups(), 1U) << "the look-up goes on";
  EXPECT_THAT(cache.answered("a", Outcome::found, addresses("10.0.0.1"), seconds(1), start).waiters, ElementsAre(2));
  cache.forget(2);
}

TEST_F(NameCacheTest, FailuresAreKeptShortly) {
  for (const auto outcome : {Outcome::failed, Outcome::not_found}) {
    cache.ask("a", 1, start);
    const auto due = cache.answered("a", outcome, problem("no"), seconds(60), start);
    EXPECT_EQ(due.answer.problem, "no");
    ASSERT_NE(cache.find("a", start + options.failure_ttl - milliseconds(1)), nullptr);
    EXPECT_EQ(cache.find("a", start)->problem, "no");
    EXPECT_EQ(cache.find("a", start + options.failure_ttl), nullptr);
  }
}

TEST_F(NameCacheTest, OldAddressesServeIfNameServerFails) {
  find("a", start, seconds(60));
  const auto later = start + seconds(60);
  EXPECT_EQ(cache.ask("a", 1, later), Asked::ask);
  const auto due = cache.answered("a", Outcome::failed, problem("silent"), seconds(0), later + seconds(7));
  EXPECT_THAT(due.answer.addresses, SizeIs(1));
  // The next callers do not wait for the name server again.
  EXPECT_NE(cache.find("a", later + seconds(7)), nullptr);
}

TEST_F(NameCacheTest, OldAddressesOfRemovedNameDoNotServe) {
  find("a", start, seconds(60));
  cache.ask("a", 1, start + seconds(60));
  const auto due = cache.answered("a", Outcome::not_found, problem("gone"), seconds(0), start + seconds(60));
  EXPECT_THAT(due.answer.addresses, IsEmpty());
  EXPECT_EQ(due.answer.problem, "gone");
}

TEST_F(NameCacheTest, OldAddressesHaveAnAge) {
  find("a", start, seconds(60));
  const auto last = start + seconds(60) + options.stale_max;
  cache.ask("a", 1, last - milliseconds(1));
  EXPECT_THAT(cache.answered("a", Outcome::failed, problem("no"), seconds(0), last - milliseconds(1)).answer.addresses,
              SizeIs(1));
  cache.ask("a", 2, last + options.failure_ttl);
  EXPECT_THAT(
      cache.answered("a", Outcome::failed, problem("no"), seconds(0), last + options.failure_ttl).answer.problem, "no");
}

TEST_F(NameCacheTest, OldAddressesShortenTheWait) {
  find("a", start, seconds(60));
  const auto later = start + seconds(60);
  cache.ask("a", 1, later);
  cache.ask("b", 2, later);
  EXPECT_EQ(cache.next_due(), later + options.stale_after);
  EXPECT_THAT(cache.take_due(later + options.stale_after - milliseconds(1)), IsEmpty());
  const auto due = cache.take_due(later + options.stale_after);
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_THAT(due[0].waiters, ElementsAre(1));
  EXPECT_THAT(due[0].answer.addresses, SizeIs(1));
  EXPECT_EQ(cache.lookups(), 2U) << "the look-ups go on";
  EXPECT_EQ(cache.next_due(), NameCache::Time::max());
  EXPECT_THAT(cache.answered("a", Outcome::found, addresses("10.0.0.2"), seconds(9), later).waiters, IsEmpty());
}

TEST_F(NameCacheTest, OnlyLettersHaveACase) {
  find("AZ@[", start);
  EXPECT_NE(cache.find("az@[", start), nullptr);
  EXPECT_EQ(cache.find("az`{", start), nullptr);
}

TEST_F(NameCacheTest, OldAddressesEndExactlyAtTheirAge) {
  find("a", start, seconds(60));
  const auto last = start + seconds(60) + options.stale_max;
  cache.ask("a", 1, last);
  EXPECT_EQ(cache.next_due(), NameCache::Time::max());
  EXPECT_THAT(cache.answered("a", Outcome::failed, problem("no"), seconds(0), last).answer.addresses, IsEmpty());
}

TEST_F(NameCacheTest, AWaiterMayWaitForAnotherNameAfterwards) {
  cache.ask("a", 1, start);
  cache.forget(1);
  cache.ask("b", 1, start);
  cache.forget(1);
  EXPECT_THAT(cache.answered("b", Outcome::found, addresses("10.0.0.1"), seconds(1), start).waiters, IsEmpty());

  cache.ask("c", 2, start);
  cache.answered("c", Outcome::found, addresses("10.0.0.1"), seconds(1), start);
  cache.ask("d", 2, start);
  cache.forget(2);
  EXPECT_THAT(cache.answered("d", Outcome::found, addresses("10.0.0.1"), seconds(1), start).waiters, IsEmpty());

  const auto later = start + seconds(2);
  cache.ask("c", 3, later);
  EXPECT_THAT(cache.take_due(later + options.stale_after), SizeIs(1));
  cache.ask("e", 3, later);
  cache.forget(3);
  EXPECT_THAT(cache.answered("e", Outcome::found, addresses("10.0.0.1"), seconds(1), later).waiters, IsEmpty());
}

TEST_F(NameCacheTest, EachWaiterHasATimeOfItsOwn) {
  find("a", start, seconds(60));
  const auto later = start + seconds(60);
  cache.ask("a", 1, later);
  cache.ask("a", 2, later + milliseconds(1));
  auto due = cache.take_due(later + options.stale_after);
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_THAT(due[0].waiters, ElementsAre(1));
  EXPECT_EQ(cache.next_due(), later + options.stale_after + milliseconds(1));
  EXPECT_THAT(cache.pending(), ElementsAre("a"));
  due = cache.take_due(cache.next_due());
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_THAT(due[0].waiters, ElementsAre(2));
}

TEST(NameCacheStale, ExpiredOldAddressesKeepWaitersWaiting) {
  NameCache cache({.stale_max = milliseconds(500), .stale_after = milliseconds(1'000)});
  cache.ask("a", 1, start);
  cache.answered("a", Outcome::found, addresses("10.0.0.1"), seconds(60), start);
  const auto later = start + seconds(60);
  cache.ask("a", 2, later);
  EXPECT_THAT(cache.take_due(later + milliseconds(1'000)), IsEmpty());
  EXPECT_EQ(cache.next_due(), NameCache::Time::max());
  EXPECT_THAT(cache.answered("a", Outcome::failed, problem("no"), seconds(0), later + seconds(2)).waiters,
              ElementsAre(2));
}

TEST(NameCacheBounds, NamesOfNoUseGoBeforeOthers) {
  const NameCacheOptions options{.names_max = 2};
  const auto add = [](NameCache& cache, const std::string& name, Outcome outcome, NameCache::Time now) {
    cache.ask(name, 1, now);
    auto answer = outcome == Outcome::found ? addresses("10.0.0.1") : problem("no");
    cache.answered(name, outcome, std::move(answer), seconds(10), now);
  };
  NameCache failed(options);
  for (const auto* name : {"a", "b"}) add(failed, name, Outcome::failed, start);
  add(failed, "c", Outcome::found, start + options.failure_ttl);
  EXPECT_EQ(failed.size(), 1U);

  NameCache old(options);
  for (const auto* name : {"a", "b"}) add(old, name, Outcome::found, start);
  add(old, "c", Outcome::found, start + seconds(10) + options.stale_max);
  EXPECT_EQ(old.size(), 1U);

  NameCache usable(options);
  for (const auto* name : {"a", "b"}) add(usable, name, Outcome::found, start);
  add(usable, "c", Outcome::found, start + seconds(10));
  EXPECT_EQ(usable.size(), 2U) << "only one has to go: old addresses may still serve";
}

TEST(NameCacheBounds, LookUpsAtATimeAreBounded) {
  NameCache cache({.lookups_max = 2});
  EXPECT_EQ(cache.ask("a", 1, start), Asked::ask);
  EXPECT_EQ(cache.ask("b", 2, start), Asked::ask);
  EXPECT_EQ(cache.ask("c", 3, start), Asked::refused);
  EXPECT_EQ(cache.ask("a", 4, start), Asked::joined) << "a name that is asked for already needs no place";
  cache.answered("a", Outcome::failed, problem("no"), seconds(0), start);
  EXPECT_EQ(cache.ask("c", 3, start), Asked::ask);
}

TEST(NameCacheBounds, DropsOldestNameAtTheBound) {
  NameCache cache({.names_max = 2});
  const auto find = [&](const std::string& name, seconds ttl) {
    cache.ask(name, 1, start);
    cache.answered(name, Outcome::found, addresses("10.0.0.1"), ttl, start);
  };
  find("a", seconds(60));
  find("b", seconds(30));
  find("a", seconds(60));
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_NE(cache.find("b", start), nullptr) << "exactly at the bound nothing goes";
  find("c", seconds(10));
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ(cache.find("b", start), nullptr);
  EXPECT_NE(cache.find("a", start), nullptr);
  EXPECT_NE(cache.find("c", start), nullptr);
}

}  // namespace
}  // namespace tokenrail::http
