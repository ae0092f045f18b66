// What OpenAI's models do not take, by how their names begin, whichever API they are called by. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "common/events/chat_request.hpp"

namespace tokenrail::providers {

struct OpenAiModel {
  /// Temperature and top_p.
  enum class Sampling { always, without_reasoning, never };

  std::string_view prefix;  ///< of the name
  bool reasons;
  std::string_view least_effort;  ///< what switching reasoning off comes to
  Sampling sampling;

  /// Whether it takes temperature and top_p in a request that asks for that reasoning.
  [[nodiscard]] bool samples(const std::optional<events::Reasoning>& reasoning) const;
};

/// The row of a name, which may follow a publisher ("openai/gpt-4o") or be that of a model tuned from it
/// ("ft:gpt-4o:…"). A name that is not known is one that takes everything.
[[nodiscard]] const OpenAiModel& openai_model(std::string_view name);

}  // namespace tokenrail::providers
