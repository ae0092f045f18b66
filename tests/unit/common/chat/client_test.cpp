// The client on librdkafka's mock cluster; the tests play the router.
#include "common/chat/client.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/kafka/partitioner.hpp"
#include "tests/unit/common/kafka/mock_cluster.hpp"

namespace tokenrail::chat {
namespace {

using kafka::testing::run_until;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr int partitions = 2;

class Heard final : public Listener {
 public:
  void on_sent() override { sent = true; }
  void on_chunk(events::AnswerReader::Step step, const events::Chunk& chunk, std::string_view raw) override {
    if (step == events::AnswerReader::Step::restarted) text.clear();
    text += chunk.delta.value_or("");
    last = raw;
  }
  void on_cancellation(bool reached, std::string_view) override { cancellation = reached; }
  void on_end(Result<End> how) override {
    ++ends;
    end = std::move(how);
  }

  bool sent = false;
  std::string text;
  std::string last;
  std::optional<bool> cancellation;
  std::optional<Result<End>> end;
  int ends = 0;
};

class ChatClientTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto* topic : {"chat.requests", "chat.chunks"}) cluster_.topic(topic, partitions);
    cluster_.topic("chat.cancellations", 1);
    auto router = kafka::Producer::make(loop_, {.properties = cluster_.properties()}, reports_, metrics_);
    ASSERT_TRUE(router);
    router_ = std::move(*router);
    make({});
  }
  void make(Client::Options options) {
    if (options.properties.empty()) options.properties = cluster_.properties();
    options.topics = {.requests = "chat.requests", .chunks = "chat.chunks", .cancellations = "chat.cancellations"};
    auto client = Client::make(loop_, options, metrics_);
    ASSERT_TRUE(client) << client.error().detail;
    client_ = std::move(*client);
  }

  static Question question(const std::string& request_id, std::chrono::milliseconds timeout = 60s) {
    Question question{.request = {}, .key = request_id, .timeout = timeout};
    question.request.request_id = request_id;
    question.request.org_id = "acme";
    question.request.messages.push_back({.content = {{.text = "hi"}}});
    return question;
  }
  Client::Id ask(const std::string& request_id, Heard& heard) {
    const auto id = client_->ask(question(request_id), heard);
    EXPECT_TRUE(run_until(loop_, [&] { return heard.sent || heard.end; }));
    EXPECT_TRUE(heard.sent) << (heard.end && !*heard.end ? heard.end->error().detail : "");
    return id;
  }
  void publish(const std::string& request_id, const std::string& value) {
    const auto partition = kafka::partition_of(request_id, partitions);
    EXPECT_EQ(router_->produce(router_->topic("chat.chunks"), partition, request_id, value, nullptr, 1),
              kafka::Produced::accepted);
  }
  void answer(const std::string& request_id, std::int64_t seq, std::string_view text, std::int64_t attempt = 1) {
    std::string value;
    events::ChunkWriter(request_id, "acme", attempt).write(value, seq, {.text = text});
    publish(request_id, value);
  }
  void finish(const std::string& request_id, std::int64_t seq, std::int64_t attempt = 1) {
    std::string value;
    events::ChunkWriter(request_id, "acme", attempt).write(value, events::TerminalChunk{.seq = seq});
    publish(request_id, value);
  }
  bool wait_end(const Heard& heard) {
    return run_until(loop_, [&] { return heard.end.has_value(); });
  }

  boost::asio::io_context loop_;
  kafka::testing::MockCluster cluster_;
  telemetry::Metrics metrics_;
  kafka::testing::Reports reports_;
  std::unique_ptr<kafka::Producer> router_;
  std::unique_ptr<Client> client_;
};

TEST_F(ChatClientTest, AnswerIsReadToItsEnd) {
  answer("r1", 0, "of an earlier request of this name");
  ASSERT_TRUE(run_until(loop_, [&] { return reports_.all.size() == 1; }));
  Heard heard;
  ask("r1", heard);
  answer("r1", 0, "Hello");
  answer("r1", 1, ", world");
  finish("r1", 2);
  ASSERT_TRUE(wait_end(heard));
  ASSERT_TRUE(*heard.end) << heard.end->error().detail;
  EXPECT_EQ(**heard.end, End::answered);
  EXPECT_EQ(heard.text, "Hello, world");
  EXPECT_THAT(heard.last, HasSubstr("\"done\":true"));
  EXPECT_EQ(client_->asked(), 0U);
}

TEST_F(ChatClientTest, DistinguishesQuestionsOfOnePartition) {
  Heard first;
  Heard second;
  const std::string one = "q1";
  std::string two = "q2";
  while (kafka::partition_of(two, partitions) != kafka::partition_of(one, partitions)) two += "x";
  ask(one, first);
  ask(two, second);
  answer(one, 0, "one");
  answer(two, 0, "two");
  finish(one, 1);
  ASSERT_TRUE(wait_end(first));
  // The other one is read on.
  answer(two, 1, " and more");
  finish(two, 2);
  ASSERT_TRUE(wait_end(second));
  EXPECT_EQ(first.text, "one");
  EXPECT_EQ(second.text, "two and more");
}

TEST_F(ChatClientTest, HigherAttemptBeginsAgain) {
  Heard heard;
  ask("r2", heard);
  answer("r2", 0, "lost");
  answer("r2", 0, "kept", 2);
  finish("r2", 1, 2);
  ASSERT_TRUE(wait_end(heard));
  EXPECT_EQ(heard.text, "kept");
}

TEST_F(ChatClientTest, MissingChunksEndTheQuestion) {
  Heard heard;
  ask("r3", heard);
  answer("r3", 0, "a");
  answer("r3", 2, "c");
  ASSERT_TRUE(wait_end(heard));
  ASSERT_FALSE(*heard.end);
  EXPECT_EQ(heard.end->error().kind, ErrorKind::rejected);
}

TEST_F(ChatClientTest, CancellationReachesItsTopic) {
  kafka::testing::ReadLog log;
  auto reader = kafka::LogReader::make(loop_, {.properties = cluster_.properties(), .topics = {"chat.cancellations"}},
                                       log, metrics_);
  ASSERT_TRUE(reader);
  (*reader)->start({{.partition = {.topic = "chat.cancellations", .partition = 0}, .offset = kafka::offset_beginning}});
  Heard heard;
  const auto id = ask("r4", heard);
  client_->cancel(id, "the reader has gone");
  ASSERT_TRUE(run_until(loop_, [&] { return heard.cancellation && !log.records.empty(); }));
  EXPECT_TRUE(*heard.cancellation);
  EXPECT_THAT(*log.records.front().value, HasSubstr("\"r4\""));
  EXPECT_FALSE(heard.end) << "the answer goes on until its terminal chunk";
  finish("r4", 0);
  EXPECT_TRUE(wait_end(heard));
}

TEST_F(ChatClientTest, CancelledQuestionIsNotSent) {
  Heard heard;
  const auto id = client_->ask(question("r5"), heard);
  client_->cancel(id, "changed my mind");
  ASSERT_TRUE(wait_end(heard));
  ASSERT_TRUE(*heard.end);
  EXPECT_EQ(**heard.end, End::unsent);
  EXPECT_FALSE(heard.sent);
}

TEST_F(ChatClientTest, ForgottenQuestionIsNotHeardOf) {
  Heard forgotten;
  Heard heard;
  const auto id = ask("r6", forgotten);
  client_->forget(id);
  answer("r6", 0, "x");
  finish("r6", 1);
  ask("r7", heard);
  finish("r7", 0);
  ASSERT_TRUE(wait_end(heard));
  EXPECT_EQ(forgotten.ends, 0);
  EXPECT_EQ(forgotten.text, "");
}

TEST_F(ChatClientTest, QuestionEndsWhenItsTimeIsUp) {
  Heard heard;
  // The grace for the router's own word is two seconds.
  client_->ask(question("r8", -1900ms), heard);
  ASSERT_TRUE(wait_end(heard));
  ASSERT_TRUE(*heard.end);
  EXPECT_EQ(**heard.end, End::timed_out);
  EXPECT_EQ(heard.ends, 1);
}

TEST_F(ChatClientTest, MissingBrokersEndTheQuestion) {
  make({.properties = {{"bootstrap.servers", "127.0.0.1:1"}, {"log_level", "2"}}, .lookup_time_max = 300ms});
  Heard heard;
  client_->ask(question("r9"), heard);
  ASSERT_TRUE(wait_end(heard));
  ASSERT_FALSE(*heard.end);
  EXPECT_EQ(heard.end->error().kind, ErrorKind::unavailable);
}

}  // namespace
}  // namespace tokenrail::chat
