#include "workers/registry_sync/history.hpp"

#include <chrono>
#include <string_view>
#include <vector>

#include <spdlog/spdlog.h>

namespace tokenrail::registry_sync {

namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 5s;
constexpr auto survey_time_max = 5s;
constexpr std::string_view what_now = "the history before is lost, and what comes is written to it";

}  // namespace

History::History(boost::asio::io_context& loop, const kafka::Properties& properties, const RelayOptions& options,
                 registry::StorePool& stores, telemetry::Metrics& metrics)
    : stores_(stores), relay_(loop, properties, options, stores, metrics) {}

void History::begin() {
  look_due_ = {};
  relay_.begin();
}

boost::asio::awaitable<Result<void>> History::publish() {
  if (!co_await relay_.ready()) co_return Result<void>{};
  if (const auto made = relay_.make_producer(); !made) {
    relay_.note(made.error());
    co_return Result<void>{};
  }
  const auto relayed = co_await relay_.outbox();
  if (!relayed) co_return std::unexpected(relayed.error());
  if (!*relayed) co_return Result<void>{};
  relay_.note_well();
  if (Relay::Clock::now() < look_due_) co_return Result<void>{};
  look_due_ = Relay::Clock::now() + look_every;
  co_await look();
  co_return Result<void>{};
}

boost::asio::awaitable<void> History::look() {
  const auto admin = co_await relay_.admin();
  if (!admin) co_return;
  std::vector<kafka::Admin::PlaceQuestion> questions;
  for (std::int32_t number = 0; number < partitions_; ++number)
    questions.push_back({.partition = {.topic = relay_.topic(), .partition = number}});
  const auto survey =
      co_await stores_.run_plain([admin, questions] { return admin->survey(questions, survey_time_max); });
  // Brokers that do not answer are noticed by what is published.
  if (!survey) co_return;
  const auto found = survey->partitions.find(relay_.topic());
  if (found == survey->partitions.end() || found->second == 0) {
    // A topic that is gone is not, while there is nothing to publish.
    relay_.doubt_topic();
    co_return;
  }
  for (std::size_t i = 0; i < questions.size(); ++i)
    if (const auto& places = survey->places[i]) ends_.note(questions[i].partition, places->next, what_now);
  if (found->second > partitions_) spdlog::info("{} has {} partitions now", relay_.topic(), found->second);
  partitions_ = found->second;
}

}  // namespace tokenrail::registry_sync
