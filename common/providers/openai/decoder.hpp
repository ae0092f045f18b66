// Answers of /v1/chat/completions: `chat.completion.chunk` events while streaming, one `chat.completion` otherwise.
// Pure.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "common/providers/openai/chat_profile.hpp"
#include "common/providers/provider.hpp"

namespace tokenrail::providers::openai {

struct DecoderContext {
  bool stream = true;
  DecoderLimits limits{};
  std::string provider{};  ///< of the connection; opaque blocks carry it
  std::string_view adapter = "openai";
  std::string model{};                   ///< that was asked for; empty: not compared with the answer's
  const ChatProfile* profile = nullptr;  ///< null: that of any server
  bool tools = false;                    ///< the request offers some: any event may be a part of a call
  std::string repeated{};                ///< text of the request that the answer repeats first; it is left out
  std::size_t prompt_bytes = 0;          ///< of text; for an estimate of the usage, where the provider reports none
};
[[nodiscard]] std::unique_ptr<AnswerDecoder> make_decoder(DecoderContext context);

}  // namespace tokenrail::providers::openai
