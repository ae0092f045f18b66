// Where a partition is between its claim and its end, and which phase may follow which. Pure.
//
//   claiming → (locating →) reading_audit → reading_chunks → committing → running: at a start, and after every repair;
//     locating where no commit says where the logs are to be read from
//   any of these → draining_reports → verifying_ownership → claiming …: a report that is not OK, a higher claim
//   running → releasing → continuing → closed: released in order; attempts that run are finished here
//   any → closed: taken away out of order
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tokenrail::router {

enum class PartitionPhase : std::uint8_t {
  claiming,             ///< the claim is on its way to llm.audit
  locating,             ///< where the tails begin is being asked
  reading_audit,        ///< the tail of llm.audit, up to the claim
  reading_chunks,       ///< the tail of chat.chunks
  committing,           ///< the first commit under the claim's epoch
  running,              ///< requests are started
  releasing,            ///< `router.released` is on its way
  continuing,           ///< another worker owns it; attempts that were listed run here
  draining_reports,     ///< what was sent is awaited, after a failure
  verifying_ownership,  ///< the coordinator is asked whether it is still ours
  closed,
};
inline constexpr std::size_t partition_phases = static_cast<std::size_t>(PartitionPhase::closed) + 1;

[[nodiscard]] constexpr std::string_view name_of(PartitionPhase phase) {
  constexpr std::array<std::string_view, partition_phases> names{
      "claiming",  "locating",   "reading_audit",    "reading_chunks",      "committing", "running",
      "releasing", "continuing", "draining_reports", "verifying_ownership", "closed"};
  return names[static_cast<std::size_t>(phase)];
}

[[nodiscard]] constexpr bool may_follow(PartitionPhase from, PartitionPhase to) {
  using enum PartitionPhase;
  switch (to) {
    case claiming:
      return from == verifying_ownership;
    case locating:
      return from == claiming;
    case reading_audit:
      return from == claiming || from == locating;
    case reading_chunks:
      return from == reading_audit;
    case committing:
      return from == reading_chunks;
    case running:
      return from == committing;
    case releasing:
      return from == running;
    case continuing:
      return from == releasing;
    case draining_reports:
      return from <= running || from == verifying_ownership;
    case verifying_ownership:
      return from == draining_reports || from == verifying_ownership;
    case closed:
      return true;
  }
  return false;
}

}  // namespace tokenrail::router
