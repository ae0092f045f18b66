#include "workers/router/shell/topic_check.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace tokenrail::router {

namespace {

constexpr std::string_view mend = "run: tokenrail topics apply";
// Key, headers and the record's own frame beside the value.
constexpr std::int64_t frame_bytes = 16 * 1024;

std::optional<std::int64_t> number(const kafka::TopicDescription& topic, const std::string& name) {
  const auto it = topic.config.find(name);
  if (it == topic.config.end()) return std::nullopt;
  std::int64_t value = 0;
  const auto& text = it->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

TopicFindings check_topics(const RouterOptions& options, const std::string& registry_topic,
                           const std::vector<kafka::TopicDescription>& topics) {
  TopicFindings findings;
  const auto find = [&](const std::string& name) -> const kafka::TopicDescription* {
    const auto it = std::ranges::find(topics, name, &kafka::TopicDescription::name);
    if (it == topics.end()) {
      findings.problems.push_back(fmt::format("topic {} does not exist; {}", name, mend));
      return nullptr;
    }
    return &*it;
  };
  const auto* requests = find(options.topics.requests);
  const auto* chunks = find(options.topics.chunks);
  const auto* audit = find(options.topics.audit);
  const auto* dlq = find(options.topics.dlq);
  const auto* registry = find(registry_topic);
  const auto* cancellations = find(options.topics.cancellations);
  if (!findings.problems.empty()) return findings;

  findings.request_partitions = requests->partitions;
  findings.registry_partitions = registry->partitions;
  findings.dead_letter_partitions = dlq->partitions;
  findings.cancellation_partitions = cancellations->partitions;
  for (const auto* output : {chunks, audit}) {
    // Outputs grow first, so more of them than requests is a growth under way; fewer leaves requests without a pair.
    if (output->partitions < requests->partitions) {
      findings.problems.push_back(fmt::format("{} has {} partitions and {} has {}: they must be the same; {}",
                                              requests->name, requests->partitions, output->name, output->partitions,
                                              mend));
    } else if (output->partitions > requests->partitions) {
      findings.warnings.push_back(fmt::format("{} has {} partitions and {} only {}; {} finishes the growth",
                                              output->name, output->partitions, requests->name, requests->partitions,
                                              mend));
    }
    const auto limit = number(*output, "max.message.bytes");
    if (limit && *limit < static_cast<std::int64_t>(options.record_bytes_max) + frame_bytes) {
      findings.problems.push_back(
          fmt::format("max.message.bytes of {} is {}, but router.record_bytes_max is {} and a record needs {} bytes "
                      "beside its value; lower the setting or raise the topic's limit",
                      output->name, *limit, options.record_bytes_max, frame_bytes));
    }
  }
  const auto stamped_by_senders = [](const kafka::TopicDescription& topic) {
    const auto it = topic.config.find("message.timestamp.type");
    return it != topic.config.end() && it->second != "LogAppendTime";
  };
  if (stamped_by_senders(*requests)) {
    findings.warnings.push_back(fmt::format(
        "{} does not use LogAppendTime, so deadlines depend on the senders' clocks; {}", requests->name, mend));
  }
  for (const auto* output : {chunks, audit}) {
    if (!stamped_by_senders(*output)) continue;
    findings.warnings.push_back(
        fmt::format("{} does not use LogAppendTime, so tokenrail verify cannot tell what stood there before something "
                    "else; {}",
                    output->name, mend));
  }
  const auto request_limit = number(*requests, "max.message.bytes");
  const auto dlq_limit = number(*dlq, "max.message.bytes");
  if (request_limit && dlq_limit && *dlq_limit < *request_limit) {
    findings.problems.push_back(
        fmt::format("max.message.bytes of {} is {}, below the {} of {}: a dead letter might not "
                    "fit; {}",
                    dlq->name, *dlq_limit, *request_limit, requests->name, mend));
  }
  // Frames of the record and of its batch.
  constexpr std::int64_t batch_bytes = 1'024;
  if (dlq_limit)
    findings.dead_letter_bytes_max = static_cast<std::size_t>(std::max(batch_bytes, *dlq_limit - batch_bytes));
  if (request_limit && dlq_limit && *dlq_limit >= *request_limit && *dlq_limit < *request_limit + frame_bytes) {
    findings.warnings.push_back(
        fmt::format("max.message.bytes of {} is {}, hardly above the {} of {}: the largest dead letters will lie there "
                    "without their value; {}",
                    dlq->name, *dlq_limit, *request_limit, requests->name, mend));
  }
  return findings;
}

}  // namespace tokenrail::router
