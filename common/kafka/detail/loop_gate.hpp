// The way from another thread to a loop that may be gone before that thread has ended.
#pragma once

#include <mutex>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace tokenrail::kafka::detail {

class LoopGate {
 public:
  explicit LoopGate(boost::asio::io_context& loop) : loop_(loop) {}

  /// Any thread. Once closed it drops what it is given.
  template <class What>
  void post(What what) {
    const std::lock_guard lock(mutex_);
    if (open_) boost::asio::post(loop_, std::move(what));
  }
  /// On the loop, or when it has ended.
  void close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  /// What was posted before it was closed asks when it runs.
  [[nodiscard]] bool open() {
    const std::lock_guard lock(mutex_);
    return open_;
  }

 private:
  std::mutex mutex_;
  boost::asio::io_context& loop_;
  bool open_ = true;
};

}  // namespace tokenrail::kafka::detail
