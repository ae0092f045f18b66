#include "common/telemetry/loop_turns.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/telemetry/metric_families.hpp"

namespace tokenrail::telemetry {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// The loop of this thread.
thread_local LoopTurns* current = nullptr;

}  // namespace

void TurnMeter::begin(Time now) {
  begun_ = true;
  began_ = now;
  step_ = nullptr;
  step_began_ = now;
  turn_ = {};
}

void TurnMeter::step(const char* name, Time now) {
  if (!begun_) begin(now);
  close_step(now);
  step_ = name;
}

void TurnMeter::close_step(Time now) {
  const auto took = now - step_began_;
  if (step_ != nullptr && (turn_.longest_step == nullptr || took > turn_.longest_step_took)) {
    turn_.longest_step = step_;
    turn_.longest_step_took = took;
  }
  step_began_ = now;
}

std::optional<TurnMeter::Turn> TurnMeter::end(Time now) {
  if (!begun_) return std::nullopt;
  begun_ = false;
  close_step(now);
  turn_.took = now - began_;
  return turn_;
}

std::optional<std::string> long_turn_warning(const TurnMeter::Turn& turn, milliseconds warn_from) {
  if (warn_from.count() == 0 || turn.took < warn_from) return std::nullopt;
  const auto took = duration_cast<milliseconds>(turn.took).count();
  if (turn.longest_step == nullptr) return fmt::format("one turn of the event loop took {} ms; all else waited", took);
  return fmt::format("one turn of the event loop took {} ms, {} ms of them for: {}; all else waited", took,
                     duration_cast<milliseconds>(turn.longest_step_took).count(), turn.longest_step);
}

LoopTurns::LoopTurns(Metrics& metrics, std::chrono::milliseconds warn_from)
    : turn_ms_(metrics.histogram(metric_family("tokenrail_loop_turn_ms"),
                                 {0.1, 1, 5, 10, 25, 50, 100, 250, 500, 1'000, 2'500, 5'000, 10'000})),
      warn_from_(warn_from) {
  current = this;
}

LoopTurns::~LoopTurns() {
  current = nullptr;
}

void LoopTurns::end() {
  const auto turn = meter_.end(std::chrono::steady_clock::now());
  if (!turn) return;
  turn_ms_.observe(std::chrono::duration<double, std::milli>(turn->took).count());
  if (const auto warning = long_turn_warning(*turn, warn_from_)) spdlog::warn("{}", *warning);
}

void loop_step(const char* name) {
  if (current != nullptr) current->step(name);
}

}  // namespace tokenrail::telemetry
