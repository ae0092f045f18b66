// Foreign JSON read strictly, by jansson: an object whose names are unique at every depth, in valid UTF-8 without NUL.
// For this module only.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct json_t;

namespace tokenrail::auth {

/// A value inside a JsonText, which must outlive it. Absent values answer like values of another type.
class JsonValue {
 public:
  JsonValue() = default;
  explicit JsonValue(const json_t* value) : value_(value) {}

  [[nodiscard]] bool exists() const { return value_ != nullptr; }
  [[nodiscard]] bool is_object() const;
  [[nodiscard]] bool is_array() const;
  [[nodiscard]] std::optional<std::string_view> string() const;
  [[nodiscard]] std::optional<double> number() const;
  /// Of an object.
  [[nodiscard]] JsonValue find(const char* name) const;
  /// Elements of an array, members of an object.
  [[nodiscard]] std::size_t size() const;
  /// Of an array.
  [[nodiscard]] JsonValue at(std::size_t index) const;
  void each_member(const std::function<void(std::string_view, JsonValue)>& visit) const;

 private:
  const json_t* value_ = nullptr;
};

struct ReleaseJson {
  void operator()(json_t* value) const;
};

class JsonText {
 public:
  /// Nothing where the text is not one object as above.
  [[nodiscard]] static std::optional<JsonText> parse(std::string_view text);

  [[nodiscard]] JsonValue root() const { return JsonValue(root_.get()); }

 private:
  explicit JsonText(json_t* root) : root_(root) {}
  std::unique_ptr<json_t, ReleaseJson> root_;
};

/// Writes one object of texts and whole numbers.
class JsonObject {
 public:
  JsonObject();
  JsonObject& set(const char* name, std::string_view text);
  JsonObject& set(const char* name, long long number);
  /// Nothing where a text was not valid UTF-8.
  [[nodiscard]] std::optional<std::string> text() const;

 private:
  void add(const char* name, json_t* value);
  std::unique_ptr<json_t, ReleaseJson> object_;
  bool valid_ = true;
};

}  // namespace tokenrail::auth
