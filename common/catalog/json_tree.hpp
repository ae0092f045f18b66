// A JSON document as a tree in which numbers keep their text, and a value that is no JSON costs only itself. Private to
// this module's .cpp files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.hpp"

namespace tokenrail::catalog {

struct JsonTree {
  enum class Kind : std::uint8_t { null, truth, number, text, list, object, bad };
  Kind kind = Kind::null;
  bool truth = false;
  std::string text{};  ///< of a text its content; of a number and of what is no JSON its source
  std::vector<std::pair<std::string, JsonTree>> members{};  ///< of an object, in their order
  std::vector<JsonTree> items{};                            ///< of a list

  [[nodiscard]] bool is(Kind wanted) const { return kind == wanted; }
  /// The last member of that name; null pointer: there is none, or this is no object.
  [[nodiscard]] const JsonTree* find(std::string_view name) const;
  /// The text of a member that is a text; else empty.
  [[nodiscard]] std::string_view text_of(std::string_view name) const;
  [[nodiscard]] std::optional<bool> truth_of(std::string_view name) const;
};

/// Catalogues have a few megabytes; a larger file is refused rather than read into memory.
inline constexpr std::size_t file_bytes_max = 256UL * 1024 * 1024;

/// Errors: invalid_input, where brackets and quotes do not match, or the file is too large or not UTF-8.
[[nodiscard]] Result<JsonTree> read_json_tree(std::string_view text);

}  // namespace tokenrail::catalog
