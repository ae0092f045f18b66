// Answers in each wire format; see answer_body().
#pragma once

#include <string>

#include "tests/conformance/speakers.hpp"

namespace tokenrail::conformance::wire {

/// The id that the provider gives the call with that index in the turn.
[[nodiscard]] std::string id_of(const Speaker& speaker, const Said& said, std::size_t call);
[[nodiscard]] std::string joined(const std::vector<std::string_view>& pieces);

[[nodiscard]] std::string ollama(const Speaker& speaker, const Said& said, bool stream);
[[nodiscard]] std::string chat_stream(const Speaker& speaker, const Said& said);
[[nodiscard]] std::string chat_whole(const Speaker& speaker, const Said& said);
[[nodiscard]] std::string responses(const Speaker& speaker, const Said& said, bool stream);
[[nodiscard]] std::string anthropic_stream(const Speaker& speaker, const Said& said);
[[nodiscard]] std::string anthropic_whole(const Speaker& speaker, const Said& said);
[[nodiscard]] std::string gemini(const Speaker& speaker, const Said& said, bool stream);
[[nodiscard]] std::string cohere_stream(const Speaker& speaker, const Said& said);
[[nodiscard]] std::string cohere_whole(const Speaker& speaker, const Said& said);

}  // namespace tokenrail::conformance::wire
