#include "common/providers/openai_responses/strict_schema.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_document.hpp"
#include "common/providers/failure_text.hpp"

namespace tokenrail::providers::openai_responses {

namespace {

using events::ObjectReader;
using simdjson::dom::element;

constexpr std::string_view refused[] = {
    "allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "oneOf", "patternProperties"};

bool names_object(const ObjectReader& schema) {
  const auto type = schema.find("type");
  if (!type) return schema.find("properties").has_value();
  if (const auto word = events::string_of(*type)) return *word == "object";
  if (!type->is_array()) return false;
  return std::ranges::any_of(type->get_array().value_unsafe(),
                             [](element one) { return events::string_of(one).value_or("") == "object"; });
}

/// As a set, because a search through the list for each property would be a square of the schema.
std::set<std::string_view> required_by(const ObjectReader& schema) {
  std::set<std::string_view> names;
  const auto list = schema.find("required");
  if (!list || !list->is_array()) return names;
  for (const auto one : simdjson::dom::array(list->get_array().value_unsafe()))
    names.insert(events::string_of(one).value_or(""));
  return names;
}

std::string problem_of(element schema);

std::string problem_of_object(const ObjectReader& schema) {
  if (!names_object(schema)) return "";
  if (schema.flag("additionalProperties", true)) return "an object of it allows additional properties";
  const auto properties = schema.find("properties");
  if (!properties || !properties->is_object()) return "";
  const auto required = required_by(schema);
  for (const auto& [name, one] : simdjson::dom::object(properties->get_object().value_unsafe())) {
    if (!required.contains(name)) return fmt::format("\"{}\" is not required", quotable(name, 100));
  }
  return "";
}

/// The schemas inside of one; their depth is that of the document, which its parser bounds.
std::string problem_inside(const ObjectReader& schema) {
  for (const std::string_view name : {"properties", "$defs", "definitions"}) {
    const auto schemas = schema.find(name);
    if (!schemas || !schemas->is_object()) continue;
    for (const auto& [key, one] : simdjson::dom::object(schemas->get_object().value_unsafe())) {
      if (auto problem = problem_of(one); !problem.empty()) return problem;
    }
  }
  if (const auto items = schema.find("items")) {
    if (auto problem = problem_of(*items); !problem.empty()) return problem;
  }
  if (const auto any = schema.find("anyOf"); any && any->is_array()) {
    for (const auto one : simdjson::dom::array(any->get_array().value_unsafe())) {
      if (auto problem = problem_of(one); !problem.empty()) return problem;
    }
  }
  return "";
}

std::string problem_of(element element) {
  const ObjectReader schema(element);
  if (!schema.is_object()) return "a part of it is not an object";
  for (const auto word : refused) {
    if (schema.find(word)) return fmt::format("it uses {}", word);
  }
  auto problem = problem_of_object(schema);
  return problem.empty() ? problem_inside(schema) : problem;
}

}  // namespace

std::string not_strict(std::string_view schema) {
  const events::JsonDocument document(schema);
  if (document.error() != simdjson::SUCCESS) return "it cannot be read";
  const ObjectReader root(document.root());
  if (!names_object(root) || root.find("anyOf")) return "it does not describe one object";
  return problem_of(document.root());
}

}  // namespace tokenrail::providers::openai_responses
