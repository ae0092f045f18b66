#include "common/providers/gemini/classification.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>

#include <simdjson.h>

#include "common/events/json_document.hpp"
#include "common/events/json_scan.hpp"
#include "common/providers/classification.hpp"
#include "common/providers/failure_text.hpp"

namespace tokenrail::providers::gemini {

namespace {

namespace dom = simdjson::dom;
using events::ErrorCode;
using std::chrono::milliseconds;

constexpr std::string_view too_long = "Shorten the messages, or choose a model with a larger context window.";
constexpr std::string_view key = "Check the connection's API key.";
constexpr std::string_view model_name = "Check the model's name at the provider, and whether the account may use it.";
constexpr std::string_view cannot = "Choose a model that can do this, or leave it out of the request.";

constexpr FailureRule rules[] = {
    // A wrong key is a 400 here.
    {400, 403, "api_key_invalid", ErrorCode::provider_auth, "auth", false, true, key},
    {400, 403, "api key not valid", ErrorCode::provider_auth, "auth", false, true, key},
    {400, 403, "api key expired", ErrorCode::provider_auth, "auth", false, true, key},
    {400, 403, "unregistered callers", ErrorCode::provider_auth, "auth", false, true,
     "Give the connection an API key, or for Vertex AI a bearer token."},
    {400, 403, "location is not supported", ErrorCode::provider_auth, "region", false, true,
     "The provider does not serve this region."},
    {400, 403, "service_disabled", ErrorCode::provider_auth, "auth", false, true,
     "Enable the API in the project that the credential belongs to."},
    {400, 413, "input token count", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {400, 413, "maximum number of tokens allowed", ErrorCode::context_too_long, "context_too_long", false, true,
     too_long},
    {400, 413, "payload size exceeds", ErrorCode::invalid_request, "too_large", false, false,
     "Send fewer or smaller messages, images and files."},
    {400, 400, "unexpected model name format", ErrorCode::model_not_found, "not_found_model", false, true, model_name},
    {400, 400, "thought_signature", ErrorCode::invalid_request, "thought_signature", false, true,
     "Send the provider blocks of earlier answers back, or choose another model."},
    {400, 400, "is not enabled", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {400, 400, "only works in thinking mode", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {499, 499, "", ErrorCode::provider_unavailable, "cancelled_there", true, true, "Ask again."},
    {503, 503, "overloaded", ErrorCode::provider_unavailable, "overloaded", true, true, "Ask again later."},
};

/// `[{"error":…}]`, as it comes where a stream was asked for without `alt=sse`, as `{"error":…}`.
std::string without_list(std::string_view body) {
  const auto begin = body.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || body[begin] != '[') return std::string(body);
  const auto readable = events::repair_strings(body);
  const events::JsonDocument document(readable);
  dom::element first;
  if (document.error() != simdjson::SUCCESS || !document.root().is_array() ||
      document.root().at(0).get(first) != simdjson::SUCCESS) {
    return std::string(body);
  }
  return simdjson::minify(first);
}

/// What the list `details` of an error adds to its message.
struct Details {
  int status = 0;  ///< `code`
  std::optional<milliseconds> delay{};
  bool quota_of_zero = false;
  bool quota_of_day = false;
};

/// "48s", "0.5s".
std::optional<milliseconds> duration_of(std::string_view text) {
  constexpr double seconds_max = 24 * 3600;
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end)) != "s") {
    return std::nullopt;
  }
  if (!std::isfinite(seconds) || seconds <= 0) return std::nullopt;
  return milliseconds(static_cast<milliseconds::rep>(std::ceil(std::min(seconds, seconds_max) * 1000)));
}

/// "…, limit: 0, model: …": the value is missing among the details where it is 0.
bool says_zero(std::string_view message) {
  constexpr std::string_view words = "limit: 0";
  const auto at = message.find(words);
  if (at == std::string_view::npos) return false;
  const auto next = message.substr(at + words.size());
  return next.empty() || std::string_view(",\n ").contains(next.front());
}

Details read_details(std::string_view json) {
  Details out;
  const auto readable = events::repair_strings(json);
  const events::JsonDocument document(readable);
  if (document.error() != simdjson::SUCCESS) return out;
  const auto error_element = events::ObjectReader(document.root()).find("error");
  if (!error_element) return out;
  const events::ObjectReader error(*error_element);
  const auto code = error.integer("code");
  out.quota_of_zero = says_zero(error.text("message"));
  if (code >= 300 && code <= 599) out.status = static_cast<int>(code);
  dom::array list;
  const auto details = error.find("details");
  if (!details || details->get_array().get(list) != simdjson::SUCCESS) return out;
  for (const auto element : list) {
    const events::ObjectReader detail(element);
    if (const auto delay = detail.text_if("retryDelay")) out.delay = duration_of(*delay);
    dom::array violations;
    const auto found = detail.find("violations");
    if (!found || found->get_array().get(violations) != simdjson::SUCCESS) continue;
    for (const auto violation : violations) {
      const events::ObjectReader quota(violation);
      out.quota_of_zero = out.quota_of_zero || quota.text("quotaValue") == "0";
      out.quota_of_day = out.quota_of_day || quota.text("quotaId").contains("PerDay");
    }
  }
  return out;
}

/// Quotas that no wait of some seconds helps against, whatever delay the provider names.
void add(CallFailure& out, const Details& details) {
  const bool limited = out.failure.code == ErrorCode::provider_rate_limited;
  if (limited && details.quota_of_zero) {
    out.failure.code = ErrorCode::provider_auth;
    out.failure.retryable = events::entry_of(ErrorCode::provider_auth).retryable;
    out.failure.message += " The account has no quota for this model; check its plan and billing.";
    out.error_class = "quota";
  } else if (limited && details.quota_of_day) {
    out.failure.message += " The quota of the day is used up.";
    out.error_class = "quota_of_day";
  } else {
    if (!out.retry_after && out.retry) out.retry_after = details.delay;
    return;
  }
  out.retry = false;
  out.retry_after.reset();
}

}  // namespace

CallFailure classify_response(std::string_view title, const http::ResponseHead& head, std::string_view body) {
  const auto json = without_list(body);
  auto out = providers::classify_response(rules, title, head, json);
  add(out, read_details(json));
  return out;
}

CallFailure classify_stream_error(std::string_view title, std::string_view json) {
  const auto details = read_details(json);
  auto out = providers::classify_stream_error(rules, title, json, details.status);
  add(out, details);
  return out;
}

CallFailure classify_end(std::string_view title, const http::End& end, const Target& target) {
  constexpr EndAdvice advice = {.connect_failed = "Check that this machine reaches the internet.",
                                .example_url = "https://generativelanguage.googleapis.com"};
  return providers::classify_end(title, end, target, advice);
}

}  // namespace tokenrail::providers::gemini
