// One worker process: the real core between simulated clients, and what can happen to a process as a whole.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "tests/simulation/clients.hpp"
#include "tests/simulation/plan.hpp"
#include "workers/router/core/router_core.hpp"

namespace tokenrail::simulation {

class World;

/// What a process may be kept from for a while.
enum class Gate : std::uint8_t { appends, acks, reads, fetches, count };

class Process final : public router::Environment, public router::LogQuestions {
 public:
  Process(World& world, int id, int slot);
  ~Process() override;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void start();

  // router::Environment
  [[nodiscard]] router::Now now() const override;
  std::uint64_t random() override { return core_random_.next(); }
  void wake_at(router::Millis at) override;
  // router::LogQuestions
  void ask(std::uint64_t token, const router::LogQuestion& question) override;
  void look(std::uint64_t token, std::vector<kafka::WitnessQuestion> questions) override;

  [[nodiscard]] int id() const { return id_; }
  [[nodiscard]] int slot() const { return slot_; }
  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] bool dying() const { return dying_; }
  [[nodiscard]] bool stopping() const { return stopping_; }
  router::RouterCore& core() { return *core_; }
  SimProducer* producer() { return producer_.get(); }
  SimGroup* group() { return group_.get(); }
  SimLogReader& reader() { return *reader_; }
  SimHttp& http() { return *http_; }

  /// Something of this process happens `delay` from now, unless it is dead by then; while it is paused it waits.
  void later(Micros delay, Action action);
  /// As drawn for that stage. `behind`: how many more wait for the same; what waits often comes in one go.
  [[nodiscard]] Micros delay(Stage stage, std::size_t behind = 0);
  Random& luck(Stage stage) { return luck_[static_cast<std::size_t>(stage)]; }

  /// A word is about to leave the process; false: it has died before it could say it.
  bool speaks();
  void crash_after_words(std::int64_t words, Micros restart) { words_left_ = words, restart_ = restart; }
  /// How long after a death its place stays empty.
  [[nodiscard]] Micros restart() const { return restart_; }
  void pause();
  void resume();
  void drain(Micros limit);
  void clock_jump(Micros by) { steady_offset_ += by, wall_offset_ += by; }
  void calendar_jump(Micros by) { wall_offset_ += by; }
  /// Its calendar is that of the brokers.
  [[nodiscard]] bool calendar_is_right() const { return wall_offset_ == Micros(0); }
  void fail_consumer();
  [[nodiscard]] std::uint64_t next_join() { return ++joins_; }

  [[nodiscard]] bool closed(Gate gate) const;
  void close(Gate gate) { ++closed_[static_cast<std::size_t>(gate)]; }
  void open(Gate gate);
  void go_on();

  /// The process is to be ended: nothing that its parts still say in being destroyed gets out.
  void die() { dying_ = true; }
  [[nodiscard]] bool finished() const { return finished_; }
  /// It comes to the end of chat.cancellations.
  [[nodiscard]] bool reads_cancellations() const { return reads_cancellations_; }

 private:
  [[nodiscard]] kafka::LogSurvey survey(const std::vector<kafka::WitnessQuestion>& questions);
  void run(Action& action);
  void make_producer();
  void read_registry();
  void join();
  void renew_producer();
  void wait_for_old_producer();

  World& world_;
  const int id_;
  const int slot_;
  std::array<Random, stage_count> luck_;
  Random core_random_;
  Micros steady_offset_{0};
  Micros wall_offset_{0};
  std::uint64_t wake_ = 0;
  bool paused_ = false;
  bool dying_ = false;
  bool stopping_ = false;
  bool finished_ = false;
  bool gate_by_pause_ = false;
  std::uint64_t joins_ = 0;
  std::int64_t words_left_ = -1;
  Micros restart_{500'000};
  std::deque<Action> waiting_{};  ///< what became due while it was paused
  std::array<int, static_cast<std::size_t>(Gate::count)> closed_{};

  registry::Projection projection_{};
  const bool reads_cancellations_;
  std::unique_ptr<SimHttp> http_;
  std::unique_ptr<router::RouterCore> core_;
  std::unique_ptr<SimProducer> producer_;
  std::unique_ptr<SimGroup> group_;
  std::unique_ptr<SimLogReader> reader_;
};

}  // namespace tokenrail::simulation
