#include "workers/registry_api/json_value.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::registry_api {

namespace {

/// Turns a document into an owned value, and counts.
class Copier {
 public:
  explicit Copier(const JsonLimits& limits) : limits_(limits) {}

  /// Bounded by the document's own depth.
  Json copy(simdjson::dom::element element, const std::string& pointer) {
    using simdjson::dom::element_type;
    if (++values_ > limits_.values_max) {
      problem_ = fmt::format("it holds more than {} values", limits_.values_max);
      return {};
    }
    switch (element.type()) {
      case element_type::ARRAY:
        return copy_array(element.get_array().value_unsafe(), pointer);
      case element_type::OBJECT:
        return copy_object(element.get_object().value_unsafe(), pointer);
      case element_type::STRING:
        return Json(std::string(element.get_string().value_unsafe()));
      case element_type::BOOL:
        return Json(element.get_bool().value_unsafe());
      case element_type::NULL_VALUE:
        return {};
      default:
        break;
    }
    if (const auto whole = events::integer_of(element)) return Json(*whole);
    return Json(events::number_of(element).value_or(0));
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  Json copy_array(simdjson::dom::array array, const std::string& pointer) {
    Json::Array values;
    for (const auto element : array) {
      if (!problem_.empty()) break;
      values.push_back(copy(element, fmt::format("{}/{}", pointer, values.size())));
    }
    return Json(std::move(values));
  }

  Json copy_object(simdjson::dom::object object, const std::string& pointer) {
    Json::Object members;
    for (const auto [name, element] : object) {
      if (!problem_.empty()) break;
      members.push_back({std::string(name), copy(element, pointer + pointer_part(name))});
    }
    std::vector<std::string_view> names;
    names.reserve(members.size());
    for (const auto& member : members) names.push_back(member.name);
    std::ranges::sort(names);
    if (std::ranges::adjacent_find(names) != names.end() && problem_.empty())
      problem_ = fmt::format("the object at \"{}\" names a member twice", pointer);
    return Json(std::move(members));
  }

  const JsonLimits& limits_;
  std::size_t values_ = 0;
  std::string problem_{};
};

void append(std::string& out, const Json& value, bool sorted);

void append_object(std::string& out, const Json::Object& members, bool sorted) {
  std::vector<const JsonMember*> order;
  order.reserve(members.size());
  for (const auto& member : members) order.push_back(&member);
  if (sorted) std::ranges::sort(order, std::less<>{}, [](const JsonMember* member) { return member->name; });
  out += '{';
  for (const auto* member : order) {
    if (member != order.front()) out += ',';
    events::append_json_string(out, member->name);
    out += ':';
    append(out, member->value, sorted);
  }
  out += '}';
}

void append(std::string& out, const Json& value, bool sorted) {
  if (const auto* text = value.text()) {
    events::append_json_string(out, *text);
  } else if (const auto* flag = value.boolean()) {
    out += *flag ? "true" : "false";
  } else if (const auto* whole = value.integer()) {
    fmt::format_to(std::back_inserter(out), "{}", *whole);
  } else if (const auto number = value.number()) {
    fmt::format_to(std::back_inserter(out), "{}", *number);
  } else if (const auto* array = value.array()) {
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (i > 0) out += ',';
      append(out, (*array)[i], sorted);
    }
    out += ']';
  } else if (const auto* members = value.object()) {
    append_object(out, *members, sorted);
  } else {
    out += "null";
  }
}

std::string_view reason_of(simdjson::error_code code) {
  switch (code) {
    case simdjson::DEPTH_ERROR:
      return "it nests too deeply";
    case simdjson::EMPTY:
      return "it is empty";
    case simdjson::UTF8_ERROR:
      return "it is not UTF-8";
    case simdjson::NUMBER_ERROR:
      return "a number is malformed or too large";
    case simdjson::CAPACITY:
      return "it is too large";
    default:
      return simdjson::error_message(code);
  }
}

}  // namespace

std::optional<double> Json::number() const {
  if (const auto* whole = integer()) return static_cast<double>(*whole);
  if (const auto* number = std::get_if<double>(&value_)) return *number;
  return std::nullopt;
}

const Json* Json::find(std::string_view name) const {
  const auto* members = object();
  if (members == nullptr) return nullptr;
  const auto found = std::ranges::find(*members, name, &JsonMember::name);
  return found == members->end() ? nullptr : &found->value;
}

std::optional<std::string> Json::text_of(std::string_view name) const {
  const auto* member = find(name);
  const auto* text = member == nullptr ? nullptr : member->text();
  return text == nullptr ? std::nullopt : std::optional(*text);
}

std::optional<std::int64_t> Json::integer_of(std::string_view name) const {
  const auto* member = find(name);
  const auto* whole = member == nullptr ? nullptr : member->integer();
  return whole == nullptr ? std::nullopt : std::optional(*whole);
}

std::optional<double> Json::number_of(std::string_view name) const {
  const auto* member = find(name);
  return member == nullptr ? std::nullopt : member->number();
}

std::optional<bool> Json::boolean_of(std::string_view name) const {
  const auto* member = find(name);
  const auto* flag = member == nullptr ? nullptr : member->boolean();
  return flag == nullptr ? std::nullopt : std::optional(*flag);
}

std::vector<std::string> Json::texts_of(std::string_view name) const {
  std::vector<std::string> texts;
  const auto* member = find(name);
  const auto* values = member == nullptr ? nullptr : member->array();
  if (values == nullptr) return texts;
  for (const auto& value : *values)
    if (const auto* text = value.text()) texts.push_back(*text);
  return texts;
}

std::string_view Json::kind() const {
  if (is_null()) return "null";
  if (boolean() != nullptr) return "a boolean";
  if (text() != nullptr) return "a string";
  if (array() != nullptr) return "an array";
  if (object() != nullptr) return "an object";
  return "a number";
}

std::string Json::write() const {
  std::string out;
  append(out, *this, false);
  return out;
}

std::string Json::write_canonical() const {
  std::string out;
  append(out, *this, true);
  return out;
}

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  const events::JsonDocument document(text, limits.depth_max);
  if (document.error() != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid_input, fmt::format("the body is not JSON: {}", reason_of(document.error())));
  }
  Copier copier(limits);
  auto value = copier.copy(document.root(), "");
  if (!copier.problem().empty()) return fail(ErrorKind::invalid_input, copier.problem());
  return value;
}

Json merge_patch(Json target, const Json& patch) {
  const auto* changes = patch.object();
  if (changes == nullptr) return patch;
  if (target.object() == nullptr) target = Json(Json::Object{});
  auto& members = *target.object();
  for (const auto& change : *changes) {
    const auto found = std::ranges::find(members, change.name, &JsonMember::name);
    if (change.value.is_null()) {
      if (found != members.end()) members.erase(found);
    } else if (found != members.end()) {
      found->value = merge_patch(std::move(found->value), change.value);
    } else {
      members.push_back({change.name, merge_patch(Json(), change.value)});
    }
  }
  return target;
}

std::string pointer_part(std::string_view name) {
  std::string part = "/";
  for (const char c : name) {
    if (c == '~') {
      part += "~0";
    } else if (c == '/') {
      part += "~1";
    } else {
      part += c;
    }
  }
  return part;
}

}  // namespace tokenrail::registry_api
