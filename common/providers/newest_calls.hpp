// The tool calls of a conversation by their ids, while its messages are walked in their order: a search through all
// earlier messages for each result would be a square of the request. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string_view>

#include "common/events/chat_request.hpp"

namespace tokenrail::providers {

class NewestCalls {
 public:
  struct Found {
    const events::ToolCall* call = nullptr;  ///< null: none so far has the id
    std::size_t place = 0;                   ///< in its message
  };

  /// The next message, which must live as long as this.
  void add(const events::Message& message);
  /// The call of the newest message that has one of this id, its first there; none for an empty id.
  [[nodiscard]] Found find(std::string_view id) const;

 private:
  std::map<std::string_view, Found> calls_{};
};

}  // namespace tokenrail::providers
