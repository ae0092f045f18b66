#include "workers/router/shell/worker.hpp"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <set>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/crypto/key_ring_settings.hpp"
#include "common/events/model_event.hpp"
#include "common/http/client_options.hpp"
#include "common/kafka/endings.hpp"
#include "common/open_files.hpp"
#include "common/telemetry/loop_turns.hpp"
#include "common/topics/rules.hpp"
#include "workers/router/settings.hpp"

namespace tokenrail::router {

namespace {

constexpr Millis start_retry{2'000};
constexpr Millis admin_timeout{5'000};
constexpr Millis settle_poll{20};
constexpr int settle_rounds = 500;
// How often it is looked whether the cancellations have been read.
constexpr Millis cancellations_poll{100};

// Beside the sockets of the calls: brokers, files, health checks, connections that are kept.
constexpr std::uint64_t other_files = 256;

// An attempt for which no socket can be opened would fail; one that waits for another to end does not.
RouterOptions bounded_by_open_files(RouterOptions options) {
  const auto limit = raise_open_files_limit();
  const auto calls = std::max<std::uint64_t>(1, limit > other_files ? limit - other_files : limit / 2);
  if (calls >= options.in_flight_max) return options;
  spdlog::warn(
      "this process may open {} files, too few for router.in_flight_max={}: at most {} attempts run at a time; raise "
      "the hard limit (ulimit -Hn, LimitNOFILE= of systemd)",
      limit, options.in_flight_max, calls);
  options.in_flight_max = calls;
  return options;
}

/// Nothing where the environment is wrong: start() says so then, and nothing runs. The same holds for the key ring.
providers::Credentials credentials_of(const config::Values& values, const providers::StoredCredentials& stored) {
  auto connections = providers::environment_connections(values);
  return connections ? providers::Credentials(std::move(*connections), &stored) : providers::Credentials();
}
providers::StoredCredentials with_key_ring(const config::Values& values) {
  auto ring = crypto::load_key_ring(values);
  return ring ? providers::StoredCredentials(std::move(*ring)) : providers::StoredCredentials();
}

}  // namespace

Worker::Worker(boost::asio::io_context& loop, const config::Values& values)
    : loop_(loop),
      values_(values),
      options_(bounded_by_open_files(router_options(values))),
      registry_topic_(options_.topics.registry, "models", std::string(events::registry_mark_key)),
      credentials_topic_(options_.topics.credentials, "credentials", std::string(events::registry_mark_key)),
      asking_(loop, properties()),
      signals_(loop, SIGTERM, SIGINT),
      hang_up_(loop, SIGHUP),
      retry_(loop),
      producer_settling_(loop),
      waiting_(loop),
      router_metrics_(metrics_),
      environment_(loop),
      http_(http::make_client(loop, http_options(options_, http::client_options_from(values)), metrics_)),
      stored_credentials_(with_key_ring(values)),
      egress_(http::egress_from(values).value_or(http::Egress())),
      credentials_(credentials_of(values, stored_credentials_)),
      core_(options_,
            {.environment = environment_,
             .http = *http_,
             .projection = projection_,
             .questions = *this,
             .credentials = &credentials_,
             .egress = &egress_},
            router_metrics_) {
  environment_.on_wake = [this] { core_.on_wake(); };
  core_.on_producer_lost = [this] { renew_producer(); };
  core_.on_consumer_lost = [this] {
    // Not from inside the consumer's own call.
    boost::asio::post(loop_, [this] {
      consumer_.reset();
      if (leaving_) {
        finish(exit_code_);
      } else if (!stopping_) {
        later(retry_, start_retry, [this] { join(); });
      }
    });
  };
  metrics_.before_export([this] { core_.refresh_gauges(); });
}

Worker::~Worker() {
  // The clients call back into the core, so they go first.
  core_.connect(static_cast<kafka::GroupConsumer*>(nullptr));
  consumer_.reset();
  watch_.reset();
  registry_reader_.reset();
  core_.connect(static_cast<kafka::LogReader*>(nullptr));
  tail_reader_.reset();
  core_.connect(static_cast<kafka::Producer*>(nullptr));
  producer_.reset();
}

Result<void> Worker::start() {
  if (auto checked = http::check_client_options(values_); !checked) return checked;
  if (const auto egress = http::egress_from(values_); !egress) return std::unexpected(egress.error());
  if (const auto connections = providers::environment_connections(values_); !connections) {
    return std::unexpected(connections.error());
  }
  if (const auto ring = crypto::load_key_ring(values_); !ring) return std::unexpected(ring.error());
  if (const auto patterns = events::RedactionPatterns::compile(values_.list("audit.redact")); !patterns) {
    return std::unexpected(patterns.error());
  }
  if (const auto weights = parse_weights(values_.list("router.org_weights")); !weights) {
    return std::unexpected(weights.error());
  }
  auto health =
      http::start_health_server(loop_, values_.text("http.listen"), metrics_, [this] { return conditions(); });
  if (!health) return std::unexpected(health.error());
  health_ = std::move(*health);
  spdlog::info("health and metrics at http://127.0.0.1:{}/readyz", health_->port());

  signals_.async_wait([this](boost::system::error_code error, int) {
    if (!error) stop();
  });
  await_hang_up();
  if (const auto made = make_readers(); !made) return made;
  check_topics();
  return {};
}

// The terminal was closed, or an operator sent the signal that makes registry-sync run: running answers must not die.
void Worker::await_hang_up() {
  hang_up_.async_wait([this](boost::system::error_code error, int) {
    if (error) return;
    spdlog::info("SIGHUP: the router has nothing to reload; SIGTERM ends it");
    await_hang_up();
  });
}

// Before anything is known of the topics: while they are checked, these connect and look for leaders.
Result<void> Worker::make_readers() {
  const auto& t = options_.topics;
  // A broker answers a reader that has come to the end of a log only after this time. A start waits for it once or
  // twice, and each recovery.
  const auto answered_within = [this](const char* ms) {
    auto all = properties();
    all.emplace_back("fetch.wait.max.ms", ms);
    return all;
  };
  auto reader = kafka::LogReader::make(
      loop_, {.properties = answered_within("100"), .topics = {t.registry, t.credentials, t.cancellations}}, *this,
      metrics_);
  if (!reader) return std::unexpected(reader.error());
  registry_reader_ = std::move(*reader);

  auto tails =
      kafka::LogReader::make(loop_, {.properties = answered_within("10"), .topics = {t.requests, t.chunks, t.audit}},
                             core_.log_listener(), metrics_);
  if (!tails) return std::unexpected(tails.error());
  tail_reader_ = std::move(*tails);

  auto watch = kafka::LogWatch::make(
      loop_,
      {.properties = properties(),
       .topics = {t.requests, t.chunks, t.audit, t.cancellations, t.dlq, t.registry, t.credentials}},
      metrics_);
  if (!watch) return std::unexpected(watch.error());
  watch_ = std::move(*watch);
  return {};
}

void Worker::later(boost::asio::steady_timer& timer, Millis delay, std::function<void()> what) {
  timer.expires_after(delay);
  timer.async_wait([what = std::move(what)](boost::system::error_code error) {
    telemetry::loop_step("router start and producer");
    if (!error) what();
  });
}

kafka::Properties Worker::properties() const {
  kafka::Properties all;
  for (const auto& [name, value] : values_.kafka_properties()) all.emplace_back(name, value);
  return all;
}

// --- starting -------------------------------------------------------------------------------------------------------

void Worker::check_topics() {
  asking_.ask([this, t = options_.topics](const Result<kafka::Admin*>& admin) {
    auto described = [&]() -> Described {
      const auto none = [](const Error& error) {
        return Described{.needed = std::unexpected(error),
                         .cancellations = std::unexpected(error),
                         .credentials = std::unexpected(error)};
      };
      if (!admin) return none(admin.error());
      auto needed = (*admin)->describe({t.requests, t.chunks, t.audit, t.dlq, t.registry}, true, admin_timeout);
      if (!needed) return none(needed.error());
      return {.needed = std::move(needed),
              .cancellations = (*admin)->describe({t.cancellations}, true, admin_timeout),
              .credentials = (*admin)->describe({t.credentials}, false, admin_timeout)};
    }();
    return [this, described = std::move(described)] {
      telemetry::loop_step("topic check");
      if (!stopping_) topics_checked(described);
    };
  });
}

void Worker::topics_checked(const Described& found) {
  const auto& described = found.needed;
  if (!described) {
    if (described.error().kind == ErrorKind::invalid_input) {
      spdlog::error("{}", described.error().detail);
      finish(1);
      return;
    }
    const auto before = std::exchange(start_problem_, described.error().detail);
    if (before != start_problem_) spdlog::warn("{}; trying again", start_problem_);
    later(retry_, start_retry, [this] { check_topics(); });
    return;
  }
  auto topics = *described;
  if (found.cancellations) topics.insert(topics.end(), found.cancellations->begin(), found.cancellations->end());
  const auto findings = router::check_topics(options_, topics::limits_of(values_), topics);
  if (!findings.problems.empty()) {
    // Waits, as for everything else: an operator may be about to make them. Each problem is reported once.
    for (const auto& problem : findings.problems) {
      if (std::ranges::find(topic_problems_, problem) == topic_problems_.end())
        spdlog::error("{}; waiting until that is done", problem);
    }
    topic_problems_ = findings.problems;
    start_problem_ = findings.problems.front();
    later(retry_, start_retry, [this] { check_topics(); });
    return;
  }
  const auto& without = found.cancellations ? findings.no_cancellations : found.cancellations.error().detail;
  if (!without.empty() && !goes_on_without_cancellations(without)) return;
  if (!topic_problems_.empty()) spdlog::info("the topics are as they should be");
  for (const auto& warning : findings.warnings) spdlog::warn("{}", warning);
  core_.set_dead_letters(findings.dead_letter_partitions, findings.dead_letter_bytes_max);
  core_.set_cancellation_partitions(findings.cancellation_partitions);
  batch_bytes_max_ = findings.batch_bytes_max;

  core_.connect(tail_reader_.get(), registry_reader_.get());
  registry_topic_.read(*registry_reader_, findings.registry_partitions);
  read_credentials(found.credentials);
  start_problem_.clear();
  make_producer();
}

// A start waits for the topic as it waits for its records: a router that began too early would start what has been
// cancelled. A router that waited for ever would answer no request. False: it is waited for.
bool Worker::goes_on_without_cancellations(const std::string& problem) {
  const auto now = environment_.now().steady;
  if (!cancellations_until_) cancellations_until_ = now + options_.cancellations_wait;
  if (now < *cancellations_until_) {
    if (std::exchange(start_problem_, problem) != problem) spdlog::warn("{}; waiting until that is done", problem);
    later(retry_, start_retry, [this] { check_topics(); });
    return false;
  }
  core_.go_on_without_cancellations(problem);
  spdlog::warn("{}; requests start without cancellations, and the topic is looked for again every {} s", problem,
               options_.look_interval.count() / 1000);
  return true;
}

// Without them a router answers what needs no stored credential. The topic is looked for at each look at the logs.
void Worker::read_credentials(const Result<std::vector<kafka::TopicDescription>>& described) {
  credentials_until_ = environment_.now().steady + options_.cancellations_wait;
  if (described && !described->empty()) {
    credentials_topic_.read(*registry_reader_, described->front().partitions);
    return;
  }
  credentials_problem_ =
      described ? fmt::format("topic {} does not exist; run: tokenrail topics apply", credentials_topic_.topic())
                : described.error().detail;
  spdlog::warn("no stored credentials: {}; looking for the topic again every {} s", credentials_problem_,
               options_.look_interval.count() / 1000);
}

// A mark says that a whole registry precedes it; what was published since follows it.
void Worker::join_when_read() {
  if (consumer_ || stopping_ || !projection_.complete() || !registry_topic_.whole()) return;
  wait_for_cancellations();
}

// A member that does not know them would own partitions and start nothing. Stored credentials are waited for as long:
// without them its first requests would end as CREDENTIAL_MISSING.
void Worker::wait_for_cancellations() {
  if (consumer_ || stopping_) return;
  const bool credentials = credentials_topic_.whole() || environment_.now().steady >= credentials_until_;
  if (core_.cancellations_read() && credentials) {
    join();
  } else {
    later(waiting_, cancellations_poll, [this] { wait_for_cancellations(); });
  }
}

// --- the group ------------------------------------------------------------------------------------------------------

void Worker::join() {
  if (consumer_ || stopping_) return;
  auto consumer = kafka::GroupConsumer::join(
      loop_,
      {.properties = properties(), .group_id = values_.text("router.group_id"), .topics = {options_.topics.requests}},
      core_.consumer_listener(), metrics_);
  if (!consumer) {
    spdlog::error("{}", consumer.error().detail);
    finish(1);
    return;
  }
  spdlog::info("the registry is there ({} models); joining the group {}", projection_.size(),
               values_.text("router.group_id"));
  consumer_ = std::move(*consumer);
  core_.connect(consumer_.get());
}

// --- the producer ---------------------------------------------------------------------------------------------------

void Worker::make_producer() {
  auto all = properties();
  // Values of records on the dead-letter topic are the requests' own, whatever the router would have taken.
  all.emplace_back("message.max.bytes", std::to_string(topics::produced_bytes_max));
  auto producer = kafka::Producer::make(loop_, {.properties = std::move(all)}, core_.producer_listener(), metrics_);
  if (!producer) {
    spdlog::error("{}", producer.error().detail);
    finish(1);
    return;
  }
  producer_ = std::move(*producer);
  for (const auto& name : {options_.topics.chunks, options_.topics.audit, options_.topics.dlq})
    if (const auto limit = batch_bytes_max_.find(name); limit != batch_bytes_max_.end())
      producer_->set_topic_bytes_max(producer_->topic(name), limit->second);
  core_.connect(producer_.get());
}

void Worker::renew_producer() {
  // Not from inside the producer's own call.
  boost::asio::post(loop_, [this] {
    if (!producer_) return;
    producer_->purge();
    wait_for_old_producer(settle_rounds);
  });
}

void Worker::wait_for_old_producer(int rounds_left) {
  if (producer_ && producer_->unreported() > 0 && rounds_left > 0) {
    later(producer_settling_, settle_poll, [this, rounds_left] { wait_for_old_producer(rounds_left - 1); });
    return;
  }
  core_.connect(static_cast<kafka::Producer*>(nullptr));
  producer_.reset();
  replace_producer(settle_rounds);
}

// Nothing of the old one may be written behind what the new one writes.
void Worker::replace_producer(int rounds_left) {
  if (kafka::clients_ending() > 0 && rounds_left > 0) {
    later(producer_settling_, settle_poll, [this, rounds_left] { replace_producer(rounds_left - 1); });
    return;
  }
  make_producer();
}

// --- stopping -------------------------------------------------------------------------------------------------------

void Worker::stop() {
  signals_.async_wait([this](boost::system::error_code error, int) {
    if (!error) stop();
  });
  if (!std::exchange(stopping_, true)) {
    spdlog::info("stopping; a second signal skips the draining");
    core_.drain(values_.duration("router.drain_timeout"), [this] { boost::asio::post(loop_, [this] { leave(); }); });
  } else {
    core_.drain(Millis(0), nullptr);
  }
}

void Worker::leave() {
  if (std::exchange(leaving_, true)) return;
  finish(exit_code_);
}

void Worker::finish(int exit_code) {
  exit_code_ = exit_code;
  stopping_ = true;
  if (health_) health_->stop();
  loop_.stop();
}

std::vector<telemetry::Condition> Worker::conditions() const {
  std::vector<telemetry::Condition> all;
  for (auto& condition : core_.conditions()) {
    if (condition.name == "topics" && !start_problem_.empty()) condition.problem = start_problem_;
    all.push_back(std::move(condition));
  }
  all.push_back(credentials_condition());
  return all;
}

// A note, never a problem: models that need no stored credential are answered all the same.
telemetry::Condition Worker::credentials_condition() const {
  std::string note = credentials_problem_;
  if (note.empty() && !credentials_topic_.whole())
    note = fmt::format("{} has not been read to its end yet", credentials_topic_.topic());
  if (note.empty()) note = stored_credentials_.trouble();
  return {.name = "credentials", .problem = "", .note = std::move(note)};
}

}  // namespace tokenrail::router
