#include "common/kafka/endings.hpp"

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>

#include "common/kafka/admin_thread.hpp"
#include "common/kafka/detail/ending.hpp"
#include "common/kafka/log_watch.hpp"
#include "tests/unit/common/kafka/mock_cluster.hpp"

namespace tokenrail::kafka {
namespace {

using testing::MemberLog;
using testing::MockCluster;
using testing::ReadLog;
using testing::Reports;
using testing::run_until;

/// Holds every thread of a client that has something to log, so that the client cannot end.
class HoldingSink final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg&) override {
    if (std::this_thread::get_id() == owner_) return;
    ++held;
    released_.wait();
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
  void release() { released_.count_down(); }

  std::atomic<int> held = 0;

 private:
  const std::thread::id owner_ = std::this_thread::get_id();
  std::latch released_{1};
};

class KafkaEndings : public ::testing::Test {
 protected:
  KafkaEndings() {
    EXPECT_TRUE(run_until(loop, [] { return clients_ending() == 0; })) << "of the tests before";
    // A client that was left behind may be about to log.
    static std::vector<std::shared_ptr<spdlog::logger>> kept;
    spdlog::set_default_logger(kept.emplace_back(std::make_shared<spdlog::logger>("", sink)));
  }
  ~KafkaEndings() override {
    sink->release();
    EXPECT_TRUE(run_until(loop, [] { return clients_ending() == 0; }));
    spdlog::set_default_logger(before);
  }
  KafkaEndings(const KafkaEndings&) = delete;
  KafkaEndings& operator=(const KafkaEndings&) = delete;

  /// No program listens there, and the client says so.
  static Properties unreachable() {
    return {{"bootstrap.servers", "127.0.0.1:1"}, {"reconnect.backoff.max.ms", "100"}};
  }

  void wait_until_held(int threads = 1) {
    ASSERT_TRUE(run_until(loop, [&] { return sink->held >= threads; })) << "a client logs that no broker answers";
  }

  std::shared_ptr<spdlog::logger> before = spdlog::default_logger();
  std::shared_ptr<HoldingSink> sink = std::make_shared<HoldingSink>();
  boost::asio::io_context loop;
  telemetry::Metrics metrics;
};

TEST_F(KafkaEndings, AProducerThatCannotEndHoldsUpNothing) {
  Reports reports;
  auto producer = Producer::make(loop, {.properties = unreachable()}, reports, metrics);
  ASSERT_TRUE(producer.has_value());
  wait_until_held();
  producer->reset();
  EXPECT_EQ(clients_ending(), 1U);
}

TEST_F(KafkaEndings, AReaderThatCannotEndHoldsUpNothing) {
  ReadLog log;
  auto reader = LogReader::make(loop, {.properties = unreachable()}, log, metrics);
  ASSERT_TRUE(reader.has_value());
  wait_until_held();
  reader->reset();
  loop.poll();
  EXPECT_EQ(clients_ending(), 1U);
}

TEST_F(KafkaEndings, AMemberOfAGroupThatCannotEndHoldsUpNothing) {
  auto properties = unreachable();
  properties.insert(properties.end(), {{"session.timeout.ms", "3000"}, {"heartbeat.interval.ms", "300"}});
  MemberLog member;
  auto consumer =
      GroupConsumer::join(loop, {.properties = properties, .group_id = "g", .topics = {"in"}}, member, metrics);
  ASSERT_TRUE(consumer.has_value()) << consumer.error().detail;
  bool answered = false;
  (*consumer)->committed({{.topic = "in", .partition = 0}}, [&](const auto&) { answered = true; });
  wait_until_held();
  consumer->reset();
  loop.poll();
  EXPECT_EQ(clients_ending(), 1U);
  EXPECT_FALSE(answered);
}

TEST_F(KafkaEndings, AQuestionOnItsWayHoldsUpNothing) {
  auto watch = LogWatch::make(loop, {.properties = unreachable(), .topics = {"in"}}, metrics);
  ASSERT_TRUE(watch.has_value());
  bool answered = false;
  (*watch)->look({{.partition = {.topic = "in", .partition = 0}, .witness = {}}},
                 [&](const auto&) { answered = true; });
  wait_until_held(2);
  watch->reset();
  loop.poll();
  EXPECT_EQ(clients_ending(), 2U) << "the reader, and the thread that asks";
  EXPECT_FALSE(answered);
}

TEST_F(KafkaEndings, SeveralEndAtTheSameTime) {
  std::latch go_on(1);
  for (int i = 0; i < 7; ++i) detail::end_beside([&] { go_on.wait(); });
  EXPECT_EQ(clients_ending(), 7U);
  go_on.count_down();
  EXPECT_TRUE(run_until(loop, [] { return clients_ending() == 0; }));
}

TEST_F(KafkaEndings, OneThatHangsIsLeftBehind) {
  // No test waits for these threads, so that they share the latches.
  const auto go_on = std::make_shared<std::latch>(1);
  detail::end_beside([go_on] { go_on->wait(); });
  EXPECT_TRUE(run_until(loop, [] { return clients_ending() == 0; })) << "counted no more, though it has not ended";
  const auto ended = std::make_shared<std::latch>(1);
  go_on->count_down();
  detail::end_beside([ended] { ended->count_down(); });
  ended->wait();
}

TEST(KafkaAdminThread, AnswersOnTheLoopOneAfterTheOther) {
  MockCluster cluster;
  cluster.topic("in", 2);
  boost::asio::io_context loop;
  const auto work = boost::asio::make_work_guard(loop);
  AdminThread thread(loop, cluster.properties());
  std::vector<std::int32_t> partitions;
  for (int i = 0; i < 2; ++i) {
    thread.ask([&, on = std::this_thread::get_id()](const Result<Admin*>& admin) {
      EXPECT_NE(std::this_thread::get_id(), on);
      auto found = (*admin)->describe({"in"}, false, std::chrono::seconds(20));
      return [&, on, found] {
        EXPECT_EQ(std::this_thread::get_id(), on);
        ASSERT_TRUE(found.has_value()) << found.error().detail;
        partitions.push_back(found->front().partitions);
      };
    });
  }
  ASSERT_TRUE(run_until(loop, [&] { return partitions.size() == 2; }));
  EXPECT_EQ(partitions, std::vector<std::int32_t>({2, 2}));
}

TEST(KafkaAdminThread, WhatWasAnsweredBeforeItWentIsToldToNoOne) {
  boost::asio::io_context loop;
  const auto work = boost::asio::make_work_guard(loop);
  auto thread = std::make_unique<AdminThread>(loop, Properties{{"bootstrap.servers", "127.0.0.1:1"}});
  auto answered = std::make_shared<std::latch>(1);
  bool told = false;
  thread->ask([&](const Result<Admin*>&) { return [&] { told = true; }; });
  thread->ask([answered](const Result<Admin*>&) -> AdminThread::Then {
    answered->count_down();
    return {};
  });
  answered->wait();  // the first answer is on its way
  thread.reset();
  loop.poll();
  EXPECT_FALSE(told);
}

TEST(KafkaAdminThread, ARefusedPropertyIsAnErrorToWhoAsks) {
  boost::asio::io_context loop;
  const auto work = boost::asio::make_work_guard(loop);
  AdminThread thread(loop, {{"no.such.property", "1"}});
  std::optional<ErrorKind> kind;
  thread.ask([&](const Result<Admin*>& admin) {
    return [&, error = admin ? std::nullopt : std::optional(admin.error().kind)] { kind = error; };
  });
  ASSERT_TRUE(run_until(loop, [&] { return kind.has_value(); }));
  EXPECT_EQ(kind, ErrorKind::invalid_input);
}

}  // namespace
}  // namespace tokenrail::kafka
