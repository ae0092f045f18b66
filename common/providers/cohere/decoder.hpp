// Cohere's answers: server-sent events while streaming, one object otherwise. Pure.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "common/providers/provider.hpp"

namespace tokenrail::providers::cohere {

/// `prompt_bytes`: of the request's texts, for an answer without usage. `tools`: the request offers some.
[[nodiscard]] std::unique_ptr<AnswerDecoder> make_decoder(bool stream, const DecoderLimits& limits, std::string title,
                                                          std::size_t prompt_bytes, bool tools = false);

}  // namespace tokenrail::providers::cohere
