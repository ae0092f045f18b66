#include "workers/registry_sync/fetcher.hpp"

#include <utility>

#include "workers/registry_sync/waiter.hpp"

namespace tokenrail::registry_sync {

class Fetcher::Transfer final : public http::Listener {
 public:
  Transfer(Fetcher& owner) : owner_(owner), ended_(owner.loop_) { owner_.running_.insert(this); }
  // Also when the loop is torn down with the coroutine still waiting.
  ~Transfer() override {
    owner_.running_.erase(this);
    if (!done_) owner_.client_.cancel(id_);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void start(http::Request request, http::Clocks clocks, http::Limits limits) {
    id_ = owner_.client_.start(std::move(request), clocks, limits, *this);
  }
  boost::asio::awaitable<void> wait() {
    while (!done_) co_await ended_.wait(std::chrono::hours(1));
  }
  void stop() {
    if (done_) return;
    owner_.client_.cancel(id_);
    finish({.ending = http::Ending::cancelled, .detail = "registry-sync is stopping"});
  }

  void on_head(const http::ResponseHead& head) override { fetched.head = head; }
  bool on_body(std::string_view bytes) override {
    fetched.body.append(bytes);
    return true;
  }
  void on_end(const http::End& end) override { finish(end); }

  Fetched fetched{};

 private:
  void finish(http::End end) {
    done_ = true;
    fetched.end = std::move(end);
    ended_.wake();
  }
  Fetcher& owner_;
  Waiter ended_;
  http::TransferId id_{};
  bool done_ = false;
};

boost::asio::awaitable<Fetched> Fetcher::fetch(http::Request request, http::Clocks clocks, http::Limits limits) {
  if (stopped_) co_return Fetched{.end = {.ending = http::Ending::cancelled, .detail = "registry-sync is stopping"}};
  Transfer transfer(*this);
  transfer.start(std::move(request), clocks, limits);
  co_await transfer.wait();
  co_return std::move(transfer.fetched);
}

void Fetcher::stop() {
  stopped_ = true;
  for (auto* transfer : running_) transfer->stop();
}

}  // namespace tokenrail::registry_sync
