#include "common/registry/held_changes.hpp"

#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "common/events/json_document.hpp"
#include "common/registry/catalog_holds.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/held_values.hpp"
#include "common/registry/own_prices.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

const std::string held_select =
    "SELECT CAST(h.id AS text) AS id, CAST(0 AS bigint) AS version, CAST(h.id AS text) AS place, "
    "CAST(json_build_object('id', h.id, 'connection', c.name, 'connectionId', c.id, 'modelId', h.model_id, 'model', "
    "(SELECT m.provider || '/' || m.model_name FROM model m WHERE m.id = h.model_id), 'reason', h.reason, 'before', "
    "h.before, 'after', h.after, 'since', tokenrail_time(h.created_at), 'decision', h.decision, 'decidedBy', "
    "h.decided_by, 'decidedAt', tokenrail_time(h.decided_at), 'decisionReason', h.decision_reason) AS text) AS "
    "document FROM held_change h JOIN connection c ON c.id = h.connection_id WHERE c.deleted_at IS NULL AND "
    "c.org_id IS NOT DISTINCT FROM @org AND ";

std::optional<Document> find_held(soci::session& sql, const Scope& scope, const std::string& id) {
  return read_document(sql, held_select + "CAST(h.id AS text) = @id", Arguments().scope(scope).text("id", id));
}

/// The fields of one model that a person has not set. The model's row is locked.
void apply_to_model(soci::session& sql, const std::string& model_id, std::string_view after) {
  run_statement(sql,
                "UPDATE model SET "
                "context_window = CASE WHEN jsonb_exists(override, 'contextWindow') THEN context_window ELSE "
                "COALESCE(CAST(@@after ->> 'contextWindow' AS bigint), context_window) END, "
                "input_tokens_max = CASE WHEN jsonb_exists(override, 'inputTokensMax') THEN input_tokens_max ELSE "
                "COALESCE(CAST(@@after ->> 'inputTokensMax' AS bigint), input_tokens_max) END, "
                "output_tokens_max = CASE WHEN jsonb_exists(override, 'outputTokensMax') THEN output_tokens_max ELSE "
                "COALESCE(CAST(@@after ->> 'outputTokensMax' AS bigint), output_tokens_max) END, "
                "capabilities = CASE WHEN jsonb_exists(override, 'capabilities') THEN capabilities ELSE "
                "capabilities || COALESCE(@@after -> 'capabilities', '{}') END WHERE id = CAST(@id AS uuid)",
                Arguments().text("id", model_id).json("after", after));
}

/// The models become missing, and their grace begins. Their rows are locked.
void take_away(soci::session& sql, const std::string& connection_id, const std::vector<ModelRow>& models) {
  for (const auto& model : models) {
    const auto arguments = Arguments().text("model", model.state.id).text("connection", connection_id);
    run_statement(sql,
                  "UPDATE deployment SET availability = 'missing', missing_since = now(), missing_runs = 1 WHERE "
                  "model_id = CAST(@model AS uuid) AND connection_id = CAST(@connection AS uuid) AND availability = "
                  "'listed'",
                  arguments);
    run_statement(sql,
                  "UPDATE model SET availability = 'missing', missing_since = now() WHERE id = CAST(@model AS uuid) "
                  "AND availability <> 'missing' AND NOT EXISTS (SELECT 1 FROM deployment d JOIN connection c ON "
                  "c.id = d.connection_id WHERE d.model_id = model.id AND d.availability = 'listed' AND d.enabled AND "
                  "c.enabled AND c.deleted_at IS NULL)",
                  arguments);
  }
}

/// The models that an accepted change is about, locked and read.
std::vector<ModelRow> models_of(soci::session& sql, const std::string& connection_id, const std::string& model_id,
                                const HeldValues& after) {
  auto ids = std::vector{model_id};
  if (model_id.empty()) {
    const std::vector<std::string> names(after.missing.begin(), after.missing.end());
    ids = read_texts(sql,
                     "SELECT CAST(d.model_id AS text) FROM deployment d JOIN model m ON m.id = d.model_id WHERE "
                     "d.connection_id = CAST(@connection AS uuid) AND d.availability = 'listed' AND m.deleted_at IS "
                     "NULL AND jsonb_exists(@@names, m.model_name) ORDER BY d.model_id",
                     Arguments().text("connection", connection_id).json("names", json_array(names)));
  }
  lock_models(sql, ids);
  return read_models(sql, ids);
}

Result<Document> decide_of_catalog(soci::session& sql, const Actor& actor, const Scope& scope, const std::string& id,
                                   bool accept, const std::string& reason) {
  const auto none = fail(ErrorKind::not_found, fmt::format("There is no held change {}.", id));
  if (!scope.platform() || !entry_waits(sql, id)) return none;
  if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
  auto decided = decide_entry(sql, actor, scope, id, accept, reason);
  if (!decided) return none;
  write_audit(sql, actor,
              {.action = accept ? "held_change.accepted" : "held_change.rejected",
               .target_type = "held_change",
               .target_id = id,
               .target_name = "catalog",
               .after = decided->json,
               .org_id = scope.org_id});
  return std::move(*decided);
}

}  // namespace

Result<DocumentPage> HeldChanges::list(const Actor& actor, const Scope& scope, const PageRequest& page) {
  return page_as(database_, actor, held_select + "h.decision IS NULL UNION ALL " + held_entries_select() + "true",
                 Arguments().scope(scope), page);
}

Result<Document> HeldChanges::decide(const Actor& actor, const Scope& scope, const std::string& id, Decision decision,
                                     const std::string& reason) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    // Syncs of the connection come before or after the decision: they lock its row too.
    run_statement(sql,
                  "SELECT 1 FROM connection c WHERE c.id = (SELECT h.connection_id FROM held_change h WHERE "
                  "CAST(h.id AS text) = @id) FOR UPDATE",
                  Arguments().text("id", id));
    const auto before = find_held(sql, scope, id);
    if (!before) return decide_of_catalog(sql, actor, scope, id, decision == Decision::accept, reason);
    if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
    const events::JsonDocument document(before->json);
    const events::ObjectReader read(document.root());
    if (const auto decided = read.text("decision"); !decided.empty())
      return fail(ErrorKind::conflict, fmt::format("The held change {} is {} already.", id, decided));
    const auto connection_id = read.text("connectionId");
    const auto model_id = read.text("modelId");
    const bool accepted = decision == Decision::accept;
    if (accepted) {
      const auto after = read_text(sql, "SELECT CAST(after AS text) FROM held_change WHERE CAST(id AS text) = @id",
                                   Arguments().text("id", id))
                             .value_or("{}");
      const auto models = models_of(sql, connection_id, model_id, parse_held_values(after));
      if (model_id.empty()) {
        take_away(sql, connection_id, models);
      } else {
        apply_to_model(sql, model_id, after);
        if (const auto prices = parse_held_values(after).prices; !prices.empty())
          write_prices(sql, "provider", storable(actor.name, 255),
                       std::vector{OwnPrices{.model_id = model_id,
                                             .deployment_id = deployment_on(sql, model_id, connection_id),
                                             .prices = prices}});
      }
      publish_models(sql, actor, models);
    }
    // An accepted change of a model is over. An accepted removal stays in force until its models are gone or back, a
    // rejected change while the list repeats it.
    run_statement(sql,
                  "UPDATE held_change SET decision = @decision, decided_by = @by, decided_at = now(), decision_reason "
                  "= @reason, ended_at = CASE WHEN @decision = 'accepted' AND model_id IS NOT NULL THEN now() END "
                  "WHERE CAST(id AS text) = @id",
                  Arguments()
                      .text("id", id)
                      .text("decision", accepted ? "accepted" : "rejected")
                      .text("by", storable(actor.name, 255))
                      .text_or_null("reason", storable(reason, 1024)));
    run_statement(sql, "INSERT INTO sync_request (connection_id, requested_by) VALUES (CAST(@connection AS uuid), @by)",
                  Arguments().text("connection", connection_id).text("by", storable(actor.name, 255)));
    auto after = find_held(sql, scope, id);
    write_audit(sql, actor,
                {.action = accepted ? "held_change.accepted" : "held_change.rejected",
                 .target_type = "held_change",
                 .target_id = id,
                 .target_name = read.text("connection"),
                 .before = before->json,
                 .after = after->json,
                 .org_id = scope.org_id});
    return std::move(*after);
  });
}

}  // namespace tokenrail::registry
