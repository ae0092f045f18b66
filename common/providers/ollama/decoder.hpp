// Ollama's answers: one JSON object a line while streaming, one object otherwise. Pure.
#pragma once

#include <memory>

#include "common/providers/provider.hpp"

namespace tokenrail::providers::ollama {

/// `tools`: the request offers some. `prompt_bytes`: of its text, for an estimate where counts are missing.
[[nodiscard]] std::unique_ptr<AnswerDecoder> make_decoder(bool stream, const DecoderLimits& limits, bool tools = false,
                                                          std::size_t prompt_bytes = 0);

}  // namespace tokenrail::providers::ollama
