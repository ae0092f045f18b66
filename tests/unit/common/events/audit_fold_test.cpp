// What counts in the audit log, as a table: each history is folded, then said what of it counts.
#include "common/events/audit_fold.hpp"

#include <algorithm>
#include <cctype>

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"

namespace tokenrail::events {
namespace {

using Kind = AuditFacts::Kind;
using Verdict = AuditFold::Verdict;

AuditFacts claim(std::int64_t epoch, const std::string& who) {
  return {.kind = Kind::claimed, .epoch = epoch, .instance = who};
}
AuditFacts about(Kind kind, std::int64_t epoch, const std::string& who, std::int64_t offset, std::int64_t attempt,
                 std::string outcome = "", std::string cause = "") {
  return {.kind = kind,
          .ids = {.epoch = epoch,
                  .instance = who,
                  .source_offset = RequestOffset(offset),
                  .org_id = "o",
                  .request_id = "r" + std::to_string(offset),
                  .attempt = attempt},
          .epoch = epoch,
          .instance = who,
          .outcome = std::move(outcome),
          .cause = std::move(cause)};
}
AuditFacts request(std::int64_t epoch, const std::string& who, std::int64_t offset, std::int64_t attempt) {
  return about(Kind::request, epoch, who, offset, attempt);
}
AuditFacts response(std::int64_t epoch, const std::string& who, std::int64_t offset, std::int64_t attempt,
                    const std::string& outcome = "completed") {
  return about(Kind::response, epoch, who, offset, attempt, outcome, outcome == "interrupted" ? "lost" : "");
}
AuditFacts hand_over(Kind kind, std::int64_t epoch, const std::string& who, std::vector<ContinuedAttempt> continuing) {
  AuditFacts facts{.kind = kind, .epoch = epoch, .instance = who};
  facts.continuing = std::move(continuing);
  facts.lease_ms = 15'000;
  return facts;
}

struct Row {
  const char* name;
  std::vector<std::pair<AuditFacts, Verdict>> history;
  bool complete;           ///< of offset 5
  std::size_t open;        ///< attempts without a response
  std::int64_t epoch;      ///< in the end
  bool continued = false;  ///< something goes on elsewhere
};

class AuditFoldTable : public ::testing::TestWithParam<Row> {};

TEST_P(AuditFoldTable, SaysWhatCounts) {
  AuditFold fold;
  std::int64_t offset = 0;
  for (const auto& [event, verdict] : GetParam().history) {
    EXPECT_EQ(fold.apply(AuditOffset(offset), event), verdict) << "event " << offset;
    ++offset;
  }
  EXPECT_EQ(fold.complete(5_request, "o", "r5"), GetParam().complete);
  EXPECT_EQ(fold.open().size(), GetParam().open);
  EXPECT_EQ(fold.epoch(), GetParam().epoch);
  EXPECT_EQ(fold.any_continued(), GetParam().continued);
  EXPECT_EQ(fold.next().value(), offset);
}

constexpr auto ok = Verdict::counts;
constexpr auto no = Verdict::is_void;

INSTANTIATE_TEST_SUITE_P(
    Histories, AuditFoldTable,
    ::testing::Values(
        Row{"answered",
            {{claim(7, "a"), ok}, {request(7, "a", 5, 7001), ok}, {response(7, "a", 5, 7001), ok}},
            true,
            0,
            7},
        Row{"open", {{claim(7, "a"), ok}, {request(7, "a", 5, 7001), ok}}, false, 1, 7},
        Row{"an interrupted attempt is no answer",
            {{claim(7, "a"), ok}, {request(7, "a", 5, 7001), ok}, {response(7, "a", 5, 7001, "interrupted"), ok}},
            false,
            0,
            7},
        Row{"the highest attempt decides",
            {{request(7, "a", 5, 7001), ok},
             {response(7, "a", 5, 7001, "interrupted"), ok},
             {request(7, "a", 5, 7002), ok}},
            false,
            1,
            0},
        Row{"a stalled worker's late response is void",
            {{claim(7, "a"), ok}, {request(7, "a", 5, 7001), ok}, {claim(8, "b"), ok}, {response(7, "a", 5, 7001), no}},
            false,
            1,
            8},
        Row{"the first that is not void counts",
            {{request(7, "a", 5, 7001), ok},
             {claim(8, "b"), ok},
             {response(8, "b", 5, 7001, "interrupted"), ok},
             {response(8, "b", 5, 7001), Verdict::repeated},
             {request(8, "b", 5, 8001), ok}},
            false,
            1,
            8},
        Row{"an attempt whose llm.request is void does not exist",
            {{claim(8, "b"), ok}, {request(7, "a", 5, 7001), no}, {response(7, "a", 5, 7001), no}},
            false,
            0,
            8},
        Row{"of equal epochs the first wins",
            {{claim(7, "a"), ok}, {claim(7, "b"), no}, {request(7, "a", 5, 7001), ok}},
            false,
            1,
            7},
        Row{"a lower claim has no effect",
            {{claim(9, "a"), ok}, {claim(8, "b"), no}, {request(8, "b", 5, 8001), no}},
            false,
            0,
            9},
        Row{"what is continued under a valid release is never void",
            {{claim(7, "a"), ok},
             {request(7, "a", 5, 7001), ok},
             {hand_over(Kind::released, 7, "a", {{.offset = 5_request, .attempt = 7001}}), ok},
             {claim(8, "b"), ok},
             {hand_over(Kind::continuing, 7, "a", {{.offset = 5_request, .attempt = 7001}}), ok},
             {response(7, "a", 5, 7001), ok}},
            true,
            0,
            8},
        Row{"it is listed no more behind a higher claim",
            {{claim(7, "a"), ok},
             {request(7, "a", 5, 7001), ok},
             {hand_over(Kind::released, 7, "a", {{.offset = 5_request, .attempt = 7001}}), ok},
             {claim(8, "b"), ok},
             {hand_over(Kind::continuing, 7, "a", {}), ok},
             {hand_over(Kind::continuing, 7, "zombie", {}), no}},
            false,
            1,
            8,
            true},
        Row{"it stays open while it is continued",
            {{request(7, "a", 5, 7001), ok},
             {hand_over(Kind::released, 7, "a", {{.offset = 5_request, .attempt = 7001}}), ok},
             {claim(8, "b"), ok}},
            false,
            1,
            8,
            true},
        Row{"a release behind a higher claim is void, and so is what follows from it",
            {{request(7, "a", 5, 7001), ok},
             {claim(8, "b"), ok},
             {hand_over(Kind::released, 7, "a", {{.offset = 5_request, .attempt = 7001}}), no},
             {hand_over(Kind::continuing, 7, "a", {{.offset = 5_request, .attempt = 7001}}), no},
             {response(7, "a", 5, 7001), no}},
            false,
            1,
            8},
        Row{"only the worker that continues it may answer it late",
            {{request(7, "a", 5, 7001), ok},
             {hand_over(Kind::released, 7, "a", {{.offset = 5_request, .attempt = 7001}}), ok},
             {claim(8, "b"), ok},
             {response(7, "zombie", 5, 7001), no}},
            false,
            1,
            8,
            true},
        Row{"a lease that ran out: the first response counts",
            {{request(7, "a", 5, 7001), ok},
             {hand_over(Kind::released, 7, "a", {{.offset = 5_request, .attempt = 7001}}), ok},
             {claim(8, "b"), ok},
             {response(8, "b", 5, 7001, "interrupted"), ok},
             {response(7, "a", 5, 7001), Verdict::repeated}},
            false,
            0,
            8},
        Row{"an attempt listed after it was answered is not continued",
            {{request(7, "a", 5, 7001), ok},
             {response(7, "a", 5, 7001), ok},
             {hand_over(Kind::released, 7, "a", {{.offset = 5_request, .attempt = 7001}}), ok}},
            true,
            0,
            0},
        Row{"a duplicate exists by its response", {{response(7, "a", 5, 0, "duplicate"), ok}}, true, 0, 0},
        Row{"an llm.request said twice is one",
            {{request(7, "a", 5, 7001), ok}, {request(7, "a", 5, 7001), Verdict::repeated}},
            false,
            1,
            0},
        Row{"a response whose llm.request was cut away by retention still answers",
            {{claim(7, "a"), ok}, {response(7, "a", 5, 7001), ok}},
            true,
            0,
            7},
        Row{"events of other types belong to no attempt", {{AuditFacts{}, Verdict::foreign}}, false, 0, 0}),
    [](const auto& row) {
      std::string name = row.param.name;
      std::ranges::replace_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
      return name;
    });

TEST(AuditFold, RecreatedTopicHasAnotherRequestAtOffset) {
  AuditFold fold;
  fold.apply(AuditOffset(0), request(7, "a", 5, 7001));
  fold.apply(AuditOffset(1), response(7, "a", 5, 7001));
  EXPECT_TRUE(fold.complete(5_request, "o", "r5"));
  EXPECT_FALSE(fold.complete(5_request, "o", "another"));
  EXPECT_FALSE(fold.complete(5_request, "p", "r5"));
}

TEST(AuditFold, CountsClaimsWithNothingBetween) {
  AuditFold fold;
  fold.apply(AuditOffset(0), claim(7, "a"));
  fold.apply(AuditOffset(1), claim(8, "b"));
  fold.apply(AuditOffset(2), claim(8, "c"));
  EXPECT_EQ(fold.claims_in_a_row(), 2);
  fold.apply(AuditOffset(3), request(8, "b", 5, 8001));
  EXPECT_EQ(fold.claims_in_a_row(), 0);
  fold.apply(AuditOffset(4), claim(9, "d"));
  EXPECT_EQ(fold.claims_in_a_row(), 1);
  fold.apply(
      AuditOffset(5),
      {.kind = AuditFacts::Kind::lost, .epoch = 9, .instance = "d", .lost_from = 1_request, .lost_to = 3_request});
  EXPECT_EQ(fold.claims_in_a_row(), 0);
}

TEST(AuditFold, WorkerThatClaimsAgainCountsOnce) {
  AuditFold fold;
  fold.apply(AuditOffset(0), claim(7, "a-1"));
  fold.apply(AuditOffset(1), claim(8, "a-2"));
  EXPECT_EQ(fold.claims_in_a_row(), 1);
  fold.apply(AuditOffset(2), claim(9, "b-1"));
  fold.apply(AuditOffset(3), claim(10, "a-3"));
  EXPECT_EQ(fold.claims_in_a_row(), 3);
}

TEST(AuditFold, RefusedResponseSaysHowItsRequestEnds) {
  AuditFold fold;
  fold.apply(AuditOffset(0), request(7, "a", 5, 7001));
  auto closed = response(7, "a", 5, 7001);
  closed.outcome = "interrupted";
  closed.cause = "refused";
  closed.error_code = "INTERNAL";
  fold.apply(AuditOffset(1), closed);
  ASSERT_NE(fold.refused(5_request, "o", "r5"), nullptr);
  EXPECT_EQ(fold.refused(5_request, "o", "r5")->error_code, "INTERNAL");
  EXPECT_EQ(fold.refused(5_request, "o", "another"), nullptr);
  EXPECT_FALSE(fold.complete(5_request, "o", "r5"));
}

TEST(AuditFold, LossChangesNoAttemptAndCanBeVoid) {
  const AuditFacts lost{
      .kind = AuditFacts::Kind::lost, .epoch = 8, .instance = "b", .lost_from = 5_request, .lost_to = 6_request};
  AuditFold fold;
  fold.apply(AuditOffset(0), claim(8, "b"));
  fold.apply(AuditOffset(1), request(8, "b", 5, 8001));
  EXPECT_EQ(fold.apply(AuditOffset(2), lost), AuditFold::Verdict::counts);
  EXPECT_TRUE(fold.any_open(5_request));
  fold.apply(AuditOffset(3), claim(9, "c"));
  EXPECT_EQ(fold.apply(AuditOffset(4), lost), AuditFold::Verdict::is_void);
}

TEST(AuditFold, RemembersFirstEventOfIncompleteRequest) {
  AuditFold fold;
  fold.apply(AuditOffset(10), request(7, "a", 5, 7001));
  fold.apply(AuditOffset(11), request(7, "a", 3, 7001));
  fold.apply(AuditOffset(12), response(7, "a", 3, 7001));
  fold.apply(AuditOffset(13), claim(8, "b"));
  fold.apply(AuditOffset(14), request(7, "a", 9, 7001));  // void; a successor has to read it all the same
  EXPECT_EQ(fold.first_event_from(0_request), AuditOffset(10));
  EXPECT_EQ(fold.first_event_from(6_request), AuditOffset(14));
  EXPECT_EQ(fold.first_event_from(10_request), std::nullopt);
  fold.forget_below(6_request);
  EXPECT_EQ(fold.attempts(3_request), nullptr);
  ASSERT_NE(fold.attempts(5_request), nullptr);  // open
  EXPECT_EQ(fold.interruptions(5_request, "o", "r5", "lost"), 0);
}

TEST(AuditFold, ForgetsCompleteRequestButNotItsFirstEvent) {
  AuditFold fold;
  fold.apply(AuditOffset(0), claim(7, "a"));
  fold.apply(AuditOffset(1), request(7, "a", 5, 7001));
  fold.apply(AuditOffset(2), request(7, "a", 6, 7001));
  fold.apply(AuditOffset(3), response(7, "a", 6, 7001));
  fold.forget_complete(5_request);
  EXPECT_NE(fold.attempts(5_request), nullptr) << "an attempt of it is open";
  fold.forget_complete(6_request);
  EXPECT_EQ(fold.attempts(6_request), nullptr);
  EXPECT_EQ(fold.first_event_from(6_request), AuditOffset(2));
  EXPECT_EQ(fold.first_event_from(1'000_request), std::nullopt);
  fold.apply(AuditOffset(4), request(7, "a", 9, 7001));
  EXPECT_EQ(fold.first_event_from(6_request), AuditOffset(2));
  fold.forget_below(1'000_request);
  EXPECT_EQ(fold.first_event_from(1'000_request), std::nullopt);
}

// However long requests end out of order, so that something behind the committed offset is always complete.
TEST(AuditFold, FirstEventAdvancesWithCommittedOffset) {
  AuditFold fold;
  std::int64_t audit = 0;
  fold.apply(AuditOffset(audit++), claim(7, "a"));
  for (std::int64_t source = 0; source < 10'000; source += 2) {
    for (const auto each : {source, source + 1}) fold.apply(AuditOffset(audit++), request(7, "a", each, 7001));
    for (const auto each : {source + 1, source}) {
      fold.apply(AuditOffset(audit++), response(7, "a", each, 7001));
      fold.forget_complete(RequestOffset(each));
    }
    fold.forget_below(RequestOffset(source));
    ASSERT_LT(audit - fold.first_event_from(RequestOffset(source))->value(), 2'000) << source;
  }
}

TEST(AuditFold, RemembersThousandClaimsAndGuessesNone) {
  AuditFold fold(5);
  for (std::int64_t i = 0; i < 1'500; ++i) fold.apply(AuditOffset(i), claim(10 + i, "a"));
  EXPECT_EQ(fold.epoch_at(AuditOffset(0)), 0) << "not the epoch that it began with, nor one that came later";
  EXPECT_EQ(fold.epoch_at(AuditOffset(500)), 0);
  EXPECT_EQ(fold.epoch_at(AuditOffset(501)), 510);
  EXPECT_EQ(fold.epoch_at(AuditOffset(1'500)), 1'509);
}

TEST(AuditFold, BeginsWithTheHighestClaimBeforeIt) {
  // A stopped worker writes late what a claim has made void; a reader that begins behind that claim has to know.
  AuditFold whole;
  whole.apply(AuditOffset(0), claim(7, "a"));
  whole.apply(AuditOffset(1), claim(8, "b"));
  EXPECT_EQ(whole.apply(AuditOffset(2), request(7, "a", 5, 7001)), AuditFold::Verdict::is_void);
  EXPECT_EQ(whole.epoch_at(AuditOffset(0)), 0);
  EXPECT_EQ(whole.epoch_at(AuditOffset(1)), 7);
  EXPECT_EQ(whole.epoch_at(AuditOffset(2)), 8);

  AuditFold part(whole.epoch_at(AuditOffset(2)));
  EXPECT_EQ(part.apply(AuditOffset(2), request(7, "a", 5, 7001)), AuditFold::Verdict::is_void);
  EXPECT_TRUE(part.open().empty());
  EXPECT_EQ(part.apply(AuditOffset(3), claim(8, "c")), AuditFold::Verdict::is_void)
      << "the first of equal epochs has it";
  EXPECT_EQ(part.apply(AuditOffset(4), claim(9, "d")), AuditFold::Verdict::counts);
}

TEST(AuditFold, CountsTheInterruptionsOfARequestByCause) {
  AuditFold fold;
  fold.apply(AuditOffset(0), request(7, "a", 5, 7001));
  fold.apply(AuditOffset(1), response(8, "b", 5, 7001, "interrupted"));
  fold.apply(AuditOffset(2), request(8, "b", 5, 8001));
  auto drained = response(8, "b", 5, 8001, "interrupted");
  drained.cause = "drain";
  fold.apply(AuditOffset(3), drained);
  EXPECT_EQ(fold.interruptions(5_request, "o", "r5", "lost"), 1);
  EXPECT_EQ(fold.interruptions(5_request, "o", "r5", "drain"), 1);
  EXPECT_EQ(fold.interruptions(5_request, "o", "other", "lost"), 0);
}

TEST(AuditFold, ForgetsOtherRecordAtTheSameOffset) {
  struct Row {
    const char* name;
    std::string request_id;
    std::int64_t source_ms;
    bool complete;
  };
  for (const auto& row : {
           Row{"the same record", "r5", 1'000, true},
           Row{"another request", "other", 2'000, false},
           Row{"the same ids, another record", "r5", 2'000, false},
           Row{"a record without a timestamp", "r5", -1, true},
       }) {
    AuditFold fold;
    auto asked = request(1, "a", 5, 1'001);
    asked.ids.source_ms = 1'000;
    fold.apply(AuditOffset(0), asked);
    fold.apply(AuditOffset(1), response(1, "a", 5, 1'001));
    fold.forget_others(5_request, "o", row.request_id, row.source_ms);
    EXPECT_EQ(fold.complete(5_request, "o", "r5"), row.complete) << row.name;
  }
  AuditFold fold;
  fold.apply(AuditOffset(0), request(1, "a", 5, 1'001));
  fold.forget_others(5_request, "o", "other", -1);
  EXPECT_TRUE(fold.any_open(5_request)) << "what is open has still to be closed";
}

TEST(AuditFold, AnAttemptThatIsListedNoMoreIsGivenUp) {
  AuditFold fold;
  fold.apply(AuditOffset(0), request(7, "a", 5, 7001));
  fold.apply(AuditOffset(1), request(7, "a", 6, 7001));
  fold.apply(AuditOffset(2),
             hand_over(Kind::released, 7, "a",
                       {{.offset = 5_request, .attempt = 7001}, {.offset = 6_request, .attempt = 7001}}));
  fold.apply(AuditOffset(3), claim(8, "b"));
  fold.apply(AuditOffset(4), hand_over(Kind::continuing, 7, "a", {{.offset = 6_request, .attempt = 7001}}));
  EXPECT_TRUE(fold.find(5_request, 7001)->continued->given_up);
  EXPECT_FALSE(fold.find(6_request, 7001)->continued->given_up);
  EXPECT_EQ(fold.find(5_request, 7001)->continued->renewed_at, AuditOffset(2)) << "its lease is not renewed";
  fold.apply(AuditOffset(5), hand_over(Kind::continuing, 7, "a", {{.offset = 5_request, .attempt = 7001}}));
  EXPECT_FALSE(fold.find(5_request, 7001)->continued->given_up);
  EXPECT_TRUE(fold.find(6_request, 7001)->continued->given_up);
}

}  // namespace
}  // namespace tokenrail::events
