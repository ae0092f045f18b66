// Giving a text's memory back.
#pragma once

#include <cstddef>
#include <string>

namespace tokenrail {

/// Neither clear() nor `text = {}` does that: both keep the capacity, for a text that will grow again.
inline void release(std::string& text) {
  std::string().swap(text);
}

/// Bytes that the text has allocated; a short one is within the string itself.
[[nodiscard]] inline std::size_t held_by(const std::string& text) {
  return text.capacity() > std::string().capacity() ? text.capacity() : 0;
}

}  // namespace tokenrail
