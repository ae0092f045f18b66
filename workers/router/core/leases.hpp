// Attempts that a former owner continues: until when, and which of them have to be closed here. Pure.
//
// Owned by Partition, one for each. Before an attempt is closed the chunk log is read, because its terminal chunk may
// be there. Leases never reads it, and never writes the event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "common/events/offsets.hpp"
#include "workers/router/core/environment.hpp"

namespace tokenrail::router {

class Leases {
 public:
  using Attempt = std::pair<events::RequestOffset, std::int64_t>;  ///< source offset, attempt

  /// It is continued elsewhere until then (steady), unless its owner renews that.
  void set(const Attempt& attempt, Millis until) { leases_[attempt] = until; }
  /// Its response counts.
  void answered(const Attempt& attempt) {
    leases_.erase(attempt);
    closed_.erase(attempt);
  }
  /// Those whose lease has run out, and for which the chunk log has to be read. None while it is being read for others.
  [[nodiscard]] std::vector<Attempt> expire(Millis now);
  /// The chunk log is being read for some.
  [[nodiscard]] bool any_expired() const { return !expired_.empty(); }
  /// It has been read: those that were neither renewed nor answered meanwhile.
  [[nodiscard]] std::vector<Attempt> take_expired(Millis now);

  /// The event that closes it is sent. Returns whether it is the first.
  bool close(const Attempt& attempt) { return closed_.insert(attempt).second; }
  /// That event was refused.
  void reopen(const Attempt& attempt) { closed_.erase(attempt); }

  [[nodiscard]] std::size_t size() const { return leases_.size(); }
  [[nodiscard]] std::size_t closed() const { return closed_.size(); }
  void clear();

 private:
  std::map<Attempt, Millis> leases_{};
  std::set<Attempt> expired_{};
  std::set<Attempt> closed_{};
};

}  // namespace tokenrail::router
