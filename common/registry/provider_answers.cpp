#include "common/registry/provider_answers.hpp"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"
#include "common/registry/governed_model_rows.hpp"
#include "common/registry/governed_sql.hpp"
#include "common/registry/gzip.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

constexpr std::size_t list_bytes_max = 256UL * 1024 * 1024;
constexpr std::size_t answer_bytes_max = 16UL * 1024 * 1024;

const std::string list_columns =
    "SELECT encode(s.sha256, 'hex') AS id, CAST(0 AS bigint) AS version, lpad(CAST(CAST(9e15 - extract(epoch FROM "
    "s.fetched_at) * 1000000 AS bigint) AS text), 16, '0') || encode(s.sha256, 'hex') AS place, "
    "CAST(json_build_object('id', encode(s.sha256, 'hex'), 'fetchedAt', tokenrail_time(s.fetched_at)) AS text) AS "
    "document FROM provider_snapshot s WHERE s.encoding = 'gzip' AND CAST(s.connection_id AS text) = @connection";

Result<std::string> connection_of(soci::session& sql, const Scope& scope, const std::string& name) {
  const auto arguments = Arguments().scope(scope).text("id", name);
  const std::string select =
      "SELECT CAST(c.id AS text) FROM connection c WHERE c.deleted_at IS NULL AND (CAST(c.id AS text) = @id OR c.name "
      "= @id) AND ";
  auto found = read_text(
      sql, select + "c.org_id IS NOT DISTINCT FROM @org AND c.owner_user_id IS NOT DISTINCT FROM @owner", arguments);
  if (found) return std::move(*found);
  if (!read_text(sql, select + "c.org_id IS NULL", arguments))
    return fail(ErrorKind::not_found, fmt::format("There is no connection {}.", name));
  return fail(ErrorKind::forbidden, fmt::format("The connection {} belongs to the platform.", name));
}

/// The text behind a column of compressed bytes, which the statement reads as hexadecimal digits.
std::optional<std::string> uncompressed(std::string_view digits, std::size_t bytes_max) {
  const auto value_of = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
  std::string bytes;
  bytes.reserve(digits.size() / 2);
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(value_of(digits[i]) * 16 + value_of(digits[i + 1]));
  return gunzip(bytes, bytes_max);
}

}  // namespace

Result<DocumentPage> ProviderAnswers::lists(const Actor& actor, const Scope& scope, const std::string& connection,
                                            const PageRequest& page) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<DocumentPage> {
    const auto id = connection_of(sql, scope, connection);
    if (!id) return std::unexpected(id.error());
    return read_page(sql, list_columns, Arguments().text("connection", *id), page);
  });
}

Result<Document> ProviderAnswers::list(const Actor& actor, const Scope& scope, const std::string& connection,
                                       const std::string& id) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    const auto connection_id = connection_of(sql, scope, connection);
    if (!connection_id) return std::unexpected(connection_id.error());
    const auto arguments = Arguments().text("connection", *connection_id).text("id", id);
    const std::string of_id = " AND encode(s.sha256, 'hex') = @id";
    auto found = read_document(sql, list_columns + of_id, arguments);
    const auto digits = read_text(sql,
                                  "SELECT encode(s.body, 'hex') FROM provider_snapshot s WHERE s.encoding = 'gzip' AND "
                                  "CAST(s.connection_id AS text) = @connection" +
                                      of_id,
                                  arguments);
    const auto body = digits ? uncompressed(*digits, list_bytes_max) : std::nullopt;
    if (!found || !body)
      return fail(ErrorKind::not_found, fmt::format("The connection {} has no list {}.", connection, id));
    found->json.pop_back();
    found->json += R"(,"body":)";
    events::append_json_string(found->json, *body);
    found->json += '}';
    return std::move(*found);
  });
}

Result<Document> ProviderAnswers::of_model(const Actor& actor, const Scope& scope, const std::string& model) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<Document> {
    const auto now = find_model(sql, scope, model);
    if (!now) return no_model(model);
    const auto rows = rows_of(*now);
    const auto found = read_documents(
        sql,
        "SELECT encode(d.answer, 'hex') AS id, CAST(0 AS bigint) AS version, CAST(json_build_object('connection', "
        "c.name, 'connectionId', c.id, 'upstreamName', d.upstream_name, 'answeredAt', tokenrail_time(d.answered_at)) "
        "AS "
        "text) AS document FROM deployment d JOIN connection c ON c.id = d.connection_id WHERE CAST(d.model_id AS "
        "text) "
        "IN (@own, @platform) AND d.answer IS NOT NULL AND c.deleted_at IS NULL ORDER BY c.name",
        names_of(rows));
    Document document{.id = now->id, .version = now->version, .json = R"({"model":)"};
    const events::JsonDocument parsed(now->json);
    events::append_json_string(document.json, events::ObjectReader(parsed.root()).text("slug"));
    document.json += R"(,"answers":[)";
    bool first = true;
    for (const auto& deployment : found) {
      // {"list":…,"details":…}, written by registry-sync.
      const auto answer = uncompressed(deployment.id, answer_bytes_max);
      if (!answer || answer->size() < 2) continue;
      if (!std::exchange(first, false)) document.json += ',';
      document.json += std::string_view(deployment.json).substr(0, deployment.json.size() - 1);
      document.json += ',';
      document.json += std::string_view(*answer).substr(1);
    }
    document.json += "]}";
    return document;
  });
}

}  // namespace tokenrail::registry
