#include "common/registry/call_parameters.hpp"

#include <utility>
#include <vector>

#include <fmt/core.h>

#include "common/events/json_writer.hpp"
#include "common/registry/governed_model_rows.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

/// The default parameters of deployments before and after a change, for its audit entry.
class ParametersAudit {
 public:
  void add(const std::string& connection, const std::string& before, const std::string& after) {
    append(before_, connection, before);
    append(after_, connection, after);
  }
  /// Before and after, as JSON.
  std::pair<std::string, std::string> texts() && { return {before_ + "]}", after_ + "]}"}; }

 private:
  static void append(std::string& text, const std::string& connection, const std::string& parameters) {
    text += text.empty() ? R"({"deployments":[)" : ",";
    events::JsonWriter json(text);
    json.begin_object();
    json.field("connection", connection);
    json.raw_field("params", parameters);
    json.end_object();
  }
  std::string before_;
  std::string after_;
};

/// The scope's own row of a model, and what the scope sees of the model.
struct Found {
  Document seen;
  std::string row;
};

Result<Found> find_row(soci::session& sql, const Scope& scope, const std::string& id) {
  auto seen = find_model(sql, scope, id);
  if (!seen) return no_model(id);
  const auto rows = rows_of(*seen);
  auto row = scope.platform() ? rows.platform : rows.own;
  if (row.empty())
    return std::unexpected(Error{
        .kind = ErrorKind::conflict,
        .detail = fmt::format("The deployments of {} are the platform's, and so are their parameters.", id),
        .hint = "Put the model on a connection of the organisation first, or set the parameters for the platform."});
  return Found{.seen = std::move(*seen), .row = std::move(row)};
}

/// A deployment's own parameters, and whether each of them can be used.
std::pair<events::CallDefaults, bool> own_of(const DeploymentRow& deployment) {
  std::vector<events::InvalidDefault> invalid;
  auto own = events::read_call_defaults(deployment.own_params, invalid);
  return {std::move(own), invalid.empty()};
}

Document document_of(const ModelRow& model, const Document& seen, int changed) {
  std::string text;
  events::JsonWriter json(text);
  json.begin_object();
  json.field("model", fmt::format("{}/{}", model.state.provider, model.state.model_name));
  json.field("modelId", model.state.id);
  json.field("changed", static_cast<std::int64_t>(changed));
  json.begin_array("deployments");
  for (const auto& deployment : model.deployments) {
    json.begin_object();
    json.field("id", deployment.state.id);
    json.field("connection", deployment.state.connection_name);
    json.field("connectionId", deployment.state.connection_id);
    json.raw_field("params", events::to_json(own_of(deployment).first));
    json.raw_field("effective", events::to_json(deployment.state.parameters));
    json.end_object();
  }
  json.end_array();
  json.field("version", seen.version);
  json.end_object();
  return {.id = model.state.id, .version = seen.version, .json = std::move(text)};
}

}  // namespace

Result<Document> CallParameters::get(const Actor& actor, const Scope& scope, const std::string& model) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    const auto found = find_row(sql, scope, model);
    if (!found) return std::unexpected(found.error());
    const auto rows = read_models(sql, {found->row});
    if (rows.empty()) return no_model(model);
    return document_of(rows.front(), found->seen, 0);
  });
}

Result<Document> CallParameters::set(const Actor& actor, const Scope& scope, const std::string& model,
                                     const std::string& connection, const events::CallDefaults& parameters,
                                     const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    const auto first = find_row(sql, scope, model);
    if (!first) return std::unexpected(first.error());
    if (auto may = may_write(actor, scope); !may) return std::unexpected(may.error());
    // Its deployments as they are once no other writer has it.
    lock_models(sql, {first->row});
    const auto seen = find_model(sql, scope, first->row);
    const auto rows = read_models(sql, {first->row});
    if (!seen || rows.empty()) return no_model(model);
    if (auto same = expect_version(expected_version, *seen, "model"); !same) return std::unexpected(same.error());
    const auto& state = rows.front().state;
    const auto wanted = events::to_json(parameters);
    int found = 0;
    int changed = 0;
    ParametersAudit audit;
    for (const auto& row : rows.front().deployments) {
      const auto& deployment = row.state;
      if (!connection.empty() && deployment.connection_name != connection && deployment.connection_id != connection)
        continue;
      ++found;
      const auto [own, usable] = own_of(row);
      if (own == parameters && usable) continue;
      run_statement(sql, "UPDATE deployment SET params = @@params WHERE id = CAST(@id AS uuid)",
                    Arguments().text("id", deployment.id).json("params", wanted));
      audit.add(deployment.connection_name, events::to_json(own), wanted);
      ++changed;
    }
    if (found == 0)
      return fail(ErrorKind::not_found,
                  fmt::format("The model {} is on no connection{}.", model, connection.empty() ? "" : " of that name"));
    if (changed == 0) return document_of(rows.front(), *seen, 0);
    run_statement(
        sql, "UPDATE model SET version = nextval('registry_version'), updated_at = now() WHERE id = CAST(@id AS uuid)",
        Arguments().text("id", state.id));
    tell_changes(sql, {{.model_id = state.id, .before_version = state.version, .changed_fields = {"deployments"}}},
                 actor.cause, storable(actor.name, 255));
    const auto after = read_models(sql, {state.id});
    const auto [before_text, after_text] = std::move(audit).texts();
    write_audit(sql, actor,
                {.action = "model.parameters_changed",
                 .target_type = "model",
                 .target_id = state.id,
                 .target_name = state.slug,
                 .before = before_text,
                 .after = after_text,
                 .version = after.at(0).state.version,
                 .org_id = scope.org_id});
    const auto now = find_model(sql, scope, state.id);
    return document_of(after.at(0), *now, changed);
  });
}

}  // namespace tokenrail::registry
