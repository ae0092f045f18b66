// Cuts a text into the JSON objects of its first level: one object, a list of them, or one after the other. Right
// whatever the cuts between feed() calls. Holds at most `object_bytes_max` bytes of an unfinished object. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/release.hpp"

namespace tokenrail::providers::gemini {

class ObjectFramer {
 public:
  explicit ObjectFramer(std::size_t object_bytes_max) : object_bytes_max_(object_bytes_max) {}

  /// `Sink`: void(std::string_view object), whose view dies with the call. Returns false, for good, once an object is
  /// longer than allowed.
  template <class Sink>
  bool feed(std::string_view bytes, Sink&& sink) {
    std::size_t begin = 0;  // of what belongs to the object at hand
    for (std::size_t i = 0; i < bytes.size() && !failed_; ++i) {
      if (depth_ == 0 && bytes[i] == '{') begin = i;
      if (!ends_with(bytes[i])) continue;
      const auto tail = bytes.substr(begin, i + 1 - begin);
      if (rest_.empty()) {
        if (tail.size() > object_bytes_max_) return fail();
        sink(tail);
      } else {
        if (!keep(tail)) return false;
        sink(std::string_view(rest_));
        release(rest_);
      }
    }
    return !failed_ && (depth_ == 0 || keep(bytes.substr(begin)));
  }

  [[nodiscard]] bool unfinished() const { return depth_ > 0; }
  [[nodiscard]] std::size_t held_bytes() const { return held_by(rest_); }

 private:
  /// Whether the object at hand ends with this byte. What is between objects is passed over.
  bool ends_with(char c) {
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      return false;
    }
    if (depth_ == 0) {
      if (c == '{') depth_ = 1;
      return false;
    }
    if (c == '"') in_string_ = true;
    if (c == '{' || c == '[') ++depth_;
    return (c == '}' || c == ']') && --depth_ == 0;
  }
  bool keep(std::string_view bytes) {
    if (rest_.size() + bytes.size() > object_bytes_max_) return fail();
    rest_.append(bytes);
    return true;
  }
  bool fail() {
    failed_ = true;
    release(rest_);
    return false;
  }

  std::size_t object_bytes_max_;
  std::string rest_{};  ///< the beginning of the unfinished object
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool failed_ = false;
};

}  // namespace tokenrail::providers::gemini
