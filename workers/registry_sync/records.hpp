// From the outbox to records, and from what the state topic holds to what it lacks. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/kafka/record.hpp"
#include "common/registry/projection.hpp"
#include "common/registry/store.hpp"

namespace tokenrail::registry_sync {

enum class Destination { state, events };

struct Outgoing {
  Destination to = Destination::state;
  std::string key;
  std::optional<std::string> value;
  kafka::Headers headers{};
};

/// A model's event goes to the state topic and to the history, state first; `.deleted` is a tombstone on the state
/// topic; what is no model's goes to the history only.
[[nodiscard]] std::vector<Outgoing> records_of(const registry::OutboxRecord& record);

/// What has to be published so that the state topic says what the database says.
struct Reconciliation {
  /// Models of which readers hold a newer version than the database has: they must be told anew first.
  std::vector<std::string> behind{};  ///< model ids
  std::vector<Outgoing> records{};    ///< missing or older on the topic, and tombstones for what is unknown
  bool mark = false;                  ///< the `_registry` mark has to be written
};
/// An empty database never empties a topic: more likely it is the wrong one.
[[nodiscard]] Reconciliation reconcile(const registry::Projection& topic,
                                       const std::vector<registry::PublishedState>& database, std::int64_t now_ms);

[[nodiscard]] Outgoing mark_record(const std::vector<registry::PublishedState>& database, std::int64_t now_ms);

/// The highest version that the topic speaks of.
[[nodiscard]] std::int64_t highest_version(const registry::Projection& topic);

}  // namespace tokenrail::registry_sync
