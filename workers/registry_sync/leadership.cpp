#include "workers/registry_sync/leadership.hpp"

#include <array>
#include <random>
#include <utility>

#include <fmt/core.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "common/registry/text.hpp"
#include "workers/registry_sync/loop_step.hpp"
#include "workers/registry_sync/metric_families.hpp"

namespace tokenrail::registry_sync {

namespace {

/// For people who ask who leads. The random end distinguishes processes of one number on hosts of one name.
std::string holder_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  const auto name = registry::storable(host.data(), 128);
  return fmt::format("{}/{}/{:08x}", name.empty() ? "unknown" : name, ::getpid(), std::random_device{}());
}

}  // namespace

Leadership::Leadership(boost::asio::io_context& loop, const registry::DatabaseOptions& database,
                       telemetry::Metrics& metrics, DatabaseNotes& notes)
    : notes_(notes),
      holder_(holder_name()),
      fence_(std::make_shared<registry::Fence>()),
      thread_(database, 1, fence_),
      lease_(database, holder_, fence_),
      idle_(loop, loop_step_name),
      renewal_(loop, loop_step_name),
      gauge_(metrics.gauge(metric_family("registry_sync_leader"))) {}

boost::asio::awaitable<Result<bool>> Leadership::hold() {
  const auto asked = Clock::now();
  auto* lease = &lease_;
  auto held = co_await thread_.run_plain([lease] { return lease->hold(); });
  notes_.note("leadership", held ? std::string() : held.error().detail);
  if (held && *held) lease_until_ = asked + registry::lease_duration;
  co_return held;
}

boost::asio::awaitable<void> Leadership::run(std::function<boost::asio::awaitable<void>()> lead) {
  bool said = false;
  while (!stopping_) {
    const auto held = co_await hold();
    if (stopping_) break;
    if (held && *held) {
      spdlog::info("leading: publishing the registry");
      leading_ = true;
      gauge_.set(1);
      term_over_ = false;
      co_await lead();
      leading_ = false;
      gauge_.set(0);
      if (!stopping_) {
        spdlog::warn("no longer leading: {}", fence_->epoch() == 0 ? "another registry-sync has taken the lease"
                                                                   : "the lease was not renewed in time");
      }
      said = false;
    } else if (held && !std::exchange(said, true)) {
      spdlog::info("another registry-sync leads; standing by");
    }
    if (!stopping_) co_await idle_.wait(registry::lease_renewal);
  }
  auto* lease = &lease_;
  co_await thread_.run_plain([lease] {
    lease->release();
    return true;
  });
}

boost::asio::awaitable<void> Leadership::keep() {
  while (!over()) {
    co_await renewal_.wait(registry::lease_renewal);
    if (stopping_ || term_over_) co_return;
    const auto held = co_await hold();
    if (held && !*held) co_return;
  }
}

void Leadership::end_term() {
  term_over_ = true;
  renewal_.wake();
}

void Leadership::stop() {
  stopping_ = true;
  end_term();
  idle_.wake();
}

}  // namespace tokenrail::registry_sync
