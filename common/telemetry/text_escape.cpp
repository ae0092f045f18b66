#include "common/telemetry/text_escape.hpp"

#include <cstddef>
#include <cstdint>

#include <fmt/format.h>

namespace tokenrail::telemetry {
namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;  ///< bytes; 0: the byte at hand belongs to no well-formed sequence
};

/// The code point at the front of `text`, which is not empty.
CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {.value = lead, .length = 1};
  std::size_t length = 0;
  std::uint32_t value = 0;
  std::uint32_t smallest = 0;
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2, value = lead & 0x1f, smallest = 0x80;
  } else if ((lead & 0xf0) == 0xe0) {
    length = 3, value = lead & 0x0f, smallest = 0x800;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4, value = lead & 0x07, smallest = 0x10000;
  }
  if (length == 0 || text.size() < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3f);
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < smallest || value > 0x10ffff || surrogate) return {};
  return {.value = value, .length = length};
}

/// Calls `good(code point, its bytes)` or `bad(byte)` along the text.
template <class Good, class Bad>
void walk(std::string_view text, Good&& good, Bad&& bad) {
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (point.length == 0) {
      bad(static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
    } else {
      good(point.value, text.substr(0, point.length));
      text.remove_prefix(point.length);
    }
  }
}

bool breaks_a_line(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x2028 || point == 0x2029;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  walk(
      text, [&](std::uint32_t, std::string_view bytes) { out += bytes; },
      [&](unsigned char) { out += "\xef\xbf\xbd"; });
  return out;
}

std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  walk(
      text,
      [&](std::uint32_t point, std::string_view bytes) {
        if (!breaks_a_line(point)) {
          out += bytes;
        } else if (point == '\n') {
          out += "\\n";
        } else if (point == '\r') {
          out += "\\r";
        } else if (point == '\t') {
          out += "\\t";
        } else if (point < 0x80) {
          out += fmt::format("\\x{:02x}", point);
        } else {
          out += fmt::format("\\u{:04x}", point);
        }
      },
      [&](unsigned char byte) { out += fmt::format("\\x{:02x}", byte); });
  return out;
}

std::string json_string(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  walk(
      text,
      [&](std::uint32_t point, std::string_view bytes) {
        if (point == '"' || point == '\\') {
          out += '\\';
          out += bytes;
        } else if (point == '\n') {
          out += "\\n";
        } else if (breaks_a_line(point)) {
          out += fmt::format("\\u{:04x}", point);
        } else {
          out += bytes;
        }
      },
      [&](unsigned char) { out += "\\ufffd"; });
  return out;
}

}  // namespace tokenrail::telemetry
