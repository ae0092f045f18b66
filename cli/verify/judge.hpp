// Judging a request when all is known of it that will be: before it is forgotten, and at the end.
//
// That readers end with the attempt that the audit log counts follows from three rules here: an attempt seen on
// chat.chunks exists in llm.audit; the highest attempt that exists has an answer that counts; that answer's terminal
// chunk is on chat.chunks.
#pragma once

#include <cstdint>
#include <string>

#include "cli/verify/key_rules.hpp"
#include "cli/verify/known.hpp"

namespace tokenrail::verify {

/// The answers to duplicates: what attempt 0 says, and which requests are answered by it.
class DuplicateJudge : Rules {
 public:
  explicit DuplicateJudge(Known& known) : Rules(known), keys_(known) {}

  void judge(const Subject& subject, std::int64_t source_offset, const DuplicateAnswer& answer, bool at_rest);
  /// A request that is run twice by one owner within the window.
  void judge_window(const Subject& subject);

 private:
  void judge_first(const Subject& subject, std::int64_t source_offset, const DuplicateAnswer& answer);

  KeyRules keys_;
};

/// What was reported as lost has been deleted, so it cannot be read any more, unless it came after a new topic took the
/// place of the old one; only the brokers' clock can show that. `what`: the record, for people.
void judge_loss(Known& known, const std::string& what, std::int64_t source_offset, std::int64_t broker_ms);

class Judge : Rules {
 public:
  explicit Judge(Known& known) : Rules(known), keys_(known), duplicates_(known) {}

  /// `at_rest`: nothing runs any more, so what is open will stay so.
  void judge(const Subject& subject, bool at_rest);

 private:
  void judge_names(const Subject& subject);
  void judge_request(const Subject& subject, std::int64_t source_offset, const Asked& asked, bool at_rest);
  void judge_dead_letter(const Subject& subject, std::int64_t source_offset, const Asked& asked);
  void judge_attempt(const Subject& subject, std::int64_t number, const Attempt& attempt, bool at_rest);
  void judge_chunks(const Subject& subject, std::int64_t number, const Attempt& attempt, bool at_rest);
  void judge_answer(const Subject& subject, std::int64_t number, const Attempt& attempt);
  void judge_told(const Subject& subject, std::int64_t number, const Attempt& attempt);
  void judge_deadline(const Subject& subject, std::int64_t number, const Attempt& attempt);
  void judge_successors(const Subject& subject);
  void judge_order(const Subject& subject);

  KeyRules keys_;
  DuplicateJudge duplicates_;
};

}  // namespace tokenrail::verify
