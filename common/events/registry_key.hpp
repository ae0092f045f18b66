// Parts of record keys on `model_registry`. Included by .cpp files only.
#pragma once

#include <string>
#include <string_view>

namespace tokenrail::events {

/// Appends one part: without the slash that separates parts, and never the mere "_" that means "none". The percent
/// sign is escaped too, so that two different texts never make one part.
inline void append_key_part(std::string& key, std::string_view text) {
  if (text == "_") {
    key += "%5F";
    return;
  }
  for (const char c : text) {
    if (c == '/') {
      key += "%2F";
    } else if (c == '%') {
      key += "%25";
    } else {
      key += c;
    }
  }
}

/// The same; "_" where there is nothing.
inline void append_key_part_or_none(std::string& key, std::string_view text) {
  if (text.empty()) {
    key += '_';
  } else {
    append_key_part(key, text);
  }
}

}  // namespace tokenrail::events
