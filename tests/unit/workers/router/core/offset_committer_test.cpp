#include "workers/router/core/offset_committer.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "tests/support/offsets.hpp"
#include "tests/unit/workers/router/core/silent_io.hpp"

namespace tokenrail::router {
namespace {

using Answer = OffsetCommitter::Answer;

class CommitIo final : public SilentIo {
 public:
  struct Commit {
    std::int32_t partition;
    std::uint64_t generation;
    std::uint32_t sequence;
    events::RequestOffset offset;
    std::string metadata;
  };
  void commit(std::int32_t partition, std::uint64_t generation, std::uint32_t sequence, events::RequestOffset offset,
              const std::string& metadata) override {
    commits.push_back({partition, generation, sequence, offset, metadata});
  }
  [[nodiscard]] events::CommitMetadata newest() const {
    return events::decode_commit_metadata(commits.back().metadata).value();
  }
  std::vector<Commit> commits;
};

class OffsetCommitterTest : public ::testing::Test {
 protected:
  Answer answer(kafka::CommitOutcome outcome = kafka::CommitOutcome::ok) {
    return committer.answered(io.commits.back().sequence, outcome);
  }
  CommitIo io;
  OffsetCommitter committer{io, 3, 7};
};

TEST_F(OffsetCommitterTest, CommitCountsWhenItIsAnswered) {
  committer.begin(4_request, "before");
  committer.send(9_request, {.epoch = 5});
  EXPECT_TRUE(committer.pending());
  EXPECT_EQ(committer.offset(), 4_request);
  EXPECT_EQ(committer.newest_offset(), 9_request);
  EXPECT_EQ(io.commits.back().partition, 3);
  EXPECT_EQ(io.commits.back().generation, 7U);
  EXPECT_EQ(answer(), Answer::committed);
  EXPECT_FALSE(committer.pending());
  EXPECT_EQ(committer.offset(), 9_request);
  EXPECT_EQ(committer.metadata(), io.commits.back().metadata);
  EXPECT_EQ(answer(), Answer::stale) << "answered once";
}

TEST_F(OffsetCommitterTest, RefusedCommitChangesNothing) {
  committer.begin(4_request, "before");
  committer.send(9_request, {});
  EXPECT_EQ(answer(kafka::CommitOutcome::not_owner), Answer::refused);
  EXPECT_EQ(committer.offset(), 4_request);
  EXPECT_EQ(committer.metadata(), "before");
  EXPECT_FALSE(committer.pending());
}

TEST_F(OffsetCommitterTest, RefusedCommitLeavesDeadLettersUnlisted) {
  committer.begin(4_request, "before");
  committer.dead_lettered(6_request, 60);
  committer.send(4_request, {});
  EXPECT_FALSE(committer.has_news());
  EXPECT_EQ(answer(kafka::CommitOutcome::not_owner), Answer::refused);
  EXPECT_TRUE(committer.has_news());
  committer.send(4_request, {});
  ASSERT_EQ(io.newest().dead_letters.size(), 1U);
  EXPECT_EQ(answer(), Answer::committed);
  EXPECT_FALSE(committer.has_news());
}

TEST_F(OffsetCommitterTest, OnlyTheNewestIsWaitedFor) {
  committer.send(1_request, {});
  committer.send(2_request, {});
  EXPECT_EQ(committer.answered(io.commits.front().sequence, kafka::CommitOutcome::ok), Answer::stale);
  committer.forget_pending();
  EXPECT_EQ(answer(), Answer::stale);
  EXPECT_EQ(committer.offset(), events::RequestOffset(-1));
  EXPECT_EQ(committer.newest_offset(), events::RequestOffset(-1));
}

TEST_F(OffsetCommitterTest, SendsWhatIsCommittedOnceMore) {
  committer.send_same(6_request);
  EXPECT_EQ(io.commits.back().offset, 6_request) << "nothing is committed";
  committer.begin(4_request, "before");
  committer.send_same(6_request);
  EXPECT_EQ(io.commits.back().offset, 4_request);
  EXPECT_EQ(io.commits.back().metadata, "before");
  committer.restart_from(0_request);
  committer.replace_metadata("other");
  committer.send_same(6_request);
  EXPECT_EQ(io.commits.back().offset, 0_request);
  EXPECT_EQ(io.commits.back().metadata, "other");
}

TEST_F(OffsetCommitterTest, ListsDeadLettersBehindTheCommit) {
  committer.inherit_dead_letter({.offset = 3_request, .digest = 30});
  EXPECT_FALSE(committer.has_news());
  committer.dead_lettered(5_request, 50);
  EXPECT_TRUE(committer.has_news());
  EXPECT_TRUE(committer.is_dead_lettered(3_request, 30));
  EXPECT_FALSE(committer.is_dead_lettered(3_request, 31)) << "another record at that offset";
  EXPECT_FALSE(committer.is_dead_lettered(4_request, 30));
  committer.send(2_request, {});
  EXPECT_FALSE(committer.has_news());
  EXPECT_EQ(io.newest().dead_letters.size(), 2U);
  committer.send(4_request, {});
  ASSERT_EQ(io.newest().dead_letters.size(), 1U);
  EXPECT_EQ(io.newest().dead_letters[0].offset, 5_request);
  committer.forget_dead_letters();
  committer.send(4_request, {});
  EXPECT_TRUE(io.newest().dead_letters.empty());
}

TEST_F(OffsetCommitterTest, ListIsBounded) {
  for (std::size_t i = 0; i < events::dead_letters_listed_max + 1; ++i)
    committer.dead_lettered(events::RequestOffset(static_cast<std::int64_t>(i)), 1);
  committer.send(0_request, {});
  EXPECT_EQ(io.newest().dead_letters.size(), events::dead_letters_listed_max);
}

}  // namespace
}  // namespace tokenrail::router
