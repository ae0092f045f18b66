#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "common/providers/answer.hpp"

namespace tokenrail::providers::gemini {

/// What the decoder must know of the call that it answers.
struct AnswerContext {
  std::string provider = "gemini";  ///< of the connection; opaque blocks name it
  std::string title = "Gemini";     ///< as messages name it
  bool tools = false;               ///< the request offers some: any event may be a part of a call
  std::size_t prompt_bytes = 0;     ///< of text; for an estimate where no usage comes
};

/// Decodes :streamGenerateContent (server-sent events, or the list that comes without `alt=sse`) and :generateContent.
/// The first byte of the body says which it is.
[[nodiscard]] std::unique_ptr<AnswerDecoder> make_decoder(bool stream, const DecoderLimits& limits,
                                                          AnswerContext context = {});

}  // namespace tokenrail::providers::gemini
