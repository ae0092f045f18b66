// The items of an answer (messages, function calls, reasoning) as far as their events have arrived: which part of
// which item was delivered already, so that a text that comes in pieces and again as a whole is delivered once.
// Included by .cpp files only. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/events/chat_request.hpp"
#include "common/events/json_document.hpp"

namespace tokenrail::providers::openai_responses {

enum class ItemKind { message, call, reasoning, other };
[[nodiscard]] ItemKind kind_of_item(std::string_view type);

/// The text of a field without a copy; empty where it is no text.
[[nodiscard]] std::string_view text_at(const events::ObjectReader& object, std::string_view name);

struct Item {
  struct Part {
    std::size_t bytes = 0;  ///< delivered
  };
  static constexpr std::size_t part_bytes = 64;  ///< what a part takes in the map

  ItemKind kind = ItemKind::other;
  std::optional<std::int64_t> index{};
  std::string id{};
  bool done = false;                          ///< its whole form has arrived
  bool numbered = true;                       ///< every piece named the part that it belongs to
  std::size_t bytes = 0;                      ///< delivered of all parts
  std::map<std::int64_t, Part> parts{};       ///< by their index
  std::optional<std::int64_t> newest_part{};  ///< its index
  events::ToolCall call{};                    ///< of a function call: what its pieces say
  std::string_view
      reasoning_form{};   ///< which of the two texts of a reasoning item is delivered: the one that came first
  std::size_t place = 0;  ///< among the items, in the order in which they began

  /// The part that an event names; without a name the latest.
  [[nodiscard]] Part& part(std::optional<std::int64_t> wanted);
  [[nodiscard]] bool has_part(std::int64_t wanted) const;
  /// No piece of it is expected any more.
  void drop_parts();
};

class OutputItems {
 public:
  static constexpr std::size_t item_bytes = sizeof(Item) + 192;  ///< with its places in the maps

  /// `response.output_item.added`. An item that is known is not begun again. `fresh`: whether it is a new one.
  Item& begin(const events::ObjectReader& event, const events::ObjectReader& item, bool& fresh);
  /// The item that an event belongs to: by its place in the answer, else by its id, else the latest of that kind. Some
  /// servers send another id with each event, so the place counts first. Made where it is not known.
  Item& of(const events::ObjectReader& event, ItemKind kind, std::string_view id, bool& fresh);
  /// Gives an item its id that has none yet.
  void name(Item& item, std::string_view id);
  /// The pieces of the calls with these ids or places are not needed any more: they came whole.
  void end_calls(const std::set<std::string_view>& ids, const std::set<std::int64_t>& places);
  [[nodiscard]] std::deque<Item>& all() { return items_; }
  [[nodiscard]] const std::deque<Item>& all() const { return items_; }

 private:
  /// The newest items of a kind. Ordered, not hashed: a provider that chooses the numbers and ids could choose those of
  /// one bucket.
  struct Newest {
    std::map<std::int64_t, std::size_t> of_index{};
    std::map<std::string_view, std::size_t> of_id{};
    std::optional<std::size_t> of_all{};
  };
  Newest& newest(ItemKind kind) { return newest_[static_cast<std::size_t>(kind)]; }
  Item* find(std::optional<std::int64_t> index, std::string_view id, ItemKind kind);
  Item& add(std::optional<std::int64_t> index, std::string_view id, ItemKind kind);

  std::deque<Item> items_{};  ///< whose ids the maps view
  std::array<Newest, 4> newest_{};
};

}  // namespace tokenrail::providers::openai_responses
