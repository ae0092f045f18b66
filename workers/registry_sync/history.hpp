// The history of the registry, which no router reads: relays to its topic what the relay of the state is done with. It
// goes on without the other parts, and they go on without it: what the topic does not take stays in the outbox and is
// written in order, once the topic takes it. One thread: the loop's; one coroutine at a time. Blocking work runs on the
// store's threads.
#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/registry/store_pool.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_sync/log_ends.hpp"
#include "workers/registry_sync/relay.hpp"

namespace tokenrail::registry_sync {

class History {
 public:
  History(boost::asio::io_context& loop, const kafka::Properties& properties, const RelayOptions& options,
          registry::StorePool& stores, telemetry::Metrics& metrics);

  /// A leadership begins.
  void begin();
  /// Relays what waits, and looks at the topic where that is due. Errors of Kafka are noted, tried again later and not
  /// returned; errors of the database are returned.
  boost::asio::awaitable<Result<void>> publish();
  /// What Kafka's side lacks; empty: nothing.
  [[nodiscard]] std::string problem() const { return relay_.problem(); }

  /// Ends what waits; nothing more is published until begin().
  void stop() { relay_.stop(); }
  void close() { relay_.close(); }

 private:
  /// Whether it is there, whether it is the topic that it was, and how many partitions it has.
  boost::asio::awaitable<void> look();

  registry::StorePool& stores_;
  Relay relay_;
  LogEnds ends_;
  std::int32_t partitions_ = 1;
  Relay::Clock::time_point look_due_{};
};

}  // namespace tokenrail::registry_sync
