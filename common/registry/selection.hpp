// From what a question names, or from nothing, to a model: names, aliases, defaults and "auto". Pure; used by
// resolution only.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "common/registry/judgement.hpp"

namespace tokenrail::registry {

struct Selection {
  std::vector<RouteTarget> targets{};  ///< never empty
  std::vector<std::string> warnings{};
  Choice choice{};
  Judged judged{};  ///< the model that was chosen
};
using Selected = std::expected<Selection, Refusal>;

/// The bare name that asks for a selection by requirements; no alias and no model is found by it alone.
inline constexpr std::string_view auto_name = "auto";

/// `asked`: a model, an alias or "auto"; nothing: the default. `suggest`: a name that the registry does not have is
/// answered with those that may have been meant.
[[nodiscard]] Selected select(Asking& asking, const std::optional<events::ModelReference>& asked, bool suggest);

/// The best model that can answer and that the caller may use, by what the request's `auto` prefers.
[[nodiscard]] Selected select_auto(Asking& asking);

/// The default pointer of the nearest scope; then, unless rules are strict, the first model that can answer: one that
/// is missing, and still tried within its grace, only where there is no other.
[[nodiscard]] Selected select_default(Asking& asking);

/// The one model of that exact name.
[[nodiscard]] Selected select_exact(Asking& asking, const events::ModelName& name, std::string_view reason,
                                    std::string detail);

[[nodiscard]] Refusal refuse(ClauseName name, events::ErrorCode code, std::string detail, std::string advice,
                             std::string_view provider = {});

}  // namespace tokenrail::registry
