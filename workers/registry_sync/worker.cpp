#include "workers/registry_sync/worker.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/core.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "common/async/bounded_parallel.hpp"
#include "common/crypto/key_ring_settings.hpp"
#include "common/http/client_options.hpp"
#include "common/providers/environment.hpp"
#include "common/registry/migrator.hpp"
#include "common/registry/text.hpp"
#include "workers/registry_sync/loop_step.hpp"
#include "workers/registry_sync/metric_families.hpp"

namespace tokenrail::registry_sync {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t store_threads = 3;
constexpr auto prune_every = 1h;
constexpr auto first_round_max = 10s;
constexpr auto words_every = 5s;          ///< connections that are gone are no longer reported
constexpr std::size_t process_parts = 2;  ///< of a process's work
constexpr std::size_t parts = 6;          ///< of a leader's work
constexpr auto measure_every = 1s;        ///< the outbox, which may be long

kafka::Properties properties_from(const config::Values& values) {
  kafka::Properties properties;
  for (const auto& [name, value] : values.kafka_properties()) properties.emplace_back(name, value);
  return properties;
}

/// For people who ask who leads. The random end distinguishes processes of one number on hosts of one name.
std::string holder_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  const auto name = registry::storable(host.data(), 128);
  return fmt::format("{}/{}/{:08x}", name.empty() ? "unknown" : name, ::getpid(), std::random_device{}());
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
      holder_(holder_name()),
      fence_(std::make_shared<registry::Fence>()),
      lease_thread_(database_, 1, fence_),
      topic_thread_(database_, 1, fence_),
      history_topic_thread_(database_, 1, fence_),
      credentials_topic_thread_(database_, 1, fence_),
      stores_(database_, store_threads, fence_),
      lease_(database_, holder_, fence_),
      http_(http::make_client(loop, http::client_options_from(values), metrics_)),
      stored_credentials_(with_key_ring(values)),
      credentials_(credentials_from(values, stored_credentials_)),
      syncs_(
          loop, *http_, {.open = credentials_, .stored = stored_credentials_}, options_, stores_, metrics_,
          [this](const SyncOrder& order, const Result<void>& result) { on_synced(order, result); },
          [this] {
            stopping_ = true;
            end_term();
            sharing_.stop();
            idle_.wake();
          }),
      sharing_(loop, database_, holder_, options_, syncs_,
               [this](const Result<void>& result) { return noted("syncs", result); }),
      publication_(loop, properties_from(values), relay_options(Destination::state), options_.reconcile_interval,
                   topic_thread_, metrics_),
      history_(loop, properties_from(values), relay_options(Destination::events), history_topic_thread_, metrics_),
      credential_publication_(loop, properties_from(values), relay_options(Destination::credentials),
                              options_.reconcile_interval, credentials_topic_thread_, metrics_),
      stop_signals_(loop, SIGTERM, SIGINT),
      hang_up_(loop, SIGHUP),
      idle_(loop, loop_step_name),
      lease_wait_(loop, loop_step_name),
      topic_wait_(loop, loop_step_name),
      history_topic_wait_(loop, loop_step_name),
      credentials_topic_wait_(loop, loop_step_name),
      timetable_wait_(loop, loop_step_name),
      request_wait_(loop, loop_step_name),
      leader_gauge_(metrics_.gauge(metric_family("registry_sync_leader"))) {
  constexpr std::array outbox_parts{std::pair("state", Destination::state), std::pair("history", Destination::events),
                                    std::pair("credentials", Destination::credentials)};
  for (const auto& [name, to] : outbox_parts) {
    outbox_gauges_.push_back({.part = outbox_part(to),
                              .rows = metrics_.gauge(metric_family("registry_outbox_rows"), {name}),
                              .age = metrics_.gauge(metric_family("registry_outbox_oldest_seconds"), {name})});
  }
}

Worker::~Worker() = default;

RelayOptions Worker::relay_options(Destination to) {
  return {.to = to, .topics = options_.topics, .leads = [this] { return !over(); }};
}

Result<void> Worker::start() {
  if (const auto ring = crypto::load_key_ring(values_); !ring) return std::unexpected(ring.error());
  if (auto checked = publication_.check_properties(); !checked) return checked;
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
    boost::asio::co_spawn(loop_, make_due("event"), boost::asio::detached);
    publication_.ask_for_comparison();
    credential_publication_.ask_for_comparison();
    topic_wait_.wake();
    history_topic_wait_.wake();
    credentials_topic_wait_.wake();
    await_hang_up();
  });
}

void Worker::stop() {
  // A second signal means: now. What was being written is written again by the next leader.
  if (++stops_ > 1) std::_Exit(1);
  spdlog::info("stopping");
  stopping_ = true;
  end_term();
  sharing_.stop();
  idle_.wake();
}

void Worker::finish() {
  stop_signals_.cancel();
  hang_up_.cancel();
  if (health_) health_->stop();
  // Their sockets would keep the loop waiting.
  publication_.close();
  history_.close();
  credential_publication_.close();
  http_.reset();
  ended_ = true;
  spdlog::info("stopped");
}

std::vector<telemetry::Condition> Worker::conditions() const {
  std::string database;
  for (const auto& [part, problem] : database_problems_)
    if (database.empty()) database = problem;
  std::vector<telemetry::Condition> all{{"database", database}};
  if (leading_) {
    all.push_back({"kafka", publication_.problem()});
    all.push_back({"history", history_.problem()});
    all.push_back({"registry", publication_.whole() ? "" : "the registry has not been published whole yet"});
    auto credentials = credential_publication_.problem();
    if (credentials.empty() && !credential_publication_.whole())
      credentials = "the sealed credentials have not been published whole yet";
    all.push_back({"credentials", std::move(credentials)});
  }
  // A provider that is down concerns its models, not this process: reported, but no reason to be taken out of service.
  if (!held_.empty()) all.push_back({fmt::format("held changes: {}", held_), ""});
  for (const auto& [name, words] : syncs_.words()) all.push_back({fmt::format("connection {}: {}", name, words), ""});
  return all;
}

void Worker::note_database(const std::string& part, const std::string& problem) {
  auto& noted = database_problems_[part];
  if (noted != problem && !problem.empty()) spdlog::error("{}", problem);
  noted = problem;
}

boost::asio::awaitable<void> Worker::make_due(std::string trigger) {
  noted("timetable", co_await stores_.run([trigger](registry::Store& store) { return store.make_due(trigger); }));
  sharing_.wake();
}

// ---- leadership --------------------------------------------------------------------------------------------------

boost::asio::awaitable<bool> Worker::migrate() {
  while (!stopping_) {
    const auto options = database_;
    const auto migrated = co_await stores_.run_plain([options] { return registry::migrate(options); });
    if (migrated) {
      // Not ready yet: whether this process leads comes first.
      for (const auto& name : *migrated) spdlog::info("applied migration {}", name);
      co_return true;
    }
    note_database("leadership", migrated.error().detail);
    if (migrated.error().kind == ErrorKind::rejected || migrated.error().kind == ErrorKind::invalid_input) {
      exit_code_ = 1;
      co_return false;
    }
    co_await idle_.wait(retry_after);
  }
  co_return false;
}

boost::asio::awaitable<Result<bool>> Worker::hold_lease() {
  const auto asked = Clock::now();
  auto* lease = &lease_;
  auto held = co_await lease_thread_.run_plain([lease] { return lease->hold(); });
  note_database("leadership", held ? std::string() : held.error().detail);
  if (held && *held) lease_until_ = asked + registry::lease_duration;
  co_return held;
}

boost::asio::awaitable<void> Worker::run() {
  if (!co_await migrate()) co_return;
  async::BoundedParallel lanes(loop_, process_parts, loop_step_name);
  co_await lanes.run(process_parts, [this](std::size_t index) { return process_part(index); });
}

boost::asio::awaitable<void> Worker::process_part(std::size_t index) {
  try {
    if (index == 0) co_await lead_when_possible();
    if (index == 1) co_await sharing_.run();
  } catch (...) {
    // Neither goes on without the other.
    stopping_ = true;
    end_term();
    sharing_.stop();
    idle_.wake();
    throw;
  }
}

boost::asio::awaitable<void> Worker::lead_when_possible() {
  bool said = false;
  while (!stopping_) {
    const auto held = co_await hold_lease();
    if (stopping_) break;
    if (held && *held) {
      spdlog::info("leading: publishing the registry");
      co_await lead();
      said = false;
    } else if (held && !std::exchange(said, true)) {
      spdlog::info("another registry-sync leads; standing by");
    }
    if (!stopping_) co_await idle_.wait(registry::lease_renewal);
  }
  auto* lease = &lease_;
  co_await lease_thread_.run_plain([lease] {
    lease->release();
    return true;
  });
}

boost::asio::awaitable<void> Worker::lead() {
  leading_ = true;
  leader_gauge_.set(1);
  term_over_ = versions_looked_at_ = connections_made_ = first_round_over_ = false;
  prune_due_ = {};
  taken_.clear();
  republishing_.clear();
  first_round_until_ = Clock::now() + first_round_max;
  publication_.begin();
  history_.begin();
  credential_publication_.begin();
  async::BoundedParallel lanes(loop_, parts, loop_step_name);
  co_await lanes.run(parts, [this](std::size_t index) { return part(index); });
  leading_ = false;
  leader_gauge_.set(0);
  syncs_.show_health({});
  held_.clear();
  for (const auto* part : {"topics", "history topic", "credentials topic", "timetable", "requests"})
    database_problems_.erase(part);
  if (!stopping_) {
    spdlog::warn("no longer leading: {}", fence_->epoch() == 0 ? "another registry-sync has taken the lease"
                                                               : "the lease was not renewed in time");
  }
}

boost::asio::awaitable<void> Worker::part(std::size_t index) {
  try {
    if (index == 0) co_await keep_lease();
    if (index == 1) co_await keep_topics();
    if (index == 2) co_await keep_timetable();
    if (index == 3) co_await keep_requests();
    if (index == 4) co_await keep_credentials_topic();
    if (index == 5) co_await keep_history_topic();
  } catch (...) {
    end_term();
    throw;
  }
  end_term();
}

void Worker::end_term() {
  term_over_ = true;
  publication_.stop();
  history_.stop();
  credential_publication_.stop();
  for (auto* wait :
       {&lease_wait_, &topic_wait_, &history_topic_wait_, &credentials_topic_wait_, &timetable_wait_, &request_wait_})
    wait->wake();
}

boost::asio::awaitable<void> Worker::keep_lease() {
  while (!over()) {
    co_await lease_wait_.wait(registry::lease_renewal);
    if (stopping_ || term_over_) co_return;
    const auto held = co_await hold_lease();
    if (held && !*held) co_return;
  }
}

// ---- topics ------------------------------------------------------------------------------------------------------

boost::asio::awaitable<bool> Worker::first_round_over() {
  if (!first_round_over_ && Clock::now() >= first_round_until_) first_round_over_ = true;
  if (first_round_over_ || !connections_made_) co_return first_round_over_;
  const auto due = co_await topic_thread_.run(
      [adapters = listing_adapters()](registry::Store& store) { return store.any_due(adapters); });
  first_round_over_ = due && !*due;
  co_return first_round_over_;
}

boost::asio::awaitable<void> Worker::keep_topics() {
  // The versions that readers hold already must be known before the first is given out, where Kafka can report them.
  noted("topics", co_await publication_.prepare());
  versions_looked_at_ = true;
  timetable_wait_.wake();
  while (!over()) {
    ++passes_begun_;
    const bool complete = co_await first_round_over();
    const auto published = co_await publication_.publish(complete);
    ++passes_ended_;
    request_wait_.wake();
    history_topic_wait_.wake();
    bool well = noted("topics", published);
    if (well && !over()) well = noted("topics", co_await measure_outbox());
    if (over()) break;
    if (well) {
      co_await topic_wait_.wait(options_.poll_interval);
    } else {
      co_await topic_wait_.wait(retry_after);
    }
  }
}

boost::asio::awaitable<void> Worker::keep_history_topic() {
  while (!over()) {
    const bool well = noted("history topic", co_await history_.publish());
    if (!over())
      co_await history_topic_wait_.wait(well ? std::chrono::milliseconds(options_.poll_interval) : retry_after);
  }
}

boost::asio::awaitable<void> Worker::keep_credentials_topic() {
  while (!over()) {
    const bool well = noted("credentials topic", co_await credential_publication_.publish(true));
    request_wait_.wake();
    if (!over())
      co_await credentials_topic_wait_.wait(well ? std::chrono::milliseconds(options_.poll_interval) : retry_after);
  }
}

boost::asio::awaitable<Result<void>> Worker::measure_outbox() {
  if (Clock::now() < measure_due_) co_return Result<void>{};
  measure_due_ = Clock::now() + measure_every;
  for (auto& gauges : outbox_gauges_) {
    const auto part = gauges.part;
    const auto lag = co_await topic_thread_.run([part](registry::Store& store) { return store.outbox_lag(part); });
    if (!lag) co_return std::unexpected(lag.error());
    gauges.rows.set(static_cast<double>(lag->rows));
    gauges.age.set(static_cast<double>(lag->oldest.count()) / 1000.0);
  }
  co_return Result<void>{};
}

// ---- timetable ---------------------------------------------------------------------------------------------------

boost::asio::awaitable<void> Worker::keep_timetable() {
  while (!over() && !versions_looked_at_) co_await timetable_wait_.wait(retry_after);
  const auto platform = options_.platform;
  while (!over() && !connections_made_) {
    connections_made_ = noted("timetable", co_await stores_.run([platform](registry::Store& store) -> Result<void> {
      for (const auto& connection : platform) {
        if (const auto made = store.ensure_platform_connection(connection); !made) {
          return std::unexpected(made.error());
        }
      }
      if (auto due = store.make_due("start"); !due) return due;
      return store.let_syncs_begin();
    }));
    if (!connections_made_ && !over()) co_await timetable_wait_.wait(retry_after);
  }
  request_wait_.wake();
  sharing_.wake();
  while (!over()) {
    co_await prune_when_due();
    co_await note_connections();
    if (!over()) co_await timetable_wait_.wait(words_every);
  }
}

boost::asio::awaitable<void> Worker::note_connections() {
  const auto all = co_await stores_.run([](registry::Store& store) { return store.connections(); });
  if (!noted("timetable", all)) co_return;
  syncs_.keep_words(*all);
  if (!over()) syncs_.show_health(*all);
  const auto held = co_await stores_.run([](registry::Store& store) { return store.held_changes(""); });
  if (noted("timetable", held) && !over()) held_ = registry::held_words(*held);
}

boost::asio::awaitable<void> Worker::prune_when_due() {
  if (over() || Clock::now() < prune_due_) co_return;
  prune_due_ = Clock::now() + prune_every;
  const auto age = options_.history_age;
  const auto pruned = co_await stores_.run([age](registry::Store& store) { return store.prune(age); });
  if (!pruned) spdlog::warn("old records were not removed: {}", pruned.error().detail);
}

void Worker::on_synced(const SyncOrder& order, const Result<void>& result) {
  const bool lost = !result && result.error().kind == ErrorKind::rejected;
  if (lost) {
    spdlog::warn("{}", result.error().detail);
  } else {
    noted("syncs", result);
  }
  sharing_.ended(order, result.has_value());
  topic_wait_.wake();
  request_wait_.wake();
}

}  // namespace tokenrail::registry_sync
