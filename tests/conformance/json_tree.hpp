// Reading JSON trees in tests: what is missing or of another type is empty.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_writer.hpp"

namespace tokenrail::conformance::tree {

namespace dom = simdjson::dom;

[[nodiscard]] inline std::optional<dom::element> find(dom::element element, std::string_view name) {
  dom::element child;
  if (element[name].get(child) != simdjson::SUCCESS || child.is_null()) return std::nullopt;
  return child;
}

[[nodiscard]] inline std::optional<std::string> text(dom::element element) {
  std::string_view text;
  return element.get_string().get(text) == simdjson::SUCCESS ? std::optional(std::string(text)) : std::nullopt;
}

[[nodiscard]] inline std::string text(dom::element element, std::string_view name) {
  const auto child = find(element, name);
  return child ? text(*child).value_or("") : "";
}

[[nodiscard]] inline std::vector<dom::element> list(dom::element element, std::string_view name) {
  std::vector<dom::element> out;
  dom::array array;
  const auto child = find(element, name);
  if (child && child->get_array().get(array) == simdjson::SUCCESS) out.assign(array.begin(), array.end());
  return out;
}

/// One spelling of equal JSON: keys sorted, numbers as doubles, strings escaped as this project does.
[[nodiscard]] inline std::string canonical(dom::element element) {
  if (dom::object object; element.get_object().get(object) == simdjson::SUCCESS) {
    std::map<std::string, std::string> fields;
    for (const auto& [key, value] : object) fields[std::string(key)] = canonical(value);
    std::string out = "{";
    for (const auto& [key, value] : fields) {
      if (out.size() > 1) out += ',';
      events::append_json_string(out, key);
      out += ':' + value;
    }
    return out + "}";
  }
  if (dom::array array; element.get_array().get(array) == simdjson::SUCCESS) {
    std::string out = "[";
    for (const auto value : array) out += (out.size() > 1 ? "," : "") + canonical(value);
    return out + "]";
  }
  if (double number = 0; element.get_double().get(number) == simdjson::SUCCESS) return fmt::format("{}", number);
  if (const auto string = text(element)) {
    std::string out;
    events::append_json_string(out, *string);
    return out;
  }
  return simdjson::minify(element);
}

/// Nothing where the text is not JSON.
[[nodiscard]] inline std::optional<std::string> canonical(std::string_view json) {
  dom::parser parser;
  dom::element element;
  if (parser.parse(json.data(), json.size()).get(element) != simdjson::SUCCESS) return std::nullopt;
  return canonical(element);
}

[[nodiscard]] inline std::string json_text(std::string_view text) {
  std::string out;
  events::append_json_string(out, text);
  return out;
}

}  // namespace tokenrail::conformance::tree
