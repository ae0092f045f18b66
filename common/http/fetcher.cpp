#include "common/http/fetcher.hpp"

#include <chrono>
#include <string_view>
#include <utility>

#include "common/async/wakeable_timer.hpp"

namespace tokenrail::http {
namespace {

constexpr std::string_view stopping = "this program is stopping";

}  // namespace

class Fetcher::Transfer final : public Listener {
 public:
  explicit Transfer(Fetcher& owner) : owner_(owner), ended_(owner.loop_, owner.step_) { owner_.running_.insert(this); }
  // Also when the loop is torn down with the coroutine still waiting.
  ~Transfer() override {
    owner_.running_.erase(this);
    if (!done_) owner_.client_.cancel(id_);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void start(Request request, Clocks clocks, Limits limits) {
    id_ = owner_.client_.start(std::move(request), clocks, limits, *this);
  }
  boost::asio::awaitable<void> wait() {
    while (!done_) co_await ended_.wait(std::chrono::hours(1));
  }
  void stop() {
    if (done_) return;
    owner_.client_.cancel(id_);
    finish({.ending = Ending::cancelled, .detail = std::string(stopping)});
  }

  void on_head(const ResponseHead& head) override { fetched.head = head; }
  bool on_body(std::string_view bytes) override {
    fetched.body.append(bytes);
    return true;
  }
  void on_end(const End& end) override { finish(end); }

  Fetched fetched{};

 private:
  void finish(End end) {
    done_ = true;
    fetched.end = std::move(end);
    ended_.wake();
  }
  Fetcher& owner_;
  async::WakeableTimer ended_;
  TransferId id_{};
  bool done_ = false;
};

boost::asio::awaitable<Fetched> Fetcher::fetch(Request request, Clocks clocks, Limits limits) {
  if (stopped_) co_return Fetched{.end = {.ending = Ending::cancelled, .detail = std::string(stopping)}};
  Transfer transfer(*this);
  transfer.start(std::move(request), clocks, limits);
  co_await transfer.wait();
  co_return std::move(transfer.fetched);
}

void Fetcher::stop() {
  stopped_ = true;
  for (auto* transfer : running_) transfer->stop();
}

}  // namespace tokenrail::http
