// The leader's part in what people ask for: syncs now, and comparisons of the topics with the database.
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <spdlog/spdlog.h>

#include "workers/registry_sync/worker.hpp"

namespace tokenrail::registry_sync {

namespace {

constexpr std::size_t requests_max = 100;  ///< served at the same time

}  // namespace

boost::asio::awaitable<void> Worker::keep_requests() {
  while (!over()) {
    std::chrono::milliseconds pause = options_.poll_interval;
    if (connections_made_) {
      const bool well = noted("requests", co_await take_requests()) && noted("requests", co_await finish_requests());
      if (!well) pause = retry_after;
    }
    if (!over()) co_await request_wait_.wait(pause);
  }
}

boost::asio::awaitable<Result<void>> Worker::take_requests() {
  std::vector<std::string> open;
  for (const auto& [id, pass] : taken_) open.push_back(id);
  for (const auto& [id, number] : republishing_) open.push_back(id);
  if (open.size() >= requests_max) co_return Result<void>{};
  const auto requests = co_await stores_.run([open](registry::Store& store) { return store.take_sync_requests(open); });
  if (!requests) co_return std::unexpected(requests.error());
  for (const auto& request : *requests) {
    if (request.republish) {
      spdlog::info(
          "comparing the compacted topics with the database: a person asked for it (`tokenrail registry republish`)");
      republishing_[request.id] = {.registry = publication_.ask_for_comparison(),
                                   .credentials = credential_publication_.ask_for_comparison()};
      topic_wait_.wake();
      credentials_topic_wait_.wake();
    } else {
      taken_[request.id] = std::nullopt;
      sharing_.wake();
    }
  }
  co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> Worker::finish_requests() {
  if (!taken_.empty()) {
    const auto served = co_await stores_.run(
        [adapters = listing_adapters()](registry::Store& store) { return store.served_requests(adapters); });
    if (!served) co_return std::unexpected(served.error());
    // The results are on the topics once a pass of the relay that begins from now on has ended.
    for (const auto& id : *served) {
      auto& pass = taken_[id];
      if (pass) continue;
      pass = passes_begun_ + 1;
      topic_wait_.wake();
    }
  }
  std::vector<std::string> done;
  for (const auto& [id, pass] : taken_)
    if (pass && passes_ended_ >= *pass) done.push_back(id);
  for (const auto& [id, number] : republishing_)
    if (publication_.reconciled() >= number.registry && credential_publication_.reconciled() >= number.credentials)
      done.push_back(id);
  for (const auto& id : done) {
    const auto finished = co_await stores_.run([id](registry::Store& store) { return store.finish_sync_request(id); });
    if (!finished) co_return finished;
    taken_.erase(id);
    republishing_.erase(id);
  }
  co_return Result<void>{};
}

}  // namespace tokenrail::registry_sync
