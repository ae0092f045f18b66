// Why a candidate ended, as a table. Pure data.
#pragma once

#include <optional>
#include <string_view>

#include "common/providers/answer.hpp"

namespace tokenrail::providers::gemini {

struct FinishRow {
  std::string_view name;
  int number;                                  ///< how the enum is written where a sender writes numbers; -1: unknown
  std::optional<events::FinishReason> reason;  ///< nothing: the answer failed
  // Of a failure:
  events::ErrorCode code = events::ErrorCode::provider_protocol;
  bool retry = true;
  std::string_view advice{};
};

/// By name, or by number where `name` is empty; null: not known.
[[nodiscard]] const FinishRow* find_finish_row(std::string_view name, int number);

}  // namespace tokenrail::providers::gemini
