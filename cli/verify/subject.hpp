// What the checker knows of one (orgId, requestId): where it was asked, its attempts as llm.audit and chat.chunks have
// them, its answers as a duplicate. Values only; -1 means "not seen" in offsets and times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>

namespace tokenrail::verify {

/// A record of chat.requests, or the source offset that an audit event names.
struct Asked {
  bool read = false;        ///< the record itself was
  bool dead = false;        ///< the dead-letter topic contains it
  bool answerable = false;  ///< its ids can be read, and nothing about it is too large
  std::int64_t ms = -1;
  std::int64_t told_ms = -1;         ///< when llm.audit spoke of it last, void events included; by the brokers' clock
  std::int64_t broker_ms = -1;       ///< the same, where the broker's clock made it
  std::int64_t deadline_ms = -1;     ///< where the request says how long it may take
  std::optional<std::size_t> key{};  ///< hash of the record's key; nothing: it has none, so it has no order
};

/// The key of the first record about something, and where that is: all further ones have it too.
struct KeySeen {
  std::int64_t at = -1;
  bool on_chunks = false;  ///< else on llm.audit
  std::size_t hash = 0;
};

/// An attempt's llm.request. `at`: offset of the one that counts.
struct RequestEvent {
  std::int64_t at = -1;
  std::int64_t ms = -1;
  std::int64_t broker_ms = -1;  ///< the same, where the broker's clock made it
  std::int64_t own_ms = -1;     ///< when its worker made it, by the worker's clock
  std::int64_t void_at = -1;    ///< offset of one that is void
};

/// An attempt's llm.response. `at`: offset of the one that counts.
struct ResponseEvent {
  std::int64_t at = -1;
  std::int64_t broker_ms = -1;
  std::int64_t epoch = 0;
  std::size_t hash = 0;  ///< of the whole record
  std::string outcome{};
  bool called = false;
  // What it says of the chunks.
  std::string finish_reason{};
  std::optional<std::int64_t> chunks{};
  std::optional<std::int64_t> text_bytes{};
};

/// An attempt that was given up in order and is continued by its worker.
struct Continued {
  std::optional<std::int64_t> epoch{};  ///< nothing: it is not
  // Until when other workers must not close it, by the brokers' clock: by the hand-over, and by the newest renewal.
  std::int64_t until_ms = -1;
  std::int64_t renewed_until_ms = -1;
  bool closed_by_another = false;  ///< its counting response is not of the worker that continued it
};

/// The first gap among the chunks: the chunk behind it, the one before it, and the seq that was due.
struct Gap {
  std::int64_t at = -1;
  std::int64_t after = -1;
  std::int64_t seq = 0;
  std::int64_t due = 0;
};

/// An attempt's chunks on chat.chunks.
struct Chunks {
  std::int64_t first_at = -1;
  std::int64_t first_broker_ms = -1;
  std::int64_t first_seq = 0;
  std::int64_t last_at = -1;
  std::int64_t next_seq = 0;
  Gap gap{};
  std::int64_t text_bytes = 0;
  std::int64_t terminal_at = -1;
  std::int64_t terminal_broker_ms = -1;  ///< where the broker's clock made the timestamp
  std::int64_t terminal_source = -1;
  std::string finish_reason{};
};

struct Attempt {
  std::int64_t source_offset = -1;
  std::int64_t source_ms = -1;  ///< timestamp of the request's record; another one: a new log has another request there
  RequestEvent request{};
  ResponseEvent response{};
  Continued continued{};
  Chunks chunks{};
  KeySeen key{};

  [[nodiscard]] bool exists() const { return request.at >= 0 || response.at >= 0; }
  [[nodiscard]] bool answered() const { return response.at >= 0; }
  [[nodiscard]] bool interrupted() const { return response.outcome == "interrupted"; }
  /// Its terminal chunk follows all its other chunks, as readers see it.
  [[nodiscard]] bool whole() const { return chunks.terminal_at >= 0 && chunks.first_seq == 0 && chunks.gap.at < 0; }
};

/// Attempt 0 at one source offset.
struct DuplicateAnswer {
  std::int64_t source_ms = -1;  ///< as of an attempt
  std::int64_t response_at = -1;
  std::int64_t response_epoch = 0;
  std::size_t response_hash = 0;
  std::int64_t chunk_at = -1;
  std::size_t chunk_hash = 0;
  std::int64_t other_chunk_at = -1;  ///< that says something else
  std::optional<std::int64_t> names_offset{};
  std::optional<std::int64_t> names_attempt{};
  std::optional<std::int64_t> told_offset{};  ///< the first, as the response names it
  std::optional<std::size_t> response_key{};  ///< hash of its record's key
  /// The same of a response that names another request's record: the log of requests was replaced, and both logs had a
  /// duplicate at that offset. Chunks do not say of which.
  std::optional<std::size_t> other_response_key{};
  KeySeen key{};
  KeySeen other_key{};  ///< the first that differs
};

struct Subject {
  std::string org_id;
  std::string request_id;
  std::map<std::int64_t, Asked> asked{};                 ///< by source offset
  std::map<std::int64_t, Attempt> attempts{};            ///< by number, 0 excepted
  std::map<std::int64_t, DuplicateAnswer> duplicates{};  ///< by source offset
  std::int64_t first_audit = -1;
  bool doubtful = false;  ///< too much of its past precedes the start of llm.audit
  bool leftover = false;  ///< first seen in the middle of an attempt, after others had been forgotten
  bool unheard = false;   ///< first seen by a chunk, after others had been forgotten
  std::optional<std::list<Subject*>::iterator> place{};  ///< among those that may be forgotten
};

}  // namespace tokenrail::verify
