// From the body of POST …/chat to a question. Pure.
#pragma once

#include <chrono>
#include <expected>
#include <string>

#include "common/chat/client.hpp"
#include "workers/registry_api/json_value.hpp"
#include "workers/registry_api/problem.hpp"

namespace tokenrail::registry_api {

/// What the server says of a question, whatever its body says.
struct Asker {
  std::string request_id;
  std::string org_id;
  std::string user_id;
  std::chrono::milliseconds timeout{};
};

/// `body` fits schemas::chat_input(). Problem (invalid_body): what a router would refuse, with the field.
[[nodiscard]] std::expected<chat::Question, Problem> chat_question(const Json& body, const Asker& asker);

}  // namespace tokenrail::registry_api
