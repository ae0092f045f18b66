// What a JSON value may be: a small part of JSON Schema, kept as data. Requests are checked against it and the OpenAPI
// document is written from it, so that the two cannot differ. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workers/registry_api/json_value.hpp"
#include "workers/registry_api/problem.hpp"

namespace tokenrail::registry_api {

struct Schema;

/// The format of a reply that is no JSON but a stream of events.
inline constexpr std::string_view event_stream_type = "text/event-stream";

struct Property {
  std::string name;
  std::shared_ptr<const Schema> schema;
  bool required = false;
};

struct Schema {
  enum class Type { any, object, array, text, integer, number, boolean };
  Type type = Type::any;
  std::string name{};  ///< of the component in OpenAPI; empty: written in place
  std::string description{};
  bool nullable = false;
  std::vector<Property> properties{};
  /// Of members that `properties` does not name; null: there may be none.
  std::shared_ptr<const Schema> others{};
  std::shared_ptr<const Schema> items{};
  std::vector<std::string> choices{};
  /// Of a number: its value. Of a text: characters. Of an array or object: how many it holds.
  std::optional<std::int64_t> min{};
  std::optional<std::int64_t> max{};
  std::string format{};  ///< "uuid" and "date-time" are checked; others are for readers of the document
};

// Texts never hold control characters other than tab and line ends.
[[nodiscard]] Schema text(std::int64_t length_min = 0, std::int64_t length_max = 1024);
[[nodiscard]] Schema choice(std::vector<std::string> choices);
[[nodiscard]] Schema integer(std::optional<std::int64_t> min = {}, std::optional<std::int64_t> max = {});
[[nodiscard]] Schema number(std::optional<std::int64_t> min = {}, std::optional<std::int64_t> max = {});
[[nodiscard]] Schema boolean();
[[nodiscard]] Schema uuid();
[[nodiscard]] Schema date_time();
[[nodiscard]] Schema list_of(Schema items, std::int64_t count_max, std::int64_t count_min = 0);
/// An object with members of any name.
[[nodiscard]] Schema map_of(Schema values, std::int64_t count_max);
[[nodiscard]] Schema any_object();
[[nodiscard]] Schema object(std::string name, std::vector<Property> properties);
/// An object of a reply: readers have to expect further members.
[[nodiscard]] Schema open_object(std::string name, std::vector<Property> properties);

[[nodiscard]] Schema nullable(Schema schema);
[[nodiscard]] Schema described(Schema schema, std::string description);
[[nodiscard]] Schema formatted(Schema schema, std::string format);
[[nodiscard]] inline Property required(std::string name, Schema schema) {
  return {.name = std::move(name), .schema = std::make_shared<const Schema>(std::move(schema)), .required = true};
}
[[nodiscard]] inline Property optional(std::string name, Schema schema) {
  return {.name = std::move(name), .schema = std::make_shared<const Schema>(std::move(schema)), .required = false};
}

/// What a JSON Merge Patch of such an object may be: nothing is required, and null clears what is not required there.
[[nodiscard]] Schema patch_of(const Schema& schema, std::string name);

inline constexpr std::size_t field_errors_max = 20;

/// Every value that does not fit, up to field_errors_max. A member that the schema does not name is refused, with the
/// nearest name that it has.
[[nodiscard]] std::vector<FieldError> check(const Schema& schema, const Json& value);

/// As a JSON Schema (2020-12). Named schemas below it are references into #/components/schemas, it itself is not.
[[nodiscard]] std::string write_schema(const Schema& schema);
/// The same, or a reference where the schema has a name.
[[nodiscard]] std::string reference_to(const Schema& schema);
/// The schema and those below it that have names.
void collect_named(const Schema& schema, std::vector<const Schema*>& found);

}  // namespace tokenrail::registry_api
