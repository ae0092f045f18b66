// What Cohere's refusals mean, as a table. Pure.
#pragma once

#include <string_view>

#include "common/providers/provider.hpp"

namespace tokenrail::providers::cohere {

[[nodiscard]] CallFailure classify_response(std::string_view title, const http::ResponseHead& head,
                                            std::string_view body);

/// An error item inside an answer whose status was 200.
[[nodiscard]] CallFailure classify_stream_error(std::string_view title, std::string_view json);

/// An answer whose `finish_reason` is a failure. `error`: its text, may be empty.
[[nodiscard]] CallFailure classify_ending(std::string_view title, std::string_view finish_reason,
                                          std::string_view error);

[[nodiscard]] CallFailure classify_end(std::string_view title, const http::End& end, const Target& target);

}  // namespace tokenrail::providers::cohere
