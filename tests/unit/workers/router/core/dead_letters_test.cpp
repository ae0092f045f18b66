#include "workers/router/core/dead_letters.hpp"

#include <gtest/gtest.h>

#include "common/events/commit_metadata.hpp"
#include "tests/support/fake_clients.hpp"
#include "tests/support/offsets.hpp"
#include "tests/unit/workers/router/core/silent_io.hpp"
#include "workers/router/core/record_size.hpp"

namespace tokenrail::router {
namespace {

using namespace std::chrono_literals;
using kafka::Produced;

class LetterIo final : public SilentIo {
 public:
  Produced send(Output output, const std::optional<std::string>& /*key*/, std::optional<std::string_view> value,
                const kafka::Headers* /*headers*/, const Sent& what) override {
    EXPECT_EQ(output, Output::dlq);
    if (answer != Produced::accepted) return answer;
    sent.push_back(what.offset.value());
    values.emplace_back(value.value_or("nothing"));
    return answer;
  }
  [[nodiscard]] bool usable() const override { return works; }
  Produced answer = Produced::accepted;
  bool works = true;
  std::vector<std::int64_t> sent;
  std::vector<std::string> values;
};

class LetterHub final : public Hub {
 public:
  void set_timer(const JobRef& /*job*/, Millis /*from*/, Millis /*to*/) override {}
  void job_ready(const JobRef& /*job*/, const std::string& /*org_id*/, bool /*at_front*/) override {}
  void window_changed() override {}
  [[nodiscard]] const std::string& topic(Output /*output*/) const override { return name_; }
  [[nodiscard]] std::size_t record_bytes_max(Output /*output*/) const override { return 10'000; }
  [[nodiscard]] std::size_t whole_chunk_bytes_max() const override { return 10'000; }
  void wake_soon() override {}
  void record_refused(Output /*output*/, std::size_t /*bytes*/, std::string_view /*detail*/) override { ++refused; }
  std::uint64_t next_unit() override { return 1; }
  std::string next_instance() override { return {}; }
  void forget_waiting(std::int32_t /*partition*/) override {}
  void look_soon() override { ++looks; }
  void log_replaced(Log /*log*/, std::int32_t /*partition*/) override {}
  [[nodiscard]] bool is_cancelled(const std::string& /*org_id*/, const std::string& /*request_id*/) const override {
    return false;
  }
  int refused = 0;
  int looks = 0;

 private:
  std::string name_ = "chat.requests.dlq";
};

class DeadLettersTest : public ::testing::Test {
 protected:
  static kafka::Record record(std::int64_t offset) {
    return {.topic = "chat.requests", .partition = 3, .offset = offset, .value = "no JSON", .timestamp_ms = 500};
  }
  void add(std::int64_t offset) {
    window.enter(bytes_of(record(offset)));
    letters.add(record(offset), "no JSON");
  }
  std::optional<DeadLetters::Written> report(std::int64_t offset, const kafka::Report& report) {
    return letters.reported(events::RequestOffset(offset), report);
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
  Window window{{.requests = 10, .bytes = 1'000'000}};
  InFlight in_flight{{.process = 8, .org = 8, .connection = 8}};
  DeadLetters letters{{.hub = hub,
                       .environment = environment,
                       .metrics = router_metrics,
                       .io = io,
                       .window = window,
                       .in_flight = in_flight},
                      3,
                      7};
};

TEST_F(DeadLettersTest, IsWrittenOnce) {
  add(4);
  later(100s);
  EXPECT_EQ(io.sent, (std::vector<std::int64_t>{4})) << "it is on its way";
  const auto written = report(4, {.ok = true});
  ASSERT_TRUE(written);
  EXPECT_EQ(written->digest, events::dead_letter_digest(record(4)));
  EXPECT_EQ(window.requests(), 0U);
  EXPECT_EQ(window.bytes(), 0U);
  EXPECT_FALSE(report(4, {.ok = true}));
  EXPECT_EQ(router_metrics.dead_letters.value(), 1U);
}

TEST_F(DeadLettersTest, RefusedOneIsTriedAgain) {
  add(4);
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
    add(static_cast<std::int64_t>(answer));
  }
  EXPECT_EQ(letters.waiting().count, 4U);
  EXPECT_EQ(hub.refused, 1) << "the one that is too large";
  io.answer = Produced::accepted;
  later(1s);
  EXPECT_EQ(io.sent.size(), 4U);
}

TEST_F(DeadLettersTest, WaitsForAProducer) {
  io.works = false;
  add(4);
  EXPECT_TRUE(io.sent.empty());
  io.works = true;
  letters.send();
  EXPECT_EQ(io.sent.size(), 1U);
  letters.forget_reports();
  letters.send();
  EXPECT_EQ(io.sent.size(), 2U);
}

TEST_F(DeadLettersTest, OneWithoutAReportForLongWaits) {
  add(4);
  environment.advance(9'999ms);
  EXPECT_EQ(letters.waiting().count, 0U);
  environment.advance(1ms);
  EXPECT_EQ(letters.waiting().count, 1U);
}

TEST_F(DeadLettersTest, NamesAndForgetsWhatItHas) {
  add(4);
  add(6);
  EXPECT_EQ(letters.timestamps(), (std::map<events::RequestOffset, std::int64_t>{{4_request, 500}, {6_request, 500}}));
  letters.drop();
  EXPECT_TRUE(letters.timestamps().empty());
  EXPECT_EQ(window.requests(), 0U);
}

/// More of them than half of the window takes.
class CrowdedLettersTest : public DeadLettersTest {
 protected:
  CrowdedLettersTest() {
    for (std::int64_t offset = 0; offset < 6; ++offset) add(offset);
  }
  /// The brokers take none of them.
  void fail_all() {
    for (std::int64_t offset = 0; offset < 6; ++offset) report(offset, {.detail = "timed out"});
    io.sent.clear();
    io.values.clear();
  }
};

TEST_F(CrowdedLettersTest, TheirRecordsLeaveTheWindow) {
  EXPECT_EQ(window.requests(), 4U);
  EXPECT_EQ(letters.waiting().count, 0U) << "the producer has what it needs";
  EXPECT_EQ(letters.timestamps().size(), 6U);
  for (std::int64_t offset = 0; offset < 6; ++offset) {
    const auto written = report(offset, {.ok = true});
    ASSERT_TRUE(written);
    EXPECT_EQ(written->digest, events::dead_letter_digest(record(offset)));
  }
  EXPECT_EQ(window.requests(), 0U);
  EXPECT_EQ(window.bytes(), 0U);
}

TEST_F(CrowdedLettersTest, AreReadAgainWhenTheirTimeHasCome) {
  fail_all();
  EXPECT_TRUE(letters.to_reload().empty());
  later(1s);
  EXPECT_EQ(io.sent, (std::vector<std::int64_t>{0, 1, 2, 3})) << "these are whole";
  EXPECT_EQ(letters.to_reload(), (std::vector<events::RequestOffset>{4_request, 5_request}));
  EXPECT_TRUE(letters.to_reload().empty()) << "once";
  EXPECT_EQ(letters.reloading(), 2U);
  EXPECT_FALSE(letters.reloaded(record(0)));
  EXPECT_TRUE(letters.reloaded(record(4)));
  EXPECT_EQ(io.sent.back(), 4);
  EXPECT_EQ(io.values.back(), "no JSON");
  EXPECT_EQ(letters.reloading(), 1U);
  EXPECT_EQ(window.requests(), 4U) << "it is put back once more";
  EXPECT_TRUE(report(4, {.ok = true}));
}

TEST_F(CrowdedLettersTest, OneWhoseRecordIsDeletedIsSentWithoutIt) {
  fail_all();
  later(1s);
  EXPECT_EQ(letters.to_reload().size(), 2U);
  EXPECT_TRUE(letters.deleted(5_request));
  EXPECT_FALSE(letters.deleted(5_request));
  EXPECT_EQ(io.sent.back(), 5);
  EXPECT_EQ(io.values.back(), "nothing");
  report(5, {.detail = "timed out"});
  later(10s);
  EXPECT_EQ(io.sent.back(), 5) << "it is not read again";
  EXPECT_TRUE(report(5, {.ok = true}));
}

TEST_F(CrowdedLettersTest, AnotherRecordAtItsOffsetIsNotTaken) {
  fail_all();
  later(1s);
  EXPECT_EQ(letters.to_reload().size(), 2U);
  auto other = record(4);
  other.value = "another";
  const auto sent = io.sent;
  EXPECT_TRUE(letters.reloaded(other));
  EXPECT_EQ(io.sent, sent);
  EXPECT_EQ(hub.looks, 1);
  EXPECT_EQ(letters.reloading(), 1U);
}

TEST_F(CrowdedLettersTest, AFewAreReadAgainAtATime) {
  for (std::int64_t offset = 6; offset < 40; ++offset) add(offset);
  for (std::int64_t offset = 0; offset < 40; ++offset) report(offset, {.detail = "timed out"});
  later(1s);
  EXPECT_EQ(letters.to_reload().size(), DeadLetters::reloads_max);
  letters.forget_reloads();
  EXPECT_EQ(letters.to_reload().size(), DeadLetters::reloads_max);
  letters.drop();
  EXPECT_EQ(letters.reloading(), 0U);
  EXPECT_EQ(window.requests(), 0U);
}

}  // namespace
}  // namespace tokenrail::router
