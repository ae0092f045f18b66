#include "common/events/json_writer.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/utf8.hpp"

namespace tokenrail::events {
namespace {

enum : unsigned char { clean = 0, escape = 1, wide = 2 };

constexpr std::array<unsigned char, 256> make_classes() {
  std::array<unsigned char, 256> classes{};
  for (std::size_t byte = 0; byte < 0x20; ++byte) {
    classes[byte] = escape;
  }
  classes['"'] = escape;
  classes['\\'] = escape;
  for (std::size_t byte = 0x80; byte < 0x100; ++byte) {
    classes[byte] = wide;
  }
  return classes;
}
constexpr auto classes = make_classes();

/// Eight bytes at once: has any of them the class `escape`, or, where `wide_too`, the class `wide`?
bool any_special(std::uint64_t word, bool wide_too) {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t tops = 0x8080808080808080U;
  // Top bits are masked out first, so that a byte's borrow cannot reach its neighbour.
  const std::uint64_t low = word & ~tops;
  const auto equals = [low](std::uint64_t byte) { return ~((low ^ (ones * byte)) + ~tops) & tops; };
  const std::uint64_t control = ~(low + (ones * 0x60)) & tops;  // 7-bit value below 0x20
  const std::uint64_t ascii = ~word & tops;
  const std::uint64_t special = (control | equals('"') | equals('\\')) & ascii;
  return (special | (wide_too ? word & tops : 0)) != 0;
}

void append_escape(std::string& out, char character) {
  switch (character) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default: {
      constexpr std::string_view digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(character);
      out += "\\u00";
      out += digits[byte >> 4U];
      out += digits[byte & 0xFU];
    }
  }
}

// Below this the call into simdjson costs more than looking at each sequence.
constexpr std::size_t validate_bytes_min = 64;

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  const bool known_valid = text.size() >= validate_bytes_min && simdjson::validate_utf8(text.data(), text.size());
  out += '"';
  std::size_t run = 0;
  std::size_t at = 0;
  const auto flush = [&] { out.append(text.data() + run, at - run); };
  while (at < text.size()) {
    if (text.size() - at >= sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + at, sizeof word);
      if (!any_special(word, !known_valid)) {
        at += sizeof word;
        continue;
      }
    }
    const auto kind = classes[static_cast<unsigned char>(text[at])];
    if (kind == clean || (kind == wide && known_valid)) {
      ++at;
    } else if (kind == escape) {
      flush();
      append_escape(out, text[at]);
      run = ++at;
    } else {
      const auto step = utf8_step(text.substr(at));
      if (!step.valid) {
        flush();
        out += "\xEF\xBF\xBD";
        run = at + step.bytes;
      }
      at += step.bytes;
    }
  }
  flush();
  out += '"';
}

std::size_t json_string_bytes(std::string_view text) {
  std::size_t bytes = 2;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto kind = classes[static_cast<unsigned char>(text[at])];
    if (kind == wide) {
      const auto step = utf8_step(text.substr(at));
      bytes += step.valid ? step.bytes : 3;
      at += step.bytes;
      continue;
    }
    const bool short_escape = std::string_view("\"\\\n\r\t\b\f").find(text[at]) != std::string_view::npos;
    bytes += kind == clean ? 1 : short_escape ? 2 : 6;
    ++at;
  }
  return bytes;
}

void JsonWriter::comma() {
  if (!first_) {
    out_ += ',';
  }
  first_ = false;
}

void JsonWriter::name(std::string_view name) {
  comma();
  append_json_string(out_, name);
  out_ += ':';
}

void JsonWriter::begin_object() {
  comma();
  out_ += '{';
  first_ = true;
}

void JsonWriter::begin_object(std::string_view field_name) {
  name(field_name);
  out_ += '{';
  first_ = true;
}

void JsonWriter::end_object() {
  out_ += '}';
  first_ = false;
}

void JsonWriter::begin_array() {
  comma();
  out_ += '[';
  first_ = true;
}

void JsonWriter::begin_array(std::string_view field_name) {
  name(field_name);
  out_ += '[';
  first_ = true;
}

void JsonWriter::end_array() {
  out_ += ']';
  first_ = false;
}

void JsonWriter::field(std::string_view field_name, std::string_view value) {
  name(field_name);
  append_json_string(out_, value);
}

void JsonWriter::field(std::string_view field_name, bool value) {
  name(field_name);
  out_ += value ? "true" : "false";
}

void JsonWriter::field(std::string_view field_name, double value) {
  name(field_name);
  if (std::isfinite(value)) {
    fmt::format_to(std::back_inserter(out_), "{}", value);
  } else {
    out_ += "null";
  }
}

void JsonWriter::field(std::string_view field_name, std::int64_t value) {
  name(field_name);
  const fmt::format_int digits(value);
  out_.append(digits.data(), digits.size());
}

void JsonWriter::null_field(std::string_view field_name) {
  name(field_name);
  out_ += "null";
}

void JsonWriter::raw_field(std::string_view field_name, std::string_view json) {
  name(field_name);
  out_ += json;
}

void JsonWriter::element(std::string_view value) {
  comma();
  append_json_string(out_, value);
}

void JsonWriter::element(std::int64_t value) {
  comma();
  const fmt::format_int digits(value);
  out_.append(digits.data(), digits.size());
}

void JsonWriter::raw_element(std::string_view json) {
  comma();
  out_ += json;
}

}  // namespace tokenrail::events
