#include "common/registry/governed_sql.hpp"

#include <cctype>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "common/registry/governed_models_sql.hpp"
#include "common/registry/kept_statements.hpp"
#include "common/registry/migrator.hpp"
#include "common/registry/state_records.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

GovernedDatabase::GovernedDatabase(DatabaseOptions options) : session_(std::make_unique<Session>(std::move(options))) {}
GovernedDatabase::~GovernedDatabase() = default;
GovernedDatabase::GovernedDatabase(GovernedDatabase&&) noexcept = default;
GovernedDatabase& GovernedDatabase::operator=(GovernedDatabase&&) noexcept = default;

Result<void> GovernedDatabase::check() {
  return session_->run([](soci::session& sql) -> Result<void> { return check_schema(sql); });
}

Result<std::string> GovernedDatabase::new_id() {
  return session_->run([](soci::session& sql) -> Result<std::string> {
    std::string id;
    sql << "SELECT CAST(tokenrail_uuid_v7() AS text)", soci::into(id);
    return id;
  });
}

// ---- arguments ---------------------------------------------------------------------------------------------------

void Arguments::name(std::string_view name) {
  if (!members_.empty()) members_ += ',';
  events::append_json_string(members_, name);
  members_ += ':';
}

Arguments& Arguments::text(std::string_view name, std::string_view value) {
  this->name(name);
  events::append_json_string(members_, value);
  return *this;
}

Arguments& Arguments::text_or_null(std::string_view name, std::string_view value) {
  return value.empty() ? json(name, "null") : text(name, value);
}

Arguments& Arguments::number(std::string_view name, std::int64_t value) {
  return json(name, fmt::format("{}", value));
}

Arguments& Arguments::number(std::string_view name, const std::optional<std::int64_t>& value) {
  return value ? number(name, *value) : json(name, "null");
}

Arguments& Arguments::flag(std::string_view name, bool value) {
  return json(name, value ? "true" : "false");
}

Arguments& Arguments::json(std::string_view name, std::string_view json) {
  this->name(name);
  members_ += json;
  return *this;
}

std::string with_arguments(std::string_view statement, std::string_view value) {
  std::string out;
  for (std::size_t at = 0; at < statement.size();) {
    const bool whole = statement.substr(at).starts_with("@@");
    const std::size_t begin = at + (whole ? 2 : 1);
    if (statement[at] != '@' || begin >= statement.size() ||
        std::isalpha(static_cast<unsigned char>(statement[begin])) == 0) {
      out += statement[at++];
      continue;
    }
    auto end = begin;
    while (end < statement.size() &&
           (std::isalnum(static_cast<unsigned char>(statement[end])) != 0 || statement[end] == '_'))
      ++end;
    out +=
        fmt::format("(CAST({} AS jsonb) {} '{}')", value, whole ? "->" : "->>", statement.substr(begin, end - begin));
    at = end;
  }
  return out;
}

// ---- statements --------------------------------------------------------------------------------------------------

namespace {

KeptRows run_with(soci::session& sql, std::string_view statement, const Arguments& arguments) {
  const auto text = with_arguments(statement, "$1");
  // The server takes exactly the values that the statement has.
  if (!text.contains("$1")) return run_once(sql, text, {});
  return run_once(sql, text, {arguments.object()});
}

Document document_in(const KeptRows::Row& row) {
  return {.id = text(row, "id"), .version = number(row, "version"), .json = text(row, "document")};
}

}  // namespace

std::vector<Document> read_documents(soci::session& sql, std::string_view statement, const Arguments& arguments) {
  const auto rows = run_with(sql, statement, arguments);
  std::vector<Document> documents;
  documents.reserve(static_cast<std::size_t>(rows.count()));
  for (int at = 0; at < rows.count(); ++at) documents.push_back(document_in(rows.row(at)));
  return documents;
}

std::optional<Document> read_document(soci::session& sql, std::string_view statement, const Arguments& arguments) {
  auto found = read_documents(sql, statement, arguments);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

long long run_statement(soci::session& sql, std::string_view statement, const Arguments& arguments) {
  return run_with(sql, statement, arguments).affected();
}

std::vector<std::string> read_texts(soci::session& sql, std::string_view statement, const Arguments& arguments) {
  const auto rows = run_with(sql, statement, arguments);
  std::vector<std::string> texts;
  texts.reserve(static_cast<std::size_t>(rows.count()));
  for (int at = 0; at < rows.count(); ++at) texts.emplace_back(rows.row(at).value(0).value_or(""));
  return texts;
}

std::optional<std::string> read_text(soci::session& sql, std::string_view statement, const Arguments& arguments) {
  auto texts = read_texts(sql, statement, arguments);
  if (texts.empty()) return std::nullopt;
  return std::move(texts.front());
}

std::optional<Document> KeptStatement::read_document(soci::session& sql, const Arguments& arguments) const {
  const auto rows = run_kept(sql, text_, {arguments.object()});
  if (rows.count() == 0) return std::nullopt;
  return document_in(rows.row(0));
}

std::optional<std::string> KeptStatement::read_text(soci::session& sql, const Arguments& arguments) const {
  const auto rows = run_kept(sql, text_, {arguments.object()});
  const auto value = rows.count() == 0 ? std::nullopt : rows.row(0).value("text");
  return value ? std::optional(std::string(*value)) : std::nullopt;
}

DocumentPage read_page(soci::session& sql, const std::string& select, Arguments arguments, const PageRequest& page) {
  arguments.text("after", page.after).number("limit", page.count_max + 1);
  DocumentPage result;
  if (page.counted)
    result.total = std::stoll(
        read_text(sql, "SELECT count(*) FROM (" + select + ") rows WHERE @after IS NOT NULL", arguments).value_or("0"));
  const auto rows =
      run_with(sql,
               "SELECT * FROM (" + select +
                   ") rows WHERE (place COLLATE \"C\") > @after ORDER BY place COLLATE \"C\" LIMIT CAST(@limit "
                   "AS bigint)",
               arguments);
  std::string last;
  for (int at = 0; at < rows.count(); ++at) {
    if (static_cast<std::int64_t>(result.items.size()) == page.count_max) {
      result.next = last;
      break;
    }
    result.items.push_back(document_in(rows.row(at)));
    last = text(rows.row(at), "place");
  }
  return result;
}

std::string json_array(const std::vector<std::string>& words) {
  std::string json = "[";
  for (const auto& word : words) {
    if (json.size() > 1) json += ',';
    events::append_json_string(json, word);
  }
  return json + "]";
}

Result<DocumentPage> page_as(GovernedDatabase& database, const Actor& actor, const std::string& select,
                             const Arguments& arguments, const PageRequest& page) {
  return transact_as(database, actor, [&](soci::session& sql) -> Result<DocumentPage> {
    return read_page(sql, select, arguments, page);
  });
}

// ---- actors ------------------------------------------------------------------------------------------------------

void assume(soci::session& sql, const Actor& actor) {
  const auto arguments = Arguments()
                             .text("org", actor.scope.org_id)
                             .text("user", actor.scope.user_id)
                             .text("platform", actor.all_organizations ? "on" : "off");
  run_statement(sql,
                "SELECT set_config('tokenrail.org_id', @org, true), set_config('tokenrail.user_id', @user, true), "
                "set_config('tokenrail.platform', @platform, true), set_config('role', 'tokenrail_app', true)",
                arguments);
}

void see_all_rows(soci::session& sql, const Actor& actor, bool all) {
  run_statement(sql, "SELECT set_config('tokenrail.platform', @platform, true)",
                Arguments().text("platform", all || actor.all_organizations ? "on" : "off"));
}

void write_audit(soci::session& sql, const Actor& actor, const AuditEntry& entry) {
  write_audit(sql, actor, std::span(&entry, 1));
}

void write_audit(soci::session& sql, const Actor& actor, std::span<const AuditEntry> entries) {
  static const auto statement = with_arguments(
      "INSERT INTO audit_log (org_id, actor, action, target_type, target_id, target_name, before, after, version, "
      "cause, "
      "request_id) SELECT e.w ->> 'org', @actor, e.w ->> 'action', e.w ->> 'type', e.w ->> 'id', e.w ->> 'name', "
      "NULLIF(e.w -> 'before', 'null'), NULLIF(e.w -> 'after', 'null'), CAST(e.w ->> 'version' AS bigint), @cause, "
      "@request FROM jsonb_array_elements(@@entries) WITH ORDINALITY e (w, place) ORDER BY e.place",
      "$1");
  std::string list = "[";
  for (const auto& entry : entries) {
    if (list.size() > 1) list += ',';
    list += Arguments()
                .text_or_null("org", entry.org_id.value_or(actor.scope.org_id))
                .text("action", entry.action)
                .text("type", entry.target_type)
                .text("id", entry.target_id)
                .text("name", storable(entry.target_name, 1024))
                .json("before", entry.before.empty() ? "null" : entry.before)
                .json("after", entry.after.empty() ? "null" : entry.after)
                .number("version", entry.version == 0 ? std::nullopt : std::optional(entry.version))
                .object();
  }
  run_kept(sql, statement,
           {Arguments()
                .text("actor", storable(actor.name, 255))
                .text("cause", actor.cause)
                .text("request", storable(actor.request_id, 128))
                .json("entries", list + "]")
                .object()});
}

Result<void> expect_version(const std::optional<std::int64_t>& expected, const Document& now, std::string_view what) {
  if (!expected || *expected == now.version) return {};
  if (*expected == no_row)
    return std::unexpected(Error{.kind = ErrorKind::conflict,
                                 .detail = fmt::format("The {} is there already, with version {}.", what, now.version),
                                 .hint = "Read it, decide again, and send its version to replace it."});
  return std::unexpected(Error{
      .kind = ErrorKind::conflict,
      .detail = fmt::format("The {} has version {}, not {}: it was changed meanwhile.", what, now.version, *expected),
      .hint = "Read it again, decide again, and send the new version."});
}

Result<void> expect_version(const std::optional<std::int64_t>& expected, const std::optional<Document>& now,
                            std::string_view what) {
  if (now) return expect_version(expected, *now, what);
  if (!expected || *expected == no_row) return {};
  return std::unexpected(Error{.kind = ErrorKind::conflict,
                               .detail = fmt::format("There is no {} of that name here to change.", what),
                               .hint = "Send no version to make one."});
}

std::string as_expected(std::string_view table) {
  return fmt::format("(@expected IS NULL OR {}.version = CAST(@expected AS bigint))", table);
}

std::unexpected<Error> changed_meanwhile(std::string_view what) {
  return std::unexpected(Error{.kind = ErrorKind::conflict,
                               .detail = fmt::format("The {} was changed meanwhile.", what),
                               .hint = "Read it again, decide again, and send the new version."});
}

Result<void> may_write(const Actor& actor, const Scope& scope) {
  const bool own = !scope.platform() && scope.org_id == actor.scope.org_id;
  if (own || actor.all_organizations) return {};
  return fail(ErrorKind::forbidden, scope.platform()
                                        ? "Only a platform administrator may change what belongs to the platform."
                                        : "What belongs to another organisation cannot be changed.");
}

std::string next_generation() {
  return "1 + GREATEST(COALESCE((SELECT generation FROM session_generation WHERE issuer = @issuer AND subject = "
         "@subject), 0), COALESCE((SELECT max(generation) FROM ended_role WHERE issuer = @issuer AND subject = "
         "@subject), 0))";
}

void end_sessions_of(soci::session& sql, const std::string& issuer, const std::string& subject) {
  run_statement(sql,
                "INSERT INTO session_generation (issuer, subject, generation) SELECT @issuer, @subject, " +
                    next_generation() +
                    " ON CONFLICT (issuer, subject) DO UPDATE SET generation = GREATEST(excluded.generation, "
                    "session_generation.generation + 1), updated_at = now()",
                Arguments().text("issuer", issuer).text("subject", subject));
}

void publish_grants(soci::session& sql, const Actor& actor, const std::string& org_id) {
  run_statement(sql, "UPDATE organization SET grants_version = nextval('registry_version') WHERE id = @org",
                Arguments().text("org", org_id));
  write_records(sql, "grants", grant_records(sql, org_id, actor.cause, storable(actor.name, 255)));
}

void remove_grants_of_alias(soci::session& sql, const Actor& actor, const std::string& alias_id) {
  const auto orgs = read_texts(
      sql, "DELETE FROM model_grant WHERE object_kind = 'alias' AND object_id = CAST(@id AS uuid) RETURNING org_id",
      Arguments().text("id", alias_id));
  for (const auto& org : std::set<std::string>(orgs.begin(), orgs.end())) publish_grants(sql, actor, org);
}

std::optional<std::string> visible_model(soci::session& sql, const Scope& scope, const std::string& name) {
  return read_text(
      sql,
      "SELECT CAST(n.id AS text) FROM (" + named_models() +
          ") n WHERE n.org_id IS NULL OR (n.org_id = @org AND (n.owner_user_id IS NULL OR n.owner_user_id = "
          "@owner)) ORDER BY n.rank, n.owner_user_id NULLS LAST, n.org_id NULLS LAST LIMIT 1",
      Arguments().scope(scope).text("name", name));
}

void publish_rows(soci::session& sql, const Actor& actor, std::vector<Change> changes, std::vector<ModelRow>& now) {
  static const auto statement = with_arguments(
      "UPDATE model SET version = nextval('registry_version'), updated_at = now() WHERE id = ANY (ARRAY(SELECT CAST(i "
      "AS uuid) FROM jsonb_array_elements_text(@@ids) i)) RETURNING CAST(id AS text) AS id, version AS version",
      "$1");
  std::vector<std::string> ids;
  for (const auto& change : changes) ids.push_back(change.model_id);
  const auto rows = run_kept(sql, statement, {Arguments().json("ids", json_array(ids)).object()});
  std::map<std::string, std::int64_t, std::less<>> versions;
  for (int at = 0; at < rows.count(); ++at) versions.emplace(text(rows.row(at), "id"), number(rows.row(at), "version"));
  for (auto& row : now)
    if (const auto version = versions.find(row.state.id); version != versions.end())
      row.state.version = version->second;
  tell_changes(sql, std::move(changes), now, actor.cause, storable(actor.name, 255));
}

void publish_models(soci::session& sql, const Actor& actor, const std::vector<ModelRow>& before) {
  std::vector<std::string> ids;
  for (const auto& row : before) ids.push_back(row.state.id);
  see_all_rows(sql, actor, true);
  auto after = read_models(sql, ids);
  std::vector<Change> changes;
  for (const auto& old : before) {
    for (const auto& now : after) {
      if (now.state.id != old.state.id) continue;
      auto fields = changed_fields(old.state, now.state);
      if (fields.empty()) continue;
      changes.push_back({.model_id = old.state.id, .before_version = old.state.version, .changed_fields = fields});
    }
  }
  if (!changes.empty()) publish_rows(sql, actor, std::move(changes), after);
  see_all_rows(sql, actor, false);
}

}  // namespace tokenrail::registry
