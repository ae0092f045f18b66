// The messages of a chat request as this API has them. Included by .cpp files only. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/events/chat_request.hpp"
#include "common/events/json_writer.hpp"
#include "common/providers/openai/chat_profile.hpp"
#include "common/result.hpp"

namespace tokenrail::providers::openai {

/// Writes the field `messages`. `title`: how messages name the provider; `provider`: whose opaque blocks go along.
/// Errors: invalid_input, naming the message, for what the provider does not take.
[[nodiscard]] Result<void> write_messages(events::JsonWriter& json, const events::ChatRequest& request,
                                          const ChatProfile& profile, std::string_view title,
                                          std::string_view provider);

/// The text that the answer is to go on from: of the last message, where it is an assistant's and calls no tools.
[[nodiscard]] std::string prefill_of(const events::ChatRequest& request);

/// An id of nine letters and digits: the id itself where it is one, else one that depends on it alone.
[[nodiscard]] std::string short_call_id(std::string_view id);

}  // namespace tokenrail::providers::openai
