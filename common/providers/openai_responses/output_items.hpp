// The items of an answer (messages, function calls, reasoning) as far as their events have arrived: which part of
// which item was delivered already, so that a text that comes in pieces and again as a whole is delivered once.
// Included by .cpp files only. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/events/json_document.hpp"

namespace tokenrail::providers::openai_responses {

enum class ItemKind { message, call, reasoning, other };
[[nodiscard]] ItemKind kind_of_item(std::string_view type);

/// The text of a field without a copy; empty where it is no text.
[[nodiscard]] std::string_view text_at(const events::ObjectReader& object, std::string_view name);

struct Item {
  struct Part {
    std::int64_t index = 0;
    std::size_t bytes = 0;  ///< delivered
  };

  ItemKind kind = ItemKind::other;
  std::optional<std::int64_t> index{};
  std::string id{};
  bool done = false;      ///< its whole form has arrived
  bool numbered = true;   ///< every piece named the part that it belongs to
  std::size_t bytes = 0;  ///< delivered of all parts
  std::vector<Part> parts{};
  events::ToolCall call{};  ///< of a function call: what its pieces say
  std::string_view
      reasoning_form{};  ///< which of the two texts of a reasoning item is delivered: the one that came first

  /// The part that an event names; without a name the latest.
  [[nodiscard]] Part& part(std::optional<std::int64_t> wanted);
  [[nodiscard]] bool has_part(std::int64_t wanted) const;
};

class OutputItems {
 public:
  /// `response.output_item.added`. An item that is known is not begun again. `fresh`: whether it is a new one.
  Item& begin(const events::ObjectReader& event, const events::ObjectReader& item, bool& fresh);
  /// The item that an event belongs to: by its place in the answer, else by its id, else the latest of that kind. Some
  /// servers send another id with each event, so the place counts first. Made where it is not known.
  Item& of(const events::ObjectReader& event, ItemKind kind, std::string_view id, bool& fresh);
  /// The pieces of this call are not needed any more: it came whole.
  void end_call(const Item& whole);
  [[nodiscard]] std::vector<Item>& all() { return items_; }
  [[nodiscard]] const std::vector<Item>& all() const { return items_; }

 private:
  Item* find(std::optional<std::int64_t> index, std::string_view id, ItemKind kind);
  std::vector<Item> items_{};
};

}  // namespace tokenrail::providers::openai_responses
