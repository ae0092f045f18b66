#include "workers/router/core/well_workers.hpp"

#include <gtest/gtest.h>

namespace tokenrail::router {
namespace {

using Listed = std::vector<events::WellWorker>;

events::AuditFold::Attempt attempt_of(std::int64_t epoch, const std::string& instance) {
  return {.ids = {.epoch = epoch, .instance = instance}};
}

TEST(WellWorkers, NothingIsListedBeforeAnyRequestRuns) {
  WellWorkers workers;
  workers.inherit({{.epoch = 5, .worker = "a"}});
  EXPECT_EQ(workers.given_up_by("b"), std::nullopt);
}

TEST(WellWorkers, OneIsListedOnceUnderItsNewestClaim) {
  WellWorkers workers;
  workers.inherit({{.epoch = 5, .worker = "a"}, {.epoch = 6, .worker = "b"}});
  workers.runs(7);
  workers.runs(8);
  EXPECT_EQ(workers.given_up_by("a"), (Listed{{.epoch = 6, .worker = "b"}, {.epoch = 8, .worker = "a"}}));
}

TEST(WellWorkers, TheOldestGoesWhereTooManyAreListed) {
  WellWorkers workers;
  workers.inherit({{.epoch = 1, .worker = "a"},
                   {.epoch = 2, .worker = "b"},
                   {.epoch = 3, .worker = "c"},
                   {.epoch = 4, .worker = "d"}});
  workers.runs(5);
  const auto listed = workers.given_up_by("e");
  ASSERT_TRUE(listed.has_value());
  EXPECT_EQ(listed->size(), events::well_workers_listed_max);
  EXPECT_EQ(listed->front().worker, "b");
}

TEST(WellWorkers, GaveUpWhatTheyBeganUntilTheirNewestClaim) {
  WellWorkers workers;
  workers.inherit({{.epoch = 5, .worker = "a"}});
  EXPECT_TRUE(workers.gave_up(attempt_of(5, "a-3")));
  EXPECT_TRUE(workers.gave_up(attempt_of(4, "a-2")));
  EXPECT_FALSE(workers.gave_up(attempt_of(6, "a-4"))) << "begun later";
  EXPECT_FALSE(workers.gave_up(attempt_of(5, "b-3"))) << "of another worker";
}

TEST(WellWorkers, GaveUpWhatWasReleasedUnderThatClaimOnly) {
  WellWorkers workers;
  workers.inherit({{.epoch = 5, .worker = "a"}});
  auto attempt = attempt_of(4, "a-2");
  attempt.continued = {.epoch = 5};
  EXPECT_TRUE(workers.gave_up(attempt));
  attempt.continued = {.epoch = 4};
  EXPECT_FALSE(workers.gave_up(attempt)) << "it may have been lost with the worker since";
  attempt.continued->given_up = true;
  EXPECT_TRUE(workers.gave_up(attempt)) << "the log says so";
}

TEST(WellWorkers, AreListedUntilTheirAttemptsAreClosed) {
  WellWorkers workers;
  workers.inherit({{.epoch = 5, .worker = "a"}, {.epoch = 5, .worker = "b"}});
  events::AuditFold fold;
  using Kind = events::AuditFacts::Kind;
  events::AuditFacts event{
      .kind = Kind::request,
      .ids = {.source_offset = events::RequestOffset(1), .org_id = "o", .request_id = "r", .attempt = 5'001},
      .epoch = 5,
      .instance = "a-1"};
  fold.apply(events::AuditOffset(0), event);
  EXPECT_EQ(workers.with_open_attempts(fold), (Listed{{.epoch = 5, .worker = "a"}}));
  event.kind = Kind::response;
  event.outcome = "interrupted";
  fold.apply(events::AuditOffset(1), event);
  EXPECT_EQ(workers.with_open_attempts(fold), Listed{});
}

}  // namespace
}  // namespace tokenrail::router
