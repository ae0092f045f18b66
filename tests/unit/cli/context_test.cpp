#include "cli/context.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// The settings of this program as a call's flags and the environment give them.
class CliSettings : public testing::Test {
 protected:
  Result<config::Loaded> load(std::map<std::string, std::string> environment) const {
    return config::load({.settings = settings(),
                         .arguments = call.setting_flags,
                         .environment = std::move(environment),
                         .file_text = {},
                         .file_name = {}});
  }
  TopicOptions options(std::map<std::string, std::string> environment = {}) {
    const auto loaded = load(std::move(environment));
    EXPECT_TRUE(loaded) << loaded.error().detail;
    return Context{.call = call, .values = loaded->values, .terminal = terminal}.topic_options();
  }

  Call call;
  Terminal terminal{{}};
};

TEST_F(CliSettings, TopicOptionsHaveTheirDefaults) {
  const auto defaults = options();
  EXPECT_EQ(defaults.prefix, "");
  EXPECT_EQ(defaults.partitions_asked, std::nullopt);
  EXPECT_EQ(defaults.partitions_default, 12);
  EXPECT_EQ(defaults.replication, -1);
  EXPECT_EQ(defaults.request_bytes_max, 8 << 20);
}

TEST_F(CliSettings, TopicOptionsReachThePlan) {
  call.flags["partitions"] = "24";
  const auto set = options({{"TOKENRAIL_TOPIC_PREFIX", "eu."},
                            {"TOKENRAIL_TOPICS_PARTITIONS", "5"},
                            {"TOKENRAIL_TOPICS_REPLICATION", "3"},
                            {"TOKENRAIL_TOPICS_REQUEST_BYTES_MAX", "2MiB"}});
  EXPECT_EQ(set.prefix, "eu.");
  EXPECT_EQ(set.partitions_asked, 24);
  EXPECT_EQ(set.partitions_default, 5);
  EXPECT_EQ(set.replication, 3);
  EXPECT_EQ(set.request_bytes_max, 2 << 20);
}

TEST_F(CliSettings, TakesBoundsAndRefusesMore) {
  struct Row {
    const char* variable;
    const char* least;
    const char* below;
    const char* most;
    const char* above;
  };
  for (const auto& row : {Row{"TOKENRAIL_TOPICS_PARTITIONS", "1", "0", "1024", "1025"},
                          Row{"TOKENRAIL_TOPICS_REPLICATION", "-1", "-2", "32", "33"},
                          Row{"TOKENRAIL_TOPICS_REQUEST_BYTES_MAX", "1KiB", "1023B", "64MiB", "67108865B"},
                          Row{"TOKENRAIL_ROUTER_RECORD_BYTES_MAX", "16KiB", "16383B", "64MiB", "67108865B"}}) {
    EXPECT_TRUE(load({{row.variable, row.least}})) << row.variable;
    EXPECT_FALSE(load({{row.variable, row.below}})) << row.variable;
    EXPECT_TRUE(load({{row.variable, row.most}})) << row.variable;
    EXPECT_FALSE(load({{row.variable, row.above}})) << row.variable;
  }
}

// As large as a request may be, with its headers it is a dead letter that the router's producer takes.
TEST_F(CliSettings, TheLargestRequestFitsTheRouter) {
  const auto largest = options({{"TOKENRAIL_TOPICS_REQUEST_BYTES_MAX", "64MiB"}});
  EXPECT_LE(largest.request_bytes_max + topics::dead_letter_frame_bytes, topics::produced_bytes_max);
}

TEST_F(CliSettings, TopicsAreHeldAgainstTheRoutersOwnSetting) {
  const auto loaded = load({{"TOKENRAIL_ROUTER_RECORD_BYTES_MAX", "400KiB"}, {"TOKENRAIL_ROUTER_LEASE", "5s"}});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_THAT(loaded->warnings, IsEmpty());
  const Context context{.call = call, .values = loaded->values, .terminal = terminal};
  const std::vector<kafka::TopicDescription> small{
      {.name = "chat.chunks", .partitions = 1, .config = {{"max.message.bytes", "524288"}}}};
  EXPECT_THAT(context.judge_topics(small), IsEmpty());
  const auto by_default = load({});
  ASSERT_TRUE(by_default);
  const Context other{.call = call, .values = by_default->values, .terminal = terminal};
  ASSERT_EQ(other.judge_topics(small).size(), 1U);
  EXPECT_THAT(other.judge_topics(small).front().text, HasSubstr("router.record_bytes_max is 921600"));
}

TEST_F(CliSettings, AnImpossiblePrefixIsRefused) {
  const auto refused = load({{"TOKENRAIL_TOPIC_PREFIX", "eu/"}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("topic.prefix = 'eu/' (environment TOKENRAIL_TOPIC_PREFIX)"));
}

}  // namespace
}  // namespace tokenrail::cli
