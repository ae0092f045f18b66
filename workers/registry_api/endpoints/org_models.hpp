// Models in the form of an older API, whose clients ask /orgs/{org}/models. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/registry/document.hpp"
#include "common/registry/prices.hpp"
#include "workers/registry_api/json_value.hpp"

namespace tokenrail::registry_api {

/// `model`: as /v1 serves it. Its status is one flag there, and its capabilities a list of those that it has.
[[nodiscard]] Json org_model_of(const Json& model);

/// Adds models to a list, from JSON texts as /v1 serves them.
void append_org_models(std::string& list, const std::vector<registry::Document>& models);

/// What a request of that API changes. A field that it lacks stays as it is, but for the description, which is cleared.
/// `first`: the organisation has no row of that model yet, which is then enabled unless the request disables it.
[[nodiscard]] Json patch_from_org_model(const Json& body, bool first);

/// The prices that a person set, with those of the request instead of the ones for the same: micro-dollars per thousand
/// tokens, on the standard tier. `own`: as /v1 serves them. Nothing: the request has none.
[[nodiscard]] std::optional<std::vector<Price>> prices_from_org_model(const Json& body, const Json& own);

}  // namespace tokenrail::registry_api
