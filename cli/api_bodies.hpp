// What catalogues and scores look like in bodies of the registry API. Pure.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "common/catalog/plan.hpp"
#include "common/registry/catalogs.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

/// The answer is not one that a registry API gives.
[[nodiscard]] std::unexpected<Error> no_api_answer();
/// A JSON string; empty: the field is left out.
[[nodiscard]] std::string text_field(std::string_view value);
/// An entry of a catalogue as the API has it, with what is held and what was rejected.
[[nodiscard]] Result<catalog::KnownEntry> known_entry(std::string_view json);
[[nodiscard]] std::string json_of_entries(std::span<const catalog::PlannedEntry> entries);
[[nodiscard]] std::string json_of_scores(std::span<const registry::QualityScore> scores);

}  // namespace tokenrail::cli
