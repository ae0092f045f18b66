// What refusals of a provider mean, as tables: a status, a piece of the text, and what follows from them. The engine
// and the rows that all providers share are here; an adapter has rows of its own, which come first. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/providers/answer.hpp"
#include "common/providers/target.hpp"

namespace tokenrail::providers {

struct FailureRule {
  int status_first;
  int status_last;
  std::string_view needle;  ///< in lower case, of the text or of its code; empty: any
  events::ErrorCode code;
  std::string_view error_class;
  bool retry;
  bool try_next;
  /// "{model}" is replaced by the model that the text names, "{title}" by the provider's title.
  std::string_view advice;
  std::optional<int> retries_max = std::nullopt;
  bool whole_text = false;  ///< the needle is all that the body says
};

/// A response whose status is not 2xx. The first row of `rules`, then of the shared rows, that fits counts. The header
/// `x-should-retry` overrules the row's `retry`; the delay comes from the headers (retry_after()).
[[nodiscard]] CallFailure classify_response(std::span<const FailureRule> rules, std::string_view title,
                                            const http::ResponseHead& head, std::string_view body);

/// An error inside an answer whose status was 200: the rows for status 200 count, then those for the status that the
/// error itself names (`status` 0: none).
[[nodiscard]] CallFailure classify_stream_error(std::span<const FailureRule> rules, std::string_view title,
                                                std::string_view body, int status = 0);

/// The delay that the text of an error names, for one that says that a limit is used up and has no other.
void add_delay(CallFailure& failure, std::string_view body);

/// What to do where a server cannot be reached at all.
struct EndAdvice {
  std::string_view connect_failed;  ///< "Is Ollama running? …"
  std::string_view example_url;     ///< what a base URL looks like
};
[[nodiscard]] CallFailure classify_end(std::string_view title, const http::End& end, const Target& target,
                                       const EndAdvice& advice);

/// An answer that is not what the wire format says: PROVIDER_PROTOCOL, retryable unless `retry` is false.
[[nodiscard]] CallFailure protocol_failure(std::string message, bool retry = true);

}  // namespace tokenrail::providers
