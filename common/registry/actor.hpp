// Who makes a change, and whose rows it is about. Values.
#pragma once

#include <string>

namespace tokenrail::registry {

/// Whose rows: the platform's (both empty), an organisation's, or one user's in it.
struct Scope {
  std::string org_id{};
  std::string user_id{};
  [[nodiscard]] bool platform() const { return org_id.empty(); }
};

/// Goes into revisions, the audit log and events, and decides which rows the database shows: those of the platform, of
/// `scope.org_id`, and of `scope.user_id` in it; all of them with `all_organizations`.
struct Actor {
  std::string name;  ///< "user:anna@acme", "token:ci", "cli:root"; never empty
  Scope scope{};
  bool all_organizations = false;  ///< a platform administrator
  std::string cause = "api";       ///< api | import | seed | rollback
  std::string request_id{};
  bool dry_run = false;  ///< everything is done and checked, and then taken back
};

}  // namespace tokenrail::registry
