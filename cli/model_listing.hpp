// Models of the registry as people and programs get to see them. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/events/model_event.hpp"

namespace tokenrail::cli {

/// A row that inherits is enabled as the next row above it is, which is one of `models` too; without one it is
/// disabled.
void take_inherited(std::vector<events::ModelState>& models);

/// Those that the organisation sees: its own and the platform's.
[[nodiscard]] std::vector<events::ModelState> seen_by(const std::vector<events::ModelState>& models,
                                                      const std::string& org_id);

/// Why the model cannot be used now: "disabled", "missing", …; "ready" if it can.
[[nodiscard]] std::string state_word(const events::ModelState& model);

/// MODEL, SCOPE, STATE, CONTEXT, CAPABILITIES, CONNECTIONS; PARAMETERS where a deployment has default ones.
[[nodiscard]] std::string listing(const std::vector<events::ModelState>& models);

/// One model as one line of JSON.
[[nodiscard]] std::string listing_json(const events::ModelState& model);

/// A model as the registry API shows it to a scope: of what a listing shows, all.
[[nodiscard]] events::ModelState model_of(std::string_view document);

}  // namespace tokenrail::cli
