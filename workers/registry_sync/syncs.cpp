#include "workers/registry_sync/syncs.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "workers/registry_sync/loop_step.hpp"
#include "workers/registry_sync/metric_families.hpp"

namespace tokenrail::registry_sync {

namespace {

constexpr std::size_t list_threads = 2;
constexpr int plans_max = 5;  ///< of one list, where others change what it was compared with

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

ConnectionSyncs::ConnectionSyncs(boost::asio::io_context& loop, http::Client& client, const Keys& keys,
                                 const Options& options, registry::StorePool& stores, telemetry::Metrics& metrics,
                                 Ended ended, std::function<void()> failed)
    : loop_(loop),
      options_(options),
      stores_(stores),
      stored_credentials_(keys.stored),
      metrics_(metrics),
      ended_(std::move(ended)),
      failed_(std::move(failed)),
      fetcher_(loop, client, loop_step_name),
      lists_(list_threads, char{}),
      catalogues_(loop, fetcher_, keys.open, options, lists_),
      changed_(loop, loop_step_name),
      sync_ms_(metrics.histogram(metric_family("registry_sync_duration_ms"), telemetry::Metrics::latency_bounds_ms())),
      running_gauge_(metrics.gauge(metric_family("registry_syncs_running"))) {}

void ConnectionSyncs::begin() {
  cancelled_ = false;
  fetcher_.begin();
}

void ConnectionSyncs::keep_words(const std::vector<registry::Connection>& connections) {
  std::erase_if(words_, [&](const auto& one) {
    return std::ranges::find(connections, one.first, &registry::Connection::name) == connections.end();
  });
}

void ConnectionSyncs::show_health(const std::vector<registry::Connection>& connections) {
  // A state that was shown and no longer holds becomes 0: series are never removed.
  for (auto* gauge : shown_health_) gauge->set(0);
  shown_health_.clear();
  for (const auto& connection : connections) {
    if (!connection.enabled) continue;
    auto& gauge = metrics_.gauge(metric_family("registry_connection_health"),
                                 {connection.name, connection.org_id.empty() ? "platform" : connection.org_id,
                                  connection.provider, connection.health});
    gauge.set(1);
    shown_health_.push_back(&gauge);
  }
}

void ConnectionSyncs::cancel() {
  cancelled_ = true;
  fetcher_.stop();
}

boost::asio::awaitable<void> ConnectionSyncs::wait() {
  while (active_ > 0) co_await changed_.wait(std::chrono::hours(1));
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ConnectionSyncs::start(SyncOrder order) {
  ++active_;
  running_gauge_.set(static_cast<double>(active_));
  boost::asio::co_spawn(loop_, run(std::move(order)), [this](const std::exception_ptr& failure) {
    --active_;
    running_gauge_.set(static_cast<double>(active_));
    if (failure) {
      // The fault is this program's, not a provider's. The worker ends with it.
      failure_ = failure;
      cancel();
      failed_();
    }
    changed_.wake();
  });
}

boost::asio::awaitable<void> ConnectionSyncs::run(SyncOrder order) {
  const auto result = co_await sync(order);
  if (!cancelled_) ended_(order, result);
}

boost::asio::awaitable<Result<void>> ConnectionSyncs::sync(SyncOrder order) {
  const auto& connection = order.connection;
  const auto began = Clock::now();
  const registry::SyncRun blank{.connection_id = connection.id,
                                .connection_name = connection.name,
                                .request_id = order.request.id,
                                .trigger = order.trigger,
                                .status = "ok",
                                .started_ms = now_ms()};
  auto run = co_await sync_once(connection, blank, order.request.accept_held);
  if (!run) {
    // A value that the schema refuses is this list's trouble, not the database's; nor are other writers.
    const bool conflict = run.error().kind == ErrorKind::cancelled;
    if (run.error().kind != ErrorKind::invalid_input && !conflict) co_return std::unexpected(run.error());
    auto failed = blank;
    failed.status = "failed";
    failed.error_class = conflict ? registry::conflict_class : registry::refused_class;
    failed.detail = run.error().detail;
    if (conflict) failed.detail += " It is tried again at the next sync.";
    auto recorded = co_await record_failure(connection, failed);
    if (!recorded) co_return recorded;
    run = std::move(failed);
  }
  if (cancelled_) co_return Result<void>{};
  sync_ms_.observe(std::chrono::duration<double, std::milli>(Clock::now() - began).count());
  told(connection, *run);
  co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> ConnectionSyncs::record_failure(registry::Connection connection,
                                                                     registry::SyncRun run) {
  auto recorded =
      co_await stores_.run([connection, run](registry::Store& store) { return store.record_failure(connection, run); });
  // The connection was deleted, or others write to it at this very moment: no record of a run is worth the leadership.
  if (!recorded && recorded.error().kind == ErrorKind::cancelled) {
    spdlog::warn("a failed sync of {} was not recorded: {}", connection.name, recorded.error().detail);
    co_return Result<void>{};
  }
  co_return recorded;
}

boost::asio::awaitable<Result<registry::SyncRun>> ConnectionSyncs::sync_once(registry::Connection connection,
                                                                             registry::SyncRun run, bool accept_held) {
  auto stored = co_await known_models(connection);
  if (!stored) co_return std::unexpected(stored.error());
  const auto read = co_await read_credential(connection);
  if (!read) co_return std::unexpected(read.error());
  auto catalogue = co_await catalogues_.read(connection, &stored->models);
  if (cancelled_) co_return run;
  if (!catalogue) {
    run.status = "failed";
    run.error_class = catalogue.error().error_class;
    run.detail = catalogue.error().detail;
    const auto recorded = co_await record_failure(connection, run);
    if (!recorded) co_return std::unexpected(recorded.error());
    co_return run;
  }
  auto rules = options_.rules;
  rules.accept_held = accept_held;
  const auto body = std::make_shared<const std::string>(std::move(catalogue->body));
  if (!body->empty()) {
    const auto kept = co_await stores_.run(
        [connection, body](registry::Store& store) { return store.keep_snapshot(connection, *body); });
    if (!kept) co_return std::unexpected(kept.error());
  }
  for (int plans = 1;; ++plans) {
    const auto decided = co_await held_changes(connection);
    if (!decided) co_return std::unexpected(decided.error());
    auto plan = co_await lists_.run_plain([&connection, &catalogue, &stored, &rules, &decided] {
      return plan_sync(connection, catalogue->list, stored->models, rules, now_ms(), *decided, stored->above);
    });
    const bool held = !plan.held.empty();
    run.status = held ? "held" : "ok";
    run.detail = held ? registry::held_detail(plan.held) : catalogue->note;
    run.listed = plan.listed;
    run.added = plan.added;
    run.updated = plan.updated;
    run.unchanged = plan.unchanged;
    run.missing = plan.missing;
    run.held = static_cast<std::int64_t>(plan.held.size());
    run.failed = plan.failed;
    const auto applied = co_await stores_.run([connection, run, plan = std::move(plan)](registry::Store& store) {
      return store.apply(connection, plan, run);
    });
    if (applied && held) note_held(connection, co_await held_changes(connection));
    if (applied) co_return run;
    if (applied.error().kind != ErrorKind::cancelled || plans == plans_max || cancelled_)
      co_return std::unexpected(applied.error());
    // Another writer changed a model in between: the same list against what is there now.
    stored = co_await known_models(connection);
    if (!stored) co_return std::unexpected(stored.error());
  }
}

boost::asio::awaitable<Result<ConnectionSyncs::KnownModels>> ConnectionSyncs::known_models(
    registry::Connection connection) {
  co_return co_await stores_.run([connection](registry::Store& store) -> Result<KnownModels> {
    auto models = store.load_models(connection);
    if (!models) return std::unexpected(models.error());
    auto above = store.models_above(connection);
    if (!above) return std::unexpected(above.error());
    return KnownModels{.models = std::move(*models), .above = std::move(*above)};
  });
}

boost::asio::awaitable<Result<void>> ConnectionSyncs::read_credential(registry::Connection connection) {
  if (connection.credential_id.empty()) co_return Result<void>{};
  const auto record =
      co_await stores_.run([id = connection.credential_id](registry::Store& store) { return store.credential(id); });
  if (!record) co_return std::unexpected(record.error());
  if (*record) {
    // The database is right, also where it was restored and has an older version than before.
    const auto& [key, value] = **record;
    stored_credentials_.apply(key, std::nullopt);
    if (value) stored_credentials_.apply(key, *value);
  }
  co_return Result<void>{};
}

boost::asio::awaitable<Result<std::vector<registry::HeldChange>>> ConnectionSyncs::held_changes(
    registry::Connection connection) {
  co_return co_await stores_.run([id = connection.id](registry::Store& store) { return store.held_changes(id); });
}

void ConnectionSyncs::note_held(const registry::Connection& connection,
                                const Result<std::vector<registry::HeldChange>>& changes) {
  if (!changes) return;
  std::vector<registry::HeldChange> open;
  std::ranges::copy_if(*changes, std::back_inserter(open), [](const auto& change) { return change.decision.empty(); });
  held_words_[connection.id] = registry::held_words(open);
}

void ConnectionSyncs::told(const registry::Connection& connection, const registry::SyncRun& run) {
  const bool well = run.status != "failed";
  const bool answered = registry::provider_answered(run);
  metrics_
      .gauge(metric_family("ollama_health_status"),
             {connection.name, connection.org_id.empty() ? "platform" : connection.org_id})
      .set(answered ? 1 : 0);
  metrics_.counter(metric_family("registry_sync_runs_total"), {run.status}).add();
  auto& words = words_[connection.name];
  auto now = well ? fmt::format("{} models listed{}{}", run.listed, run.detail.empty() ? "" : "; ", run.detail)
                  : fmt::format("down, {}", run.error_class);
  if (!well && answered) {
    now = run.error_class == registry::conflict_class
              ? "listed, but not applied: others were writing; to be tried again"
              : "listed, but not applied: the database refused a value";
  }
  // What waits changes when a person decides, not when this process lists again: the leader reads it of the database.
  if (run.status == "held") now = fmt::format("{} models listed", run.listed);
  const bool news =
      words != now || run.added + run.updated > 0 || said_held_[connection.id] != held_words_[connection.id];
  said_held_[connection.id] = held_words_[connection.id];
  words = std::move(now);
  if (!news && run.request_id.empty()) return;
  if (!well) {
    spdlog::warn("{}: {} ({})", connection.name, run.detail, run.error_class);
  } else if (run.status == "held") {
    spdlog::warn("{}: {} listed, {} added, {} updated, {} unchanged, {} missing; {}", connection.name, run.listed,
                 run.added, run.updated, run.unchanged, run.missing, held_words_[connection.id]);
  } else {
    spdlog::info("{}: {} listed, {} added, {} updated, {} unchanged, {} missing, {} left out", connection.name,
                 run.listed, run.added, run.updated, run.unchanged, run.missing, run.failed);
    if (!run.detail.empty()) spdlog::warn("{}: {}", connection.name, run.detail);
  }
}

}  // namespace tokenrail::registry_sync
