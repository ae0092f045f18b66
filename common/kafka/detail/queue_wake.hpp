// The bridge from librdkafka's queues to the event loop: librdkafka writes to an eventfd when something is in a
// queue, the loop reads it and serves the queues, a bounded batch a turn.
//
// librdkafka writes once per period in which the queue is not read, so a serving function must go on until its queues
// are empty; it says "there is more" instead of doing all at once. A timer serves too: it covers a wake-up that went
// missing, and without it a member whose topics are idle would be put out of its group for not polling.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/kafka/detail/handle.hpp"

namespace tokenrail::kafka::detail {

class QueueWake : public std::enable_shared_from_this<QueueWake> {
 public:
  /// `serve` handles what is in the queues and returns whether more may be waiting. It runs on the loop, never inside
  /// a call of this class, and not after close().
  static std::shared_ptr<QueueWake> open(boost::asio::io_context& loop, std::function<bool()> serve);
  ~QueueWake();
  QueueWake(const QueueWake&) = delete;
  QueueWake& operator=(const QueueWake&) = delete;

  /// The final queue of a forward chain. What is in it already is served soon.
  void attach(rd_kafka_queue_t* queue);
  /// Before the queue is destroyed: librdkafka must not write to a descriptor that is gone.
  static void detach(rd_kafka_queue_t* queue);

  /// Serve at the next turn of the loop.
  void poke();

  void set_period(std::chrono::milliseconds period);

  /// No more calls. The queues must be detached before this object goes.
  void close();

 private:
  QueueWake(boost::asio::io_context& loop, int descriptor, std::function<bool()> serve);
  void wait_for_write();
  void wait_for_tick();
  void serve_turn();

  boost::asio::io_context& loop_;
  boost::asio::posix::stream_descriptor descriptor_;
  boost::asio::steady_timer timer_;
  std::function<bool()> serve_;
  std::chrono::milliseconds period_{1000};
  std::uint64_t count_ = 0;  ///< what the eventfd is read into
  bool posted_ = false;
  bool closed_ = false;
};

}  // namespace tokenrail::kafka::detail
