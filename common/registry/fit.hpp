// Second part of resolution: whether a model can do what a request asks for. Pure.
//
// An unknown fact refuses nothing: tokenisers and capabilities differ, and a provider's own answer is exact where ours
// would be a guess.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/registry/clauses.hpp"
#include "common/registry/effective_model.hpp"

namespace tokenrail::registry {

/// A prompt is refused as too long only where its text has more bytes than this for each token of the model's limit:
/// tokenisers differ, and a provider's own answer is exact where ours would be a guess.
inline constexpr std::int64_t prompt_bytes_per_token_max = 8;

/// A capability that a request cannot do without.
struct Need {
  std::string_view capability;
  std::string_view words;   ///< after "does not support"
  std::string_view advice;  ///< without its full stop
};

struct Requirements {
  std::string_view kind = "generation";
  std::vector<Need> needs{};
  std::int64_t text_bytes = 0;
  std::optional<std::int64_t> tokens_max{};
};
[[nodiscard]] Requirements requirements_of(const events::ChatRequest& request);
/// The requirements of a question without a request: the kind alone.
[[nodiscard]] Requirements requirements_of_kind(std::string_view kind);

/// Whether a model of kind `kind` serves requests of kind `wanted`. A kind that this version does not know may serve
/// chats: its provider knows better.
[[nodiscard]] bool serves_kind(std::string_view kind, std::string_view wanted);

[[nodiscard]] Failing failing(const EffectiveModel& model, const Requirements& requirements);
/// The model is known to have everything that is needed.
[[nodiscard]] bool surely_fits(const EffectiveModel& model, const Requirements& requirements);
/// One clause of this part: kind, capability, context or output.
[[nodiscard]] Clause describe(const EffectiveModel& model, const Requirements& requirements, ClauseName name,
                              const Failing& failing);

}  // namespace tokenrail::registry
