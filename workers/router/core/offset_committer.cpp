#include "workers/router/core/offset_committer.hpp"

#include <utility>

namespace tokenrail::router {

void OffsetCommitter::begin(events::RequestOffset offset, std::string metadata) {
  offset_ = offset;
  metadata_ = std::move(metadata);
}

void OffsetCommitter::send(events::RequestOffset offset, events::CommitMetadata metadata) {
  dead_letters_.erase(dead_letters_.begin(), dead_letters_.lower_bound(offset));
  for (const auto& [at, digest] : dead_letters_) metadata.dead_letters.push_back({.offset = at, .digest = digest});
  unlisted_ = false;
  sent_offset_ = offset;
  sent_metadata_ = events::encode(metadata);
  put();
}

void OffsetCommitter::send_same(events::RequestOffset otherwise) {
  sent_offset_ = offset_or(otherwise);
  sent_metadata_ = metadata_;
  put();
}

void OffsetCommitter::put() {
  ++sequence_;
  pending_ = true;
  io_.commit(partition_, generation_, sequence_, sent_offset_, sent_metadata_);
}

OffsetCommitter::Answer OffsetCommitter::answered(std::uint32_t sequence, kafka::CommitOutcome outcome) {
  if (!pending_ || sequence != sequence_) return Answer::stale;
  pending_ = false;
  if (outcome != kafka::CommitOutcome::ok) {
    // What it listed is in no commit: a successor would write these letters again.
    unlisted_ = unlisted_ || !dead_letters_.empty();
    return Answer::refused;
  }
  offset_ = sent_offset_;
  metadata_ = sent_metadata_;
  return Answer::committed;
}

void OffsetCommitter::dead_lettered(events::RequestOffset offset, std::uint32_t digest) {
  if (dead_letters_.size() >= events::dead_letters_listed_max) return;
  dead_letters_.emplace(offset, digest);
  unlisted_ = true;
}

bool OffsetCommitter::is_dead_lettered(events::RequestOffset offset, std::uint32_t digest) const {
  const auto it = dead_letters_.find(offset);
  return it != dead_letters_.end() && it->second == digest;
}

void OffsetCommitter::forget_dead_letters() {
  dead_letters_.clear();
  unlisted_ = false;
}

}  // namespace tokenrail::router
