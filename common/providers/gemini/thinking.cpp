// `reasoning` of a request as `thinkingConfig`: a level for models from Gemini 3 on, a budget of tokens for the others.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "common/providers/failure_text.hpp"
#include "common/providers/gemini/chat_body.hpp"
#include "common/providers/gemini/model_family.hpp"

namespace tokenrail::providers::gemini {

namespace {

using Thinking = ModelFamily::Thinking;

constexpr int pro_budget_min = 128;

/// The words for how hard to think, of this and other providers. The budgets are those of Google's own mapping.
struct Effort {
  std::string_view name;
  std::string_view level;
  int budget;
};
constexpr Effort efforts[] = {{"minimal", "MINIMAL", 1'024}, {"low", "LOW", 1'024},     {"medium", "MEDIUM", 8'192},
                              {"high", "HIGH", 24'576},      {"xhigh", "HIGH", 24'576}, {"max", "HIGH", 24'576}};

std::string_view level_of(std::string_view level, const ModelFamily& family) {
  if (level == "MINIMAL" && !family.minimal) return "LOW";
  if (level == "MEDIUM" && family.few_levels) return "HIGH";
  return level;
}

std::string switched_off(const ModelFamily& family, std::string_view model, std::vector<std::string>& warnings) {
  if (family.thinking == Thinking::none) return "";
  const bool levels = family.thinking == Thinking::level;
  if (levels || family.always_thinks) {
    warnings.push_back(fmt::format(
        "reasoning: the thinking of {} cannot be switched off; it is set as low as possible.", quotable(model, 200)));
  }
  if (levels) return fmt::format(R"({{"thinkingLevel":"{}"}})", level_of("MINIMAL", family));
  return fmt::format(R"({{"thinkingBudget":{}}})", family.always_thinks ? pro_budget_min : 0);
}

}  // namespace

ModelFamily family_of(std::string_view model) {
  if (const auto slash = model.rfind('/'); slash != std::string_view::npos) model.remove_prefix(slash + 1);
  ModelFamily family{.signs_calls = model.ends_with("-latest")};
  constexpr std::string_view prefix = "gemini-";
  if (!model.starts_with(prefix)) return family;
  const auto version = model.substr(prefix.size());
  int major = 0;
  const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), major);
  if (error != std::errc{}) return family;
  const bool pro = model.contains("-pro");
  const auto rest = version.substr(static_cast<std::size_t>(end - version.data()));
  if (major >= 3) {
    family.thinking = Thinking::level;
    family.signs_calls = true;
    family.minimal = !pro;
    family.few_levels = pro && major == 3 && !rest.starts_with('.');
  } else if (major < 2 || rest.starts_with(".0")) {
    family.thinking = Thinking::none;
  }
  family.always_thinks = pro && family.thinking != Thinking::none;
  return family;
}

std::string thinking_config(const events::Reasoning& reasoning, std::string_view model,
                            std::vector<std::string>& warnings) {
  const auto family = family_of(model);
  const bool off = reasoning.enabled ? !*reasoning.enabled : reasoning.effort == "none" || reasoning.tokens_max == 0;
  if (off) return switched_off(family, model, warnings);
  if (!reasoning.enabled && reasoning.effort.empty() && !reasoning.tokens_max) return "";
  if (family.thinking == Thinking::none) {
    warnings.push_back(fmt::format("reasoning: {} does not think.", quotable(model, 200)));
    return "";
  }
  // A bound in tokens says more than a word, and the two exclude each other.
  if (reasoning.tokens_max) {
    return fmt::format(R"({{"includeThoughts":true,"thinkingBudget":{}}})", *reasoning.tokens_max);
  }
  const auto* const effort = std::ranges::find(efforts, reasoning.effort, &Effort::name);
  if (effort == std::ranges::end(efforts)) {
    if (!reasoning.effort.empty() && reasoning.effort != "none") {
      warnings.push_back(fmt::format("reasoning.effort: \"{}\" is not known to Gemini (minimal, low, medium, high).",
                                     quotable(reasoning.effort, 60)));
    }
    return R"({"includeThoughts":true})";
  }
  if (family.thinking == Thinking::level) {
    return fmt::format(R"({{"includeThoughts":true,"thinkingLevel":"{}"}})", level_of(effort->level, family));
  }
  return fmt::format(R"({{"includeThoughts":true,"thinkingBudget":{}}})", effort->budget);
}

}  // namespace tokenrail::providers::gemini
