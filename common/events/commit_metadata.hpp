// The commit metadata of chat.requests: ASCII, `tr1 <epoch> <auditOffset> <chunkOffset>`, and behind it fields that
// were added since, `name=value` with a blank before each. Fields are appended and never changed, so every version
// reads what it knows. Pure.
//
// `at=<epoch>`: the highest claim before auditOffset. A fold of the log from there begins with it: a late event
// that this claim has made void would count again otherwise. `dlq=<offset>:<digest>,<difference>:<digest>,…`: requests
// behind the committed offset that the dead-letter topic contains already. A hint, bounded: a successor writes those
// again that are not listed. `log=<position>:<back>:<time>/…/…`: a witness of each of chat.requests, llm.audit and
// chat.chunks (log_identity.hpp), `back` being position - offset; empty where there is none. `tails=time`: the two
// offsets say nothing, because a log was another one; a successor looks for them by time. A version that does not know
// the field reads from 0. `well=<epoch>:<worker>,…`: workers that gave the partition up without a router.released that
// counts, although they were well, and the claim under which they did; what they left open is not lost with its worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/epochs.hpp"
#include "common/events/offsets.hpp"
#include "common/kafka/log_identity.hpp"
#include "common/kafka/record.hpp"

namespace tokenrail::events {

/// A request that the dead-letter topic contains. The digest distinguishes it from another at the same offset of a
/// topic that was created again.
struct DeadLettered {
  RequestOffset offset{};
  std::uint32_t digest = 0;
  bool operator==(const DeadLettered&) const = default;
};
/// Of its key and value.
[[nodiscard]] std::uint32_t dead_letter_digest(const kafka::Record& record);

/// A worker that gave the partition up, and was well.
struct WellWorker {
  std::int64_t epoch = 0;  ///< of its newest claim
  std::string worker{};    ///< worker_of() its instance
  bool operator==(const WellWorker&) const = default;
};

/// Written at most; brokers take 4,096 bytes of metadata unless they are configured otherwise.
inline constexpr std::size_t dead_letters_listed_max = 100;
inline constexpr std::size_t well_workers_listed_max = 4;

struct CommitMetadata {
  std::int64_t epoch = 0;
  AuditOffset audit_offset{};                ///< where a successor starts to read llm.audit
  ChunkOffset chunk_offset{};                ///< where a successor starts to read chat.chunks
  std::int64_t epoch_at_audit_offset = 0;    ///< of the highest claim before it; 0: not known
  bool tails_by_time = false;                ///< where to start is not known, and the offsets are 0
  std::vector<WellWorker> well_workers{};    ///< oldest first
  std::vector<DeadLettered> dead_letters{};  ///< ascending, at or above the committed offset
  /// Witnesses of the logs that the offsets refer to. That of chat.requests has an offset below the committed one.
  kafka::LogWitness requests_log{};
  kafka::LogWitness audit_log{};
  kafka::LogWitness chunks_log{};
  bool operator==(const CommitMetadata&) const = default;
};

[[nodiscard]] std::string encode(const CommitMetadata& metadata);

/// Nothing for text that another program wrote, that is empty or that is damaged: the offset beside it is still valid.
[[nodiscard]] std::optional<CommitMetadata> decode_commit_metadata(std::string_view text);

}  // namespace tokenrail::events
