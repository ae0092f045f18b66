#include "common/worker/run.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::worker {
namespace {

constexpr std::array own_settings{config::Setting{.name = "router.steps", .kind = config::Kind::integer}};
constexpr Program program{.name = "some-worker", .purpose = "Works.", .own_settings = own_settings};

/// Posts as many turns of the loop as its setting says, and ends with their number.
class Stepper {
 public:
  Stepper(boost::asio::io_context& loop, const config::Values& values)
      : loop_(loop), left_(static_cast<int>(values.integer("router.steps"))) {
    if (left_ < 0) throw std::runtime_error("cannot walk backwards");
  }
  Result<void> start() {
    if (left_ == 0) return fail(ErrorKind::invalid_input, "nothing to do");
    step();
    return {};
  }
  [[nodiscard]] telemetry::Metrics& metrics() { return metrics_; }
  [[nodiscard]] int exit_code() const { return taken_; }

 private:
  void step() {
    boost::asio::post(loop_, [this] {
      ++taken_;
      if (--left_ > 0) step();
    });
  }
  boost::asio::io_context& loop_;
  telemetry::Metrics metrics_;
  int left_;
  int taken_ = 0;
};

int run_with(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "some-worker");
  return run<Stepper>(program, static_cast<int>(arguments.size()), arguments.data());
}

TEST(RunWorker, EndsWithExitCodeOfTheWorker) {
  EXPECT_EQ(run_with({"--router.steps=3"}), 3);
}

TEST(RunWorker, AStartThatIsRefusedIsOne) {
  EXPECT_EQ(run_with({"--router.steps=0"}), 1);
}

TEST(RunWorker, ReportsExceptionWithProgramName) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_with({"--router.steps=-1"}), 1);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::HasSubstr("some-worker: cannot walk backwards"));
}

TEST(RunWorker, KnowsOwnAndCommonSettings) {
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(run_with({"--help"}), 0);
  const auto help = ::testing::internal::GetCapturedStdout();
  EXPECT_THAT(help, ::testing::HasSubstr("--router.steps"));
  EXPECT_THAT(help, ::testing::HasSubstr("--kafka.bootstrap-servers"));
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_with({"--router.setps=3"}), 2);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::HasSubstr("did you mean --router.steps?"));
}

std::uint64_t turns_in(telemetry::Metrics& metrics) {
  return metrics.histogram("tokenrail_loop_turn_ms", "", {}).count();
}

TEST(RunLoop, EveryTurnThatWasReadyIsMeasured) {
  boost::asio::io_context loop;
  telemetry::Metrics metrics;
  telemetry::LoopTurns turns(metrics, std::chrono::milliseconds(0));
  int ran = 0;
  for (int i = 0; i < 5; ++i) boost::asio::post(loop, [&] { ++ran; });
  run_loop(loop, turns);
  EXPECT_EQ(ran, 5);
  EXPECT_EQ(turns_in(metrics), 5U);
}

TEST(RunLoop, WaitIsNotPartOfATurn) {
  boost::asio::io_context loop;
  telemetry::Metrics metrics;
  telemetry::LoopTurns turns(metrics, std::chrono::milliseconds(0));
  boost::asio::steady_timer timer(loop, std::chrono::milliseconds(20));
  auto marked = std::chrono::steady_clock::time_point::max();
  auto unmarked = marked;
  timer.async_wait([&](auto) {
    marked = std::chrono::steady_clock::now();
    telemetry::loop_step("a test");
    timer.expires_after(std::chrono::milliseconds(20));
    timer.async_wait([&](auto) { unmarked = std::chrono::steady_clock::now(); });
  });
  run_loop(loop, turns);
  const double since_mark = std::chrono::duration<double, std::milli>(unmarked - marked).count();
  EXPECT_EQ(turns_in(metrics), 1U) << "it is unknown when the turn without a mark began";
  EXPECT_LT(metrics.histogram("tokenrail_loop_turn_ms", "", {}).sum(), since_mark);
}

TEST(RunLoop, StopEndsIt) {
  boost::asio::io_context loop;
  telemetry::Metrics metrics;
  telemetry::LoopTurns turns(metrics, std::chrono::milliseconds(0));
  int ran = 0;
  boost::asio::post(loop, [&] {
    ++ran;
    loop.stop();
  });
  boost::asio::post(loop, [&] { ++ran; });
  run_loop(loop, turns);
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace tokenrail::worker
