// The records beside models as the database has them now, for the outbox and for making the state topic whole. Private
// to this module's .cpp files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <soci/soci.h>

namespace tokenrail::registry {

struct StateRecord {
  std::string id{};  ///< of the row: the default, the alias, the organisation, the credential
  std::string key;
  std::string type;
  std::int64_t version = 0;
  std::string payload;  ///< empty: a tombstone
};

/// Those of one organisation, or of one pointer, where `id` is not empty; else all.
std::vector<StateRecord> default_records(soci::session& sql, const std::string& id, const std::string& cause,
                                         const std::string& actor);
std::vector<StateRecord> alias_records(soci::session& sql, const std::string& id, const std::string& cause,
                                       const std::string& actor);
std::vector<StateRecord> view_records(soci::session& sql, const std::string& id, const std::string& cause,
                                      const std::string& actor);
std::vector<StateRecord> grant_records(soci::session& sql, const std::string& org_id, const std::string& cause,
                                       const std::string& actor);
std::vector<StateRecord> organization_records(soci::session& sql, const std::string& org_id, const std::string& cause,
                                              const std::string& actor);

/// Sealed, or a tombstone where it was revoked. One credential, where `id` is not empty; else all.
std::vector<StateRecord> credential_records(soci::session& sql, const std::string& id);

void write_records(soci::session& sql, const std::string& aggregate, const std::vector<StateRecord>& records);

}  // namespace tokenrail::registry
