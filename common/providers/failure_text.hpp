// What every adapter needs to turn a provider's refusal into words and waiting times. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/http/client.hpp"

namespace tokenrail::providers {

/// Text of a provider as our messages may contain it: control characters become blanks, bytes that are not UTF-8
/// become U+FFFD, and what is longer than `bytes_max` is cut between characters and ends in "…".
[[nodiscard]] std::string quotable(std::string_view text, std::size_t bytes_max = 500);

/// What an error body says, in any of the forms that providers use: `{"error":"…"}`,
/// `{"error":{"message":…,"code":…}}`,
/// `{"message":…}`, `{"detail":…}` or text. Strings are repaired (events::repair_strings).
struct ErrorBody {
  std::string text{};
  std::string code{};  ///< code, type or reason (also of `details`), blank between several; for programs
};
[[nodiscard]] ErrorBody read_error_body(std::string_view body);

/// "Wed, 21 Oct 2026 07:28:00 GMT", the form that RFC 9110 has senders write.
[[nodiscard]] std::optional<std::chrono::sys_seconds> http_date(std::string_view text);

/// How long the provider asks to wait: `retry-after-ms`, else `retry-after` as seconds or as an HTTP date, which is
/// read against the response's own `date`, so that no clock is needed. Zero, the past and what cannot be read are
/// nothing; more than a day is a day.
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_after(const http::ResponseHead& head);

/// "Please try again in 1m2.5s": the time that such a text names, at most a day.
[[nodiscard]] std::optional<std::chrono::milliseconds> delay_in(std::string_view text);

/// The URL without a user and password before its host; for messages and logs.
[[nodiscard]] std::string without_credentials(std::string_view url);

/// Whether `text` contains `needle`, which is in lower case, whatever the case of the ASCII letters of `text`.
[[nodiscard]] bool contains_folded(std::string_view text, std::string_view needle);

}  // namespace tokenrail::providers
