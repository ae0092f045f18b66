// What the part of each log that is read may lack: what retention has deleted, or what precedes a start that was
// chosen. Nothing is called a violation because of it. Pure.
#pragma once

#include <cstdint>

#include "cli/verify/options.hpp"
#include "cli/verify/subject.hpp"
#include "common/kafka/record.hpp"

namespace tokenrail::verify {

class Horizon {
 public:
  /// `options` outlives it.
  explicit Horizon(const CheckOptions& options);

  // Each record of the two logs, in their order.
  void read_audit(const kafka::Record& record) { audit_.note(record); }
  void read_chunk(const kafka::Record& record) { chunks_.note(record); }
  /// Events below that offset of llm.audit may have been void without our knowing.
  void doubt_before(std::int64_t audit_offset) { doubtful_before_ = audit_offset; }

  /// Too much of its past precedes the start of llm.audit.
  [[nodiscard]] bool doubtful(const Subject& subject) const;
  /// Events about that request may precede what was read.
  [[nodiscard]] bool audit_lost(const Asked& asked) const;
  [[nodiscard]] bool chunks_lost(const Attempt& attempt) const;
  /// The dead letter of a request with that timestamp may have been deleted.
  [[nodiscard]] bool letter_lost(std::int64_t ms) const;

 private:
  /// From which time of the brokers' clock on everything is in what is read of a log.
  struct Window {
    std::int64_t known_ms = -1;  ///< -1: unknown
    bool begun = false;

    void note(const kafka::Record& record);
    [[nodiscard]] bool may_lack(std::int64_t broker_ms, std::int64_t skew_ms) const {
      return known_ms < 0 || broker_ms < known_ms + skew_ms;
    }
  };

  const CheckOptions& options_;
  Window audit_{};
  Window chunks_{};
  std::int64_t doubtful_before_ = 0;
};

}  // namespace tokenrail::verify
