// What readers see of the registry: learns which versions they hold, relays the outbox, and at first also makes the
// state topic whole. One thread: the loop's; one coroutine at a time. Blocking work runs on the store's threads.
#pragma once

#include <chrono>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/registry/store_pool.hpp"
#include "common/telemetry/metrics.hpp"
#include "workers/registry_sync/publisher.hpp"

namespace tokenrail::registry_sync {

class Publication {
 public:
  Publication(boost::asio::io_context& loop, const kafka::Properties& properties, const RegistryTopics& topics,
              registry::StorePool& stores, telemetry::Metrics& metrics);

  /// A leadership begins: what readers hold has to be learnt again.
  void begin();
  /// Raises the database's versions above those that readers hold, unless that is done. Errors of Kafka are noted,
  /// tried again later and not returned, here and in publish(); errors of the database are returned.
  boost::asio::awaitable<Result<void>> prepare();
  /// prepare(), relays the outbox, and at first also makes the state topic whole.
  boost::asio::awaitable<Result<void>> publish();

  /// The state topic has been made whole since begin().
  [[nodiscard]] bool whole() const { return whole_; }
  /// What Kafka's side lacks; empty: nothing.
  [[nodiscard]] std::string problem() const { return problem_.empty() ? publisher_.problem() : problem_; }

  /// Ends what waits; nothing more is published.
  void stop();
  void close() { publisher_.close(); }

 private:
  using Clock = std::chrono::steady_clock;

  /// Whether both topics are there. Looked at before the first record, and again after each failure: a producer says of
  /// a missing topic only that time has run out, when the other one has got its records.
  boost::asio::awaitable<bool> topics_there();
  /// True: nothing is left to publish.
  boost::asio::awaitable<Result<bool>> relay();
  boost::asio::awaitable<Result<void>> make_whole();
  /// False: not all were acknowledged.
  boost::asio::awaitable<bool> send(std::vector<Outgoing> records);
  void note(const Error& error);

  kafka::Properties properties_;
  RegistryTopics topics_;
  registry::StorePool& stores_;
  Publisher publisher_;
  StateTopic state_topic_;
  std::string problem_ = "not connected yet";
  bool stopping_ = false;
  bool topics_there_ = false;
  bool versions_known_ = false;  ///< of readers; before that nothing is relayed
  bool whole_ = false;
  Clock::time_point due_{};
};

}  // namespace tokenrail::registry_sync
