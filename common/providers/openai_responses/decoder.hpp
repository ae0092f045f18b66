// Answers of the Responses API: server-sent events while streaming, one `response` object otherwise. Pure.
#pragma once

#include <cstddef>
#include <memory>

#include "common/providers/answer.hpp"
#include "common/providers/target.hpp"

namespace tokenrail::providers::openai_responses {

/// `prompt_bytes`: of the text that was sent; the usage is estimated from it where the provider reports none.
[[nodiscard]] std::unique_ptr<AnswerDecoder> make_decoder(bool stream, const DecoderLimits& limits,
                                                          const Target& target, std::size_t prompt_bytes = 0);

}  // namespace tokenrail::providers::openai_responses
