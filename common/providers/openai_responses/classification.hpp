// What refusals of the Responses API mean, as a table: a status, a piece of the text or its code, and what follows from
// them. Pure.
#pragma once

#include <string_view>

#include "common/providers/provider.hpp"

namespace tokenrail::providers::openai_responses {

[[nodiscard]] CallFailure classify_response(const Target& target, const http::ResponseHead& head,
                                            std::string_view body);

/// An error inside an answer whose status was 200. `status`: what the error itself names; 0: nothing.
[[nodiscard]] CallFailure classify_stream_error(std::string_view title, std::string_view body, int status = 0);

[[nodiscard]] CallFailure classify_end(const http::End& end, const Target& target);

}  // namespace tokenrail::providers::openai_responses
