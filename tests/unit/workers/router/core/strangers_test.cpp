// What senders can fill without being anybody's customer: headers, names of models, one name on several partitions.
#include <gmock/gmock.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class StrangersTest : public RouterCoreTest {
 protected:
  kafka::Record record_with(std::size_t headers, std::string value = "not JSON") {
    kafka::Record record{.topic = "chat.requests",
                         .partition = 0,
                         .offset = next_offset++,
                         .key = "k",
                         .value = std::move(value),
                         .timestamp_ms = environment.wall.count(),
                         .log_append_time = true};
    record.headers.resize(headers);
    return record;
  }
  static std::string valid(const std::string& id) {
    return R"({"requestId":")" + id +
           R"(","orgId":"o","modelName":"llama3","messages":[{"role":"user","content":"hi"}]})";
  }
  std::vector<testing::LogEntry>& letters() { return logs[{"chat.requests.dlq", 0}]; }
};

TEST_F(StrangersTest, EveryHeaderAndRecordIsChargedWithItsFrame) {
  kafka::Record record;
  EXPECT_EQ(bytes_of(record), record_frame_bytes);
  record.headers.resize(3);
  EXPECT_EQ(bytes_of(record), record_frame_bytes + 3 * header_frame_bytes);
  EXPECT_GE(header_frame_bytes, 64U);
  record.headers[0] = {"name", "content"};
  record.headers[1] = {"null", std::nullopt};
  record.key = "key";
  record.value = "value";
  EXPECT_EQ(bytes_of(record), record_frame_bytes + 3 * header_frame_bytes + 11 + 4 + 3 + 5);
}

TEST_F(StrangersTest, EmptyHeadersFillTheWindow) {
  options.window_bytes_max = 1'048'576;
  make_core(options);
  assign();
  const auto room = static_cast<int>(options.window_bytes_max / bytes_of(record_with(kafka::record_headers_max)));
  int kept = 0;
  while (router_metrics.put_back.value() == 0 && kept <= room) {
    core->consumer_listener().on_record(record_with(kafka::record_headers_max));
    ++kept;
  }
  EXPECT_LE(kept, room) << "where they crowd the window, the next ones are read again later";
  settle();
  EXPECT_TRUE(group->reading);
  EXPECT_EQ(letters().size(), static_cast<std::size_t>(kept));
}

TEST_F(StrangersTest, EmptyHeadersCountBeforeTheClaimToo) {
  options.window_bytes_max = 1'048'576;
  make_core(options);
  core->consumer_listener().on_assigned({{.topic = "chat.requests", .partition = 0}});
  for (int i = 0; i < 100; ++i) core->consumer_listener().on_record(record_with(kafka::record_headers_max));
  EXPECT_TRUE(group->reading);
  settle();
  EXPECT_EQ(letters().size(), 2U) << "an eighth of the window; the rest is read again";
  ASSERT_EQ(group->sought.size(), 1U);
  EXPECT_EQ(group->sought[0].offset, 2);
}

TEST_F(StrangersTest, AThousandHeadersAreTakenAndOneMoreIsADeadLetter) {
  assign();
  core->consumer_listener().on_record(record_with(kafka::record_headers_max, valid("at")));
  settle();
  EXPECT_EQ(http.started, 1U);
  EXPECT_TRUE(letters().empty());
  core->consumer_listener().on_record(record_with(kafka::record_headers_max + 1, valid("above")));
  settle();
  EXPECT_EQ(http.started, 1U);
  ASSERT_EQ(letters().size(), 1U);
  const auto& letter = letters()[0];
  EXPECT_THAT(std::string(kafka::header(letter.headers, "kafka_dlt-exception-message").value_or("")),
              HasSubstr("more than 1000 headers"));
  EXPECT_TRUE(kafka::header(letter.headers, "kafka_dlt-headers-omitted"));
  EXPECT_LT(letter.headers.size(), 20U);
  EXPECT_EQ(letter.value, valid("above"));
}

TEST_F(StrangersTest, ANullHeaderStaysNullInTheDeadLetter) {
  assign();
  auto record = record_with(0);
  record.headers = {{"null", std::nullopt}, {"empty", ""}, {"full", "x"}};
  core->consumer_listener().on_record(kafka::Record(record));
  settle();
  ASSERT_EQ(letters().size(), 1U);
  ASSERT_GE(letters()[0].headers.size(), 3U);
  EXPECT_EQ(kafka::Headers(letters()[0].headers.begin(), letters()[0].headers.begin() + 3), record.headers);
}

TEST_F(StrangersTest, InventedModelNamesFillNoMetrics) {
  assign();
  for (int i = 0; i < 5; ++i)
    request("r" + std::to_string(i), "", std::nullopt,
            R"("modelProvider":"ollama","modelName":"invented)" + std::to_string(i) + "\",");
  settle();
  const auto text = metrics.text();
  EXPECT_THAT(text, Not(HasSubstr("invented")));
  EXPECT_THAT(text, HasSubstr(R"(llm_requests_total{modelName="unresolved",orgId="o",outcome="rejected",)"
                              R"(provider="unresolved"} 5)"));
}

TEST_F(StrangersTest, AModelOfTheRegistryIsCountedUnderItsNameAlsoUncalled) {
  assign();
  request("r1", R"("timeoutMs":1000,)");
  request("r2", R"("timeoutMs":1000,)");  // the same conversation: waits
  settle();
  wake_after(2s);
  settle();
  EXPECT_EQ(http.started, 1U);
  EXPECT_THAT(metrics.text(), HasSubstr(R"(llm_requests_total{modelName="llama3",orgId="o",outcome="rejected",)"
                                        R"(provider="ollama"} 1)"));
}

TEST_F(StrangersTest, OneNameOnTwoPartitionsGivesAttemptsOfDifferentNumbers) {
  std::vector<kafka::TopicPartition> both;
  for (std::int32_t partition = 0; partition < 2; ++partition)
    both.push_back({.topic = "chat.requests", .partition = partition});
  assign(both);
  for (std::int32_t partition = 0; partition < 2; ++partition) {
    core->consumer_listener().on_record({.topic = "chat.requests",
                                         .partition = partition,
                                         .offset = 0,
                                         .value = valid("r"),
                                         .timestamp_ms = environment.wall.count(),
                                         .log_append_time = true});
  }
  settle();
  ASSERT_EQ(http.started, 2U);
  answer(1, "A");
  answer(2, "B");
  settle();
  ASSERT_EQ(chunks(0).size(), 2U);
  ASSERT_EQ(chunks(1).size(), 2U);
  EXPECT_NE(chunks(0)[0].attempt, chunks(1)[0].attempt);
  EXPECT_NE(audit(Kind::claimed, 0)[0].epoch, audit(Kind::claimed, 1)[0].epoch);
}

}  // namespace
}  // namespace tokenrail::router
