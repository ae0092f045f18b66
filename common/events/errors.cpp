#include "common/events/errors.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace tokenrail::events {
namespace {

// In the order of the enumeration, so that a code is its own index.
constexpr std::array<ErrorCodeEntry, 22> catalogue{{
    {ErrorCode::invalid_request, "INVALID_REQUEST", "", false,
     "The request is JSON with its ids, but a field is missing, wrong, out of range or too large."},
    {ErrorCode::model_not_found, "MODEL_NOT_FOUND", "E4001", false,
     "No model or alias of that name is known in the scope of the user, the organisation or the platform."},
    {ErrorCode::model_not_enabled, "MODEL_NOT_ENABLED", "", false,
     "The model is known, but disabled, blocked, retired, under maintenance, not granted or no longer offered."},
    {ErrorCode::invalid_model_config, "INVALID_MODEL_CONFIG", "E4003", false,
     "The registry's entry for the model cannot be used as it is; an administrator has to correct it."},
    {ErrorCode::unsupported_provider, "UNSUPPORTED_PROVIDER", "", false,
     "The provider named has no adapter in this version."},
    {ErrorCode::capability_unsupported, "CAPABILITY_UNSUPPORTED", "", false,
     "The request needs something that the model or its provider cannot do, such as tools or images."},
    {ErrorCode::context_too_long, "CONTEXT_TOO_LONG", "", false,
     "The messages do not fit into the context window of the model."},
    {ErrorCode::credential_missing, "CREDENTIAL_MISSING", "", false,
     "The connection needs a credential and has none that can be opened."},
    {ErrorCode::provider_auth, "PROVIDER_AUTH", "", false, "The provider refused the credential of the connection."},
    {ErrorCode::provider_rate_limited, "PROVIDER_RATE_LIMITED", "", true,
     "The provider refused because too many requests or tokens were sent to it."},
    {ErrorCode::provider_unavailable, "PROVIDER_UNAVAILABLE", "", true,
     "The provider cannot be reached, or answered that it has failed."},
    {ErrorCode::provider_timeout, "PROVIDER_TIMEOUT", "", true,
     "The provider did not answer, or fell silent, for longer than the clocks of a call allow."},
    {ErrorCode::provider_protocol, "PROVIDER_PROTOCOL", "", true,
     "The provider's answer was malformed, or ended before it said that it was whole."},
    {ErrorCode::content_filtered, "CONTENT_FILTERED", "", false,
     "The provider refused the request because of its content."},
    {ErrorCode::response_too_large, "RESPONSE_TOO_LARGE", "", false,
     "The answer, or one tool call of it, is larger than what may be published."},
    {ErrorCode::reply_undeliverable, "REPLY_UNDELIVERABLE", "", false,
     "The reply topic that the request names cannot be written to."},
    {ErrorCode::rate_limited, "RATE_LIMITED", "", true,
     "The organisation or the connection has reached its limit of requests or tokens a minute."},
    {ErrorCode::quota_exceeded, "QUOTA_EXCEEDED", "", false, "The organisation has used up its budget."},
    {ErrorCode::deadline_exceeded, "DEADLINE_EXCEEDED", "", true,
     "The time that the request allowed ran out before its answer was whole."},
    {ErrorCode::interrupted, "INTERRUPTED", "", true,
     "The worker that ran the attempt ended, and whether it had answered is no longer known."},
    {ErrorCode::cancelled, "CANCELLED", "", false, "The sender cancelled the request."},
    {ErrorCode::internal, "INTERNAL", "", false, "Tokenrail failed in a way that it does not expect of itself."},
}};

constexpr bool in_order() {
  for (std::size_t index = 0; index < catalogue.size(); ++index) {
    if (std::to_underlying(catalogue[index].code) != static_cast<int>(index)) {
      return false;
    }
  }
  return true;
}
static_assert(in_order(), "the catalogue follows the order of ErrorCode");
static_assert(std::to_underlying(ErrorCode::internal) + 1 == catalogue.size(), "every code has an entry");

}  // namespace

std::span<const ErrorCodeEntry> error_catalogue() {
  return catalogue;
}

const ErrorCodeEntry& entry_of(ErrorCode code) {
  return catalogue.at(static_cast<std::size_t>(std::to_underlying(code)));
}

std::string_view name_of(ErrorCode code) {
  return entry_of(code).name;
}

std::optional<ErrorCode> error_code_from(std::string_view name) {
  for (const auto& entry : catalogue) {
    if (entry.name == name) {
      return entry.code;
    }
  }
  return std::nullopt;
}

Failure Failure::of(ErrorCode code, std::string message) {
  return Failure{.code = code, .message = std::move(message), .retryable = entry_of(code).retryable};
}

}  // namespace tokenrail::events
