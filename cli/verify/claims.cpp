#include "cli/verify/claims.hpp"

#include <utility>

namespace tokenrail::verify {

std::optional<std::int64_t> Claims::claimed(std::int64_t epoch, std::int64_t previous, Claim claim) {
  if (first_at_ < 0) first_at_ = claim.at;
  const auto before = claims_.find(previous);
  claim.upon_lost = before != claims_.end() && !before->second.released;
  const auto [known, fresh] = instances_.try_emplace(claim.instance, claim.at);
  const auto earlier = fresh ? std::nullopt : std::optional(known->second);
  claims_.insert_or_assign(epoch, std::move(claim));
  if (claims_.size() > claims_max) {
    instances_.erase(claims_.begin()->second.instance);
    claims_.erase(claims_.begin());
  }
  return earlier;
}

void Claims::released(std::int64_t epoch) {
  if (const auto it = claims_.find(epoch); it != claims_.end()) it->second.released = true;
}

std::optional<std::int64_t> Claims::dispatched(std::int64_t epoch, std::int64_t ms) {
  const auto it = claims_.find(epoch);
  if (it == claims_.end() || std::exchange(it->second.dispatched, true)) return std::nullopt;
  if (!it->second.upon_lost || ms < 0 || it->second.ms < 0) return std::nullopt;
  return ms - it->second.ms;
}

const Claims::Claim* Claims::find(std::int64_t epoch) const {
  const auto it = claims_.find(epoch);
  return it == claims_.end() ? nullptr : &it->second;
}

}  // namespace tokenrail::verify
