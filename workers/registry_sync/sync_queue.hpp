// Which connections are synced next, and which requests of people are finished. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/registry/store.hpp"

namespace tokenrail::registry_sync {

struct SyncOrder {
  registry::Connection connection;
  std::string trigger;                 ///< start | schedule | manual | event
  registry::SyncRequest request = {};  ///< its id is empty where nobody asked
};

/// One sync of a connection runs at a time, and at most `at_once` of all. What a person asked for goes first. An order
/// by the clock for a connection that is waited for or syncing already is dropped.
class SyncQueue {
 public:
  explicit SyncQueue(std::size_t at_once) : at_once_(at_once) {}

  /// False: dropped.
  bool add(SyncOrder order);
  /// The next one that may run now; it counts as running until ended().
  std::optional<SyncOrder> next();
  void ended(const std::string& connection_id) { running_.erase(connection_id); }
  /// What waits is forgotten.
  void clear();

  [[nodiscard]] bool idle() const { return running_.empty() && asked_.empty() && scheduled_.empty(); }
  [[nodiscard]] std::size_t running() const { return running_.size(); }

 private:
  std::optional<SyncOrder> take(std::deque<SyncOrder>& from);

  std::size_t at_once_;
  std::deque<SyncOrder> asked_;
  std::deque<SyncOrder> scheduled_;
  std::set<std::string> running_;  ///< connection ids
};

/// The requests of people that are being served. One is finished when each of its connections has been synced and a
/// pass of the relay that began afterwards has ended: who looks then finds on the topic what was done.
class RequestBook {
 public:
  void add(const std::string& request_id, std::set<std::string> connection_ids);
  /// `pass`: the number of the next pass of the relay that has not begun yet.
  void synced(const std::string& request_id, const std::string& connection_id, std::int64_t pass);
  /// It is to be taken up anew.
  void forget(const std::string& request_id) { open_.erase(request_id); }
  void clear() { open_.clear(); }

  [[nodiscard]] std::vector<std::string> open() const;
  /// Those that are finished once that pass has ended.
  [[nodiscard]] std::vector<std::string> finished(std::int64_t passes_ended) const;

 private:
  struct Request {
    std::set<std::string> left{};  ///< connection ids
    std::int64_t pass = 0;
  };
  std::map<std::string, Request> open_;
};

}  // namespace tokenrail::registry_sync
