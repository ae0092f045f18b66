// From what a request asks for to the deployments that may answer it. Pure.
//
// Three parts: the model as the caller has it (effective_model.hpp, access.hpp), whether it fits (fit.hpp), and the
// route (route.hpp). selection.hpp finds the model: by name, alias, default or "auto". docs/explanation/registry.md,
// "From a request to a route", has the rules.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/registry/clauses.hpp"
#include "common/registry/judgement.hpp"
#include "common/registry/projection.hpp"
#include "common/registry/route.hpp"

namespace tokenrail::registry {

/// `random`: 64 fresh random bits; decides among deployments of the same priority, and among the targets of an alias
/// that is not sticky, by weight. `now_ms`: milliseconds since 1970-01-01 UTC, for maintenance windows.
///
/// A model that fails these rules is replaced by the first fallback that passes them, with a warning; nothing rescues
/// INVALID_REQUEST (maxTokens above the model's limit), which the sender has to correct.
/// Failures: INVALID_REQUEST, MODEL_NOT_FOUND, MODEL_NOT_ENABLED, INVALID_MODEL_CONFIG, UNSUPPORTED_PROVIDER,
/// CAPABILITY_UNSUPPORTED, CONTEXT_TOO_LONG; each message names the model and advises what to do.
[[nodiscard]] std::expected<Route, Refusal> resolve(const Projection& projection, const events::ChatRequest& request,
                                                    const ResolutionRules& rules, std::uint64_t random,
                                                    std::int64_t now_ms);

/// The question that a request asks, without its fallbacks. The request outlives it.
[[nodiscard]] Question question_of(const events::ChatRequest& request);

struct Explanation {
  bool usable = false;
  /// Every clause of the model that was chosen, or of the one that was refused. Where none was found, or "auto" found
  /// none, the clauses that fail.
  std::vector<Clause> clauses{};
  std::optional<events::ModelName> model{};
  std::optional<Route> route{};              ///< where it is usable
  std::optional<events::Failure> failure{};  ///< where it is not: what a request would end with
};

/// Why a question would be answered as it would be. `random` as in resolve(): with the same bits both choose the same.
[[nodiscard]] Explanation explain(const Projection& projection, const Question& question, const ResolutionRules& rules,
                                  std::int64_t now_ms, std::uint64_t random = 0);

}  // namespace tokenrail::registry
