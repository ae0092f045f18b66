// What routers have reported as deleted unread (requests.lost). Pure. Bounded: of the events the newest are known one
// by one, of all of them the offsets.
#pragma once

#include <cstdint>
#include <deque>
#include <map>

namespace tokenrail::verify {

struct Subject;

class Losses {
 public:
  /// A requests.lost that counts: the offsets of chat.requests from `from` to one before `to`.
  struct Loss {
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::int64_t at = -1;  ///< offset of the event
    std::int64_t broker_ms = -1;
    [[nodiscard]] bool names(std::int64_t source_offset) const { return from <= source_offset && source_offset < to; }
  };

  /// Returns how many offsets more are known as lost. Ranges overlap where a router died before it could commit behind
  /// what it had reported: the next one reports it again.
  std::int64_t add(const Loss& loss);

  [[nodiscard]] bool has(std::int64_t source_offset) const;
  /// The same of a request: what the log contains has not been deleted, whatever an event says.
  [[nodiscard]] bool has(const Subject& subject, std::int64_t source_offset) const;
  /// The first of the newest events that names the offset and precedes that one in llm.audit; nullptr: none.
  [[nodiscard]] const Loss* told_before(std::int64_t source_offset, std::int64_t audit_offset) const;
  /// The first of the newest events that names a record which the broker had stamped by then; nullptr: none.
  [[nodiscard]] const Loss* contradicted_by(std::int64_t source_offset, std::int64_t broker_ms) const;
  [[nodiscard]] const std::deque<Loss>& newest() const { return newest_; }

 private:
  std::map<std::int64_t, std::int64_t> ranges_{};  // first -> one past the last; none touches another
  std::deque<Loss> newest_{};
};

}  // namespace tokenrail::verify
