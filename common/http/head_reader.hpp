// Puts a response's head together from the header lines that libcurl hands over one by one. Pure.
#pragma once

#include <cstddef>
#include <string_view>

#include "common/http/client.hpp"

namespace tokenrail::http {

class HeadReader {
 public:
  enum class Step {
    more,       ///< go on
    complete,   ///< head() is whole; reported once
    too_large,  ///< more than `bytes_max` of header lines
  };

  explicit HeadReader(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// One line, its line end included. Interim responses (1xx) are passed over, and so are trailers, which come after
  /// the body.
  Step line(std::string_view line);

  /// Whether line() has said `complete`.
  [[nodiscard]] bool done() const { return done_; }

  /// Valid once line() said `complete`.
  [[nodiscard]] const ResponseHead& head() const { return head_; }

  /// Frees the headers' memory: a stream may run for minutes after its head was read.
  void forget() { head_ = {}; }

 private:
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  bool done_ = false;
  ResponseHead head_{};
};

}  // namespace tokenrail::http
