// Giving a text's memory back.
#pragma once

#include <string>

namespace tokenrail {

/// Neither clear() nor `text = {}` does that: both keep the capacity, for a text that will grow again.
inline void release(std::string& text) {
  std::string().swap(text);
}

}  // namespace tokenrail
