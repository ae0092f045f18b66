// Writing JSON text: append-only, no tree, no allocation beyond the target string. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tokenrail::events {

/// Appends `text` as a JSON string with its quotes. Escapes what RFC 8259 demands; bytes that are not valid UTF-8
/// become U+FFFD, so that the output is always valid JSON.
void append_json_string(std::string& out, std::string_view text);

/// How many bytes append_json_string() appends for `text`.
[[nodiscard]] std::size_t json_string_bytes(std::string_view text);

/// Commas and quotes done right, in the order of the calls:
///   JsonWriter w(out); w.begin_object(); w.field("seq", 3); w.begin_array("tools"); w.element("x"); w.end_array();
///   w.end_object();
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}
  void begin_object();
  void begin_object(std::string_view name);
  void end_object();
  void begin_array();
  void begin_array(std::string_view name);
  void end_array();

  void field(std::string_view name, std::string_view value);
  void field(std::string_view name, const char* value) { field(name, std::string_view(value)); }
  void field(std::string_view name, const std::string& value) { field(name, std::string_view(value)); }
  void field(std::string_view name, bool value);
  void field(std::string_view name, double value);
  void field(std::string_view name, std::int64_t value);
  void field(std::string_view name, int value) { field(name, static_cast<std::int64_t>(value)); }
  void null_field(std::string_view name);
  /// `json` must be one valid JSON value; it is copied as it is.
  void raw_field(std::string_view name, std::string_view json);

  void element(std::string_view value);
  void element(std::int64_t value);
  void raw_element(std::string_view json);

 private:
  void name(std::string_view name);
  void comma();
  std::string& out_;
  bool first_ = true;
};

}  // namespace tokenrail::events
