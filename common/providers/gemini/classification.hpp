// What refusals of the Gemini API and of Vertex AI mean. Pure.
#pragma once

#include <string_view>

#include "common/providers/answer.hpp"
#include "common/providers/target.hpp"

namespace tokenrail::providers::gemini {

[[nodiscard]] CallFailure classify_response(std::string_view title, const http::ResponseHead& head,
                                            std::string_view body);
/// `json`: an item `{"error":{…}}` inside an answer whose status was 200.
[[nodiscard]] CallFailure classify_stream_error(std::string_view title, std::string_view json);
[[nodiscard]] CallFailure classify_end(std::string_view title, const http::End& end, const Target& target);

}  // namespace tokenrail::providers::gemini
