// Decimal numbers as text, scaled to integers without a floating-point number in between. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace tokenrail::catalog {

struct Scaled {
  std::int64_t value = 0;
  bool rounded = false;  ///< the text says more than an integer holds; rounded half to even
  friend bool operator==(const Scaled&, const Scaled&) = default;
};

/// `text` (as JSON writes numbers, "1.5e-07") times ten to the power of `power`. The error says what is wrong:
/// no number, negative, or too large.
[[nodiscard]] std::expected<Scaled, std::string_view> scaled(std::string_view text, int power);

}  // namespace tokenrail::catalog
