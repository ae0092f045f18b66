// Topics as they are and as they should be. These calls block, up to their timeout: for start-up, the CLI and tests,
// never on a running loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/kafka/record.hpp"
#include "common/result.hpp"

namespace tokenrail::kafka {

struct TopicDescription {
  std::string name;
  std::int32_t partitions = 0;
  std::map<std::string, std::string> config{};  ///< effective values; empty where they could not be read
  /// Why `config` was asked for and is empty: forbidden (no right to DESCRIBE_CONFIGS), or rejected (a broker that does
  /// not have this request).
  std::optional<Error> config_error{};
  std::int32_t replicas = 0;  ///< of the partition with the fewest
  std::int32_t brokers = 0;   ///< in the cluster
};

struct NewTopic {
  std::string name;
  std::int32_t partitions = 1;
  std::int16_t replication = -1;  ///< -1: the broker's default
  std::map<std::string, std::string> config{};
};

/// Who is in a consumer group now. While it rebalances no member holds anything.
struct GroupMembers {
  struct Member {
    std::string client_id;
    std::string host;
    std::vector<TopicPartition> partitions{};
  };
  std::vector<Member> members{};
  bool rebalancing = false;
};

class Admin {
 public:
  /// With `committed_only` a log ends, for what asks for ends and times, where the first open transaction begins.
  static Result<std::unique_ptr<Admin>> connect(const Properties& properties, bool committed_only = false);
  virtual ~Admin() = default;

  /// Those that exist, by name; one that does not is left out. Errors: unavailable, with the bootstrap servers named;
  /// rejected, where TLS or the login prevents it, with the setting to look at (finding that out may take 1.5 s
  /// more than `timeout`); forbidden, where the principal has no right to DESCRIBE one of the topics, so that
  /// it is unknown whether it exists: the error names those topics.
  virtual Result<std::vector<TopicDescription>> describe(const std::vector<std::string>& topics, bool with_config,
                                                         std::chrono::milliseconds timeout) = 0;
  virtual Result<void> create(const std::vector<NewTopic>& topics, std::chrono::milliseconds timeout) = 0;
  virtual Result<void> grow(const std::string& topic, std::int32_t partitions, std::chrono::milliseconds timeout) = 0;
  virtual Result<void> alter_config(const std::string& topic, const std::map<std::string, std::string>& config,
                                    std::chrono::milliseconds timeout) = 0;
  /// First and next offset of a partition. While its leader moves, the question is asked again, up to the timeout.
  struct Watermarks {
    std::int64_t first = 0;
    std::int64_t next = 0;
  };
  virtual Result<Watermarks> watermarks(const TopicPartition& partition, std::chrono::milliseconds timeout) = 0;
  /// For each partition the offset of the first record that is not older than that; nothing: all are older.
  virtual Result<std::vector<std::optional<std::int64_t>>> offsets_at(const std::vector<TopicPartition>& partitions,
                                                                      std::int64_t unix_ms,
                                                                      std::chrono::milliseconds timeout) = 0;
  struct PlaceQuestion {
    TopicPartition partition{};
    std::optional<std::int64_t> at_ms{};  ///< Unix
  };
  struct Places {
    std::int64_t first = 0;
    std::int64_t next = 0;
    std::optional<std::int64_t>
        at{};  ///< the first record that is not older than `at_ms`; nothing: all are, or none asked
  };
  struct Survey {
    std::map<std::string, std::int32_t> partitions{};  ///< of every topic there is
    std::vector<std::optional<Places>> places{};       ///< nothing: the partition has no leader now, or it is not there
  };
  /// Many at once: one request for the topics, and three for each broker.
  virtual Result<Survey> survey(const std::vector<PlaceQuestion>& questions, std::chrono::milliseconds timeout) = 0;
  virtual Result<std::vector<Committed>> committed(const std::string& group,
                                                   const std::vector<TopicPartition>& partitions,
                                                   std::chrono::milliseconds timeout) = 0;
  /// A group that never had a member has none. Errors: rejected, where the broker does not have this request
  /// (librdkafka's mock cluster); forbidden.
  virtual Result<GroupMembers> members(const std::string& group, std::chrono::milliseconds timeout) = 0;
};

}  // namespace tokenrail::kafka
