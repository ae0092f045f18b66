// What refusals of OpenAI and of the servers that speak its API mean. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/providers/classification.hpp"

namespace tokenrail::providers::openai {

/// `title`: how messages name the provider.
[[nodiscard]] CallFailure classify_response(std::string_view title, const http::ResponseHead& head,
                                            std::string_view body);

/// An error item inside an answer whose status was 200, or an error body in the place of such an answer.
[[nodiscard]] CallFailure classify_stream_error(std::string_view title, std::string_view json);

/// An error body with what read_error_body() would not find: messages of upstream providers (OpenRouter), lists of
/// problems (FastAPI servers, Cloudflare). Other bodies are returned as they are.
[[nodiscard]] std::string readable_error(std::string_view body);

}  // namespace tokenrail::providers::openai
