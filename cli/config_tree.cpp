#include "cli/config_tree.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <simdjson.h>
#include <yaml-cpp/yaml.h>

#include "common/events/json_writer.hpp"

namespace tokenrail::cli {
namespace {

using Kind = ConfigValue::Kind;

constexpr std::size_t yaml_bytes_max = 16UL * 1024 * 1024;
constexpr int depth_max = 64;
/// Aliases of YAML can make a short text a large tree.
constexpr std::size_t values_max = 1'000'000;

bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const auto digits = [&] {
    std::size_t count = 0;
    while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
    text.remove_prefix(count);
    return count;
  };
  const bool zero = text.starts_with('0');
  const auto whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return text.empty();
}

/// A text that YAML reads as that text without quotes, whatever its version.
bool is_plain(std::string_view text) {
  constexpr std::array<std::string_view, 14> reserved{"true", "false", "null", "yes",   "no",   "on", "off",
                                                      "y",    "n",     "True", "False", "Null", "~",  ""};
  if (std::ranges::find(reserved, text) != reserved.end()) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(text.front())) return false;
  return std::ranges::all_of(text, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/';
  });
}

std::string scalar_text(const ConfigValue& value) {
  if (value.kind == Kind::null) return "null";
  if (value.kind == Kind::scalar) return value.text;
  if (is_plain(value.text)) return value.text;
  std::string quoted;
  events::append_json_string(quoted, value.text);  // JSON's strings are YAML's
  return quoted;
}

void write_yaml(std::string& out, const ConfigValue& value, std::size_t indent);

/// What comes behind "name:" or "-", to the end of the line and the lines below.
void write_behind(std::string& out, const ConfigValue& value, std::size_t indent) {
  if (value.kind == Kind::list && value.items.empty()) {
    out += " []\n";
  } else if (value.kind == Kind::object && value.members.empty()) {
    out += " {}\n";
  } else if (value.kind == Kind::list || value.kind == Kind::object) {
    out += '\n';
    write_yaml(out, value, indent);
  } else {
    out += ' ' + scalar_text(value) + '\n';
  }
}

void write_members(std::string& out, const ConfigValue& value, std::size_t indent, bool first_in_line) {
  for (const auto& [name, member] : value.members) {
    if (!first_in_line) out.append(indent, ' ');
    first_in_line = false;
    out += scalar_text({.kind = Kind::text, .text = name}) + ':';
    write_behind(out, member, indent + 2);
  }
}

void write_yaml(std::string& out, const ConfigValue& value, std::size_t indent) {
  if (value.kind == Kind::object) return write_members(out, value, indent, false);
  for (const auto& item : value.items) {
    out.append(indent, ' ');
    out += '-';
    if (item.kind == Kind::object && !item.members.empty()) {
      out += ' ';
      write_members(out, item, indent + 2, true);
    } else {
      write_behind(out, item, indent + 2);
    }
  }
}

Result<ConfigValue> from_node(const YAML::Node& node, int depth, std::size_t& values) {
  const auto refused = [&](std::string_view why) {
    return fail(ErrorKind::invalid_input, fmt::format("line {}: {}", node.Mark().line + 1, why));
  };
  if (depth > depth_max) return refused("more than 64 levels");
  if (++values > values_max) return refused("more than a million values");
  ConfigValue value;
  if (node.IsNull() || !node.IsDefined()) return value;
  if (node.IsScalar()) {
    value.text = node.Scalar();
    // "!" is what yaml-cpp says of a scalar in quotes.
    const bool quoted = node.Tag() == "!";
    if (!quoted && (value.text == "null" || value.text == "~")) return ConfigValue{};
    const bool scalar = !quoted && (value.text == "true" || value.text == "false" || is_number(value.text));
    value.kind = scalar ? Kind::scalar : Kind::text;
    return value;
  }
  if (node.IsSequence()) {
    value.kind = Kind::list;
    for (const auto& item : node) {
      auto read = from_node(item, depth + 1, values);
      if (!read) return read;
      value.items.push_back(std::move(*read));
    }
    return value;
  }
  value.kind = Kind::object;
  for (const auto& member : node) {
    if (!member.first.IsScalar()) return refused("a name that is not a text");
    const auto& name = member.first.Scalar();
    if (value.find(name) != nullptr) return refused(fmt::format("{} is there twice", name));
    auto read = from_node(member.second, depth + 1, values);
    if (!read) return read;
    value.members.emplace_back(name, std::move(*read));
  }
  return value;
}

ConfigValue from_element(simdjson::dom::element element) {
  using Type = simdjson::dom::element_type;
  ConfigValue value;
  switch (element.type()) {
    case Type::NULL_VALUE:
      break;
    case Type::STRING:
      value.kind = Kind::text;
      value.text = std::string(std::string_view(element.get_string().value_unsafe()));
      break;
    case Type::ARRAY:
      value.kind = Kind::list;
      for (const auto item : simdjson::dom::array(element.get_array().value_unsafe()))
        value.items.push_back(from_element(item));
      break;
    case Type::OBJECT:
      value.kind = Kind::object;
      for (const auto member : simdjson::dom::object(element.get_object().value_unsafe()))
        value.members.emplace_back(std::string(member.key), from_element(member.value));
      break;
    default:
      value.kind = Kind::scalar;
      value.text = simdjson::minify(element);
  }
  return value;
}

void append_json(std::string& out, const ConfigValue& value) {
  switch (value.kind) {
    case Kind::null:
      out += "null";
      return;
    case Kind::scalar:
      out += value.text;
      return;
    case Kind::text:
      return events::append_json_string(out, value.text);
    case Kind::list: {
      out += '[';
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        if (i > 0) out += ',';
        append_json(out, value.items[i]);
      }
      out += ']';
      return;
    }
    case Kind::object: {
      out += '{';
      for (std::size_t i = 0; i < value.members.size(); ++i) {
        if (i > 0) out += ',';
        events::append_json_string(out, value.members[i].first);
        out += ':';
        append_json(out, value.members[i].second);
      }
      out += '}';
    }
  }
}

}  // namespace

const ConfigValue* ConfigValue::find(std::string_view name) const {
  for (const auto& [key, member] : members)
    if (key == name) return &member;
  return nullptr;
}

std::string ConfigValue::text_of(std::string_view name) const {
  const auto* member = find(name);
  return member != nullptr && member->kind == Kind::text ? member->text : std::string();
}

std::string to_json(const ConfigValue& value) {
  std::string json;
  append_json(json, value);
  return json;
}

Result<ConfigValue> value_from_json(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(json).get(root) != simdjson::SUCCESS) return fail(ErrorKind::invalid_input, "The text is not JSON.");
  return from_element(root);
}

std::string to_yaml(const ConfigValue& value) {
  std::string yaml;
  write_yaml(yaml, value, 0);
  return yaml;
}

Result<ConfigValue> value_from_yaml(const std::string& yaml) {
  if (yaml.size() > yaml_bytes_max)
    return fail(ErrorKind::invalid_input, fmt::format("{} bytes, more than {}", yaml.size(), yaml_bytes_max));
  try {
    std::size_t values = 0;
    return from_node(YAML::Load(yaml), 0, values);
  } catch (const YAML::Exception& error) {
    return fail(ErrorKind::invalid_input, fmt::format("line {}: {}", error.mark.line + 1, error.msg));
  }
}

}  // namespace tokenrail::cli
