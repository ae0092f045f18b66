// The stored credentials in the registry's database, as the commands on key rings need them.
#pragma once

#include "cli/context.hpp"
#include "cli/keys.hpp"
#include "cli/rewrap.hpp"
#include "common/registry/governed_database.hpp"

namespace tokenrail::cli {

class SealedCredentials final : public SealedRows {
 public:
  /// Errors: the database cannot be reached, or has another version than this program.
  [[nodiscard]] static Result<SealedCredentials> connect(const Context& context);

  [[nodiscard]] Result<SealedCounts> counts();
  Result<std::vector<Row>> not_under(const std::string& key_id, const std::string& after,
                                     std::int64_t count_max) override;
  Result<bool> rewrapped(const Row& before, const std::string& sealed, const std::string& key_id) override;

 private:
  SealedCredentials(registry::GovernedDatabase database, registry::Actor actor)
      : database_(std::move(database)), actor_(std::move(actor)) {}

  registry::GovernedDatabase database_;
  registry::Actor actor_;
};

}  // namespace tokenrail::cli
