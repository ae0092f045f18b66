// The store's part in syncs on request: who asks for what, how far it is, and what registry-sync takes up.
#include <algorithm>
#include <thread>

#include <fmt/core.h>

#include "common/registry/governed_sql.hpp"
#include "common/registry/model_rows.hpp"
#include "common/registry/store_impl.hpp"
#include "common/registry/sync_requests.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

std::string asker_of(const Actor& actor) {
  auto asker = storable(actor.name, 255);
  return asker.empty() ? "unknown" : asker;
}

std::string owner_of(const Connection& connection) {
  if (connection.org_id.empty()) return "of the platform";
  if (connection.owner_user_id.empty()) return fmt::format("of {}", connection.org_id);
  return fmt::format("of the user {} of {}", connection.owner_user_id, connection.org_id);
}

/// The connection of that name or id, of the organisation if one is given.
Result<Connection> named_connection(soci::session& sql, const std::string& org_id, const std::string& name) {
  const auto elsewhere = [&](const Connection& c) { return !org_id.empty() && c.org_id != org_id; };
  auto found = read_connections(sql, "(c.name = $1 OR CAST(c.id AS text) = $1)", name);
  std::erase_if(found, elsewhere);
  if (const auto exact = std::ranges::find(found, name, &Connection::id); exact != found.end()) return *exact;
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) {
    auto all = read_connections(sql, "CAST($1 AS text) IS NULL", "");
    std::erase_if(all, elsewhere);
    std::string names;
    for (const auto& c : all) names += (names.empty() ? "" : ", ") + c.name;
    return fail(ErrorKind::not_found,
                fmt::format("There is no connection {}. Those there are: {}.", name, names.empty() ? "none" : names));
  }
  std::string candidates;
  for (const auto& c : found) candidates += fmt::format("{}{} {}", candidates.empty() ? "" : ", ", c.id, owner_of(c));
  return std::unexpected(
      Error{.kind = ErrorKind::invalid_input,
            .detail = fmt::format("There are {} connections {}: {}.", found.size(), name, candidates),
            .hint = "Say whose it is (--org), or give its id."});
}

}  // namespace

Result<void> expect_synced(const std::string& name, bool enabled, bool sync_enabled) {
  if (enabled && sync_enabled) return {};
  return std::unexpected(Error{
      .kind = ErrorKind::conflict,
      .detail = enabled ? fmt::format("The sync of the connection {} is off.", name)
                        : fmt::format("The connection {} is disabled.", name),
      .hint = enabled ? fmt::format("Turn it on first: tokenrail connections set {} --sync on, or syncEnabled in the "
                                    "API.",
                                    name)
                      : fmt::format("Enable it first: tokenrail connections set {} --enable, or enabled in the API.",
                                    name)});
}

std::string ask_for_republish(soci::session& sql, const Actor& actor) {
  const auto asker = asker_of(actor);
  std::string id;
  sql << "INSERT INTO sync_request (requested_by, republish) VALUES (:asker, true) RETURNING CAST(id AS text)",
      soci::use(asker), soci::into(id);
  write_audit(sql, actor, {.action = "republish.requested", .target_type = "registry", .target_id = ""});
  return id;
}

Result<std::string> Store::request_sync(const std::string& connection, const Actor& actor, bool accept_held) {
  return impl_->session.transact(
      [&](soci::session& sql) -> Result<std::string> {
        assume(sql, actor);
        Connection one;
        if (!connection.empty()) {
          auto found = named_connection(sql, actor.scope.org_id, connection);
          if (!found) return std::unexpected(std::move(found.error()));
          one = std::move(*found);
          if (auto synced = expect_synced(one.name, one.enabled, one.sync_enabled); !synced)
            return std::unexpected(std::move(synced.error()));
        }
        const auto connection_id = text_or_null(one.id);
        const int accept = accept_held ? 1 : 0;
        const auto asker = asker_of(actor);
        std::string id;
        sql << "INSERT INTO sync_request (connection_id, requested_by, accept_held) "
               "VALUES (CAST(:connection AS uuid), :asker, CAST(:accept AS int) <> 0) RETURNING CAST(id AS text)",
            soci::use(connection_id.value, connection_id.indicator), soci::use(asker), soci::use(accept),
            soci::into(id);
        write_audit(sql, actor,
                    {.action = accept_held ? "sync.accepted" : "sync.requested",
                     .target_type = "connection",
                     .target_id = one.id,
                     .target_name = one.name,
                     .org_id = one.org_id});
        return id;
      },
      !actor.dry_run);
}

Result<std::string> Store::request_republish(const Actor& actor) {
  return impl_->session.transact(
      [&](soci::session& sql) -> Result<std::string> {
        assume(sql, actor);
        return ask_for_republish(sql, actor);
      },
      !actor.dry_run);
}

Result<SyncRequestState> Store::sync_request_state(const std::string& request_id) {
  return impl_->session.run([&](soci::session& sql) -> Result<SyncRequestState> {
    int started = 0;
    int finished = 0;
    sql << "SELECT CASE WHEN started_at IS NULL THEN 0 ELSE 1 END, CASE WHEN finished_at IS NULL THEN 0 ELSE 1 END "
           "FROM sync_request WHERE id = CAST(:id AS uuid)",
        soci::use(request_id), soci::into(started), soci::into(finished);
    if (!sql.got_data()) return fail(ErrorKind::not_found, "There is no sync request " + request_id + ".");
    SyncRequestState state{.started = started != 0, .finished = finished != 0};
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT CAST(r.connection_id AS text) AS connection_id, c.name AS name, r.trigger AS trigger, "
                        "r.status AS status, r.listed AS listed, r.added AS added, r.updated AS updated, "
                        "r.unchanged AS unchanged, r.missing AS missing, r.held AS held, r.failed AS failed, "
                        "r.error_class AS error_class, r.detail AS detail "
                        "FROM sync_run r JOIN connection c ON c.id = r.connection_id "
                        "WHERE r.request_id = CAST(:id AS uuid) ORDER BY c.name",
         soci::use(request_id));
    for (const auto& row : rows) {
      state.runs.push_back({.connection_id = text(row, "connection_id"),
                            .connection_name = text(row, "name"),
                            .request_id = request_id,
                            .trigger = text(row, "trigger"),
                            .status = text(row, "status"),
                            .listed = row.get<int>("listed"),
                            .added = row.get<int>("added"),
                            .updated = row.get<int>("updated"),
                            .unchanged = row.get<int>("unchanged"),
                            .missing = row.get<int>("missing"),
                            .held = row.get<int>("held"),
                            .failed = row.get<int>("failed"),
                            .error_class = text(row, "error_class"),
                            .detail = text(row, "detail")});
    }
    const soci::rowset<soci::row> lacking =
        (sql.prepare << "SELECT c.name AS name FROM sync_request q JOIN connection c ON q.connection_id IS NULL OR "
                        "c.id = q.connection_id JOIN provider p ON p.slug = c.provider WHERE q.id = CAST(:id AS uuid) "
                        "AND NOT q.republish AND q.finished_at IS NULL AND c.deleted_at IS NULL AND c.enabled AND "
                        "c.sync_enabled AND NOT EXISTS (SELECT 1 FROM sync_run r WHERE r.request_id = q.id AND "
                        "r.connection_id = c.id) ORDER BY c.name",
         soci::use(request_id));
    for (const auto& row : lacking) state.unfinished.push_back(text(row, "name"));
    return state;
  });
}

Result<SyncRequestState> Store::await_sync(const std::string& request_id, std::chrono::milliseconds time_max) {
  const auto deadline = std::chrono::steady_clock::now() + time_max;
  for (;;) {
    auto state = sync_request_state(request_id);
    if (!state || state->finished) return state;
    if (std::chrono::steady_clock::now() >= deadline) {
      if (state->started) return state;
      return fail(ErrorKind::timed_out,
                  "No registry-sync has taken the request up. Start one (tokenrail-registry-sync), then ask again.");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Result<std::vector<SyncRequest>> Store::take_sync_requests(const std::vector<std::string>& known_ids) {
  std::string known;
  for (const auto& id : known_ids) known += (known.empty() ? "" : ",") + id;
  const std::string open = "finished_at IS NULL AND id <> ALL (CAST(string_to_array(:known, ',') AS uuid[]))";
  // Nearly always there is nothing: that is seen without a lock on the lease.
  int count = 0;
  const auto looked = impl_->session.run([&](soci::session& sql) -> Result<void> {
    sql << "SELECT count(*) FROM sync_request WHERE " + open, soci::use(known), soci::into(count);
    return {};
  });
  if (!looked) return std::unexpected(looked.error());
  if (count == 0) return std::vector<SyncRequest>{};
  return impl_->lead([&](soci::session& sql) -> Result<std::vector<SyncRequest>> {
    std::vector<SyncRequest> requests;
    const soci::rowset<soci::row> rows =
        (sql.prepare << "UPDATE sync_request SET started_at = now() WHERE id IN (SELECT id FROM sync_request "
                        "WHERE " +
                            open +
                            " ORDER BY requested_at LIMIT 100) RETURNING CAST(id AS text) AS id, CAST(connection_id AS "
                            "text) AS connection_id, "
                            "CASE WHEN accept_held THEN 1 ELSE 0 END AS accept_held, "
                            "CASE WHEN republish THEN 1 ELSE 0 END AS republish",
         soci::use(known));
    for (const auto& row : rows) {
      requests.push_back({.id = text(row, "id"),
                          .connection_id = text(row, "connection_id"),
                          .accept_held = row.get<int>("accept_held") != 0,
                          .republish = row.get<int>("republish") != 0});
    }
    return requests;
  });
}

Result<std::vector<std::string>> Store::served_requests(const std::vector<std::string>& adapters) {
  return impl_->session.run([&](soci::session& sql) -> Result<std::vector<std::string>> {
    const auto names = joined(adapters);
    const soci::rowset<soci::row> rows =
        (sql.prepare << fmt::format(
             "SELECT CAST(q.id AS text) AS id FROM sync_request q WHERE q.finished_at IS NULL AND NOT q.republish AND "
             "q.started_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM connection c JOIN provider p ON p.slug = "
             "c.provider WHERE {} AND {})",
             synced_connections, unserved_requests),
         soci::use(names, "adapters"));
    std::vector<std::string> ids;
    for (const auto& row : rows) ids.push_back(text(row, "id"));
    return ids;
  });
}

Result<void> Store::let_syncs_begin() {
  return impl_->lead([&](soci::session& sql) -> Result<void> {
    sql << "UPDATE registry_lease SET versions_epoch = epoch WHERE name = 'registry-sync'";
    return {};
  });
}

Result<void> Store::make_due(const std::string& trigger) {
  return impl_->session.run([&](soci::session& sql) -> Result<void> {
    sql << "UPDATE connection_lease SET due_at = '-infinity', asked_at = clock_timestamp(), trigger = :trigger",
        soci::use(trigger);
    return {};
  });
}

Result<bool> Store::any_due(const std::vector<std::string>& adapters) {
  return impl_->session.run([&](soci::session& sql) -> Result<bool> {
    const auto names = joined(adapters);
    int due = 0;
    sql << fmt::format(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM connection c JOIN provider p ON p.slug = c.provider LEFT JOIN "
        "connection_lease l ON l.connection_id = c.id WHERE {} AND (l.due_at IS NULL OR l.due_at <= "
        "clock_timestamp())) THEN 1 ELSE 0 END",
        synced_connections),
        soci::use(names, "adapters"), soci::into(due);
    return due != 0;
  });
}

Result<void> Store::finish_sync_request(const std::string& request_id) {
  return impl_->lead([&](soci::session& sql) -> Result<void> {
    sql << "UPDATE sync_request SET finished_at = now() WHERE id = CAST(:id AS uuid)", soci::use(request_id);
    return {};
  });
}

}  // namespace tokenrail::registry
