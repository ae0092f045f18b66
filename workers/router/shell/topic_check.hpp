// Whether the topics are as the router needs them: that they exist, and the rules of common/topics. Pure: descriptions
// in, problems out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/kafka/admin.hpp"
#include "common/topics/rules.hpp"
#include "workers/router/core/options.hpp"

namespace tokenrail::router {

struct TopicFindings {
  std::vector<std::string> problems;  ///< the router must not start; each says which command fixes it
  std::vector<std::string> warnings;
  std::string no_cancellations;  ///< that topic is not among them: the router can do without, after a while
  std::int32_t request_partitions = 0;
  std::int32_t registry_partitions = 0;
  std::int32_t cancellation_partitions = 0;
  std::int32_t dead_letter_partitions = 0;
  /// max.message.bytes of each topic that reports it: what its brokers hold against a batch.
  std::map<std::string, std::size_t> batch_bytes_max{};
  std::size_t dead_letter_bytes_max = 1'000'000;  ///< of a record; below the broker's default if not reported
};

[[nodiscard]] TopicFindings check_topics(const RouterOptions& options, const topics::Limits& limits,
                                         const std::vector<kafka::TopicDescription>& topics);

}  // namespace tokenrail::router
