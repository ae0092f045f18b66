// What every adapter tolerates in an answer: a count of tokens in another form costs the count, half a surrogate costs
// the character, and a body of another API is named as that. Of each provider, streamed and whole.
#include <algorithm>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/conformance/speakers.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::conformance {
namespace {

using providers::test::AnswerRecorder;
using testing::HasSubstr;

Said turn() {
  return {.turn = 1, .reasoning = {"It is ", "easy."}, .text = {"Forty-", "two."}};
}

AnswerRecorder answer_of(const Speaker& speaker, std::string_view body, bool stream,
                         std::optional<std::string> content_type = std::nullopt) {
  events::ChatRequest request;
  request.request_id = "r";
  request.org_id = "o";
  request.stream = stream;
  request.tokens_max = 4'096;
  request.messages.push_back({.role = events::Role::user, .content = {{.type = "text", .text = "What is it?"}}});
  AnswerRecorder answer;
  auto call = speaker.adapter().chat(request, speaker.target(), {});
  EXPECT_TRUE(call) << speaker.provider << ": " << call.error().detail;
  if (!call) return answer;
  if (content_type) call->decoder->head({.status = 200, .headers = {{"content-type", *content_type}}}, answer);
  call->decoder->feed(body, answer);
  call->decoder->end(answer);
  return answer;
}

/// The body with `count` in the place of each count of tokens that is `number`.
std::string with_count(const std::string& body, int number, std::string_view count) {
  const std::regex found(fmt::format(R"re("([A-Za-z_]*(?:[Tt]oken|eval_)[A-Za-z_]*)":{}([,}}]))re", number));
  return std::regex_replace(body, found, fmt::format("\"$1\":{}$2", count));
}

struct OtherCount {
  std::string_view json;
  bool may_be_read;  ///< as the number that it says
};
constexpr OtherCount other_counts[] = {
    {"null", false}, {"17.0", true}, {"\"17\"", true}, {"-1", false}, {"9223372036854775807", false}, {"[]", false}};

class Tolerance : public testing::TestWithParam<bool> {};

TEST_P(Tolerance, CountInAnotherFormCostsTheCount) {
  for (const auto& speaker : speakers()) {
    const auto body = answer_body(speaker, turn(), GetParam());
    const auto well = answer_of(speaker, body, GetParam());
    ASSERT_TRUE(well.finish()) << speaker.provider;
    ASSERT_TRUE(well.usage()) << speaker.provider;
    // Gemini counts thoughts beside the text.
    const auto number = speaker.wire == Wire::gemini ? output_tokens - 5 : output_tokens;
    for (const auto& [json, may_be_read] : other_counts) {
      const auto other = with_count(body, number,
                                    json == "17.0"     ? fmt::format("{}.0", number)
                                    : json == "\"17\"" ? fmt::format("\"{}\"", number)
                                                       : std::string(json));
      ASSERT_NE(other, body) << speaker.provider;
      const auto answer = answer_of(speaker, other, GetParam());
      const auto what = fmt::format("{} with {}", speaker.provider, json);
      EXPECT_FALSE(answer.failure()) << what << ": " << answer.summary();
      EXPECT_EQ(answer.finish(), well.finish()) << what;
      EXPECT_EQ(answer.text(), well.text()) << what;
      EXPECT_EQ(answer.reasoning(), well.reasoning()) << what;
      if (!answer.usage()) continue;
      EXPECT_GE(answer.usage()->output_tokens, 0) << what;
      EXPECT_GE(answer.usage()->input_tokens, 0) << what;
      if (may_be_read) EXPECT_LE(answer.usage()->output_tokens, output_tokens) << what;
      if (json == "null" || json == "-1" || json == "[]") EXPECT_LT(answer.usage()->output_tokens, number) << what;
    }
  }
}

TEST_P(Tolerance, HalfSurrogateCostsTheCharacter) {
  for (const auto& speaker : speakers()) {
    auto body = answer_body(speaker, turn(), GetParam());
    const auto whole = answer_of(speaker, body, GetParam()).text();
    for (auto at = body.find("Forty-"); at != std::string::npos; at = body.find("Forty-", at + 1))
      body.replace(at, 6, "Forty\\ud83d");
    const auto answer = answer_of(speaker, body, GetParam());
    EXPECT_FALSE(answer.failure()) << speaker.provider << ": " << answer.summary();
    EXPECT_TRUE(answer.finish()) << speaker.provider;
    EXPECT_EQ(answer.text(), "Forty\uFFFDtwo.") << speaker.provider << ", instead of " << whole;
  }
}

TEST_P(Tolerance, BodyOfAnotherApiIsNamed) {
  const std::vector<std::pair<Wire, std::string_view>> named = {{Wire::chat, "chat completions"},
                                                                {Wire::responses, "Responses API"},
                                                                {Wire::anthropic, "Messages API"},
                                                                {Wire::gemini, "Gemini API"}};
  for (const auto& speaker : speakers()) {
    for (const auto& [wire, name] : named) {
      if (wire == speaker.wire) continue;
      const auto* const other = &*std::ranges::find(speakers(), wire, &Speaker::wire);
      const auto answer = answer_of(speaker, answer_body(*other, turn(), false), GetParam(), "application/json");
      const auto what = fmt::format("{} given {}: {}", speaker.provider, name, answer.summary());
      EXPECT_EQ(answer.endings(), 1) << what;
      EXPECT_TRUE(answer.text().empty()) << what;
      ASSERT_TRUE(answer.failure()) << what;
      EXPECT_EQ(answer.failure()->code, events::ErrorCode::provider_protocol) << what;
      EXPECT_THAT(answer.failure()->message, HasSubstr(std::string(name))) << what;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(StreamedAndWhole, Tolerance, testing::Bool(),
                         [](const auto& of) { return of.param ? "Streamed" : "Whole"; });

}  // namespace
}  // namespace tokenrail::conformance
