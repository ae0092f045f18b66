// Every recorded answer of chat completions, of OpenAI, Azure and the servers that speak their API: decoded whole and
// cut, against a naive reading; and every recorded refusal.
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/json_scratch.hpp"
#include "common/providers/provider.hpp"
#include "tests/conformance/chat_completions.hpp"
#include "tests/conformance/cuts.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::conformance {
namespace {

using events::ErrorCode;
using events::FinishReason;
using providers::test::AnswerRecorder;
using testing::HasSubstr;

class ChatCompletionsAnswer : public Exchange {
 protected:
  void SetUp() override {
    Exchange::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    answer_ = chat_call_of(recording_) == ChatCall::chat && recording_.status >= 200 && recording_.status < 300;
    stream_ = recording_.events;
    if (answer_) expected_ = chat_reading_of(recording_.body, stream_);
  }
  [[nodiscard]] MakeDecoder decoders() const {
    return [name = GetParam(), stream = stream_] {
      events::ChatRequest request;
      request.stream = stream;
      auto call = providers::find_provider(adapter_of(name))->chat(request, target_of(name), {});
      return std::move(call.value().decoder);
    };
  }
  [[nodiscard]] AnswerRecorder decoded(std::string_view body) const {
    AnswerRecorder recorder;
    decode(decoders(), {body}, recorder);
    return recorder;
  }

  bool answer_ = false;
  bool stream_ = false;
  ChatReading expected_{};
};

FinishReason finish_of(const ChatReading& expected) {
  static const std::map<std::string, FinishReason> reasons = {{"length", FinishReason::length},
                                                              {"content_filter", FinishReason::content_filter}};
  if (!expected.calls.empty()) return FinishReason::tool_calls;
  if (expected.refused) return FinishReason::content_filter;
  const auto known = reasons.find(expected.finish);
  return known == reasons.end() ? FinishReason::stop : known->second;
}

TEST_P(ChatCompletionsAnswer, IsWhatANaiveReadingFinds) {
  if (!answer_) return;
  const auto answer = decoded(recording_.body);
  EXPECT_EQ(answer.endings(), 1);
  EXPECT_FALSE(answer.said_something_after_the_end());
  EXPECT_EQ(answer.text(), expected_.text);
  EXPECT_EQ(answer.reasoning(), expected_.reasoning);
  if (!expected_.is_whole()) {
    ASSERT_TRUE(answer.failure()) << "an answer without its end is no answer";
    if (expected_.error) {
      EXPECT_THAT(answer.failure()->message, HasSubstr(expected_.error_text.substr(0, 150)));
    } else {
      EXPECT_EQ(answer.failure()->code, ErrorCode::provider_protocol);
    }
    return;
  }
  ASSERT_TRUE(answer.finish()) << answer.failure()->message;
  EXPECT_EQ(answer.finish(), finish_of(expected_));
  ASSERT_EQ(answer.tool_calls().size(), expected_.calls.size());
  for (std::size_t i = 0; i < expected_.calls.size(); ++i) {
    const auto& call = answer.tool_calls()[i];
    const auto& wanted = expected_.calls[i];
    std::string arguments;
    ASSERT_TRUE(providers::minify_object(wanted.arguments.empty() ? "{}" : wanted.arguments, arguments));
    EXPECT_EQ(call.name, wanted.name);
    EXPECT_EQ(call.arguments, arguments);
    EXPECT_FALSE(call.id.empty());
    if (!wanted.id.empty()) {
      EXPECT_EQ(call.id, wanted.id);
    }
  }
  ASSERT_TRUE(answer.usage());
  EXPECT_EQ(answer.usage()->estimated, !expected_.input_tokens.has_value());
  if (expected_.input_tokens) {
    EXPECT_EQ(answer.usage()->input_tokens, *expected_.input_tokens);
    EXPECT_EQ(answer.usage()->output_tokens, expected_.output_tokens.value_or(0));
    EXPECT_EQ(answer.usage()->cached_input_tokens, expected_.cached_tokens);
    EXPECT_EQ(answer.usage()->reasoning_tokens, expected_.reasoning_tokens);
  }
  EXPECT_TRUE(answer.warnings().empty()) << answer.warnings().front();
}

TEST_P(ChatCompletionsAnswer, IsTheSameForEveryCut) {
  if (answer_) expect_same_for_every_cut(decoders(), recording_.body);
}

TEST_P(ChatCompletionsAnswer, FailsIfCutAtAnyByte) {
  if (answer_ && expected_.is_whole()) {
    expect_failure_wherever_it_is_cut_off(decoders(), recording_.body, expected_.needed);
  }
}

TEST_P(ChatCompletionsAnswer, IsKnownByItsHeaders) {
  if (!answer_) return;
  AnswerRecorder answer;
  const auto decoder = decoders()();
  const auto head = head_of(recording_);
  decoder->head(head, answer);
  decoder->feed(recording_.body, answer);
  decoder->end(answer);
  EXPECT_EQ(answer.text(), expected_.text);
  if (const auto id = head.header("x-request-id")) {
    EXPECT_EQ(answer.request_id(), *id);
  }
}

// The recorder kept the payloads of these streams only, so the end marker is not among them.
TEST_P(ChatCompletionsAnswer, IsWholeWithTheUnrecordedEndMarker) {
  if (!answer_ || expected_.is_whole() || expected_.error || !expected_.choices) return;
  const auto answer = decoded(recording_.body + "data: [DONE]\n\n");
  EXPECT_EQ(answer.finish(), finish_of(expected_));
  EXPECT_EQ(answer.tool_calls().size(), expected_.calls.size());
}

struct Refusal {
  ErrorCode code;
  bool retry;
  bool try_next;
};
/// What is wrong in each recorded refusal, as a person reads it.
const std::map<std::string, Refusal> refusals = {
    {"openai/error-400-embeddings", {ErrorCode::invalid_request, false, false}},
    {"openai/error-400-invalid-model-id", {ErrorCode::model_not_found, false, true}},
    {"openai/error-400-missing-messages", {ErrorCode::invalid_request, false, false}},
    {"openai/error-400-unsupported-parameter-stream-request", {ErrorCode::capability_unsupported, false, true}},
    {"openai/error-401-insufficient-permissions", {ErrorCode::provider_auth, false, true}},
    {"openai/error-401-invalid-key", {ErrorCode::provider_auth, false, true}},
    {"openai/error-401-models", {ErrorCode::provider_auth, false, true}},
    {"openai/error-404-model", {ErrorCode::model_not_found, false, true}},
    {"openai/error-429-insufficient-quota", {ErrorCode::provider_auth, false, true}},
    {"openai/handwritten-error-429-rate-limit-tokens", {ErrorCode::provider_rate_limited, true, true}},
    {"openai/stream-error-mid-stream", {ErrorCode::invalid_request, false, false}},
    {"azure/error-401-foundry", {ErrorCode::provider_auth, false, true}},
    {"azure/error-404-deployment-not-found", {ErrorCode::model_not_found, false, true}},
    {"azure/error-429-rate-limited-retry-after", {ErrorCode::provider_rate_limited, true, true}},
    {"azure/handwritten-content-filter-prompt", {ErrorCode::content_filtered, false, false}},
    {"vllm/handwritten-error-404-model-flat", {ErrorCode::model_not_found, false, true}},
    {"vllm/handwritten-error-404-model-wrapped", {ErrorCode::model_not_found, false, true}},
    {"llamacpp/error-500-context-size", {ErrorCode::context_too_long, false, true}},
    {"llamacpp/error-500-image-unsupported", {ErrorCode::capability_unsupported, false, true}},
    {"llamacpp/stream-error-mid-stream", {ErrorCode::context_too_long, false, true}},
    {"lmstudio/error-400-model-not-found", {ErrorCode::model_not_found, false, true}},
    {"groq/error-400-json-schema-unsupported", {ErrorCode::invalid_request, false, false}},
    {"groq/error-400-tool-use-failed", {ErrorCode::provider_protocol, true, true}},
    {"groq/error-401", {ErrorCode::provider_auth, false, true}},
    {"groq/error-404-model", {ErrorCode::model_not_found, false, true}},
    {"groq/handwritten-error-429-rate-limit", {ErrorCode::provider_rate_limited, true, true}},
    {"groq/stream-error-mid-stream-tool-use-failed", {ErrorCode::provider_protocol, true, true}},
    {"mistral/error-400-model", {ErrorCode::model_not_found, false, true}},
    {"mistral/error-401", {ErrorCode::provider_auth, false, true}},
    {"mistral/error-422-validation", {ErrorCode::invalid_request, false, false}},
    {"mistral/error-500-service-unavailable", {ErrorCode::provider_unavailable, true, true}},
    {"mistral/handwritten-error-429-rate-limited", {ErrorCode::provider_rate_limited, true, true}},
    {"openrouter/error-400-model", {ErrorCode::model_not_found, false, true}},
    {"openrouter/error-400-provider", {ErrorCode::invalid_request, false, true}},
    {"openrouter/error-401", {ErrorCode::provider_auth, false, true}},
    {"openrouter/error-429-rate-limit-headers", {ErrorCode::provider_rate_limited, true, true}},
    {"openrouter/handwritten-stream-error-mid-stream", {ErrorCode::provider_unavailable, true, true}},
    {"openrouter/nonstream-error-in-200-body-leading-whitespace", {ErrorCode::invalid_request, false, true}},
    {"openrouter/stream-error-in-200-stream", {ErrorCode::invalid_request, false, true}},
    {"huggingface/error-400-model", {ErrorCode::model_not_found, false, true}},
    {"huggingface/error-400-unsupported-feature", {ErrorCode::capability_unsupported, false, true}},
    {"huggingface/error-401", {ErrorCode::provider_auth, false, true}},
    {"huggingface/error-402-credits", {ErrorCode::provider_auth, false, true}},
    {"huggingface/error-500-upstream", {ErrorCode::provider_unavailable, true, true}},
    {"huggingface/error-502-html", {ErrorCode::provider_unavailable, true, true}},
    {"huggingface/stream-empty-done-only", {ErrorCode::provider_protocol, true, true}},
    {"tgi/handwritten-error-429-overloaded", {ErrorCode::provider_rate_limited, true, true}},
    {"tgi/handwritten-stream-error-mid-stream", {ErrorCode::provider_unavailable, true, true}},
    {"compat-other/alibaba-stream-error-first-event", {ErrorCode::invalid_request, false, false}},
    {"compat-other/cerebras-error-401-flat", {ErrorCode::provider_auth, false, true}},
    {"compat-other/deepseek-error-401", {ErrorCode::provider_auth, false, true}},
    {"compat-other/perplexity-error-401-html", {ErrorCode::provider_auth, false, true}},
    {"compat-other/xai-error-400-flat", {ErrorCode::provider_auth, false, true}},
    {"ollama-openai/error-400-context-length", {ErrorCode::context_too_long, false, true}},
    {"ollama-openai/error-401", {ErrorCode::provider_auth, false, true}},
};

TEST_P(ChatCompletionsAnswer, RefusalIsClassifiedAsAPersonReadsIt) {
  const auto known = refusals.find(GetParam());
  std::optional<providers::CallFailure> failure;
  if (recording_.status >= 300) {
    failure = providers::find_provider(adapter_of(GetParam()))
                  ->classify(target_of(GetParam()), head_of(recording_), recording_.body);
    EXPECT_EQ(failure->failure.status, recording_.status);
  } else if (answer_) {
    failure = decoded(recording_.body).call_failure();
  }
  if (!failure) {
    EXPECT_EQ(known, refusals.end());
    return;
  }
  EXPECT_NE(failure->failure.code, ErrorCode::internal);
  EXPECT_FALSE(failure->error_class.empty());
  // Recordings of other collections have other names.
  if (known == refusals.end()) return;
  EXPECT_EQ(failure->failure.code, known->second.code) << failure->failure.message;
  EXPECT_EQ(failure->retry, known->second.retry);
  EXPECT_EQ(failure->try_next, known->second.try_next);
}

INSTANTIATE_TEST_SUITE_P(Recorded, ChatCompletionsAnswer, testing::ValuesIn(chat_completions_cases()), test_name);

}  // namespace
}  // namespace tokenrail::conformance
