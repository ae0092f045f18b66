// From a partition's tails to a plan: what a new owner has to write before it runs anything (protocol R18, R19). One
// function for a start, a rebalance, a repair and a lease that has run out. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/audit.hpp"
#include "common/events/audit_fold.hpp"
#include "common/events/chunk.hpp"
#include "workers/router/core/answer_tail.hpp"
#include "workers/router/core/well_workers.hpp"

namespace tokenrail::router {

/// An attempt that nobody will end, and how its new owner closes it.
struct Closing {
  events::AttemptIds ids{};                 ///< of the attempt; its epoch and instance are replaced when it is written
  const events::Chunk* terminal = nullptr;  ///< of a whole answer: the response is made from it. nullptr: interrupted
  bool worker_is_well = false;              ///< it gave the attempt up, and was not lost
};

using events::cause_cut;
using events::cause_lost;
using events::cause_refused;
using events::cause_repair;

/// Every attempt without a response that counts, oldest first. Attempts that a worker which gave the partition up in
/// order goes on with are left alone.
[[nodiscard]] std::vector<Closing> plan_recovery(const events::AuditFold& fold, const AnswerTail& answers,
                                                 const WellWorkers& well);
/// The same for one attempt whose lease has run out.
[[nodiscard]] Closing plan_closing(const events::AuditFold::Attempt& attempt, const AnswerTail& answers,
                                   const WellWorkers& well);

/// The response that closes it, under the closer's own epoch and instance. The cause is `lost` only where the worker
/// was lost: not where the attempt was begun by the closer's own process, or by a worker that gave it up.
[[nodiscard]] events::LlmResponse response_of(const Closing& closing, std::int64_t epoch, const std::string& instance);

}  // namespace tokenrail::router
