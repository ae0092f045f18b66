#include "workers/registry_sync/sharing.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/providers/provider.hpp"
#include "workers/registry_sync/loop_step.hpp"
#include "workers/registry_sync/retry.hpp"

namespace tokenrail::registry_sync {

namespace {}  // namespace

std::vector<std::string> listing_adapters() {
  auto names = providers::adapter_names();
  std::erase_if(names, [](const auto& name) { return providers::find_provider(name)->lister() == nullptr; });
  return names;
}

Sharing::Sharing(boost::asio::io_context& loop, const registry::DatabaseOptions& database, const std::string& holder,
                 const Options& options, ConnectionSyncs& syncs, std::function<bool(const Result<void>&)> noted)
    : options_(options),
      syncs_(syncs),
      noted_(std::move(noted)),
      leases_(1, database, holder, listing_adapters()),
      wait_(loop, loop_step_name),
      random_(std::random_device{}()) {}

std::chrono::milliseconds due_after(const registry::Connection& connection, std::chrono::milliseconds interval,
                                    double random) {
  constexpr double earliest = 0.9;
  constexpr double width = 0.2;
  if (connection.sync_interval_s) interval = std::chrono::seconds(*connection.sync_interval_s);
  return std::chrono::milliseconds(std::llround(static_cast<double>(interval.count()) * (earliest + width * random)));
}

std::vector<Sharing::Held> Sharing::held() const {
  std::vector<Held> all;
  for (const auto& [id, epoch] : held_) all.push_back({.connection_id = id, .epoch = epoch});
  return all;
}

void Sharing::ended(const SyncOrder& order, bool well) {
  ended_.push_back({.connection = order.connection, .well = well});
  wait_.wake();
}

void Sharing::stop() {
  stopped_ = true;
  syncs_.cancel();
  wait_.wake();
}

boost::asio::awaitable<bool> Sharing::claim() {
  const auto room = syncs_.room();
  if (room == 0) co_return true;
  auto claimed = co_await leases_.run([room](registry::ConnectionLeases& leases) { return leases.claim(room); });
  if (!noted_(claimed ? Result<void>() : std::unexpected(claimed.error()))) co_return false;
  for (auto& one : *claimed) {
    held_[one.connection.id] = one.connection.lease_epoch;
    if (stopped_) continue;
    syncs_.start({.connection = std::move(one.connection),
                  .trigger = std::move(one.trigger),
                  .request = std::move(one.request)});
  }
  co_return true;
}

boost::asio::awaitable<bool> Sharing::renew_when_due() {
  if (held_.empty() || Clock::now() < renew_due_) co_return true;
  renew_due_ = Clock::now() + registry::lease_renewal;
  const auto renewed =
      co_await leases_.run([mine = held()](registry::ConnectionLeases& leases) { return leases.renew(mine); });
  co_return noted_(renewed);
}

boost::asio::awaitable<bool> Sharing::release_ended() {
  while (!ended_.empty()) {
    const auto one = std::move(ended_.back());
    ended_.pop_back();
    held_.erase(one.connection.id);
    // A sync that failed is tried again when its lease has expired.
    if (!one.well) continue;
    const Held mine{.connection_id = one.connection.id, .epoch = one.connection.lease_epoch};
    const auto due_in =
        due_after(one.connection, options_.interval, std::uniform_real_distribution<double>(0, 1)(random_));
    const auto released = co_await leases_.run(
        [mine, due_in](registry::ConnectionLeases& leases) { return leases.release(mine, due_in); });
    if (!noted_(released)) co_return false;
  }
  co_return true;
}

boost::asio::awaitable<void> Sharing::run() {
  syncs_.begin();
  while (!stopped_) {
    bool well = co_await release_ended();
    if (well && !stopped_) well = co_await renew_when_due();
    if (well && !stopped_) well = co_await claim();
    if (!stopped_ && ended_.empty())
      co_await wait_.wait(well ? std::min(options_.poll_interval, registry::lease_renewal) : retry_after);
  }
  co_await syncs_.wait();
  co_await leases_.run([mine = held()](registry::ConnectionLeases& leases) { return leases.give_back(mine); });
}

}  // namespace tokenrail::registry_sync
