// What a router counts and says of attempts and records that did not go as they should.
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "tests/unit/workers/router/core/two_routers.hpp"

namespace tokenrail::router {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RecoveredMetricsTest : public RecoveryTest {
 protected:
  static std::string completed(int count) {
    return fmt::format(R"(llm_requests_total{{modelName="llama3",orgId="o",outcome="completed",provider="ollama"}} {})",
                       count);
  }
  static std::string interrupted(std::string_view model, std::string_view provider, int count = 1) {
    return fmt::format(R"(llm_requests_total{{modelName="{}",orgId="o",outcome="interrupted",provider="{}"}} {})",
                       model, provider, count);
  }
  static std::string tokens(int count) {
    return fmt::format(R"(llm_tokens_output_total{{modelName="llama3",orgId="o",provider="ollama"}} {})", count);
  }
  [[nodiscard]] bool terminal_is_in_the_log(const std::string& request_id) {
    return std::ranges::any_of(logs[{"chat.chunks", 0}], [&](const auto& entry) {
      const auto chunk = events::parse_chunk(entry.value.value());
      return chunk && chunk->done && chunk->request_id == request_id;
    });
  }
};

TEST_F(RecoveredMetricsTest, AttemptsThatASuccessorClosesAreCounted) {
  request("r1", "a");
  request("r2", "b");
  request("r3", "c");
  auto first = make();
  first.take();
  ASSERT_EQ(first.http.started, 3U);
  for (const auto broken : {1U, 3U}) {
    first.http.head(broken);
    first.speak(broken, "half");
  }
  first.settle();
  first.answer(2);
  while (!terminal_is_in_the_log("r2")) ASSERT_TRUE(first.producer.acknowledge_one());
  // The first has counted what it sent, and is gone before it is written. Here both count in one registry.
  EXPECT_THAT(metrics.text(), Not(HasSubstr(R"(outcome="interrupted")")));
  EXPECT_THAT(metrics.text(), HasSubstr(completed(1)));
  EXPECT_THAT(metrics.text(), HasSubstr(tokens(2)));

  auto second = make();
  second.take();
  EXPECT_EQ(router_metrics.interrupted.value(), 2U);
  EXPECT_EQ(router_metrics.recovered.value(), 1U);
  const auto text = metrics.text();
  EXPECT_THAT(text, HasSubstr(completed(2)));
  EXPECT_THAT(text, HasSubstr(tokens(4)));
  EXPECT_THAT(text, HasSubstr(interrupted("llama3", "ollama", 2))) << "the first model of its route";
  EXPECT_THAT(text, Not(HasSubstr(R"(provider="unresolved")")));
}

TEST_F(RecoveredMetricsTest, AnAttemptWhoseLeaseRanOutIsCountedUnderItsModel) {
  request("r1");
  auto first = make();
  first.take();
  first.http.head(1);
  first.revoke();
  auto second = make();
  second.take();
  environment.advance(16s);
  second.wake();
  EXPECT_THAT(metrics.text(), HasSubstr(interrupted("llama3", "ollama")));
}

TEST_F(RecoveredMetricsTest, AnAttemptWithoutARouteIsCountedAsUnresolved) {
  request("r1");
  auto first = make();
  first.take();
  // As its router announces it that prepares requests one at a time: from the ids alone.
  auto& announced = logs[{"llm.audit", 0}].back();
  const auto facts = events::parse_audit(announced.value.value());
  ASSERT_TRUE(facts.has_value());
  ASSERT_EQ(facts->kind, Kind::request);
  announced.value = events::to_json(events::LlmRequest{.ids = facts->ids}, 100'000);
  auto second = make();
  second.take();
  EXPECT_THAT(metrics.text(), HasSubstr(interrupted("unresolved", "unresolved")));
}

/// Takes nothing for llm.audit.
class RefusingProducer final : public kafka::Producer {
 public:
  explicit RefusingProducer(testing::FakeProducer& real) : real_(real) {}
  kafka::TopicHandle topic(const std::string& name) override {
    const auto handle = real_.topic(name);
    if (name == "llm.audit") audit_ = handle;
    return handle;
  }
  kafka::Produced produce(kafka::TopicHandle topic, std::int32_t partition, std::optional<std::string_view> key,
                          std::optional<std::string_view> value, const kafka::Headers* headers, std::uint64_t token,
                          std::uint64_t unit) override {
    if (topic == audit_) return answer;
    return real_.produce(topic, partition, key, value, headers, token, unit);
  }
  void set_topic_bytes_max(kafka::TopicHandle topic, std::size_t bytes) override {
    real_.set_topic_bytes_max(topic, bytes);
  }
  [[nodiscard]] std::size_t unreported() const override { return real_.unreported(); }
  [[nodiscard]] std::chrono::milliseconds oldest_unreported_age(kafka::TopicHandle topic,
                                                                std::int32_t partition) const override {
    return real_.oldest_unreported_age(topic, partition);
  }
  [[nodiscard]] std::vector<kafka::BlockedTopic> blocked() const override { return real_.blocked(); }
  void purge() override { real_.purge(); }
  [[nodiscard]] std::size_t message_bytes_max() const override { return real_.message_bytes_max(); }

  kafka::Produced answer = kafka::Produced::accepted;

 private:
  testing::FakeProducer& real_;
  kafka::TopicHandle audit_{};
};

class ToldReasonTest : public RouterCoreTest {
 protected:
  ToldReasonTest() {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::ostream_sink_mt>(said)));
  }
  ~ToldReasonTest() override { spdlog::set_default_logger(before); }
  ToldReasonTest(const ToldReasonTest&) = delete;
  ToldReasonTest& operator=(const ToldReasonTest&) = delete;

  std::shared_ptr<spdlog::logger> before = spdlog::default_logger();
  std::ostringstream said;
};

TEST_F(ToldReasonTest, ARecordThatTheProducerDoesNotTakeIsNamedWithTheReason) {
  for (const auto& [answer, why] :
       {std::pair{kafka::Produced::too_large, "(too large for the producer's message.max.bytes)"},
        std::pair{kafka::Produced::unknown_topic, "(its topic, or that partition of it, does not exist)"},
        std::pair{kafka::Produced::failed, "(the producer can no longer work)"}}) {
    make_core({});
    RefusingProducer refusing(*producer);
    core->connect(&refusing);
    refusing.answer = answer;
    said.str("");
    assign();
    wake_after(1s);
    EXPECT_THAT(said.str(), HasSubstr("the producer does not take a record of ")) << why;
    EXPECT_THAT(said.str(), HasSubstr(std::string("for llm.audit ") + why));
    core.reset();
  }
}

class ForgettingTest : public RouterCoreTest {
 protected:
  std::int64_t number_of(const std::string& id) {
    request(id);
    settle();
    answer(http.newest());
    settle();
    return chunks().back().attempt % 1'000;
  }
  // In steps: who sleeps longer has lost its partitions.
  void pass(Millis time) {
    for (Millis passed{0}; passed < time; passed += 10s) {
      wake_after(10s);
      settle();
    }
  }
};

// Numbers begin above those of what was forgotten, which shows that it was.
TEST_F(ForgettingTest, AnIdleOwnerForgetsWhoseWindowIsOver) {
  assign();
  EXPECT_EQ(number_of("a"), 1);
  pass(10min);
  EXPECT_EQ(number_of("b"), 1) << "within the window and the margin";
  pass(22min);
  EXPECT_EQ(number_of("c"), 2);
  EXPECT_EQ(number_of("a"), 2) << "as a request of its own";
}

}  // namespace
}  // namespace tokenrail::router
