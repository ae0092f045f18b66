#include "common/providers/openai_models.hpp"

#include <algorithm>

namespace tokenrail::providers {

namespace {

using enum OpenAiModel::Sampling;

/// The first row that fits counts.
constexpr OpenAiModel rows[] = {
    {"gpt-3.5", false, "", always},     {"gpt-4", false, "", always},
    {"chatgpt-", false, "", always},    {"gpt-5-chat", false, "", always},
    {"o1", true, "low", never},         {"o3", true, "low", never},
    {"o4", true, "low", never},         {"gpt-oss", true, "low", always},
    {"gpt-5-pro", true, "high", never}, {"gpt-5.", true, "none", without_reasoning},
    {"gpt-5", true, "minimal", never},
};
constexpr OpenAiModel others = {"", true, "none", always};

}  // namespace

bool OpenAiModel::samples(const std::optional<events::Reasoning>& reasoning) const {
  if (sampling != without_reasoning) return sampling == always;
  if (!reasoning || (reasoning->enabled && !*reasoning->enabled) || reasoning->effort == "none") return true;
  return !reasoning->enabled.value_or(false) && reasoning->effort.empty();
}

const OpenAiModel& openai_model(std::string_view name) {
  if (const auto slash = name.rfind('/'); slash != std::string_view::npos) name.remove_prefix(slash + 1);
  if (name.starts_with("ft:")) name.remove_prefix(3);
  const auto* const row =
      std::ranges::find_if(rows, [&](const OpenAiModel& one) { return name.starts_with(one.prefix); });
  return row == std::ranges::end(rows) ? others : *row;
}

}  // namespace tokenrail::providers
