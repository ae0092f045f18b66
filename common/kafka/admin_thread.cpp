#include "common/kafka/admin_thread.hpp"

#include <utility>

#include <boost/asio/thread_pool.hpp>

#include "common/kafka/detail/ending.hpp"
#include "common/kafka/detail/loop_gate.hpp"

namespace tokenrail::kafka {

struct AdminThread::State {
  State(boost::asio::io_context& loop, Properties given)
      : gate(std::make_shared<detail::LoopGate>(loop)), properties(std::move(given)) {}

  Result<Admin*> connected() {
    if (!admin) {
      auto made = Admin::connect(properties);
      if (!made) return std::unexpected(std::move(made.error()));
      admin = std::move(*made);
    }
    return admin.get();
  }

  const std::shared_ptr<detail::LoopGate> gate;
  const Properties properties;
  std::unique_ptr<Admin> admin;  ///< touched in that thread alone
  boost::asio::thread_pool thread{1};
};

AdminThread::AdminThread(boost::asio::io_context& loop, Properties properties)
    : state_(std::make_shared<State>(loop, std::move(properties))) {}

AdminThread::~AdminThread() {
  state_->gate->close();
  state_->thread.stop();
  detail::end_beside([state = std::move(state_)] { state->thread.join(); });
}

void AdminThread::ask(Ask ask) {
  // Not by the shared pointer: what still waits when the thread is stopped would keep the thread, and so itself.
  boost::asio::post(state_->thread, [state = state_.get(), ask = std::move(ask)] {
    state->gate->post([gate = state->gate, then = ask(state->connected())] {
      if (then && gate->open()) then();
    });
  });
}

}  // namespace tokenrail::kafka
