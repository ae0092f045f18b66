#include "common/registry/connection_tests.hpp"

#include <fmt/format.h>

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

const std::string subject_select =
    "SELECT CAST(json_build_object('id', c.id, 'name', c.name, 'provider', c.provider, 'adapter', p.adapter, "
    "'baseUrl', c.base_url, 'authType', c.auth_type, 'authName', c.auth_name, 'credentialId', COALESCE(CAST("
    "c.credential_id AS text), '')) AS text) FROM connection c JOIN provider p ON p.slug = c.provider WHERE "
    "c.deleted_at IS NULL AND (CAST(c.id AS text) = @id OR c.name = @id) AND ";

std::string audited(const ConnectionTestLog::Record& test) {
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  json.field("outcome", test.outcome);
  json.field("provider", test.provider);
  json.field("baseUrl", test.base_url);
  if (!test.model.empty()) json.field("model", test.model);
  json.end_object();
  return out;
}

}  // namespace

Result<ConnectionTestLog::Subject> ConnectionTestLog::subject(const Actor& actor, const Scope& scope,
                                                              const std::string& id) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Subject> {
    const auto arguments = Arguments().scope(scope).text("id", id);
    const auto found = read_text(sql,
                                 subject_select +
                                     "c.org_id IS NOT DISTINCT FROM @org AND c.owner_user_id IS NOT DISTINCT FROM "
                                     "@owner",
                                 arguments);
    if (!found) {
      if (!read_text(sql, subject_select + "c.org_id IS NULL", arguments))
        return fail(ErrorKind::not_found, fmt::format("There is no connection {}.", id));
      return fail(ErrorKind::forbidden, fmt::format("The connection {} belongs to the platform.", id));
    }
    const events::JsonDocument document(*found);
    const events::ObjectReader read(document.root());
    return Subject{.id = read.text("id"),
                   .name = read.text("name"),
                   .provider = read.text("provider"),
                   .adapter = read.text("adapter"),
                   .base_url = read.text("baseUrl"),
                   .auth_type = read.text("authType"),
                   .auth_name = read.text("authName"),
                   .credential_id = read.text("credentialId")};
  });
}

Result<std::string> ConnectionTestLog::adapter_of(const std::string& provider) {
  return database_.session().transact([&](soci::session& sql) -> Result<std::string> {
    auto adapter =
        read_text(sql, "SELECT adapter FROM provider WHERE slug = @provider", Arguments().text("provider", provider));
    if (!adapter) return fail(ErrorKind::not_found, "There is no such provider.");
    return std::move(*adapter);
  });
}

Result<void> ConnectionTestLog::record(const Actor& actor, const Scope& scope, const Record& test) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    const auto arguments = Arguments()
                               .scope(scope)
                               .text_or_null("connection", test.connection_id)
                               .text("outcome", test.outcome)
                               .json("stages", test.stages)
                               .number("latency", test.latency_ms)
                               .number("kept", kept_connection_tests)
                               .text("by", storable(actor.name, 255));
    run_statement(sql,
                  "INSERT INTO connection_test (connection_id, org_id, outcome, stages, latency_ms, tested_by) VALUES "
                  "(CAST(@connection AS uuid), @org, @outcome, @@stages, CAST(@latency AS bigint), @by)",
                  arguments);
    run_statement(sql,
                  "DELETE FROM connection_test WHERE id IN (SELECT id FROM connection_test WHERE connection_id IS NOT "
                  "DISTINCT FROM CAST(@connection AS uuid) AND org_id IS NOT DISTINCT FROM @org ORDER BY created_at "
                  "DESC, id DESC OFFSET CAST(@kept AS bigint))",
                  arguments);
    if (test.health && !test.connection_id.empty()) record_health(sql, test.connection_id, *test.health, "test");
    write_audit(sql, actor,
                {.action = "connection.tested",
                 .target_type = "connection",
                 .target_id = test.connection_id,
                 .target_name = test.name,
                 .after = audited(test),
                 .org_id = scope.org_id});
    return {};
  });
}

}  // namespace tokenrail::registry
