// An operator's own patterns of what must not be kept: regular expressions of RE2, whose time grows linearly with the
// text whatever the pattern. Cheap to copy; used by any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "common/result.hpp"

namespace tokenrail::events {

class RedactionPatterns {
 public:
  RedactionPatterns() = default;  ///< none

  static constexpr std::size_t patterns_max = 100;
  static constexpr std::size_t pattern_bytes_max = 1'000;
  /// Errors (invalid_input): a pattern that RE2 does not take, that is too long or matches the empty text, or too many.
  static Result<RedactionPatterns> compile(const std::vector<std::string>& patterns);

  [[nodiscard]] bool empty() const { return compiled_ == nullptr; }
  /// Replaces what matches by redaction_mark. Returns whether anything did. Bytes that are not UTF-8 match nothing.
  bool take_out(std::string& text) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_{};
};

}  // namespace tokenrail::events
