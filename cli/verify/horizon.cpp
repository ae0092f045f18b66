#include "cli/verify/horizon.hpp"

#include <utility>

namespace tokenrail::verify {

Horizon::Horizon(const CheckOptions& options)
    : options_(options), audit_{.known_ms = options.audit_known_ms}, chunks_{.known_ms = options.chunks_known_ms} {}

// A time that was chosen says nothing where the log began with times of senders: what was appended after it may have an
// earlier one.
void Horizon::Window::note(const kafka::Record& record) {
  const bool first = !std::exchange(begun, true);
  if (record.log_append_time) {
    if (known_ms < 0) known_ms = record.timestamp_ms;
  } else if (first) {
    known_ms = -1;
  }
}

bool Horizon::doubtful(const Subject& about) const {
  return about.doubtful || (about.first_audit >= 0 && about.first_audit < doubtful_before_);
}

bool Horizon::audit_lost(const Asked& entry) const {
  if (options_.audit_from == 0) return false;
  return audit_.may_lack(entry.broker_ms, options_.clock_skew_ms);
}

bool Horizon::chunks_lost(const Attempt& attempt) const {
  if (options_.chunks_from == 0) return false;
  return chunks_.may_lack(attempt.request.broker_ms, options_.clock_skew_ms);
}

bool Horizon::letter_lost(std::int64_t ms) const {
  return options_.letters_known_ms >= 0 && ms <= options_.letters_known_ms;
}

}  // namespace tokenrail::verify
