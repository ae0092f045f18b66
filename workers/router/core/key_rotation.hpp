// Which of several keys of a connection the next call uses, and which connections have none left. Pure: the time is an
// argument. One thread.
//
// A key is used until its provider refuses it or it is over a limit (mostly 401 and 429); then it rests, and the next
// one that does not rest is used from there on.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tokenrail::router {

class KeyRotation {
 public:
  static constexpr std::chrono::minutes rest_of_refused{10};
  /// Of a key that may be used, but not for the model that was asked for.
  static constexpr std::chrono::seconds rest_of_forbidden{60};
  /// Of a key that is over a limit, where the provider says no Retry-After.
  static constexpr std::chrono::seconds rest_of_limited{60};

  explicit KeyRotation(std::size_t entries_max = 10'000) : entries_max_(entries_max) {}

  /// The key to use now, below `count` (at least 1). Where all rest, the one that rests least longer.
  [[nodiscard]] std::size_t choose(std::string_view connection_id, std::size_t count, std::chrono::milliseconds now);
  /// When the first of them has rested; 0: one does not rest now.
  [[nodiscard]] std::chrono::milliseconds ready_in(std::string_view connection_id, std::size_t count,
                                                   std::chrono::milliseconds now) const;
  void rest(std::string_view connection_id, std::size_t key, std::chrono::milliseconds now,
            std::chrono::milliseconds until);
  /// A call with that key went well: it does not rest any more.
  void works(std::string_view connection_id, std::size_t key);
  [[nodiscard]] std::size_t size() const { return connections_.size(); }

 private:
  struct State {
    std::size_t current = 0;
    std::vector<std::chrono::milliseconds> rests_until{};  ///< by key; as many as have ever rested
    [[nodiscard]] std::chrono::milliseconds until(std::size_t key) const {
      return key < rests_until.size() ? rests_until[key] : std::chrono::milliseconds::min();
    }
  };
  const std::size_t entries_max_;
  /// Of connections of which a key has rested.
  std::map<std::string, State, std::less<>> connections_{};
};

}  // namespace tokenrail::router
