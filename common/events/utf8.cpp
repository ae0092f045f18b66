#include "common/events/utf8.hpp"

namespace tokenrail::events {

Utf8Step utf8_step(std::string_view text) {
  const auto byte = [text](std::size_t index) { return static_cast<unsigned char>(text[index]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) {
    return {.bytes = 1, .valid = true};
  }
  if (lead < 0xC2 || lead > 0xF4) {
    return {.bytes = 1, .valid = false};
  }

  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range shuts out overlong forms, surrogates and what is beyond U+10FFFF.
  unsigned low = 0x80;
  unsigned high = 0xBF;
  if (lead == 0xE0) {
    low = 0xA0;
  }
  if (lead == 0xED) {
    high = 0x9F;
  }
  if (lead == 0xF0) {
    low = 0x90;
  }
  if (lead == 0xF4) {
    high = 0x8F;
  }
  for (std::size_t index = 1; index < length; ++index) {
    if (index >= text.size() || byte(index) < low || byte(index) > high) {
      return {.bytes = index, .valid = false};
    }
    low = 0x80;
    high = 0xBF;
  }
  return {.bytes = length, .valid = true};
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) {
    return text;
  }
  std::size_t end = bytes_max;
  // A sequence has at most three continuation bytes; more than that is not UTF-8, and any cut is as good as another.
  for (int steps = 0; steps < 3 && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U; ++steps) {
    --end;
  }
  if ((static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    end = bytes_max;
  }
  return text.substr(0, end);
}

}  // namespace tokenrail::events
