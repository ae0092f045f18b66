// What counts in one partition of `llm.audit`: the fold of its events (docs/explanation/protocol.md, R2 to R7).
//
// Kafka fences no plain record, so the log contains a stalled worker's late events like all others; they are void. The
// order of the log alone decides, no clock takes part:
//  - router.claimed takes effect if its epoch is higher than every claim before it;
//  - an event is void if an effective claim with a higher epoch precedes it;
//  - an attempt exists if its llm.request is not void; of its responses the first that is not void counts;
//  - a response or a router.continuing by the worker that continues the attempt under a router.released that is not
//    void is never void, also where the latter lists the attempt no more.
// One definition for the router that recovers a partition, the router that owns it, and an auditor from outside.
// Pure. A fold may start anywhere in the log; of what precedes its start, it knows at most the highest claim.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/audit.hpp"
#include "common/events/offsets.hpp"

namespace tokenrail::events {

class AuditFold {
 public:
  /// `epoch`: of the highest claim before where the fold starts; 0: not known, and a late event that such a claim has
  /// made void counts.
  explicit AuditFold(std::int64_t epoch = 0) : start_epoch_(epoch), epoch_(epoch) {}

  /// The response that counts.
  struct Response {
    AuditOffset audit_offset{-1};
    std::int64_t epoch = 0;  ///< of its writer
    std::string outcome{};
    std::string cause{};
    std::string error_code{};     ///< cause `refused`: how the request is to end
    std::string error_message{};  ///< the same
    bool recovered = false;
    bool called = false;
  };
  /// Its worker gave the partition up in order and goes on with it.
  struct Continued {
    std::int64_t epoch = 0;
    std::string instance{};
    std::int64_t lease_ms = 0;
    AuditOffset renewed_at{-1};  ///< the last event that said so
    bool given_up = false;       ///< it said later that it does not go on with it
  };
  struct Attempt {
    AttemptIds ids{};                ///< as its first event has them: epoch and instance are those of its writer
    AuditOffset request_offset{-1};  ///< of the llm.request; -1: a duplicate's answer, or not read
    std::optional<Response> response{};
    std::optional<Continued> continued{};

    [[nodiscard]] bool open() const { return !response; }
    [[nodiscard]] bool interrupted() const;
  };

  enum class Verdict {
    counts,
    repeated,  ///< not void, but a second llm.request or a second response of its attempt: has no effect
    is_void,   ///< an effective claim with a higher epoch precedes it
    foreign,   ///< of a type that is not about ownership or attempts
  };
  /// The event at that offset of the log. Offsets must grow; gaps are allowed.
  Verdict apply(AuditOffset audit_offset, const AuditFacts& event);

  /// One past the last event applied; 0 before that.
  [[nodiscard]] AuditOffset next() const { return next_; }
  /// The highest effective claim; 0: none is known.
  [[nodiscard]] std::int64_t epoch() const { return epoch_; }
  /// The highest claim before that audit offset; 0: none is known.
  [[nodiscard]] std::int64_t epoch_at(AuditOffset audit_offset) const;
  /// Workers that claimed one after the other since the last event of another kind. A worker that claims again is
  /// alive, and counts once.
  [[nodiscard]] int claims_in_a_row() const { return claims_in_a_row_; }

  /// The attempts of that source offset, oldest first; nothing: none known.
  [[nodiscard]] const std::vector<Attempt>* attempts(RequestOffset source_offset) const;
  [[nodiscard]] const Attempt* find(RequestOffset source_offset, std::int64_t attempt) const;
  /// The highest attempt of that request at that offset has a response that counts and is not `interrupted`. A topic
  /// that was created again has another request at the same offset: that one is not complete.
  [[nodiscard]] bool complete(RequestOffset source_offset, std::string_view org_id, std::string_view request_id) const;
  /// Some attempt at that offset has no response that counts.
  [[nodiscard]] bool any_open(RequestOffset source_offset) const;
  /// Whether that request has an attempt with a number of its own at that offset (0 answers a duplicate).
  [[nodiscard]] bool attempted(RequestOffset source_offset, std::string_view org_id, std::string_view request_id) const;
  /// The newest response of that request at that offset that says `interrupted` with the cause `refused`.
  [[nodiscard]] const Response* refused(RequestOffset source_offset, std::string_view org_id,
                                        std::string_view request_id) const;
  /// How many of that request's attempts at that offset ended as `interrupted` with that cause.
  [[nodiscard]] int interruptions(RequestOffset source_offset, std::string_view org_id, std::string_view request_id,
                                  std::string_view cause) const;

  /// All attempts without a response that counts, by source offset.
  [[nodiscard]] std::vector<const Attempt*> open() const;
  /// Some open attempt is continued by a worker that gave the partition up.
  [[nodiscard]] bool any_continued() const { return continued_open_ > 0; }

  /// The lowest audit offset of any event, void ones included, about a source offset at or above that one.
  [[nodiscard]] std::optional<AuditOffset> first_event_from(RequestOffset source_offset) const;
  /// Forgets that source offset, unless an attempt of it is open. For an owner that has seen it complete: what still
  /// comes of it has no effect. first_event_from() goes on to count it in.
  void forget_complete(RequestOffset source_offset);
  /// Forgets source offsets below that one, but for open attempts.
  void forget_below(RequestOffset source_offset);
  /// Forgets what is about another record at that source offset, of a log that was there before, but for open attempts.
  /// `source_ms`: timestamp of the record that is there now; -1: it has none.
  void forget_others(RequestOffset source_offset, std::string_view org_id, std::string_view request_id,
                     std::int64_t source_ms);
  /// Forgets that source offset. Later events about it are judged by their epoch alone.
  void forget(RequestOffset source_offset) { sources_.erase(source_offset); }

  struct Source {
    AuditOffset first_event{-1};
    std::vector<Attempt> attempts{};
  };
  [[nodiscard]] const std::map<RequestOffset, Source>& sources() const { return sources_; }

 private:
  Verdict claimed(AuditOffset audit_offset, const AuditFacts& event);
  Verdict requested(AuditOffset audit_offset, const AuditFacts& event);
  Verdict responded(AuditOffset audit_offset, const AuditFacts& event);
  Verdict released(AuditOffset audit_offset, const AuditFacts& event);
  Verdict continuing(AuditOffset audit_offset, const AuditFacts& event);
  bool give_up_others(const AuditFacts& event);
  Attempt* known(RequestOffset source_offset, std::int64_t attempt);

  AuditOffset next_{};
  std::int64_t start_epoch_ = 0;
  std::map<AuditOffset, std::int64_t> claims_{};  ///< epochs, of the newest that took effect
  std::int64_t epoch_ = 0;
  int claims_in_a_row_ = 0;
  std::string claimed_by_{};  ///< the worker of the newest of them
  std::int64_t continued_open_ = 0;
  /// The lowest first event of the offsets that forget_complete() took, by groups of `forgotten_group` source offsets.
  /// A single number would not rise while anything is complete behind the committed offset, which is always the case.
  std::map<std::int64_t, AuditOffset> forgotten_{};
  std::map<RequestOffset, Source> sources_{};
};

}  // namespace tokenrail::events
