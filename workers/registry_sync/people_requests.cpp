#include "workers/registry_sync/people_requests.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "workers/registry_sync/loop_step.hpp"
#include "workers/registry_sync/retry.hpp"
#include "workers/registry_sync/sharing.hpp"

namespace tokenrail::registry_sync {

namespace {

constexpr std::size_t requests_max = 100;  ///< served at the same time

}  // namespace

PeopleRequests::PeopleRequests(boost::asio::io_context& loop, const Options& options, registry::StorePool& stores,
                               TopicKeeper& topics, const Leadership& leadership, DatabaseNotes& notes, Hooks hooks)
    : options_(options),
      stores_(stores),
      topics_(topics),
      leadership_(leadership),
      notes_(notes),
      hooks_(std::move(hooks)),
      wait_(loop, loop_step_name) {}

void PeopleRequests::begin() {
  syncs_.clear();
  comparisons_.clear();
}

boost::asio::awaitable<void> PeopleRequests::keep() {
  while (!leadership_.over()) {
    std::chrono::milliseconds pause = options_.poll_interval;
    if (hooks_.connections_made()) {
      const bool well = notes_.noted("requests", co_await take()) && notes_.noted("requests", co_await finish());
      if (!well) pause = retry_after;
    }
    if (!leadership_.over()) co_await wait_.wait(pause);
  }
}

boost::asio::awaitable<Result<void>> PeopleRequests::take() {
  std::vector<std::string> open;
  for (const auto& [id, pass] : syncs_) open.push_back(id);
  for (const auto& [id, numbers] : comparisons_) open.push_back(id);
  if (open.size() >= requests_max) co_return Result<void>{};
  const auto requests = co_await stores_.run([open](registry::Store& store) { return store.take_sync_requests(open); });
  if (!requests) co_return std::unexpected(requests.error());
  for (const auto& request : *requests) {
    if (request.republish) {
      spdlog::info(
          "comparing the compacted topics with the database: a person asked for it (`tokenrail registry republish`)");
      comparisons_[request.id] = topics_.ask_for_comparison();
    } else {
      syncs_[request.id] = std::nullopt;
      hooks_.sync_asked();
    }
  }
  co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> PeopleRequests::finish() {
  if (!syncs_.empty()) {
    const auto served = co_await stores_.run(
        [adapters = listing_adapters()](registry::Store& store) { return store.served_requests(adapters); });
    if (!served) co_return std::unexpected(served.error());
    // The results are on the topics once a pass of the relay that begins from now on has ended.
    for (const auto& id : *served) {
      if (auto& pass = syncs_[id]; !pass) pass = topics_.ask_for_pass();
    }
  }
  std::vector<std::string> done;
  for (const auto& [id, pass] : syncs_)
    if (pass && topics_.passed(*pass)) done.push_back(id);
  for (const auto& [id, numbers] : comparisons_)
    if (topics_.reconciled(numbers)) done.push_back(id);
  for (const auto& id : done) {
    const auto finished = co_await stores_.run([id](registry::Store& store) { return store.finish_sync_request(id); });
    if (!finished) co_return finished;
    syncs_.erase(id);
    comparisons_.erase(id);
  }
  co_return Result<void>{};
}

}  // namespace tokenrail::registry_sync
