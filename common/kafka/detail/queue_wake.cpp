#include "common/kafka/detail/queue_wake.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <sys/eventfd.h>

namespace tokenrail::kafka::detail {

std::shared_ptr<QueueWake> QueueWake::open(boost::asio::io_context& loop, std::function<bool()> serve) {
  const int descriptor = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  std::shared_ptr<QueueWake> wake(new QueueWake(loop, descriptor, std::move(serve)));
  wake->wait_for_write();
  wake->wait_for_tick();
  return wake;
}

QueueWake::QueueWake(boost::asio::io_context& loop, int descriptor, std::function<bool()> serve)
    : loop_(loop), descriptor_(loop, descriptor), timer_(loop), serve_(std::move(serve)) {}

QueueWake::~QueueWake() = default;

void QueueWake::attach(rd_kafka_queue_t* queue) {
  static constexpr std::uint64_t one = 1;
  rd_kafka_queue_io_event_enable(queue, descriptor_.native_handle(), &one, sizeof one);
  poke();
}

void QueueWake::detach(rd_kafka_queue_t* queue) {
  rd_kafka_queue_io_event_enable(queue, -1, nullptr, 0);
}

void QueueWake::poke() {
  if (posted_ || closed_) return;
  posted_ = true;
  boost::asio::post(loop_, [self = shared_from_this()] {
    self->posted_ = false;
    self->serve_turn();
  });
}

void QueueWake::set_period(std::chrono::milliseconds period) {
  period_ = period;
  timer_.cancel();  // the wait that ends by this begins the next one
}

void QueueWake::close() {
  closed_ = true;
  boost::system::error_code ignored;
  descriptor_.cancel(ignored);
  timer_.cancel();
  serve_ = nullptr;
}

void QueueWake::serve_turn() {
  if (closed_) return;
  // A copy would cost an allocation a turn; close() during the call must not destroy what is running, so it is moved
  // out and put back.
  auto serve = std::move(serve_);
  const bool more = serve();
  if (closed_) return;
  serve_ = std::move(serve);
  if (more) poke();
}

// Reading, not waiting for readability: re-arming a wait costs an epoll_ctl each time.
void QueueWake::wait_for_write() {
  descriptor_.async_read_some(boost::asio::buffer(&count_, sizeof count_),
                              [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                                if (self->closed_ || error) return;
                                self->serve_turn();
                                if (!self->closed_) self->wait_for_write();
                              });
}

void QueueWake::wait_for_tick() {
  timer_.expires_after(period_);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code&) {
    if (self->closed_) return;
    self->serve_turn();
    if (!self->closed_) self->wait_for_tick();
  });
}

}  // namespace tokenrail::kafka::detail
