// A compacted topic that a router reads whole and goes on reading. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "common/kafka/log_identity.hpp"

namespace tokenrail::router {

struct FollowedTopic {
  std::string name;
  std::string content;                                   ///< for the log: "models"
  std::size_t partitions = 0;                            ///< that are being read
  std::map<std::int32_t, kafka::WitnessTrail> trails{};  ///< by partition
  std::set<std::int32_t> read{};                         ///< partitions that were read to their end

  [[nodiscard]] bool whole() const { return read.size() >= partitions; }
};

}  // namespace tokenrail::router
