#include "common/registry/migrator.hpp"

#include <map>

#include <fmt/core.h>

#include "common/registry/session.hpp"

namespace tokenrail::registry {

namespace {

/// Any number will do, as long as every version of every program takes the same.
constexpr const char* lock = "SELECT pg_advisory_lock(7305612014921)";
constexpr const char* unlock = "SELECT pg_advisory_unlock(7305612014921)";

std::string label(const Migration& migration) {
  return fmt::format("{:04}_{}", migration.version, migration.name);
}

std::string checksum_of(soci::session& sql, const Migration& migration) {
  std::string checksum;
  const std::string script(migration.sql);
  sql << "SELECT encode(sha256(convert_to(:script, 'UTF8')), 'hex')", soci::use(script), soci::into(checksum);
  return checksum;
}

/// Compares the database with what this binary knows; refuses what may be a mistake.
Result<MigrationStatus> compare(soci::session& sql, std::span<const Migration> known) {
  MigrationStatus status;
  int there = 0;
  sql << "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND "
         "table_name = 'schema_migration'",
      soci::into(there);
  std::map<int, std::pair<std::string, std::string>> applied;
  if (there > 0) {
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT version, name, checksum FROM schema_migration ORDER BY version");
    for (const auto& row : rows) applied[row.get<int>("version")] = {text(row, "name"), text(row, "checksum")};
  }
  const int newest = known.empty() ? 0 : known.back().version;
  for (const auto& [version, entry] : applied) {
    if (version <= newest) continue;
    return fail(
        ErrorKind::rejected,
        fmt::format("The database has migration {:04}_{}, but this program knows migrations up to {:04}. It was "
                    "migrated by a newer version: upgrade this program.",
                    version, entry.first, newest));
  }
  for (const auto& migration : known) {
    const auto entry = applied.find(migration.version);
    if (entry == applied.end()) {
      if (!applied.empty() && migration.version < applied.rbegin()->first) {
        return fail(
            ErrorKind::rejected,
            fmt::format("The database lacks migration {} although it has later ones. Migrations only go forward: "
                        "restore the missing one's number or take a backup from before.",
                        label(migration)));
      }
      status.pending.push_back(label(migration));
      continue;
    }
    if (entry->second.second != checksum_of(sql, migration)) {
      return fail(ErrorKind::rejected,
                  fmt::format("Migration {} was changed after it had been applied to this database. Put its text back "
                              "as it was, and make the change in a new migration.",
                              label(migration)));
    }
    status.applied = migration.version;
  }
  return status;
}

Result<void> apply(soci::session& sql, const Migration& migration) {
  try {
    soci::transaction transaction(sql);
    execute_script(sql, std::string(migration.sql));
    const std::string name(migration.name);
    const auto checksum = checksum_of(sql, migration);
    sql << "INSERT INTO schema_migration (version, name, checksum) VALUES (:version, :name, :checksum)",
        soci::use(migration.version), soci::use(name), soci::use(checksum);
    transaction.commit();
    return {};
  } catch (const soci::soci_error& error) {
    if (error.get_error_category() == soci::soci_error::connection_error) throw;
    return fail(ErrorKind::rejected,
                fmt::format("Migration {} failed and was rolled back: {}", label(migration), message_of(error)));
  }
}

}  // namespace

Result<MigrationStatus> migration_status(const DatabaseOptions& options, std::span<const Migration> known) {
  Session session(options);
  return session.run([&](soci::session& sql) { return compare(sql, known); });
}

Result<std::vector<std::string>> migrate(const DatabaseOptions& options, std::span<const Migration> known) {
  // A migration may rewrite a table; another program may be in the middle of one.
  auto patient = options;
  patient.statement_time_max = std::chrono::minutes(10);
  Session session(patient);
  return session.run([&](soci::session& sql) -> Result<std::vector<std::string>> {
    execute_script(sql, lock);  // goes with the session, also when this program dies
    execute_script(
        sql,
        "SET client_min_messages = warning; CREATE TABLE IF NOT EXISTS schema_migration (version int PRIMARY "
        "KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())");
    const auto status = compare(sql, known);
    if (!status) return std::unexpected(status.error());
    std::vector<std::string> done;
    for (const auto& migration : known) {
      if (migration.version <= status->applied) continue;
      if (auto applied = apply(sql, migration); !applied) return std::unexpected(applied.error());
      done.push_back(label(migration));
    }
    execute_script(sql, unlock);
    return done;
  });
}

}  // namespace tokenrail::registry
