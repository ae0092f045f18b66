// Checks the promises from outside: reads one partition number of chat.requests, chat.chunks, llm.audit and the
// dead-letter topic, and says which promises were broken. `tokenrail verify`, the simulation and the chaos run judge
// with it.
//
// Feed the records of each topic in the order of its log; how the topics are interleaved does not matter. A record that
// is being written while one reads must not look like a violation, so take the ends to which the topics are read in
// this order: the committed offset first, then the end of llm.audit, then those of chat.chunks and the dead-letter
// topic, chat.requests last.
//
// What precedes the start of a log (retention, or a start chosen) is unknown, and nothing is called a violation
// because of it: such requests are counted as `unknown`.
//
// Two logs are held against each other, and leases against the log, by timestamps of brokers alone (ADR 0007); records
// that have their sender's are counted, and nothing is judged by those.
//
// Pure: no I/O, no clock. Memory: what is open, and the newest `settled_max` requests that are complete in every
// respect; older ones are forgotten.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/verify/audit_rules.hpp"
#include "cli/verify/chunk_rules.hpp"
#include "cli/verify/dead_letter.hpp"
#include "cli/verify/ending.hpp"
#include "cli/verify/findings.hpp"
#include "cli/verify/judge.hpp"
#include "cli/verify/known.hpp"
#include "cli/verify/options.hpp"
#include "common/kafka/record.hpp"

namespace tokenrail::verify {

class Checker {
 public:
  explicit Checker(CheckOptions options);
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  void on_request(const kafka::Record& record);
  void on_chunk(const kafka::Record& record) { chunk_rules_.on_chunk(record); }
  void on_audit(const kafka::Record& record) { audit_rules_.on_event(record); }
  /// Those of other topics and partitions are passed over.
  void on_dead_letter(const kafka::Record& record);
  void on_letter(const DeadLetter& letter);

  /// Everything has been fed. `at_rest`: nothing runs any more, so what is open will stay so, and is a violation.
  void finish(bool at_rest);

  [[nodiscard]] const std::vector<Violation>& violations() const { return known_.findings.violations(); }
  [[nodiscard]] const Figures& figures() const { return known_.findings.figures; }
  /// Requests that something is still missing of: what a feeder may hold down by reading the topics evenly.
  [[nodiscard]] std::size_t pending() const { return known_.subjects.pending(); }

 private:
  void readable_request(const kafka::Record& record, const std::string& org_id, const std::string& request_id,
                        std::optional<std::chrono::milliseconds> timeout, bool dead);
  void check_attempts_there(const Subject& subject, std::int64_t source_offset, const Asked& asked);

  Known known_;
  ChunkRules chunk_rules_;
  AuditRules audit_rules_;
  Judge judge_;
  Ending ending_;
};

}  // namespace tokenrail::verify
