// Anthropic's answers: server-sent events while streaming, one message object otherwise. Pure.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "common/providers/provider.hpp"

namespace tokenrail::providers::anthropic {

/// `provider`: the name that opaque blocks carry. `prompt_bytes`: of the request's text, for an estimate where the
/// answer has no usage.
[[nodiscard]] std::unique_ptr<AnswerDecoder> make_decoder(bool stream, std::string_view provider,
                                                          const DecoderLimits& limits, std::size_t prompt_bytes = 0);

}  // namespace tokenrail::providers::anthropic
