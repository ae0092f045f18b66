#include "cli/verify/names.hpp"

#include <gtest/gtest.h>

#include "tests/unit/cli/verify/history.hpp"

namespace tokenrail::verify::tests {
namespace {

TEST(Names, CountsANameOnceForAllPartitions) {
  Names names;
  EXPECT_FALSE(names.asked("o", "r", 0));
  EXPECT_FALSE(names.asked("o", "r", 0));
  EXPECT_FALSE(names.asked("p", "r", 1)) << "of another organisation";
  EXPECT_TRUE(names.asked("o", "r", 1));
  EXPECT_FALSE(names.asked("o", "r", 2));
}

TEST(Names, TheOldestAreForgottenFirst) {
  Names names(2);
  names.asked("o", "a", 0);
  names.asked("o", "b", 0);
  EXPECT_TRUE(names.asked("o", "a", 1));
  names.asked("o", "c", 0);
  EXPECT_FALSE(names.asked("o", "a", 2));
}

/// One request, answered on each of two partitions by an attempt with that number.
std::vector<Violation> both(std::int64_t first_epoch, std::int64_t second_epoch, std::int64_t& shared) {
  Names names;
  std::vector<Violation> all;
  for (const std::int32_t partition : {0, 1}) {
    History history;
    history.options.partition = history.events_name = partition;
    history.options.names = &names;
    history.ask("r");
    const auto epoch = partition == 0 ? first_epoch : second_epoch;
    history.claim(epoch);
    history.answer(epoch, 0);
    for (auto* const log : {&history.requests, &history.chunks, &history.audit}) {
      for (auto& record : *log) record.partition = partition;
    }
    const auto found = history.check();
    all.insert(all.end(), found.violations.begin(), found.violations.end());
    shared += found.figures.names_shared;
  }
  return all;
}

TEST(Names, SharedAttemptNumberBreaksAPromise) {
  std::int64_t shared = 0;
  const auto violations = both(5, 5, shared);
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations[0].promise, Promise::whole);
  EXPECT_EQ(violations[0].topic, "chat.chunks");
  EXPECT_EQ(violations[0].partition, 1);
  EXPECT_EQ(violations[0].offsets, std::vector<std::int64_t>{0});
  EXPECT_NE(violations[0].text.find("request r of o, attempt 5001: partition 0 has an attempt"), std::string::npos)
      << violations[0].text;
  EXPECT_EQ(shared, 1);
}

TEST(Names, AttemptsOfDifferentNumbersAreOnlyCounted) {
  std::int64_t shared = 0;
  EXPECT_TRUE(both(5, 6, shared).empty());
  EXPECT_EQ(shared, 1);
}

}  // namespace
}  // namespace tokenrail::verify::tests
