// The error catalogue: every code that a terminal chunk can carry, with what it means for the caller. Each has a
// section in docs/reference/errors.md. Pure data.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tokenrail::events {

enum class ErrorCode {
  invalid_request,
  model_not_found,
  model_not_enabled,
  invalid_model_config,
  unsupported_provider,
  capability_unsupported,
  context_too_long,
  credential_missing,
  provider_auth,
  provider_rate_limited,
  provider_unavailable,
  provider_timeout,
  provider_protocol,
  content_filtered,
  response_too_large,
  reply_undeliverable,
  rate_limited,
  quota_exceeded,
  deadline_exceeded,
  interrupted,
  cancelled,
  internal,
};

struct ErrorCodeEntry {
  ErrorCode code;
  std::string_view name;     ///< as on the wire: "MODEL_NOT_FOUND"
  std::string_view number;   ///< "E4001" where the specification gives one, else empty
  bool retryable;            ///< whether the same request may succeed later without being changed
  std::string_view meaning;  ///< one sentence
};

[[nodiscard]] std::span<const ErrorCodeEntry> error_catalogue();
[[nodiscard]] const ErrorCodeEntry& entry_of(ErrorCode code);
[[nodiscard]] std::string_view name_of(ErrorCode code);
[[nodiscard]] std::optional<ErrorCode> error_code_from(std::string_view name);

/// What went wrong, as a terminal chunk and an llm.response carry it. `message` says what to do next and never
/// holds a secret.
struct Failure {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  bool retryable = false;
  std::string provider{};       ///< empty: none was involved
  std::optional<int> status{};  ///< the provider's HTTP status

  /// With the catalogue's `retryable`.
  static Failure of(ErrorCode code, std::string message);
};

}  // namespace tokenrail::events
