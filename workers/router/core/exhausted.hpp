// Which deployments have nothing left of a rate limit, or asked for a wait, so that others are tried first until then.
// Pure: the time is an argument. One thread.
//
// As an open circuit this only moves a deployment behind others: a request whose route has no other one calls it all
// the same.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
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
  [[nodiscard]] std::size_t size() const { return until_.size(); }

 private:
  void set(std::string_view key, std::chrono::milliseconds until, std::chrono::milliseconds now);

  const std::size_t entries_max_;
  std::map<std::string, std::chrono::milliseconds, std::less<>> until_{};
};

}  // namespace tokenrail::router
