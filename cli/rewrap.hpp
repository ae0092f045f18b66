// Wraps the data keys of all stored credentials with the primary key of a key ring: `tokenrail keys rewrap`. The rows
// come through an interface, so that this runs without a database. No secret is opened.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/crypto/key_ring.hpp"
#include "common/registry/connections.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

/// The stored credentials, as registry::CredentialStore has them.
class SealedRows {
 public:
  using Row = registry::CredentialStore::Row;

  virtual ~SealedRows() = default;
  /// Up to `count_max` rows that another key than `key_id` seals, by ascending id, after the id `after`.
  virtual Result<std::vector<Row>> not_under(const std::string& key_id, const std::string& after,
                                             std::int64_t count_max) = 0;
  /// One transaction. False: the row was changed meanwhile, and nothing was written.
  virtual Result<bool> rewrapped(const Row& before, const std::string& sealed, const std::string& key_id) = 0;
};

struct RewrapFailure {
  std::string id;
  std::string org_id;
  std::string reason;
};

struct RewrapReport {
  std::int64_t rewrapped = 0;  ///< with `dry_run`: would be
  std::int64_t changed = 0;  ///< changed by another program each time it was their turn; they may be under another key
  std::int64_t failed = 0;
  std::vector<RewrapFailure> failures{};  ///< the first 20
};

struct RewrapOptions {
  bool dry_run = false;
  /// Called after each batch.
  std::function<void(const RewrapReport&)> progress = [](const RewrapReport&) {};
};

/// A row that does not unwrap is counted and left as it is; the others go on. Rows that another program changes
/// meanwhile get two more turns. Can be ended at any time and called again: what is done stays done. Errors: those of
/// `rows`, which end the run.
[[nodiscard]] Result<RewrapReport> rewrap_all(const crypto::KeyRing& ring, SealedRows& rows,
                                              const RewrapOptions& options);

/// The result for people, and as one line of JSON.
[[nodiscard]] std::string rewrap_text(const RewrapReport& report, const std::string& key_id, bool dry_run);
[[nodiscard]] std::string rewrap_json(const RewrapReport& report, const std::string& key_id, bool dry_run);

}  // namespace tokenrail::cli
