#include "common/registry/kept_statements.hpp"

#include <map>
#include <new>
#include <utility>

#include <fmt/core.h>
#include <libpq-events.h>

namespace tokenrail::registry {

namespace {

/// Names of the statements that a connection has prepared, by their texts.
using Prepared = std::map<std::string, std::string>;

/// libpq calls it when something becomes of the connection that the statements belong to.
int on_event(PGEventId id, void* info, void* /*pass_through*/) {
  if (id == PGEVT_CONNDESTROY)
    delete static_cast<Prepared*>(PQinstanceData(static_cast<PGEventConnDestroy*>(info)->conn, on_event));
  if (id == PGEVT_CONNRESET) {
    if (auto* prepared = static_cast<Prepared*>(PQinstanceData(static_cast<PGEventConnReset*>(info)->conn, on_event)))
      prepared->clear();
  }
  return 1;
}

Prepared& prepared_of(PGconn* connection) {
  if (auto* known = static_cast<Prepared*>(PQinstanceData(connection, on_event))) return *known;
  if (PQregisterEventProc(connection, on_event, "kept statements", nullptr) == 0) throw std::bad_alloc();
  auto prepared = std::make_unique<Prepared>();
  if (PQsetInstanceData(connection, on_event, prepared.get()) == 0) throw std::bad_alloc();
  return *prepared.release();
}

KeptRows::Result checked(PGconn* connection, PGresult* result) {
  KeptRows::Result owned(result, &PQclear);
  const auto status = PQresultStatus(owned.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return owned;
  const auto* sqlstate = owned ? PQresultErrorField(owned.get(), PG_DIAG_SQLSTATE) : nullptr;
  throw soci::postgresql_soci_error(PQerrorMessage(connection), sqlstate != nullptr ? sqlstate : "     ");
}

}  // namespace

std::optional<std::string_view> KeptRows::Row::value(const char* column) const {
  const int at = PQfnumber(result_, column);
  if (at < 0) throw soci::soci_error(fmt::format("there is no column {}", column));
  return value(at);
}

std::optional<std::string_view> KeptRows::Row::value(int column) const {
  if (PQgetisnull(result_, row_, column) != 0) return std::nullopt;
  return std::string_view(PQgetvalue(result_, row_, column),
                          static_cast<std::size_t>(PQgetlength(result_, row_, column)));
}

long long KeptRows::affected() const {
  const std::string_view text = PQcmdTuples(result_.get());
  long long number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

namespace {

PGconn* connection_of(soci::session& sql) {
  return static_cast<soci::postgresql_session_backend*>(sql.get_backend())->conn_;
}

/// The values as libpq takes them; they live as long as `values`.
std::vector<const char*> pointers_to(const std::vector<std::optional<std::string>>& values) {
  std::vector<const char*> texts;
  texts.reserve(values.size());
  for (const auto& value : values) texts.push_back(value ? value->c_str() : nullptr);
  return texts;
}

}  // namespace

KeptRows run_once(soci::session& sql, const std::string& statement,
                  const std::vector<std::optional<std::string>>& values) {
  auto* connection = connection_of(sql);
  const auto texts = pointers_to(values);
  return KeptRows(checked(connection, PQexecParams(connection, statement.c_str(), static_cast<int>(texts.size()),
                                                   nullptr, texts.data(), nullptr, nullptr, 0)));
}

KeptRows run_kept(soci::session& sql, const std::string& statement,
                  const std::vector<std::optional<std::string>>& values) {
  auto* connection = connection_of(sql);
  auto& prepared = prepared_of(connection);
  auto kept = prepared.find(statement);
  if (kept == prepared.end()) {
    if (prepared.size() >= kept_statements_max) return run_once(sql, statement, values);
    auto name = fmt::format("kept_{}", prepared.size());
    checked(connection,
            PQprepare(connection, name.c_str(), statement.c_str(), static_cast<int>(values.size()), nullptr));
    kept = prepared.emplace(statement, std::move(name)).first;
  }
  const auto texts = pointers_to(values);
  return KeptRows(checked(connection, PQexecPrepared(connection, kept->second.c_str(), static_cast<int>(texts.size()),
                                                     texts.data(), nullptr, nullptr, 0)));
}

}  // namespace tokenrail::registry
