#include "common/registry/session.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace tokenrail::registry {

namespace {

PGconn* native(soci::session& sql) {
  return static_cast<soci::postgresql_session_backend*>(sql.get_backend())->conn_;
}

/// libpq ends its texts with a line feed and splits them over lines.
std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

Result<void> Session::open() {
  if (session_ && PQstatus(native(*session_)) == CONNECTION_OK) return {};
  session_.reset();
  auto parameters = connection_parameters(options_);
  if (!parameters) return std::unexpected(std::move(parameters.error()));
  auto session = std::make_unique<soci::session>(soci::postgresql, *parameters);
  execute_script(*session, fmt::format("SET statement_timeout = {}; SET lock_timeout = {}; SET TIME ZONE 'UTC'; "
                                       "SET idle_in_transaction_session_timeout = '60s'",
                                       options_.statement_time_max.count(), options_.statement_time_max.count()));
  session_ = std::move(session);
  return {};
}

Error Session::translate(const soci::soci_error& error) {
  const auto detail = without_password(one_line(error.what()), options_.url);
  const auto place = database_place(options_.url);
  const auto* postgresql = dynamic_cast<const soci::postgresql_soci_error*>(&error);
  const auto sqlstate = postgresql != nullptr ? postgresql->sqlstate() : std::string();
  const bool broken = !session_ || PQstatus(native(*session_)) != CONNECTION_OK;
  if (broken) session_.reset();
  // Not invalid_input: the role or the database may be made the next moment, and who waits for PostgreSQL waits for it.
  if (const auto part = broken ? refused_part(detail) : std::nullopt)
    return {.kind = ErrorKind::unavailable,
            .detail = fmt::format("PostgreSQL at {} answers, but refuses the connection: {}. Check the {} in "
                                  "TOKENRAIL_DATABASE_URL.",
                                  place, detail, *part)};
  if (broken || sqlstate.starts_with("08") || sqlstate.starts_with("57P")) {
    return {.kind = ErrorKind::unavailable,
            .detail = fmt::format("PostgreSQL at {} does not answer: {}. Check that it runs and that "
                                  "TOKENRAIL_DATABASE_URL is right (`./dev postgres start` starts a private one).",
                                  place, detail)};
  }
  if (sqlstate == "42P01" || sqlstate == "42883" || sqlstate == "42703") {
    return {
        .kind = ErrorKind::rejected,
        .detail = fmt::format("The database at {} lacks a part of the registry's schema: {}. Run `tokenrail migrate`.",
                              place, detail)};
  }
  // 23: a rule of the schema; 22: a value it cannot hold. The same again would fail again.
  if (sqlstate.starts_with("23") || sqlstate.starts_with("22"))
    return {.kind = ErrorKind::invalid_input, .detail = fmt::format("PostgreSQL refused a value: {}", detail)};
  if (sqlstate == "57014" || sqlstate == "55P03")
    return {.kind = ErrorKind::timed_out, .detail = fmt::format("PostgreSQL at {} took too long: {}", place, detail)};
  return {.kind = ErrorKind::unavailable, .detail = fmt::format("PostgreSQL at {} failed: {}", place, detail)};
}

void execute_script(soci::session& sql, const std::string& script) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(native(sql), script.c_str()), &PQclear);
  const auto status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
  const auto* sqlstate = result ? PQresultErrorField(result.get(), PG_DIAG_SQLSTATE) : nullptr;
  throw soci::postgresql_soci_error(PQerrorMessage(native(sql)), sqlstate != nullptr ? sqlstate : "     ");
}

}  // namespace tokenrail::registry
