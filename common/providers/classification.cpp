#include "common/providers/classification.hpp"

#include <fmt/format.h>

#include "common/providers/failure_text.hpp"

namespace tokenrail::providers {

namespace {

using events::ErrorCode;

constexpr std::string_view later = "Ask again later.";
constexpr std::string_view cannot = "Choose a model that can do this, or leave it out of the request.";
constexpr std::string_view too_long = "Shorten the messages, or choose a model with a larger context window.";

/// What holds for every provider that has no row of its own. Status 200 is an error inside a stream.
constexpr FailureRule shared_rules[] = {
    {200, 599, "context_length_exceeded", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {200, 599, "maximum context length", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {200, 599, "exceed_context_size", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {200, 599, "exceeds the available context", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {200, 599, "prompt is too long", ErrorCode::context_too_long, "context_too_long", false, true, too_long},
    {200, 599, "content_policy_violation", ErrorCode::content_filtered, "content_filter", false, false,
     "The provider's content filter refused the request; change its messages."},
    {200, 599, "content_filter", ErrorCode::content_filtered, "content_filter", false, false,
     "The provider's content filter refused the request; change its messages."},
    {200, 599, "insufficient_quota", ErrorCode::provider_auth, "quota", false, true,
     "The account's quota is used up; check its plan and billing at the provider."},
    {200, 200, "rate limit", ErrorCode::provider_rate_limited, "rate_limited", true, true, later},
    {200, 200, "rate_limit", ErrorCode::provider_rate_limited, "rate_limited", true, true, later},
    {200, 200, "overloaded", ErrorCode::provider_unavailable, "overloaded", true, true, later},
    {200, 200, "", ErrorCode::provider_unavailable, "stream_error", true, true,
     "The answer broke off at the provider; ask again."},
    // Redirects are not followed: a credential must not travel to a host that no operator configured.
    {300, 399, "", ErrorCode::invalid_model_config, "redirect", false, true,
     "Redirects are not followed: set the connection's base URL to the address that it redirects to."},
    {401, 401, "", ErrorCode::provider_auth, "auth", false, true, "Check the connection's credential."},
    {402, 402, "", ErrorCode::provider_auth, "payment", false, true, "Check the account's credit at the provider."},
    {403, 403, "", ErrorCode::provider_auth, "auth", false, true,
     "The credential lacks the right to do this. Check the account's rights, and whether the provider serves this "
     "region."},
    {404, 404, "model", ErrorCode::model_not_found, "not_found_model", false, true,
     "Check the model's name at the provider, and whether the account may use it."},
    {404, 404, "", ErrorCode::invalid_model_config, "not_found", false, true,
     "Check the connection's base URL and the model's name."},
    {405, 405, "", ErrorCode::invalid_model_config, "not_found", false, true, "Check the connection's base URL."},
    {408, 408, "", ErrorCode::provider_timeout, "timeout", true, true, "Ask again."},
    {409, 409, "", ErrorCode::provider_unavailable, "conflict", true, true, "Ask again."},
    {413, 413, "", ErrorCode::invalid_request, "too_large", false, false,
     "Send fewer or smaller messages, images and files."},
    {429, 429, "", ErrorCode::provider_rate_limited, "rate_limited", true, true, later},
    {400, 422, "does not support", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {400, 422, "not supported", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {400, 422, "unsupported", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {400, 499, "", ErrorCode::invalid_request, "invalid_request", false, false, "Change the request as the text says."},
    {500, 500, "", ErrorCode::provider_unavailable, "server_error", true, true, later},
    {501, 501, "", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {503, 503, "", ErrorCode::provider_unavailable, "busy", true, true, later},
    {504, 504, "", ErrorCode::provider_timeout, "timeout", true, true, later},
    {529, 529, "", ErrorCode::provider_unavailable, "overloaded", true, true, later},
    {500, 599, "", ErrorCode::provider_unavailable, "server_error", true, true, later},
};

constexpr FailureRule unknown_status = {0,
                                        999,
                                        "",
                                        ErrorCode::provider_protocol,
                                        "unexpected_status",
                                        false,
                                        true,
                                        "Something other than {title} may answer at the base URL.",
                                        {}};

bool fits(const FailureRule& rule, int status, const ErrorBody& error) {
  if (status < rule.status_first || status > rule.status_last) return false;
  if (rule.whole_text && error.text.size() != rule.needle.size()) return false;
  return contains_folded(error.text, rule.needle) || contains_folded(error.code, rule.needle);
}

const FailureRule* find_rule(std::span<const FailureRule> rules, int status, const ErrorBody& error) {
  for (const auto& rule : rules) {
    if (fits(rule, status, error)) return &rule;
  }
  for (const auto& rule : shared_rules) {
    if (fits(rule, status, error)) return &rule;
  }
  return &unknown_status;
}

/// The model in "model 'x' not found" or "model \"x\" not found, try pulling it first".
std::string_view model_in(std::string_view text) {
  const auto begin = text.find_first_of("'\"");
  if (begin == std::string_view::npos) return "";
  const auto end = text.find(text[begin], begin + 1);
  return end == std::string_view::npos ? "" : text.substr(begin + 1, end - begin - 1);
}

void put_in(std::string& text, std::string_view place, std::string_view value) {
  if (const auto at = text.find(place); at != std::string::npos) text.replace(at, place.size(), value);
}

std::string advice_of(const FailureRule& rule, std::string_view title, std::string_view text) {
  std::string advice(rule.advice);
  if (advice.contains("{model}")) {
    const auto model = model_in(text);
    put_in(advice, "{model}", model.empty() ? std::string("NAME") : quotable(model, 200));
  }
  put_in(advice, "{title}", title);
  return advice;
}

CallFailure made(const FailureRule& rule, std::string message) {
  CallFailure out;
  out.failure = events::Failure::of(rule.code, std::move(message));
  out.retry = rule.retry;
  out.try_next = rule.try_next;
  out.error_class = rule.error_class;
  out.retries_max = rule.retries_max;
  return out;
}

}  // namespace

CallFailure classify_response(std::span<const FailureRule> rules, std::string_view title,
                              const http::ResponseHead& head, std::string_view body) {
  const auto error = read_error_body(body);
  const auto& rule = *find_rule(rules, head.status, error);
  const auto start = error.text.find_first_not_of(" \t\r\n");
  std::string quoted = "without a word";
  if (start != std::string::npos) {
    quoted = error.text[start] == '<' ? "with a web page" : "\"" + quotable(error.text) + "\"";
  }
  auto out =
      made(rule, fmt::format("{} answered {} {}. {}", title, head.status, quoted, advice_of(rule, title, error.text)));
  out.failure.status = head.status;
  out.retry_after = retry_after(head);
  if (const auto wish = head.header("x-should-retry")) {
    if (*wish == "true") out.retry = true;
    if (*wish == "false") out.retry = false;
  }
  return out;
}

CallFailure classify_stream_error(std::span<const FailureRule> rules, std::string_view title, std::string_view body,
                                  int status) {
  const auto error = read_error_body(body);
  const auto* rule = find_rule(rules, 200, error);
  // The row for any error in a stream knows less than the row for the status that the error names.
  if (status >= 300 && (rule->needle.empty() || rule == &unknown_status)) rule = find_rule(rules, status, error);
  auto out = made(*rule, fmt::format("{} ended its answer with \"{}\". {}", title, quotable(error.text),
                                     advice_of(*rule, title, error.text)));
  out.failure.status = status >= 300 ? status : 200;
  return out;
}

void add_delay(CallFailure& failure, std::string_view body) {
  const bool limited = failure.failure.code == ErrorCode::provider_rate_limited;
  if (limited && failure.retry && !failure.retry_after) failure.retry_after = delay_in(body);
}

CallFailure classify_end(std::string_view title, const http::End& end, const Target& target, const EndAdvice& advice) {
  const auto url = without_credentials(target.base_url);
  const auto detail = quotable(end.detail, 300);
  const auto because = detail.empty() ? std::string() : " (" + detail + ")";
  const auto of = [](ErrorCode code, std::string_view error_class, bool retry, bool try_next, std::string message) {
    return made(FailureRule{0, 0, "", code, error_class, retry, try_next, "", {}}, std::move(message));
  };
  // Its own detail would name addresses of the operator's network.
  if (end.address_refused) {
    return of(ErrorCode::provider_unavailable, "refused_address", false, true,
              fmt::format("{} leads to an address that this connection may not reach. Use a public address, or ask the "
                          "operator to open it with TOKENRAIL_EGRESS_ALLOW.",
                          url));
  }
  if (end.ending == http::Ending::connect_failed && end.step == http::Step::tls) {
    // A certificate does not become right by asking again.
    auto out = of(ErrorCode::provider_unavailable, "tls", false, true,
                  fmt::format("No TLS connection to {} at {}{}. Check that the base URL has the host's name as its "
                              "certificate does; where a CA of your own signed it, name the CA's file in "
                              "TOKENRAIL_PROVIDERS_CA_FILE.",
                              title, url, because));
    out.failure.retryable = false;
    return out;
  }
  if (end.ending == http::Ending::connect_failed && end.step == http::Step::name) {
    return of(
        ErrorCode::provider_unavailable, "dns", true, true,
        fmt::format("The host of {} has no address{}. Check the name in the base URL, and the name servers of this "
                    "machine.",
                    url, because));
  }
  switch (end.ending) {
    case http::Ending::connect_failed:
      return of(ErrorCode::provider_unavailable, "connect_failed", true, true,
                fmt::format("Nothing answers at {}{}. {}", url, because, advice.connect_failed));
    case http::Ending::connect_timeout:
      return of(ErrorCode::provider_timeout, "connect_timeout", true, true,
                fmt::format("No connection to {} at {} in time{}. Check the address and the network between.", title,
                            url, because));
    case http::Ending::total_timeout:
      return of(ErrorCode::provider_timeout, "total_timeout", false, true,
                fmt::format("{} at {} did not finish in time{}. A model that is being loaded may take minutes; ask "
                            "again, or allow more time with timeoutMs.",
                            title, url, because));
    case http::Ending::too_large:
      return of(ErrorCode::response_too_large, "too_large", false, false,
                fmt::format("{} at {} sent more than is allowed{}. Set maxTokens.", title, url, because));
    case http::Ending::cancelled:
      return of(ErrorCode::cancelled, "cancelled", false, false, "The call was cancelled.");
    case http::Ending::invalid_request:
      return of(ErrorCode::invalid_model_config, "invalid_url", false, true,
                fmt::format("{} cannot be called{}. Set the connection's base URL to something like {}.", url, because,
                            advice.example_url));
    case http::Ending::complete:
    case http::Ending::broken:
      break;
  }
  return of(ErrorCode::provider_unavailable, "broken", true, true,
            fmt::format("The connection to {} at {} broke before the answer was whole{}. Ask again; if it stays, "
                        "look whether the server restarts.",
                        title, url, because));
}

CallFailure protocol_failure(std::string message, bool retry) {
  CallFailure out;
  out.failure = events::Failure::of(ErrorCode::provider_protocol, std::move(message));
  out.failure.retryable = out.failure.retryable && retry;
  out.failure.status = 200;
  out.retry = out.failure.retryable;
  out.try_next = true;
  out.error_class = events::name_of(ErrorCode::provider_protocol);
  return out;
}

}  // namespace tokenrail::providers
