// Whether a JSON Schema is one that OpenAI enforces ("strict"). Pure.
#pragma once

#include <string>
#include <string_view>

namespace tokenrail::providers::openai_responses {

/// Why it is not, for a message; empty: it is. Every object must require all of its properties and allow no others.
[[nodiscard]] std::string not_strict(std::string_view schema);

}  // namespace tokenrail::providers::openai_responses
