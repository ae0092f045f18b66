// Cutting a byte stream into the items that LLM providers send: lines (NDJSON) and server-sent events (the WHATWG
// HTML standard, section "Server-sent events"). Pure; right whatever the cuts between feed() calls, inside a UTF-8
// sequence or a CR LF pair included. Holds at most `item_bytes_max` bytes of an unfinished item.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/release.hpp"

namespace tokenrail::http {

/// NDJSON. Lines end in LF or CR LF; empty lines are passed over. `Sink`: void(std::string_view line), whose view dies
/// with the call and which must not re-enter the framer.
class LineFramer {
 public:
  explicit LineFramer(std::size_t item_bytes_max) : item_bytes_max_(item_bytes_max) {}

  /// Returns false, for good, once a line is longer than allowed.
  template <class Sink>
  bool feed(std::string_view bytes, Sink&& sink) {
    while (!failed_ && !bytes.empty()) {
      const auto end = bytes.find('\n');
      if (end == std::string_view::npos) return keep(bytes);
      if (rest_.empty()) {
        if (end > item_bytes_max_) return fail();
        emit(bytes.substr(0, end), sink);
      } else {
        if (!keep(bytes.substr(0, end))) return false;
        emit(rest_, sink);
        rest_.clear();
        // One long line must not cost its memory for the rest of a stream of short ones.
        if (rest_.capacity() > kept_bytes_max) release(rest_);
      }
      bytes.remove_prefix(end + 1);
    }
    return !failed_;
  }

  /// A last line without its line end still counts.
  template <class Sink>
  void finish(Sink&& sink) {
    if (!failed_ && !rest_.empty()) emit(rest_, sink);
    rest_.clear();
  }

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::size_t buffered_bytes() const { return rest_.size(); }
  /// Memory that the unfinished line takes.
  [[nodiscard]] std::size_t held_bytes() const { return held_by(rest_); }

 private:
  static constexpr std::size_t kept_bytes_max = 16 * 1024;

  template <class Sink>
  static void emit(std::string_view line, Sink& sink) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty()) sink(line);
  }
  bool keep(std::string_view bytes) {
    if (rest_.size() + bytes.size() > item_bytes_max_) return fail();
    rest_.append(bytes);
    return true;
  }
  bool fail() {
    failed_ = true;
    release(rest_);
    return false;
  }

  std::size_t item_bytes_max_;
  std::string rest_;
  bool failed_ = false;
};

/// One server-sent event. The views die with the sink's call.
struct ServerSentEvent {
  std::string_view type;  ///< "message" where the sender named none
  std::string_view data;  ///< its data lines, joined by line feeds
  std::string_view id;    ///< the last id that the stream has set, by this event or an earlier one
};

/// Server-sent events. Lines end in LF, CR or CR LF; comments and unknown fields are passed over; an event without data
/// is none. Unlike a browser, a last event that the end of the stream cuts off before its blank line still counts:
/// providers end their streams so. `Sink`: void(const ServerSentEvent&), which must not re-enter the framer.
class SseFramer {
 public:
  /// `item_bytes_max` bounds one event: its data, its type and the line at hand.
  explicit SseFramer(std::size_t item_bytes_max) : item_bytes_max_(item_bytes_max) {}

  /// Returns false, for good, once an event is larger than allowed.
  template <class Sink>
  bool feed(std::string_view bytes, Sink&& sink) {
    // Both searches go over every byte once, however short the lines are.
    std::size_t lf = bytes.find('\n');
    std::size_t cr = bytes.find('\r');
    std::size_t start = 0;
    while (!failed_ && start < bytes.size()) {
      if (after_cr_ && bytes[start] == '\n') ++start;
      after_cr_ = false;
      if (lf < start) lf = bytes.find('\n', start);
      if (cr < start) cr = bytes.find('\r', start);
      const std::size_t end = lf < cr ? lf : cr;
      if (end == std::string_view::npos) return keep(bytes.substr(start));
      take_line(bytes.substr(start, end - start), sink);
      after_cr_ = end == cr;
      start = end + 1;
    }
    return !failed_;
  }

  /// The stream has ended.
  template <class Sink>
  void finish(Sink&& sink) {
    if (!failed_ && !rest_.empty()) take_line({}, sink);
    if (!failed_ && has_data_) emit(sink);
  }

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::size_t buffered_bytes() const { return rest_.size() + data_.size() + type_.size(); }

  /// The reconnection time that the sender asked for, in milliseconds.
  [[nodiscard]] std::optional<std::uint64_t> retry_ms() const { return retry_ms_; }

 private:
  /// A line whose end is known: the kept beginning, if any, and `tail`.
  template <class Sink>
  void take_line(std::string_view tail, Sink& sink) {
    if (!rest_.empty()) {
      if (!keep(tail)) return;
    } else if (buffered_bytes() + tail.size() > item_bytes_max_) {
      // As if it had come in pieces: where a stream is cut must not decide what is too long.
      fail();
      return;
    }
    const bool dispatch = field_line(rest_.empty() ? tail : std::string_view(rest_));
    rest_.clear();
    if (dispatch) emit(sink);
  }
  template <class Sink>
  void emit(Sink& sink) {
    sink(ServerSentEvent{.type = type_.empty() ? std::string_view("message") : type_, .data = data_, .id = id_});
    forget_event();
  }

  bool field_line(std::string_view line);  ///< true: the event is whole
  void field(std::string_view name, std::string_view value);
  bool keep(std::string_view bytes);
  void forget_event();
  bool fail();

  std::size_t item_bytes_max_;
  std::string rest_;  ///< the unfinished line
  std::string data_;
  std::string type_;
  std::string id_;
  std::optional<std::uint64_t> retry_ms_;
  bool has_data_ = false;
  bool after_cr_ = false;   ///< a line feed right now belongs to the line end before
  bool first_line_ = true;  ///< a byte order mark may precede it
  bool failed_ = false;
};

}  // namespace tokenrail::http
