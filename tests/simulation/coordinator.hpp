// The group coordinator: members, generations, and who is dealt which partitions (the eager protocol).
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "tests/simulation/random.hpp"
#include "tests/simulation/scheduler.hpp"

namespace tokenrail::simulation {

class World;

class Coordinator {
 public:
  Coordinator(World& world, int partitions, std::uint64_t seed) : world_(world), partitions_(partitions), luck_(seed) {}

  /// A process is there (again) and waits for its partitions.
  void join(int process, std::uint64_t join);
  void leave(int process);
  /// Its session has run out, or it did not come back in time. `told`: it hears of it.
  void put_out(int process, bool told = true);
  /// The same where the process has not joined again since.
  void put_out_unless_back(int process, std::uint64_t join);
  [[nodiscard]] std::uint64_t join_of(int process) const;
  void rebalance();
  /// Deals everything to that process while it is a member; -1: to anybody.
  void favour(int process) { favoured_ = process; }

  [[nodiscard]] bool is_member(int process) const { return members_.contains(process); }
  [[nodiscard]] std::int64_t generation() const { return generation_; }
  [[nodiscard]] bool stable() const { return !rebalancing_; }
  [[nodiscard]] std::size_t members() const { return members_.size(); }

 private:
  struct Member {
    std::uint64_t join = 0;  ///< the number of its newest join
    bool here = false;       ///< has joined the round
    std::vector<int> partitions{};
  };

  /// `joining`: the one whose coming began it; it need not be told.
  void begin(int joining);
  void complete_when_all_are_here();
  void deal(std::uint64_t round);

  World& world_;
  int partitions_;
  Random luck_;
  std::map<int, Member> members_{};
  int favoured_ = -1;
  std::int64_t generation_ = 0;
  std::uint64_t round_ = 0;
  bool rebalancing_ = false;
  bool deal_due_ = false;
};

}  // namespace tokenrail::simulation
