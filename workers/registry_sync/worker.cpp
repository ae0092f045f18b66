#include "workers/registry_sync/worker.hpp"

#include <csignal>
#include <cstdlib>
#include <memory>
#include <utility>

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "common/registry/migrator.hpp"

namespace tokenrail::registry_sync {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t store_threads = 2;
constexpr int plans_max = 5;  ///< of one list, where others change what it was compared with
constexpr auto retry_after = 2s;
constexpr auto leadership_every = 3s;
constexpr auto prune_every = 1h;

kafka::Properties properties_from(const config::Values& values) {
  kafka::Properties properties;
  for (const auto& [name, value] : values.kafka_properties()) properties.emplace_back(name, value);
  return properties;
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Worker::Worker(boost::asio::io_context& loop, const config::Values& values)
    : loop_(loop),
      values_(values),
      options_(options_from(values)),
      database_{.url = values.text("database.url"), .application = "tokenrail-registry-sync"},
      stores_(database_, store_threads),
      leadership_(database_),
      http_(http::make_client(loop, {}, metrics_)),
      fetcher_(loop, *http_),
      catalogues_(loop, fetcher_, options_),
      publication_(loop, properties_from(values), {.state = options_.state_topic, .events = options_.events_topic},
                   stores_, metrics_),
      stop_signals_(loop, SIGTERM, SIGINT),
      hang_up_(loop, SIGHUP),
      idle_(loop),
      random_(std::random_device{}()),
      leader_gauge_(metrics_.gauge("registry_sync_leader", "1: this process syncs and publishes; 0: it stands by")),
      outbox_rows_(metrics_.gauge("registry_outbox_rows", "Events that are not published yet")),
      outbox_age_(metrics_.gauge("registry_outbox_oldest_seconds", "How long the oldest of them has been waiting")),
      sync_ms_(metrics_.histogram("registry_sync_duration_ms", "Time one sync of one connection took",
                                  telemetry::Metrics::latency_bounds_ms())) {}

Worker::~Worker() = default;

Result<void> Worker::start() {
  auto health =
      telemetry::HealthServer::start(loop_, values_.text("http.listen"), metrics_, [this] { return conditions(); });
  if (!health) return std::unexpected(health.error());
  health_ = std::move(*health);
  spdlog::info("health and metrics on port {}", health_->port());
  await_stop();
  await_hang_up();
  boost::asio::co_spawn(loop_, run(), [this](const std::exception_ptr& failure) {
    if (failure) {
      exit_code_ = 1;
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& error) {
        spdlog::error("registry-sync stops: {}", error.what());
      }
    }
    finish();
  });
  return {};
}

void Worker::await_stop() {
  stop_signals_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    stop();
    await_stop();
  });
}

void Worker::await_hang_up() {
  hang_up_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    spdlog::info("SIGHUP: syncing now");
    due_trigger_ = "event";
    sync_due_ = {};
    idle_.wake();
    await_hang_up();
  });
}

void Worker::stop() {
  // A second signal means: now. What was being written is written again by whoever leads next.
  if (++stops_ > 1) std::_Exit(1);
  spdlog::info("stopping");
  stopping_ = true;
  fetcher_.stop();
  publication_.stop();
  idle_.wake();
}

void Worker::finish() {
  stop_signals_.cancel();
  hang_up_.cancel();
  if (health_) health_->stop();
  // Their sockets would keep the loop waiting.
  publication_.close();
  http_.reset();
  ended_ = true;
  spdlog::info("stopped");
}

std::vector<telemetry::Condition> Worker::conditions() const {
  std::vector<telemetry::Condition> all{{"database", database_problem_}};
  if (leading_) {
    all.push_back({"kafka", publication_.problem()});
    all.push_back({"registry", publication_.whole() ? "" : "the registry has not been published whole yet"});
  }
  // A provider that is down is its models' matter, not this process's: told, but no reason to be taken out of service.
  for (const auto& [name, words] : connection_words_)
    all.push_back({fmt::format("connection {}: {}", name, words), ""});
  return all;
}

void Worker::note_database(const Error& error) {
  if (database_problem_ != error.detail) spdlog::error("{}", error.detail);
  database_problem_ = error.detail;
}

Worker::Clock::duration Worker::jittered(std::chrono::milliseconds interval) {
  // Many installations on one host must not all ask at the same moment for ever.
  return std::chrono::milliseconds(interval.count() * std::uniform_int_distribution<std::int64_t>(900, 1100)(random_) /
                                   1000);
}

// ---- leadership --------------------------------------------------------------------------------------------------

boost::asio::awaitable<bool> Worker::migrate() {
  while (!stopping_) {
    const auto options = database_;
    const auto migrated = co_await stores_.run_plain([options] { return registry::migrate(options); });
    if (migrated) {
      for (const auto& name : *migrated) spdlog::info("applied migration {}", name);
      co_return true;
    }
    note_database(migrated.error());
    if (migrated.error().kind == ErrorKind::rejected || migrated.error().kind == ErrorKind::invalid_input) {
      exit_code_ = 1;
      co_return false;
    }
    co_await idle_.wait(retry_after);
  }
  co_return false;
}

boost::asio::awaitable<Result<bool>> Worker::acquire_leadership() {
  auto* leadership = &leadership_;
  auto acquired = co_await stores_.run_plain([leadership] { return leadership->acquire(); });
  leadership_due_ = Clock::now() + leadership_every;
  if (acquired) {
    database_problem_.clear();
  } else {
    note_database(acquired.error());
  }
  co_return acquired;
}

boost::asio::awaitable<void> Worker::run() {
  const bool migrated = co_await migrate();
  bool said = false;
  while (migrated && !stopping_) {
    const auto acquired = co_await acquire_leadership();
    if (stopping_) break;
    if (acquired && *acquired) {
      spdlog::info("leading: syncing and publishing the registry");
      co_await lead();
      said = false;
    } else if (acquired && !std::exchange(said, true)) {
      spdlog::info("another registry-sync leads; standing by");
    }
    if (!stopping_) co_await idle_.wait(retry_after);
  }
  leadership_.release();
}

boost::asio::awaitable<void> Worker::lead() {
  leading_ = true;
  leader_gauge_.set(1);
  publication_.begin();
  sync_due_ = prune_due_ = {};
  due_trigger_ = "start";
  const auto platform = options_.platform;
  const auto made =
      co_await stores_.run([platform](registry::Store& store) { return store.ensure_platform_connection(platform); });
  bool well = made.has_value();
  if (!well) note_database(made.error());
  while (well && !stopping_) {
    // What readers hold already has to be known before the first version is given out, where Kafka can tell.
    const auto prepared = co_await publication_.prepare();
    if (!prepared) note_database(prepared.error());
    well = prepared.has_value();
    if (well && !stopping_) well = (co_await sync_when_due()).has_value();
    if (well && !stopping_) well = (co_await serve_requests()).has_value();
    if (well && !stopping_) well = (co_await publish()).has_value();
    if (well && !stopping_) well = (co_await look_after()).has_value();
    if (!well || stopping_) break;
    co_await idle_.wait(options_.poll_interval);
  }
  leading_ = false;
  leader_gauge_.set(0);
}

boost::asio::awaitable<Result<void>> Worker::look_after() {
  if (Clock::now() >= leadership_due_) {
    const auto still = co_await acquire_leadership();
    if (!still) co_return std::unexpected(still.error());
    if (!*still) {
      spdlog::warn("the leadership was lost");
      co_return fail(ErrorKind::cancelled, "the leadership was lost");
    }
  }
  const auto lag = co_await stores_.run([](registry::Store& store) { return store.outbox_lag(); });
  if (!lag) {
    note_database(lag.error());
    co_return std::unexpected(lag.error());
  }
  outbox_rows_.set(static_cast<double>(lag->rows));
  outbox_age_.set(static_cast<double>(lag->oldest.count()) / 1000.0);
  if (Clock::now() >= prune_due_) {
    prune_due_ = Clock::now() + prune_every;
    const auto age = options_.history_age;
    const auto pruned = co_await stores_.run([age](registry::Store& store) { return store.prune(age); });
    if (!pruned) spdlog::warn("old records were not removed: {}", pruned.error().detail);
  }
  co_return Result<void>{};
}

// ---- syncing -----------------------------------------------------------------------------------------------------

boost::asio::awaitable<Result<void>> Worker::sync_when_due() {
  if (Clock::now() < sync_due_) co_return Result<void>{};
  sync_due_ = Clock::now() + jittered(options_.interval);
  auto trigger = std::exchange(due_trigger_, "schedule");
  auto synced = co_await sync_connections(std::move(trigger), {});
  co_return synced;
}

boost::asio::awaitable<Result<void>> Worker::serve_requests() {
  const auto requests = co_await stores_.run([](registry::Store& store) { return store.take_sync_requests(); });
  if (!requests) {
    note_database(requests.error());
    co_return std::unexpected(requests.error());
  }
  for (const auto& request : *requests) {
    const auto synced = co_await sync_connections("manual", request);
    if (!synced) co_return synced;
    // A person who looks right after "done" should find what was done on the topic too.
    const auto published = co_await publish();
    if (!published) co_return published;
    const auto id = request.id;
    const auto finished = co_await stores_.run([id](registry::Store& store) { return store.finish_sync_request(id); });
    if (!finished) co_return finished;
  }
  co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> Worker::sync_connections(std::string trigger, registry::SyncRequest request) {
  const auto all = co_await stores_.run([](registry::Store& store) { return store.connections(); });
  if (!all) {
    note_database(all.error());
    co_return std::unexpected(all.error());
  }
  std::vector<registry::Connection> chosen;
  std::map<std::string, std::string> words;
  for (const auto& connection : *all) {
    const bool asked = request.connection_id.empty() || request.connection_id == connection.id;
    const bool can = connection.enabled && connection.sync_enabled && connection.adapter == "ollama";
    if (can && asked) chosen.push_back(connection);
    if (can) words[connection.name] = connection_words_[connection.name];
  }
  connection_words_ = std::move(words);
  Result<void> outcome;
  // A connection that does not answer keeps only itself waiting.
  Lanes lanes(loop_, options_.connection_concurrency);
  co_await lanes.run(chosen.size(),
                     [&](std::size_t index) { return sync_beside_others(chosen[index], trigger, request, &outcome); });
  if (!outcome) note_database(outcome.error());
  co_return outcome;
}

boost::asio::awaitable<void> Worker::sync_beside_others(registry::Connection connection, std::string trigger,
                                                        registry::SyncRequest request, Result<void>* outcome) {
  auto synced = co_await sync_connection(std::move(connection), std::move(trigger), std::move(request));
  if (!synced && *outcome) *outcome = std::unexpected(synced.error());
}

boost::asio::awaitable<Result<void>> Worker::sync_connection(registry::Connection connection, std::string trigger,
                                                             registry::SyncRequest request) {
  const auto began = Clock::now();
  const registry::SyncRun blank{.connection_id = connection.id,
                                .connection_name = connection.name,
                                .request_id = request.id,
                                .trigger = trigger,
                                .status = "ok",
                                .started_ms = now_ms()};
  auto run = co_await sync_once(connection, blank, request.accept_held);
  if (!run) {
    // A value that the schema refuses is this list's trouble, not the database's; nor are other writers.
    const bool conflict = run.error().kind == ErrorKind::cancelled;
    if (run.error().kind != ErrorKind::invalid_input && !conflict) co_return std::unexpected(run.error());
    auto failed = blank;
    failed.status = "failed";
    failed.error_class = conflict ? registry::conflict_class : "refused";
    failed.detail = run.error().detail;
    if (conflict) failed.detail += " It is tried again at the next sync.";
    auto recorded = co_await record_failure(connection, failed);
    if (!recorded) co_return recorded;
    run = std::move(failed);
  }
  if (stopping_) co_return Result<void>{};
  sync_ms_.observe(std::chrono::duration<double, std::milli>(Clock::now() - began).count());
  told(connection, *run);
  co_return Result<void>{};
}

boost::asio::awaitable<Result<void>> Worker::record_failure(registry::Connection connection, registry::SyncRun run) {
  auto recorded =
      co_await stores_.run([connection, run](registry::Store& store) { return store.record_failure(connection, run); });
  // The connection was deleted, or others write to it at this very moment: no record of a run is worth the leadership.
  if (!recorded && recorded.error().kind == ErrorKind::cancelled) {
    spdlog::warn("a failed sync of {} was not recorded: {}", connection.name, recorded.error().detail);
    co_return Result<void>{};
  }
  co_return recorded;
}

boost::asio::awaitable<Result<registry::SyncRun>> Worker::sync_once(registry::Connection connection,
                                                                    registry::SyncRun run, bool accept_held) {
  auto stored = co_await stores_.run([connection](registry::Store& store) { return store.load_models(connection); });
  if (!stored) co_return std::unexpected(stored.error());
  auto catalogue = co_await catalogues_.read(connection, &*stored);
  if (stopping_) co_return run;
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
  for (int plans = 1;; ++plans) {
    auto plan = plan_sync(connection, catalogue->list, *stored, rules, now_ms());
    run.status = plan.held ? "held" : "ok";
    run.detail = plan.held_reason;
    run.listed = plan.listed;
    run.added = plan.added;
    run.updated = plan.updated;
    run.unchanged = plan.unchanged;
    run.missing = plan.missing;
    run.failed = plan.failed;
    const auto applied = co_await stores_.run([connection, run, plan = std::move(plan), body](registry::Store& store) {
      return store.apply(connection, plan, run, *body);
    });
    if (applied) co_return run;
    if (applied.error().kind != ErrorKind::cancelled || plans == plans_max || stopping_)
      co_return std::unexpected(applied.error());
    // Somebody changed a model in between: the same list against what is there now.
    stored = co_await stores_.run([connection](registry::Store& store) { return store.load_models(connection); });
    if (!stored) co_return std::unexpected(stored.error());
  }
}

void Worker::told(const registry::Connection& connection, const registry::SyncRun& run) {
  const bool well = run.status != "failed";
  const bool answered = registry::provider_answered(run);
  metrics_
      .gauge("ollama_health_status", "1: the connection listed its models when last asked; 0: it did not",
             {{"connection", connection.name}, {"org", connection.org_id.empty() ? "platform" : connection.org_id}})
      .set(answered ? 1 : 0);
  metrics_.counter("registry_sync_runs_total", "Syncs of one connection, by how they ended", {{"status", run.status}})
      .add();
  auto& words = connection_words_[connection.name];
  auto now = well ? fmt::format("{} models listed", run.listed) : fmt::format("down, {}", run.error_class);
  if (!well && answered) now = "listed, but not applied: others were writing; to be tried again";
  if (run.status == "held") now = fmt::format("held, {}", run.detail);
  const bool news = words != now || run.added + run.updated + run.missing > 0;
  words = std::move(now);
  if (!news && run.request_id.empty()) return;
  if (!well) {
    spdlog::warn("{}: {} ({})", connection.name, run.detail, run.error_class);
  } else if (run.status == "held") {
    spdlog::warn("{}: nothing was applied: {}. If that is right, accept it: tokenrail registry sync --accept",
                 connection.name, run.detail);
  } else {
    spdlog::info("{}: {} listed, {} added, {} updated, {} unchanged, {} missing, {} unreadable", connection.name,
                 run.listed, run.added, run.updated, run.unchanged, run.missing, run.failed);
  }
}

boost::asio::awaitable<Result<void>> Worker::publish() {
  auto published = co_await publication_.publish();
  if (!published) note_database(published.error());
  co_return published;
}

}  // namespace tokenrail::registry_sync
