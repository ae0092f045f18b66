// Cutting a byte stream into the items that LLM providers send: lines (NDJSON) and server-sent events (the WHATWG
// HTML standard, section "Server-sent events"). Pure; right whatever the cuts between feed() calls, inside a UTF-8
// sequence or a CR LF pair included. Holds at most `item_bytes_max` bytes of an unfinished item.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

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

 private:
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
    rest_ = {};
    return false;
  }

  std::size_t item_bytes_max_;
  std::string rest_;
  bool failed_ = false;
};

}  // namespace tokenrail::http
