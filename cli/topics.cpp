#include "cli/topics.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "common/topics/rules.hpp"

namespace tokenrail::cli {
namespace {

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t day_ms = 24 * hour_ms;
// The dead-letter record carries headers that say why; they come on top of the request as it was received.
constexpr std::int64_t dead_letter_headroom_bytes = 64 * 1024;

std::map<std::string, std::string> kept_for(std::int64_t ms) {
  return {{"retention.ms", std::to_string(ms)}};
}

const kafka::TopicDescription* find(const std::vector<kafka::TopicDescription>& topics, const std::string& name) {
  const auto it = std::ranges::find(topics, name, &kafka::TopicDescription::name);
  return it == topics.end() ? nullptr : &*it;
}

/// What has to change for `topic` to be as required; `bytes_min` already takes the operator's own limits into account.
std::map<std::string, std::string> drift(const WantedTopic& wanted, std::optional<std::int64_t> bytes_min,
                                         const kafka::TopicDescription& topic) {
  std::map<std::string, std::string> changes;
  for (const auto& [name, value] : wanted.required) {
    const auto it = topic.config.find(name);
    if (it != topic.config.end() && it->second != value) changes[name] = value;
  }
  const auto bytes = topics::number_of(topic, "max.message.bytes");
  if (bytes_min && bytes && *bytes < *bytes_min) changes["max.message.bytes"] = std::to_string(*bytes_min);
  return changes;
}

}  // namespace

std::vector<WantedTopic> wanted_topics(const TopicOptions& options) {
  const std::int32_t many = options.partitions_asked.value_or(options.partitions_default);
  const auto names = topics::Names::with_prefix(options.prefix);
  const std::map<std::string, std::string> deleted{{"cleanup.policy", "delete"}};
  const std::map<std::string, std::string> compacted{{"cleanup.policy", "compact"}};
  // A router reads a compacted topic whole before it is ready, so its old versions must not lie around for a week.
  const std::map<std::string, std::string> compact_soon{{"segment.ms", std::to_string(10 * 60'000)},
                                                        {"min.cleanable.dirty.ratio", "0.1"},
                                                        {"max.compaction.lag.ms", std::to_string(hour_ms)},
                                                        {"delete.retention.ms", std::to_string(day_ms)}};
  // Deadlines count from a request's timestamp, which a sender's clock must not be able to move. The order of records
  // in two logs can be known only where the brokers' clock stamps both (ADR 0007).
  const std::map<std::string, std::string> deleted_and_stamped{{"cleanup.policy", "delete"},
                                                               {"message.timestamp.type", "LogAppendTime"}};
  std::vector<WantedTopic> topics;
  topics.push_back({.name = names.chunks,
                    .partitions = many,
                    .pairing = WantedTopic::Pairing::equal,
                    .required = deleted_and_stamped,
                    .initial = kept_for(day_ms)});
  topics.push_back({.name = names.audit,
                    .partitions = many,
                    .pairing = WantedTopic::Pairing::equal,
                    .required = deleted_and_stamped,
                    .initial = kept_for(28 * day_ms)});
  topics.push_back({.name = names.dlq,
                    .partitions = many,
                    .pairing = WantedTopic::Pairing::at_least,
                    .required = deleted,
                    .message_bytes_min = options.request_bytes_max + dead_letter_headroom_bytes,
                    .initial = kept_for(28 * day_ms)});
  // A router reads ten minutes of it at a start, and judges their age by the brokers' clock; without a limit of its own
  // a segment that is written to is kept for days.
  topics.push_back(
      {.name = names.cancellations,
       .partitions = 1,
       .required = deleted_and_stamped,
       .initial = {{"retention.ms", std::to_string(hour_ms)}, {"segment.ms", std::to_string(10 * 60'000)}}});
  topics.push_back({.name = names.registry, .partitions = 1, .required = compacted, .initial = compact_soon});
  topics.push_back(
      {.name = names.registry_events, .partitions = 1, .required = deleted, .initial = kept_for(28 * day_ms)});
  topics.push_back({.name = names.credentials, .partitions = 1, .required = compacted, .initial = compact_soon});
  topics.push_back({.name = names.requests,
                    .partitions = many,
                    .pairing = WantedTopic::Pairing::equal,
                    .required = deleted_and_stamped,
                    .message_bytes_min = options.request_bytes_max,
                    .initial = kept_for(7 * day_ms)});
  return topics;
}

TopicPlan plan_topics(const std::vector<WantedTopic>& wanted, const std::vector<kafka::TopicDescription>& existing,
                      const TopicOptions& options) {
  TopicPlan plan;
  const std::string requests_name = topics::Names::with_prefix(options.prefix).requests;

  // One number for all that are paired. It can only grow, so the largest there is decides, unless more is asked for.
  std::int32_t paired_count = options.partitions_asked.value_or(0);
  bool any_paired_exists = false;
  for (const WantedTopic& topic : wanted)
    if (const auto* there = topic.pairing == WantedTopic::Pairing::equal ? find(existing, topic.name) : nullptr) {
      any_paired_exists = true;
      paired_count = std::max(paired_count, there->partitions);
    }
  if (!any_paired_exists) paired_count = options.partitions_asked.value_or(options.partitions_default);
  if (options.partitions_asked && paired_count > *options.partitions_asked)
    plan.notes.push_back(fmt::format(
        "{} partitions were asked for, but {} exist already; Kafka cannot take partitions away, so it stays at {}",
        *options.partitions_asked, paired_count, paired_count));

  // What the requests' topic lets in has to fit into the dead-letter topic, also where an operator raised the limit.
  std::int64_t request_bytes_max = options.request_bytes_max;
  if (const auto* requests = find(existing, requests_name))
    request_bytes_max = std::max(request_bytes_max, topics::number_of(*requests, "max.message.bytes").value_or(0));

  for (const WantedTopic& topic : wanted) {
    const std::int32_t count = topic.pairing != WantedTopic::Pairing::none ? paired_count : topic.partitions;
    std::optional<std::int64_t> bytes_min = topic.message_bytes_min;
    if (bytes_min && topic.name != requests_name)
      bytes_min = std::max(*bytes_min, request_bytes_max + dead_letter_headroom_bytes);

    const auto* there = find(existing, topic.name);
    if (!there) {
      TopicAction create{
          .kind = TopicAction::Kind::create, .topic = topic.name, .partitions = count, .config = topic.required};
      create.config.insert(topic.initial.begin(), topic.initial.end());
      if (bytes_min) create.config["max.message.bytes"] = std::to_string(*bytes_min);
      plan.actions.push_back(std::move(create));
      continue;
    }
    if (there->partitions < count)
      plan.actions.push_back({.kind = TopicAction::Kind::grow,
                              .topic = topic.name,
                              .partitions = count,
                              .partitions_before = there->partitions});
    if (auto changes = drift(topic, bytes_min, *there); !changes.empty())
      plan.actions.push_back({.kind = TopicAction::Kind::configure, .topic = topic.name, .config = std::move(changes)});
    if (topic.name == requests_name && there->partitions < count)
      plan.notes.push_back(
          fmt::format("{} grows from {} to {} partitions: conversations may move to another partition, "
                      "and order and deduplication do not span that moment",
                      topic.name, there->partitions, count));
  }
  return plan;
}

std::vector<kafka::TopicDescription> planned(std::vector<kafka::TopicDescription> existing, const TopicPlan& plan) {
  for (const TopicAction& action : plan.actions) {
    auto topic = std::ranges::find(existing, action.topic, &kafka::TopicDescription::name);
    if (topic == existing.end()) {
      existing.push_back({.name = action.topic});
      topic = std::prev(existing.end());
    }
    if (action.kind != TopicAction::Kind::configure) topic->partitions = action.partitions;
    for (const auto& [name, value] : action.config) topic->config.insert_or_assign(name, value);
  }
  return existing;
}

std::string describe(const TopicAction& action) {
  std::string settings;
  for (const auto& [name, value] : action.config) {
    if (!settings.empty()) settings += ", ";
    settings += fmt::format("{}={}", name, value);
  }
  switch (action.kind) {
    case TopicAction::Kind::create:
      return fmt::format("create {} with {} partition{} ({})", action.topic, action.partitions,
                         action.partitions == 1 ? "" : "s", settings);
    case TopicAction::Kind::grow:
      return fmt::format("grow {} from {} to {} partitions", action.topic, action.partitions_before, action.partitions);
    case TopicAction::Kind::configure:
      return fmt::format("set {} on {}", settings, action.topic);
  }
  return {};
}

}  // namespace tokenrail::cli
