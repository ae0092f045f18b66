// The strict half of reading a chat request: fields that are there but wrong become one Failure that names the field by
// its JSON path, says what is expected and what to do. Included by .cpp files only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "common/events/chat_request.hpp"
#include "common/events/json_document.hpp"

namespace tokenrail::events {

/// The path of a value: "messages[3].content[0].url". Values are never part of it, names of the sender's are cut.
class FieldPath {
 public:
  explicit FieldPath(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] FieldPath operator/(std::string_view name) const;
  [[nodiscard]] FieldPath operator[](std::size_t index) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Collects the first thing that is wrong, and counts what is unknown.
struct Findings {
  std::optional<Failure> failure{};
  std::size_t unknown_fields = 0;

  /// `expected` completes "`path` must be …".
  void wrong(const FieldPath& path, std::string_view expected, std::string_view found);
  void wrong(const FieldPath& path, std::string_view expected, simdjson::dom::element found);
  [[nodiscard]] bool ok() const { return !failure.has_value(); }
};

/// Each returns nothing after having noted what is wrong.
[[nodiscard]] std::optional<std::string> read_string(simdjson::dom::element element, const FieldPath& path,
                                                     Findings& findings);
/// Not empty, and not longer than that.
[[nodiscard]] std::optional<std::string> read_name(simdjson::dom::element element, const FieldPath& path,
                                                   std::size_t bytes_max, Findings& findings);
[[nodiscard]] std::optional<bool> read_bool(simdjson::dom::element element, const FieldPath& path, Findings& findings);
[[nodiscard]] std::optional<std::int64_t> read_integer(simdjson::dom::element element, const FieldPath& path,
                                                       std::int64_t min, std::int64_t max, Findings& findings);
[[nodiscard]] std::optional<double> read_number(simdjson::dom::element element, const FieldPath& path, double min,
                                                double max, Findings& findings);
[[nodiscard]] std::optional<simdjson::dom::object> read_object(simdjson::dom::element element, const FieldPath& path,
                                                               Findings& findings);
/// An array of at most `size_max` elements.
[[nodiscard]] std::optional<simdjson::dom::array> read_array(simdjson::dom::element element, const FieldPath& path,
                                                             std::size_t size_max, Findings& findings);

/// Calls `visit(name, value)` for every field that is not null; what returns false is counted as unknown. Stops at the
/// first failure.
template <class Visit>
void for_each_field(simdjson::dom::object object, Findings& findings, Visit visit) {
  for (const auto field : object) {
    if (!findings.ok()) {
      return;
    }
    // Unknown names count also where they are null; known ones that are null are as good as absent.
    if (!visit(field.key, field.value)) {
      ++findings.unknown_fields;
    }
  }
}

/// Parts of a request; the rest is read in chat_request.cpp.
[[nodiscard]] std::vector<Message> read_messages(simdjson::dom::element element, const RequestLimits& limits,
                                                 Findings& findings);
[[nodiscard]] std::vector<Tool> read_tools(simdjson::dom::element element, const RequestLimits& limits,
                                           Findings& findings);
[[nodiscard]] AutoSelection read_auto_selection(simdjson::dom::element element, const RequestLimits& limits,
                                                Findings& findings);
[[nodiscard]] std::vector<std::string> read_groups(simdjson::dom::element element, const RequestLimits& limits,
                                                   Findings& findings);

}  // namespace tokenrail::events
