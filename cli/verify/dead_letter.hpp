// Where a dead letter comes from, as its headers say (Spring's convention). Pure values: what is kept of a topic of
// dead letters while it is checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/kafka/record.hpp"

namespace tokenrail::verify {

struct DeadLetter {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  /// Timestamp of the record there, in Unix milliseconds. A topic that was created again has another record there.
  std::optional<std::int64_t> ms{};

  /// It is that record, as far as the letter says.
  [[nodiscard]] bool is_at(std::int64_t timestamp_ms) const { return !ms || *ms == timestamp_ms; }
};

/// Nothing for the letter of another topic, or one that does not say.
[[nodiscard]] std::optional<DeadLetter> dead_letter_of(const kafka::Record& record, std::string_view requests_topic);

}  // namespace tokenrail::verify
