// The claims of one partition, as its audit log has them: who claimed which epoch, who gave up in order, and how long
// the next owner took. Pure. Bounded: the newest claims.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

namespace tokenrail::verify {

class Claims {
 public:
  struct Claim {
    std::string instance;
    std::int64_t at = -1;         ///< offset in llm.audit
    std::int64_t ms = -1;         ///< of its record
    std::int64_t broker_ms = -1;  ///< the same, where the broker's clock made it
    bool released = false;
    bool upon_lost = false;  ///< the ownership before it was not given up
    bool dispatched = false;
  };

  /// A claim that took effect. `previous`: the epoch before it (0: none known).
  /// Returns the offset of an earlier claim by the same instance, of which there must be none.
  std::optional<std::int64_t> claimed(std::int64_t epoch, std::int64_t previous, Claim claim);
  void released(std::int64_t epoch);
  /// The first llm.request under an epoch: how long after the claim, where that followed an ownership that was lost.
  std::optional<std::int64_t> dispatched(std::int64_t epoch, std::int64_t ms);

  [[nodiscard]] const Claim* find(std::int64_t epoch) const;
  /// Where the first claim that took effect was read; -1: none yet.
  [[nodiscard]] std::int64_t first_at() const { return first_at_; }
  [[nodiscard]] bool any() const { return !claims_.empty(); }
  [[nodiscard]] std::int64_t highest() const { return claims_.empty() ? 0 : claims_.rbegin()->first; }

 private:
  static constexpr std::size_t claims_max = 10'000;
  std::map<std::int64_t, Claim> claims_{};
  std::int64_t first_at_ = -1;
  std::unordered_map<std::string, std::int64_t> instances_{};  // offset of the claim
};

}  // namespace tokenrail::verify
