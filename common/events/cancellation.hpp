// A record on `chat.cancellations`: a client asks for a request to be ended (schemas/chat-cancellation.schema.json).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace tokenrail::events {

struct Cancellation {
  std::string org_id;
  std::string request_id;
  std::string reason{};  ///< for people
};

[[nodiscard]] std::string to_json(const Cancellation& cancellation);

/// Errors: invalid_input, for what is not JSON or lacks orgId or requestId.
[[nodiscard]] Result<Cancellation> parse_cancellation(const std::optional<std::string>& value);

}  // namespace tokenrail::events
