// Whether the three logs of a partition are those that were read: what is known of each, what the brokers are to be
// asked about it, and what their answers mean (protocol R28).
//
// Owned by Partition, one for each. It never asks the brokers and repairs nothing. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/events/commit_metadata.hpp"
#include "common/events/offsets.hpp"
#include "common/kafka/log_identity.hpp"
#include "workers/router/core/environment.hpp"
#include "workers/router/core/services.hpp"

namespace tokenrail::router {

class LogIdentity {
 public:
  /// By Log.
  using Witnesses = std::array<kafka::LogWitness, 3>;
  /// By Log; nothing: the brokers were not asked about it, or could not answer.
  using Answers = std::array<std::optional<kafka::WitnessAnswer>, 3>;

  /// What the predecessor committed. Where it knew a log, nothing that it committed is believed before the first
  /// answer, or before `now` is some seconds ago.
  void inherit(const events::CommitMetadata& committed, Millis now);
  [[nodiscard]] bool waits_for_answer(Millis now) const { return awaited_ && now < awaited_to_; }

  /// What is known of that log, as it is read.
  [[nodiscard]] kafka::WitnessTrail& of(Log log) { return trails_[static_cast<std::size_t>(log)]; }
  /// What the brokers are to be asked; logs of which nothing is known are left to begin with.
  [[nodiscard]] Witnesses ask();
  /// Counts how often a log was found to be another one: an answer to an earlier question is not wanted.
  [[nodiscard]] std::uint32_t version() const { return version_; }
  /// Some log is another one.
  void changed() { ++version_; }

  struct Others {
    bool requests = false;
    bool audit = false;
    bool chunks = false;
    [[nodiscard]] bool any() const { return requests || audit || chunks; }
  };
  /// The brokers' answers. What was asked about the logs that are the same bears witness from now on. Returns the logs
  /// that are other ones.
  [[nodiscard]] Others answered(const Answers& answers);

  /// Names witnesses of the two logs of answers in what is committed.
  void name_outputs(events::CommitMetadata& metadata);
  /// Some log has a newer witness than what was committed names. `offset`: what is committed of chat.requests.
  [[nodiscard]] bool is_newer_than(const events::CommitMetadata& committed, events::RequestOffset offset);

 private:
  std::array<kafka::WitnessTrail, 3> trails_{};  ///< by Log
  std::uint32_t version_ = 0;
  bool awaited_ = false;  ///< an answer, before anything that was committed is believed
  Millis awaited_to_{0};  ///< steady; then without it
};

}  // namespace tokenrail::router
