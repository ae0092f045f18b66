// Tool calls put together from the fragments in which OpenAI-like streams send them. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/events/chat_request.hpp"

namespace tokenrail::providers {

/// Limit for one answer; one that has more is PROVIDER_PROTOCOL. A call may come without any text, so the bound of the
/// answer's text does not bound the size that a server makes of them.
inline constexpr std::size_t tool_calls_max = 4096;
/// The message about an answer that has more. `title`: of the provider.
[[nodiscard]] std::string too_many_calls_text(std::string_view title);

class ToolCallAssembler {
 public:
  struct Fragment {
    std::optional<std::int64_t> index{};  ///< of the call in the answer; negative or nothing: the sender has none
    std::string_view id{};                ///< may be missing, and may be repeated by each fragment
    std::string_view name{};
    std::string_view arguments{};  ///< a piece of JSON text
  };
  /// A fragment belongs to the call of its index; without one, to that of its id; without both, to the latest call. One
  /// that has another id than the call of its index begins a new call: servers exist that number every call 0. False:
  /// it would begin one more than tool_calls_max, and is not taken.
  [[nodiscard]] bool add(const Fragment& fragment);

  [[nodiscard]] bool empty() const { return calls_.empty(); }
  /// The size of what is held: the text, and what each call takes beside it.
  [[nodiscard]] std::size_t bytes() const { return text_bytes_ + calls_.size() * call_bytes; }
  [[nodiscard]] std::size_t text_bytes() const { return text_bytes_; }

  struct Taken {
    std::vector<events::ToolCall> whole{};
    std::string problem{};  ///< of the first call without a name, or whose arguments are not one JSON object
  };
  /// The calls in the order of their first fragments. Without arguments a call has `{}`; without an id it gets one.
  /// Nothing is left here.
  [[nodiscard]] Taken take();

 private:
  struct Open {
    std::int64_t index = -1;
    events::ToolCall call{};
  };
  static constexpr std::size_t call_bytes = sizeof(Open) + 256;  ///< with its places in the maps

  /// The place of the call that the fragment belongs to; nothing where it begins one.
  [[nodiscard]] std::optional<std::size_t> find(const Fragment& fragment) const;
  void name(std::size_t place, std::string_view id);

  // Ordered, not hashed: a provider that chooses the numbers and ids could choose those of one bucket.
  std::deque<Open> calls_{};                         ///< whose ids the maps view
  std::map<std::int64_t, std::size_t> of_index_{};   ///< the latest with this index, from 0 on
  std::map<std::string_view, std::size_t> of_id_{};  ///< the latest with this id
  std::map<std::pair<std::int64_t, std::string_view>, std::size_t> of_both_{};
  std::size_t text_bytes_ = 0;
};

/// Writes its arguments as regular_arguments() does. What keeps the call from being used, for a message; empty:
/// nothing.
[[nodiscard]] std::string make_regular(events::ToolCall& call);
/// Arguments as one JSON object without blanks; empty text is `{}`. False where they are not.
[[nodiscard]] bool regular_arguments(std::string& arguments);

}  // namespace tokenrail::providers
