// A key, a token or a password in memory. It is zeroed when it is destroyed or moved from. It cannot be copied by
// accident, compared, printed or formatted. A caller that needs its text has to call reveal(). One thread at a
// time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <string.h>

namespace tokenrail {

class Secret {
 public:
  Secret() = default;
  /// Takes the text over and zeroes the argument's own copy.
  explicit Secret(std::string&& text) : text_(std::move(text)) { wipe(text); }
  explicit Secret(std::string_view text) : text_(text) {}
  explicit Secret(const char* text) : text_(text) {}
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { wipe(other.text_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe(text_);
      text_ = std::move(other.text_);
      wipe(other.text_);
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(text_); }

  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] std::size_t size() const { return text_.size(); }
  /// Valid as long as this object is neither moved from nor destroyed.
  [[nodiscard]] std::string_view reveal() const { return text_; }
  /// A second copy, made on purpose.
  [[nodiscard]] Secret clone() const { return Secret(std::string_view(text_)); }

 private:
  /// The whole buffer: a short text is inside the object, and a longer one may have been there before.
  static void wipe(std::string& text) noexcept {
    text.resize(text.capacity());
    explicit_bzero(text.data(), text.size());
    text.clear();
  }

  std::string text_;
};

}  // namespace tokenrail
