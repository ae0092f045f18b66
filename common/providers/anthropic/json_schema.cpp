#include "common/providers/anthropic/json_schema.hpp"

#include <utility>

#include <simdjson.h>

#include "common/events/json_writer.hpp"

namespace tokenrail::providers::anthropic {

namespace {

namespace dom = simdjson::dom;

bool is_open_object(const dom::object& object) {
  dom::element value;
  if (object.at_key("additionalProperties").get(value) == simdjson::SUCCESS) return false;
  if (object.at_key("type").get(value) != simdjson::SUCCESS) return false;
  const auto names_object = [](dom::element name) {
    std::string_view text;
    return name.get_string().get(text) == simdjson::SUCCESS && text == "object";
  };
  dom::array several;
  if (value.get_array().get(several) != simdjson::SUCCESS) return names_object(value);
  for (const auto name : several) {
    if (names_object(name)) return true;
  }
  return false;
}

void write(std::string& out, dom::element element) {
  dom::object object;
  dom::array array;
  if (element.get_array().get(array) == simdjson::SUCCESS) {
    out += '[';
    bool first_value = true;
    for (const auto value : array) {
      if (!std::exchange(first_value, false)) out += ',';
      write(out, value);
    }
    out += ']';
    return;
  }
  if (element.get_object().get(object) != simdjson::SUCCESS) {
    out += simdjson::minify(element);
    return;
  }
  out += '{';
  bool first = true;
  const auto name = [&](std::string_view key) {
    if (!std::exchange(first, false)) out += ',';
    events::append_json_string(out, key);
    out += ':';
  };
  for (const auto& [key, value] : object) {
    name(key);
    // Values, not schemas.
    if (key == "enum" || key == "const" || key == "default" || key == "examples") {
      out += simdjson::minify(value);
    } else {
      write(out, value);
    }
  }
  if (is_open_object(object)) {
    name("additionalProperties");
    out += "false";
  }
  out += '}';
}

}  // namespace

Result<std::string> closed_schema(std::string_view schema) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(schema.data(), schema.size()).get(root) != simdjson::SUCCESS || !root.is_object()) {
    return fail(ErrorKind::invalid_input, "responseFormat.schema: must be a JSON object");
  }
  std::string out;
  out.reserve(schema.size() + 128);
  write(out, root);
  return out;
}

}  // namespace tokenrail::providers::anthropic
