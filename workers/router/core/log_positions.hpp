// Where a successor has to start reading the partition's own logs: the two offsets of the commit metadata (design
// §6.4). Pure. A position that is too low only lengthens the successor's tail; one that is too high would hide an event
// from it, so everything here errs downwards.
#pragma once

#include <cstdint>
#include <map>
#include <set>

namespace tokenrail::router {

class LogPositions {
 public:
  /// `inherited_*`: the metadata that the predecessor committed (0: none). They stand until inheritance_ends().
  LogPositions(std::int64_t inherited_audit, std::int64_t inherited_chunk)
      : inherited_audit_(inherited_audit), inherited_chunk_(inherited_chunk), chunk_cap_(inherited_chunk) {}

  /// Source offsets below `offset` may have events of earlier owners in the logs.
  void inheritance_ends(std::int64_t offset) {
    if (inherited_until_ < 0) inherited_until_ = offset;
  }
  [[nodiscard]] bool inheritance_open() const { return inherited_until_ < 0; }

  /// An audit event about `source_offset` lies at `audit_offset`.
  void audit_event(std::int64_t source_offset, std::int64_t audit_offset);
  /// Any own record of the audit log was acknowledged there.
  void audit_acknowledged(std::int64_t audit_offset, std::int64_t chunks_acknowledged_when_sent);
  void chunk_acknowledged(std::int64_t chunk_offset);
  /// A terminal chunk lies at `chunk_offset`; its llm.response is not known yet.
  void terminal(std::int64_t source_offset, std::int64_t chunk_offset);
  /// The llm.response of that source offset counts.
  void answered(std::int64_t source_offset);

  /// One past the last chunk acknowledged so far; to be remembered with every audit event when it is sent.
  [[nodiscard]] std::int64_t chunks_acknowledged() const { return chunks_acknowledged_; }

  struct Positions {
    std::int64_t audit = 0;
    std::int64_t chunk = 0;
  };
  /// For a commit of `committed`. Forgets what lies below it.
  [[nodiscard]] Positions at(std::int64_t committed);

 private:
  std::int64_t inherited_audit_;
  std::int64_t inherited_chunk_;
  std::int64_t inherited_until_ = -1;  ///< -1: not known yet
  std::int64_t chunk_cap_;
  std::int64_t chunks_acknowledged_ = 0;
  std::int64_t audit_next_ = 0;                       ///< one past the last own audit event
  std::map<std::int64_t, std::int64_t> first_event_;  ///< source offset -> lowest audit offset
  std::map<std::int64_t, std::int64_t> terminals_;    ///< source offset -> chunk offset
};

}  // namespace tokenrail::router
