// The messages of a chat request in Cohere's form. Private to this folder.
#pragma once

#include <string_view>

#include "common/events/chat_request.hpp"
#include "common/events/json_writer.hpp"
#include "common/result.hpp"

namespace tokenrail::providers::cohere {

/// `provider`: whose reasoning goes along. Errors: invalid_input, naming the message.
[[nodiscard]] Result<void> write_messages(events::JsonWriter& json, const events::ChatRequest& request,
                                          std::string_view provider);

}  // namespace tokenrail::providers::cohere
