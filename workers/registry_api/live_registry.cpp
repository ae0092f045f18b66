#include "workers/registry_api/live_registry.hpp"

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "common/events/model_event.hpp"
#include "common/telemetry/loop_turns.hpp"
#include "workers/registry_api/loop_step.hpp"

namespace tokenrail::registry_api {

namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 5s;
constexpr auto describe_time_max = 5s;
constexpr auto look_again = 1s;  ///< while there is no whole registry

}  // namespace

LiveRegistry::LiveRegistry(boost::asio::io_context& loop, std::string topic)
    : loop_(loop), topic_(std::move(topic), "models", std::string(events::registry_mark_key)), timer_(loop) {}

LiveRegistry::~LiveRegistry() = default;

Result<void> LiveRegistry::start(const kafka::Properties& properties, telemetry::Metrics& metrics) {
  auto reader = kafka::LogReader::make(loop_, {.properties = properties, .topics = {topic_.topic()}}, *this, metrics);
  if (!reader) return std::unexpected(reader.error());
  reader_ = std::move(*reader);
  auto watch = kafka::LogWatch::make(loop_, {.properties = properties, .topics = {topic_.topic()}}, metrics);
  if (!watch) return std::unexpected(watch.error());
  watch_ = std::move(*watch);
  asking_ = std::make_unique<kafka::AdminThread>(loop_, properties);
  look();
  return {};
}

void LiveRegistry::stop() {
  timer_.cancel();
  asking_.reset();
  watch_.reset();
  reader_.reset();
}

std::string LiveRegistry::problem() const {
  if (topic_.whole() && projection_.complete()) return {};
  if (topic_.whole()) return "registry-sync has not published the registry yet";
  return problem_;
}

void LiveRegistry::look() {
  std::vector<kafka::WitnessQuestion> questions;
  auto asked = topic_.ask(questions);
  watch_->look(std::move(questions), [this, asked = std::move(asked)](const Result<kafka::LogSurvey>& survey) {
    if (survey) {
      topic_.on_survey(*reader_, *survey, 0, asked);
      if (topic_.partitions() == 0) return ask_why_missing();
    } else {
      problem_ = survey.error().detail;
    }
    look_later();
  });
}

// A list of all topics leaves out those that we may not see.
void LiveRegistry::ask_why_missing() {
  asking_->ask([this, topic = topic_.topic()](const Result<kafka::Admin*>& admin) {
    const auto found = admin ? (*admin)->describe({topic}, false, describe_time_max)
                             : Result<std::vector<kafka::TopicDescription>>(std::unexpected(admin.error()));
    auto problem = !found           ? found.error().detail
                   : found->empty() ? fmt::format("topic {} does not exist; run: tokenrail topics apply", topic)
                                    : std::string();
    return [this, problem = std::move(problem)] {
      telemetry::loop_step(loop_step_name);
      if (!problem.empty()) problem_ = problem;
      look_later();
    };
  });
}

void LiveRegistry::look_later() {
  timer_.expires_after(problem().empty() ? look_every : look_again);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    telemetry::loop_step(loop_step_name);
    look();
  });
}

void LiveRegistry::on_record(kafka::Record&& record) {
  topic_.on_record(record);
  const auto value = record.value ? std::optional<std::string_view>(*record.value) : std::nullopt;
  if (projection_.apply(record.key.value_or(""), value) == registry::Projection::Applied::malformed) {
    spdlog::warn("the registry record at {} {}:{} could not be read; what was known before stays", record.topic,
                 record.partition, record.offset);
  }
  forget_unnamed();
}

void LiveRegistry::forget_unnamed() {
  const auto keys = topic_.take_keys();
  if (!keys) return;
  if (const auto count = projection_.keep_only(*keys); count > 0) {
    spdlog::warn("{} of the registry's records that were known before are not on the new {}, and are forgotten", count,
                 topic_.topic());
  }
}

void LiveRegistry::on_end(const kafka::TopicPartition& partition, std::int64_t next_offset) {
  const bool before = problem().empty();
  topic_.on_end(partition.partition, next_offset);
  forget_unnamed();
  if (!before && problem().empty()) spdlog::info("the registry is there ({} models)", projection_.size());
}

void LiveRegistry::on_failure(const kafka::TopicPartition& partition, const Error& error) {
  problem_ = error.detail;
  spdlog::error("{} {}: {}", partition.topic, partition.partition, error.detail);
}

}  // namespace tokenrail::registry_api
