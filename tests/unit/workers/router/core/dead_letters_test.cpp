#include "workers/router/core/dead_letters.hpp"

#include <gtest/gtest.h>

#include "common/events/commit_metadata.hpp"
#include "tests/support/fake_clients.hpp"
#include "tests/unit/workers/router/core/silent_io.hpp"
#include "workers/router/core/record_size.hpp"

namespace tokenrail::router {
namespace {

using namespace std::chrono_literals;
using kafka::Produced;

class LetterIo final : public SilentIo {
 public:
  Produced send(Output output, const std::optional<std::string>& /*key*/, std::optional<std::string_view> /*value*/,
                const kafka::Headers* /*headers*/, const Sent& what) override {
    EXPECT_EQ(output, Output::dlq);
    if (answer == Produced::accepted) sent.push_back(what.offset);
    return answer;
  }
  [[nodiscard]] bool usable() const override { return works; }
  Produced answer = Produced::accepted;
  bool works = true;
  std::vector<std::int64_t> sent;
};

class LetterHub final : public Hub {
 public:
  void set_timer(const JobRef& /*job*/, Millis /*from*/, Millis /*to*/) override {}
  void job_ready(const JobRef& /*job*/, const std::string& /*org_id*/, bool /*at_front*/) override {}
  void window_changed() override {}
  [[nodiscard]] const std::string& topic(Output /*output*/) const override { return name_; }
  [[nodiscard]] std::size_t record_bytes_max(Output /*output*/) const override { return 10'000; }
  void record_refused(Output /*output*/, std::size_t /*bytes*/, std::string_view /*detail*/) override { ++refused; }
  std::uint64_t next_unit() override { return 1; }
  std::string next_instance() override { return {}; }
  void forget_waiting(std::int32_t /*partition*/) override {}
  void look_soon() override {}
  void log_replaced(Log /*log*/, std::int32_t /*partition*/) override {}
  [[nodiscard]] bool is_cancelled(const std::string& /*org_id*/, const std::string& /*request_id*/) const override {
    return false;
  }
  int refused = 0;

 private:
  std::string name_ = "chat.requests.dlq";
};

class DeadLettersTest : public ::testing::Test {
 protected:
  static kafka::Record record(std::int64_t offset) {
    return {.topic = "chat.requests", .partition = 3, .offset = offset, .value = "no JSON", .timestamp_ms = 500};
  }
  std::optional<DeadLetters::Written> report(std::int64_t offset, const kafka::Report& report) {
    return letters.reported(offset, report);
  }
  void later(Millis by) {
    environment.advance(by);
    letters.send();
  }
  testing::ManualEnvironment environment;
  telemetry::Metrics metrics;
  RouterMetrics router_metrics{metrics};
  LetterHub hub;
  LetterIo io;
  DeadLetters letters{{.hub = hub, .environment = environment, .metrics = router_metrics, .io = io}, 3, 7};
};

TEST_F(DeadLettersTest, IsWrittenOnce) {
  letters.add(record(4), "no JSON");
  later(100s);
  EXPECT_EQ(io.sent, (std::vector<std::int64_t>{4})) << "it is on its way";
  const auto written = report(4, {.ok = true});
  ASSERT_TRUE(written);
  EXPECT_EQ(written->digest, events::dead_letter_digest(record(4)));
  EXPECT_EQ(written->bytes, bytes_of(record(4)));
  EXPECT_FALSE(report(4, {.ok = true}));
  EXPECT_EQ(router_metrics.dead_letters.value(), 1U);
}

TEST_F(DeadLettersTest, RefusedOneIsTriedAgain) {
  letters.add(record(4), "no JSON");
  EXPECT_FALSE(report(4, {.refused = kafka::Refusal::record, .detail = "too large"}));
  EXPECT_EQ(hub.refused, 1);
  EXPECT_EQ(letters.waiting().count, 1U);
  EXPECT_EQ(letters.waiting().why, "too large");
  later(999ms);
  EXPECT_EQ(io.sent.size(), 1U);
  later(1ms);
  EXPECT_EQ(io.sent.size(), 2U);
  EXPECT_TRUE(report(4, {.ok = true}));
  EXPECT_EQ(letters.waiting().count, 0U);
}

TEST_F(DeadLettersTest, OneThatIsNotTakenWaits) {
  for (const auto answer : {Produced::queue_full, Produced::too_large, Produced::unknown_topic, Produced::failed}) {
    io.answer = answer;
    letters.add(record(static_cast<std::int64_t>(answer)), "no JSON");
  }
  EXPECT_EQ(letters.waiting().count, 4U);
  EXPECT_EQ(hub.refused, 1) << "the one that is too large";
  io.answer = Produced::accepted;
  later(1s);
  EXPECT_EQ(io.sent.size(), 4U);
}

TEST_F(DeadLettersTest, WaitsForAProducer) {
  io.works = false;
  letters.add(record(4), "no JSON");
  EXPECT_TRUE(io.sent.empty());
  io.works = true;
  letters.send();
  EXPECT_EQ(io.sent.size(), 1U);
  letters.forget_reports();
  letters.send();
  EXPECT_EQ(io.sent.size(), 2U);
}

TEST_F(DeadLettersTest, OneWithoutAReportForLongWaits) {
  letters.add(record(4), "no JSON");
  environment.advance(9'999ms);
  EXPECT_EQ(letters.waiting().count, 0U);
  environment.advance(1ms);
  EXPECT_EQ(letters.waiting().count, 1U);
}

TEST_F(DeadLettersTest, NamesAndForgetsWhatItHas) {
  letters.add(record(4), "no JSON");
  letters.add(record(6), "no JSON");
  EXPECT_EQ(letters.timestamps(), (std::map<std::int64_t, std::int64_t>{{4, 500}, {6, 500}}));
  EXPECT_EQ(letters.drop(), (std::vector<std::size_t>{bytes_of(record(4)), bytes_of(record(6))}));
  EXPECT_TRUE(letters.timestamps().empty());
}

}  // namespace
}  // namespace tokenrail::router
