// How reasoning becomes Anthropic's words, and what models take.
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/anthropic/anthropic.hpp"
#include "common/providers/anthropic/model_traits.hpp"

namespace tokenrail::providers::anthropic {
namespace {

using events::ChatRequest;
using events::Message;
using events::Reasoning;
using events::Role;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Message message(Role role, std::string text) {
  Message out;
  out.role = role;
  out.content.push_back({.type = "text", .text = std::move(text)});
  return out;
}

struct Made {
  std::string body;
  std::vector<std::string> warnings;
};
Made made(std::string model, const ChatRequest& request) {
  const auto call = provider().chat(
      request, {.provider = "anthropic", .base_url = "https://h", .upstream_name = std::move(model)}, {});
  if (!call) return {.body = "error: " + call.error().detail, .warnings = {}};
  return {.body = call->request.body, .warnings = call->warnings};
}
ChatRequest thinking(Reasoning reasoning, std::optional<std::int64_t> tokens_max = std::nullopt) {
  ChatRequest request;
  request.messages = {message(Role::user, "hi")};
  request.reasoning = std::move(reasoning);
  request.tokens_max = tokens_max;
  return request;
}

struct BudgetCase {
  Reasoning reasoning;
  std::optional<std::int64_t> tokens_max;
  const char* field;  ///< `thinking`; empty: left out
  const char* sent_max;
  std::size_t warnings;
};
TEST(AnthropicThinking, BecomesABudgetBelowMaxTokens) {
  for (const auto& row : {
           BudgetCase{{.enabled = true}, {}, R"({"type":"enabled","budget_tokens":8192})", "24192", 0},
           BudgetCase{{.effort = "low"}, {}, R"({"type":"enabled","budget_tokens":2048})", "18048", 0},
           BudgetCase{{.effort = "high"}, {}, R"({"type":"enabled","budget_tokens":16000})", "32000", 0},
           BudgetCase{{.tokens_max = 5000}, {}, R"({"type":"enabled","budget_tokens":5000})", "21000", 0},
           BudgetCase{
               {.effort = "low", .tokens_max = 5000}, 6000, R"({"type":"enabled","budget_tokens":5000})", "6000", 0},
           BudgetCase{{.tokens_max = 10}, {}, R"({"type":"enabled","budget_tokens":1024})", "17024", 1},
           BudgetCase{{.tokens_max = 9000}, 9000, R"({"type":"enabled","budget_tokens":4500})", "9000", 1},
           BudgetCase{{.enabled = true}, 2000, R"({"type":"enabled","budget_tokens":1024})", "2000", 0},
           BudgetCase{{.enabled = true}, 1025, R"({"type":"enabled","budget_tokens":1024})", "1025", 0},
           BudgetCase{{.enabled = true}, 1024, "", "1024", 1},
           BudgetCase{{.tokens_max = 1'000'000}, {}, R"({"type":"enabled","budget_tokens":62976})", "64000", 0},
           BudgetCase{{.enabled = false}, {}, R"({"type":"disabled"})", "16000", 0},
           BudgetCase{{.effort = "none"}, {}, R"({"type":"disabled"})", "16000", 0},
           BudgetCase{{.enabled = false, .effort = "high"}, {}, R"({"type":"disabled"})", "16000", 0},
           BudgetCase{
               {.enabled = true, .effort = "heroic"}, {}, R"({"type":"enabled","budget_tokens":8192})", "24192", 1},
           BudgetCase{{.effort = "heroic"}, {}, "", "16000", 1},
           BudgetCase{{}, {}, "", "16000", 0},
       }) {
    const auto [body, warnings] = made("claude-sonnet-4-5", thinking(row.reasoning, row.tokens_max));
    EXPECT_THAT(body, HasSubstr(std::string(R"("max_tokens":)") + row.sent_max + ",")) << row.field;
    if (*row.field == '\0') {
      EXPECT_THAT(body, Not(HasSubstr("thinking")));
    } else {
      EXPECT_THAT(body, HasSubstr(std::string(R"("thinking":)") + row.field));
    }
    EXPECT_EQ(warnings.size(), row.warnings) << body;
  }
}

TEST(AnthropicThinking, NewModelsDecideThemselves) {
  const auto on = made("claude-opus-5", thinking({.enabled = true}));
  EXPECT_THAT(on.body, AllOf(HasSubstr(R"("max_tokens":32000,)"),
                             HasSubstr(R"("thinking":{"type":"adaptive","display":"summarized"})"),
                             Not(HasSubstr("output_config"))));
  const auto effort = made("claude-opus-4-6", thinking({.effort = "max"}, 500));
  EXPECT_THAT(effort.body, AllOf(HasSubstr(R"("max_tokens":500,)"), HasSubstr(R"("output_config":{"effort":"max"})")));
  EXPECT_THAT(made("claude-opus-4-6", thinking({.effort = "xhigh"})).body, HasSubstr(R"({"effort":"high"})"));
  EXPECT_THAT(made("claude-opus-4-7", thinking({.effort = "xhigh"})).body, HasSubstr(R"({"effort":"xhigh"})"));
  EXPECT_THAT(made("claude-opus-4-7", thinking({.effort = "minimal"})).body, HasSubstr(R"({"effort":"low"})"));
  const auto bounded = made("claude-opus-5", thinking({.tokens_max = 2000}));
  EXPECT_THAT(bounded.body, HasSubstr("adaptive"));
  EXPECT_THAT(bounded.warnings, ElementsAre(HasSubstr("reasoning.maxTokens")));
}

TEST(AnthropicThinking, CannotBeSwitchedOnOrOffEverywhere) {
  const auto never = made("claude-3-5-haiku-latest", thinking({.enabled = true}));
  EXPECT_THAT(never.body, Not(HasSubstr("thinking")));
  EXPECT_THAT(never.warnings, ElementsAre(HasSubstr("reasoning")));
  const auto off = made("claude-3-5-haiku-latest", thinking({.enabled = false}));
  EXPECT_THAT(off.body, Not(HasSubstr("thinking")));
  EXPECT_THAT(off.warnings, IsEmpty());
  const auto always = made("claude-fable-5", thinking({.enabled = false}));
  EXPECT_THAT(always.body, Not(HasSubstr("thinking")));
  EXPECT_THAT(always.warnings, ElementsAre(HasSubstr("switched off")));
}

TEST(AnthropicThinking, GivesWayWhereAnthropicRefusesIt) {
  using Mode = events::ToolChoice::Mode;
  for (const auto mode : {Mode::required, Mode::named, Mode::automatic}) {
    auto forced = thinking({.enabled = true});
    forced.tools = {{.name = "f"}};
    forced.tool_choice = events::ToolChoice{.mode = mode, .name = "f"};
    const auto [body, warnings] = made("claude-sonnet-4-5", forced);
    EXPECT_EQ(body.contains("\"thinking\""), mode == Mode::automatic) << body;
    EXPECT_EQ(warnings.size(), mode == Mode::automatic ? 0U : 1U);
  }
  auto prefill = thinking({.enabled = true});
  prefill.messages.push_back(message(Role::assistant, "Once"));
  const auto continued = made("claude-sonnet-4-5", prefill);
  EXPECT_THAT(continued.body, Not(HasSubstr("\"thinking\"")));
  EXPECT_THAT(continued.warnings, ElementsAre(HasSubstr("reasoning")));
}

TEST(AnthropicThinking, ToolTurnOfAnotherProviderTurnsItOff) {
  auto request = thinking({.enabled = true});
  Message turn;
  turn.role = Role::assistant;
  turn.tool_calls = {{.id = "t", .name = "f", .arguments = "{}"}};
  auto answer = message(Role::tool, "1");
  answer.tool_call_id = "t";
  request.messages.push_back(turn);
  request.messages.push_back(answer);
  const auto foreign = made("claude-sonnet-4-5", request);
  EXPECT_THAT(foreign.body, Not(HasSubstr("\"thinking\"")));
  EXPECT_THAT(foreign.warnings, ElementsAre(HasSubstr("reasoning")));
  EXPECT_THAT(made("claude-opus-4-6", request).body, HasSubstr("adaptive")) << "new models do not mind";
  request.messages.push_back(message(Role::user, "go on"));
  EXPECT_THAT(made("claude-sonnet-4-5", request).body, Not(HasSubstr("\"thinking\""))) << "it is still the last turn";
  request.messages.pop_back();
  request.messages[1].provider_blocks = {
      {.provider = "anthropic", .data = R"({"type":"thinking","thinking":"x","signature":"s"})"}};
  EXPECT_THAT(made("claude-sonnet-4-5", request).body, HasSubstr(R"("thinking":{"type":"enabled")"));
  request.messages[1].provider_blocks.clear();
  request.messages.push_back(message(Role::assistant, "done"));
  request.messages.push_back(message(Role::user, "again"));
  EXPECT_THAT(made("claude-sonnet-4-5", request).body, HasSubstr(R"("thinking":{"type":"enabled")"))
      << "turns before the last question do not count";
}

TEST(AnthropicThinking, BoundsSampling) {
  auto request = thinking({.enabled = true});
  request.temperature = 0.2;
  request.top_p = 0.5;
  request.top_k = 3;
  const auto left_out = made("claude-3-7-sonnet-latest", request);
  EXPECT_THAT(left_out.body, AllOf(Not(HasSubstr("temperature")), Not(HasSubstr("top_"))));
  EXPECT_EQ(left_out.warnings.size(), 3U);
  request.temperature = 1.0;
  request.top_p = 0.95;
  request.top_k.reset();
  const auto kept = made("claude-3-7-sonnet-latest", request);
  EXPECT_THAT(kept.body, HasSubstr(R"("temperature":1,"top_p":0.95)"));
  EXPECT_THAT(kept.warnings, IsEmpty());
}

struct TraitsCase {
  const char* model;
  Prefill prefill;
  Thinking thinking;
  Sampling sampling;
  std::int64_t output_tokens_max;
};
TEST(AnthropicModelTraits, FollowFamilyAndVersion) {
  for (const auto& row : {
           TraitsCase{"claude-2.1", Prefill::accepted, Thinking::none, Sampling::all, 4'096},
           TraitsCase{"claude-3-opus-20240229", Prefill::accepted, Thinking::none, Sampling::all, 4'096},
           TraitsCase{"claude-3-5-sonnet-20241022", Prefill::accepted, Thinking::none, Sampling::all, 8'192},
           TraitsCase{"claude-3-7-sonnet-latest", Prefill::accepted, Thinking::budget, Sampling::all, 64'000},
           TraitsCase{"claude-sonnet-4-20250514", Prefill::accepted, Thinking::budget, Sampling::all, 64'000},
           TraitsCase{"claude-opus-4-0", Prefill::accepted, Thinking::budget, Sampling::all, 32'000},
           TraitsCase{"claude-opus-4-1-20250805", Prefill::accepted, Thinking::budget, Sampling::one, 32'000},
           TraitsCase{"claude-haiku-4-5-20251001", Prefill::accepted, Thinking::budget, Sampling::one, 64'000},
           TraitsCase{"anthropic/claude-sonnet-4.5", Prefill::accepted, Thinking::budget, Sampling::one, 64'000},
           TraitsCase{"us.anthropic.claude-opus-4-6-v1:0", Prefill::refused, Thinking::adaptive, Sampling::one,
                      128'000},
           TraitsCase{"claude-sonnet-4-6", Prefill::refused, Thinking::adaptive, Sampling::one, 128'000},
           TraitsCase{"claude-opus-4-8", Prefill::refused, Thinking::adaptive, Sampling::no, 128'000},
           TraitsCase{"claude-sonnet-5", Prefill::refused, Thinking::adaptive, Sampling::no, 128'000},
           TraitsCase{"Claude-Fable-5", Prefill::refused, Thinking::adaptive, Sampling::no, 128'000},
           TraitsCase{"claude-newest", Prefill::refused, Thinking::adaptive, Sampling::no, 128'000},
           TraitsCase{"glm-4.6", Prefill::unknown, Thinking::budget, Sampling::all, 0},
           TraitsCase{"", Prefill::unknown, Thinking::budget, Sampling::all, 0},
       }) {
    const auto traits = traits_of(row.model);
    EXPECT_EQ(traits.prefill, row.prefill) << row.model;
    EXPECT_EQ(traits.thinking, row.thinking) << row.model;
    EXPECT_EQ(traits.sampling, row.sampling) << row.model;
    EXPECT_EQ(traits.output_tokens_max, row.output_tokens_max) << row.model;
    EXPECT_EQ(accepts_prefill(row.model), row.prefill == Prefill::accepted) << row.model;
  }
}

}  // namespace
}  // namespace tokenrail::providers::anthropic
