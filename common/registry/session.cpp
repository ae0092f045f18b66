#include "common/registry/session.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "common/events/utf8.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry {

namespace {

PGconn* native(soci::session& sql) {
  return static_cast<soci::postgresql_session_backend*>(sql.get_backend())->conn_;
}

constexpr std::size_t message_bytes_max = 1'000;

/// libpq splits its texts over lines, with tabs, and ends them so; a sentence of ours goes on behind them.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\t';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '?' || out.back() == '.')) out.pop_back();
  return out;
}

std::string sqlstate_of(const soci::soci_error& error) {
  const auto* postgresql = dynamic_cast<const soci::postgresql_soci_error*>(&error);
  return postgresql != nullptr ? postgresql->sqlstate() : std::string();
}

/// Of class 22, whose own texts repeat the value.
std::string_view unfit(std::string_view sqlstate) {
  struct Word {
    std::string_view sqlstate;
    std::string_view text;
  };
  static constexpr std::array<Word, 5> words{{{"22001", "it is longer than its column"},
                                              {"22003", "the number is outside of its column's range"},
                                              {"22021", "its text is not in the database's encoding"},
                                              {"22P02", "its text is not of the column's type"},
                                              {"22P05", "the database's encoding lacks a character of it"}}};
  const auto* word = std::ranges::find(words, sqlstate, &Word::sqlstate);
  return word == words.end() ? "it is not of the column's type" : word->text;
}

}  // namespace

std::string message_of(const soci::soci_error& error) {
  const auto sqlstate = sqlstate_of(error);
  if (sqlstate.starts_with("22")) return fmt::format("{} (SQLSTATE {})", unfit(sqlstate), sqlstate);
  // what() goes on with the statement and all that was bound to it.
  return std::string(events::utf8_prefix(one_line(error.get_error_message()), message_bytes_max));
}

Result<void> Session::open() {
  if (session_ && PQstatus(native(*session_)) == CONNECTION_OK) return {};
  session_.reset();
  auto parameters = connection_parameters(options_);
  if (!parameters) return std::unexpected(std::move(parameters.error()));
  auto session = std::make_unique<soci::session>(soci::postgresql, *parameters);
  // The detail of a refusal is the row that was refused.
  PQsetErrorVerbosity(native(*session), PQERRORS_TERSE);
  execute_script(*session, fmt::format("SET statement_timeout = {}; SET lock_timeout = {}; SET TIME ZONE 'UTC'; "
                                       "SET idle_in_transaction_session_timeout = '60s'; "
                                       // Statements here take milliseconds; compiling one takes seconds.
                                       "SET jit = off; "
                                       // A client's host that vanishes without a word: the server notices too.
                                       "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; "
                                       "SET tcp_keepalives_count = 3; SET tcp_user_timeout = '30s'",
                                       options_.statement_time_max.count(), options_.statement_time_max.count()));
  session_ = std::move(session);
  return {};
}

Error Session::translate(const soci::soci_error& error) {
  const auto detail = without_password(message_of(error), options_.url);
  const auto place = database_place(options_.url);
  const auto sqlstate = sqlstate_of(error);
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
  // A deadlock, or a transaction that another one has overtaken: the same again may go through.
  if (sqlstate == "40P01" || sqlstate == "40001")
    return {.kind = ErrorKind::cancelled,
            .detail = fmt::format("PostgreSQL at {} gave way to another writer: {}", place, detail)};
  if (sqlstate == "23514") {
    if (const auto rule = broken_rule(detail))
      return {.kind = ErrorKind::invalid_input,
              .detail = refusal_of(*rule),
              .hint = "Correct it. The API's description (/openapi.json) says what each field may be."};
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
