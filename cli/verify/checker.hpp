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

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cli/verify/claims.hpp"
#include "cli/verify/dead_letter.hpp"
#include "cli/verify/findings.hpp"
#include "cli/verify/key_lines.hpp"
#include "cli/verify/names.hpp"
#include "cli/verify/subject.hpp"
#include "common/events/audit_fold.hpp"
#include "common/events/chat_request.hpp"
#include "common/events/chunk.hpp"
#include "common/kafka/record.hpp"
#include "common/topics/names.hpp"

namespace tokenrail::verify {

struct CheckOptions {
  topics::Names topics{};
  std::int32_t partition = 0;
  // The offset at which the reading of each log begins; 0: nothing precedes it.
  std::int64_t requests_from = 0;
  std::int64_t chunks_from = 0;
  std::int64_t audit_from = 0;
  /// Where reading begins at a time that was chosen: all that is newer by the brokers' clock is in what is read. -1:
  /// it begins where the log does, or at a time of the senders, and the first record that a broker stamped shows it.
  std::int64_t chunks_known_ms = -1;
  std::int64_t audit_known_ms = -1;
  /// One past the last record of each log, where what is fed may end before that (a transaction's markers are no
  /// records). Nothing: the last record fed is the last there is.
  std::optional<std::int64_t> requests_end{};
  std::optional<std::int64_t> chunks_end{};
  std::optional<std::int64_t> audit_end{};
  /// Dead letters of requests that are not newer than that may have been deleted. -1: none has been.
  std::int64_t letters_known_ms = -1;
  /// What the group has committed for chat.requests; nothing: nothing.
  std::optional<std::int64_t> committed{};
  std::string metadata{};
  events::RequestLimits request_limits{};
  std::size_t settled_max = 20'000;
  std::size_t violations_max = 1'000;  ///< further ones are counted
  /// A request id that is run at two offsets by one owner, less than this apart by the requests' timestamps, breaks the
  /// promise about duplicates. 0: nothing is said about it.
  std::int64_t dedupe_window_ms = 0;
  std::int64_t dedupe_requests_max = 100'000;  ///< offsets apart; further, the window may have forgotten the first
  /// false: the clocks of brokers and workers may be anywhere, so nothing is said about deadlines.
  bool judge_deadlines = true;
  /// How far the clocks of brokers may be apart, in milliseconds.
  std::int64_t clock_skew_ms = 1'000;
  /// The same of a worker and a broker; the router allows as much between two workers.
  std::int64_t worker_skew_ms = 60'000;
  /// What the checkers of all partitions know of each other; outlives them. nullptr: this partition alone is judged.
  Names* names = nullptr;
};

class Checker {
 public:
  explicit Checker(CheckOptions options);
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  void on_request(const kafka::Record& record);
  void on_chunk(const kafka::Record& record);
  void on_audit(const kafka::Record& record);
  /// Those of other topics and partitions are passed over.
  void on_dead_letter(const kafka::Record& record);
  void on_letter(const DeadLetter& letter);

  /// Everything has been fed. `at_rest`: nothing runs any more, so what is open will stay so, and is a violation.
  void finish(bool at_rest);

  [[nodiscard]] const std::vector<Violation>& violations() const { return violations_; }
  [[nodiscard]] const Figures& figures() const { return figures_; }
  /// Requests that something is still missing of: what a feeder may hold down by reading the topics evenly.
  [[nodiscard]] std::size_t pending() const { return subjects_.size() - settled_.size(); }

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
  /// A requests.lost that counts.
  struct Loss {
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::int64_t at = -1;
    std::int64_t broker_ms = -1;
  };
  /// An event about a request at or above the committed offset, which a successor would not read.
  struct Overlooked {
    std::int64_t at = -1;
    std::int64_t broker_ms = -1;
    std::string request;  ///< as subjects_ has it
  };
  struct Event {
    const events::AuditFacts& facts;
    const kafka::Record& record;
    events::AuditFold::Verdict verdict;
  };

  // Feeding (checker.cpp, audit_rules.cpp).
  Subject& subject(const std::string& org_id, const std::string& request_id);
  Asked& asked(Subject& subject, std::int64_t source_offset);
  void touch(Subject& subject);
  void unsettle(Subject& subject);
  void forget_oldest();
  void sweep();
  void duplicate_chunk(Subject& subject, const events::Chunk& chunk, const kafka::Record& record);
  void admit_epoch(const events::AuditFacts& facts, const kafka::Record& record);
  void claimed(const Event& event, std::int64_t previous_epoch);
  void requested(const Event& event);
  void responded(const Event& event);
  void answered_again(Subject& subject, const Event& event);
  void released(const Event& event);
  void continuing(const Event& event);
  void lost(const Event& event);
  void check_place(const events::AttemptIds& ids, std::int64_t request_at, std::int64_t request_ms,
                   const Asked& stands_there);
  [[nodiscard]] static std::size_t key_hash(const kafka::Record& record);
  void other_key(const Subject& about, std::int64_t number, const KeySeen& seen, const KeySeen& other);
  void note_key(DuplicateAnswer& answer, const kafka::Record& record, bool chunk);
  void check_key(const Subject& subject, std::int64_t number, KeySeen& seen, const kafka::Record& record, bool chunk);
  void runs_again(const Subject& subject, std::int64_t number, const Event& event);
  void closed_by_another(const Subject& subject, std::int64_t number, const Attempt& attempt, const Event& event);
  void note_event(Subject& subject, const Event& event);
  void note_overlooked(const Event& event);
  void look_again(std::int64_t source_offset, const std::string& request, const Asked& stands_there);
  void count_sender_time(const kafka::Record& record) { figures_.sender_times += record.log_append_time ? 0 : 1; }
  void check_instance(const Event& event);

  // Judging what has been fed (judgement.cpp).
  [[nodiscard]] bool settled(const Subject& subject) const;
  void judge(const Subject& subject, bool at_rest);
  void judge_request(const Subject& subject, std::int64_t source_offset, const Asked& asked, bool at_rest);
  void judge_dead_letter(const Subject& subject, std::int64_t source_offset, const Asked& asked);
  void judge_attempt(const Subject& subject, std::int64_t number, const Attempt& attempt, bool at_rest);
  void judge_answer(const Subject& subject, std::int64_t number, const Attempt& attempt);
  void judge_told(const Subject& subject, std::int64_t number, const Attempt& attempt);
  void judge_deadline(const Subject& subject, std::int64_t number, const Attempt& attempt);
  void judge_key(const Subject& subject, std::int64_t number, std::int64_t source_offset, std::int64_t source_ms,
                 const KeySeen& seen);
  void judge_duplicate(const Subject& subject, std::int64_t source_offset, const DuplicateAnswer& answer, bool at_rest);
  void judge_first(const Subject& subject, std::int64_t source_offset, const DuplicateAnswer& answer);
  void judge_names(const Subject& subject);
  void judge_loss(const std::string& what, std::int64_t source_offset, std::int64_t broker_ms);
  void judge_losses();
  void judge_successors(const Subject& subject);
  void judge_order(const Subject& subject);
  void judge_window(const Subject& subject);
  void judge_commit(const std::vector<const Subject*>& left);
  void judge_ends();
  void judge_progress(const std::vector<const Subject*>& left);

  // Whether the part before the start of a log may matter.
  [[nodiscard]] bool doubtful(const Subject& subject) const;
  [[nodiscard]] bool whole_epoch(std::int64_t epoch) const;
  [[nodiscard]] bool audit_lost(const Asked& asked) const;
  [[nodiscard]] bool letter_lost(std::int64_t ms) const {
    return options_.letters_known_ms >= 0 && ms <= options_.letters_known_ms;
  }
  [[nodiscard]] bool told_lost(std::int64_t source_offset) const;
  [[nodiscard]] bool told_lost(const Subject& subject, std::int64_t source_offset) const;
  [[nodiscard]] bool forgotten(const Subject& subject, std::int64_t source_offset) const;
  [[nodiscard]] bool late_leftover(const Subject& subject, std::int64_t number, const Attempt& attempt) const;
  [[nodiscard]] bool chunks_lost(const Attempt& attempt) const;
  [[nodiscard]] bool complete(const Subject& subject, std::int64_t source_offset) const;

  void report(Promise promise, const std::string& topic, std::vector<std::int64_t> offsets, std::string text);

  CheckOptions options_;
  events::AuditFold fold_{};
  Claims claims_{};
  KeyLines lines_;
  std::unordered_map<std::string, Subject> subjects_{};
  std::unordered_map<std::int64_t, Subject*> by_offset_{};  ///< whose record was read there
  std::list<Subject*> settled_{};                           ///< the oldest first
  std::size_t sweep_at_ = 0;
  bool forgot_any_ = false;

  struct Unanswerable {
    std::int64_t ms = -1;
    std::int64_t broker_ms = -1;
  };
  std::map<std::int64_t, Unanswerable> unanswerable_{};     ///< by source offset: only a dead letter can settle them
  std::multimap<std::int64_t, DeadLetter> dead_letters_{};  ///< whose request has not been read yet, by its offset
  std::set<std::int64_t> unclaimed_told_{};                 ///< epochs
  std::map<std::int64_t, std::int64_t> lost_{};  ///< source offsets reported as lost: first -> one past the last
  std::deque<Loss> losses_{};                    ///< the newest events that reported one
  std::int64_t requests_next_ = 0;
  std::int64_t chunks_next_ = 0;
  std::int64_t audit_next_ = 0;
  std::int64_t requests_first_ms_ = -1;  ///< of the first request read, by the brokers' clock
  Window audit_window_{};
  Window chunks_window_{};
  std::int64_t doubtful_before_ = 0;                                 ///< audit offset
  std::optional<std::pair<std::int64_t, std::int64_t>> released_{};  ///< the newest router.released: epoch, offset
  std::int64_t overlooked_below_ = 0;  ///< audit offset at which a successor begins to read
  std::optional<std::int64_t> first_overlooked_{};
  std::map<std::int64_t, Overlooked> overlooked_{};  ///< about requests that have not been read yet, by their offset

  std::vector<Violation> violations_{};
  Figures figures_{};
};

}  // namespace tokenrail::verify
