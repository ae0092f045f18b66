// The requests of late, by (orgId, requestId): where each was seen first within the window, so that it is not run
// twice, and how often it has been attempted under the present epoch, so that no two attempts share a number. Pure.
//
// Bounded: of more than `requests_max` the oldest is forgotten first, and those whose window is over are forgotten by
// time. The numbers of attempts of what is forgotten stay taken under the present epoch: requests that come later begin
// above them. Memory: at most `bytes_each_max` for each, whatever its ids.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <string_view>
#include <unordered_map>

#include "common/events/epochs.hpp"
#include "common/events/offsets.hpp"
#include "common/events/request_name.hpp"

namespace tokenrail::router {

class RecentRequests {
 public:
  /// Attempts of one name under one epoch that have a number of their own.
  static constexpr std::int64_t attempts_max = events::attempts_per_epoch - 1;
  static constexpr std::size_t bytes_each_max = 160;
  /// Requests begin above this many numbers at most, so that enough are left for them. One that was attempted more
  /// often is not forgotten by time before the next epoch.
  static constexpr std::int64_t taken_max = attempts_max / 2;

  /// `window_ms`: one that comes again later than this is a request of its own, and the first of a new window.
  RecentRequests(std::size_t requests_max, std::int64_t window_ms)
      : requests_max_(requests_max), window_ms_(window_ms) {}

  static constexpr events::RequestOffset nowhere{std::numeric_limits<std::int64_t>::max()};

  struct Seen {
    events::RequestOffset offset{-1};  ///< the lowest source offset within the window, or nowhere
    bool in_older_log = false;  ///< it lies there in a log that was before, and comes before everything in this one
    std::int64_t at_ms = 0;     ///< its record's timestamp there (Unix), or when the log spoke of it
    std::int64_t attempt = 0;   ///< the newest attempt known
    std::int64_t epoch = 0;     ///< that `attempts` counts under
    std::int64_t attempts = 0;  ///< the highest number of an attempt; at least as many as there were

    /// Whether this one comes before another at that offset of the present log.
    [[nodiscard]] bool before(events::RequestOffset other) const { return in_older_log || offset < other; }
  };

  /// It lies at that offset. Returns what is known of it.
  Seen& seen(std::string_view org_id, std::string_view request_id, events::RequestOffset offset, std::int64_t at_ms) {
    const auto [it, fresh] =
        requests_.try_emplace(events::RequestName(org_id, request_id), Seen{.offset = offset, .at_ms = at_ms});
    if (fresh) {
      order_.push_back(&*it);
      if (order_.size() > requests_max_) forget_oldest();
      return it->second;
    }
    auto& known = it->second;
    // Where no more numbers are left the next one is a duplicate of what is known, however old that is.
    const bool anew =
        window_ms_ > 0 && known.before(offset) && at_ms - known.at_ms > window_ms_ && known.attempts < attempts_max - 1;
    const bool earlier = !known.in_older_log && offset < known.offset && known.at_ms - at_ms <= window_ms_;
    if (earlier || anew) {
      known.offset = offset;
      known.at_ms = at_ms;
      known.in_older_log = false;
    }
    if (anew) known.attempt = 0;
    return known;
  }

  [[nodiscard]] const Seen* find(std::string_view org_id, std::string_view request_id) const {
    const auto it = requests_.find(events::RequestName(org_id, request_id));
    return it == requests_.end() ? nullptr : &it->second;
  }
  [[nodiscard]] std::size_t size() const { return requests_.size(); }

  /// It is known to begin elsewhere than was thought: there.
  void moved(std::string_view org_id, std::string_view request_id, events::RequestOffset offset, std::int64_t at_ms) {
    auto& known = seen(org_id, request_id, offset, at_ms);
    known.offset = offset;
    known.at_ms = at_ms;
    known.in_older_log = false;
    known.attempt = 0;
  }

  /// Forgets where those were seen that were seen first in that range and of which `gone(name, offset)` says so; not
  /// how often they were attempted. Whoever knows of them elsewhere says seen() again. Returns whether there were any.
  /// Takes as long as there are many.
  template <class Gone>
  bool forget_in(events::RequestOffset from, events::RequestOffset to, Gone gone) {
    bool any = false;
    for (auto& [name, known] : requests_) {
      if (known.offset < from || known.offset >= to || !gone(name, known.offset)) continue;
      known.offset = nowhere;
      known.attempt = 0;
      any = true;
    }
    return any;
  }

  /// A new log has begun: what was seen lies before everything in it, but for those of which `lost(offset)` says that
  /// nobody answered them.
  template <class Lost>
  void log_began(Lost lost) {
    for (auto& [key, known] : requests_) {
      if (known.offset == nowhere) continue;
      if (lost(known.offset)) {
        known.offset = nowhere;
        known.attempt = 0;
      } else {
        known.in_older_log = true;
      }
    }
  }

  /// No request older than `at_ms` will be asked about any more: forgets, oldest first, those whose window had ended by
  /// then. `epoch`: the present one.
  void forget_before(std::int64_t at_ms, std::int64_t epoch) {
    while (!order_.empty()) {
      const auto& known = order_.front()->second;
      const bool keeps_numbers = known.epoch == epoch && known.attempts > taken_max;
      if (keeps_numbers || known.at_ms >= at_ms - window_ms_) return;
      forget_oldest();
    }
  }

  /// Above every number that this request was given under that epoch, which is the present one: 1 for the first attempt
  /// while nothing has been forgotten, then one more each time.
  std::int64_t next_attempt(std::string_view org_id, std::string_view request_id, events::RequestOffset offset,
                            std::int64_t at_ms, std::int64_t epoch) {
    if (epoch != epoch_) {
      epoch_ = epoch;
      taken_ = 0;
    }
    auto& known = seen(org_id, request_id, offset, at_ms);
    if (known.epoch != epoch) {
      known.epoch = epoch;
      known.attempts = taken_;
    }
    return ++known.attempts;
  }

 private:
  using Requests = std::unordered_map<events::RequestName, Seen, events::RequestName::Hash>;

  void forget_oldest() {
    const auto& known = order_.front()->second;
    if (known.epoch == epoch_) taken_ = std::max(taken_, std::min(known.attempts, taken_max));
    requests_.erase(requests_.find(order_.front()->first));
    order_.pop_front();
  }

  std::size_t requests_max_;
  std::int64_t window_ms_;
  std::int64_t epoch_ = 0;  ///< of the last attempt
  std::int64_t taken_ = 0;  ///< under it: numbers up to this one may be those of a request that was forgotten
  Requests requests_;
  std::deque<const Requests::value_type*> order_;  ///< the oldest first
};

}  // namespace tokenrail::router
