#include "common/providers/anthropic/thinking.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/providers/failure_text.hpp"

namespace tokenrail::providers::anthropic {

namespace {

using Mode = events::ToolChoice::Mode;
using Warnings = std::vector<std::string>;

constexpr std::int64_t budget_min = 1'024;  ///< Anthropic refuses less

/// The words for how hard to think, of this and other providers.
struct Effort {
  std::string_view name;
  std::string_view effort;  ///< of models that take one
  std::int64_t budget = 0;  ///< of models that take a number of tokens
};
constexpr Effort efforts[] = {{"minimal", "low", 1'024}, {"low", "low", 2'048},      {"medium", "medium", 8'192},
                              {"high", "high", 16'000},  {"xhigh", "xhigh", 16'000}, {"max", "max", 16'000}};
constexpr std::int64_t budget_default = 8'192;

const Effort* effort_of(const events::Reasoning& reasoning, Warnings& warnings) {
  if (reasoning.effort.empty() || reasoning.effort == "none") return nullptr;
  const auto* const row = std::ranges::find(efforts, reasoning.effort, &Effort::name);
  if (row != std::ranges::end(efforts)) return row;
  warnings.push_back(fmt::format("reasoning.effort: \"{}\" is not known to Anthropic (low, medium, high, xhigh, max).",
                                 quotable(reasoning.effort, 60)));
  return nullptr;
}

/// Why thinking cannot be on though it is asked for; empty: it can.
std::string_view obstacle(const events::ChatRequest& request, const ModelTraits& traits, const ConversationEnd& end) {
  const bool forced = request.tool_choice && !request.tools.empty() &&
                      (request.tool_choice->mode == Mode::required || request.tool_choice->mode == Mode::named);
  if (traits.thinking == Thinking::none) return "this model does not think";
  if (forced) return "Anthropic does not let a model think that must call a tool";
  if (end.prefill) return "Anthropic does not let a model think that continues an assistant message";
  if (traits.thinking == Thinking::adaptive) return "";
  if (end.unsigned_tool_turn) {
    return "the last tool calls were made without this provider's thinking, after which Anthropic accepts none";
  }
  if (request.tokens_max && *request.tokens_max <= budget_min) return "maxTokens leaves no room for 1024 tokens of it";
  return "";
}

std::int64_t default_tokens(const ModelTraits& traits, std::int64_t thinking) {
  if (traits.output_tokens_max == 0) return default_tokens_max_unknown_model + thinking;
  return std::min(traits.output_tokens_max, default_tokens_max + thinking);
}

void plan_budget(const events::ChatRequest& request, const ModelTraits& traits, const Effort* effort,
                 Warnings& warnings, ThinkingPlan& plan) {
  const auto& asked = request.reasoning->tokens_max;
  auto budget = asked ? *asked : effort != nullptr ? effort->budget : budget_default;
  if (budget < budget_min) {
    warnings.emplace_back("reasoning.maxTokens: Anthropic takes no less than 1024; 1024 was sent.");
    budget = budget_min;
  }
  if (traits.output_tokens_max > 0) budget = std::min(budget, traits.output_tokens_max - budget_min);
  plan.tokens_max = request.tokens_max ? *request.tokens_max : default_tokens(traits, budget);
  if (budget >= plan.tokens_max) {
    // maxTokens bounds thinking and answer together: each gets half.
    budget = std::max(budget_min, plan.tokens_max / 2);
    if (asked) {
      warnings.push_back(
          fmt::format("reasoning.maxTokens: it must be below maxTokens for Anthropic; {} was sent.", budget));
    }
  }
  plan.thinking = fmt::format(R"({{"type":"enabled","budget_tokens":{}}})", budget);
}

void plan_adaptive(const events::ChatRequest& request, const ModelTraits& traits, const Effort* effort,
                   Warnings& warnings, ThinkingPlan& plan) {
  if (request.reasoning->tokens_max) {
    warnings.emplace_back(
        "reasoning.maxTokens: this model decides itself how long it thinks; maxTokens bounds thinking "
        "and answer together.");
  }
  // Without `display` the newest models send the signature, but no text.
  plan.thinking = R"({"type":"adaptive","display":"summarized"})";
  if (effort != nullptr) {
    plan.effort = effort->effort;
    if (plan.effort == "xhigh" && !traits.extra_high_effort) plan.effort = "high";
  }
}

}  // namespace

ThinkingPlan plan_thinking(const events::ChatRequest& request, const ModelTraits& traits, const ConversationEnd& end,
                           Warnings& warnings) {
  ThinkingPlan plan;
  plan.tokens_max = request.tokens_max ? *request.tokens_max : default_tokens(traits, 0);
  if (!request.reasoning) return plan;
  const auto& reasoning = *request.reasoning;
  const auto* const effort = effort_of(reasoning, warnings);
  if (!reasoning.enabled.value_or(true) || reasoning.effort == "none") {
    if (traits.thinking == Thinking::none) return plan;
    if (traits.thinking_can_be_off) {
      plan.thinking = R"({"type":"disabled"})";
    } else {
      warnings.emplace_back("reasoning: the thinking of this model cannot be switched off.");
    }
    return plan;
  }
  if (!reasoning.enabled && effort == nullptr && !reasoning.tokens_max) return plan;
  if (const auto why_not = obstacle(request, traits, end); !why_not.empty()) {
    warnings.push_back(fmt::format("reasoning: left out, because {}.", why_not));
    return plan;
  }
  plan.on = true;
  if (traits.thinking == Thinking::budget) {
    plan_budget(request, traits, effort, warnings, plan);
  } else {
    if (!request.tokens_max) plan.tokens_max = default_tokens(traits, default_tokens_max);
    plan_adaptive(request, traits, effort, warnings, plan);
  }
  return plan;
}

}  // namespace tokenrail::providers::anthropic
