// What a new owner reads before it runs anything (protocol R17): the tail of llm.audit up to its claim, then the tail
// of chat.chunks up to the end that it had when the claim was in the log. And what it learns there: answers, and what
// the events that close attempts have to say of their requests (origins). Pure.
//
// Owned by Partition, one for each. It starts no read and writes nothing; it says from where to read, and what is known
// when all has been read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/events/audit.hpp"
#include "common/events/audit_fold.hpp"
#include "common/events/offsets.hpp"
#include "common/kafka/record.hpp"
#include "workers/router/core/answer_tail.hpp"
#include "workers/router/core/environment.hpp"

namespace tokenrail::router {

class Takeover {
 public:
  /// Of a request that some attempt in the tail is about: what its closing event and its metrics have to say.
  struct Origin {
    std::optional<std::string> key{};
    std::string traceparent{};
    Millis at{0};                                   ///< wall; when its newest attempt was announced
    std::optional<events::AnsweringModel> model{};  ///< the first of the route of that attempt
  };
  /// Events of the audit tail after which what lies below the committed offset is to be forgotten.
  static constexpr std::int64_t forget_every = 4'096;

  /// There is a new claim: nothing has been read under it.
  void begin();
  /// The claim is in the log.
  void claim_reported() { claim_is_in_log_ = true; }
  [[nodiscard]] bool claim_is_in_log() const { return claim_is_in_log_; }

  // --- the tail of llm.audit
  /// Its next record. Returns whether it is the first, and lies behind where the tail was to begin (below 0: anywhere):
  /// retention has cut the log.
  [[nodiscard]] bool audit_begins_late(events::AuditOffset offset, events::AuditOffset begin);
  /// An event of the tail, which the fold has applied. Returns whether it is time to forget.
  bool note_event(const events::AuditFacts& facts, const kafka::Record& record, const events::AuditFold& fold);
  void note_epoch(std::int64_t epoch);
  /// The highest of the tail, of any event of others.
  [[nodiscard]] std::int64_t epoch_seen() const { return epoch_seen_; }

  // --- the tail of chat.chunks, and its end once more when a lease has run out
  /// It is to be read from there; its end is asked for first.
  void read_chunks_from(events::ChunkOffset from);
  [[nodiscard]] bool end_is_known() const { return chunks_end_.has_value(); }
  /// It ends there, or later. Returns from where to read it now; nothing: nothing lies in between.
  std::optional<events::ChunkOffset> ends_at(events::ChunkOffset next_offset);
  /// Whatever lies below that offset has been read: that is all.
  [[nodiscard]] bool is_whole(events::ChunkOffset next_offset) const {
    return chunks_end_ && next_offset >= *chunks_end_;
  }
  /// A record of the tail. `late`: a tail that begins with it was to begin before it. Returns whether it is of the
  /// tail; it always is, but for a planted bug.
  bool tail_chunk(const kafka::Record& record, bool late);
  /// The tail has been read up to `end`. `late`: as above, where it gave no record and some answer was wanted. Returns
  /// where it ends.
  events::ChunkOffset tail_read(events::ChunkOffset end, bool late);
  /// A record behind it, read because a lease has run out.
  void later_chunk(const kafka::Record& record);
  void read_to(events::ChunkOffset next_offset);
  /// Up to where the chunk log has been read.
  [[nodiscard]] events::ChunkOffset chunks_read_to() const { return chunks_read_to_; }
  /// The first record that the tail gave; else its end.
  [[nodiscard]] events::ChunkOffset first_chunk_or_end() const { return first_chunk_.value_or(chunks_read_to_); }
  /// Retention has cut the chunk log: the attempt's answer may have been there, or its first chunks, and running it
  /// again could give a second one. Not where the oldest chunk left is older than the attempt.
  [[nodiscard]] bool may_have_ended_in_the_cut(events::RequestOffset source_offset) const;
  /// Planted bug only: the end that was asked for before the claim was in the log.
  void end_early(events::ChunkOffset next_offset) { early_end_ = next_offset; }

  [[nodiscard]] AnswerTail& answers() { return answers_; }
  [[nodiscard]] const AnswerTail& answers() const { return answers_; }

  // --- origins, by source offset, of attempts that are open
  void note_origin(const events::AuditFacts& facts, const kafka::Record& record);
  /// nullptr: none is known.
  [[nodiscard]] const Origin* origin(events::RequestOffset source_offset) const;
  /// No attempt of it is open any more.
  std::optional<Origin> take_origin(events::RequestOffset source_offset);
  void forget_origins() { origins_.clear(); }

 private:
  bool claim_is_in_log_ = false;
  std::optional<events::AuditOffset> first_event_{};
  std::int64_t events_ = 0;
  std::int64_t epoch_seen_ = 0;
  events::ChunkOffset chunks_from_{};
  std::optional<events::ChunkOffset> chunks_end_{};
  std::optional<events::ChunkOffset> early_end_{};
  std::optional<events::ChunkOffset> first_chunk_{};
  Millis first_chunk_at_{0};  ///< wall
  bool chunks_cut_ = false;
  events::ChunkOffset chunks_read_to_{};
  AnswerTail answers_{};
  std::map<events::RequestOffset, Origin> origins_{};
};

}  // namespace tokenrail::router
