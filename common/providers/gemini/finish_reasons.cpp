#include "common/providers/gemini/finish_reasons.hpp"

#include <algorithm>

namespace tokenrail::providers::gemini {

namespace {

using events::ErrorCode;
using events::FinishReason;

constexpr std::string_view again = "Ask again.";
constexpr std::string_view model = "Choose another model.";

// clang-format off
constexpr FinishRow rows[] = {
    {"STOP", 1, FinishReason::stop},
    {"MAX_TOKENS", 2, FinishReason::length},
    {"SAFETY", 3, FinishReason::content_filter},
    {"RECITATION", 4, FinishReason::content_filter},
    {"BLOCKLIST", 7, FinishReason::content_filter},
    {"PROHIBITED_CONTENT", 8, FinishReason::content_filter},
    {"SPII", 9, FinishReason::content_filter},
    {"MODEL_ARMOR", -1, FinishReason::content_filter},
    {"IMAGE_SAFETY", 11, FinishReason::content_filter},
    {"IMAGE_PROHIBITED_CONTENT", -1, FinishReason::content_filter},
    {"IMAGE_RECITATION", -1, FinishReason::content_filter},
    {"OTHER", 5, std::nullopt, ErrorCode::provider_protocol, true, again},
    {"LANGUAGE", 6, std::nullopt, ErrorCode::capability_unsupported, false, "Choose a model for this language."},
    {"MALFORMED_FUNCTION_CALL", 10, std::nullopt, ErrorCode::provider_protocol, true, again},
    {"UNEXPECTED_TOOL_CALL", 12, std::nullopt, ErrorCode::provider_protocol, true, again},
    {"TOO_MANY_TOOL_CALLS", 13, std::nullopt, ErrorCode::provider_protocol, true, again},
    {"MALFORMED_RESPONSE", -1, std::nullopt, ErrorCode::provider_protocol, true, again},
    {"MISSING_THOUGHT_SIGNATURE", -1, std::nullopt, ErrorCode::invalid_request, false,
     "Send the provider blocks of earlier answers back, or choose another model."},
    {"NO_IMAGE", -1, std::nullopt, ErrorCode::capability_unsupported, false, model},
    {"IMAGE_OTHER", -1, std::nullopt, ErrorCode::capability_unsupported, false, model},
};
// clang-format on

}  // namespace

const FinishRow* find_finish_row(std::string_view name, int number) {
  const auto* const found = std::ranges::find_if(rows, [&](const FinishRow& row) {
    return name.empty() ? number >= 0 && row.number == number : row.name == name;
  });
  return found == std::ranges::end(rows) ? nullptr : found;
}

}  // namespace tokenrail::providers::gemini
