// What the registry should hold of prices, by rules that are worked out here once more: which price of a list or of a
// catalogue counts, what waits for a person, and what a model then costs on each of its connections. Pure.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/catalog/catalog.hpp"
#include "common/events/model_event.hpp"
#include "common/price.hpp"

namespace tokenrail::registry_sync {

/// Micro-dollars by dimension, of the standard tier, whatever the prompt and the time of day.
using Costs = std::map<PriceDimension, std::int64_t>;

[[nodiscard]] std::vector<Price> prices_of(const Costs& costs);
[[nodiscard]] Costs costs_of(const std::vector<Price>& prices);
[[nodiscard]] Costs costs_of(const events::ModelPrices& prices);

/// A price that grew or fell to a tenth, became free, or is no longer free.
[[nodiscard]] bool suspicious(const Costs& before, const Costs& after);

/// A model on one connection.
struct Place {
  std::string connection;
  std::string model;
  friend auto operator<=>(const Place&, const Place&) = default;
};

class PriceOracle {
 public:
  /// A list says that. Returns whether it waits for a person.
  [[nodiscard]] bool list(const Place& place, const Costs& said, bool accept);
  void accept_listed(const Place& place, const Costs& said) { listed_[place] = said; }
  [[nodiscard]] const Costs& listed(const Place& place) { return listed_[place]; }

  /// An entry of a catalogue. Returns whether something of it waits for a person.
  [[nodiscard]] bool read(catalog::Source source, const catalog::Row& row, bool accept);
  /// A person decides. False: nothing of the entry waits.
  [[nodiscard]] bool decide(catalog::Source source, const std::string& model, bool accept);
  struct Entry {
    catalog::Row counts;
    std::optional<catalog::Row> waiting{};
    std::optional<catalog::Row> rejected{};
  };
  [[nodiscard]] const std::map<std::pair<catalog::Source, std::string>, Entry>& entries() const { return entries_; }

  /// What a person set of the model; connection empty: on all connections. None: the person gives them back.
  void set(const Place& place, const Costs& own) { own_[place] = own; }

  [[nodiscard]] Costs cost(const Place& place) const;

 private:
  std::map<Place, Costs> own_{};
  std::map<Place, Costs> listed_{};
  std::map<std::pair<catalog::Source, std::string>, Entry> entries_{};
};

}  // namespace tokenrail::registry_sync
