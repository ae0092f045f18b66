#include "common/registry/organizations.hpp"

#include <fmt/core.h>

#include "common/registry/governed_sql.hpp"
#include "common/registry/personal_rows.hpp"
#include "common/registry/state_records.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

const std::string organization_select =
    "SELECT o.id AS id, o.version AS version, o.slug AS place, CAST(json_build_object('id', o.id, 'slug', o.slug, "
    "'displayName', o.display_name, 'mode', o.mode, 'strictDefault', o.strict_default, 'metadata', o.metadata, "
    "'version', o.version, 'createdAt', tokenrail_time(o.created_at), 'updatedAt', tokenrail_time(o.updated_at)) AS "
    "text) "
    "AS document FROM organization o WHERE o.deleted_at IS NULL AND ";

const std::string member_select =
    "SELECT CAST(p.id AS text) AS id, m.version AS version, p.issuer || chr(10) || p.subject AS place, "
    "CAST(json_build_object('id', p.id, 'issuer', p.issuer, 'subject', p.subject, 'kind', p.kind, 'displayName', "
    "m.display_name, 'role', m.role, 'denied', m.denied, 'version', m.version, 'createdAt', "
    "tokenrail_time(m.created_at)) AS text) AS "
    "document "
    "FROM membership m JOIN principal p ON p.id = m.principal_id WHERE m.org_id = @org AND ";

const std::string member_by_id = "CAST(p.id AS text) = @id";
const std::string member_by_name = "p.issuer = @issuer AND p.subject = @subject";

Arguments of_member(const std::string& org_id, const std::string& principal_id) {
  return Arguments().text("org", org_id).text("id", principal_id);
}

std::unexpected<Error> no_member(const std::string& who) {
  return fail(ErrorKind::not_found, fmt::format("There is no member {}.", who));
}

const std::string token_select =
    "SELECT t.id AS id, CAST(0 AS bigint) AS version, t.id AS place, CAST(json_build_object('id', t.id, 'orgId', "
    "t.org_id, "
    "'name', t.name, 'role', t.role, 'createdBy', t.created_by, 'createdAt', tokenrail_time(t.created_at), "
    "'expiresAt', "
    "tokenrail_time(t.expires_at), 'lastUsedAt', tokenrail_time(t.last_used_at), 'revokedAt', "
    "tokenrail_time(t.revoked_at)) "
    "AS text) AS document FROM api_token t WHERE t.org_id IS NOT DISTINCT FROM @org AND ";

std::unexpected<Error> no_organization(const std::string& id) {
  return fail(ErrorKind::not_found, fmt::format("There is no organisation {}.", id));
}

std::optional<Document> find(soci::session& sql, const std::string& id) {
  return read_document(sql, organization_select + "o.id = @id", Arguments().text("id", id));
}

Result<Document> lock(soci::session& sql, const std::string& id, const std::optional<std::int64_t>& expected_version) {
  run_statement(sql, "SELECT 1 FROM organization WHERE id = @id FOR NO KEY UPDATE", Arguments().text("id", id));
  auto now = find(sql, id);
  if (!now) return no_organization(id);
  if (auto same = expect_version(expected_version, *now, "organisation"); !same) return std::unexpected(same.error());
  return std::move(*now);
}

/// Sessions that have begun give the person no role in the organisation any more. Their roles elsewhere stay: an
/// administrator can add and remove any person.
void end_role_in(soci::session& sql, const Actor& actor, const std::string& org_id, const std::string& issuer,
                 const std::string& subject) {
  const auto arguments = Arguments().text("org", org_id).text("issuer", issuer).text("subject", subject);
  // The number is above those of other organisations too, whose rows are not seen here: the tables' owner looks.
  run_statement(sql, "SELECT set_config('role', 'none', true), @org", arguments);
  run_statement(sql,
                "INSERT INTO ended_role (issuer, subject, org_id, generation) SELECT @issuer, @subject, @org, " +
                    next_generation() +
                    " ON CONFLICT (issuer, subject, org_id) DO UPDATE SET generation = excluded.generation, updated_at "
                    "= now()",
                arguments);
  assume(sql, actor);
}

/// Routers read the organisation's rules from the state topic.
void publish(soci::session& sql, const Actor& actor, const std::string& id) {
  write_records(sql, "organization", organization_records(sql, id, actor.cause, storable(actor.name, 255)));
}

}  // namespace

Result<Document> Organizations::create(const Actor& actor, const New& wanted) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    if (auto may = may_write(actor, {}); !may) return std::unexpected(may.error());
    const auto& slug = wanted.slug.empty() ? wanted.id : wanted.slug;
    const auto made = run_statement(sql,
                                    "INSERT INTO organization (id, slug, display_name, mode) VALUES (@id, @slug, "
                                    "@name, @mode) ON CONFLICT DO NOTHING",
                                    Arguments()
                                        .text("id", wanted.id)
                                        .text("slug", slug)
                                        .text("name", wanted.display_name)
                                        .text("mode", wanted.mode));
    if (made == 0)
      return fail(ErrorKind::conflict,
                  fmt::format("There is an organisation with the id {} or the slug {} already.", wanted.id, slug));
    auto document = find(sql, wanted.id);
    write_audit(sql, actor,
                {.action = "organization.created",
                 .target_type = "organization",
                 .target_id = wanted.id,
                 .target_name = wanted.display_name,
                 .after = document->json,
                 .version = document->version,
                 .org_id = wanted.id});
    publish(sql, actor, wanted.id);
    return std::move(*document);
  });
}

Result<DocumentPage> Organizations::list(const Actor& actor, const PageRequest& page) {
  return page_as(database_, actor, organization_select + "true", Arguments(), page);
}

Result<Document> Organizations::get(const Actor& actor, const std::string& id) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto found = find(sql, id);
    if (!found) return no_organization(id);
    return std::move(*found);
  });
}

Result<Document> Organizations::change(const Actor& actor, const std::string& id, std::string_view patch,
                                       const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto before = lock(sql, id, expected_version);
    if (!before) return before;
    if (auto may = may_write(actor, {.org_id = id}); !may) return std::unexpected(may.error());
    run_statement(
        sql,
        "UPDATE organization SET "
        "display_name = CASE WHEN jsonb_exists(@@patch, 'displayName') THEN COALESCE(@@patch ->> 'displayName', "
        "'') ELSE display_name END, "
        "mode = CASE WHEN jsonb_exists(@@patch, 'mode') THEN COALESCE(@@patch ->> 'mode', 'open') ELSE mode END, "
        "strict_default = CASE WHEN jsonb_exists(@@patch, 'strictDefault') THEN COALESCE(CAST(@@patch ->> "
        "'strictDefault' AS boolean), false) ELSE strict_default END, "
        "metadata = CASE WHEN jsonb_exists(@@patch, 'metadata') THEN COALESCE(NULLIF(@@patch -> 'metadata', "
        "'null'), '{}') ELSE metadata END WHERE id = @id",
        Arguments().text("id", id).json("patch", patch));
    auto after = find(sql, id);
    if (after->json == before->json) return before;
    run_statement(sql,
                  "UPDATE organization SET version = nextval('registry_version'), updated_at = now() WHERE id = @id",
                  Arguments().text("id", id));
    after = find(sql, id);
    write_audit(sql, actor,
                {.action = "organization.changed",
                 .target_type = "organization",
                 .target_id = id,
                 .before = before->json,
                 .after = after->json,
                 .version = after->version,
                 .org_id = id});
    publish(sql, actor, id);
    return std::move(*after);
  });
}

Result<void> Organizations::remove(const Actor& actor, const std::string& id,
                                   const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    if (auto may = may_write(actor, {}); !may) return may;
    auto before = lock(sql, id, expected_version);
    if (!before) return std::unexpected(before.error());
    const auto held =
        read_texts(sql,
                   "SELECT kind || ': ' || count(*) FROM ("
                   "SELECT 'models' AS kind FROM model WHERE org_id = @id AND deleted_at IS NULL UNION ALL "
                   "SELECT 'connections' FROM connection WHERE org_id = @id AND deleted_at IS NULL UNION ALL "
                   "SELECT 'credentials' FROM credential WHERE org_id = @id AND revoked_at IS NULL) held GROUP BY kind "
                   "ORDER BY kind",
                   Arguments().text("id", id));
    if (!held.empty()) {
      std::string list;
      for (const auto& kind : held) list += (list.empty() ? "" : ", ") + kind;
      return std::unexpected(Error{.kind = ErrorKind::conflict,
                                   .detail = fmt::format("The organisation {} still has {}.", id, list),
                                   .hint = "Delete those first."});
    }
    run_statement(sql,
                  "UPDATE organization SET deleted_at = now(), version = nextval('registry_version') WHERE id = @id",
                  Arguments().text("id", id));
    run_statement(sql, "UPDATE api_token SET revoked_at = now() WHERE org_id = @id AND revoked_at IS NULL",
                  Arguments().text("id", id));
    write_audit(sql, actor,
                {.action = "organization.deleted",
                 .target_type = "organization",
                 .target_id = id,
                 .before = before->json,
                 .org_id = id});
    publish(sql, actor, id);
    return {};
  });
}

// ---- members -----------------------------------------------------------------------------------------------------

Result<DocumentPage> Organizations::members(const Actor& actor, const std::string& org_id, const PageRequest& page) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<DocumentPage> {
    if (!find(sql, org_id)) return no_organization(org_id);
    return read_page(sql, member_select + "true", Arguments().text("org", org_id), page);
  });
}

Result<Document> Organizations::member(const Actor& actor, const std::string& org_id, const std::string& principal_id) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto found = read_document(sql, member_select + member_by_id, of_member(org_id, principal_id));
    if (!found) return no_member(principal_id);
    return std::move(*found);
  });
}

Result<Document> Organizations::member_named(const Actor& actor, const std::string& org_id, const std::string& issuer,
                                             const std::string& subject) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    auto found = read_document(sql, member_select + member_by_name,
                               Arguments().text("org", org_id).text("issuer", issuer).text("subject", subject));
    if (!found) return no_member(subject);
    return std::move(*found);
  });
}

Result<Document> Organizations::set_member(const Actor& actor, const std::string& org_id, const Member& member,
                                           const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    if (!find(sql, org_id)) return no_organization(org_id);
    if (auto may = may_write(actor, {.org_id = org_id}); !may) return std::unexpected(may.error());
    const auto arguments = Arguments()
                               .text("org", org_id)
                               .text("issuer", member.issuer)
                               .text("subject", member.subject)
                               .text("role", member.role)
                               .text("name", member.display_name)
                               .json("denied", json_array(member.denied))
                               .number("expected", expected_version);
    const auto before = read_document(sql, member_select + member_by_name, arguments);
    if (auto same = expect_version(expected_version, before, "member"); !same) return std::unexpected(same.error());
    // A person may be known through another organisation, whose rows are not seen here: the tables' owner looks.
    run_statement(sql, "SELECT set_config('role', 'none', true), @org", arguments);
    run_statement(sql,
                  "INSERT INTO principal (issuer, subject) VALUES (@issuer, @subject) ON CONFLICT (issuer, subject) DO "
                  "NOTHING",
                  arguments);
    const auto written = run_statement(
        sql,
        "INSERT INTO membership (org_id, principal_id, role, denied, display_name) SELECT @org, p.id, @role, "
        "ARRAY(SELECT jsonb_array_elements_text(@@denied)), @name FROM principal p WHERE p.issuer = @issuer "
        "AND p.subject = @subject ON CONFLICT (org_id, principal_id) DO UPDATE SET role = excluded.role, "
        "denied = excluded.denied, display_name = COALESCE(NULLIF(excluded.display_name, ''), "
        "membership.display_name), version = nextval('registry_version'), updated_at = now() WHERE " +
            as_expected("membership"),
        arguments);
    assume(sql, actor);
    if (written == 0) return changed_meanwhile("member");
    auto document = read_document(sql, member_select + member_by_name, arguments);
    if (!document) return fail(ErrorKind::unavailable, "The member was not stored.");
    write_audit(sql, actor,
                {.action = "member.set",
                 .target_type = "member",
                 .target_id = document->id,
                 .target_name = member.subject,
                 .before = before ? before->json : std::string(),
                 .after = document->json,
                 .version = document->version,
                 .org_id = org_id});
    return std::move(*document);
  });
}

Result<void> Organizations::remove_member(const Actor& actor, const std::string& org_id,
                                          const std::string& principal_id,
                                          const std::optional<std::int64_t>& expected_version) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    const auto arguments = of_member(org_id, principal_id);
    const auto before = read_document(sql, member_select + member_by_id + " FOR UPDATE OF m", arguments);
    if (!before) return no_member(principal_id);
    if (auto may = may_write(actor, {.org_id = org_id}); !may) return may;
    if (auto same = expect_version(expected_version, *before, "member"); !same) return same;
    const auto column = [&](std::string_view name) {
      return read_text(sql, fmt::format("SELECT {} FROM principal WHERE CAST(id AS text) = @id", name), arguments);
    };
    const Scope user{.org_id = org_id, .user_id = column("subject").value_or("")};
    end_role_in(sql, actor, org_id, column("issuer").value_or(""), user.user_id);
    // Rows belong to a subject: another member of the same one, of another issuer, keeps them.
    const auto others =
        read_text(sql,
                  "SELECT p.issuer FROM membership m JOIN principal p ON p.id = m.principal_id WHERE "
                  "m.org_id = @org AND p.subject = @subject AND CAST(p.id AS text) <> @id LIMIT 1",
                  Arguments().text("org", org_id).text("subject", user.user_id).text("id", principal_id));
    if (!others) {
      if (auto removed = remove_personal_rows(database_, actor, user); !removed) return removed;
      assume(sql, actor);
    }
    run_statement(sql, "DELETE FROM membership WHERE org_id = @org AND principal_id = CAST(@id AS uuid)", arguments);
    write_audit(sql, actor,
                {.action = "member.removed",
                 .target_type = "member",
                 .target_id = principal_id,
                 .before = before->json,
                 .org_id = org_id});
    return {};
  });
}

Result<Organizations::Known> Organizations::known(const std::string& issuer, const std::string& subject,
                                                  const std::string& session_id,
                                                  const std::vector<std::string>& claimed) {
  return database_.session().run([&](soci::session& sql) -> Result<Known> {
    Known known;
    const auto object =
        Arguments().text("issuer", issuer).text("subject", subject).text("session", session_id).object();
    std::string generation;
    std::string platform_admin;
    std::string ended;
    sql << with_arguments(
        "SELECT CAST(COALESCE((SELECT generation FROM session_generation WHERE issuer = @issuer AND subject = "
        "@subject), 0) AS text), "
        "CAST(EXISTS (SELECT 1 FROM principal WHERE issuer = @issuer AND subject = @subject AND platform_admin) AS "
        "text), CAST(EXISTS (SELECT 1 FROM ended_session WHERE id = @session) AS text)"),
        soci::use(object, "p"), soci::into(generation), soci::into(platform_admin), soci::into(ended);
    known.session_generation = std::stoll(generation);
    known.platform_admin = platform_admin == "true";
    known.session_ended = ended == "true";
    const auto statement = with_arguments(
        "SELECT m.org_id AS org_id, m.role AS role, array_to_string(m.denied, chr(31)) AS denied FROM membership m "
        "JOIN "
        "principal p ON p.id = m.principal_id JOIN organization o ON o.id = m.org_id WHERE o.deleted_at IS NULL AND "
        "p.issuer = @issuer AND p.subject = @subject");
    const soci::rowset<soci::row> rows = (sql.prepare << statement, soci::use(object, "p"));
    for (const auto& row : rows)
      known.memberships.push_back(
          {.org_id = text(row, "org_id"), .role = text(row, "role"), .denied = parts_of(text(row, "denied"))});
    const auto ended_roles = with_arguments(
        "SELECT org_id, generation FROM ended_role WHERE issuer = @issuer AND subject = @subject ORDER BY org_id");
    const soci::rowset<soci::row> roles = (sql.prepare << ended_roles, soci::use(object, "p"));
    for (const auto& row : roles)
      known.ended_roles.push_back({.org_id = text(row, "org_id"), .generation = number(row, "generation")});
    if (!claimed.empty()) {
      known.gone = read_texts(sql,
                              "SELECT id FROM organization WHERE deleted_at IS NOT NULL AND id IN (SELECT "
                              "jsonb_array_elements_text(@@claimed))",
                              Arguments().json("claimed", json_array(claimed)));
    }
    return known;
  });
}

// ---- tokens ------------------------------------------------------------------------------------------------------

Result<Document> Organizations::add_token(const Actor& actor, const NewToken& token) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    if (auto may = may_write(actor, {.org_id = token.org_id}); !may) return std::unexpected(may.error());
    if (!token.org_id.empty() && !find(sql, token.org_id)) return no_organization(token.org_id);
    const auto arguments = Arguments()
                               .text("id", token.id)
                               .text_or_null("org", token.org_id)
                               .text("name", token.name)
                               .text("role", token.role)
                               .text("hash", token.sha256_hex)
                               .text("actor", actor.name)
                               .number("expires", token.expires_ms);
    run_statement(
        sql,
        "INSERT INTO api_token (id, org_id, name, sha256, role, created_by, expires_at) VALUES (@id, @org, "
        "@name, decode(@hash, 'hex'), @role, left(@actor, 255), to_timestamp(CAST(@expires AS bigint) / 1000.0))",
        arguments);
    auto document = read_document(sql, token_select + "t.id = @id", arguments);
    write_audit(sql, actor,
                {.action = "token.created",
                 .target_type = "token",
                 .target_id = token.id,
                 .target_name = token.name,
                 .after = document->json,
                 .org_id = token.org_id});
    return std::move(*document);
  });
}

Result<DocumentPage> Organizations::tokens(const Actor& actor, const Scope& scope, const PageRequest& page) {
  return page_as(database_, actor, token_select + "true", Arguments().scope(scope), page);
}

Result<void> Organizations::revoke_token(const Actor& actor, const Scope& scope, const std::string& id) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    const auto arguments = Arguments().scope(scope).text("id", id);
    const auto before = read_document(sql, token_select + "t.id = @id AND t.revoked_at IS NULL", arguments);
    if (!before) return fail(ErrorKind::not_found, fmt::format("There is no token {}.", id));
    if (auto may = may_write(actor, scope); !may) return may;
    run_statement(sql, "UPDATE api_token SET revoked_at = now() WHERE id = @id", arguments);
    write_audit(sql, actor,
                {.action = "token.revoked",
                 .target_type = "token",
                 .target_id = id,
                 .before = before->json,
                 .org_id = scope.org_id});
    return {};
  });
}

Result<std::optional<Organizations::TokenOwner>> Organizations::token_owner(const std::string& id) {
  return database_.session().run([&](soci::session& sql) -> Result<std::optional<TokenOwner>> {
    const auto arguments = Arguments().text("id", id);
    const auto object = arguments.object();
    // The note of its use is a minute coarse: a token that is used a thousand times a second is not written so often.
    const auto statement = with_arguments(
        "WITH used AS (UPDATE api_token SET last_used_at = now() WHERE id = @id AND revoked_at IS NULL AND "
        "(last_used_at IS NULL OR last_used_at < now() - interval '1 minute')) "
        "SELECT t.org_id AS org_id, t.name AS name, t.role AS role, encode(t.sha256, 'hex') AS sha256 FROM api_token t "
        "LEFT JOIN organization o ON o.id = t.org_id WHERE t.id = @id AND t.revoked_at IS NULL AND (t.expires_at IS "
        "NULL "
        "OR t.expires_at > now()) AND o.deleted_at IS NULL");
    const soci::rowset<soci::row> rows = (sql.prepare << statement, soci::use(object, "p"));
    for (const auto& row : rows)
      return TokenOwner{.org_id = text(row, "org_id"),
                        .name = text(row, "name"),
                        .role = text(row, "role"),
                        .sha256_hex = text(row, "sha256")};
    return std::nullopt;
  });
}

}  // namespace tokenrail::registry
