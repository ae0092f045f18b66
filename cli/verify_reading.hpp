// The Kafka side of `tokenrail verify`: reads what the checker needs, one partition number after the other, so that
// memory does not grow with the number of partitions. Blocks; one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/verify/checker.hpp"
#include "common/kafka/record.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

struct VerifyCall {
  topics::Names topics{};
  std::string group;
  std::optional<std::int64_t> from_ms{};    ///< Unix; nothing: from the beginning
  std::optional<std::int64_t> to_ms{};      ///< nothing: to the ends at the time of the call
  std::optional<std::int32_t> partition{};  ///< nothing: all
  bool at_rest = false;
  std::chrono::milliseconds dedupe_window{600'000};  ///< 0: duplicates that are run are only counted
  std::chrono::milliseconds patience{60'000};        ///< without any record before giving up
};

struct Verified {
  std::vector<verify::Violation> violations{};
  verify::Figures figures{};
  std::int32_t partitions = 0;
  std::vector<std::string> notes{};  ///< what was left out, and why
};

/// Errors: not_found (no such topic or partition), unavailable, timed_out, cancelled (Ctrl-C).
[[nodiscard]] Result<Verified> verify_topics(const kafka::Properties& properties, const VerifyCall& call);

}  // namespace tokenrail::cli
