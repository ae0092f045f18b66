// The topics that Tokenrail needs, and what has to be done so that they are as they should be. Pure: what there is
// and what is wanted go in, a plan comes out; the command around it only carries the plan out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/kafka/admin.hpp"

namespace tokenrail::cli {

struct TopicOptions {
  std::string prefix{};
  /// The number that the operator asked for. Nothing: `partitions_default` for new topics, and topics that exist
  /// keep their number, because order and deduplication of a conversation do not span a growth.
  std::optional<std::int32_t> partitions_asked{};
  std::int32_t partitions_default = 12;
  std::int16_t replication = -1;  ///< -1: the broker's default
  std::int64_t request_bytes_max = 8 * 1024 * 1024;
};

/// One topic as it should be. `required` is fixed where it differs; `initial` is set when the topic is made and then
/// belongs to the operator (retention, mostly).
struct WantedTopic {
  std::string name;
  std::int32_t partitions = 1;
  /// The router writes to the partition number that it read from, so what it writes to follows chat.requests.
  enum class Pairing {
    none,
    equal,     ///< exactly as many partitions as chat.requests
    at_least,  ///< no fewer
  };
  Pairing pairing = Pairing::none;
  std::map<std::string, std::string> required{};
  /// Bytes; more is fine.
  std::optional<std::int64_t> message_bytes_min{};
  std::map<std::string, std::string> initial{};
};

/// In the order in which they are to be made: the topics that carry the answers come before chat.requests.
[[nodiscard]] std::vector<WantedTopic> wanted_topics(const TopicOptions& options);

struct TopicAction {
  enum class Kind { create, grow, configure };
  Kind kind = Kind::create;
  std::string topic;
  std::int32_t partitions = 0;                  ///< create: how many; grow: how many there will be
  std::int32_t partitions_before = 0;           ///< grow
  std::map<std::string, std::string> config{};  ///< create, configure
  bool operator==(const TopicAction&) const = default;
};

struct TopicPlan {
  std::vector<TopicAction> actions{};  ///< in the order in which to do them; empty: all is well
  std::vector<std::string> notes{};    ///< nothing wrong, but worth knowing
};

/// `existing`: those of the wanted topics that exist. Settings that the broker does not report are taken to be right.
[[nodiscard]] TopicPlan plan_topics(const std::vector<WantedTopic>& wanted,
                                    const std::vector<kafka::TopicDescription>& existing, const TopicOptions& options);

/// What there will be once the plan is carried out, as far as it can be known.
[[nodiscard]] std::vector<kafka::TopicDescription> planned(std::vector<kafka::TopicDescription> existing,
                                                           const TopicPlan& plan);

/// "create chat.requests with 12 partitions".
[[nodiscard]] std::string describe(const TopicAction& action);

}  // namespace tokenrail::cli
