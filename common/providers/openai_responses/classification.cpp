#include "common/providers/openai_responses/classification.hpp"

#include "common/providers/classification.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/profile.hpp"

namespace tokenrail::providers::openai_responses {

namespace {

using events::ErrorCode;

constexpr std::string_view too_large =
    "The account's limit a minute is smaller than this request. Shorten the messages, lower maxTokens, or raise the "
    "limit at the provider.";
constexpr std::string_view bad_image = "Send the image as PNG, JPEG, WebP or GIF, within the provider's size limits.";
constexpr std::string_view flagged = "The provider's policy refused the request; change its messages.";
constexpr std::string_view no_model = "Check the model's name at the provider, and whether the account may use it.";
constexpr std::string_view stale =
    "Leave the providerBlocks of earlier answers out: they belong to another account, model or provider.";
constexpr std::string_view not_here =
    "The server may not have the Responses API: check the connection's base URL, or give the connection the adapter "
    "openai.";

/// The first row that fits counts. Status 200 is an error inside a stream.
constexpr FailureRule rules[] = {
    // Waiting does not make such a request smaller.
    {200, 599, "request too large", ErrorCode::context_too_long, "too_large", false, true, too_large},
    {200, 599, "exceeds the context window", ErrorCode::context_too_long, "context_too_long", false, true,
     "Shorten the messages, or choose a model with a larger context window."},
    {200, 599, "exceeded your current quota", ErrorCode::provider_auth, "quota", false, true,
     "The account's quota is used up; check its plan and billing at the provider."},
    {200, 599, "invalid_prompt", ErrorCode::content_filtered, "content_filter", false, false, flagged},
    {200, 599, "cyber_policy", ErrorCode::content_filtered, "content_filter", false, false, flagged},
    {200, 599, "safety_violation", ErrorCode::content_filtered, "content_filter", false, false, flagged},
    {200, 599, "rejected by the safety system", ErrorCode::content_filtered, "content_filter", false, false, flagged},
    {200, 599, "model_not_found", ErrorCode::model_not_found, "not_found_model", false, true, no_model},
    {404, 404, "deploymentnotfound", ErrorCode::model_not_found, "not_found_model", false, true,
     "Check the deployment's name; a new one takes some minutes until it can be called."},
    // Encrypted reasoning that this account cannot read, or an item that the provider was not asked to store.
    {200, 499, "invalid_encrypted_content", ErrorCode::invalid_request, "reasoning_block", false, true, stale},
    {400, 404, "item with id", ErrorCode::invalid_request, "reasoning_block", false, true, stale},
    {400, 400, "without its required following item", ErrorCode::invalid_request, "reasoning_block", false, true,
     stale},
    {400, 400, "encrypted content is not supported", ErrorCode::capability_unsupported, "capability", false, true,
     "Set providerConfig's include to []: this model does not reason."},
    {200, 599, "invalid_image", ErrorCode::invalid_request, "invalid_request", false, false, bad_image},
    {200, 599, "invalid_base64_image", ErrorCode::invalid_request, "invalid_request", false, false, bad_image},
    {200, 599, "image_too_", ErrorCode::invalid_request, "invalid_request", false, false, bad_image},
    {200, 599, "image_file_", ErrorCode::invalid_request, "invalid_request", false, false, bad_image},
    {200, 599, "image_parse_error", ErrorCode::invalid_request, "invalid_request", false, false, bad_image},
    {200, 599, "empty_image_file", ErrorCode::invalid_request, "invalid_request", false, false, bad_image},
    {200, 599, "unsupported_image_media_type", ErrorCode::invalid_request, "invalid_request", false, false, bad_image},
    {200, 599, "failed_to_download_image", ErrorCode::invalid_request, "invalid_request", false, false,
     "The provider could not fetch the image; send it inside the request as data."},
    // Inside a stream only the words show it.
    {200, 200, "invalid_api_key", ErrorCode::provider_auth, "auth", false, true, "Check the connection's credential."},
    // A bad key is a bad request at some.
    {400, 400, "incorrect api key", ErrorCode::provider_auth, "auth", false, true,
     "Check the connection's credential."},
    {404, 404, "invalid url", ErrorCode::invalid_model_config, "not_found", false, true, not_here},
    {404, 404, "not found", ErrorCode::invalid_model_config, "not_found", false, true, not_here, {}, true},
    {404, 404, "<html", ErrorCode::invalid_model_config, "not_found", false, true, not_here},
    {405, 405, "", ErrorCode::invalid_model_config, "not_found", false, true, not_here},
};

struct TypeStatus {
  std::string_view type;
  int status;
};
constexpr TypeStatus statuses_of_types[] = {{"invalid_request_error", 400},
                                            {"authentication_error", 401},
                                            {"permission_error", 403},
                                            {"not_found_error", 404},
                                            {"server_error", 500}};

constexpr EndAdvice hosted_advice = {.connect_failed = "Check that this machine reaches the internet.",
                                     .example_url = "https://api.openai.com/v1"};
constexpr EndAdvice own_advice = {.connect_failed = "Check that the server runs, and the connection's base URL.",
                                  .example_url = "http://localhost:1234/v1"};

}  // namespace

CallFailure classify_response(const Target& target, const http::ResponseHead& head, std::string_view body) {
  auto failure = providers::classify_response(rules, title_of(target.provider), head, body);
  add_delay(failure, body);
  return failure;
}

CallFailure classify_stream_error(std::string_view title, std::string_view body, int status) {
  // Where the error names no status, the status that its type has outside of a stream says more than the stream's 200.
  int meant = status;
  if (meant == 0) {
    const auto code = read_error_body(body).code;
    for (const auto& row : statuses_of_types) {
      if (meant == 0 && contains_folded(code, row.type)) meant = row.status;
    }
  }
  auto failure = providers::classify_stream_error(rules, title, body, meant);
  if (status == 0) failure.failure.status = 200;
  add_delay(failure, body);
  return failure;
}

CallFailure classify_end(const http::End& end, const Target& target) {
  const auto* const profile = find_profile(target.provider);
  const bool hosted = profile != nullptr && !profile->base_url.empty();
  return providers::classify_end(title_of(target.provider), end, target, hosted ? hosted_advice : own_advice);
}

}  // namespace tokenrail::providers::openai_responses
