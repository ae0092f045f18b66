// What an import would change: a catalogue against what is stored of it. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/catalog/catalog.hpp"

namespace tokenrail::catalog {

/// An entry as it is stored.
struct KnownEntry {
  Row row;
  std::optional<Row> held{};      ///< a later one, of which something waits for a person
  std::optional<Row> rejected{};  ///< a later one, of which a person rejected what was held
  bool gone = false;              ///< the last import lacked it
};

struct PlannedEntry {
  enum class Kind {
    added,
    changed,
    held,      ///< something of it is suspicious: it is stored beside what counts
    released,  ///< the catalogue has gone back to what counts: nothing is held any more
    gone,      ///< the catalogue lacks it; what it said still counts
  };
  Kind kind = Kind::added;
  Row row;                             ///< as the catalogue has it; of one that is gone only its names count
  std::optional<Row> counts{};         ///< what of it counts; nothing: all
  std::vector<std::string> changes{};  ///< for people: "input 2.5 -> 5"
  std::string reason{};                ///< of one that is held
  bool keeps_rejected = false;         ///< the entry repeats what a person rejected
};
[[nodiscard]] std::string_view name_of(PlannedEntry::Kind kind);

struct Plan {
  std::vector<PlannedEntry> entries{};  ///< what is to be written, in the order of the catalogue
  std::size_t unchanged = 0;
  std::size_t held_already = 0;  ///< held by an earlier import, for the same reason
  [[nodiscard]] std::size_t count(PlannedEntry::Kind kind) const;
};

/// `accept_held`: what is suspicious is applied. Errors: conflict, where the catalogue has less than half of the
/// entries that are known, and `accept_held` is off.
[[nodiscard]] Result<Plan> plan_import(const Catalog& catalog, const std::vector<KnownEntry>& known, bool accept_held);

/// Which parts of a later entry are applied without a person's review.
struct Belief {
  Row row;                       ///< the later entry, with what is held as it was before
  std::set<std::string> held{};  ///< "prices", "contextWindow", "capabilities.tools"; empty: nothing
  std::string reason{};          ///< for people, why; empty: nothing is held
};
/// Limits that shrink or vanish and capabilities that vanish are held. All prices of an entry are held as soon as one
/// of them grew or fell to a tenth, became free, is no longer free, or vanished.
[[nodiscard]] Belief believe(const Row& before, const Row& after);

/// Why prices are held; empty: they are not.
[[nodiscard]] std::string suspicion_of(const std::vector<Price>& before, const std::vector<Price>& after);

/// Micro-dollars as dollars: "2.5".
[[nodiscard]] std::string dollars(std::int64_t micros);
/// "input", "output/batch", "input@200001", "input@16:30-00:30".
[[nodiscard]] std::string words_of(const PriceKey& key);

}  // namespace tokenrail::catalog
