// Tool calls put together from the fragments in which OpenAI-like streams send them. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/result.hpp"

namespace tokenrail::providers {

class ToolCallAssembler {
 public:
  struct Fragment {
    std::optional<std::int64_t> index{};  ///< of the call in the answer; negative or nothing: the sender has none
    std::string_view id{};                ///< may be missing, and may be repeated by each fragment
    std::string_view name{};
    std::string_view arguments{};  ///< a piece of JSON text
  };
  /// A fragment belongs to the call of its index; without one, to that of its id; without both, to the latest call. One
  /// that has another id than the call of its index begins a new call: servers exist that number every call 0.
  void add(const Fragment& fragment);

  [[nodiscard]] bool empty() const { return calls_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// The calls in the order of their first fragments. Without arguments a call has `{}`; without an id it gets one.
  /// Errors: invalid_input, naming the first call whose arguments are not one JSON object. Nothing is left here.
  [[nodiscard]] Result<std::vector<events::ToolCall>> take();

 private:
  struct Open {
    std::int64_t index = -1;
    events::ToolCall call{};
  };
  Open& find(const Fragment& fragment);

  std::vector<Open> calls_{};
  std::size_t bytes_ = 0;
};

/// Arguments as one JSON object without blanks; empty text is `{}`. False where they are not.
[[nodiscard]] bool regular_arguments(std::string& arguments);

}  // namespace tokenrail::providers
