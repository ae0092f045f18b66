#include "common/registry/text.hpp"

#include "common/events/utf8.hpp"

namespace tokenrail::registry {

namespace {

bool is_control(std::string_view character) {
  const auto byte = static_cast<unsigned char>(character[0]);
  if (byte < 0x20 || byte == 0x7F) return true;
  return byte == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
}

}  // namespace

std::string storable(std::string_view text, std::size_t bytes_max) {
  std::string out;
  while (!text.empty()) {
    const auto step = events::utf8_step(text);
    const auto character = text.substr(0, step.bytes);
    text.remove_prefix(step.bytes);
    if (!step.valid || is_control(character)) continue;
    if (out.size() + character.size() > bytes_max) break;
    out += character;
  }
  return out;
}

bool is_storable(std::string_view text, std::size_t bytes_max) {
  return text.size() <= bytes_max && storable(text, bytes_max) == text;
}

}  // namespace tokenrail::registry
