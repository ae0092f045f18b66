// Rows that one statement writes: as JSON arrays of a bounded size, so that many rows take few statements and none of
// these is too large. Private to this module's .cpp files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace tokenrail::registry {

/// Of the text of an array; one object may be larger.
inline constexpr std::size_t array_bytes_max = 1UL << 20;

/// `send(const std::string&)` gets each array.
template <class Send>
class JsonArrays {
 public:
  explicit JsonArrays(Send send) : send_(std::move(send)) {}
  void add(std::string_view object) {
    array_ += array_.empty() ? '[' : ',';
    array_ += object;
    if (array_.size() > array_bytes_max) flush();
  }
  /// Sends what is left.
  void flush() {
    if (array_.empty()) return;
    array_ += ']';
    send_(std::as_const(array_));
    array_.clear();
  }

 private:
  Send send_;
  std::string array_;
};

}  // namespace tokenrail::registry
