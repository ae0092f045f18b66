// The owner's account of its audit log: reports in order, gaps, duplicate batches, reading.
#include "workers/router/core/audit_account.hpp"

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"
#include "workers/router/core/batch_numbers.hpp"

namespace tokenrail::router {
namespace {

using events::AuditOffset;

AuditAccount::Entry own(std::int64_t source_offset) {
  return {.facts = {.kind = events::AuditFacts::Kind::request,
                    .ids = {.source_offset = events::RequestOffset(source_offset), .attempt = 7001},
                    .epoch = 7,
                    .instance = "me"}};
}
AuditAccount::Entry foreign(std::int64_t offset, std::int64_t source_offset) {
  auto entry = own(source_offset);
  entry.offset = AuditOffset(offset);
  entry.facts.instance = "other";
  return entry;
}
AuditAccount::Entry seen(std::int64_t offset, std::int64_t source_offset) {
  auto entry = own(source_offset);
  entry.offset = AuditOffset(offset);
  return entry;
}
std::vector<std::int64_t> offsets(AuditAccount& account) {
  std::vector<std::int64_t> all;
  while (const auto entry = account.take()) all.push_back(entry->offset.value());
  return all;
}
using Offsets = std::vector<std::int64_t>;

TEST(AuditAccount, InQuietTimesTheReportsAloneMoveItAndNothingIsRead) {
  AuditAccount account(AuditOffset(100));
  for (int i = 0; i < 3; ++i) account.produced(own(i));
  account.reported(AuditOffset(100));
  EXPECT_EQ(offsets(account), Offsets{100});
  account.reported(AuditOffset(101));
  account.reported(AuditOffset(102));
  EXPECT_EQ(offsets(account), (Offsets{101, 102}));
  EXPECT_FALSE(account.gap());
  EXPECT_EQ(account.position().value(), 103);
}

TEST(AuditAccount, AnEventBehindAGapWaitsUntilTheGapIsRead) {
  AuditAccount account(AuditOffset(100));
  account.produced(own(1));
  account.produced(own(2));
  account.reported(AuditOffset(100));
  account.reported(AuditOffset(102));
  EXPECT_EQ(offsets(account), Offsets{100});
  EXPECT_TRUE(account.gap());
  account.read(foreign(101, 9));
  EXPECT_EQ(offsets(account), (Offsets{101, 102}));
  EXPECT_FALSE(account.gap());
  EXPECT_EQ(account.position().value(), 103);
}

TEST(AuditAccount, WhatIsReadAndReportedComesOutOnce) {
  AuditAccount account(AuditOffset(100));
  account.produced(own(1));
  account.produced(own(2));
  account.read(seen(100, 1));  // before its report
  EXPECT_EQ(offsets(account), Offsets{100});
  account.reported(AuditOffset(100));
  EXPECT_TRUE(offsets(account).empty());
  account.reported(AuditOffset(101));
  account.read(seen(101, 2));
  EXPECT_EQ(offsets(account), Offsets{101});
}

AuditAccount::Entry lost(std::int64_t from, std::int64_t to) {
  return {.facts = {.kind = events::AuditFacts::Kind::lost,
                    .epoch = 7,
                    .instance = "me",
                    .lost_from = events::RequestOffset(from),
                    .lost_to = events::RequestOffset(to)}};
}

// The ranges alone tell such events of one epoch apart.
TEST(AuditAccount, TwoLossesWithoutAPlaceAreToldApartByTheirRanges) {
  AuditAccount account(AuditOffset(100));
  account.produced(lost(1, 3));
  account.produced(lost(5, 9));
  account.produced(lost(5, 12));
  for (int i = 0; i < 3; ++i) account.reported(AuditOffset(-1));
  for (const auto& [offset, range] : {std::pair(100, lost(5, 12)), {101, lost(5, 9)}, {102, lost(1, 3)}}) {
    auto entry = range;
    entry.offset = AuditOffset(offset);
    account.read(entry);
    const auto taken = account.take();
    ASSERT_TRUE(taken);
    EXPECT_TRUE(taken->own);
    EXPECT_EQ(taken->offset.value(), offset);
    EXPECT_EQ(taken->facts.lost_from, range.facts.lost_from);
    EXPECT_EQ(taken->facts.lost_to, range.facts.lost_to);
  }
}

TEST(AuditAccount, AGapWithoutRecordsIsClosedByReadingPastIt) {
  AuditAccount account(AuditOffset(100));
  account.produced(own(1));
  account.reported(AuditOffset(103));
  EXPECT_TRUE(account.gap());
  account.read_foreign(AuditOffset(101));
  EXPECT_TRUE(account.gap());
  account.read_to(AuditOffset(103));
  EXPECT_EQ(offsets(account), Offsets{103});
  EXPECT_FALSE(account.gap());
}

TEST(AuditAccount, ReportsOfADuplicateBatchAreNumbersAndNoOffsets) {
  AuditAccount account;
  BatchNumbers numbers;
  const auto reported = [&](std::int64_t offset) {
    account.reported(AuditOffset(numbers.offset_of(offset).value_or(-1)));
  };
  for (int i = 0; i < 4; ++i) account.produced(own(i));
  reported(-1);
  reported(0);  // not offset 0: the second of the batch
  reported(1);
  EXPECT_TRUE(offsets(account).empty());
  EXPECT_TRUE(account.gap());
  reported(53);  // a real one again
  for (std::int64_t i = 0; i < 3; ++i) account.read(seen(50 + i, i));
  EXPECT_EQ(offsets(account), (Offsets{50, 51, 52, 53}));
  EXPECT_FALSE(account.gap());
}

TEST(AuditAccount, WhatWasReadBeforeItsReportIsKnownWhateverTheReportSays) {
  AuditAccount account(AuditOffset(100));
  account.produced(own(1));
  account.produced(own(2));
  account.read(seen(100, 1));
  EXPECT_EQ(offsets(account), Offsets{100});
  account.reported(AuditOffset(-1));
  EXPECT_FALSE(account.gap());
  account.reported(AuditOffset(101));
  EXPECT_EQ(offsets(account), Offsets{101});
  EXPECT_FALSE(account.gap());
}

TEST(BatchNumbers, ANumberThatContinuesNothingIsAnOffset) {
  BatchNumbers numbers;
  EXPECT_EQ(numbers.offset_of(0), 0);
  EXPECT_EQ(numbers.offset_of(-1), std::nullopt);
  EXPECT_EQ(numbers.offset_of(7), 7);
  EXPECT_EQ(numbers.offset_of(0), 0);
}

TEST(AuditAccount, EndsWithWhatWasDeliveredBehindAGap) {
  AuditAccount account(AuditOffset(100));
  account.produced(own(1));
  account.produced(own(2));
  account.reported(AuditOffset(105));
  account.reported(AuditOffset(106));
  EXPECT_EQ(account.delivered_beyond().size(), 2U);
  EXPECT_FALSE(account.gap());
}

}  // namespace
}  // namespace tokenrail::router
