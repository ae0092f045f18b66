// Sessions of browsers that ended before their time, in PostgreSQL. Blocking; see governed_database.hpp. Whether one
// has ended is part of Organizations::known(), which is asked for each request anyway.
#pragma once

#include <cstdint>
#include <string>

#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

class BrowserSessions {
 public:
  explicit BrowserSessions(GovernedDatabase& database) : database_(database) {}

  /// Ends one session of the actor. Ending it twice is no error. `expires_ms`: when it would have ended by itself.
  Result<void> end(const Actor& actor, const std::string& issuer, const std::string& subject,
                   const std::string& session_id, std::int64_t expires_ms);
  /// Ends all sessions of the actor that have begun.
  Result<void> end_all(const Actor& actor, const std::string& issuer, const std::string& subject);

 private:
  GovernedDatabase& database_;
};

}  // namespace tokenrail::registry
