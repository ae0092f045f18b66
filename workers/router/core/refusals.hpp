// What the brokers have refused for good lately, for each topic that the router writes to: below which size records are
// kept from now on, and what /readyz says about it. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "workers/router/core/environment.hpp"
#include "workers/router/core/services.hpp"

namespace tokenrail::router {

/// Whether a report's text says that the record was too large.
[[nodiscard]] bool is_about_size(std::string_view detail);

/// How long what was refused so often waits before it is tried again.
[[nodiscard]] Millis refusal_wait(int refusals);

class Refusals {
 public:
  /// What is learned from a refusal is used for this long: the topic's limit may be raised at any time.
  static constexpr Millis kept{300'000};
  /// Records are never cut to fit less than this.
  static constexpr std::size_t limit_min = 512;

  /// A record of `bytes` was refused. Returns whether that is news: the first refusal by that topic for a while.
  bool refused(Output output, std::size_t bytes, std::string_view detail, Millis now);
  /// Whether that topic ever refused a record: asked for each record, before the time is.
  [[nodiscard]] bool any(Output output) const { return newest_[static_cast<std::size_t>(output)].has_value(); }
  /// The size below which records of that topic are to be kept: `configured`, or less where the topic has refused less.
  /// It is half of what was refused, because the brokers do not say what they would take.
  [[nodiscard]] std::size_t limit(Output output, std::size_t configured, Millis now) const;
  /// The size from which on a record that cannot be split is not sent: `configured`, or the smallest that was refused
  /// as too large. Whatever is below that may be taken.
  [[nodiscard]] std::size_t whole_limit(Output output, std::size_t configured, Millis now) const;
  /// What /readyz says; empty: nothing was refused lately.
  [[nodiscard]] std::string problem(Output output, const std::string& topic, Millis now) const;

 private:
  struct Refused {
    Millis at{0};
    std::size_t count = 0;
    std::size_t bytes = 0;  ///< of the newest
    std::string detail{};
    std::optional<std::size_t> limit{};
    std::optional<std::size_t> too_large{};  ///< the smallest that was
  };
  [[nodiscard]] const Refused* lately(Output output, Millis now) const;

  std::array<std::optional<Refused>, 3> newest_{};
};

}  // namespace tokenrail::router
