// From the outbox to records, and from what the state topic holds to what it lacks. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/kafka/record.hpp"
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

/// What the state topic holds. The last record of a key counts, since that is what compaction leaves: whoever reads the
/// topic later sees nothing else. A live reader keeps the highest version, so that is known too.
class TopicContent {
 public:
  struct Held {
    std::string model_id{};
    std::int64_t version = 0;  ///< of the last record, where it can be read
    std::int64_t highest = 0;  ///< that any record of the key told
    bool readable = true;      ///< the last record is
  };
  enum class Mark { missing, unreadable, there };

  /// Keys of kinds that this version does not know are passed over.
  void apply(std::string_view key, std::optional<std::string_view> value);

  [[nodiscard]] const std::map<std::string, Held, std::less<>>& models() const { return models_; }
  [[nodiscard]] Mark mark() const { return mark_; }
  /// The highest version that the topic speaks of.
  [[nodiscard]] std::int64_t highest_version() const { return highest_version_; }

 private:
  std::map<std::string, Held, std::less<>> models_;
  Mark mark_ = Mark::missing;
  std::int64_t highest_version_ = 0;
};

/// What has to be published so that the state topic says what the database says.
struct Reconciliation {
  /// Models of which readers hold a newer version than the database has: they must be told anew first.
  std::vector<std::string> behind{};  ///< model ids
  std::vector<Outgoing> records{};
  std::int64_t missing = 0;     ///< models that the topic lacked
  std::int64_t older = 0;       ///< whose last record is an older version
  std::int64_t unreadable = 0;  ///< keys whose last record cannot be read
  std::int64_t unknown = 0;     ///< models that the database does not have: tombstones
  bool mark = false;            ///< the `_registry` mark has to be written
};
/// An empty database never empties a topic: more likely it is the wrong one. A model whose outbox rows are not
/// published yet is left to the relay.
[[nodiscard]] Reconciliation reconcile(const TopicContent& topic, const std::vector<registry::PublishedState>& database,
                                       std::int64_t now_ms);
/// "3 missing, 1 unreadable, the mark"; empty: nothing was to be done.
[[nodiscard]] std::string words_of(const Reconciliation& done);

[[nodiscard]] Outgoing mark_record(const std::vector<registry::PublishedState>& database, std::int64_t now_ms);

}  // namespace tokenrail::registry_sync
