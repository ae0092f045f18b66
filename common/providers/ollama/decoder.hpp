// Ollama's answers: one JSON object a line while streaming, one object otherwise. Pure.
#pragma once

#include <memory>

#include "common/providers/provider.hpp"

namespace tokenrail::providers::ollama {

[[nodiscard]] std::unique_ptr<AnswerDecoder> make_decoder(bool stream, const DecoderLimits& limits);

}  // namespace tokenrail::providers::ollama
