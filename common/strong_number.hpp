// A number whose type says what it counts, so that two kinds of numbers cannot be mixed: an offset of one topic is not
// an offset of another, and an epoch is not an attempt. It is as cheap as the integer that it holds.
//
// The compiler rejects what confuses two kinds: comparing them, assigning one to the other, passing one as the other.
// An integer becomes such a number only where the code says so, and value() is the only way back. Both belong at the
// edges: JSON, librdkafka, logs, metrics.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace tokenrail {

/// `Tag` names the kind and need not be defined. A number may be moved by a count; two numbers differ by a count.
template <class Tag>
class StrongNumber {
 public:
  constexpr StrongNumber() = default;  ///< 0
  constexpr explicit StrongNumber(std::int64_t value) : value_(value) {}

  [[nodiscard]] constexpr std::int64_t value() const { return value_; }

  constexpr auto operator<=>(const StrongNumber&) const = default;

  constexpr StrongNumber& operator++() {
    ++value_;
    return *this;
  }
  friend constexpr StrongNumber operator+(StrongNumber number, std::int64_t count) {
    return StrongNumber(number.value_ + count);
  }
  friend constexpr StrongNumber operator-(StrongNumber number, std::int64_t count) {
    return StrongNumber(number.value_ - count);
  }
  friend constexpr std::int64_t operator-(StrongNumber a, StrongNumber b) { return a.value_ - b.value_; }

 private:
  std::int64_t value_ = 0;
};

}  // namespace tokenrail

template <class Tag>
struct std::hash<tokenrail::StrongNumber<Tag>> {
  std::size_t operator()(const tokenrail::StrongNumber<Tag>& number) const noexcept {
    return std::hash<std::int64_t>{}(number.value());
  }
};
