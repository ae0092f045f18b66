// From the outbox to records, and from what a compacted topic holds to what it lacks. Pure.
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

/// The registry's topics: two compacted ones (state, credentials), and the history.
enum class Destination { state, events, credentials };

struct Outgoing {
  Destination to = Destination::state;
  std::string key;
  std::optional<std::string> value;
  kafka::Headers headers{};
};

/// What the registry consists of (models, defaults, aliases, views, grants, organisations) goes to the state topic and
/// to the history, state first. A purge is a tombstone on the state topic. Sealed credentials go to their own topic
/// only. All else, such as the outcome of a sync, goes to the history only.
[[nodiscard]] std::vector<Outgoing> records_of(const registry::OutboxRecord& record);

/// What a compacted topic holds. The last record of a key counts, since that is what compaction leaves: a reader that
/// starts later sees nothing else. A live reader keeps the highest version, so that is known too.
class TopicContent {
 public:
  struct Held {
    std::string_view type{};  ///< of the records of such a key
    std::string model_id{};
    std::int64_t version = 0;  ///< of the last record, where it can be read
    std::int64_t highest = 0;  ///< that any record of the key carried
    bool readable = true;      ///< the last record is
  };
  enum class Mark { missing, unreadable, there };

  TopicContent() = default;  ///< of the state topic
  explicit TopicContent(Destination topic) : topic_(topic) {}

  /// Keys of kinds that this version does not know are passed over.
  void apply(std::string_view key, std::optional<std::string_view> value);

  [[nodiscard]] Destination topic() const { return topic_; }
  [[nodiscard]] const std::map<std::string, Held, std::less<>>& records() const { return records_; }
  [[nodiscard]] Mark mark() const { return mark_; }
  /// The highest version that the topic contains.
  [[nodiscard]] std::int64_t highest_version() const { return highest_version_; }

 private:
  Destination topic_ = Destination::state;
  std::map<std::string, Held, std::less<>> records_;
  Mark mark_ = Mark::missing;
  std::int64_t highest_version_ = 0;
};

/// What has to be published so that a compacted topic says what the database says.
struct Reconciliation {
  /// Records of which readers hold a newer version than the database has: they need a new version first.
  std::vector<registry::RecordName> behind{};
  std::vector<Outgoing> records{};
  std::int64_t missing = 0;     ///< records that the topic lacked
  std::int64_t older = 0;       ///< whose last record is an older version
  std::int64_t unreadable = 0;  ///< keys whose last record cannot be read
  std::int64_t unknown = 0;     ///< records that the database does not have: tombstones
  bool mark = false;            ///< the `_registry` mark has to be written, behind the records
};
/// A database without models empties no state topic, and one without credentials not that of the credentials: more
/// likely it is the wrong database. A record whose outbox rows are not published yet is left to the relay.
/// Readers of a topic that was created again forget what it does not name once they have read its mark. So no
/// credentials topic whose records the database does not have gets one.
[[nodiscard]] Reconciliation reconcile(const TopicContent& topic, const std::vector<registry::PublishedState>& database,
                                       std::int64_t now_ms);
/// "3 missing, 1 unreadable, the mark"; empty: nothing was to be done.
[[nodiscard]] std::string words_of(const Reconciliation& done);

/// Models among these.
[[nodiscard]] std::int64_t models_in(const std::vector<registry::PublishedState>& database);
[[nodiscard]] Outgoing mark_record(Destination topic, const std::vector<registry::PublishedState>& database,
                                   std::int64_t now_ms);

}  // namespace tokenrail::registry_sync
