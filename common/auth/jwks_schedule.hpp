// When the keys of an issuer are fetched, and which may be used. Pure: a state machine without a clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/auth/jwk_set.hpp"

namespace tokenrail::auth {

class JwksSchedule {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  struct Options {
    Duration refresh_after = std::chrono::minutes(10);      ///< age at which keys are fetched again
    Duration pause = std::chrono::seconds(30);              ///< between two fetches, while there are keys
    Duration pause_without_keys = std::chrono::seconds(2);  ///< between two fetches, while there are none
    Duration stale_max = std::chrono::hours(24);            ///< age up to which keys serve while no fetch succeeds
  };
  explicit JwksSchedule(const Options& options) : options_(options) {}

  enum class Need : std::uint8_t {
    keys,         ///< those that there are
    unknown_key,  ///< newer ones: a token names a key that is not among them
  };
  struct Step {
    bool fetch = false;  ///< start a fetch now, and call started()
    bool wait = false;   ///< for the end of the fetch that runs or is to be started
  };
  /// What a request does before it looks at keys(). Keys that are due are fetched in the background. A request waits
  /// for them only if there are none, or if they are older than twice `refresh_after` and the last fetch succeeded:
  /// then no request came for a long time, and a key may have been revoked.
  [[nodiscard]] Step step(Need need, Time now) const;

  /// One fetch at a time.
  void started(Time now);
  void succeeded(JwkSet keys, Time now);
  /// `why`: for people.
  void failed(std::string why);

  [[nodiscard]] bool running() const { return running_; }
  /// Null: there are none yet, or they are older than `stale_max`.
  [[nodiscard]] const JwkSet* keys(Time now) const;
  /// The age of keys(), or of keys that are too old. Nothing before the first success.
  [[nodiscard]] std::optional<Duration> age(Time now) const;
  /// Why the last fetch failed; empty where it succeeded.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  [[nodiscard]] bool may_fetch(Duration pause, Time now) const;

  Options options_;
  bool running_ = false;
  std::optional<Time> attempted_{};
  std::optional<Time> fetched_{};
  JwkSet keys_{};
  std::string failure_{};
};

}  // namespace tokenrail::auth
