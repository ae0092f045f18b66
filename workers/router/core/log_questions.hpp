// Questions about logs whose answers take a round trip to the brokers, and whose asking blocks: the core asks and goes
// on, whoever runs it asks the brokers elsewhere and calls RouterCore::on_answer() from the loop. Places are asked for
// at a start without metadata and where offsets were skipped, never in quiet times; whether the logs are still the same
// every few seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/kafka/log_identity.hpp"
#include "common/kafka/record.hpp"
#include "workers/router/core/environment.hpp"

namespace tokenrail::router {

/// Where a log begins and ends; and, where `at` is given, where that time lies in it.
struct LogQuestion {
  kafka::TopicPartition partition{};
  std::optional<Millis> at{};  ///< Unix
};

/// What is true of the log at some moment after the question was asked. `at` must not be older than `first` and `next`:
/// the ends are to be asked for first.
struct LogPlaces {
  std::int64_t first = 0;            ///< the lowest offset that has not been deleted
  std::int64_t next = 0;             ///< one past the highest
  std::optional<std::int64_t> at{};  ///< the first record that is not older than the time; nothing: all are older
};

class LogQuestions {
 public:
  virtual ~LogQuestions() = default;
  /// Answered by RouterCore::on_answer() with that token, not from inside this call. An answer that never comes is only
  /// a wait.
  virtual void ask(std::uint64_t token, const LogQuestion& question) = 0;
  /// Whether logs are those that were read, all at once. Answered by RouterCore::on_survey(), not from inside this
  /// call.
  virtual void look(std::uint64_t token, std::vector<kafka::WitnessQuestion> questions) = 0;
};

}  // namespace tokenrail::router
