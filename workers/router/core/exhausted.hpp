// Which deployments have nothing left of a rate limit, or asked for a wait, so that others are tried first until then.
// Pure: the time is an argument. One thread.
//
// As an open circuit this only moves a deployment behind others: a request whose route has no other one calls it all
// the same.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/providers/rate_limits.hpp"

namespace tokenrail::router {

class Exhausted {
 public:
  /// A reset that lies further ahead is believed for so long: providers name the time at which all of a limit is there
  /// again, and some of it is back much earlier.
  static constexpr std::chrono::milliseconds longest{30'000};

  explicit Exhausted(std::size_t entries_max = 10'000) : entries_max_(entries_max) {}

  /// What a response of that deployment said. One that says nothing of limits changes nothing.
  void note(std::string_view key, const providers::RateLimits& limits, std::chrono::milliseconds now);
  /// It asked to be left alone for so long. `most`: how much of it is believed. An earlier end does not shorten a rest.
  void rest(std::string_view key, std::chrono::milliseconds wait, std::chrono::milliseconds now,
            std::chrono::milliseconds most = longest);
  [[nodiscard]] bool is(std::string_view key, std::chrono::milliseconds now) const;

  /// What an administrator allows a deployment in a minute. Nothing: no bound.
  struct Allowed {
    std::optional<std::int64_t> requests{};
    std::optional<std::int64_t> tokens{};
    [[nodiscard]] bool any() const { return requests || tokens; }
  };
  /// A deployment with such a bound was called, or has used tokens.
  void used(std::string_view key, std::int64_t requests, std::int64_t tokens, std::chrono::milliseconds now);
  /// It has used up what it is allowed. The minute slides: what was used in the one before counts by its part that
  /// lies less than a minute back.
  [[nodiscard]] bool over(std::string_view key, const Allowed& allowed, std::chrono::milliseconds now) const;
  [[nodiscard]] std::size_t size() const { return until_.size(); }

 private:
  void set(std::string_view key, std::chrono::milliseconds until, std::chrono::milliseconds now);

  const std::size_t entries_max_;
  std::map<std::string, std::chrono::milliseconds, std::less<>> until_{};
  struct Use {
    std::int64_t minute = 0;  ///< number of the one that runs
    std::int64_t requests = 0;
    std::int64_t tokens = 0;
    std::int64_t requests_before = 0;  ///< in the minute before
    std::int64_t tokens_before = 0;
    [[nodiscard]] Use at(std::int64_t now) const;
  };
  std::map<std::string, Use, std::less<>> uses_{};
};

}  // namespace tokenrail::router
