#include "common/registry/browser_sessions.hpp"

#include "common/registry/governed_sql.hpp"

namespace tokenrail::registry {

Result<void> BrowserSessions::end(const Actor& actor, const std::string& issuer, const std::string& subject,
                                  const std::string& session_id, std::int64_t expires_ms) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    run_statement(sql,
                  "INSERT INTO ended_session (id, issuer, subject, expires_at) VALUES (@id, @issuer, @subject, "
                  "to_timestamp(CAST(@expires AS bigint) / 1000.0)) ON CONFLICT (id) DO NOTHING",
                  Arguments()
                      .text("id", session_id)
                      .text("issuer", issuer)
                      .text("subject", subject)
                      .number("expires", expires_ms));
    return {};
  });
}

Result<void> BrowserSessions::end_all(const Actor& actor, const std::string& issuer, const std::string& subject) {
  return transact_as(database_, actor, [&](soci::session& sql) -> Result<void> {
    end_sessions_of(sql, issuer, subject);
    return {};
  });
}

}  // namespace tokenrail::registry
