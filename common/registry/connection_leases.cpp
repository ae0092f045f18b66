#include "common/registry/connection_leases.hpp"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "common/registry/store_impl.hpp"

namespace tokenrail::registry {

namespace {

/// "id:epoch,id:epoch", for a list of pairs in a statement.
std::string pairs_of(const std::vector<ConnectionLeases::Held>& held) {
  std::string text;
  for (const auto& one : held) text += fmt::format("{}{}:{}", text.empty() ? "" : ",", one.connection_id, one.epoch);
  return text;
}
constexpr const char* among_pairs =
    "CAST(connection_id AS text) || ':' || CAST(epoch AS text) = ANY (string_to_array(:pairs, ','))";

}  // namespace

struct ConnectionLeases::Impl {
  Session session;
  std::string holder;
  std::string adapters;
};

ConnectionLeases::ConnectionLeases(DatabaseOptions options, std::string holder, std::vector<std::string> adapters)
    : impl_(std::make_unique<Impl>(Session(std::move(options)), std::move(holder),
                                   fmt::format("{}", fmt::join(adapters, ",")))) {}
ConnectionLeases::~ConnectionLeases() = default;
ConnectionLeases::ConnectionLeases(ConnectionLeases&&) noexcept = default;
ConnectionLeases& ConnectionLeases::operator=(ConnectionLeases&&) noexcept = default;

Result<std::vector<ClaimedConnection>> ConnectionLeases::claim(std::size_t count) {
  return impl_->session.transact([&](soci::session& sql) -> Result<std::vector<ClaimedConnection>> {
    const auto& adapters = impl_->adapters;
    sql << fmt::format(
        "INSERT INTO connection_lease (connection_id) SELECT c.id FROM connection c JOIN provider p ON p.slug = "
        "c.provider WHERE {} AND NOT EXISTS (SELECT 1 FROM connection_lease l WHERE l.connection_id = c.id) ON "
        "CONFLICT DO NOTHING",
        synced_connections),
        soci::use(adapters, "adapters");
    const long long most = static_cast<long long>(count);
    const long long ms = lease_duration.count();
    const soci::rowset<soci::row> rows =
        (sql.prepare << fmt::format(
             "WITH due AS (SELECT l.connection_id, q.id AS request_id, q.accept_held FROM connection_lease l "
             "JOIN connection c ON c.id = l.connection_id JOIN provider p ON p.slug = c.provider "
             "LEFT JOIN LATERAL (SELECT q.id, q.accept_held FROM sync_request q WHERE {} ORDER BY q.requested_at LIMIT "
             "1) q ON true "
             "WHERE {} AND (q.id IS NOT NULL OR l.due_at <= clock_timestamp()) AND "
             "(l.renewed_at < clock_timestamp() - make_interval(secs => CAST(:ms AS float8) / 1000) OR "
             "l.renewed_at > clock_timestamp() + make_interval(secs => CAST(:ms AS float8) / 1000)) AND "
             "EXISTS (SELECT 1 FROM registry_lease r WHERE r.name = 'registry-sync' AND r.epoch > 0 AND "
             "r.versions_epoch = r.epoch) "
             "ORDER BY q.id IS NULL, c.health = 'down', l.due_at, l.connection_id LIMIT CAST(:most AS bigint) FOR "
             "UPDATE OF l SKIP LOCKED) "
             "UPDATE connection_lease l SET epoch = l.epoch + 1, holder = :holder, acquired_at = clock_timestamp(), "
             "renewed_at = clock_timestamp() FROM due WHERE l.connection_id = due.connection_id "
             "RETURNING CAST(l.connection_id AS text) AS connection_id, l.epoch AS epoch, l.trigger AS trigger, "
             "CAST(due.request_id AS text) AS request_id, CASE WHEN due.accept_held THEN 1 ELSE 0 END AS accept_held",
             unserved_requests, synced_connections),
         soci::use(adapters, "adapters"), soci::use(ms, "ms"), soci::use(most, "most"),
         soci::use(impl_->holder, "holder"));
    std::map<std::string, ClaimedConnection> claimed;
    for (const auto& row : rows) {
      auto id = text(row, "connection_id");
      ClaimedConnection one{.connection = {}, .trigger = text(row, "trigger")};
      one.connection.lease_epoch = number(row, "epoch");
      one.request = {.id = text(row, "request_id"), .connection_id = id, .accept_held = truth(row, "accept_held")};
      if (!one.request.id.empty()) one.trigger = "manual";
      claimed.emplace(std::move(id), std::move(one));
    }
    std::vector<ClaimedConnection> all;
    for (auto& [id, one] : claimed) {
      auto found = read_connections(sql, "c.id = CAST($1 AS uuid)", id);
      if (found.empty()) continue;  // deleted at this moment; its lease expires
      found.front().lease_epoch = one.connection.lease_epoch;
      one.connection = std::move(found.front());
      all.push_back(std::move(one));
    }
    return all;
  });
}

Result<void> ConnectionLeases::renew(const std::vector<Held>& held) {
  if (held.empty()) return {};
  return impl_->session.run([&](soci::session& sql) -> Result<void> {
    const auto pairs = pairs_of(held);
    sql << std::string("UPDATE connection_lease SET renewed_at = clock_timestamp() WHERE ") + among_pairs,
        soci::use(pairs, "pairs");
    return {};
  });
}

Result<void> ConnectionLeases::release(const Held& held, std::chrono::milliseconds due_in) {
  return impl_->session.run([&](soci::session& sql) -> Result<void> {
    const auto pairs = pairs_of({held});
    const long long ms = due_in.count();
    sql << std::string(
               "UPDATE connection_lease SET renewed_at = '-infinity', due_at = CASE WHEN asked_at > acquired_at THEN "
               "due_at ELSE clock_timestamp() + make_interval(secs => CAST(:ms AS float8) / 1000) END, trigger = CASE "
               "WHEN asked_at > acquired_at THEN trigger ELSE 'schedule' END WHERE ") +
               among_pairs,
        soci::use(ms, "ms"), soci::use(pairs, "pairs");
    return {};
  });
}

Result<void> ConnectionLeases::give_back(const std::vector<Held>& held) {
  if (held.empty()) return {};
  return impl_->session.run([&](soci::session& sql) -> Result<void> {
    const auto pairs = pairs_of(held);
    sql << std::string("UPDATE connection_lease SET renewed_at = '-infinity' WHERE ") + among_pairs,
        soci::use(pairs, "pairs");
    return {};
  });
}

}  // namespace tokenrail::registry
