#include "common/registry/operations.hpp"

#include <fmt/core.h>

#include "common/registry/governed_sql.hpp"
#include "common/registry/sync_requests.hpp"

namespace tokenrail::registry {

Result<Document> Operations::get(const Actor& actor, const Scope& scope, const std::string& id) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto found = read_document(
        sql,
        "SELECT CAST(q.id AS text) AS id, CAST(0 AS bigint) AS version, CAST(json_build_object('id', q.id, 'kind', "
        "CASE WHEN q.republish THEN 'republish' ELSE 'sync' END, 'state', CASE WHEN q.finished_at IS NULL THEN "
        "'running' WHEN runs.failed > 0 THEN 'failed' ELSE "
        "'done' END, 'connection', c.name, 'connectionId', c.id, 'progress', json_build_object('phase', CASE WHEN "
        "q.finished_at IS NOT NULL THEN 'finished' WHEN q.started_at IS NULL THEN 'waiting' ELSE 'reading' END, "
        "'requestedAt', tokenrail_time(q.requested_at), 'startedAt', tokenrail_time(q.started_at), 'finishedAt', "
        "tokenrail_time(q.finished_at), 'runs', runs.all_of_them), 'result', CASE WHEN q.finished_at IS NOT NULL THEN "
        "json_build_object('runs', runs.documents) END) AS text) AS document FROM sync_request q LEFT JOIN connection "
        "c ON "
        "c.id = q.connection_id CROSS JOIN LATERAL (SELECT count(*) AS all_of_them, count(*) FILTER (WHERE r.status = "
        "'failed') AS failed, COALESCE(json_agg(json_build_object('id', r.id, 'status', r.status, 'listed', r.listed, "
        "'added', r.added, 'updated', r.updated, 'unchanged', r.unchanged, 'missing', r.missing, 'failed', r.failed, "
        "'errorClass', r.error_class, 'detail', r.detail, 'startedAt', tokenrail_time(r.started_at), 'finishedAt', "
        "tokenrail_time(r.finished_at)) ORDER BY r.finished_at), '[]') AS documents FROM sync_run r WHERE "
        "r.request_id = q.id) runs WHERE CAST(q.id AS text) = @id AND (c.id IS NOT NULL OR q.republish) AND c.org_id "
        "IS NOT DISTINCT FROM "
        "@org",
        Arguments().scope(scope).text("id", id));
    if (!found) return fail(ErrorKind::not_found, fmt::format("There is no operation {}.", id));
    return std::move(*found);
  });
}

Result<std::string> Operations::request_republish(const Actor& actor) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<std::string> {
    if (auto may = may_write(actor, {}); !may) return std::unexpected(may.error());
    return ask_for_republish(sql, actor);
  });
}

}  // namespace tokenrail::registry
