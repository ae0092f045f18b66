// Makes the changes of a plan, wherever the registry is reached.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/config_plan.hpp"
#include "cli/governance.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

/// One change after the other, each with revision, audit entry and event. Nothing is forced: errors (conflict) name
/// what still uses an entry that is to be removed, or an entry that was changed after the plan had been made.
class ConfigApplier {
 public:
  /// `platform`: of no organisation; outlives this.
  explicit ConfigApplier(Governance& platform) : platform_(platform) {}

  Result<void> apply(const ConfigChange& change);
  /// To be called after the last change: makes what waited for others.
  Result<void> finish();

 private:
  /// A replacement that was not there yet when its model was written.
  struct Replacement {
    std::string org;
    std::string model;
    std::string by;
  };
  Governance& of(const std::string& org);
  Result<void> remove(const ConfigChange& change);
  Result<void> organization(const ConfigChange& change);
  Result<void> connection(const ConfigChange& change);
  Result<void> model(const ConfigChange& change);
  /// Id of a model that a model of that organisation names; nothing: it is not there.
  Result<std::optional<std::string>> named_model(const std::string& org, const std::string& name);
  /// Adds the replacement to the patch, or remembers it for finish().
  Result<void> add_replacement(const ConfigChange& change, const std::string& model, ConfigValue& patch);
  Result<void> prices(const ConfigChange& change, const std::string& model, std::int64_t version);
  Result<void> default_model(const ConfigChange& change);
  Result<void> alias(const ConfigChange& change);
  Result<void> view(const ConfigChange& change);
  Result<void> grant(const ConfigChange& change);
  Result<void> remove_grant(const ConfigValue& now);
  /// A connection as commands name it: by name, or by id where the platform's is meant and the organisation has one of
  /// that name.
  Result<std::string> connection_in(const std::string& org, const ConfigValue& item);
  Result<std::string> object_of_grant(const ConfigValue& grant);

  Governance& platform_;
  std::map<std::string, std::unique_ptr<Governance>> organizations_{};
  std::vector<Replacement> waiting_{};
};

}  // namespace tokenrail::cli
