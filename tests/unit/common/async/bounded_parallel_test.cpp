#include "common/async/bounded_parallel.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class BoundedParallelTest : public ::testing::Test {
 protected:
  /// Each piece of work waits until release() is called for it.
  boost::asio::awaitable<void> work(std::size_t index) {
    begun_.push_back(index);
    gates_[index] = std::make_unique<WakeableTimer>(loop_, "test");
    co_await gates_[index]->wait(1h);
    if (index == throws_at_) throw std::runtime_error("number " + std::to_string(index));
    ended_.push_back(index);
  }
  void start(std::size_t count, std::size_t at_once) {
    gates_.resize(count);
    parallel_ = std::make_unique<BoundedParallel>(loop_, at_once, "test");
    boost::asio::co_spawn(loop_, parallel_->run(count, [this](std::size_t index) { return work(index); }),
                          [this](const std::exception_ptr& failure) {
                            returned_ = true;
                            failure_ = failure;
                          });
    settle();
  }
  void release(std::size_t index) {
    gates_.at(index)->wake();
    settle();
  }
  void settle() {
    loop_.restart();
    loop_.poll();
  }

  boost::asio::io_context loop_;
  std::unique_ptr<BoundedParallel> parallel_;
  std::vector<std::unique_ptr<WakeableTimer>> gates_;
  std::vector<std::size_t> begun_;
  std::vector<std::size_t> ended_;
  std::size_t throws_at_ = 1'000;
  bool returned_ = false;
  std::exception_ptr failure_;
};

TEST_F(BoundedParallelTest, BoundsConcurrencyAndStartsNextAtAnEnd) {
  start(4, 2);
  EXPECT_THAT(begun_, ElementsAre(0, 1));
  release(1);
  EXPECT_THAT(begun_, ElementsAre(0, 1, 2));
  release(0);
  release(2);
  EXPECT_FALSE(returned_);
  release(3);
  EXPECT_TRUE(returned_);
  EXPECT_THAT(ended_, ElementsAre(1, 0, 2, 3));
  EXPECT_FALSE(failure_);
}

TEST_F(BoundedParallelTest, ReturnsAtOnceWithoutWork) {
  start(0, 2);
  EXPECT_TRUE(returned_);
}

TEST_F(BoundedParallelTest, FailureStopsStartsAndIsThrownAtTheEnd) {
  throws_at_ = 0;
  start(4, 2);
  release(0);
  EXPECT_FALSE(returned_) << "number 1 still runs";
  release(1);
  ASSERT_TRUE(returned_);
  EXPECT_THAT(begun_, ElementsAre(0, 1));
  ASSERT_TRUE(failure_);
  EXPECT_THROW(std::rethrow_exception(failure_), std::runtime_error);
}

TEST(WakeableTimer, EarlyWakeServesOneWait) {
  boost::asio::io_context loop;
  WakeableTimer timer(loop, "test");
  int passed = 0;
  timer.wake();
  boost::asio::co_spawn(
      loop,
      [&]() -> boost::asio::awaitable<void> {
        co_await timer.wait(1h);
        ++passed;
        co_await timer.wait(1h);
        ++passed;
      },
      boost::asio::detached);
  loop.poll();
  EXPECT_EQ(passed, 1);
  timer.wake();
  loop.restart();
  loop.poll();
  EXPECT_EQ(passed, 2);
}

TEST(WakeableTimer, AWaitEndsByItself) {
  boost::asio::io_context loop;
  WakeableTimer timer(loop, "test");
  bool passed = false;
  boost::asio::co_spawn(
      loop,
      [&]() -> boost::asio::awaitable<void> {
        co_await timer.wait(0ms);
        passed = true;
      },
      boost::asio::detached);
  loop.run_for(20s);
  EXPECT_TRUE(passed);
}

}  // namespace
}  // namespace tokenrail::async
