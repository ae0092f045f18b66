#include "workers/router/core/record_output.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/workers/router/core/silent_io.hpp"

namespace tokenrail::router {
namespace {

using kafka::Produced;

/// A producer with room for so many records.
class FakeIo final : public SilentIo {
 public:
  Produced send(Output output, const std::optional<std::string>& key, std::optional<std::string_view> value,
                const kafka::Headers* headers, const Sent& what) override {
    if (answer != Produced::accepted) return answer;
    if (room == 0) return Produced::queue_full;
    --room;
    sent.push_back(what);
    values.emplace_back(value.value_or(""));
    keys.push_back(key.value_or(""));
    outputs.push_back(output);
    header_counts.push_back(headers == nullptr ? 0 : headers->size());
    return Produced::accepted;
  }

  std::size_t room = 100;
  Produced answer = Produced::accepted;
  std::vector<Sent> sent;
  std::vector<std::string> values;
  std::vector<std::string> keys;
  std::vector<Output> outputs;
  std::vector<std::size_t> header_counts;
};

class RecordOutputTest : public ::testing::Test {
 protected:
  std::optional<RecordOutput::NotTaken> send(const std::string& value, std::uint64_t unit = 0) {
    const kafka::Headers headers{{"a", "b"}};
    return output.send(Output::audit, "k", value, &headers, {.purpose = Purpose::request_event, .unit = unit});
  }
  FakeIo io;
  RecordOutput output{io, 3, 7};
};

TEST_F(RecordOutputTest, SaysWhoseRecordItIs) {
  EXPECT_TRUE(output.all_reported());
  EXPECT_FALSE(send("value"));
  ASSERT_EQ(io.sent.size(), 1U);
  EXPECT_EQ(io.sent[0].partition, 3);
  EXPECT_EQ(io.sent[0].generation, 7U);
  EXPECT_EQ(io.sent[0].bytes, 5U);
  EXPECT_FALSE(output.all_reported());
  output.reported();
  EXPECT_TRUE(output.all_reported());
}

TEST_F(RecordOutputTest, KeepsTheirOrderWhileTheProducerIsFull) {
  io.room = 1;
  send("1");
  EXPECT_FALSE(output.congested());
  EXPECT_FALSE(send("2"));
  EXPECT_TRUE(output.congested());
  io.room = 1;
  send("3");
  EXPECT_EQ(io.values, (std::vector<std::string>{"1"})) << "none overtakes those that are kept";
  EXPECT_FALSE(output.send_kept());
  EXPECT_TRUE(output.congested());
  io.room = 5;
  EXPECT_FALSE(output.send_kept());
  EXPECT_FALSE(output.congested());
  EXPECT_EQ(io.values, (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(io.keys[2], "k");
  EXPECT_EQ(io.outputs[2], Output::audit);
  EXPECT_EQ(io.header_counts[2], 1U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(output.all_reported());
    output.reported();
  }
  EXPECT_TRUE(output.all_reported());
}

TEST_F(RecordOutputTest, HandsBackWhatIsNeverTaken) {
  io.answer = Produced::too_large;
  const auto rejected = send("large", 9);
  ASSERT_TRUE(rejected);
  EXPECT_EQ(rejected->why, Produced::too_large);
  EXPECT_EQ(rejected->sent.bytes, 5U);
  EXPECT_EQ(rejected->sent.unit, 9U);
  EXPECT_FALSE(output.congested());
  EXPECT_TRUE(output.all_reported());
}

TEST_F(RecordOutputTest, GoesOnBehindAKeptRecordThatIsNeverTaken) {
  io.room = 0;
  send("1");
  send("2");
  io.room = 5;
  io.answer = Produced::unknown_topic;
  EXPECT_TRUE(output.send_kept());
  io.answer = Produced::accepted;
  EXPECT_FALSE(output.send_kept());
  EXPECT_EQ(io.values, (std::vector<std::string>{"2"}));
}

TEST_F(RecordOutputTest, DropsWhatItKeeps) {
  io.room = 0;
  send("1", 1);
  send("2", 2);
  send("3", 1);
  output.drop_kept_of(1);
  io.room = 5;
  EXPECT_FALSE(output.send_kept());
  EXPECT_EQ(io.values, (std::vector<std::string>{"2"}));
  output.forget_reports();
  EXPECT_TRUE(output.all_reported());
  io.room = 0;
  send("4");
  output.drop_kept();
  EXPECT_FALSE(output.congested());
}

}  // namespace
}  // namespace tokenrail::router
