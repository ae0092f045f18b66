#include "common/providers/cohere/classification.hpp"

#include <string>

#include "common/providers/classification.hpp"

namespace tokenrail::providers::cohere {

namespace {

using events::ErrorCode;

constexpr std::string_view too_long = "Shorten the messages, or choose a model with a larger context window.";
constexpr std::string_view sampling = "The model found no answer that it may give; ask again or change the messages.";

/// The first row that fits counts, then the shared ones. Status 200 is an error inside an answer.
constexpr FailureRule rules[] = {
    {200, 200, "too many tokens", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {400, 422, "too many tokens", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {400, 422, "too_many_tokens", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    // A failure of the sampling, not of the request: one more call often succeeds.
    {200, 200, "no valid response generated", ErrorCode::provider_unavailable, "no_valid_response", true, true,
     sampling, 1},
    {422, 422, "no valid response generated", ErrorCode::provider_unavailable, "no_valid_response", true, true,
     sampling, 1},
    {200, 200, "timeout", ErrorCode::provider_timeout, "timeout", true, true, "Ask again later."},
    {200, 200, "timed out", ErrorCode::provider_timeout, "timeout", true, true, "Ask again later."},
    // Waiting helps against a limit of calls a minute, not against one a month.
    {429, 429, "month", ErrorCode::provider_auth, "quota", false, true,
     "The key's monthly limit is used up; use a production key, or wait for the next month."},
    {498, 498, "", ErrorCode::content_filtered, "content_filter", false, false,
     "The request or the answer contains a token that Cohere blocks; change the messages."},
    {499, 499, "", ErrorCode::provider_unavailable, "cancelled_there", true, true, "Ask again."},
};

constexpr EndAdvice advice = {.connect_failed = "Check that this machine reaches the internet.",
                              .example_url = "https://api.cohere.com"};

}  // namespace

CallFailure classify_response(std::string_view title, const http::ResponseHead& head, std::string_view body) {
  return providers::classify_response(rules, title, head, body);
}

CallFailure classify_stream_error(std::string_view title, std::string_view json) {
  return providers::classify_stream_error(rules, title, json);
}

CallFailure classify_ending(std::string_view title, std::string_view finish_reason, std::string_view error) {
  // A timeout is one, whatever its text says about it.
  const auto text = finish_reason == "TIMEOUT"
                        ? std::string(finish_reason) + (error.empty() ? "" : ": ") + std::string(error)
                    : error.empty() ? std::string(finish_reason)
                                    : std::string(error);
  return providers::classify_stream_error(rules, title, text);
}

CallFailure classify_end(std::string_view title, const http::End& end, const Target& target) {
  return providers::classify_end(title, end, target, advice);
}

}  // namespace tokenrail::providers::cohere
