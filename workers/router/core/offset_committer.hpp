// What a partition has committed and is committing: one commit after the other, each answered before it counts. With it
// the list of dead letters behind the committed offset, which a successor would write again otherwise.
//
// Owned by Partition, one for each. It never decides when to commit or how far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "common/events/commit_metadata.hpp"
#include "common/kafka/consumer.hpp"
#include "workers/router/core/partition_io.hpp"

namespace tokenrail::router {

class OffsetCommitter {
 public:
  OffsetCommitter(PartitionIo& io, std::int32_t partition, std::uint64_t generation)
      : io_(io), partition_(partition), generation_(generation) {}

  /// What the group has when the partition is assigned; -1: nothing.
  void begin(events::RequestOffset offset, std::string metadata);

  /// Sends a commit; those before it are not waited for any more. The list of dead letters is filled in.
  void send(events::RequestOffset offset, events::CommitMetadata metadata);
  /// Sends what is committed already: it changes nothing, and only the owner's is taken. `otherwise`: the offset, where
  /// nothing is committed.
  void send_same(events::RequestOffset otherwise);
  /// The answer to the newest is of no interest.
  void forget_pending() { pending_ = false; }
  enum class Answer {
    stale,  ///< of an older commit, or of one that was forgotten
    refused,
    committed,
  };
  Answer answered(std::uint32_t sequence, kafka::CommitOutcome outcome);

  [[nodiscard]] bool pending() const { return pending_; }
  /// Committed; -1: nothing.
  [[nodiscard]] events::RequestOffset offset() const { return offset_; }
  [[nodiscard]] events::RequestOffset offset_or(events::RequestOffset otherwise) const {
    return offset_ >= events::RequestOffset(0) ? offset_ : otherwise;
  }
  /// Committed, or being committed.
  [[nodiscard]] events::RequestOffset newest_offset() const { return pending_ ? sent_offset_ : offset_; }
  [[nodiscard]] const std::string& metadata() const { return metadata_; }

  // Where a log is another one than was read, what was committed is not true any more.
  void restart_from(events::RequestOffset offset) { offset_ = offset; }
  void replace_metadata(std::string metadata) { metadata_ = std::move(metadata); }

  /// The dead letter of the request at that offset is written, and the commit does not pass it yet.
  void dead_lettered(events::RequestOffset offset, std::uint32_t digest);
  [[nodiscard]] bool is_dead_lettered(events::RequestOffset offset, std::uint32_t digest) const;
  void inherit_dead_letter(const events::DeadLettered& letter) { dead_letters_.emplace(letter.offset, letter.digest); }
  void forget_dead_letters();
  /// Some dead letters are in no commit that was sent, or only in one that was refused.
  [[nodiscard]] bool has_news() const { return unlisted_; }

 private:
  void put();

  PartitionIo& io_;
  const std::int32_t partition_;
  const std::uint64_t generation_;
  bool pending_ = false;
  std::uint32_t sequence_ = 0;        ///< of the newest
  events::RequestOffset offset_{-1};  ///< of the newest that was answered well
  std::string metadata_{};
  events::RequestOffset sent_offset_{-1};
  std::string sent_metadata_{};
  std::map<events::RequestOffset, std::uint32_t> dead_letters_{};  ///< digests by offset
  bool unlisted_ = false;
};

}  // namespace tokenrail::router
