// What the worker reads beside the group: the registry, stored credentials and cancellations. And the questions about
// logs that the core asks.
#include <utility>

#include <spdlog/spdlog.h>

#include "common/telemetry/loop_turns.hpp"
#include "workers/router/shell/worker.hpp"

namespace tokenrail::router {

namespace {

constexpr Millis question_timeout{5'000};

}  // namespace

void Worker::on_record(kafka::Record&& record) {
  if (record.topic == options_.topics.cancellations) {
    core_.log_listener().on_record(std::move(record));
    return;
  }
  auto& topic = record.topic == credentials_topic_.topic() ? credentials_topic_ : registry_topic_;
  topic.on_record(record);
  if (&topic == &credentials_topic_) {
    on_credential_record(record);
  } else {
    on_registry_record(record);
  }
  forget_unnamed(topic);
}

void Worker::on_credential_record(const kafka::Record& record) {
  const auto value = record.value ? std::optional<std::string_view>(*record.value) : std::nullopt;
  const auto applied = stored_credentials_.apply(record.key.value_or(""), value);
  if (applied == providers::StoredCredentials::Applied::malformed) {
    spdlog::warn("the credential at {} {}:{} could not be read; what was known before stays", record.topic,
                 record.partition, record.offset);
  }
}

void Worker::on_registry_record(const kafka::Record& record) {
  const auto value = record.value ? std::optional<std::string_view>(*record.value) : std::nullopt;
  const auto key = record.key.value_or("");
  const auto applied = projection_.apply(key, value);
  if (applied == registry::Projection::Applied::changed) warn_of_invalid_parameters(key);
  if (applied == registry::Projection::Applied::malformed) {
    spdlog::warn("the registry record at {} {}:{} could not be read; what was known before stays", record.topic,
                 record.partition, record.offset);
  }
  if (projection_.complete()) {
    core_.on_registry_changed();
    join_when_read();
  }
}

/// Forgets what a topic that was created again does not name: a model or a credential that was removed while this
/// router could not read the record that says so.
void Worker::forget_unnamed(kafka::TopicFollower& topic) {
  const auto keys = topic.take_keys();
  if (!keys) return;
  const bool credentials = &topic == &credentials_topic_;
  const auto count = credentials ? stored_credentials_.keep_only(*keys) : projection_.keep_only(*keys);
  if (count == 0) return;
  spdlog::warn("{} of the {} that were known before are not on the new {}, and are forgotten", count,
               credentials ? "credentials" : "registry's records", topic.topic());
  if (!credentials) core_.on_registry_changed();
}

/// Warns about a model that has just changed. Its event may hold a default parameter of a newer version.
void Worker::warn_of_invalid_parameters(const std::string& key) const {
  const auto found = projection_.models().find(key);
  if (found == projection_.models().end()) return;
  for (const auto& text : events::invalid_parameters(found->second)) spdlog::warn("{}", text);
}

void Worker::on_end(const kafka::TopicPartition& partition, std::int64_t next_offset) {
  if (partition.topic == options_.topics.cancellations) {
    core_.log_listener().on_end(partition, next_offset);
    return;
  }
  auto& topic = partition.topic == credentials_topic_.topic() ? credentials_topic_ : registry_topic_;
  topic.on_end(partition.partition, next_offset);
  if (&topic == &credentials_topic_) credentials_problem_.clear();
  forget_unnamed(topic);
  join_when_read();
  if (&topic == &registry_topic_ && !projection_.complete()) {
    spdlog::info("the registry topic has no finished registry yet; waiting for tokenrail-registry-sync");
  }
}

void Worker::on_failure(const kafka::TopicPartition& partition, const Error& error) {
  spdlog::error("{} {}: {}", partition.topic, partition.partition, error.detail);
  if (partition.topic == credentials_topic_.topic()) credentials_problem_ = error.detail;
}

// --- questions ------------------------------------------------------------------------------------------------------

namespace {

Result<LogPlaces> places_of(const Result<kafka::Admin*>& admin, const LogQuestion& question) {
  if (!admin) return std::unexpected(admin.error());
  const auto ends = (*admin)->watermarks(question.partition, question_timeout);
  if (!ends) return std::unexpected(ends.error());
  LogPlaces places{.first = ends->first, .next = ends->next};
  if (question.at) {
    const auto offsets = (*admin)->offsets_at({question.partition}, question.at->count(), question_timeout);
    if (!offsets) return std::unexpected(offsets.error());
    places.at = offsets->at(0);
  }
  return places;
}

}  // namespace

void Worker::ask(std::uint64_t token, const LogQuestion& question) {
  asking_.ask([this, token, question](const Result<kafka::Admin*>& admin) {
    return [this, token, answer = places_of(admin, question)] {
      telemetry::loop_step("answers about logs");
      core_.on_answer(token, answer);
    };
  });
}

void Worker::look(std::uint64_t token, std::vector<kafka::WitnessQuestion> questions) {
  const auto registry_from = questions.size();
  auto registry = registry_topic_.ask(questions);
  const auto credentials_from = questions.size();
  auto credentials = credentials_topic_.ask(questions);
  watch_->look(std::move(questions), [this, token, registry_from, registry = std::move(registry), credentials_from,
                                      credentials = std::move(credentials)](Result<kafka::LogSurvey> survey) {
    if (survey) {
      registry_topic_.on_survey(*registry_reader_, *survey, registry_from, registry);
      credentials_topic_.on_survey(*registry_reader_, *survey, credentials_from, credentials);
    }
    core_.on_survey(token, survey);
  });
}

}  // namespace tokenrail::router
