// A record on chat.requests.dlq: what came, and beside its headers where it came from and why it could not be answered,
// in the convention of Spring for Apache Kafka's DeadLetterPublishingRecoverer. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "common/kafka/record.hpp"

namespace tokenrail::router {

/// Points into the record it was made of.
struct DeadLetterRecord {
  std::optional<std::string_view> key{};
  std::optional<std::string_view> value{};
  kafka::Headers headers{};

  [[nodiscard]] std::size_t bytes() const;
};

/// What does not fit into `bytes_max` is left out, the value first, then the key, then the headers it came with; a
/// header says so, and the others where the original lies. (A topic's limit is held against compressed batches: a
/// record that passed it may be larger than it, and a copy of it too large for a topic of the same limit.)
[[nodiscard]] DeadLetterRecord dead_letter_record(const kafka::Record& record, std::string_view reason,
                                                  std::size_t bytes_max);

}  // namespace tokenrail::router
