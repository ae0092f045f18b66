// The store's part in a sync: what is held of a connection, and carrying out a plan.
#include <algorithm>
#include <iterator>

#include <fmt/core.h>

#include "common/crypto/bytes.hpp"
#include "common/registry/catalog_holds.hpp"
#include "common/registry/connection_health.hpp"
#include "common/registry/gzip.hpp"
#include "common/registry/kept_statements.hpp"
#include "common/registry/model_rows.hpp"
#include "common/registry/planned_rows.hpp"
#include "common/registry/store_impl.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

Result<std::vector<StoredModel>> Store::load_models(const Connection& connection) {
  return impl_->session.transact([&](soci::session& sql) -> Result<std::vector<StoredModel>> {
    execute_script(sql, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    // The provider's slug is one of ours, checked by the schema; the scope is bound.
    std::vector<StoredModel> models;
    auto rows = read_models(sql,
                            "m.org_id IS NOT DISTINCT FROM CAST(:first AS text) AND "
                            "m.owner_user_id IS NOT DISTINCT FROM CAST(:second AS text)",
                            connection.org_id, connection.owner_user_id);
    for (auto& row : rows) {
      if (row.state.provider != connection.provider) continue;
      std::move(row.listed).restore(row.state);
      StoredModel model{.state = std::move(row.state),
                        .elsewhere = std::move(row.elsewhere),
                        .overridden = std::move(row.overridden),
                        .details_digest = std::move(row.details_digest),
                        .details_at_ms = row.details_at_ms,
                        .missing_expired = row.missing_expired};
      bool passed_here = false;
      for (const auto& deployment : row.deployments) {
        if (deployment.state.connection_id == connection.id) {
          model.here = deployment.stored;
          passed_here = true;
        } else if (deployment.serves && !deployment.stored.missing_since_ms) {
          model.listed_elsewhere = true;
          const bool before_here = deployment.state.priority != connection.priority
                                       ? deployment.state.priority < connection.priority
                                       : deployment.state.connection_id < connection.id;
          if (before_here && !passed_here) model.told_elsewhere = true;
        }
      }
      models.push_back(std::move(model));
    }
    return models;
  });
}

Result<std::set<std::string>> Store::models_above(const Connection& connection) {
  if (connection.org_id.empty()) return std::set<std::string>();
  return impl_->session.run([&](soci::session& sql) -> Result<std::set<std::string>> {
    static const auto statement = fmt::format(
        "SELECT a.model_name AS model_name FROM (SELECT CAST($1 AS text) AS provider, CAST($2 AS text) AS org_id, "
        "CAST($3 AS text) AS owner_user_id) w, model a WHERE {}",
        rows_above);
    const auto& owner = connection.owner_user_id;
    const auto rows = run_once(
        sql, statement, {connection.provider, connection.org_id, owner.empty() ? std::nullopt : std::optional(owner)});
    std::set<std::string> names;
    for (int at = 0; at < rows.count(); ++at) names.insert(text(rows.row(at), "model_name"));
    return names;
  });
}

Result<std::vector<HeldChange>> Store::held_changes(const std::string& connection_id) {
  return impl_->session.run([&](soci::session& sql) -> Result<std::vector<HeldChange>> {
    const auto rows =
        run_kept(sql,
                 "SELECT CAST(h.id AS text) AS id, CAST(h.model_id AS text) AS model_id, "
                 "m.model_name AS model_name, c.name AS connection_name, CAST(h.before AS text) AS before, "
                 "CAST(h.after AS text) AS after, h.reason AS reason, h.decision AS decision, "
                 "CAST(floor(extract(epoch FROM h.created_at) * 1000) AS bigint) AS since_ms "
                 "FROM held_change h JOIN connection c ON c.id = h.connection_id "
                 "LEFT JOIN model m ON m.id = h.model_id WHERE c.deleted_at IS NULL AND h.ended_at IS NULL AND "
                 "(h.decision IS NULL OR (h.decision IN ('accepted', 'rejected') AND "
                 "CAST($1 AS uuid) IS NOT NULL)) AND "
                 "h.connection_id = COALESCE(CAST($1 AS uuid), h.connection_id) "
                 "ORDER BY h.created_at, h.id",
                 {connection_id.empty() ? std::nullopt : std::optional(connection_id)});
    std::vector<HeldChange> changes;
    for (int at = 0; at < rows.count(); ++at) {
      const auto row = rows.row(at);
      changes.push_back({.id = text(row, "id"),
                         .model_id = text(row, "model_id"),
                         .model_name = text(row, "model_name"),
                         .connection_name = text(row, "connection_name"),
                         .before = parse_held_values(text(row, "before")),
                         .after = parse_held_values(text(row, "after")),
                         .reason = text(row, "reason"),
                         .decision = text(row, "decision"),
                         .since_ms = number(row, "since_ms")});
    }
    if (connection_id.empty()) {
      auto entries = held_entries(sql);
      std::ranges::move(entries, std::back_inserter(changes));
      std::ranges::sort(changes, {}, [](const HeldChange& c) { return std::pair(c.since_ms, std::string_view(c.id)); });
    }
    return changes;
  });
}

namespace {

/// The connection as it is now, locked: syncs of one connection come one after the other.
std::optional<Connection> lock_connection(soci::session& sql, const std::string& id) {
  sql << "SELECT 1 FROM connection WHERE id = CAST(:id AS uuid) FOR UPDATE", soci::use(id);
  auto found = read_connections(sql, "c.id = CAST($1 AS uuid)", id);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

bool keeps_health(const Connection& now, const SyncRun& run) {
  const auto health = health_after_sync(run);
  return !health || *health == ConnectionHealth{.state = now.health, .reason = now.health_reason};
}

/// Records a run where it says something new. Returns its id, or nothing.
std::string record_run(soci::session& sql, const Connection& now, const SyncRun& run, bool changed, bool new_held) {
  const bool differs = now.last_sync_status != run.status || now.last_error_class != run.error_class;
  if (differs) {
    sql << "UPDATE connection SET last_sync_status = :status, last_error_class = :error_class, "
           "last_sync_status_at = now(), updated_at = now() WHERE id = CAST(:id AS uuid)",
        soci::use(run.status), soci::use(run.error_class), soci::use(now.id);
  }
  if (const auto health = health_after_sync(run)) record_health(sql, now.id, *health, "sync");
  const bool turned = differs || new_held;
  if (!turned && !changed && run.request_id.empty()) return {};
  const auto request = text_or_null(run.request_id);
  const std::string detail = storable(run.detail, 512);
  std::string id;
  sql << "INSERT INTO sync_run (connection_id, request_id, trigger, status, listed, added, updated, unchanged, "
         "missing, held, failed, error_class, detail, started_at) VALUES (CAST(:connection AS uuid), "
         "CAST(:request AS uuid), :trigger, :status, :listed, :added, :updated, :unchanged, :missing, :held, :failed, "
         ":error_class, :detail, "
         "to_timestamp(CAST(:started AS bigint) / 1000.0)) RETURNING CAST(id AS text)",
      soci::use(now.id), soci::use(request.value, request.indicator), soci::use(run.trigger), soci::use(run.status),
      soci::use(run.listed), soci::use(run.added), soci::use(run.updated), soci::use(run.unchanged),
      soci::use(run.missing), soci::use(run.held), soci::use(run.failed), soci::use(run.error_class), soci::use(detail),
      soci::use(run.started_ms), soci::into(id);
  // Published on the topic only when it turns: a provider that is down for a week is one event. What a good run changed
  // is in its models' own events.
  const bool first_good = now.last_sync_status == "never" && run.status == "ok";
  if (turned && !first_good) {
    const events::SyncCompleted event{.connection_id = now.id,
                                      .connection_name = now.name,
                                      .trigger = run.trigger,
                                      .status = run.status,
                                      .listed = run.listed,
                                      .added = run.added,
                                      .updated = run.updated,
                                      .unchanged = run.unchanged,
                                      .missing = run.missing,
                                      .failed = run.failed,
                                      .held = run.held,
                                      .error_class = run.error_class};
    write_outbox(sql, "connection",
                 fmt::format("{}/{}/{}/_connection", now.org_id.empty() ? "_" : now.org_id,
                             now.owner_user_id.empty() ? "_" : now.owner_user_id, now.provider),
                 std::string(run.status == "held" ? events::sync_held_type : events::sync_completed_type),
                 events::to_json(event));
  }
  return id;
}

/// Who asked for the run, else this program.
constexpr const char* run_asker =
    "COALESCE((SELECT requested_by FROM sync_request WHERE id = CAST(:request AS uuid)), :actor)";

/// Writes down what a plan holds, what a person accepted with the whole list, and what is over.
void settle_held(soci::session& sql, const Connection& now, const SyncPlan& plan, const SyncRun& run,
                 const std::string& run_id) {
  const std::string actor = sync_actor;
  for (const auto& id : plan.ended) {
    sql << "UPDATE held_change SET ended_at = now(), "
           "decided_at = CASE WHEN decision IS NULL THEN now() ELSE decided_at END, "
           "decided_by = CASE WHEN decision IS NULL THEN :actor ELSE decided_by END, "
           "decision = COALESCE(decision, 'superseded') WHERE id = CAST(:id AS uuid) AND ended_at IS NULL",
        soci::use(actor, "actor"), soci::use(id, "id");
  }
  const auto run_bound = text_or_null(run_id);
  const auto insert = [&](const HeldChange& change) {
    const auto model = text_or_null(change.model_id);
    const auto before = text_or_null(to_json(change.before));
    const auto after = text_or_null(to_json(change.after));
    const std::string reason = storable(change.reason, 1024);
    std::string id;
    sql << "INSERT INTO held_change (connection_id, model_id, sync_run_id, before, after, reason) VALUES "
           "(CAST(:connection AS uuid), CAST(:model AS uuid), CAST(:run AS uuid), CAST(:before AS jsonb), "
           "CAST(:after AS jsonb), :reason) ON CONFLICT DO NOTHING RETURNING CAST(id AS text)",
        soci::use(now.id), soci::use(model.value, model.indicator), soci::use(run_bound.value, run_bound.indicator),
        soci::use(before.value, before.indicator), soci::use(after.value, after.indicator), soci::use(reason),
        soci::into(id);
    return id;
  };
  for (const auto& change : plan.held)
    if (change.id.empty()) insert(change);
  const auto accepting = text_or_null(run.request_id);
  for (const auto& change : plan.accepted) {
    const auto id = change.id.empty() ? insert(change) : change.id;
    const auto after = text_or_null(to_json(change.after));
    // An accepted removal stays in force until its models are gone or back.
    const int over = change.model_id.empty() ? 0 : 1;
    sql << fmt::format(
        "UPDATE held_change SET decision = 'accepted', decided_at = now(), decided_by = {}, "
        "after = CAST(:after AS jsonb), ended_at = CASE WHEN CAST(:over AS int) = 0 THEN NULL ELSE now() END "
        "WHERE CAST(id AS text) = :id AND decision IS NULL",
        run_asker),
        soci::use(accepting.value, accepting.indicator, "request"), soci::use(actor, "actor"),
        soci::use(after.value, after.indicator, "after"), soci::use(over, "over"), soci::use(id, "id");
  }
}

/// Writes the rows of a plan and says what is to be reported, in the plan's order.
Result<void> write_models(soci::session& sql, const Connection& now, const SyncPlan& plan,
                          std::vector<Change>& changes) {
  const auto ids = write_planned_rows(sql, now, plan);
  if (!ids) return std::unexpected(ids.error());
  for (std::size_t i = 0; i < ids->size(); ++i) {
    const auto& planned = plan.models[i];
    if (planned.changed_fields.empty()) continue;
    Change change{.model_id = (*ids)[i], .before_version = std::nullopt, .changed_fields = planned.changed_fields};
    if (planned.kind != PlannedModel::Kind::added) change.before_version = planned.before_version;
    changes.push_back(std::move(change));
  }
  return {};
}

}  // namespace

Result<void> Store::keep_snapshot(const Connection& connection, std::string_view body) {
  constexpr int kept = 10;  ///< of a connection
  const auto compressed = crypto::to_hex(gzip(body));
  const auto digest = crypto::sha256_hex(body);
  return impl_->sync(connection, [&](soci::session& sql) -> Result<void> {
    if (!lock_connection(sql, connection.id))
      return fail(ErrorKind::cancelled, fmt::format("The connection {} was deleted meanwhile.", connection.name));
    sql << "INSERT INTO provider_snapshot (connection_id, sha256, body, encoding) VALUES (CAST(:connection AS uuid), "
           "decode(:digest, 'hex'), decode(:compressed, 'hex'), 'gzip') "
           "ON CONFLICT (connection_id, sha256) DO UPDATE SET fetched_at = clock_timestamp()",
        soci::use(connection.id, "connection"), soci::use(digest, "digest"), soci::use(compressed, "compressed");
    sql << "DELETE FROM provider_snapshot WHERE connection_id = CAST(:connection AS uuid) AND sha256 IN (SELECT sha256 "
           "FROM provider_snapshot WHERE connection_id = CAST(:connection AS uuid) ORDER BY fetched_at DESC OFFSET "
           "CAST(:kept AS int))",
        soci::use(connection.id, "connection"), soci::use(kept, "kept");
    return {};
  });
}

Result<void> Store::apply(const Connection& connection, const SyncPlan& plan, const SyncRun& run) {
  // Nothing to say and nothing turned: not even a transaction.
  if (plan.idle() && run.request_id.empty() && connection.last_sync_status == run.status &&
      connection.last_error_class == run.error_class && keeps_health(connection, run))
    return {};
  return impl_->sync(connection, [&](soci::session& sql) -> Result<void> {
    const auto now = lock_connection(sql, connection.id);
    if (!now)
      return fail(ErrorKind::cancelled, fmt::format("The connection {} was deleted meanwhile.", connection.name));
    std::vector<Change> changes;
    if (auto written = write_models(sql, *now, plan, changes); !written) return written;
    tell_changes(sql, changes, "sync", sync_actor);
    const bool new_held = std::ranges::any_of(plan.held, [](const HeldChange& change) { return change.id.empty(); });
    const auto run_id = record_run(sql, *now, run, !changes.empty(), new_held);
    settle_held(sql, *now, plan, run, run_id);
    return {};
  });
}

Result<void> Store::record_failure(const Connection& connection, const SyncRun& run) {
  return apply(connection, SyncPlan{}, run);
}

}  // namespace tokenrail::registry
