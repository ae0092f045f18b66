// What a function of this project returns when it can fail for a reason that the caller has to deal with.
//
// Exceptions are kept for start-up and for the edges of libraries; everything that is expected to go wrong in normal
// running (a provider that says no, a broker that is away, bad input) is a value. The kind answers "what should the
// caller do now?", the detail says what an operator has to change.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <utility>

namespace tokenrail {

enum class ErrorKind {
  invalid_input,  ///< Asking again with the same input cannot help.
  not_found,      ///< What was asked for does not exist.
  rejected,       ///< The other side understood and refused (4xx); do not retry.
  conflict,  ///< Another writer was there first, or the change contradicts what is there: read again, decide again.
  unauthenticated,  ///< It is unknown who asks: send a valid credential.
  forbidden,        ///< The principal is known and has no right to this; retry once an administrator granted it.
  rate_limited,     ///< Retry, after `retry_after` if it is given.
  timed_out,        ///< No answer in time; whether it took effect is unknown.
  unavailable,      ///< The other side cannot be reached or has failed; retry later.
  cancelled,        ///< The caller, or a shutdown, ended it.
};

struct Error {
  ErrorKind kind = ErrorKind::unavailable;
  std::string detail;  ///< what went wrong
  std::optional<std::chrono::milliseconds> retry_after{};
  std::string hint{};  ///< what to do about it, where the detail does not say it already
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string detail) {
  return std::unexpected(Error{.kind = kind, .detail = std::move(detail)});
}

}  // namespace tokenrail
