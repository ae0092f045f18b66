#include "common/kafka/ledger.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tokenrail::kafka {
namespace {

struct Step {
  enum Kind { deliver, complete } kind;
  std::int64_t offset;
  bool accepted;
};

struct Row {
  const char* fact;
  std::int64_t start;
  std::vector<Step> steps;
  std::int64_t committable;
  std::int64_t span;
  std::size_t incomplete;
};

TEST(OffsetLedger, AnswersWhatMayBeCommitted) {
  constexpr auto deliver = Step::deliver;
  constexpr auto complete = Step::complete;
  const std::vector<Row> rows = {
      {"nothing delivered: the start", 42, {}, 42, 0, 0},
      {"delivered, not complete: that offset", 42, {{deliver, 42, true}}, 42, 1, 1},
      {"the only one complete: one past it", 42, {{deliver, 42, true}, {complete, 42, true}}, 43, 0, 0},
      {"the later one complete: still the earlier",
       0,
       {{deliver, 0, true}, {deliver, 1, true}, {complete, 1, true}},
       0,
       2,
       1},
      {"then the earlier one too: past both",
       0,
       {{deliver, 0, true}, {deliver, 1, true}, {complete, 1, true}, {complete, 0, true}},
       2,
       0,
       0},
      {"a gap counts as complete once something above it came",
       0,
       {{deliver, 0, true}, {deliver, 7, true}, {complete, 0, true}},
       7,
       1,
       1},
      {"a start that no longer exists: the first delivered",
       0,
       {{deliver, 100, true}, {complete, 100, true}},
       101,
       0,
       0},
      {"the span covers the gap", 0, {{deliver, 3, true}, {deliver, 9, true}}, 3, 7, 2},
      {"delivered twice: refused, and still once incomplete", 0, {{deliver, 0, true}, {deliver, 0, false}}, 0, 1, 1},
      {"delivered again after it was complete: refused",
       0,
       {{deliver, 0, true}, {complete, 0, true}, {deliver, 0, false}},
       1,
       0,
       0},
      {"below the start: refused", 10, {{deliver, 9, false}}, 10, 0, 0},
      {"into a gap that was passed: refused",
       0,
       {{deliver, 0, true}, {deliver, 5, true}, {deliver, 3, false}},
       0,
       6,
       2},
      {"complete twice: refused the second time",
       0,
       {{deliver, 0, true}, {complete, 0, true}, {complete, 0, false}},
       1,
       0,
       0},
      {"never delivered: not complete", 0, {{deliver, 0, true}, {complete, 1, false}}, 0, 1, 1},
      {"a gap cannot be completed", 0, {{deliver, 0, true}, {deliver, 2, true}, {complete, 1, false}}, 0, 3, 2},
      {"offsets beyond 32 bits",
       5'000'000'000,
       {{deliver, 5'000'000'000, true}, {complete, 5'000'000'000, true}},
       5'000'000'001,
       0,
       0},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.fact);
    OffsetLedger ledger(row.start);
    for (const auto& step : row.steps) {
      const bool accepted = step.kind == deliver ? ledger.delivered(step.offset) : ledger.complete(step.offset);
      EXPECT_EQ(accepted, step.accepted) << "offset " << step.offset;
    }
    EXPECT_EQ(ledger.committable(), row.committable);
    EXPECT_EQ(ledger.span(), row.span);
    EXPECT_EQ(ledger.incomplete(), row.incomplete);
  }
}

TEST(OffsetLedger, KnowsWhichOffsetsAreIncomplete) {
  OffsetLedger ledger(5);
  ASSERT_TRUE(ledger.delivered(5));
  ASSERT_TRUE(ledger.delivered(8));
  ASSERT_TRUE(ledger.complete(5));
  EXPECT_FALSE(ledger.is_incomplete(5));
  EXPECT_FALSE(ledger.is_incomplete(6));
  EXPECT_TRUE(ledger.is_incomplete(8));
  EXPECT_FALSE(ledger.is_incomplete(9));
  EXPECT_EQ(ledger.next(), 9);
}

// The plainest account there can be: every offset ever delivered, with its state, looked through from the start.
class NaiveLedger {
 public:
  explicit NaiveLedger(std::int64_t start) : start_(start) {}

  bool delivered(std::int64_t offset) {
    if (offset < start_) return false;
    if (!complete_.empty() && offset <= complete_.rbegin()->first) return false;
    complete_[offset] = false;
    return true;
  }
  bool complete(std::int64_t offset) {
    const auto found = complete_.find(offset);
    if (found == complete_.end() || found->second) return false;
    found->second = true;
    return true;
  }
  [[nodiscard]] std::int64_t committable() const {
    for (const auto& [offset, is_complete] : complete_)
      if (!is_complete) return offset;
    return complete_.empty() ? start_ : complete_.rbegin()->first + 1;
  }
  [[nodiscard]] std::size_t incomplete() const {
    return static_cast<std::size_t>(
        std::count_if(complete_.begin(), complete_.end(), [](const auto& entry) { return !entry.second; }));
  }
  [[nodiscard]] std::int64_t span() const {
    return incomplete() == 0 ? 0 : complete_.rbegin()->first + 1 - committable();
  }

 private:
  std::int64_t start_;
  std::map<std::int64_t, bool> complete_;
};

TEST(OffsetLedger, AgreesWithTheNaiveAccountWhateverTheOrder) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto below = [&](int bound) {
      return static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(bound));
    };
    const std::int64_t start = below(1000);
    OffsetLedger ledger(start);
    NaiveLedger naive(start);
    std::int64_t position = start;
    std::int64_t committed = start;
    for (int step = 0; step < 300; ++step) {
      switch (below(5)) {
        case 0:
        case 1:
          position += below(4) == 0 ? below(20) : 0;  // a gap now and then
          ASSERT_EQ(ledger.delivered(position), naive.delivered(position));
          ++position;
          break;
        case 2: {
          const std::int64_t again = start - 3 + below(static_cast<int>(position - start) + 6);
          ASSERT_EQ(ledger.delivered(again), naive.delivered(again)) << again;
          position = std::max(position, ledger.next());
          break;
        }
        default: {
          const std::int64_t offset = start - 3 + below(static_cast<int>(position - start) + 6);
          ASSERT_EQ(ledger.complete(offset), naive.complete(offset)) << offset;
        }
      }
      ASSERT_EQ(ledger.committable(), naive.committable());
      ASSERT_EQ(ledger.span(), naive.span());
      ASSERT_EQ(ledger.incomplete(), naive.incomplete());
      ASSERT_GE(ledger.committable(), committed) << "what may be committed went back";
      committed = ledger.committable();
    }
  }
}

TEST(OffsetLedger, MemoryFollowsTheIncompleteOffsetsOnly) {
  OffsetLedger ledger(0);
  ASSERT_TRUE(ledger.delivered(0));  // the stuck one
  for (std::int64_t offset = 1; offset <= 100'000; ++offset) {
    ASSERT_TRUE(ledger.delivered(offset));
    ASSERT_TRUE(ledger.complete(offset));
  }
  EXPECT_EQ(ledger.incomplete(), 1U);
  EXPECT_EQ(ledger.committable(), 0);
  EXPECT_EQ(ledger.span(), 100'001);
  ASSERT_TRUE(ledger.complete(0));
  EXPECT_EQ(ledger.committable(), 100'001);
}

}  // namespace
}  // namespace tokenrail::kafka
