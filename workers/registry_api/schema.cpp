#include "workers/registry_api/schema.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/config/edit_distance.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::registry_api {

namespace {

constexpr std::size_t suggestion_distance_max = 3;
constexpr std::size_t shown_name_bytes_max = 64;

/// What the pattern of a text in the OpenAPI document says.
constexpr std::string_view text_pattern = R"(^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$)";

/// Of valid UTF-8, which every parsed text is.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool has_control_characters(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
  });
}

std::string_view kind_wanted(Schema::Type type) {
  switch (type) {
    case Schema::Type::object:
      return "an object";
    case Schema::Type::array:
      return "an array";
    case Schema::Type::text:
      return "a string";
    case Schema::Type::integer:
      return "a whole number";
    case Schema::Type::number:
      return "a number";
    case Schema::Type::boolean:
      return "a boolean";
    case Schema::Type::any:
      break;
  }
  return "a value";
}

/// The text against a picture of it: 'x' is a hexadecimal digit, '0' a decimal one, anything else is itself.
bool looks_like(std::string_view text, std::string_view picture) {
  if (text.size() != picture.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool decimal = c >= '0' && c <= '9';
    const bool hexadecimal = decimal || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (picture[i] == 'x' ? !hexadecimal : picture[i] == '0' ? !decimal : c != picture[i]) return false;
  }
  return true;
}

bool is_uuid(std::string_view text) {
  return looks_like(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
}

/// RFC 3339, as far as its form goes; PostgreSQL refuses the 31st of February.
bool is_date_time(std::string_view text) {
  constexpr std::string_view picture = "0000-00-00T00:00:00";
  if (!looks_like(text.substr(0, picture.size()), picture)) return false;
  text.remove_prefix(picture.size());
  if (text.starts_with('.')) {
    const auto end = std::min(text.find_first_not_of("0123456789", 1), text.size());
    if (end == 1 || end > 10) return false;
    text.remove_prefix(end);
  }
  return text == "Z" || looks_like(text, "+00:00") || looks_like(text, "-00:00");
}

class Checker {
 public:
  void check(const Schema& schema, const Json& value, const std::string& pointer) {
    if (full() || (value.is_null() && schema.nullable) || schema.type == Schema::Type::any) return;
    switch (schema.type) {
      case Schema::Type::object:
        if (value.object() == nullptr) return wrong_type(schema, value, pointer);
        return check_object(schema, value, pointer);
      case Schema::Type::array:
        if (value.array() == nullptr) return wrong_type(schema, value, pointer);
        return check_array(schema, *value.array(), pointer);
      case Schema::Type::text:
        if (value.text() == nullptr) return wrong_type(schema, value, pointer);
        return check_text(schema, *value.text(), pointer);
      case Schema::Type::integer:
        if (value.integer() == nullptr) return wrong_type(schema, value, pointer);
        return check_number(schema, static_cast<double>(*value.integer()), pointer);
      case Schema::Type::number:
        if (!value.number()) return wrong_type(schema, value, pointer);
        return check_number(schema, *value.number(), pointer);
      case Schema::Type::boolean:
        if (value.boolean() == nullptr) wrong_type(schema, value, pointer);
        return;
      case Schema::Type::any:
        return;
    }
  }

  std::vector<FieldError> errors{};

 private:
  [[nodiscard]] bool full() const { return errors.size() >= field_errors_max; }
  void add(const std::string& pointer, std::string detail) {
    if (!full()) errors.push_back({pointer, std::move(detail)});
  }
  void wrong_type(const Schema& schema, const Json& value, const std::string& pointer) {
    add(pointer,
        fmt::format("must be {}{}, not {}", kind_wanted(schema.type), schema.nullable ? " or null" : "", value.kind()));
  }

  void check_object(const Schema& schema, const Json& value, const std::string& pointer) {
    const auto& members = *value.object();
    for (const auto& property : schema.properties) {
      if (property.required && value.find(property.name) == nullptr)
        add(pointer + pointer_part(property.name), "is required");
    }
    if (schema.max && std::cmp_greater(members.size(), *schema.max))
      return add(pointer, fmt::format("must have at most {} members, not {}", *schema.max, members.size()));
    for (const auto& member : members) {
      const auto below = pointer + pointer_part(member.name);
      const auto known = std::ranges::find(schema.properties, member.name, &Property::name);
      if (known != schema.properties.end()) {
        check(*known->schema, member.value, below);
      } else if (schema.others != nullptr) {
        check(*schema.others, member.value, below);
      } else {
        add(below, unknown(schema, member.name));
      }
    }
  }

  static std::string unknown(const Schema& schema, std::string_view name) {
    std::vector<std::string_view> names;
    names.reserve(schema.properties.size());
    for (const auto& property : schema.properties) names.push_back(property.name);
    const auto near = config::nearest(name.substr(0, shown_name_bytes_max), names, suggestion_distance_max);
    return near ? fmt::format("is not known here; did you mean '{}'?", *near)
                : fmt::format("is not known here; there are {}", fmt::join(names, ", "));
  }

  void check_array(const Schema& schema, const Json::Array& values, const std::string& pointer) {
    if (schema.min && std::cmp_less(values.size(), *schema.min))
      return add(pointer, fmt::format("must hold at least {}, not {}", *schema.min, values.size()));
    if (schema.max && std::cmp_greater(values.size(), *schema.max))
      return add(pointer, fmt::format("must hold at most {}, not {}", *schema.max, values.size()));
    for (std::size_t i = 0; i < values.size() && !full(); ++i)
      check(*schema.items, values[i], fmt::format("{}/{}", pointer, i));
  }

  void check_text(const Schema& schema, const std::string& value, const std::string& pointer) {
    if (!schema.choices.empty()) {
      if (std::ranges::find(schema.choices, value) != schema.choices.end()) return;
      const auto near = config::nearest(std::string_view(value).substr(0, shown_name_bytes_max), schema.choices,
                                        suggestion_distance_max);
      return add(pointer, fmt::format("must be one of {}{}", fmt::join(schema.choices, ", "),
                                      near ? fmt::format("; did you mean '{}'?", *near) : ""));
    }
    const auto length = characters(value);
    if (schema.min && std::cmp_less(length, *schema.min)) {
      return add(pointer, *schema.min == 1 ? std::string("must not be empty")
                                           : fmt::format("must have at least {} characters", *schema.min));
    }
    if (schema.max && std::cmp_greater(length, *schema.max))
      return add(pointer, fmt::format("must have at most {} characters, not {}", *schema.max, length));
    if (has_control_characters(value)) return add(pointer, "must not hold control characters");
    if (schema.format == "uuid" && !is_uuid(value)) add(pointer, "must be a UUID");
    if (schema.format == "date-time" && !is_date_time(value))
      add(pointer, "must be a moment as in RFC 3339, such as 2026-01-31T12:00:00Z");
  }

  void check_number(const Schema& schema, double value, const std::string& pointer) {
    if (schema.min && value < static_cast<double>(*schema.min)) {
      add(pointer, fmt::format("must be at least {}", *schema.min));
    } else if (schema.max && value > static_cast<double>(*schema.max)) {
      add(pointer, fmt::format("must be at most {}", *schema.max));
    }
  }
};

std::string_view type_name(Schema::Type type) {
  switch (type) {
    case Schema::Type::object:
      return "object";
    case Schema::Type::array:
      return "array";
    case Schema::Type::text:
      return "string";
    case Schema::Type::integer:
      return "integer";
    case Schema::Type::number:
      return "number";
    case Schema::Type::boolean:
      return "boolean";
    case Schema::Type::any:
      break;
  }
  return {};
}

void write_bounds(events::JsonWriter& json, const Schema& schema) {
  const auto names = [&]() -> std::pair<std::string_view, std::string_view> {
    switch (schema.type) {
      case Schema::Type::text:
        return {"minLength", "maxLength"};
      case Schema::Type::array:
        return {"minItems", "maxItems"};
      case Schema::Type::object:
        return {"minProperties", "maxProperties"};
      default:
        return {"minimum", "maximum"};
    }
  }();
  if (!schema.choices.empty()) return;
  if (schema.min) json.field(names.first, *schema.min);
  if (schema.max) json.field(names.second, *schema.max);
}

void write_object(events::JsonWriter& json, const Schema& schema) {
  if (!schema.properties.empty()) {
    json.begin_object("properties");
    for (const auto& property : schema.properties) json.raw_field(property.name, reference_to(*property.schema));
    json.end_object();
  }
  if (std::ranges::any_of(schema.properties, &Property::required)) {
    json.begin_array("required");
    for (const auto& property : schema.properties)
      if (property.required) json.element(property.name);
    json.end_array();
  }
  if (schema.others == nullptr) {
    json.field("additionalProperties", false);
  } else if (schema.others->type != Schema::Type::any) {
    json.raw_field("additionalProperties", reference_to(*schema.others));
  }
}

}  // namespace

Schema text(std::int64_t length_min, std::int64_t length_max) {
  return {.type = Schema::Type::text, .min = length_min, .max = length_max};
}

Schema choice(std::vector<std::string> choices) {
  return {.type = Schema::Type::text, .choices = std::move(choices)};
}

Schema integer(std::optional<std::int64_t> min, std::optional<std::int64_t> max) {
  return {.type = Schema::Type::integer, .min = min, .max = max};
}

Schema number(std::optional<std::int64_t> min, std::optional<std::int64_t> max) {
  return {.type = Schema::Type::number, .min = min, .max = max};
}

Schema boolean() {
  return {.type = Schema::Type::boolean};
}

Schema uuid() {
  return formatted(text(36, 36), "uuid");
}

Schema date_time() {
  return formatted(text(20, 40), "date-time");
}

Schema list_of(Schema items, std::int64_t count_max, std::int64_t count_min) {
  return {.type = Schema::Type::array,
          .items = std::make_shared<const Schema>(std::move(items)),
          .min = count_min,
          .max = count_max};
}

Schema map_of(Schema values, std::int64_t count_max) {
  return {.type = Schema::Type::object, .others = std::make_shared<const Schema>(std::move(values)), .max = count_max};
}

Schema any_object() {
  return {.type = Schema::Type::object, .others = std::make_shared<const Schema>()};
}

Schema object(std::string name, std::vector<Property> properties) {
  return {.type = Schema::Type::object, .name = std::move(name), .properties = std::move(properties)};
}

Schema open_object(std::string name, std::vector<Property> properties) {
  auto schema = object(std::move(name), std::move(properties));
  schema.others = std::make_shared<const Schema>();
  return schema;
}

Schema nullable(Schema schema) {
  schema.nullable = true;
  return schema;
}

Schema described(Schema schema, std::string description) {
  schema.description = std::move(description);
  return schema;
}

Schema formatted(Schema schema, std::string format) {
  schema.format = std::move(format);
  return schema;
}

Schema patch_of(const Schema& schema, std::string name) {
  auto patch = schema;
  patch.name = std::move(name);
  for (auto& property : patch.properties) {
    if (!property.required) property.schema = std::make_shared<const Schema>(nullable(*property.schema));
    property.required = false;
  }
  return patch;
}

std::vector<FieldError> check(const Schema& schema, const Json& value) {
  Checker checker;
  checker.check(schema, value, "");
  return std::move(checker.errors);
}

std::string write_schema(const Schema& schema) {
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  if (schema.type != Schema::Type::any) {
    if (schema.nullable) {
      json.begin_array("type");
      json.element(type_name(schema.type));
      json.element("null");
      json.end_array();
    } else {
      json.field("type", type_name(schema.type));
    }
  }
  if (!schema.description.empty()) json.field("description", schema.description);
  if (!schema.format.empty()) json.field("format", schema.format);
  if (!schema.choices.empty()) {
    json.begin_array("enum");
    for (const auto& value : schema.choices) json.element(value);
    if (schema.nullable) json.raw_element("null");
    json.end_array();
  }
  write_bounds(json, schema);
  if (schema.type == Schema::Type::text && schema.choices.empty()) json.field("pattern", text_pattern);
  if (schema.type == Schema::Type::object) write_object(json, schema);
  if (schema.items != nullptr) json.raw_field("items", reference_to(*schema.items));
  json.end_object();
  return out;
}

std::string reference_to(const Schema& schema) {
  if (schema.name.empty()) return write_schema(schema);
  auto reference = fmt::format(R"({{"$ref":"#/components/schemas/{}"}})", schema.name);
  if (!schema.nullable) return reference;
  return fmt::format(R"({{"anyOf":[{},{{"type":"null"}}]}})", reference);
}

void collect_named(const Schema& schema, std::vector<const Schema*>& found) {
  if (!schema.name.empty()) {
    if (std::ranges::any_of(found, [&](const Schema* known) { return known->name == schema.name; })) return;
    found.push_back(&schema);
  }
  for (const auto& property : schema.properties) collect_named(*property.schema, found);
  if (schema.others != nullptr) collect_named(*schema.others, found);
  if (schema.items != nullptr) collect_named(*schema.items, found);
}

}  // namespace tokenrail::registry_api
