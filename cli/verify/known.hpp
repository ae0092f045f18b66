// All that is known of one partition so far. Each part keeps its own state; the rules feed the parts and ask them, and
// a question that needs several parts is answered here. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cli/verify/claims.hpp"
#include "cli/verify/findings.hpp"
#include "cli/verify/horizon.hpp"
#include "cli/verify/key_lines.hpp"
#include "cli/verify/letters.hpp"
#include "cli/verify/losses.hpp"
#include "cli/verify/names.hpp"
#include "cli/verify/options.hpp"
#include "cli/verify/overlooked.hpp"
#include "cli/verify/subject.hpp"
#include "cli/verify/subjects.hpp"
#include "common/events/audit_fold.hpp"
#include "common/kafka/record.hpp"

namespace tokenrail::verify {

/// One past the last record that was read of each log.
struct ReadTo {
  std::int64_t requests = 0;
  std::int64_t chunks = 0;
  std::int64_t audit = 0;
  std::int64_t requests_first_ms = -1;  ///< of the first request that was read, by the brokers' clock
};

/// When the broker's clock says that it was appended; -1: that clock did not stamp it.
[[nodiscard]] inline std::int64_t broker_ms(const kafka::Record& record) {
  return record.log_append_time ? record.timestamp_ms : -1;
}

struct Known {
  explicit Known(CheckOptions told);
  Known(const Known&) = delete;
  Known& operator=(const Known&) = delete;

  CheckOptions options;
  Findings findings;
  events::AuditFold fold{};
  Claims claims{};
  KeyLines lines;
  Subjects subjects;
  Letters letters{};
  Losses losses{};
  Horizon horizon;
  Overlooked overlooked;
  ReadTo read_to;

  /// Nothing of the epoch's events is missing in what was read.
  [[nodiscard]] bool whole_epoch(std::int64_t epoch) const;
  /// Its record was read, and all about it has been forgotten since.
  [[nodiscard]] bool forgotten(const Subject& subject, std::int64_t source_offset) const;
  /// Chunks of an attempt of which nothing else is known: of a worker that was superseded, about a request that has
  /// been forgotten. One that is as old as they are and was read since has not been.
  [[nodiscard]] bool late_leftover(const Subject& subject, std::int64_t number, const Attempt& attempt) const;
  [[nodiscard]] bool complete(const Subject& subject, std::int64_t source_offset) const;
  /// Nothing is missing of the request.
  [[nodiscard]] bool settled(const Subject& subject) const;
};

/// What all rules have: what is known, which outlives them, and where they report to.
class Rules {
 protected:
  explicit Rules(Known& known) : known_(known) {}

  void report(Promise promise, const std::string& topic, std::vector<std::int64_t> offsets, std::string text) {
    known_.findings.report(promise, topic, std::move(offsets), std::move(text));
  }
  [[nodiscard]] Figures& figures() { return known_.findings.figures; }
  [[nodiscard]] const CheckOptions& options() const { return known_.options; }

  Known& known_;
};

}  // namespace tokenrail::verify
