#include "cli/sealed_credentials.hpp"

#include <utility>

#include "cli/database.hpp"
#include "cli/govern.hpp"

namespace tokenrail::cli {

Result<SealedCredentials> SealedCredentials::connect(const Context& context) {
  registry::GovernedDatabase database(database_options(context));
  if (auto checked = database.check(); !checked) return std::unexpected(std::move(checked.error()));
  return SealedCredentials(std::move(database), actor_of(context));
}

Result<SealedCounts> SealedCredentials::counts() {
  const auto uses = registry::CredentialStore(database_).keys_in_use();
  if (!uses) return std::unexpected(uses.error());
  SealedCounts counts;
  for (const auto& use : *uses) counts.emplace(use.key_id, use.rows);
  return counts;
}

Result<std::vector<SealedRows::Row>> SealedCredentials::not_under(const std::string& key_id, const std::string& after,
                                                                  std::int64_t count_max) {
  return registry::CredentialStore(database_).not_under(key_id, after, count_max);
}

Result<bool> SealedCredentials::rewrapped(const Row& before, const std::string& sealed, const std::string& key_id) {
  return registry::CredentialStore(database_).rewrapped(actor_, before, sealed, key_id);
}

}  // namespace tokenrail::cli
