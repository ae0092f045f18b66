// Watches libcurl's sockets for the event loop.
//
// Asio would be asked again after every event, which is a system call and an allocation each. So the sockets live in an
// epoll set of our own, level-triggered, and Asio watches only that set: one wait a batch, whatever the number of
// streams. Registering nothing with Asio also leaves the sockets wholly to libcurl, which opens and closes them.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace tokenrail::http {

class SocketWatch {
 public:
  /// `name`, a string literal, says what the loop does then (telemetry::loop_step). `on_ready(fd, readable, writable)`
  /// is called from the loop, for each socket of a batch; `on_batch()` after them. Throws std::system_error where the
  /// kernel gives no epoll set.
  SocketWatch(boost::asio::io_context& loop, const char* name, std::function<void(int, bool, bool)> on_ready,
              std::function<void()> on_batch);
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  /// Watches `fd` (again) for what is said. False where the kernel refuses.
  bool set(int fd, bool read, bool write, bool known);
  void remove(int fd);

  /// Waits for events from now on, or no longer: a pending wait would keep an idle loop running.
  void start();
  void stop();

 private:
  void wait();
  void serve();

  boost::asio::posix::stream_descriptor set_;
  const char* name_;
  std::function<void(int, bool, bool)> on_ready_;
  std::function<void()> on_batch_;
  bool wanted_ = false;
  bool waiting_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tokenrail::http
