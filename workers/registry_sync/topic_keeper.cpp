#include "workers/registry_sync/topic_keeper.hpp"

#include <array>
#include <string>
#include <utility>

#include "workers/registry_sync/loop_step.hpp"
#include "workers/registry_sync/metric_families.hpp"
#include "workers/registry_sync/retry.hpp"
#include "workers/registry_sync/sharing.hpp"

namespace tokenrail::registry_sync {

namespace {

using namespace std::chrono_literals;

constexpr auto first_round_max = 10s;
constexpr auto measure_every = 1s;  ///< the outbox, which may be long

}  // namespace

TopicKeeper::TopicKeeper(boost::asio::io_context& loop, const kafka::Properties& properties, const Options& options,
                         const registry::DatabaseOptions& database, const Leadership& leadership, DatabaseNotes& notes,
                         telemetry::Metrics& metrics, Hooks hooks)
    : options_(options),
      leadership_(leadership),
      notes_(notes),
      hooks_(std::move(hooks)),
      state_thread_(database, 1, leadership.fence()),
      history_thread_(database, 1, leadership.fence()),
      credentials_thread_(database, 1, leadership.fence()),
      state_(loop, properties, relay_options(Destination::state), options.reconcile_interval, state_thread_, metrics),
      history_(loop, properties, relay_options(Destination::events), history_thread_, metrics),
      credentials_(loop, properties, relay_options(Destination::credentials), options.reconcile_interval,
                   credentials_thread_, metrics),
      state_wait_(loop, loop_step_name),
      history_wait_(loop, loop_step_name),
      credentials_wait_(loop, loop_step_name) {
  constexpr std::array outbox_parts{std::pair("state", Destination::state), std::pair("history", Destination::events),
                                    std::pair("credentials", Destination::credentials)};
  for (const auto& [name, to] : outbox_parts) {
    outbox_gauges_.push_back({.part = outbox_part(to),
                              .rows = metrics.gauge(metric_family("registry_outbox_rows"), {name}),
                              .age = metrics.gauge(metric_family("registry_outbox_oldest_seconds"), {name})});
  }
}

RelayOptions TopicKeeper::relay_options(Destination to) const {
  return {.to = to, .topics = options_.topics, .leads = [this] { return !leadership_.over(); }};
}

void TopicKeeper::begin() {
  prepared_ = first_round_over_ = false;
  first_round_until_ = Clock::now() + first_round_max;
  state_.begin();
  history_.begin();
  credentials_.begin();
}

void TopicKeeper::stop() {
  state_.stop();
  history_.stop();
  credentials_.stop();
  wake_all();
}

void TopicKeeper::close() {
  state_.close();
  history_.close();
  credentials_.close();
}

void TopicKeeper::wake_all() {
  state_wait_.wake();
  history_wait_.wake();
  credentials_wait_.wake();
}

std::vector<telemetry::Condition> TopicKeeper::conditions() const {
  auto credentials = credentials_.problem();
  if (credentials.empty() && !credentials_.whole())
    credentials = "the sealed credentials have not been published whole yet";
  return {{"kafka", state_.problem()},
          {"history", history_.problem()},
          {"registry", state_.whole() ? "" : "the registry has not been published whole yet"},
          {"credentials", std::move(credentials)}};
}

TopicKeeper::Comparisons TopicKeeper::ask_for_comparison() {
  const Comparisons asked{.registry = state_.ask_for_comparison(), .credentials = credentials_.ask_for_comparison()};
  state_wait_.wake();
  credentials_wait_.wake();
  return asked;
}

bool TopicKeeper::reconciled(const Comparisons& asked) const {
  return state_.reconciled() >= asked.registry && credentials_.reconciled() >= asked.credentials;
}

std::int64_t TopicKeeper::ask_for_pass() {
  state_wait_.wake();
  return passes_begun_ + 1;
}

boost::asio::awaitable<bool> TopicKeeper::first_round_over() {
  if (!first_round_over_ && Clock::now() >= first_round_until_) first_round_over_ = true;
  if (first_round_over_ || !hooks_.connections_made()) co_return first_round_over_;
  const auto due = co_await state_thread_.run(
      [adapters = listing_adapters()](registry::Store& store) { return store.any_due(adapters); });
  first_round_over_ = due && !*due;
  co_return first_round_over_;
}

boost::asio::awaitable<void> TopicKeeper::keep_state() {
  // The versions that readers hold already must be known before the first is given out, where Kafka can report them.
  notes_.noted("topics", co_await state_.prepare());
  prepared_ = true;
  hooks_.prepared();
  while (!leadership_.over()) {
    ++passes_begun_;
    const bool complete = co_await first_round_over();
    const auto published = co_await state_.publish(complete);
    ++passes_ended_;
    hooks_.published();
    history_wait_.wake();
    bool well = notes_.noted("topics", published);
    if (well && !leadership_.over()) well = notes_.noted("topics", co_await measure_outbox());
    if (leadership_.over()) break;
    co_await state_wait_.wait(well ? options_.poll_interval : retry_after);
  }
}

boost::asio::awaitable<void> TopicKeeper::keep_history() {
  while (!leadership_.over()) {
    const bool well = notes_.noted("history topic", co_await history_.publish());
    if (!leadership_.over()) co_await history_wait_.wait(well ? options_.poll_interval : retry_after);
  }
}

boost::asio::awaitable<void> TopicKeeper::keep_credentials() {
  while (!leadership_.over()) {
    const bool well = notes_.noted("credentials topic", co_await credentials_.publish(true));
    hooks_.published();
    if (!leadership_.over()) co_await credentials_wait_.wait(well ? options_.poll_interval : retry_after);
  }
}

boost::asio::awaitable<Result<void>> TopicKeeper::measure_outbox() {
  if (Clock::now() < measure_due_) co_return Result<void>{};
  measure_due_ = Clock::now() + measure_every;
  for (auto& gauges : outbox_gauges_) {
    const auto part = gauges.part;
    const auto lag = co_await state_thread_.run([part](registry::Store& store) { return store.outbox_lag(part); });
    if (!lag) co_return std::unexpected(lag.error());
    gauges.rows.set(static_cast<double>(lag->rows));
    gauges.age.set(static_cast<double>(lag->oldest.count()) / 1000.0);
  }
  co_return Result<void>{};
}

}  // namespace tokenrail::registry_sync
