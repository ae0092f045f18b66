// What a fuzz target holds its parser to beyond not crashing: stops where it is broken, also in builds without assert.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <string_view>

namespace tokenrail::fuzz {

inline void expect(bool holds, const std::source_location& where = std::source_location::current()) {
  if (!holds) {
    std::fprintf(stderr, "%s:%u: this does not hold\n", where.file_name(), where.line());
    std::abort();
  }
}

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  // The fuzzer's bytes are characters by another name.
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace tokenrail::fuzz
