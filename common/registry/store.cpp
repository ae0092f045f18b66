#include "common/registry/store.hpp"

#include <array>
#include <set>
#include <string>
#include <utility>

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "common/registry/governed_sql.hpp"
#include "common/registry/kept_statements.hpp"
#include "common/registry/migrator.hpp"
#include "common/registry/model_rows.hpp"
#include "common/registry/store_impl.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

Store::Store(DatabaseOptions options, std::shared_ptr<const Fence> fence)
    : impl_(std::make_unique<Impl>(Session(std::move(options)), std::move(fence))) {}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

Result<void> Store::Impl::check_fence(soci::session& sql) const {
  if (!fence) return {};
  const long long epoch = fence->epoch();
  int found = 0;
  // The lock keeps a takeover out until this transaction has ended. A process that is stopped in the middle of one
  // must not keep it out for long, so the database ends the transaction then.
  if (epoch != 0) {
    sql << "SELECT CASE WHEN set_config('idle_in_transaction_session_timeout', '5s', true) = '' THEN 0 ELSE 1 END "
           "FROM registry_lease WHERE name = 'registry-sync' AND epoch = :epoch FOR KEY SHARE",
        soci::use(epoch), soci::into(found);
  }
  if (found != 0 && sql.got_data()) return {};
  return fail(ErrorKind::rejected,
              "Another registry-sync has taken the lead, or this one gave it up. Nothing was written.");
}

Result<void> Store::Impl::check_lease(soci::session& sql, const Connection& connection) {
  int found = 0;
  const long long epoch = connection.lease_epoch;
  sql << "SELECT CASE WHEN set_config('idle_in_transaction_session_timeout', '5s', true) = '' THEN 0 ELSE 1 END "
         "FROM connection_lease WHERE connection_id = CAST(:id AS uuid) AND epoch = :epoch FOR KEY SHARE",
      soci::use(connection.id), soci::use(epoch), soci::into(found);
  if (found != 0 && sql.got_data()) return {};
  return fail(ErrorKind::rejected, fmt::format("Another registry-sync has claimed the connection {} meanwhile. Nothing "
                                               "was written.",
                                               connection.name));
}

Result<void> check_schema(soci::session& sql) {
  int applied = 0;
  sql << "SELECT COALESCE(max(version), 0) FROM schema_migration", soci::into(applied);
  const int needed = migrations().back().version;
  if (applied >= needed) return {};
  return fail(ErrorKind::rejected, fmt::format("The database's schema is at migration {:04}, this program needs {:04}. "
                                               "Run `tokenrail migrate`.",
                                               applied, needed));
}

Result<void> Store::check() {
  return impl_->session.run([](soci::session& sql) -> Result<void> { return check_schema(sql); });
}

// ---- connections -------------------------------------------------------------------------------------------------

std::vector<Connection> read_connections(soci::session& sql, const std::string& where, const std::string& value) {
  static const std::string columns =
      "SELECT CAST(c.id AS text) AS id, c.org_id AS org_id, c.owner_user_id AS owner_user_id, "
      "c.provider AS provider, p.adapter AS adapter, c.name AS name, c.base_url AS base_url, "
      "c.auth_type AS auth_type, c.auth_name AS auth_name, CAST(c.credential_id AS text) AS credential_id, "
      "c.credential_version AS credential_version, c.priority AS priority, c.weight AS weight, "
      "c.enabled AS enabled, c.sync_enabled AS sync_enabled, "
      "array_to_string(c.include_globs, chr(31)) AS include_globs, "
      "array_to_string(c.exclude_globs, chr(31)) AS exclude_globs, c.on_new AS on_new, "
      "c.slug_prefix AS slug_prefix, c.health AS health, c.health_reason AS health_reason, c.last_sync_status "
      "AS last_sync_status, "
      "c.last_error_class AS last_error_class, CAST(c.sync_interval_s AS bigint) AS sync_interval_s "
      "FROM connection c JOIN provider p ON p.slug = c.provider WHERE c.deleted_at IS NULL AND ";
  const auto rows =
      run_kept(sql, columns + where + " ORDER BY c.name, c.id", {value.empty() ? std::nullopt : std::optional(value)});
  std::vector<Connection> connections;
  for (int at = 0; at < rows.count(); ++at) {
    const auto row = rows.row(at);
    connections.push_back({.id = text(row, "id"),
                           .org_id = text(row, "org_id"),
                           .owner_user_id = text(row, "owner_user_id"),
                           .provider = text(row, "provider"),
                           .adapter = text(row, "adapter"),
                           .name = text(row, "name"),
                           .base_url = text(row, "base_url"),
                           .auth_type = text(row, "auth_type"),
                           .auth_name = text(row, "auth_name"),
                           .credential_id = text(row, "credential_id"),
                           .credential_version = number(row, "credential_version"),
                           .priority = number(row, "priority"),
                           .weight = number(row, "weight"),
                           .enabled = truth(row, "enabled"),
                           .sync_enabled = truth(row, "sync_enabled"),
                           .include_globs = parts_of(text(row, "include_globs")),
                           .exclude_globs = parts_of(text(row, "exclude_globs")),
                           .new_models_enabled = text(row, "on_new") == "enabled",
                           .slug_prefix = text(row, "slug_prefix"),
                           .health = text(row, "health"),
                           .health_reason = text(row, "health_reason"),
                           .last_sync_status = text(row, "last_sync_status"),
                           .last_error_class = text(row, "last_error_class"),
                           .sync_interval_s = maybe_number(row, "sync_interval_s")});
  }
  return connections;
}

Result<std::vector<Connection>> Store::connections() {
  return impl_->session.run([](soci::session& sql) -> Result<std::vector<Connection>> {
    return read_connections(sql, "CAST($1 AS text) IS NULL", "");
  });
}

namespace {

/// A connection that the environment makes, as it is stored.
struct FromEnvironment {
  std::string id;
  std::string base_url;
  std::string auth_type;
  std::string on_new;
  std::set<std::string> set_by_people;  ///< wire names of fields
};

/// Locks the row.
FromEnvironment read_from_environment(soci::session& sql, const std::string& name) {
  FromEnvironment now;
  std::string fields;
  sql << "SELECT CAST(id AS text), base_url, auth_type, on_new, array_to_string(set_by_people, chr(31)) FROM "
         "connection "
         "WHERE org_id IS NULL AND owner_user_id IS NULL AND deleted_at IS NULL AND name = :name FOR UPDATE",
      soci::use(name), soci::into(now.id), soci::into(now.base_url), soci::into(now.auth_type), soci::into(now.on_new),
      soci::into(fields);
  for (auto& field : parts_of(fields)) now.set_by_people.insert(std::move(field));
  return now;
}

}  // namespace

Result<Connection> Store::ensure_platform_connection(const PlatformConnection& wanted) {
  return impl_->lead([&](soci::session& sql) -> Result<Connection> {
    const std::string on_new = wanted.new_models_enabled ? "enabled" : "disabled";
    // Two processes may both find nothing; the second one's insert then does nothing.
    sql << "INSERT INTO connection (provider, name, base_url, auth_type, on_new) "
           "VALUES (:provider, :name, :base_url, :auth_type, :on_new) "
           "ON CONFLICT (org_id, owner_user_id, name) WHERE deleted_at IS NULL DO NOTHING",
        soci::use(wanted.provider), soci::use(wanted.name), soci::use(wanted.base_url), soci::use(wanted.auth_type),
        soci::use(on_new);
    const auto now = read_from_environment(sql, wanted.name);
    // What a person set counts before the environment.
    const auto keep = [&](const char* field, const std::string& mine, const std::string& wish) {
      if (!now.set_by_people.contains(field)) return wish;
      if (mine != wish)
        spdlog::info("The connection {} keeps {} {}: a person set it. The environment says {}.", wanted.name, field,
                     mine, wish);
      return mine;
    };
    const auto base_url = keep("baseUrl", now.base_url, wanted.base_url);
    const auto auth_type = keep("authType", now.auth_type, wanted.auth_type);
    const auto on_new_wanted = keep("onNew", now.on_new, on_new);
    const bool elsewhere = now.base_url != base_url || now.auth_type != auth_type;
    if (elsewhere || now.on_new != on_new_wanted) {
      sql << "UPDATE connection SET base_url = :base_url, auth_type = :auth_type, on_new = :on_new, "
             "version = nextval('registry_version'), updated_at = now() WHERE id = CAST(:id AS uuid)",
          soci::use(base_url), soci::use(auth_type), soci::use(on_new_wanted), soci::use(now.id);
    }
    const auto& id = now.id;
    if (elsewhere) {
      std::vector<Change> changes;
      for (const auto& row : read_models(sql,
                                         "EXISTS (SELECT 1 FROM deployment e WHERE e.model_id = m.id AND "
                                         "e.connection_id = CAST(:first AS uuid)) AND CAST(:second AS text) IS NULL",
                                         id, ""))
        changes.push_back({row.state.id, row.state.version, {"deployments"}});
      std::vector<std::string> ids;
      for (const auto& change : changes) ids.push_back(change.model_id);
      lock_models(sql, ids);
      for (const auto& change : changes) {
        sql << "UPDATE model SET version = nextval('registry_version'), updated_at = now() WHERE id = CAST(:id AS "
               "uuid)",
            soci::use(change.model_id);
      }
      tell_changes(sql, changes, "sync", sync_actor);
    }
    return read_connections(sql, "c.id = CAST($1 AS uuid)", id).at(0);
  });
}

// ---- history ------------------------------------------------------------------------------------------------------

Result<void> Store::prune(std::chrono::hours age) {
  const long long hours = age.count();
  // Each on its own: what keeps one of them from being done keeps no other one. A held change goes before the run that
  // it points to, a run before the request that it points to.
  constexpr std::array statements{
      "DELETE FROM outbox WHERE published_at < now() - make_interval(hours => CAST(:hours AS int))",
      "DELETE FROM held_change WHERE (ended_at IS NOT NULL OR decision = 'superseded') AND "
      "COALESCE(ended_at, decided_at) < now() - make_interval(hours => CAST(:hours AS int))",
      "DELETE FROM sync_run r WHERE finished_at < now() - make_interval(hours => CAST(:hours AS int)) AND "
      "NOT EXISTS (SELECT 1 FROM held_change h WHERE h.sync_run_id = r.id)",
      "DELETE FROM sync_request q WHERE finished_at < now() - make_interval(hours => CAST(:hours AS int)) AND "
      "NOT EXISTS (SELECT 1 FROM sync_run r WHERE r.request_id = q.id)"};
  Result<void> outcome;
  for (const auto* statement : statements) {
    const auto done = impl_->lead([&](soci::session& sql) -> Result<void> {
      sql << statement, soci::use(hours, "hours");
      return {};
    });
    if (!done && outcome) outcome = done;
  }
  return outcome;
}

// ---- people ------------------------------------------------------------------------------------------------------

Result<std::vector<events::ModelState>> Store::list_models() {
  return impl_->session.run([](soci::session& sql) -> Result<std::vector<events::ModelState>> {
    std::vector<events::ModelState> models;
    for (auto& row : read_models(sql, "CAST(:first AS text) IS NULL AND CAST(:second AS text) IS NULL", "", ""))
      models.push_back(std::move(row.state));
    return models;
  });
}

}  // namespace tokenrail::registry
