// Finds which API a body belongs to that is not the one expected: a wrong base URL or adapter is then named as that.
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace tokenrail::providers {

/// Whose format `bytes` (one line, the beginning of a stream, or a whole body) are in, for a message: "an
/// OpenAI-compatible server", "a web page", …; empty where nothing is recognised.
[[nodiscard]] std::string api_that_sends(std::string_view bytes);

/// "This looks like …; the connection's adapter is ollama. …" with what to change; empty where nothing is recognised.
[[nodiscard]] std::string other_api_text(std::string_view bytes, std::string_view adapter);

}  // namespace tokenrail::providers
