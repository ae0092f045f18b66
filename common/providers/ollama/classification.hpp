// What Ollama's refusals mean, as a table: a status, a piece of the text, and what follows from them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/providers/provider.hpp"

namespace tokenrail::providers::ollama {

[[nodiscard]] CallFailure classify_response(const http::ResponseHead& head, std::string_view body);

/// An error line inside a stream whose status was 200: `{"error":…}`.
[[nodiscard]] CallFailure classify_stream_error(std::string_view line);

[[nodiscard]] CallFailure classify_end(const http::End& end, const Target& target);

}  // namespace tokenrail::providers::ollama
