// A JSON value that owns what it holds, for bodies of requests: it may be kept across a co_await. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/result.hpp"

namespace tokenrail::registry_api {

struct JsonMember;

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<JsonMember>;

  Json();  ///< null
  explicit Json(bool value);
  explicit Json(std::int64_t value);
  explicit Json(double value);
  explicit Json(std::string value);
  explicit Json(Array value);
  explicit Json(Object value);
  Json(const Json&);
  Json(Json&&) noexcept;
  Json& operator=(const Json&);
  Json& operator=(Json&&) noexcept;
  ~Json();

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  /// Null where the value is of another type.
  [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&value_); }
  [[nodiscard]] const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value_); }
  [[nodiscard]] const std::string* text() const { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const Array* array() const { return std::get_if<Array>(&value_); }
  [[nodiscard]] const Object* object() const { return std::get_if<Object>(&value_); }
  [[nodiscard]] Object* object() { return std::get_if<Object>(&value_); }
  [[nodiscard]] std::string* text() { return std::get_if<std::string>(&value_); }
  [[nodiscard]] Array* array() { return std::get_if<Array>(&value_); }
  /// Whole numbers too.
  [[nodiscard]] std::optional<double> number() const;

  /// The member of that name; null where this is no object or lacks it.
  [[nodiscard]] const Json* find(std::string_view name) const;

  // Members of an object by name; nothing where the member is absent, null or of another type.
  [[nodiscard]] std::optional<std::string> text_of(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> integer_of(std::string_view name) const;
  [[nodiscard]] std::optional<double> number_of(std::string_view name) const;
  [[nodiscard]] std::optional<bool> boolean_of(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> texts_of(std::string_view name) const;

  /// "a string", "null", …: for messages that must not repeat the value itself.
  [[nodiscard]] std::string_view kind() const;

  /// Members keep their order.
  [[nodiscard]] std::string write() const;
  /// Members sorted by name: two values that differ only in their order or in blanks are written alike.
  [[nodiscard]] std::string write_canonical() const;

  bool operator==(const Json&) const = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

struct JsonMember {
  std::string name;
  Json value;
  bool operator==(const JsonMember&) const = default;
};

inline Json::Json() = default;
inline Json::Json(bool value) : value_(value) {}
inline Json::Json(std::int64_t value) : value_(value) {}
inline Json::Json(double value) : value_(value) {}
inline Json::Json(std::string value) : value_(std::move(value)) {}
inline Json::Json(Array value) : value_(std::move(value)) {}
inline Json::Json(Object value) : value_(std::move(value)) {}
inline Json::Json(const Json&) = default;
inline Json::Json(Json&&) noexcept = default;
inline Json& Json::operator=(const Json&) = default;
inline Json& Json::operator=(Json&&) noexcept = default;
inline Json::~Json() = default;

struct JsonLimits {
  std::size_t depth_max = 32;
  std::size_t values_max = 100'000;  ///< of all levels together
};

/// Errors (invalid_input) say what is wrong, not what the text holds: it is not JSON, nests too deeply, holds too many
/// values, or an object names a member twice.
[[nodiscard]] Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

/// A document of the registry: our own, and larger than the body of a request may be.
[[nodiscard]] inline Result<Json> parse_document(std::string_view text) {
  return parse_json(text, {.depth_max = 64, .values_max = 1'000'000});
}

/// JSON Merge Patch (RFC 7396): members of `patch` replace those of `target`, null removes.
[[nodiscard]] Json merge_patch(Json target, const Json& patch);

/// A name as a part of a JSON Pointer (RFC 6901), with its slash.
[[nodiscard]] std::string pointer_part(std::string_view name);

}  // namespace tokenrail::registry_api
