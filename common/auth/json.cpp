#include "common/auth/json.hpp"

#include <cstdlib>

#include <jansson.h>

namespace tokenrail::auth {

bool JsonValue::is_object() const {
  return json_is_object(value_);
}

bool JsonValue::is_array() const {
  return json_is_array(value_);
}

std::optional<std::string_view> JsonValue::string() const {
  if (!json_is_string(value_)) return std::nullopt;
  return std::string_view(json_string_value(value_), json_string_length(value_));
}

std::optional<double> JsonValue::number() const {
  if (!json_is_number(value_)) return std::nullopt;
  return json_number_value(value_);
}

JsonValue JsonValue::find(const char* name) const {
  return JsonValue(json_object_get(value_, name));
}

std::size_t JsonValue::size() const {
  return is_array() ? json_array_size(value_) : json_object_size(value_);
}

JsonValue JsonValue::at(std::size_t index) const {
  return JsonValue(json_array_get(value_, index));
}

void JsonValue::each_member(const std::function<void(std::string_view, JsonValue)>& visit) const {
  if (!is_object()) return;
  // jansson iterates over what it could change, though nothing here does.
  auto* const object = const_cast<json_t*>(value_);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  for (void* at = json_object_iter(object); at != nullptr; at = json_object_iter_next(object, at))
    visit(json_object_iter_key(at), JsonValue(json_object_iter_value(at)));
}

void ReleaseJson::operator()(json_t* value) const {
  json_decref(value);
}

std::optional<JsonText> JsonText::parse(std::string_view text) {
  json_error_t error;
  json_t* const root = json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, &error);
  if (root == nullptr) return std::nullopt;
  JsonText parsed(root);
  if (!parsed.root().is_object()) return std::nullopt;
  return parsed;
}

JsonObject::JsonObject() : object_(json_object()) {}

void JsonObject::add(const char* name, json_t* value) {
  valid_ = json_object_set_new(object_.get(), name, value) == 0 && valid_;
}

JsonObject& JsonObject::set(const char* name, std::string_view text) {
  add(name, json_stringn(text.data(), text.size()));
  return *this;
}

JsonObject& JsonObject::set(const char* name, long long number) {
  add(name, json_integer(number));
  return *this;
}

std::optional<std::string> JsonObject::text() const {
  const std::unique_ptr<char, decltype(&std::free)> dumped(json_dumps(object_.get(), JSON_COMPACT), &std::free);
  if (!valid_ || !dumped) return std::nullopt;
  return std::string(dumped.get());
}

}  // namespace tokenrail::auth
