// Histories by seed: run one, make a failing one short, search many.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/oracle.hpp"
#include "tests/simulation/plan.hpp"

namespace tokenrail::simulation {

struct History {
  std::uint64_t seed = 0;
  std::optional<Violation> violation{};
  std::uint64_t hash = 0;   ///< of everything that happened
  std::uint64_t steps = 0;  ///< events
  Oracle::Figures figures{};
};

/// `items`: only these of the plan; empty: all. `spoken`: tells what happens on standard output.
[[nodiscard]] History run_history(std::uint64_t seed, const std::vector<std::size_t>& items = {}, bool spoken = false);

/// The fewest items of that seed's plan, as far as they were found in that time, with which the same promise breaks.
struct Shortest {
  std::vector<std::size_t> items{};
  Violation violation{};
};
[[nodiscard]] Shortest shortest(std::uint64_t seed, const Violation& violation, std::chrono::seconds time);

/// What the items of a plan are, one line each.
[[nodiscard]] std::string described(const Plan& plan);

/// "0,3-5" for 0, 3, 4, 5; nothing for text that is no such list.
[[nodiscard]] std::string to_text(const std::vector<std::size_t>& items);
[[nodiscard]] std::optional<std::vector<std::size_t>> items_from(std::string_view text);

struct Search {
  std::uint64_t from = 1;
  std::uint64_t seeds = 1'000;
  int jobs = 1;  ///< processes
  std::chrono::seconds time = std::chrono::hours(24);
  bool stop_at_first = true;
  bool digests = false;  ///< keeps the hash of every history
};
/// Two versions of the router that do the same have the same digest of each seed.
struct Digest {
  std::uint64_t seed = 0;
  std::uint64_t hash = 0;  ///< History::hash
  std::uint64_t steps = 0;
};
struct Found {
  std::uint64_t histories = 0;
  std::uint64_t steps = 0;
  Oracle::Figures figures{};
  std::vector<History> red{};     ///< lowest seed first
  std::vector<Digest> digests{};  ///< lowest seed first
  bool died = false;              ///< one of the processes ended without an answer
  double seconds = 0;
};
/// Runs the seeds in processes of their own; a crash of the core is an answer too.
[[nodiscard]] Found search(const Search& search);

}  // namespace tokenrail::simulation
