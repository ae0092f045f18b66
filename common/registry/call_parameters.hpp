// Default parameters of the calls of a model's deployments, set by people. Blocking; see governed_database.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/events/call_defaults.hpp"
#include "common/registry/document.hpp"
#include "common/registry/governed_database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

class CallParameters {
 public:
  explicit CallParameters(GovernedDatabase& database) : database_(database) {}

  /// Of the deployments that serve the scope's own row of a model, with `model`, `modelId`, `changed` (0) and the
  /// version of the model. `effective` are a deployment's own `params` over those of the model. `model`: as for
  /// Models::get(). Errors: not_found; conflict where the platform's deployments serve it.
  Result<Document> get(const Actor& actor, const Scope& scope, const std::string& model);
  /// Replaces all default parameters of these deployments, or of those on connections of that name or id; empty: on
  /// all. `changed` says of how many. A new version of the model, unless all had these parameters already.
  Result<Document> set(const Actor& actor, const Scope& scope, const std::string& model, const std::string& connection,
                       const events::CallDefaults& parameters,
                       const std::optional<std::int64_t>& expected_version = std::nullopt);

 private:
  GovernedDatabase& database_;
};

}  // namespace tokenrail::registry
