// The leader's part in what people ask for: syncs now, and comparisons of the topics with the database. Each request is
// a row, which is finished when its result is on the topics. One thread: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/async/wakeable_timer.hpp"
#include "common/registry/store_pool.hpp"
#include "workers/registry_sync/database_notes.hpp"
#include "workers/registry_sync/leadership.hpp"
#include "workers/registry_sync/settings.hpp"
#include "workers/registry_sync/topic_keeper.hpp"

namespace tokenrail::registry_sync {

class PeopleRequests {
 public:
  struct Hooks {
    std::function<bool()> connections_made;  ///< before that no request is taken
    std::function<void()> sync_asked;        ///< connections may be due
  };
  /// What is given by reference outlives it.
  PeopleRequests(boost::asio::io_context& loop, const Options& options, registry::StorePool& stores,
                 TopicKeeper& topics, const Leadership& leadership, DatabaseNotes& notes, Hooks hooks);

  void begin();
  /// A part of a leadership: returns when it is over.
  boost::asio::awaitable<void> keep();
  /// There may be something to take or to finish.
  void wake() { wait_.wake(); }

 private:
  boost::asio::awaitable<Result<void>> take();
  boost::asio::awaitable<Result<void>> finish();

  const Options& options_;
  registry::StorePool& stores_;
  TopicKeeper& topics_;
  const Leadership& leadership_;
  DatabaseNotes& notes_;
  Hooks hooks_;
  async::WakeableTimer wait_;
  // By id: the pass of the relay that finishes it; nothing: not all connections are synced yet.
  std::map<std::string, std::optional<std::int64_t>> syncs_{};
  std::map<std::string, TopicKeeper::Comparisons> comparisons_{};  // by id: those that finish it
};

}  // namespace tokenrail::registry_sync
