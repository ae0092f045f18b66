// The registry in PostgreSQL. Every change is one transaction: rows, revision and outbox row together; what a reader of
// the topics sees follows from the outbox alone.
//
// Every call blocks until the database has answered (at most DatabaseOptions::statement_time_max, connecting included
// in connect_time_max): never call on a running loop, see store_pool.hpp. A Store is used by one thread at a time. A
// lost connection is opened again by the next call. Errors: unavailable (no database; the text says where it was looked
// for and never holds the password), rejected (the schema is not there: `tokenrail migrate`), timed_out, invalid_input
// (a value that the schema refuses), cancelled (another writer was faster: a deadlock, or as said below; the same again
// may go through). No error text holds a value that was bound or a row's.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/model_event.hpp"
#include "common/registry/actor.hpp"
#include "common/registry/database.hpp"
#include "common/registry/lease.hpp"
#include "common/registry/sync_plan.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

/// A row of the outbox that is not known to be published.
struct OutboxRecord {
  std::int64_t seq = 0;
  std::string id;                      ///< uuid; the event's ce_id
  std::string key;                     ///< the record key
  std::string type;                    ///< "model_registry.upserted"
  std::optional<std::string> payload;  ///< nothing: a tombstone
  std::int64_t created_ms = 0;
};

/// A record as the newest one of its key on a compacted topic should read.
struct PublishedState {
  std::string id;    ///< of its row: the model, the default, the alias, the organisation, the credential
  std::string type;  ///< "model_registry.upserted"
  std::string key;
  std::int64_t version = 0;
  std::string payload;
  bool pending = false;  ///< an outbox row of it waits for its compacted topic
};

/// Which record of the compacted topics.
struct RecordName {
  std::string type;
  std::string id;  ///< as in PublishedState
  friend bool operator==(const RecordName&, const RecordName&) = default;
};

struct PlatformConnection {
  std::string name;      ///< "env-ollama"
  std::string provider;  ///< "ollama"
  std::string base_url;
  std::string auth_type = "none";
  bool new_models_enabled = true;
};

struct SyncRequest {
  std::string id;
  std::string connection_id{};  ///< empty: all
  bool accept_held = false;     ///< apply also what would be held
  bool republish = false;       ///< no connection is synced: the compacted topics are compared with the database
};

struct SyncRequestState {
  bool started = false;
  bool finished = false;
  std::vector<SyncRun> runs{};            ///< one a connection, as they are done
  std::vector<std::string> unfinished{};  ///< names of connections that were asked for and are not done
};

class Store {
 public:
  /// With a fence (see lease.hpp), everything below that is the leader's begins with a look at it in its own
  /// transaction; error `rejected`: this process does not lead, and nothing was written.
  explicit Store(DatabaseOptions options, std::shared_ptr<const Fence> fence = nullptr);
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  /// Answers, and has the schema that this binary needs.
  Result<void> check();

  // ---- connections

  /// Makes the platform's connection of that name. If it exists, corrects its base URL, kind of key and rule for new
  /// models, except where a person has set them (its models are published again, cause `sync`). Idempotent: writes
  /// nothing where nothing differs.
  Result<Connection> ensure_platform_connection(const PlatformConnection& wanted);
  Result<std::vector<Connection>> connections();
  /// A sealed credential as the topic of credentials has it: record key and value. Value nothing: it was revoked.
  /// Nothing: there is no such credential.
  struct CredentialRecord {
    std::string key;
    std::optional<std::string> value;
  };
  Result<std::optional<CredentialRecord>> credential(const std::string& credential_id);

  // ---- sync

  /// Models of the connection's scope and provider, those that it does not serve included.
  Result<std::vector<StoredModel>> load_models(const Connection& connection);
  /// Names of the models of the connection's provider in the scopes above the connection's. None for a connection of
  /// the platform.
  Result<std::set<std::string>> models_above(const Connection& connection);

  /// Held changes of a connection, and decisions on them that are in force. `connection_id` empty: what waits for a
  /// decision, of all connections.
  Result<std::vector<HeldChange>> held_changes(const std::string& connection_id);

  /// Keeps a provider's answer, compressed, and the last ten of the connection. The same answer again is kept once.
  Result<void> keep_snapshot(const Connection& connection, std::string_view body);

  /// Carries out a plan and records its run, in one transaction. Error `cancelled`: another writer changed one of the
  /// models since they were loaded, or added one that the plan adds; nothing was written, sync again.
  /// The run is recorded when it changed something, when its status differs from the last one's, or when it was asked
  /// for; otherwise nothing at all is written.
  Result<void> apply(const Connection& connection, const SyncPlan& plan, const SyncRun& run);
  /// A run that got no list. Recorded under the same rule; models stay as they are.
  Result<void> record_failure(const Connection& connection, const SyncRun& run);

  // ---- outbox and state topic

  /// Each row but those of sealed credentials is published as state first, then as history. A part waits for no other
  /// one but the history for the state. `all`: whatever is not published whole.
  enum class OutboxPart { all, state, history, credentials };
  /// The oldest rows that wait for that part, in order.
  Result<std::vector<OutboxRecord>> unpublished(std::int64_t count_max, OutboxPart part = OutboxPart::all);
  /// That part is done with these rows. After the state they wait for the history; after any other they are published.
  Result<void> mark_published(const std::vector<std::int64_t>& seqs, OutboxPart part = OutboxPart::all);
  /// The rows that wait for a part, and how long the oldest has been waiting.
  struct OutboxLag {
    std::int64_t rows = 0;
    std::chrono::milliseconds oldest{0};
  };
  Result<OutboxLag> outbox_lag(OutboxPart part = OutboxPart::all);
  /// Everything that the state topic should hold, models first; one consistent snapshot.
  Result<std::vector<PublishedState>> whole_state();
  /// Everything that the topic of sealed credentials should hold.
  Result<std::vector<PublishedState>> whole_credentials();
  /// Makes every later version greater than `version`: what readers hold may come from another or an older database.
  Result<void> raise_version(std::int64_t version);
  /// Gives these records a new version each and publishes them again (cause `rollback`): readers hold newer ones than
  /// this database, which was restored from a backup or created again.
  Result<void> tell_anew(const std::vector<RecordName>& records);
  /// Removes what is older than that: published outbox rows, held changes that are over, runs that no held change
  /// points to, finished requests without a run. An error is the first
  /// of several: what cannot be removed keeps nothing else from it.
  Result<void> prune(std::chrono::hours age);

  // ---- people

  /// All models that are not deleted, of every scope, by slug.
  Result<std::vector<events::ModelState>> list_models();

  /// Asks the leading registry-sync to sync now, writes an audit entry, and returns the request's id. `connection`:
  /// name or id; empty: all connections. The organisation of the actor's scope, where it has one, says whose connection
  /// it is. Errors: not_found; invalid_input, where several connections have the name; conflict, where the connection
  /// is not synced.
  Result<std::string> request_sync(const std::string& connection, const Actor& actor, bool accept_held = false);
  /// Asks the leading registry-sync to compare the compacted topics with the database now, and to publish what they
  /// lack; writes an audit entry. A request like the others, but for its runs: it has none.
  Result<std::string> request_republish(const Actor& actor);
  Result<SyncRequestState> sync_request_state(const std::string& request_id);
  /// Waits for the request to be finished. When time is over, what is there by then: `finished` is false, and
  /// `unfinished` says what is lacking. Error timed_out: no registry-sync took it up.
  Result<SyncRequestState> await_sync(const std::string& request_id, std::chrono::milliseconds time_max);
  /// For the leader: requests that are not finished and not among those that it knows, those that a leader before it
  /// had started included; now started. The oldest, a hundred at a time.
  Result<std::vector<SyncRequest>> take_sync_requests(const std::vector<std::string>& known_ids = {});
  Result<void> finish_sync_request(const std::string& request_id);
  /// Requests that were started, of which every connection has a run. `adapters`: of connections that are synced.
  Result<std::vector<std::string>> served_requests(const std::vector<std::string>& adapters);

  // ---- the timetable that all processes share; see connection_leases.hpp

  /// For the leader: the versions of readers have been looked at, so connections may be synced.
  Result<void> let_syncs_begin();
  /// All connections are due now. `trigger`: start | event.
  Result<void> make_due(const std::string& trigger);
  /// A connection is due or being synced because it was due.
  Result<bool> any_due(const std::vector<std::string>& adapters);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokenrail::registry
