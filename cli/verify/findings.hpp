// What a check of the topics finds: violations of the promises, and figures. Values only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tokenrail::verify {

/// The promises of docs/explanation/delivery.md, as far as they can be seen from outside.
enum class Promise {
  answered,   ///< P1: every request gets a terminal chunk, or the dead-letter topic contains it
  whole,      ///< P2: within an attempt `seq` counts from 0, and one terminal chunk ends it
  once,       ///< P3: what has its answer, or still runs, is not run again
  audited,    ///< P4: every attempt leaves one llm.request and one llm.response that counts, and they fit its chunks
  committed,  ///< P5: the committed offset and its metadata never pass what is incomplete
  order,      ///< of one key, answers come in the order of the requests
  dedupe,     ///< a duplicate is answered by attempt 0, which names the first
  deadline,   ///< a request past its deadline ends without a call
  ownership,  ///< epochs are claimed before they are used, each by one instance
};
/// "P1" to "P5", "ORDER", "DEDUPE", "DEADLINE", "OWNERSHIP".
[[nodiscard]] std::string_view name_of(Promise promise);

struct Violation {
  Promise promise = Promise::answered;
  std::string text;  ///< which request, which attempt, what is wrong
  std::string topic;
  std::int32_t partition = 0;
  std::vector<std::int64_t> offsets{};  ///< in that topic; the record that broke the promise is the last
};

struct Figures {
  std::int64_t requests = 0;         ///< read from chat.requests
  std::int64_t dead_letters = 0;     ///< of them, those that lie in the dead-letter topic
  std::int64_t chunks = 0;           ///< read from chat.chunks
  std::int64_t audit_events = 0;     ///< read from llm.audit
  std::int64_t attempts = 0;         ///< llm.requests that count
  std::int64_t reruns = 0;           ///< of them, those of a request that had been attempted before
  std::int64_t duplicates = 0;       ///< requests answered by attempt 0
  std::int64_t duplicates_run = 0;   ///< request ids that were run at more than one offset (outside the dedupe window)
  std::int64_t recovered = 0;        ///< responses that a successor made from the terminal chunk
  std::int64_t void_events = 0;      ///< behind a higher claim: late output, which counts for nothing
  std::int64_t late_responses = 0;   ///< not void, but another had counted before
  std::int64_t claims = 0;           ///< that took effect
  std::int64_t claims_void = 0;      ///< not above every claim before them
  std::int64_t releases = 0;         ///< given up in order
  std::int64_t owners_lost = 0;      ///< claims upon an ownership that was not given up
  std::int64_t early_closings = 0;   ///< continued attempts closed by another while the newest lease still ran
  std::int64_t open_requests = 0;    ///< without an answer yet
  std::int64_t open_attempts = 0;    ///< without an llm.response yet
  std::int64_t lost = 0;             ///< offsets that a router has reported as deleted unread
  std::int64_t unknown = 0;          ///< requests that retention (or --from) left too little of to be judged
  std::int64_t displaced = 0;        ///< attempts whose offset now has another request: of a topic created again since
  std::int64_t names_shared = 0;     ///< request ids that were attempted on more than one partition
  std::int64_t unreadable = 0;       ///< records on chat.chunks and llm.audit that could not be read
  std::int64_t sender_times = 0;     ///< records whose timestamp is their sender's, which is not judged by
  std::int64_t audit_tail = 0;       ///< the most that the next claim of a partition reads of llm.audit, in records
  std::int64_t violations_left = 0;  ///< found, but too many to be kept
  std::map<std::string, std::int64_t> interrupted{};  ///< responses that count, by cause: lost, drain, restart
  /// Takeovers of an ownership that was not given up: from the claim to the first llm.request under it, in
  /// milliseconds, by the records' timestamps.
  std::vector<std::int64_t> takeover_ms{};

  /// Adds another partition's.
  void add(const Figures& other);
};

/// What was found in one partition so far.
class Findings {
 public:
  /// Further violations than `violations_max` are counted in figures.violations_left.
  Findings(std::int32_t partition, std::size_t violations_max)
      : partition_(partition), violations_max_(violations_max) {}

  void report(Promise promise, const std::string& topic, std::vector<std::int64_t> offsets, std::string text);
  [[nodiscard]] const std::vector<Violation>& violations() const { return violations_; }

  Figures figures{};

 private:
  std::int32_t partition_;
  std::size_t violations_max_;
  std::vector<Violation> violations_{};
};

}  // namespace tokenrail::verify
