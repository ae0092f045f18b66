// How long the turns of the event loop take, and what ran in a long one.
//
// A turn is the time in which one handler runs: everything else on the loop waits meanwhile. common/worker/run.hpp
// measures the turns; code that the loop calls marks what it does with loop_step(). A mark costs a clock reading.
// One LoopTurns a thread; on other threads a mark does nothing.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/telemetry/metrics.hpp"

namespace tokenrail::telemetry {

/// Measures one turn after the other. Pure: time is a parameter, and names are string literals.
class TurnMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Turn {
    std::chrono::nanoseconds took{};
    const char* longest_step = nullptr;  ///< what most of it was spent on; null: nothing was marked
    std::chrono::nanoseconds longest_step_took{};
  };

  void begin(Time now);
  /// What runs from now on until the next mark, or the end of the turn. Begins the turn where begin() could not: after
  /// a wait, no handler of the loop's knows when the wait ended.
  void step(const char* name, Time now);
  /// Nothing ran.
  void drop() { begun_ = false; }
  /// Nothing where no turn began.
  std::optional<Turn> end(Time now);

 private:
  void close_step(Time now);

  bool begun_ = false;
  Time began_{};
  const char* step_ = nullptr;
  Time step_began_{};
  Turn turn_{};
};

/// The log message about a turn that took at least `warn_from`; nothing for a shorter one, and nothing at all where
/// `warn_from` is 0. Pure.
[[nodiscard]] std::optional<std::string> long_turn_warning(const TurnMeter::Turn& turn,
                                                           std::chrono::milliseconds warn_from);

/// Keeps the metric `tokenrail_loop_turn_ms`, and warns as long_turn_warning() says.
class LoopTurns {
 public:
  LoopTurns(Metrics& metrics, std::chrono::milliseconds warn_from);
  ~LoopTurns();
  LoopTurns(const LoopTurns&) = delete;
  LoopTurns& operator=(const LoopTurns&) = delete;

  void begin() { meter_.begin(std::chrono::steady_clock::now()); }
  void step(const char* name) { meter_.step(name, std::chrono::steady_clock::now()); }
  void drop() { meter_.drop(); }
  void end();

 private:
  TurnMeter meter_{};
  Histogram& turn_ms_;
  std::chrono::milliseconds warn_from_;
};

/// Says what the loop does from now on: "kafka consumer", "http". `name` is a string literal. In a coroutine, call it
/// behind each co_await.
void loop_step(const char* name);

}  // namespace tokenrail::telemetry
