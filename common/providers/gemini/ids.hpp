// Ids of tool calls that came without one. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tokenrail::providers::gemini {

/// An id for the call of that number, counted from 1, that no other answer has. At most 40 bytes, as some providers
/// demand, in case the conversation goes on at one of them.
[[nodiscard]] std::string made_up_id(std::size_t number, std::string_view response_id);

/// Whether made_up_id() made it. The provider has never seen such an id, so it does not go back to it.
[[nodiscard]] bool is_made_up(std::string_view id);

}  // namespace tokenrail::providers::gemini
