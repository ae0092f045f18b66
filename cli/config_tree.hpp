// Configuration as a tree of JSON values, and its YAML: written in one way only, and read as people write it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.hpp"

namespace tokenrail::cli {

struct ConfigValue {
  enum class Kind { null, scalar, text, list, object };
  Kind kind = Kind::null;
  std::string text{};  ///< of a scalar its JSON: true, 2.5
  std::vector<ConfigValue> items{};
  std::vector<std::pair<std::string, ConfigValue>> members{};  ///< in their order

  /// Null: there is none.
  [[nodiscard]] const ConfigValue* find(std::string_view name) const;
  /// The text of a member that is a text; else empty.
  [[nodiscard]] std::string text_of(std::string_view name) const;
  friend bool operator==(const ConfigValue&, const ConfigValue&) = default;
};

[[nodiscard]] std::string to_json(const ConfigValue& value);
[[nodiscard]] Result<ConfigValue> value_from_json(std::string_view json);

/// The same value gives the same text, and yaml_from(to_yaml(x)) is x. `value`: an object.
[[nodiscard]] std::string to_yaml(const ConfigValue& value);
/// Errors (invalid_input) name the line. Anchors are resolved; a document of more than 16 MiB or 64 levels is refused.
[[nodiscard]] Result<ConfigValue> value_from_yaml(const std::string& yaml);

}  // namespace tokenrail::cli
