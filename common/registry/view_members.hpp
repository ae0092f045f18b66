// Which models are in a saved view, as a router decides it. Pure. Lists decide it in SQL (governed_models_sql.cpp).
#pragma once

#include "common/events/registry_records.hpp"
#include "common/registry/effective_model.hpp"

namespace tokenrail::registry {

/// Of a model that a request may use: a filter for a status other than `active` has none. `q` ignores the case of ASCII
/// letters. The view's pins are sorted.
[[nodiscard]] bool is_in_view(const events::RegistryView& view, const EffectiveModel& model);

/// The view of that name in the nearest scope that has one, or null.
[[nodiscard]] const events::RegistryView* find_view(const Projection& projection, const Scopes& scopes,
                                                    std::string_view name);
/// The view that the nearest scope with such a view sets for "auto", or null.
[[nodiscard]] const events::RegistryView* find_auto_view(const Projection& projection, const Scopes& scopes);

}  // namespace tokenrail::registry
