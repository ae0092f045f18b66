#include "workers/router/core/log_identity.hpp"

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"

namespace tokenrail::router {
namespace {

using kafka::LogVerdict;

constexpr Millis now{10'000};

kafka::WitnessAnswer answer(LogVerdict verdict, std::int64_t next = 0) {
  return {.verdict = verdict, .next = next};
}

const LogIdentity::Witnesses::value_type& of(const LogIdentity::Witnesses& all, Log log) {
  return all[static_cast<std::size_t>(log)];
}

TEST(LogIdentity, PartitionWithoutWitnessesWaitsForNoAnswer) {
  LogIdentity identity;
  identity.inherit({}, now);
  EXPECT_FALSE(identity.waits_for_answer(now));
}

TEST(LogIdentity, OneInheritedWitnessIsWaitedFor) {
  LogIdentity identity;
  identity.inherit({.chunks_log = {.position = 5, .offset = 4, .time_ms = 40}}, now);
  EXPECT_TRUE(identity.waits_for_answer(now + Millis(2'999)));
  EXPECT_FALSE(identity.waits_for_answer(now + Millis(3'000))) << "the brokers may not answer";
}

TEST(LogIdentity, AnswersEndTheWait) {
  LogIdentity identity;
  identity.inherit({.audit_log = {.position = 5, .offset = 4, .time_ms = 40}}, now);
  EXPECT_FALSE(identity.answered({}).any());
  EXPECT_FALSE(identity.waits_for_answer(now));
}

TEST(LogIdentity, EachLogIsAskedAboutByItsOwnWitness) {
  LogIdentity identity;
  identity.of(Log::requests).note(1, 10);
  identity.of(Log::audit).note(2, 20);
  identity.of(Log::chunks).note(3, 30);
  const auto asked = identity.ask();
  EXPECT_EQ(of(asked, Log::requests), (kafka::LogWitness{.position = 2, .offset = 1, .time_ms = 10}));
  EXPECT_EQ(of(asked, Log::audit), (kafka::LogWitness{.position = 3, .offset = 2, .time_ms = 20}));
  EXPECT_EQ(of(asked, Log::chunks), (kafka::LogWitness{.position = 4, .offset = 3, .time_ms = 30}));
}

TEST(LogIdentity, OnlyAnotherLogIsAnotherOne) {
  LogIdentity identity;
  LogIdentity::Answers answers;
  answers[static_cast<std::size_t>(Log::requests)] = answer(LogVerdict::doubtful);
  answers[static_cast<std::size_t>(Log::audit)] = answer(LogVerdict::another);
  const auto others = identity.answered(answers);
  EXPECT_FALSE(others.requests);
  EXPECT_TRUE(others.audit);
  EXPECT_FALSE(others.chunks);
  EXPECT_TRUE(others.any());
}

TEST(LogIdentity, RecordsBearWitnessAfterTheNextAnswer) {
  LogIdentity identity;
  for (std::int64_t offset = 0; offset < 3; ++offset) identity.of(Log::audit).note(offset, offset * 10);
  const auto asked = identity.ask();
  events::CommitMetadata before;
  identity.name_outputs(before);
  EXPECT_LT(before.audit_log.offset, 2) << "only the oldest, while nothing was answered";
  EXPECT_EQ(before.chunks_log.offset, -1);

  LogIdentity::Answers answers;
  answers[static_cast<std::size_t>(Log::audit)] = answer(LogVerdict::same, of(asked, Log::audit).position);
  EXPECT_FALSE(identity.answered(answers).any());
  EXPECT_TRUE(identity.is_newer_than(before, 0_request));
  events::CommitMetadata after;
  identity.name_outputs(after);
  EXPECT_EQ(after.audit_log, (kafka::LogWitness{.position = 3, .offset = 2, .time_ms = 20}));
  EXPECT_FALSE(identity.is_newer_than(after, 0_request));
}

TEST(LogIdentity, VersionCountsChanges) {
  LogIdentity identity;
  const auto before = identity.version();
  identity.changed();
  EXPECT_EQ(identity.version(), before + 1);
}

}  // namespace
}  // namespace tokenrail::router
