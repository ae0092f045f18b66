// Which deployments have failed so often in a row that others are tried first (circuit breakers), and how many calls
// may be made again (a retry budget). Pure: the time is an argument. One thread.
//
// A breaker never ends a request by itself: it only moves a deployment behind those that work. A request whose route
// has no other deployment calls it all the same.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace tokenrail::router {

struct CircuitRules {
  int failures_to_open = 5;  ///< in a row
  std::chrono::milliseconds open_base{1'000};
  std::chrono::milliseconds open_max{30'000};
  std::size_t entries_max = 10'000;  ///< deployments that failed last; beyond it new ones are not watched
};

class Circuits {
 public:
  explicit Circuits(const CircuitRules& rules = {}) : rules_(rules) {}

  /// Whether a call may go there now. Of an open circuit one call in each open time may: the probe, and asking is
  /// taking it.
  [[nodiscard]] bool admit(std::string_view key, std::chrono::milliseconds now);
  /// A call went well: the circuit is closed. True: it was open.
  bool succeeded(std::string_view key);
  /// True: this failure opened it. Of an open circuit only a failure after a probe counts: calls that were under way
  /// when it opened say nothing new.
  bool failed(std::string_view key, std::chrono::milliseconds now);
  [[nodiscard]] std::size_t open() const { return open_; }

 private:
  struct State {
    int failures = 0;
    int openings = 0;      ///< in a row; 0: closed
    bool probing = false;  ///< a probe was admitted since the last opening
    std::chrono::milliseconds probe_at{0};
  };
  [[nodiscard]] std::chrono::milliseconds open_time(const State& state) const;

  const CircuitRules rules_;
  std::map<std::string, State, std::less<>> failing_{};
  std::size_t open_ = 0;
};

/// Calls of a connection that are made again may be at most a share of all its calls, beside a small stock, so that
/// retries do not multiply the load of a provider that fails because of its load. Each connection has its own stock:
/// one that fails takes no retry from another. Only connections that have used some of it are kept.
class RetryBudgets {
 public:
  explicit RetryBudgets(double share = 0.2, double stock = 100) : share_(share), stock_(stock) {}

  void call_made(std::string_view connection) {
    const auto used = tokens_.find(connection);
    if (used == tokens_.end()) return;
    used->second += share_;
    if (used->second >= stock_) tokens_.erase(used);
  }
  [[nodiscard]] bool has_one(std::string_view connection) const {
    const auto used = tokens_.find(connection);
    return (used == tokens_.end() ? stock_ : used->second) >= 1;
  }
  void take(std::string_view connection) { tokens_.try_emplace(std::string(connection), stock_).first->second -= 1; }
  [[nodiscard]] std::size_t used() const { return tokens_.size(); }

 private:
  const double share_;
  const double stock_;
  std::map<std::string, double, std::less<>> tokens_{};
};

}  // namespace tokenrail::router
