#include "common/providers/anthropic/classification.hpp"

#include <algorithm>

#include "common/providers/classification.hpp"
#include "common/providers/failure_text.hpp"

namespace tokenrail::providers::anthropic {

namespace {

using events::ErrorCode;

constexpr std::string_view credit = "Check the account's credit and spending limits at the provider.";
constexpr std::string_view filtered = "The provider's content filter refused the request; change its messages.";
constexpr std::string_view too_long =
    "Shorten the messages, lower maxTokens, or choose a model with a larger context window.";

/// The first row that fits counts, then the shared rows. Most refusals have the type invalid_request_error, so that
/// only the text differs.
constexpr FailureRule rules[] = {
    {200, 599, "content filtering policy", ErrorCode::content_filtered, "content_filter", false, false, filtered},
    {200, 599, "exceed context limit", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {200, 599, "exceeds the context", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {200, 599, "credit balance", ErrorCode::provider_auth, "payment", false, true, credit},
    {200, 599, "usage limits", ErrorCode::provider_auth, "quota", false, true, credit},
    {200, 599, "extra usage is required", ErrorCode::provider_auth, "quota", false, true, credit},
    {400, 400, "maximum allowed number of output tokens", ErrorCode::invalid_request, "invalid_request", false, true,
     "Lower maxTokens, or choose a model that writes longer answers."},
    {400, 400, "cannot both be specified", ErrorCode::invalid_request, "invalid_request", false, true,
     "Set temperature or topP, not both."},
    {400, 400, "is deprecated for this model", ErrorCode::capability_unsupported, "capability", false, true,
     "Leave this parameter out, or choose another model."},
};

/// What an error's type means as a status, for errors inside a stream, which have none.
struct TypeStatus {
  std::string_view type;
  int status;
};
constexpr TypeStatus statuses[] = {
    {"invalid_request_error", 400}, {"authentication_error", 401}, {"billing_error", 402},    {"permission_error", 403},
    {"not_found_error", 404},       {"request_too_large", 413},    {"rate_limit_error", 429}, {"api_error", 500},
    {"timeout_error", 504},         {"overloaded_error", 529},
};

constexpr EndAdvice advice = {.connect_failed = "Check the connection's base URL, and that this machine reaches it.",
                              .example_url = "https://api.anthropic.com"};

}  // namespace

CallFailure classify_response(std::string_view title, const http::ResponseHead& head, std::string_view body) {
  return providers::classify_response(rules, title, head, body);
}

CallFailure classify_stream_error(std::string_view title, std::string_view json) {
  const auto code = read_error_body(json).code;
  const auto* const known =
      std::ranges::find_if(statuses, [&](const TypeStatus& row) { return code.contains(row.type); });
  return providers::classify_stream_error(rules, title, json, known == std::ranges::end(statuses) ? 0 : known->status);
}

CallFailure classify_end(std::string_view title, const http::End& end, const Target& target) {
  return providers::classify_end(title, end, target, advice);
}

}  // namespace tokenrail::providers::anthropic
