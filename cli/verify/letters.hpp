// Dead letters and the requests that only a dead letter can settle. The two topics are read in any interleaving, so
// either may come first. Pure. Bounded by what is open.
#pragma once

#include <cstdint>
#include <map>

#include "cli/verify/dead_letter.hpp"

namespace tokenrail::verify {

class Letters {
 public:
  /// A record of chat.requests whose ids cannot be read.
  struct Unanswerable {
    std::int64_t ms = -1;
    std::int64_t broker_ms = -1;
  };

  /// A letter whose request has not been read yet.
  void keep(const DeadLetter& letter) { early_.emplace(letter.offset, letter); }
  /// Whether a letter that was kept is that of the request at the offset, which has been read now.
  bool take(std::int64_t source_offset, std::int64_t ms);

  void unanswerable(std::int64_t source_offset, Unanswerable times) { open_.emplace(source_offset, times); }
  [[nodiscard]] bool is_open(std::int64_t source_offset) const { return open_.contains(source_offset); }
  /// Whether it is the letter of what is open at its offset, which it settles.
  bool settle(const DeadLetter& letter);
  /// By source offset: without a letter yet.
  [[nodiscard]] const std::map<std::int64_t, Unanswerable>& open() const { return open_; }

 private:
  std::map<std::int64_t, Unanswerable> open_{};
  std::multimap<std::int64_t, DeadLetter> early_{};
};

}  // namespace tokenrail::verify
