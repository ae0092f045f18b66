// The options of a check: where the reading of each log begins and ends, what the group has committed, and what the
// clocks may be taken for. Values only. Offsets are those of one partition number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "common/events/chat_request.hpp"
#include "common/topics/names.hpp"

namespace tokenrail::verify {

class Names;

/// One past the last record of each log, where what is fed may end before that (a transaction's markers are no
/// records). Nothing: the last record fed is the last there is.
struct LogEnds {
  std::optional<std::int64_t> requests{};
  std::optional<std::int64_t> chunks{};
  std::optional<std::int64_t> audit{};
};

struct CheckOptions {
  topics::Names topics{};
  std::int32_t partition = 0;
  // The offset at which the reading of each log begins; 0: nothing precedes it.
  std::int64_t requests_from = 0;
  std::int64_t chunks_from = 0;
  std::int64_t audit_from = 0;
  /// Where reading begins at a time that was chosen: all that is newer by the brokers' clock is in what is read. -1:
  /// it begins where the log does, or at a time of the senders, and the first record that a broker stamped shows it.
  std::int64_t chunks_known_ms = -1;
  std::int64_t audit_known_ms = -1;
  LogEnds ends{};
  /// Dead letters of requests that are not newer than that may have been deleted. -1: none has been.
  std::int64_t letters_known_ms = -1;
  /// What the group has committed for chat.requests; nothing: nothing.
  std::optional<std::int64_t> committed{};
  std::string metadata{};
  events::RequestLimits request_limits{};
  std::size_t settled_max = 20'000;
  std::size_t violations_max = 1'000;  ///< further ones are counted
  /// A request id that is run at two offsets by one owner, less than this apart by the requests' timestamps, breaks the
  /// promise about duplicates. 0: nothing is said about it.
  std::int64_t dedupe_window_ms = 0;
  std::int64_t dedupe_requests_max = 100'000;  ///< offsets apart; further, the window may have forgotten the first
  /// false: the clocks of brokers and workers may be anywhere, so nothing is said about deadlines.
  bool judge_deadlines = true;
  /// How far the clocks of brokers may be apart, in milliseconds.
  std::int64_t clock_skew_ms = 1'000;
  /// The same of a worker and a broker; the router allows as much between two workers.
  std::int64_t worker_skew_ms = 60'000;
  /// What the checkers of all partitions know of each other; outlives them. nullptr: this partition alone is judged.
  Names* names = nullptr;
};

}  // namespace tokenrail::verify
