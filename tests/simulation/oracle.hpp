// The promises (docs/explanation/delivery.md), judged at every append, at every commit and at the end of a history. The
// oracle reads the whole logs in their order and knows what the provider said; it knows nothing of what a router
// thinks.
//
//   P1           every request gets a terminal chunk, or lies in the dead-letter topic, or was deleted unread and is
//                reported as lost; what is read is completed
//   P2           an attempt's chunks have no gap and say exactly what the provider said
//   P3           a request whose terminal chunk was there to be read is not run again, nor one that was handed over
//                well, nor one whose terminal chunk retention has taken
//   P4           every attempt leaves one llm.request and one response that counts
//   P5           complete stays complete; no commit passes an incomplete request
//   LOST         what is reported as lost has been deleted; what a router that is well had read of a log that is gone
//                is answered or reported
//   ORDER        of one key one called attempt at a time, in the order of the log
//   DEDUPE       a request seen before is answered by attempt 0, never run
//   REFUSED      a request of which a chunk was refused for good ends without another call
//   RESTART      an attempt ends for a restart only where its sender wants that and its call failed, and not too often
//   ALONE        what a topic refuses, or does not take, interrupts nothing in the partitions that it does not strike
//   CAUSE        an attempt is closed as lost only where its worker was lost, or could not say that it was not
//   REASON       an answer that is an error or a cancellation has the reason that it names
//   CONSISTENCY  readers of chunks and of the audit log end with the same attempt
//   METADATA     the offsets beside a commit hide nothing from a successor
//   BOUNDS       what can grow stays within its bound
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/events/audit_fold.hpp"
#include "common/events/chat_request.hpp"
#include "common/events/chunk.hpp"
#include "common/kafka/log_identity.hpp"
#include "common/kafka/record.hpp"
#include "tests/simulation/broker.hpp"
#include "tests/simulation/scheduler.hpp"

namespace tokenrail::simulation {

struct Violation {
  std::string promise;
  std::string text;
};

class Oracle {
 public:
  struct Excuses {
    bool tampers = false;    ///< a tool writes committed offsets
    bool calendars = false;  ///< a calendar jumps further than the dedupe window, or that is shorter than the history
    bool leases = false;     ///< a clock jumps, and leases run out before their time
    bool alone = false;      ///< no excuse: one worker, and only faults that strike a record or a topic
    bool commits = false;    ///< commits do not arrive, or arrive late
    bool reads = false;      ///< a log may be read late
  };
  Oracle(int partitions, Excuses excuses);

  struct Request {
    std::string org_id{};
    std::string request_id{};
    std::optional<std::string> key{};
    bool garbage = false;
    bool refusable = false;  ///< it asks for a model that there is not
    events::OnInterrupt on_interrupt = events::OnInterrupt::error;
    std::int64_t deadline_ms = 0;  ///< Unix
    std::int64_t at_ms = -1;       ///< its timestamp in the log; -1: none
  };
  // What happens, in its order. `writer`: the process whose record it was.
  void request_arrived(int partition, std::int64_t offset, const Request& request, Micros now);
  /// A broker has refused the chunk: what stands behind it in the log makes no whole answer.
  void chunk_refused(int partition, std::string_view value);
  /// `writer_ms`: the writer's calendar, where that is the brokers' too.
  /// `at_ms`: the record's timestamp.
  void chunk_appended(int partition, std::int64_t offset, std::string_view value, Micros now,
                      std::optional<std::int64_t> writer_ms, std::int64_t at_ms = -1);
  void audit_appended(int partition, std::int64_t offset, std::string_view value, int writer, Micros now,
                      std::int64_t at_ms = -1);
  void dead_letter_appended(const kafka::Headers& headers);
  /// `knows`: which log of requests is there now. Else the offset is one of a log that is gone.
  void committed(int partition, std::int64_t offset, const std::string& metadata, Micros now, bool knows = true);
  /// Retention has taken the beginning of an audit log; what was kept follows, in its order. What recovery would have
  /// read is gone, so most cannot be judged for that partition any more.
  void audit_cut(int partition);
  void audit_kept(int partition, std::int64_t offset, std::string_view value);
  /// Retention has taken the chunks below that offset.
  void chunks_cut(int partition, std::int64_t below);
  /// Retention deletes the requests below that offset. What has not been read by then nobody will answer; it has to be
  /// told by requests.lost.
  void requests_deleted(int partition, std::int64_t below);
  // A log is another one from that offset on: its topic was created again (0), or an unclean election has cut it. What
  // lay there is gone, and what is appended takes its offsets (oracle_logs.cpp).
  void requests_went_back(int partition, std::int64_t to, Micros now);
  void audit_went_back(int partition, std::int64_t to, Micros now);
  void chunks_went_back(int partition, std::int64_t to, Micros now);
  /// A worker has got the request at that offset. `mistaken`: it takes it for one of a log that is gone. A successor
  /// cannot tell it from one that was, and may report it as lost; it has to be answered all the same.
  void request_read(int partition, std::int64_t offset, bool mistaken = false);
  /// A worker that had read up to there was answered that the log is the same, and nothing could show otherwise: it
  /// will not come back to what took the place of what it had read.
  void unnoticed(int partition, std::int64_t position);
  /// A worker has dropped what it was handed from that offset on, and reads it once more: it has to answer for what
  /// is there then.
  void request_dropped(int partition, std::int64_t offset);
  void cancelled(const std::string& org_id, const std::string& request_id);
  /// The brokers refuse a record for good.
  void refused(Topic topic, int partition);
  /// A log of that partition takes nothing for longer than its owner waits.
  void struck(int partition);
  /// The provider's side; returns the call's number. `fails`: it will not end well.
  int call_started(const std::string& org_id, const std::string& request_id, bool fails = false);
  /// The call was asked to go on with that text, which other calls have said.
  void call_continues(int call, std::string text) {
    auto& one = calls_[static_cast<std::size_t>(call)];
    one.said = std::move(text);
    one.continues = true;
  }
  void request_read_again() { ++figures_.read_again; }
  void call_said(int call, std::string_view text) { calls_[static_cast<std::size_t>(call)].said += text; }
  void call_ended_well(int call) { calls_[static_cast<std::size_t>(call)].well = true; }
  /// The process has given the partition up in order: what it had begun is finished where it runs.
  /// `since`: when it was asked to.
  void handed_over(int process, int partition, Micros since);
  /// From now on it is no wonder if what this process continues is taken from it.
  void disturbed(int process);
  void all_disturbed();
  /// The process has died, or is no member of the group any more without having given its partitions up.
  void gone(int process) { gone_.insert(process); }

  [[nodiscard]] bool complete(int partition, std::int64_t offset) const;
  /// Chunks of that attempt are gone with their log.
  [[nodiscard]] bool is_torn(int partition, const std::string& org_id, const std::string& request_id,
                             std::int64_t attempt) const;
  [[nodiscard]] bool all_complete() const;
  [[nodiscard]] bool any_open() const;
  /// Nothing happens any more, and nothing fails.
  void at_rest();
  /// The furthest commit that has landed. A stale one that lands behind it only lengthens a successor's tail.
  [[nodiscard]] std::int64_t committed_up_to(int partition) const { return part(partition).judged; }
  /// The highest claim that took effect.
  [[nodiscard]] std::int64_t epoch(int partition) const { return part(partition).fold.epoch(); }
  [[nodiscard]] std::int64_t requests(int partition) const {
    return static_cast<std::int64_t>(part(partition).here.size());
  }
  void report(std::string promise, std::string text);
  [[nodiscard]] const std::optional<Violation>& violation() const { return violation_; }

  struct Figures {
    std::int64_t attempts = 0;
    std::int64_t runs_again = 0;
    std::int64_t interrupted = 0;
    std::int64_t recovered = 0;
    std::int64_t claims = 0;
    std::int64_t releases = 0;
    std::int64_t continued = 0;
    std::int64_t void_events = 0;
    std::int64_t duplicates = 0;
    std::int64_t calls = 0;
    std::int64_t lost = 0;
    std::int64_t read_again = 0;    ///< records that a worker had put back
    std::int64_t cut = 0;           ///< beginnings of audit and chunk logs that retention has taken
    std::int64_t refused = 0;       ///< attempts that ended because the brokers refused a chunk
    std::int64_t answers_gone = 0;  ///< ended because nobody can know whether they had been answered
    std::int64_t replaced = 0;      ///< logs of which all, or the end, was replaced
    std::int64_t restarted = 0;     ///< attempts that ended because their answer broke off, to be run again
    std::int64_t joined = 0;        ///< calls that went on with the answer of another one

    struct Member {
      const char* name;
      std::int64_t Figures::* value;
    };
    static const std::vector<Member>& members();
    Figures& operator+=(const Figures& more);
  };
  [[nodiscard]] const Excuses& excuses() const { return excuses_; }
  [[nodiscard]] const Figures& figures() const { return figures_; }
  [[nodiscard]] const events::AuditFold& fold(int partition) const { return part(partition).fold; }

 private:
  struct Call {
    int request = 0;
    std::string said{};
    bool well = false;
    bool fails = false;
    bool continues = false;  ///< `said` begins with what other calls have said
    std::int64_t attempt = -1;
  };
  struct Attempt {
    std::int64_t chunks = 0;
    // Places on chat.chunks count through all logs that it has had.
    std::int64_t first_at = -1;
    std::int64_t last_at = -1;
    std::int64_t first_offset = -1;  ///< of first_at, in its log
    std::int64_t terminal_at = -1;   ///< of a whole answer
    bool holed = false;              ///< one of its chunks was refused, and not those behind it: it is never whole
    bool torn = false;               ///< chunks of it are gone with a log: nobody can see whether it is whole
    Micros begun_at{0};              ///< its llm.request
    std::string finish{};
    std::string text{};
    int call = -1;
    std::int64_t offset = -1;  ///< of the request; known from its llm.request
    bool called = false;
    int begun_by = -1;                   ///< process
    std::int64_t epoch = 0;              ///< of its beginning
    int continued_by = -1;               ///< process
    Micros lease_until{0};               ///< at least
    Micros given_up_at = Micros::max();  ///< its worker has said that it does not go on with it
    bool handed_over = false;            ///< its worker gave the partition up in order
    Micros terminal_since{0};
    bool excused = false;
    std::int64_t response_at = -1;
    std::int64_t refused = -1;      ///< an earlier attempt of which a chunk was refused: nobody is called
    std::int64_t answer_gone = -1;  ///< an earlier attempt, whose terminal chunk retention has taken: nobody is called
  };
  /// `later` was announced although `earlier` of the same key had no terminal chunk.
  struct OutOfOrder {
    std::pair<int, std::int64_t> later;  ///< request, attempt
    int earlier = 0;                     ///< request
    std::int64_t attempt = -1;           ///< its attempt then; -1: it had none
  };
  struct Source {
    Request request{};
    int id = -1;
    bool duplicate = false;
    bool done = false;
    bool dead_lettered = false;
    bool deleted = false;
    bool gone = false;         ///< with its log
    bool read = false;         ///< by a worker, before its log was replaced
    bool mistaken = false;     ///< it was taken for one of a log that is gone
    bool passed_over = false;  ///< it took the place of one that was read, and nothing could show that
    bool unseen = false;       ///< it took the place of one that was read, and nobody can have noticed when it came
    std::int64_t offset = -1;  ///< in the log that it lies or lay in
    bool told = false;         ///< to be lost, by an event that counts
    std::string answer{};      ///< the chunk of attempt 0
  };
  struct Claim {
    std::int64_t chunks_end = 0;
    std::int64_t at = 0;
  };
  struct Part {
    events::AuditFold fold{};
    /// Of all that the present audit log has had, also what retention has taken since.
    events::AuditFold uncut{};
    std::vector<Source> sources{};                               ///< of all logs that chat.requests has had
    std::vector<std::size_t> here{};                             ///< those in the present one, by offset
    std::map<std::pair<int, std::int64_t>, Attempt> attempts{};  ///< by request and number
    std::map<std::int64_t, Claim> claims{};                      ///< by epoch
    std::map<int, std::pair<std::int64_t, Micros>>
        released{};  ///< by process: epoch and time of its newest that counts
    std::vector<OutOfOrder> out_of_order{};
    std::int64_t chunks_end = 0;
    std::int64_t chunks_begin = 0;
    bool audit_cut = false;
    std::int64_t chunks_base = 0;   ///< places on chat.chunks before the present log's offset 0
    std::size_t audit_from = 0;     ///< of requests before that one the present audit log does not say all
    bool commits_doubtful = false;  ///< nor does the committed offset: it was one of a log that is gone
    bool requests_replaced = false;
    std::int64_t read_to = 0;       ///< workers had read so far of the log of requests that was replaced last
    Micros requests_noticed_at{0};  ///< they notice that before this time, and read again
    bool chunks_replaced = false;
    /// llm.audit or chat.chunks.
    struct Log {
      std::vector<std::int64_t> ms{};  ///< timestamps of the present log's records, by offset
      std::int64_t unknown_to = -1;    ///< an owner of an epoch up to there may not know that it is another log
      Micros noticed_at{0};            ///< before that time such an owner has noticed it, unless nothing shows it
    };
    Log audit_log{};
    Log chunks_log{};
    bool struck = false;
    Micros struck_until = Micros::max();  ///< what begins later runs once again
    std::int64_t chunks_refused = 0;
    std::int64_t judged = 0;  ///< commits up to here have been found right
  };

  // Which request an event, a chunk or a letter is about: its place in Part::sources; -1: there was none.
  [[nodiscard]] std::int64_t source_of(const Part& part, std::int64_t offset, std::int64_t at_ms) const;
  [[nodiscard]] std::int64_t source_of(const Part& part, const events::Chunk& chunk) const;
  void translate(const Part& part, events::AuditFacts& event) const;
  /// The present audit log may not say all about that request.
  [[nodiscard]] static bool of_older_audit(const Part& part, std::int64_t source) {
    return static_cast<std::size_t>(source) < part.audit_from;
  }
  /// Nothing more is to come of it.
  [[nodiscard]] bool over(const Source& source) const;
  [[nodiscard]] static bool answered(const Source& source);
  [[nodiscard]] bool is_well(const Part& part, const Attempt& attempt) const {
    return !part.struck || attempt.begun_at >= part.struck_until;
  }
  void went_back(Part& part, Micros now);
  [[nodiscard]] static bool speaks_of(const std::vector<std::int64_t>& log_ms, const kafka::LogWitness& witness);
  [[nodiscard]] static bool speaks_of(const Part::Log& log, const kafka::LogWitness& witness, std::int64_t epoch,
                                      Micros now);
  [[nodiscard]] const Part& part(int partition) const { return parts_[static_cast<std::size_t>(partition)]; }
  Part& part(int partition) { return parts_[static_cast<std::size_t>(partition)]; }
  int id_of(const std::string& org_id, const std::string& request_id);
  void duplicate_chunk(Part& part, const events::Chunk& chunk, std::string_view value);
  void judge_text(Attempt& attempt, int request, std::int64_t number, const events::Chunk& chunk);
  [[nodiscard]] bool takes_call(Attempt& attempt, int request, std::int64_t number, std::string_view delta);
  void judge_end(const Part& part, const Attempt& attempt, int request, const events::Chunk& chunk,
                 std::optional<std::int64_t> writer_ms);
  [[nodiscard]] bool has_reason(const Part& part, const Source& source, const Attempt& attempt, int request,
                                const events::Chunk& chunk, std::optional<std::int64_t> writer_ms) const;
  void judge_start(Part& part, const events::AuditFacts& event, int writer, Micros now);
  void judge_order(Part& part, std::int64_t offset, std::pair<int, std::int64_t> started, Micros now);
  void judge_response(Part& part, const events::AuditFacts& event, Micros now);
  void judge_lost(const Part& part, const Attempt& attempt, const std::string& what, Micros now);
  void judge_restart(const Part& part, const Source& source, const Attempt& attempt, const std::string& what);
  void note_given_up(Part& part, Micros now);
  void judge_loss(Part& part, const events::AuditFacts& event);
  [[nodiscard]] static bool may_run_as_first(const Part& part, std::int64_t offset);
  [[nodiscard]] static bool repeats_a_later(const Part& part, std::int64_t offset);
  void was_called(Part& part, std::pair<int, std::int64_t> who);
  void judge_out_of_order(Part& part);
  void judge_metadata(const Part& part, std::int64_t offset, const std::string& metadata, Micros now);
  [[nodiscard]] std::optional<std::int64_t> top(const Part& part, std::int64_t offset) const;
  [[nodiscard]] std::string name(int request, std::int64_t attempt) const;

  Excuses excuses_;
  std::vector<Part> parts_;
  std::map<std::pair<std::string, std::string>, int> ids_{};
  std::vector<std::string> id_names_{};
  std::vector<Call> calls_{};
  std::set<int> disturbed_{};
  std::set<int> gone_{};
  std::set<int> cancelled_{};  ///< requests
  std::optional<Violation> violation_{};
  Figures figures_{};
};

}  // namespace tokenrail::simulation
