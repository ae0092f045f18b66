#include "workers/router/shell/topic_check.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/events/epochs.hpp"

namespace tokenrail::router {

namespace {

static_assert(topics::request_partitions_max == events::partitions_told_apart);

// Frames of the record and of its batch.
constexpr std::int64_t batch_frame_bytes = 1'024;

std::int64_t dead_letter_bytes_max(const kafka::TopicDescription& topic, std::int64_t otherwise) {
  const auto limit = topics::number_of(topic, "max.message.bytes");
  if (!limit) return otherwise;
  return std::max(batch_frame_bytes, std::min(*limit, topics::produced_bytes_max) - batch_frame_bytes);
}

}  // namespace

TopicFindings check_topics(const RouterOptions& options, const topics::Limits& limits,
                           const std::vector<kafka::TopicDescription>& topics) {
  TopicFindings findings;
  const auto find = [&](const std::string& name) {
    const auto it = std::ranges::find(topics, name, &kafka::TopicDescription::name);
    return it == topics.end() ? nullptr : &*it;
  };
  const auto missing = [](const std::string& name) {
    return fmt::format("topic {} does not exist; run: tokenrail topics apply", name);
  };
  const auto need = [&](const std::string& name) {
    const auto* const found = find(name);
    if (found == nullptr) findings.problems.push_back(missing(name));
    return found;
  };
  const auto* requests = need(options.topics.requests);
  need(options.topics.chunks);
  need(options.topics.audit);
  const auto* dlq = need(options.topics.dlq);
  const auto* registry = need(options.topics.registry);
  const auto* cancellations = find(options.topics.cancellations);
  if (cancellations == nullptr) findings.no_cancellations = missing(options.topics.cancellations);
  if (!findings.problems.empty()) return findings;

  findings.request_partitions = requests->partitions;
  findings.registry_partitions = registry->partitions;
  findings.dead_letter_partitions = dlq->partitions;
  findings.cancellation_partitions = cancellations == nullptr ? 0 : cancellations->partitions;
  findings.dead_letter_bytes_max =
      static_cast<std::size_t>(dead_letter_bytes_max(*dlq, static_cast<std::int64_t>(findings.dead_letter_bytes_max)));
  for (const auto& topic : topics)
    if (const auto limit = topics::number_of(topic, "max.message.bytes"); limit && *limit > 0)
      findings.batch_bytes_max.emplace(topic.name, static_cast<std::size_t>(*limit));
  for (const auto& finding : topics::judge(limits, options.topics, topics)) {
    const bool problem = finding.severity == topics::Finding::Severity::problem;
    (problem ? findings.problems : findings.warnings).push_back(topics::line_of(finding));
  }
  return findings;
}

}  // namespace tokenrail::router
