#include "common/events/request_reader.hpp"

#include <fmt/format.h>

#include "common/events/utf8.hpp"

namespace tokenrail::events {

FieldPath FieldPath::operator/(std::string_view name) const {
  const auto shown = utf8_prefix(name, 64);
  return FieldPath(text_.empty() ? std::string(shown) : fmt::format("{}.{}", text_, shown));
}

FieldPath FieldPath::operator[](std::size_t index) const {
  return FieldPath(fmt::format("{}[{}]", text_, index));
}

void Findings::wrong(const FieldPath& path, std::string_view expected, std::string_view found) {
  if (failure) {
    return;
  }
  failure = Failure::of(ErrorCode::invalid_request,
                        fmt::format("`{}` must be {}, but {}. Correct it and send the request again with a new "
                                    "requestId.",
                                    path.text(), expected, found));
}

void Findings::wrong(const FieldPath& path, std::string_view expected, simdjson::dom::element found) {
  wrong(path, expected, fmt::format("is {}", kind_of(found)));
}

std::optional<std::string> read_string(simdjson::dom::element element, const FieldPath& path, Findings& findings) {
  const auto text = string_of(element);
  if (!text) {
    findings.wrong(path, "a string", element);
    return std::nullopt;
  }
  return std::string(*text);
}

std::optional<std::string> read_name(simdjson::dom::element element, const FieldPath& path, std::size_t bytes_max,
                                     Findings& findings) {
  const auto text = string_of(element);
  const auto expected = [bytes_max] { return fmt::format("a string of 1 to {} bytes", bytes_max); };
  if (!text) {
    findings.wrong(path, expected(), element);
    return std::nullopt;
  }
  if (text->empty() || text->size() > bytes_max) {
    findings.wrong(path, expected(), fmt::format("has {}", text->size()));
    return std::nullopt;
  }
  return std::string(*text);
}

std::optional<bool> read_bool(simdjson::dom::element element, const FieldPath& path, Findings& findings) {
  bool value = false;
  if (element.get_bool().get(value) != simdjson::SUCCESS) {
    findings.wrong(path, "true or false", element);
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> read_integer(simdjson::dom::element element, const FieldPath& path, std::int64_t min,
                                         std::int64_t max, Findings& findings) {
  const auto expected = [min, max] {
    if (min == INT64_MIN && max == INT64_MAX) {
      return std::string("a whole number of 64 bits");
    }
    if (max == INT64_MAX) {
      return fmt::format("a whole number of at least {}", min);
    }
    return fmt::format("a whole number from {} to {}", min, max);
  };
  const auto value = integer_of(element);
  if (!value) {
    if (element.is_number()) {
      findings.wrong(path, expected(), "is a number that is not whole, or too large");
    } else {
      findings.wrong(path, expected(), element);
    }
    return std::nullopt;
  }
  if (*value < min || *value > max) {
    findings.wrong(path, expected(), fmt::format("is {}", *value));
    return std::nullopt;
  }
  return value;
}

std::optional<double> read_number(simdjson::dom::element element, const FieldPath& path, double min, double max,
                                  Findings& findings) {
  const auto expected = [min, max] { return fmt::format("a number from {} to {}", min, max); };
  const auto value = number_of(element);
  if (!value) {
    findings.wrong(path, expected(), element);
    return std::nullopt;
  }
  if (!(*value >= min && *value <= max)) {
    findings.wrong(path, expected(), fmt::format("is {}", *value));
    return std::nullopt;
  }
  return value;
}

std::optional<simdjson::dom::object> read_object(simdjson::dom::element element, const FieldPath& path,
                                                 Findings& findings) {
  simdjson::dom::object object;
  if (element.get_object().get(object) != simdjson::SUCCESS) {
    findings.wrong(path, "an object", element);
    return std::nullopt;
  }
  return object;
}

std::optional<simdjson::dom::array> read_array(simdjson::dom::element element, const FieldPath& path,
                                               std::size_t size_max, Findings& findings) {
  simdjson::dom::array array;
  if (element.get_array().get(array) != simdjson::SUCCESS) {
    findings.wrong(path, "an array", element);
    return std::nullopt;
  }
  // size() saturates at 2^24 - 1, far above every limit here.
  if (array.size() > size_max) {
    findings.wrong(path, fmt::format("an array of at most {} elements", size_max), fmt::format("has {}", array.size()));
    return std::nullopt;
  }
  return array;
}

}  // namespace tokenrail::events
