// What is known about host names, which of them are being looked up, and who waits for them. Pure: time is a parameter,
// and the caller does the asking.
//
// Names are compared without regard to case. Bounds: `names_max` answers are kept, and at most `lookups_max` names are
// looked up at a time; callers that want the same name share one look-up.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace tokenrail::http {

/// What a look-up ended with. Either addresses, best first, or a problem.
struct NameAnswer {
  std::vector<boost::asio::ip::address> addresses{};
  std::string problem{};  ///< for people; empty where there are addresses
};

struct NameCacheOptions {
  std::chrono::milliseconds ttl_min{1'000};  ///< also of names in /etc/hosts, which have no time to live
  std::chrono::milliseconds ttl_max{300'000};
  std::chrono::milliseconds failure_ttl{2'000};
  /// Addresses are kept this long after their time to live. They serve only where the name server cannot be reached.
  std::chrono::milliseconds stale_max{3'600'000};
  /// A caller waits this long for fresh addresses where old ones are known.
  std::chrono::milliseconds stale_after{1'000};
  std::size_t names_max = 4'096;
  std::size_t lookups_max = 1'024;
};

class NameCache {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using WaiterId = std::uint64_t;

  enum class Asked {
    ask,      ///< the caller has to ask the name server
    joined,   ///< another caller has asked already
    refused,  ///< too many names are being looked up
  };
  enum class Outcome {
    found,
    not_found,  ///< the name does not exist
    failed,     ///< unknown: the name server did not answer, or could not
  };
  /// Waiters that need wait no longer, and what they get.
  struct Due {
    std::vector<WaiterId> waiters{};
    NameAnswer answer{};
  };

  explicit NameCache(NameCacheOptions options) : options_(options) {}

  /// The answer that is still valid; null where the name has to be looked up. Valid until the next call.
  [[nodiscard]] const NameAnswer* find(std::string_view name, Time now) const;

  /// `waiter` waits for `name` from now on, unless refused.
  Asked ask(std::string_view name, WaiterId waiter, Time now);

  /// It waits no longer. The look-up goes on, for the next caller.
  void forget(WaiterId waiter);

  /// The look-up of `name` has ended. `ttl` and `answer.addresses` count where it was found, `answer.problem`
  /// elsewhere.
  Due answered(std::string_view name, Outcome outcome, NameAnswer answer, std::chrono::milliseconds ttl, Time now);

  /// Those who have waited long enough for fresh addresses and get the old ones.
  [[nodiscard]] std::vector<Due> take_due(Time now);
  /// When take_due() has something next; Time::max(): never.
  [[nodiscard]] Time next_due() const;

  /// Names whose look-up has not ended.
  [[nodiscard]] std::vector<std::string> pending() const;
  [[nodiscard]] std::size_t lookups() const { return pending_.size(); }
  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  struct Known {
    NameAnswer answer{};
    Time valid_until{};
    Time usable_until{};  ///< of addresses, as old ones
  };
  struct Waiter {
    WaiterId id;
    Time old_ones_at;  ///< Time::max(): there are none
  };

  static std::string key_of(std::string_view name);
  [[nodiscard]] const Known* usable(const std::string& key, Time now) const;
  void keep(const std::string& key, Known known, Time now);

  NameCacheOptions options_;
  std::unordered_map<std::string, Known> known_{};
  std::unordered_map<std::string, std::vector<Waiter>> pending_{};
  std::unordered_map<WaiterId, std::string> waiting_for_{};
};

}  // namespace tokenrail::http
