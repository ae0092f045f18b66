// The outbox, and what the compacted topics should hold.
#include <array>
#include <set>
#include <string>

#include <fmt/core.h>

#include "common/events/credential_event.hpp"
#include "common/events/registry_records.hpp"
#include "common/registry/model_rows.hpp"
#include "common/registry/state_records.hpp"
#include "common/registry/store.hpp"
#include "common/registry/store_impl.hpp"

namespace tokenrail::registry {

namespace {

/// The rows of `outbox` that wait for a part: fixed text.
std::string waiting_for(Store::OutboxPart part) {
  std::string condition = "published_at IS NULL";
  if (part == Store::OutboxPart::history) condition += " AND state_published_at IS NOT NULL";
  if (part == Store::OutboxPart::state) condition += " AND state_published_at IS NULL";
  if (part == Store::OutboxPart::state || part == Store::OutboxPart::credentials)
    condition += fmt::format(" AND type {} ('{}', '{}')", part == Store::OutboxPart::credentials ? "IN" : "NOT IN",
                             events::credential_upserted_type, events::credential_revoked);
  return condition;
}

}  // namespace

Result<std::vector<OutboxRecord>> Store::unpublished(std::int64_t count_max, OutboxPart part) {
  const std::string where = waiting_for(part);
  // Nearly always there is nothing: that is seen without a lock on the lease.
  int some = 0;
  const auto looked = impl_->session.run([&](soci::session& sql) -> Result<void> {
    sql << "SELECT CASE WHEN EXISTS (SELECT 1 FROM outbox WHERE " + where + ") THEN 1 ELSE 0 END", soci::into(some);
    return {};
  });
  if (!looked) return std::unexpected(looked.error());
  if (some == 0) return std::vector<OutboxRecord>{};
  return impl_->lead([&](soci::session& sql) -> Result<std::vector<OutboxRecord>> {
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT seq, CAST(id AS text) AS id, aggregateid, type, CAST(payload AS text) AS payload, "
                        "CAST(floor(extract(epoch FROM created_at) * 1000) AS bigint) AS created_ms "
                        "FROM outbox WHERE " +
                            where + " ORDER BY seq LIMIT :count",
         soci::use(count_max));
    std::vector<OutboxRecord> records;
    for (const auto& row : rows) {
      OutboxRecord record{.seq = number(row, "seq"),
                          .id = text(row, "id"),
                          .key = text(row, "aggregateid"),
                          .type = text(row, "type"),
                          .payload = std::nullopt,
                          .created_ms = number(row, "created_ms")};
      if (row.get_indicator("payload") == soci::i_ok) record.payload = text(row, "payload");
      records.push_back(std::move(record));
    }
    return records;
  });
}

Result<void> Store::mark_published(const std::vector<std::int64_t>& seqs, OutboxPart part) {
  if (seqs.empty()) return {};
  std::string list;
  for (const auto seq : seqs) list += fmt::format("{}{}", list.empty() ? "" : ",", seq);
  const std::string column = part == OutboxPart::state ? "state_published_at" : "published_at";
  return impl_->lead([&](soci::session& sql) -> Result<void> {
    sql << "UPDATE outbox SET " + column + " = now() WHERE " + waiting_for(part) +
               " AND seq = ANY (CAST(string_to_array(:seqs, ',') AS bigint[]))",
        soci::use(list);
    return {};
  });
}

Result<Store::OutboxLag> Store::outbox_lag(OutboxPart part) {
  return impl_->session.run([part](soci::session& sql) -> Result<OutboxLag> {
    long long rows = 0;
    long long oldest_ms = 0;
    sql << "SELECT count(*), CAST(COALESCE(floor(extract(epoch FROM now() - min(created_at)) * 1000), 0) AS bigint) "
           "FROM outbox WHERE " +
               waiting_for(part),
        soci::into(rows), soci::into(oldest_ms);
    return OutboxLag{.rows = rows, .oldest = std::chrono::milliseconds(oldest_ms)};
  });
}

namespace {

/// Keys with an event that waits for its compacted topic.
std::set<std::string> pending_keys(soci::session& sql) {
  std::set<std::string> pending;
  const soci::rowset<soci::row> keys =
      (sql.prepare << "SELECT DISTINCT aggregateid AS key FROM outbox WHERE published_at IS NULL AND "
                      "state_published_at IS NULL");
  for (const auto& row : keys) pending.insert(text(row, "key"));
  return pending;
}

void add_states(std::vector<PublishedState>& states, std::vector<StateRecord> records,
                const std::set<std::string>& pending) {
  for (auto& record : records) {
    if (record.payload.empty()) continue;
    const bool waits = pending.contains(record.key);
    states.push_back({.id = std::move(record.id),
                      .type = std::move(record.type),
                      .key = std::move(record.key),
                      .version = record.version,
                      .payload = std::move(record.payload),
                      .pending = waits});
  }
}

// Who made a record that is not a model, and why, is in the audit log only.
constexpr const char* cause_unknown = "seed";

// What is published is read by several statements; all must see the same moment.
constexpr const char* one_snapshot = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";

}  // namespace

Result<std::vector<PublishedState>> Store::whole_state() {
  return impl_->session.transact([](soci::session& sql) -> Result<std::vector<PublishedState>> {
    execute_script(sql, one_snapshot);
    const auto pending = pending_keys(sql);
    std::vector<PublishedState> states;
    for (const auto& row : read_models(sql, "CAST(:first AS text) IS NULL AND CAST(:second AS text) IS NULL", "", "")) {
      states.push_back({.id = row.state.id,
                        .type = std::string(events::model_upserted_type),
                        .key = events::model_key(row.state),
                        .version = row.state.version,
                        .payload = event_text(row, std::nullopt, {}, row.cause.empty() ? cause_unknown : row.cause,
                                              row.actor.empty() ? sync_actor : row.actor)});
      states.back().pending = pending.contains(states.back().key);
    }
    for (const auto records : {default_records, alias_records, view_records, grant_records, organization_records})
      add_states(states, records(sql, "", cause_unknown, sync_actor), pending);
    return states;
  });
}

Result<std::vector<PublishedState>> Store::whole_credentials() {
  return impl_->session.transact([](soci::session& sql) -> Result<std::vector<PublishedState>> {
    execute_script(sql, one_snapshot);
    std::vector<PublishedState> states;
    add_states(states, credential_records(sql, ""), pending_keys(sql));
    return states;
  });
}

Result<std::optional<Store::CredentialRecord>> Store::credential(const std::string& credential_id) {
  return impl_->session.run([&](soci::session& sql) -> Result<std::optional<CredentialRecord>> {
    auto records = credential_records(sql, credential_id);
    if (records.empty()) return std::nullopt;
    auto& record = records.front();
    CredentialRecord found{.key = std::move(record.key), .value = std::nullopt};
    if (!record.payload.empty()) found.value = std::move(record.payload);
    return found;
  });
}

Result<void> Store::raise_version(std::int64_t version) {
  return impl_->lead([&](soci::session& sql) -> Result<void> {
    sql << "SELECT CASE WHEN last_value < CAST(:version AS bigint) THEN setval('registry_version', "
           "CAST(:version AS bigint)) ELSE last_value END FROM registry_version",
        soci::use(version, "version");
    return {};
  });
}

namespace {

void tell_models_anew(soci::session& sql, const std::vector<std::string>& ids) {
  std::vector<Change> changes;
  lock_models(sql, ids);
  for (const auto& row : read_models(sql, ids)) {
    sql << "UPDATE model SET version = nextval('registry_version'), updated_at = now() WHERE id = CAST(:id AS uuid)",
        soci::use(row.state.id);
    changes.push_back({.model_id = row.state.id, .before_version = row.state.version, .changed_fields = {}});
  }
  tell_changes(sql, changes, "rollback", sync_actor);
}

std::vector<StateRecord> credential_records_of(soci::session& sql, const std::string& id, const std::string& /*cause*/,
                                               const std::string& /*actor*/) {
  return credential_records(sql, id);
}

/// What is published beside models: where its version is, and what its record is made of.
struct OtherRecord {
  std::string_view type;
  const char* aggregate;
  const char* raise;  ///< gives the row of :id a new version
  decltype(&default_records) records;
};
constexpr std::array other_records{
    OtherRecord{events::registry_default_type, "default",
                "UPDATE model_default SET version = nextval('registry_version') WHERE CAST(id AS text) = :id",
                default_records},
    OtherRecord{events::registry_alias_type, "alias",
                "UPDATE model_alias SET version = nextval('registry_version') WHERE CAST(id AS text) = :id",
                alias_records},
    OtherRecord{events::registry_view_type, "view",
                "UPDATE model_view SET version = nextval('registry_version') WHERE CAST(id AS text) = :id",
                view_records},
    OtherRecord{events::registry_grants_type, "grants",
                "UPDATE organization SET grants_version = nextval('registry_version') WHERE id = :id", grant_records},
    OtherRecord{events::registry_organization_type, "organization",
                "UPDATE organization SET version = nextval('registry_version') WHERE id = :id", organization_records},
    OtherRecord{events::credential_upserted_type, "credential",
                "UPDATE credential SET version = nextval('registry_version') WHERE CAST(id AS text) = :id",
                credential_records_of}};

}  // namespace

Result<void> Store::tell_anew(const std::vector<RecordName>& records) {
  return impl_->lead([&](soci::session& sql) -> Result<void> {
    std::vector<std::string> models;
    for (const auto& record : records)
      if (record.type == events::model_upserted_type) models.push_back(record.id);
    if (!models.empty()) tell_models_anew(sql, models);
    for (const auto& other : other_records) {
      for (const auto& record : records) {
        if (record.type != other.type) continue;
        sql << other.raise, soci::use(record.id);
        write_records(sql, other.aggregate, other.records(sql, record.id, "rollback", sync_actor));
      }
    }
    return {};
  });
}

}  // namespace tokenrail::registry
