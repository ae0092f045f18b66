#include "common/registry/governance_log.hpp"

#include <fmt/core.h>

#include "common/registry/governed_sql.hpp"
#include "common/registry/sync_requests.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

/// After that time the call that was answering it has ended without an answer.
constexpr const char* abandoned_after = "interval '2 minutes'";

}  // namespace

Result<DocumentPage> GovernanceLog::audit(const Actor& actor, const Scope& scope, const AuditFilter& filter,
                                          const PageRequest& page) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<DocumentPage> {
    const auto arguments = Arguments()
                               .scope(scope)
                               .text_or_null("action", filter.action)
                               .text_or_null("type", filter.target_type)
                               .text_or_null("target", filter.target_id)
                               .text_or_null("actor", filter.actor)
                               .text_or_null("before", page.after)
                               .number("limit", page.count_max + 1);
    // Written so that the index of an organisation's entries answers it, newest first.
    const std::string from =
        "FROM audit_log a WHERE (a.org_id = @org OR (@org IS NULL AND a.org_id IS NULL)) AND (@action IS NULL OR "
        "a.action = "
        "@action) AND (@type IS NULL OR a.target_type = @type) AND (@target IS NULL OR a.target_id = @target) AND "
        "(@actor "
        "IS NULL OR a.actor = @actor)";
    DocumentPage result;
    result.total = std::stoll(read_text(sql, "SELECT CAST(count(*) AS text) " + from, arguments).value_or("0"));
    result.items = read_documents(
        sql,
        "SELECT CAST(a.id AS text) AS id, a.seq AS version, CAST(json_build_object('id', a.id, 'at', "
        "tokenrail_time(a.created_at), 'orgId', a.org_id, 'actor', a.actor, 'action', a.action, 'targetType', "
        "a.target_type, 'targetId', a.target_id, 'targetName', a.target_name, 'before', a.before, 'after', a.after, "
        "'version', a.version, 'cause', a.cause, 'requestId', a.request_id) AS text) AS document " +
            from +
            " AND (@before IS NULL OR a.seq < CAST(@before AS bigint)) ORDER BY a.seq DESC LIMIT CAST(@limit AS "
            "bigint)",
        arguments);
    if (static_cast<std::int64_t>(result.items.size()) > page.count_max) {
      result.items.pop_back();
      result.next = result.items.empty() ? std::string() : std::to_string(result.items.back().version);
    }
    return result;
  });
}

Result<DocumentPage> GovernanceLog::sync_runs(const Actor& actor, const Scope& scope, const PageRequest& page) {
  return page_as(
      database_, actor,
      "SELECT CAST(r.id AS text) AS id, CAST(0 AS bigint) AS version, lpad(CAST(CAST(1e16 AS bigint) - "
      "CAST(extract(epoch FROM r.finished_at) * 1e6 AS bigint) AS text), 19, '0') || CAST(r.id AS text) AS place, "
      "CAST(json_build_object('id', r.id, 'connection', c.name, 'connectionId', c.id, 'trigger', r.trigger, "
      "'status', "
      "r.status, 'listed', r.listed, 'added', r.added, 'updated', r.updated, 'unchanged', r.unchanged, 'missing', "
      "r.missing, 'failed', r.failed, 'errorClass', r.error_class, 'detail', r.detail, 'startedAt', "
      "tokenrail_time(r.started_at), 'finishedAt', tokenrail_time(r.finished_at)) AS text) AS document FROM sync_run "
      "r "
      "JOIN connection c ON c.id = r.connection_id WHERE c.org_id IS NOT DISTINCT FROM @org",
      Arguments().scope(scope), page);
}

Result<std::string> GovernanceLog::request_sync(const Actor& actor, const Scope& scope,
                                                const std::string& connection_id, bool accept_held) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<std::string> {
    if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
    const auto found = read_text(
        sql,
        "SELECT c.id || chr(31) || CASE WHEN c.enabled THEN 'on' ELSE 'off' END || chr(31) || CASE WHEN c.sync_enabled "
        "THEN 'on' ELSE 'off' END || chr(31) || c.name FROM connection c WHERE c.deleted_at IS NULL AND c.org_id IS "
        "NOT "
        "DISTINCT FROM @org AND (CAST(c.id AS text) = @id OR c.name = @id) ORDER BY CAST(c.id AS text) = @id DESC, "
        "c.owner_user_id NULLS FIRST LIMIT 1",
        Arguments().scope(scope).text("id", connection_id));
    if (!found) return fail(ErrorKind::not_found, fmt::format("There is no connection {}.", connection_id));
    const auto parts = parts_of(*found);
    const auto& id = parts.at(0);
    const auto& name = parts.at(3);
    if (auto synced = expect_synced(name, parts.at(1) == "on", parts.at(2) == "on"); !synced)
      return std::unexpected(std::move(synced.error()));
    auto request =
        read_text(sql,
                  "INSERT INTO sync_request (connection_id, requested_by, accept_held) VALUES (CAST(@id AS "
                  "uuid), @actor, CAST(@accept AS boolean)) RETURNING CAST(id AS text)",
                  Arguments().text("id", id).text("actor", storable(actor.name, 255)).flag("accept", accept_held));
    write_audit(sql, actor,
                {.action = accept_held ? "sync.accepted" : "sync.requested",
                 .target_type = "connection",
                 .target_id = id,
                 .target_name = name,
                 .org_id = scope.org_id});
    return std::move(*request);
  });
}

// ---- requests that come twice ------------------------------------------------------------------------------------

Result<GovernanceLog::Claim> GovernanceLog::claim(const Actor& actor, const std::string& key,
                                                  const std::string& request_sha256) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Claim> {
    const auto arguments = Arguments()
                               .text("org", actor.scope.org_id)
                               .text("principal", storable(actor.name, 512))
                               .text("key", key)
                               .text("hash", request_sha256);
    const std::string this_one = "org_id = @org AND principal = @principal AND key = @key";
    run_statement(sql,
                  "DELETE FROM idempotency WHERE " + this_one +
                      " AND (expires_at < now() OR (status IS NULL AND "
                      "created_at < now() - " +
                      abandoned_after + "))",
                  arguments);
    const auto made = run_statement(sql,
                                    "INSERT INTO idempotency (org_id, principal, key, request_sha256) VALUES (@org, "
                                    "@principal, @key, @hash) ON CONFLICT DO NOTHING",
                                    arguments);
    if (made == 1) return Claim{};
    const auto object = arguments.object();
    const soci::rowset<soci::row> rows =
        (sql.prepare << with_arguments(
             "SELECT request_sha256 AS hash, status AS status, CAST(headers AS text) AS headers, "
             "body AS body FROM idempotency WHERE " +
             this_one),
         soci::use(object, "p"));
    for (const auto& row : rows) {
      if (text(row, "hash") != request_sha256) return Claim{.outcome = Claimed::mismatch};
      if (row.get_indicator("status") == soci::i_null) return Claim{.outcome = Claimed::in_flight};
      return Claim{
          .outcome = Claimed::replayed,
          .answer = {.status = row.get<int>("status"), .headers = text(row, "headers"), .body = text(row, "body")}};
    }
    return Claim{.outcome = Claimed::in_flight};
  });
}

Result<void> GovernanceLog::finish(const Actor& actor, const std::string& key, const StoredAnswer& answer) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    run_statement(
        sql,
        "UPDATE idempotency SET status = CAST(@status AS int), headers = @@headers, body = @body WHERE org_id = "
        "@org AND principal = @principal AND key = @key",
        Arguments()
            .text("org", actor.scope.org_id)
            .text("principal", storable(actor.name, 512))
            .text("key", key)
            .number("status", answer.status)
            .json("headers", answer.headers.empty() ? "{}" : answer.headers)
            .text("body", answer.body));
    return {};
  });
}

Result<void> GovernanceLog::abandon(const Actor& actor, const std::string& key) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    run_statement(
        sql, "DELETE FROM idempotency WHERE org_id = @org AND principal = @principal AND key = @key AND status IS NULL",
        Arguments().text("org", actor.scope.org_id).text("principal", storable(actor.name, 512)).text("key", key));
    return {};
  });
}

Result<std::int64_t> GovernanceLog::prune() {
  return database_.session().transact([&](soci::session& sql) -> Result<std::int64_t> {
    std::int64_t removed = 0;
    for (const auto* table : {"idempotency", "ended_session"}) {
      soci::statement removal((sql.prepare << "DELETE FROM " << table << " WHERE expires_at < now()"));
      removal.execute(true);
      removed += removal.get_affected_rows();
    }
    return removed;
  });
}

}  // namespace tokenrail::registry
