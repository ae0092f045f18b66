#include "common/http/socket_watch.hpp"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/epoll.h>

#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::http {
namespace {

// Enough to make the costs of a batch small, few enough that the loop's other guests get their turn.
constexpr int batch_max = 128;

int make_epoll_set() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "cannot make an epoll set");
  return fd;
}

}  // namespace

SocketWatch::SocketWatch(boost::asio::io_context& loop, const char* name, std::function<void(int, bool, bool)> on_ready,
                         std::function<void()> on_batch)
    : set_(loop, make_epoll_set()), name_(name), on_ready_(std::move(on_ready)), on_batch_(std::move(on_batch)) {}

SocketWatch::~SocketWatch() {
  *alive_ = false;
}

bool SocketWatch::set(int fd, bool read, bool write, bool known) {
  epoll_event event{};
  event.events =
      (read ? static_cast<std::uint32_t>(EPOLLIN) : 0U) | (write ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  event.data.fd = fd;
  const int first = known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (::epoll_ctl(set_.native_handle(), first, fd, &event) == 0) return true;
  // A descriptor's number comes back with another socket behind it; what libcurl believes is then one behind.
  const int second = errno == ENOENT ? EPOLL_CTL_ADD : errno == EEXIST ? EPOLL_CTL_MOD : 0;
  return second != 0 && ::epoll_ctl(set_.native_handle(), second, fd, &event) == 0;
}

void SocketWatch::remove(int fd) {
  epoll_event unused{};
  // Fails where the socket was closed before, which took it out of the set as well.
  ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, fd, &unused);
}

void SocketWatch::start() {
  wanted_ = true;
  if (!waiting_) wait();
}

void SocketWatch::stop() {
  wanted_ = false;
  if (waiting_) set_.cancel();
}

void SocketWatch::wait() {
  waiting_ = true;
  set_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                  [this, alive = alive_](boost::system::error_code error) {
                    if (!*alive) return;
                    waiting_ = false;
                    if (!error) serve();
                    if (*alive && wanted_ && !waiting_) wait();
                  });
}

void SocketWatch::serve() {
  telemetry::loop_step(name_);
  std::array<epoll_event, batch_max> events;
  const int count = ::epoll_wait(set_.native_handle(), events.data(), batch_max, 0);
  constexpr std::uint32_t broken = EPOLLERR | EPOLLHUP;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    // A broken socket is reported as ready for both: libcurl then meets the error itself and can say what it is.
    on_ready_(event.data.fd, (event.events & (EPOLLIN | broken)) != 0, (event.events & (EPOLLOUT | broken)) != 0);
  }
  if (count > 0) on_batch_();
}

}  // namespace tokenrail::http
