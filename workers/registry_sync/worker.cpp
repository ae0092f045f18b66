#include "workers/registry_sync/worker.hpp"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "common/async/bounded_parallel.hpp"
#include "common/crypto/key_ring_settings.hpp"
#include "common/http/client_options.hpp"
#include "common/providers/environment.hpp"
#include "common/registry/migrator.hpp"
#include "workers/registry_sync/loop_step.hpp"
#include "workers/registry_sync/retry.hpp"

namespace tokenrail::registry_sync {

namespace {

constexpr std::size_t store_threads = 3;
constexpr std::size_t process_parts = 2;  ///< of a process's work
constexpr std::size_t parts = 6;          ///< of a leader's work

kafka::Properties properties_from(const config::Values& values) {
  kafka::Properties properties;
  for (const auto& [name, value] : values.kafka_properties()) properties.emplace_back(name, value);
  return properties;
}

Options checked_options(const config::Values& values) {
  auto options = options_from(values);
  if (!options) throw std::invalid_argument(options.error().detail);
  return std::move(*options);
}

/// Nothing where they are wrong, which checked_options() has said then.
providers::Credentials credentials_from(const config::Values& values, const providers::StoredCredentials& stored) {
  auto connections = providers::environment_connections(values);
  return connections ? providers::Credentials(std::move(*connections), &stored) : providers::Credentials();
}

/// Nothing where the ring is wrong: start() says so then, and nothing runs.
providers::StoredCredentials with_key_ring(const config::Values& values) {
  auto ring = crypto::load_key_ring(values);
  return ring ? providers::StoredCredentials(std::move(*ring)) : providers::StoredCredentials();
}

}  // namespace

Worker::Worker(boost::asio::io_context& loop, const config::Values& values)
    : loop_(loop),
      values_(values),
      options_(checked_options(values)),
      database_{.url = values.text("database.url"), .application = "tokenrail-registry-sync"},
      notes_([this] { leadership_.look(); }),
      leadership_(loop, database_, metrics_, notes_),
      stores_(database_, store_threads, leadership_.fence()),
      providers_{.http = http::make_client(loop, http::client_options_from(values), metrics_),
                 .stored = with_key_ring(values),
                 .open = credentials_from(values, providers_.stored)},
      syncs_(
          loop, *providers_.http, {.open = providers_.open, .stored = providers_.stored}, options_, stores_, metrics_,
          [this](const SyncOrder& order, const Result<void>& result) { on_synced(order, result); },
          [this] { end_all(); }),
      sharing_(loop, database_, leadership_.holder(), options_, syncs_,
               [this](const Result<void>& result) { return notes_.noted("syncs", result); }),
      topics_(loop, properties_from(values), options_, database_, leadership_, notes_, metrics_,
              {.connections_made = [this] { return timetable_.connections_made(); },
               .prepared = [this] { timetable_.wake(); },
               .published = [this] { requests_.wake(); }}),
      timetable_(loop, options_, stores_, syncs_, leadership_, notes_,
                 {.prepared = [this] { return topics_.prepared(); },
                  .connections_due =
                      [this] {
                        requests_.wake();
                        sharing_.wake();
                      }}),
      requests_(loop, options_, stores_, topics_, leadership_, notes_,
                {.connections_made = [this] { return timetable_.connections_made(); },
                 .sync_asked = [this] { sharing_.wake(); }}),
      signals_{.stop = {loop, SIGTERM, SIGINT}, .hang_up = {loop, SIGHUP}} {}

Worker::~Worker() = default;

Result<void> Worker::start() {
  if (const auto ring = crypto::load_key_ring(values_); !ring) return std::unexpected(ring.error());
  if (auto checked = topics_.check_properties(); !checked) return checked;
  if (auto checked = http::check_client_options(values_); !checked) return checked;
  auto health =
      http::start_health_server(loop_, values_.text("http.listen"), metrics_, [this] { return conditions(); });
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
  signals_.stop.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    stop();
    await_stop();
  });
}

void Worker::await_hang_up() {
  signals_.hang_up.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    spdlog::info("SIGHUP: syncing now");
    boost::asio::co_spawn(loop_, make_due("event"), boost::asio::detached);
    topics_.ask_for_comparison();
    topics_.wake_all();
    await_hang_up();
  });
}

void Worker::stop() {
  // A second signal means: now. What was being written is written again by the next leader.
  if (++stops_ > 1) std::_Exit(1);
  spdlog::info("stopping");
  end_all();
}

void Worker::end_all() {
  leadership_.stop();
  end_term();
  sharing_.stop();
}

void Worker::end_term() {
  leadership_.end_term();
  topics_.stop();
  timetable_.wake();
  requests_.wake();
}

void Worker::finish() {
  signals_.stop.cancel();
  signals_.hang_up.cancel();
  if (health_) health_->stop();
  // Their sockets would keep the loop waiting.
  topics_.close();
  providers_.http.reset();
  ended_ = true;
  spdlog::info("stopped");
}

std::vector<telemetry::Condition> Worker::conditions() const {
  std::vector<telemetry::Condition> all{{"database", notes_.problem()}};
  if (leading()) {
    for (auto& condition : topics_.conditions()) all.push_back(std::move(condition));
  }
  // A provider that is down concerns its models, not this process: reported, but no reason to be taken out of service.
  if (!timetable_.held().empty()) all.push_back({fmt::format("held changes: {}", timetable_.held()), ""});
  for (const auto& [name, words] : syncs_.words()) all.push_back({fmt::format("connection {}: {}", name, words), ""});
  return all;
}

boost::asio::awaitable<void> Worker::make_due(std::string trigger) {
  notes_.noted("timetable",
               co_await stores_.run([trigger](registry::Store& store) { return store.make_due(trigger); }));
  sharing_.wake();
}

boost::asio::awaitable<bool> Worker::migrate() {
  while (!leadership_.stopping()) {
    const auto options = database_;
    const auto migrated = co_await stores_.run_plain([options] { return registry::migrate(options); });
    if (migrated) {
      // Not ready yet: whether this process leads comes first.
      for (const auto& name : *migrated) spdlog::info("applied migration {}", name);
      co_return true;
    }
    notes_.note("leadership", migrated.error().detail);
    if (migrated.error().kind == ErrorKind::rejected || migrated.error().kind == ErrorKind::invalid_input) {
      exit_code_ = 1;
      co_return false;
    }
    co_await leadership_.pause(retry_after);
  }
  co_return false;
}

boost::asio::awaitable<void> Worker::run() {
  if (!co_await migrate()) co_return;
  async::BoundedParallel lanes(loop_, process_parts, loop_step_name);
  co_await lanes.run(process_parts, [this](std::size_t index) { return process_part(index); });
}

boost::asio::awaitable<void> Worker::process_part(std::size_t index) {
  try {
    if (index == 0) co_await leadership_.run([this] { return lead(); });
    if (index == 1) co_await sharing_.run();
  } catch (...) {
    // Neither goes on without the other.
    end_all();
    throw;
  }
}

boost::asio::awaitable<void> Worker::lead() {
  topics_.begin();
  timetable_.begin();
  requests_.begin();
  async::BoundedParallel lanes(loop_, parts, loop_step_name);
  co_await lanes.run(parts, [this](std::size_t index) { return part(index); });
  timetable_.end();
  notes_.forget({"topics", "history topic", "credentials topic", "timetable", "requests"});
}

boost::asio::awaitable<void> Worker::part(std::size_t index) {
  try {
    if (index == 0) co_await leadership_.keep();
    if (index == 1) co_await topics_.keep_state();
    if (index == 2) co_await timetable_.keep();
    if (index == 3) co_await requests_.keep();
    if (index == 4) co_await topics_.keep_credentials();
    if (index == 5) co_await topics_.keep_history();
  } catch (...) {
    end_term();
    throw;
  }
  end_term();
}

void Worker::on_synced(const SyncOrder& order, const Result<void>& result) {
  const bool lost = !result && result.error().kind == ErrorKind::rejected;
  if (lost) {
    spdlog::warn("{}", result.error().detail);
  } else {
    notes_.noted("syncs", result);
  }
  sharing_.ended(order, result.has_value());
  topics_.wake();
  requests_.wake();
}

}  // namespace tokenrail::registry_sync
