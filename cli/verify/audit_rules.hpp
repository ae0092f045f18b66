// What one event of llm.audit says, given all before it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "cli/verify/key_rules.hpp"
#include "cli/verify/known.hpp"
#include "common/events/audit.hpp"
#include "common/events/audit_fold.hpp"

namespace tokenrail::verify {

/// An attempt that begins at the offset of another request. A topic that was created again has other requests at the
/// offsets of the old ones, whose attempts are older than the request that is there now; only brokers' clocks can show
/// it.
void check_place(Known& known, const events::AttemptIds& ids, std::int64_t request_at, std::int64_t request_ms,
                 const Asked& stands_there);

class AuditRules : Rules {
 public:
  explicit AuditRules(Known& known) : Rules(known), keys_(known) {}

  void on_event(const kafka::Record& record);

 private:
  struct Event {
    const events::AuditFacts& facts;
    const kafka::Record& record;
    events::AuditFold::Verdict verdict;
  };

  // Ownership.
  void admit_epoch(const events::AuditFacts& facts, const kafka::Record& record);
  void claimed(const Event& event, std::int64_t previous_epoch);
  void check_instance(const Event& event);
  void released(const Event& event);
  void continuing(const Event& event);
  void lost(const Event& event);

  // Attempts.
  void requested(const Event& event);
  void begun(Subject& subject, const Event& event);
  void responded(const Event& event);
  void answered_again(Subject& subject, const Event& event);
  void runs_again(const Subject& subject, std::int64_t number, const Event& event);
  void closed_by_another(const Subject& subject, std::int64_t number, const Attempt& attempt, const Event& event);
  void note_event(Subject& subject, const Event& event);
  void note_overlooked(const Subject& subject, const Event& event);

  KeyRules keys_;
  std::set<std::int64_t> unclaimed_told_{};                          // epochs
  std::optional<std::pair<std::int64_t, std::int64_t>> released_{};  // the newest router.released: epoch, offset
};

}  // namespace tokenrail::verify
