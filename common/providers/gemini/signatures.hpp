// Thought signatures of an earlier answer, and the parts of it that they go back to. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"

namespace tokenrail::providers::gemini {

/// The data of an opaque block, as the decoder writes it.
struct Signature {
  std::string part{};    ///< "text", "call" or "thought"
  std::string id{};      ///< of the call
  std::size_t from = 0;  ///< of a text: bytes of the answer's text before it, and its own
  std::size_t bytes = 0;
  std::size_t calls = 0;  ///< of a text: calls before it
  std::string value{};
};

/// Reads the blocks of this provider and counts unreadable ones in `unreadable`. Ignores other blocks.
[[nodiscard]] std::vector<Signature> signatures_of(const events::Message& message, std::string_view provider,
                                                   std::size_t& unreadable);

/// A piece of a message's text, with its signature.
struct TextPiece {
  std::string_view text{};
  std::string_view signature{};
  std::size_t calls = 0;  ///< it comes after that many calls
};

/// The text cut into the parts in which it came. Where it is not the text of that answer any more, the last piece gets
/// the signature.
[[nodiscard]] std::vector<TextPiece> pieces_of(std::string_view text, const std::vector<Signature>& signatures);

}  // namespace tokenrail::providers::gemini
