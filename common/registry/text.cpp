#include "common/registry/text.hpp"

#include <fmt/core.h>

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

std::optional<BrokenRule> broken_rule(std::string_view message) {
  const auto quoted_after = [&](std::string_view word) -> std::string_view {
    const auto at = message.find(word);
    if (at == std::string_view::npos) return {};
    const auto from = at + word.size();
    return message.substr(from, message.find('"', from) - from);
  };
  const auto table = quoted_after("relation \"");
  const auto constraint = quoted_after("constraint \"");
  auto rule = constraint;
  const auto prefix = std::string(table) + "_";
  constexpr std::string_view suffix = "_check";
  if (table.empty() || !rule.starts_with(prefix)) return std::nullopt;
  rule.remove_prefix(prefix.size());
  // PostgreSQL numbers the second rule of a column.
  while (!rule.empty() && rule.back() >= '0' && rule.back() <= '9') rule.remove_suffix(1);
  if (!rule.ends_with(suffix)) return std::nullopt;
  rule.remove_suffix(suffix.size());
  std::string name;
  bool capital = false;
  for (const char c : rule) {
    if (c == '_') {
      capital = true;
      continue;
    }
    name += capital && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    capital = false;
  }
  if (name.empty()) return std::nullopt;
  return BrokenRule{.field = std::move(name), .constraint = std::string(constraint)};
}

namespace {

constexpr std::string_view refusal_begin = "The registry refused a value of ";
constexpr std::string_view refusal_rule = " (rule ";

}  // namespace

std::string refusal_of(const BrokenRule& rule) {
  return fmt::format("{}{}{}{}).", refusal_begin, rule.field, refusal_rule, rule.constraint);
}

std::optional<std::string> refused_field(std::string_view detail) {
  if (!detail.starts_with(refusal_begin)) return std::nullopt;
  detail.remove_prefix(refusal_begin.size());
  const auto end = detail.find(refusal_rule);
  if (end == std::string_view::npos) return std::nullopt;
  return std::string(detail.substr(0, end));
}

}  // namespace tokenrail::registry
