// Changes of a provider's list or of a catalogue that look wrong. They are not applied before a person accepts them.
// Values and rules; pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/model_event.hpp"

namespace tokenrail::registry {

/// What a held change is about: fields of one model, or the models that a connection no longer lists.
struct HeldValues {
  std::optional<std::int64_t> context_window{};
  std::optional<std::int64_t> input_tokens_max{};
  std::optional<std::int64_t> output_tokens_max{};
  std::map<std::string, events::Support> capabilities{};
  std::vector<Price> prices{};      ///< all that the list says, in the order of their keys
  std::set<std::string> missing{};  ///< model names
  [[nodiscard]] bool empty() const { return *this == HeldValues{}; }
  friend bool operator==(const HeldValues&, const HeldValues&) = default;
};

/// One JSON object; empty text where there are no values.
[[nodiscard]] std::string to_json(const HeldValues& values);
/// A text that is no such object has no values.
[[nodiscard]] HeldValues parse_held_values(std::string_view json);

struct HeldChange {
  std::string id{};        ///< of its row; empty: it has none yet
  std::string model_id{};  ///< empty: the change takes models of the connection away
  std::string model_name{};
  std::string connection_name{};
  std::string catalog{};  ///< of an entry of a catalogue, which is of no connection; empty: of a list
  HeldValues before{};    ///< of a model: the same fields as `after`
  HeldValues after{};
  std::string reason{};
  std::string decision{};  ///< empty: a person has yet to decide. Else accepted or rejected
  std::int64_t since_ms = 0;
};

/// What of a model's change looks wrong: a limit that shrinks, a capability that vanishes, a price of the connection
/// that grows or falls to a tenth, becomes free or is no longer free. Nothing: nothing does.
[[nodiscard]] std::optional<HeldChange> suspicious_change(const events::ModelState& before,
                                                          const events::ModelState& after,
                                                          const std::vector<Price>& prices_before = {},
                                                          const std::vector<Price>& prices_after = {});

/// Sets the fields of the model that the values have.
void set_values(events::ModelState& model, const HeldValues& values);

/// "m:1b: the context window would shrink from 8 to 4 (and 2 more)", for people. `changes` is not empty.
[[nodiscard]] std::string held_detail(const std::vector<HeldChange>& changes);
/// held_detail() with the time since when, and the command that decides the first; empty where there are none.
[[nodiscard]] std::string held_words(const std::vector<HeldChange>& changes);

/// Whether a decision on `decided` holds for `change` too: the list repeats the value, or takes fewer models away.
[[nodiscard]] bool repeats(const HeldChange& change, const HeldChange& decided);

}  // namespace tokenrail::registry
