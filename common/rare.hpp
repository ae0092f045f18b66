// An optional value that few objects have. The value is on the heap, so objects without one only have a pointer. Copies
// are deep. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace tokenrail {

template <class T>
class Rare {
 public:
  Rare() = default;
  // Implicit, as those of std::optional are: callers assign a value or std::nullopt.
  Rare(std::nullopt_t /*none*/) {}                                  // NOLINT(google-explicit-constructor)
  Rare(T value) : value_(std::make_unique<T>(std::move(value))) {}  // NOLINT(google-explicit-constructor)
  Rare(const Rare& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  Rare(Rare&&) noexcept = default;
  Rare& operator=(const Rare& other) {
    if (this != &other) value_ = other.value_ ? std::make_unique<T>(*other.value_) : nullptr;
    return *this;
  }
  Rare& operator=(Rare&&) noexcept = default;
  ~Rare() = default;

  [[nodiscard]] bool has_value() const { return value_ != nullptr; }
  explicit operator bool() const { return has_value(); }
  /// Only where there is one.
  [[nodiscard]] const T& operator*() const { return *value_; }
  [[nodiscard]] T& operator*() { return *value_; }
  [[nodiscard]] const T* operator->() const { return value_.get(); }
  [[nodiscard]] T* operator->() { return value_.get(); }
  void reset() { value_.reset(); }

  friend bool operator==(const Rare& a, const Rare& b) {
    return a.value_ && b.value_ ? *a.value_ == *b.value_ : a.has_value() == b.has_value();
  }

 private:
  std::unique_ptr<T> value_{};
};

}  // namespace tokenrail
