// Problem details for HTTP APIs (RFC 9457): what a refused request is answered with. Every fault is a row of one table,
// which docs/reference/http-errors.md is written from. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/server.hpp"
#include "common/result.hpp"

namespace tokenrail::registry_api {

enum class Fault {
  malformed_request,
  invalid_body,
  invalid_query,
  invalid_path,
  invalid_header,
  invalid_page_token,
  unauthenticated,
  forbidden,
  csrf_failed,
  not_found,
  model_not_found,
  method_not_allowed,
  conflict,
  already_exists,
  in_use,
  idempotency_in_flight,
  precondition_failed,
  body_too_large,
  unsupported_media_type,
  invalid_model_config,
  invalid_value,
  idempotency_mismatch,
  precondition_required,
  rate_limited,
  headers_too_large,
  internal,
  unavailable,
  timed_out,
};

struct FaultInfo {
  Fault fault;
  std::string_view name;  ///< last part of the type URI
  std::string_view code;  ///< of the body; the name, except where an older catalogue numbers the error
  int status;
  std::string_view title;
  bool retryable;
  std::string_view hint;  ///< what the caller does next
};

/// Every fault, by status.
[[nodiscard]] std::span<const FaultInfo> faults();
[[nodiscard]] const FaultInfo& info_of(Fault fault);
/// The fault of that name or code; null: there is none.
[[nodiscard]] const FaultInfo* find_fault(std::string_view name);

/// One value of a body that was refused.
struct FieldError {
  std::string pointer;  ///< JSON Pointer (RFC 6901) into the body; empty: the body itself
  std::string detail;
  bool by_database = false;  ///< by a rule of a column: whether the body has such a member is not known
  bool operator==(const FieldError&) const = default;
};

struct Problem {
  Fault fault = Fault::internal;
  std::string detail{};
  std::vector<FieldError> errors{};
  std::string hint{};  ///< instead of the fault's own
  std::optional<std::int64_t> retry_after_s{};
  std::optional<std::int64_t> current_version{};  ///< of what a precondition was about
  std::vector<std::string> dependents{};          ///< what uses the thing that was to be deleted
  std::vector<http::Field> headers{};             ///< besides the common ones: Allow, WWW-Authenticate
};

[[nodiscard]] inline std::unexpected<Problem> refuse(Fault fault, std::string detail) {
  return std::unexpected(Problem{.fault = fault, .detail = std::move(detail)});
}

/// How an error of the database or of a provider is answered.

[[nodiscard]] Problem problem_of(const Error& error);

/// Path of the page that describes a fault; the `type` of its problems.
[[nodiscard]] std::string type_of(const FaultInfo& info);

/// Clients of an older API read other members: `with_error_name` adds `error` (the fault's name) and `details` (what is
/// wrong by field, each a list `_errors`).
[[nodiscard]] std::string body_of(const Problem& problem, std::string_view request_id, bool with_error_name = false);
[[nodiscard]] http::Reply reply_of(const Problem& problem, std::string_view request_id, bool with_error_name = false);

}  // namespace tokenrail::registry_api
