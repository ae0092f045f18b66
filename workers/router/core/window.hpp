// What has been read and is not complete, in requests and bytes. Reading stops where it is full; those that only wait
// are put back before it is (partition_reload.cpp). Pure.
#pragma once

#include <algorithm>
#include <cstddef>

namespace tokenrail::router {

class Window {
 public:
  struct Bounds {
    std::size_t requests = 0;
    std::size_t bytes = 0;
  };
  explicit Window(const Bounds& bounds) : bounds_(bounds) {}

  void enter(std::size_t bytes) {
    ++requests_;
    bytes_ += bytes;
  }
  void leave(std::size_t bytes) {
    --requests_;
    bytes_ -= bytes;
  }
  /// Of a job that left it and still waits `kept` bytes remain.
  void put_back(std::size_t bytes, std::size_t kept) {
    leave(bytes);
    put_back_bytes_ += kept;
  }
  void back(std::size_t bytes, std::size_t kept) {
    put_back_gone(kept);
    enter(bytes);
  }
  void put_back_gone(std::size_t kept) { put_back_bytes_ -= kept; }

  /// Of records that are in it, of partitions that are not running.
  void unclaimed(std::size_t bytes) {
    ++unclaimed_;
    unclaimed_bytes_ += bytes;
  }
  void claimed(std::size_t requests, std::size_t bytes) {
    unclaimed_ -= requests;
    unclaimed_bytes_ -= bytes;
  }
  /// Partitions that are not running fill a quarter of the window at most, each of them no more than is left of that
  /// quarter. However long they wait, others are read. `requests`: what the partition has; `bytes`: what it would have.
  [[nodiscard]] bool has_room_for_unclaimed(std::size_t requests, std::size_t bytes) const {
    return requests + unclaimed_ < bounds_.requests / 4 && bytes + unclaimed_bytes_ <= bounds_.bytes / 4;
  }

  [[nodiscard]] bool full() const { return requests_ >= bounds_.requests || bytes_ >= bounds_.bytes; }
  /// Room to spare: reading begins again only here, so that it is not switched with every request.
  [[nodiscard]] bool roomy() const { return requests_ <= bounds_.requests / 4 * 3 && bytes_ <= bounds_.bytes / 4 * 3; }
  /// Those that wait, for whatever it is, fill half of what the running ones leave of the window; the rest is kept for
  /// those that can start at once. Where even what is kept of those that were put back would be too much, this is
  /// false: the window fills, and reading stops.
  [[nodiscard]] bool crowded(std::size_t attempts) const {
    if (put_back_bytes_ >= bounds_.bytes / 4) return false;
    const auto running = std::min({attempts, requests_, bounds_.requests});
    return requests_ - running >= (bounds_.requests - running) / 2 || bytes_ >= bounds_.bytes / 2;
  }

  [[nodiscard]] std::size_t requests() const { return requests_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  const Bounds bounds_;
  std::size_t requests_ = 0;
  std::size_t bytes_ = 0;
  std::size_t put_back_bytes_ = 0;
  std::size_t unclaimed_ = 0;
  std::size_t unclaimed_bytes_ = 0;
};

}  // namespace tokenrail::router
