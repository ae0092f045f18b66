// What Anthropic's refusals mean, as a table. Pure.
#pragma once

#include <string_view>

#include "common/providers/provider.hpp"

namespace tokenrail::providers::anthropic {

[[nodiscard]] CallFailure classify_response(std::string_view title, const http::ResponseHead& head,
                                            std::string_view body);

/// `{"type":"error","error":{"type":…,"message":…}}` inside an answer whose status was 200.
[[nodiscard]] CallFailure classify_stream_error(std::string_view title, std::string_view json);

[[nodiscard]] CallFailure classify_end(std::string_view title, const http::End& end, const Target& target);

}  // namespace tokenrail::providers::anthropic
