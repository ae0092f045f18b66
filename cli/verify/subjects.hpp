// The requests that the checker remembers, by their ids and by the offset of their record. Those of which nothing is
// missing are forgotten when they are too many, the oldest first. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/verify/subject.hpp"

namespace tokenrail::verify {

class Subjects {
 public:
  struct Rules {
    std::function<bool(const Subject&)> settled;     ///< nothing is missing of it
    std::function<void(const Subject&)> forgetting;  ///< it is about to be forgotten
  };
  explicit Subjects(std::size_t settled_max);
  /// Before the first touch().
  void set_rules(Rules rules) { rules_ = std::move(rules); }

  /// The request of these ids, new where it is unknown.
  Subject& of(const std::string& org_id, const std::string& request_id);
  /// nullptr: unknown.
  [[nodiscard]] Subject* find(const std::string& org_id, const std::string& request_id);
  /// The request whose record was read at that offset; nullptr: none.
  [[nodiscard]] Subject* at(std::int64_t source_offset) const;
  void read_at(std::int64_t source_offset, Subject& subject) { by_offset_[source_offset] = &subject; }

  /// Something about it has changed. The reference to it is invalid afterwards, as are all others.
  void touch(Subject& subject);
  /// Something about it is about to change.
  void unsettle(Subject& subject);

  [[nodiscard]] bool forgot_any() const { return forgot_any_; }
  /// Those that something is still missing of.
  [[nodiscard]] std::size_t pending() const { return subjects_.size() - settled_.size(); }
  /// All that are remembered, in the order of chat.requests.
  [[nodiscard]] std::vector<const Subject*> in_order() const;

 private:
  void forget_oldest();
  void sweep();

  std::size_t settled_max_;
  Rules rules_{};
  std::unordered_map<std::string, Subject> subjects_{};
  std::unordered_map<std::int64_t, Subject*> by_offset_{};
  std::list<Subject*> settled_{};  // the oldest first
  std::size_t sweep_at_;
  bool forgot_any_ = false;
};

}  // namespace tokenrail::verify
