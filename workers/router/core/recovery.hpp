// From a partition's tails to a plan: what a new owner has to write before it runs anything (design §6.5 c, d). One
// function for a start, a rebalance, a repair and a lease that has run out. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/events/audit.hpp"
#include "common/events/audit_fold.hpp"
#include "common/events/chunk.hpp"

namespace tokenrail::router {

/// Terminal chunks found in the tail of the chunk log, of attempts that have no response yet.
class TerminalTail {
 public:
  struct Found {
    std::int64_t chunk_offset = -1;
    events::Chunk chunk{};
  };
  /// The first one of an attempt stands; others are ignored.
  void found(std::int64_t chunk_offset, events::Chunk chunk);
  [[nodiscard]] const Found* find(std::int64_t source_offset, std::int64_t attempt) const;
  void forget(std::int64_t source_offset, std::int64_t attempt) { found_.erase({source_offset, attempt}); }
  void clear() { found_.clear(); }

 private:
  std::map<std::pair<std::int64_t, std::int64_t>, Found> found_{};
};

/// An attempt that nobody will end, and how its new owner closes it.
struct Closing {
  events::AttemptIds ids{};  ///< of the attempt; its epoch and instance are replaced when it is written
  const TerminalTail::Found* terminal = nullptr;  ///< in the log: the response is made from it. nullptr: interrupted
};

using events::cause_cut;
using events::cause_lost;
using events::cause_refused;
using events::cause_repair;

/// Every attempt without a response that counts, oldest first. Attempts that a worker which gave the partition up in
/// order goes on with are left alone.
[[nodiscard]] std::vector<Closing> plan_recovery(const events::AuditFold& fold, const TerminalTail& terminals);
/// The same for one attempt whose lease has run out.
[[nodiscard]] Closing plan_closing(const events::AuditFold::Attempt& attempt, const TerminalTail& terminals);

/// The response that closes it, under the closer's own epoch and instance. The cause is `repair` where the attempt was
/// begun by the closer's own process.
[[nodiscard]] events::LlmResponse response_of(const Closing& closing, std::int64_t epoch, const std::string& instance);

}  // namespace tokenrail::router
