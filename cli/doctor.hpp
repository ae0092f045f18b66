// What `tokenrail doctor` makes of what it saw. Pure: facts in, findings out; each names the command that fixes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/keys.hpp"
#include "cli/topics.hpp"
#include "common/kafka/admin.hpp"
#include "common/registry/held_values.hpp"
#include "common/registry/lease.hpp"
#include "common/registry/migrator.hpp"
#include "common/result.hpp"
#include "common/telemetry/health.hpp"
#include "common/topics/rules.hpp"

namespace tokenrail::cli {

struct Finding {
  enum class Verdict {
    good,
    warning,  ///< a risk; nothing is wrong now
    bad,
    unknown,  ///< could not be looked at, because of something that is bad itself, or of a broker that cannot report it
  };
  std::string part;  ///< "Kafka", "topics", "connection env-ollama"
  Verdict verdict = Verdict::good;
  std::string text;
  std::string remedy{};  ///< what to do; set where the verdict is bad or a warning
};

/// What was learnt of the parts; an error where one did not answer.
struct KafkaFacts {
  std::string bootstrap_servers;
  Result<TopicPlan> plan;
  std::size_t topics = 0;
  std::vector<topics::Finding> findings{};
  /// Topics whose settings could not be read, so that it is unknown whether they are right, and why.
  std::vector<std::string> unread{};
  std::string unread_because{};
};
[[nodiscard]] std::vector<Finding> judge_kafka(const KafkaFacts& facts);

struct RouterFacts {
  std::string group;
  std::string topic;  ///< "chat.requests", with the prefix
  /// Nothing: Kafka cannot be asked. Error `rejected`: this broker cannot report it.
  std::optional<Result<kafka::GroupMembers>> members;
};
[[nodiscard]] Finding judge_routers(const RouterFacts& facts);

/// What a router or a registry API says of itself at /readyz.
struct ServiceHealth {
  std::string address;  ///< of doctor.routers or doctor.apis
  /// Error: it does not answer, or something else does.
  Result<std::vector<telemetry::Condition>> conditions;
};
/// Error invalid_input: not the body of a /readyz.
[[nodiscard]] Result<std::vector<telemetry::Condition>> parse_ready(std::string_view body);
/// One for each condition that fails; a single one where none does. One, too, where no router was asked.
[[nodiscard]] std::vector<Finding> judge_router_health(const std::vector<ServiceHealth>& routers);
/// One for each condition that fails or has a note, which is a warning; a single one where none does. One, too, where
/// no registry API was asked.
[[nodiscard]] std::vector<Finding> judge_api_health(const std::vector<ServiceHealth>& apis);

struct DatabaseFacts {
  std::string place;  ///< "127.0.0.1:5432/tokenrail"
  Result<registry::MigrationStatus> migrations;
};
[[nodiscard]] std::vector<Finding> judge_database(const DatabaseFacts& facts);

/// Which registry-sync leads, if any; nothing: PostgreSQL cannot be asked.
[[nodiscard]] Finding judge_registry_sync(const std::optional<Result<std::optional<registry::Leader>>>& led);

/// Changes of providers' lists that wait for a decision; nothing: PostgreSQL cannot be asked.
[[nodiscard]] Finding judge_held(const std::optional<Result<std::vector<registry::HeldChange>>>& held);

struct KeyRingFacts {
  /// Nothing: no key ring is set. Error: it cannot be used.
  Result<std::optional<std::vector<crypto::KeyRing::KeyInfo>>> keys;
  /// How many stored credentials each key seals; nothing: PostgreSQL cannot be asked.
  std::optional<SealedCounts> counts{};
};
/// Whether this machine's key ring opens the stored credentials. Most machines need none: without one that is bad only
/// where credentials are stored.
[[nodiscard]] Finding judge_key_ring(const KeyRingFacts& facts);

struct ConnectionFacts {
  std::string name;
  std::string base_url;
  bool enabled = true;
  /// How many models it lists. The error's detail is the provider adapter's own text.
  Result<std::size_t> models;
};
[[nodiscard]] Finding judge_connection(const ConnectionFacts& facts);

struct PublishedFacts {
  bool complete = false;  ///< the `_registry` mark has been seen
  std::size_t models = 0;
  std::size_t routable = 0;
};
/// Nothing: it could not be read.
[[nodiscard]] Finding judge_published(const std::optional<PublishedFacts>& facts);

[[nodiscard]] std::string finding_json(const Finding& finding);

}  // namespace tokenrail::cli
