// What the simulator received and what came of it, so that tests can count. Bounded: the oldest entries are dropped.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace tokenrail::simulator {

struct JournalEntry {
  std::uint64_t number = 0;  ///< from 1, never used twice
  std::string id{};          ///< the directive's, else the X-Request-Id header
  std::string method{};
  std::string path{};
  std::string model{};
  std::string last_user_message{};  ///< with its directive; cut at 4 KiB
  std::string traceparent{};
  std::string request{};  ///< the body, where it is not longer than 16 KiB
  std::string request_sha256{};
  std::string authorization_sha256{};  ///< of the header's value; empty: there was none
  std::size_t request_bytes = 0;
  std::int64_t messages = 0;
  bool stream = false;
  std::int64_t started_ms = 0;       ///< Unix time
  std::int64_t first_token_ms = -1;  ///< after the start; -1: none was sent
  std::int64_t ended_ms = -1;        ///< after the start; -1: not ended
  int status = 0;
  std::string ending = "open";   ///< open | complete | client_gone | fault
  std::string fault{};           ///< the fault that happened
  std::uint64_t bytes_sent = 0;  ///< of the body
  std::uint64_t tokens_sent = 0;
  std::string text{};  ///< the answer's text as given to the kernel; cut at 64 KiB
};

struct JournalCounts {
  std::uint64_t calls = 0;
  std::uint64_t open = 0;
  std::uint64_t open_max = 0;
  std::uint64_t complete = 0;
  std::uint64_t client_gone = 0;
  std::uint64_t fault = 0;
  std::uint64_t dropped = 0;  ///< entries no longer in the journal
};

class Journal {
 public:
  explicit Journal(std::size_t entries_max) : entries_max_(entries_max) {}

  /// The number of a new open entry.
  std::uint64_t open(JournalEntry entry);
  /// Null once it was dropped.
  [[nodiscard]] JournalEntry* find(std::uint64_t number);
  /// Only the first ending of an entry counts.
  void close(std::uint64_t number, std::string_view ending, std::string_view fault, std::int64_t now_ms);
  void clear();

  [[nodiscard]] const JournalCounts& counts() const { return counts_; }
  /// Entries with numbers above `since`, at most `limit`, only of `path` unless that is empty.
  [[nodiscard]] std::string to_json(std::uint64_t since, std::size_t limit, std::string_view path) const;
  [[nodiscard]] std::string counts_to_json() const;

 private:
  std::size_t entries_max_;
  std::uint64_t next_ = 1;
  std::uint64_t counted_from_ = 1;  ///< calls opened before the last clear() count no more
  std::deque<JournalEntry> entries_{};
  JournalCounts counts_{};
};

}  // namespace tokenrail::simulator
