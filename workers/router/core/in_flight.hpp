// How many attempts run, in all, of an organisation and at a connection, against their bounds. Pure.
//
// A record that is read again for an attempt takes its places from when the reading begins, so that they are free when
// it is there. An attempt gives its places back when its terminal chunk has been sent.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>

namespace tokenrail::router {

class InFlight {
 public:
  struct Bounds {
    std::size_t process = 0;
    std::size_t org = 0;
    std::size_t connection = 0;
  };
  explicit InFlight(const Bounds& bounds) : bounds_(bounds) {}

  [[nodiscard]] bool has_room() const { return attempts_ + fetching_ < bounds_.process; }
  [[nodiscard]] bool org_has_room(const std::string& org_id) const { return count(by_org_, org_id) < bounds_.org; }
  [[nodiscard]] bool connection_has_room(const std::string& id) const {
    return count(by_connection_, id) < bounds_.connection;
  }
  /// More attempts call it than may: calls that failed elsewhere go to it where nothing else is left.
  [[nodiscard]] bool connection_is_over(const std::string& id) const {
    return count(by_connection_, id) > bounds_.connection;
  }

  /// How many partitions share the places.
  void set_partitions(std::size_t count) { partitions_ = count; }
  /// How many attempts of one partition may wait for nothing but the brokers at a time. Together they hold half of the
  /// places of the process, or of a connection, at most. So a partition that acknowledges nothing leaves places to
  /// others. One partition alone has all.
  [[nodiscard]] std::size_t unreported_max() const {
    if (partitions_ < 2) return bounds_.process;
    return std::max<std::size_t>(1, std::min(bounds_.process, bounds_.connection) / 2 / partitions_);
  }

  /// `connection_id` empty: none, or not known yet.
  void started(const std::string& org_id, const std::string& connection_id) {
    ++attempts_;
    enter(org_id, connection_id);
  }
  void over(const std::string& org_id, const std::string& connection_id) {
    --attempts_;
    leave(org_id, connection_id);
  }
  void fetch_started(const std::string& org_id, const std::string& connection_id) {
    ++fetching_;
    enter(org_id, connection_id);
  }
  void fetch_over(const std::string& org_id, const std::string& connection_id) {
    --fetching_;
    leave(org_id, connection_id);
  }
  void connection_changed(const std::string& from, const std::string& to) {
    count_down(by_connection_, from);
    if (!to.empty()) ++by_connection_[to];
  }

  /// That run; those whose record is read again are not among them.
  [[nodiscard]] std::size_t attempts() const { return attempts_; }

 private:
  using Counts = std::map<std::string, std::size_t>;
  static std::size_t count(const Counts& counts, const std::string& name) {
    const auto it = counts.find(name);
    return it == counts.end() ? 0 : it->second;
  }
  static void count_down(Counts& counts, const std::string& name) {
    const auto it = counts.find(name);
    if (it != counts.end() && --it->second == 0) counts.erase(it);
  }
  void enter(const std::string& org_id, const std::string& connection_id) {
    ++by_org_[org_id];
    if (!connection_id.empty()) ++by_connection_[connection_id];
  }
  void leave(const std::string& org_id, const std::string& connection_id) {
    count_down(by_org_, org_id);
    count_down(by_connection_, connection_id);
  }

  const Bounds bounds_;
  std::size_t attempts_ = 0;
  std::size_t fetching_ = 0;
  std::size_t partitions_ = 0;
  Counts by_org_{};
  Counts by_connection_{};
};

}  // namespace tokenrail::router
