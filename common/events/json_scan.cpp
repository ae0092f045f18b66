#include "common/events/json_scan.hpp"

#include <vector>

#include <simdjson.h>

#include "common/events/utf8.hpp"

namespace tokenrail::events {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_digit(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

/// The code unit of four hex digits at `at`, or -1.
int code_unit(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) {
    return -1;
  }
  int unit = 0;
  for (std::size_t index = at; index < at + 4; ++index) {
    const int digit = hex_digit(text[index]);
    if (digit < 0) {
      return -1;
    }
    unit = unit * 16 + digit;
  }
  return unit;
}

bool is_high(int unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low(int unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

class Scanner {
 public:
  Scanner(std::string_view text, const std::array<std::string_view, 3>& names) : text_(text), names_(names) {}

  JsonScan run() {
    skip_space();
    scan_.object = at_ < text_.size() && text_[at_] == '{';
    scan_.valid = document();
    if (!scan_.valid) {
      scan_.position = at_;
    }
    return scan_;
  }

 private:
  bool expected(std::string_view what) {
    scan_.problem = what;
    return false;
  }
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool document() {
    if (!value()) {
      return false;
    }
    while (!open_.empty()) {
      if (!after_value()) {
        return false;
      }
    }
    skip_space();
    return at_ == text_.size() || expected("the end of the document");
  }

  /// A scalar, or the opening of a container and its first value (empty containers close at once).
  bool value() {
    for (;;) {
      skip_space();
      const char c = peek();
      if (c == '"') {
        return string();
      }
      if (c == '-' || is_digit(c)) {
        return number();
      }
      if (c == 't') {
        return literal("true");
      }
      if (c == 'f') {
        return literal("false");
      }
      if (c == 'n') {
        return literal("null");
      }
      if (c != '{' && c != '[') {
        return expected("a value");
      }
      ++at_;
      const bool object = c == '{';
      open_.push_back(object);
      if (open_.size() > scan_.depth) {
        scan_.depth = open_.size();
      }
      skip_space();
      if (peek() == (object ? '}' : ']')) {
        return true;
      }  // after_value() closes it
      if (object && !key()) {
        return false;
      }
    }
  }

  bool after_value() {
    skip_space();
    if (open_.size() == 1 && field_) {
      scan_.fields[*field_] = text_.substr(field_start_, value_end_ - field_start_);
      field_.reset();
    }
    const bool object = open_.back();
    const char c = peek();
    if (c == (object ? '}' : ']')) {
      ++at_;
      value_end_ = at_;
      open_.pop_back();
      return true;
    }
    if (c != ',') {
      return expected(object ? "',' or '}'" : "',' or ']'");
    }
    ++at_;
    skip_space();
    if (object && !key()) {
      return false;
    }
    return value();
  }

  bool key() {
    skip_space();
    const std::size_t start = at_;
    if (peek() != '"') {
      return expected("a field name in double quotes");
    }
    if (!string()) {
      return false;
    }
    const auto raw = text_.substr(start, at_ - start);
    skip_space();
    if (peek() != ':') {
      return expected("':'");
    }
    ++at_;
    if (open_.size() == 1 && scan_.object) {
      note_field(raw);
    }
    return true;
  }

  void note_field(std::string_view raw) {
    field_.reset();
    for (std::size_t index = 0; index < names_.size(); ++index) {
      const auto name = names_[index];
      if (name.empty()) {
        continue;
      }
      // Written with escapes a name is up to six times as long; anything longer cannot be it.
      const bool plain = raw.size() == name.size() + 2 && raw.substr(1, name.size()) == name;
      const bool escaped = !plain && raw.size() <= 6 * name.size() + 2 && raw.find('\\') != std::string_view::npos &&
                           decode_json_string(raw) == name;
      if (plain || escaped) {
        skip_space();
        field_ = index;
        field_start_ = at_;
      }
    }
  }

  bool string() {
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        value_end_ = at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) {
        return expected("no control character inside a string");
      }
      if (c != '\\') {
        ++at_;
      } else if (!escape()) {
        return false;
      }
    }
    return expected("the end of a string");
  }

  bool escape() {
    const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == 'u') {
      const int unit = code_unit(text_, at_ + 2);
      if (unit < 0) {
        return expected("four hexadecimal digits after \\u");
      }
      at_ += 6;
      if (is_low(unit)) {
        scan_.lone_surrogates = true;
      }
      if (is_high(unit)) {
        const bool paired = text_.substr(at_).starts_with("\\u") && is_low(code_unit(text_, at_ + 2));
        if (paired) {
          at_ += 6;
        } else {
          scan_.lone_surrogates = true;
        }
      }
      return true;
    }
    if (c == '\0' || std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) {
      return expected("an escape that JSON knows");
    }
    at_ += 2;
    return true;
  }

  bool digits() {
    if (!is_digit(peek())) {
      return expected("a digit");
    }
    while (is_digit(peek())) {
      ++at_;
    }
    return true;
  }

  bool number() {
    if (peek() == '-') {
      ++at_;
    }
    if (peek() == '0') {
      ++at_;
    } else if (!digits()) {
      return false;
    }
    if (peek() == '.') {
      ++at_;
      if (!digits()) {
        return false;
      }
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') {
        ++at_;
      }
      if (!digits()) {
        return false;
      }
    }
    value_end_ = at_;
    return true;
  }

  bool literal(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) {
      return expected("a value");
    }
    at_ += word.size();
    value_end_ = at_;
    return true;
  }

  std::string_view text_;
  const std::array<std::string_view, 3>& names_;
  JsonScan scan_;
  std::size_t at_ = 0;
  std::vector<bool> open_;            // one a level: is it an object?
  std::optional<std::size_t> field_;  // which wanted field's value is being passed
  std::size_t field_start_ = 0;
  std::size_t value_end_ = 0;
};

}  // namespace

JsonScan scan_json(std::string_view text, const std::array<std::string_view, 3>& field_names) {
  return Scanner(text, field_names).run();
}

std::string repair_surrogates(std::string_view text) {
  std::string repaired(text);
  std::size_t at = 0;
  while ((at = repaired.find('\\', at)) != std::string::npos && at + 1 < repaired.size()) {
    if (repaired[at + 1] != 'u') {
      at += 2;
      continue;
    }
    const int unit = code_unit(repaired, at + 2);
    const bool paired = is_high(unit) && std::string_view(repaired).substr(at + 6).starts_with("\\u") &&
                        is_low(code_unit(repaired, at + 8));
    if (paired) {
      at += 12;
    } else {
      if (is_high(unit) || is_low(unit)) {
        repaired.replace(at + 2, 4, "fffd");
      }
      at += 6;
    }
  }
  return repaired;
}

std::string repair_strings(std::string_view text) {
  constexpr std::string_view replacement = "\xEF\xBF\xBD";
  std::string out;
  out.reserve(text.size() + 16);
  std::size_t at = 0;
  while (at < text.size()) {
    const auto rest = text.substr(at);
    if (rest.front() == '\0') {
      out += replacement;
      ++at;
      continue;
    }
    if (rest.starts_with("\\u")) {
      const int unit = code_unit(rest, 2);
      const bool paired = is_high(unit) && rest.substr(6).starts_with("\\u") && is_low(code_unit(rest, 8));
      const bool bad = unit == 0 || (!paired && (is_high(unit) || is_low(unit)));
      const std::size_t bytes = unit < 0 ? 2 : paired ? 12 : 6;
      out += bad ? std::string_view("\\ufffd") : rest.substr(0, bytes);
      at += bytes;
      continue;
    }
    // The character behind a backslash must not be taken for the beginning of an escape.
    if (rest.front() == '\\' && rest.size() > 1 && static_cast<unsigned char>(rest[1]) < 0x80 && rest[1] != '\0') {
      out += rest.substr(0, 2);
      at += 2;
      continue;
    }
    const auto step = utf8_step(rest);
    out += step.valid ? rest.substr(0, step.bytes) : replacement;
    at += step.bytes;
  }
  return out;
}

std::optional<std::string> decode_json_string(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"') {
    return std::nullopt;
  }
  simdjson::dom::parser parser;
  const simdjson::padded_string padded{repair_surrogates(raw)};
  std::string_view text;
  if (parser.parse(padded).get(text) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return std::string(text);
}

}  // namespace tokenrail::events
