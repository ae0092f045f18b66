// The fast parser as this module uses it: whatever the bytes, it returns a document or says why not, and it never keeps
// more memory between records than a typical record needs. Included by .cpp files only; the views that a document gives
// die with the next parse on the same thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "common/result.hpp"

namespace tokenrail::events {

class JsonDocument {
 public:
  /// Half surrogate pairs are read as U+FFFD. `depth_max` counts containers inside each other.
  explicit JsonDocument(std::string_view text, std::size_t depth_max = 64);
  ~JsonDocument();
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  [[nodiscard]] simdjson::error_code error() const { return error_; }
  [[nodiscard]] simdjson::dom::element root() const { return root_; }

 private:
  std::unique_ptr<simdjson::dom::parser> own_;  // for a large document, or one read while another is open
  simdjson::dom::parser* parser_;               // own_, or the thread's
  simdjson::error_code error_ = simdjson::SUCCESS;
  simdjson::dom::element root_;
};

/// "a string", "null", …: what a value is, for messages that must not repeat the value itself.
[[nodiscard]] std::string_view kind_of(simdjson::dom::element element);

/// Whole numbers, also written as 64.0.
[[nodiscard]] std::optional<std::int64_t> integer_of(simdjson::dom::element element);
[[nodiscard]] std::optional<double> number_of(simdjson::dom::element element);
[[nodiscard]] std::optional<std::string_view> string_of(simdjson::dom::element element);

/// Fields of an object read tolerantly: what is absent, null or of another type is the default.
class ObjectReader {
 public:
  ObjectReader() = default;  ///< of what is not there: every field is absent
  explicit ObjectReader(simdjson::dom::element element);
  [[nodiscard]] bool is_object() const { return valid_; }
  [[nodiscard]] std::optional<simdjson::dom::element> find(std::string_view name) const;
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> text_if(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> integer_if(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t otherwise = 0) const;
  [[nodiscard]] bool flag(std::string_view name, bool otherwise = false) const;

 private:
  simdjson::dom::object object_;
  bool valid_ = false;
};

/// The root as an object, for records of our own; errors: invalid_input.
[[nodiscard]] Result<ObjectReader> read_object(const JsonDocument& document, std::string_view what);

}  // namespace tokenrail::events
