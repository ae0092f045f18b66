#include "common/kafka/admin.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "tests/unit/common/kafka/mock_cluster.hpp"

namespace tokenrail::kafka {
namespace {

using namespace std::chrono_literals;
using testing::fill;
using testing::MockCluster;

constexpr std::int16_t list_offsets_key = 2;

class KafkaAdmin : public ::testing::Test {
 protected:
  KafkaAdmin() {
    cluster.topic("in", 2);
    boost::asio::io_context loop;
    fill(loop, cluster.properties(), "in", 1, 30);
    auto connected = Admin::connect(cluster.properties());
    EXPECT_TRUE(connected.has_value()) << connected.error().detail;
    admin = std::move(*connected);
  }

  void say(int count, rd_kafka_resp_err_t error) {
    for (int i = 0; i < count; ++i) rd_kafka_mock_push_request_errors(cluster.get(), list_offsets_key, 1, error);
  }

  MockCluster cluster;
  std::unique_ptr<Admin> admin;
};

// Right after a broker came back the leaders move, and the one that is known may say that it is none.
TEST_F(KafkaAdmin, AsksAgainWhileALeaderMoves) {
  for (const int refusals : {0, 1, 2, 3, 4, 5}) {
    say(refusals, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    const auto marks = admin->watermarks({.topic = "in", .partition = 1}, 20s);
    ASSERT_TRUE(marks.has_value()) << marks.error().detail;
    EXPECT_EQ(marks->first, 0);
    EXPECT_EQ(marks->next, 30);
  }
  say(3, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
  const auto at = admin->offsets_at({{.topic = "in", .partition = 0}, {.topic = "in", .partition = 1}}, 1, 20s);
  EXPECT_TRUE(at.has_value()) << at.error().detail;
}

TEST_F(KafkaAdmin, NamesPartitionOfMissingLeader) {
  say(1'000, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
  const auto marks = admin->watermarks({.topic = "in", .partition = 1}, 2s);
  ASSERT_FALSE(marks.has_value());
  EXPECT_EQ(marks.error().kind, ErrorKind::unavailable);
  EXPECT_NE(marks.error().detail.find("in [1]"), std::string::npos) << marks.error().detail;
}

TEST_F(KafkaAdmin, SurveysManyLogsAtOnce) {
  const auto survey = admin->survey({{.partition = {.topic = "in", .partition = 1}},
                                     {.partition = {.topic = "nowhere", .partition = 0}},
                                     {.partition = {.topic = "in", .partition = 99}},
                                     {.partition = {.topic = "in", .partition = 0}}},
                                    20s);
  ASSERT_TRUE(survey.has_value()) << survey.error().detail;
  EXPECT_TRUE(survey->partitions.contains("in"));
  EXPECT_FALSE(survey->partitions.contains("nowhere"));
  ASSERT_EQ(survey->places.size(), 4U);
  ASSERT_TRUE(survey->places[0]);
  EXPECT_EQ(survey->places[0]->first, 0);
  EXPECT_EQ(survey->places[0]->next, 30);
  EXPECT_FALSE(survey->places[0]->at);
  EXPECT_FALSE(survey->places[1]) << "no such topic";
  EXPECT_FALSE(survey->places[2]) << "no such partition";
  EXPECT_TRUE(survey->places[3]);
}

// librdkafka drops the whole answer for one partition's error.
TEST_F(KafkaAdmin, RefusedPartitionDoesNotStopSurvey) {
  say(1, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
  const auto survey = admin->survey(
      {{.partition = {.topic = "in", .partition = 0}}, {.partition = {.topic = "in", .partition = 1}}}, 20s);
  ASSERT_TRUE(survey.has_value()) << survey.error().detail;
  EXPECT_TRUE(survey->places[0]);
  EXPECT_TRUE(survey->places[1]);

  say(2, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
  const auto without = admin->survey(
      {{.partition = {.topic = "in", .partition = 0}}, {.partition = {.topic = "in", .partition = 1}}}, 20s);
  ASSERT_TRUE(without.has_value()) << without.error().detail;
  EXPECT_FALSE(without->places[0]) << "refused alone, too";
  EXPECT_TRUE(without->places[1]);
}

TEST(KafkaAdminOfTwoBrokers, SurveysOneBrokerWhileAnotherHangs) {
  MockCluster cluster(2);
  cluster.topic("near", 1);
  cluster.topic("far", 1);
  rd_kafka_mock_partition_set_leader(cluster.get(), "near", 0, 1);
  rd_kafka_mock_partition_set_leader(cluster.get(), "far", 0, 2);
  const auto admin = Admin::connect(cluster.properties());
  ASSERT_TRUE(admin.has_value()) << admin.error().detail;
  const auto before = (*admin)->watermarks({.topic = "near", .partition = 0}, 20s);
  ASSERT_TRUE(before.has_value()) << "no connection to the first broker: " << before.error().detail;
  rd_kafka_mock_broker_set_down(cluster.get(), 2);
  const auto survey = (*admin)->survey(
      {{.partition = {.topic = "far", .partition = 0}}, {.partition = {.topic = "near", .partition = 0}}}, 4s);
  ASSERT_TRUE(survey.has_value()) << survey.error().detail;
  EXPECT_FALSE(survey->places[0]);
  ASSERT_TRUE(survey->places[1]) << "its leader answers";
  EXPECT_EQ(survey->places[1]->next, 0);
}

// What no waiting fixes is reported at once.
TEST_F(KafkaAdmin, DoesNotRetryMissingPartition) {
  const auto marks = admin->watermarks({.topic = "in", .partition = 7}, 30s);
  ASSERT_FALSE(marks.has_value());
  EXPECT_EQ(marks.error().kind, ErrorKind::not_found) << marks.error().detail;
}

// The mock cluster knows no such request. A caller must not take that for a group without members, nor wait for it. A
// client that had asked would never end.
TEST_F(KafkaAdmin, RejectsBrokerThatCannotListMembers) {
  const auto members = admin->members("tokenrail-router", 1h);
  ASSERT_FALSE(members.has_value());
  EXPECT_EQ(members.error().kind, ErrorKind::rejected) << members.error().detail;
  admin.reset();
}

/// Something that listens, says one thing to each client, and hangs up.
class Talker {
 public:
  explicit Talker(std::string_view words) : words_(words) {
    accept();
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Talker() {
    loop_.stop();
    thread_.join();
  }
  Talker(const Talker&) = delete;
  Talker& operator=(const Talker&) = delete;

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

 private:
  using tcp = boost::asio::ip::tcp;
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket peer) {
      if (error) return;
      boost::system::error_code ignored;
      boost::asio::write(peer, boost::asio::buffer(words_), ignored);
      accept();
    });
  }

  std::string_view words_;
  boost::asio::io_context loop_{1};
  tcp::acceptor acceptor_{loop_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
  std::thread thread_;
};

// "No broker answers, see that they run" would send the operator to the wrong place.
TEST_F(KafkaAdmin, NamesSettingThatPreventsConnections) {
  const Talker talker("HTTP/1.1 400 Bad Request\r\n\r\n");
  const Talker broker_that_wants_tls("");
  struct Row {
    Properties properties;
    ErrorKind kind;
    std::vector<std::string> told;
  };
  const auto at = [](std::string servers, Properties more = {}) {
    more.emplace_back("bootstrap.servers", std::move(servers));
    more.emplace_back("reconnect.backoff.ms", "20");
    return more;
  };
  const std::vector<Row> rows{
      {at(talker.address(), {{"security.protocol", "SSL"}}),
       ErrorKind::rejected,
       {"TLS", talker.address(), "wrong version number", "TOKENRAIL_KAFKA_SECURITY_PROTOCOL"}},
      {cluster.properties({{"security.protocol", "SSL"}}),
       ErrorKind::rejected,
       {"no TLS connection", "TOKENRAIL_KAFKA_SECURITY_PROTOCOL"}},
      {cluster.properties({{"security.protocol", "SASL_PLAINTEXT"},
                           {"sasl.mechanism", "PLAIN"},
                           {"sasl.username", "ann"},
                           {"sasl.password", "hush"}}),
       ErrorKind::rejected,
       {"login", "TOKENRAIL_KAFKA_SASL_MECHANISM"}},
      {at(broker_that_wants_tls.address()), ErrorKind::rejected, {"hangs up", "TOKENRAIL_KAFKA_SECURITY_PROTOCOL"}},
      {at("no-such-host.invalid:9092"),
       ErrorKind::unavailable,
       {"no address", "no-such-host.invalid", "TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS"}},
      {at("127.0.0.1:1"),
       ErrorKind::unavailable,
       {"no Kafka broker answers at 127.0.0.1:1", "Connection refused", "TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS"}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.told.front());
    auto asking = Admin::connect(row.properties);
    ASSERT_TRUE(asking.has_value()) << asking.error().detail;
    auto described = (*asking)->describe({"in"}, false, 300ms);
    // The client may need longer for its first connection.
    for (int asked = 1; asked < 200 && !described && !described.error().detail.contains(row.told.front()); ++asked)
      described = (*asking)->describe({"in"}, false, 300ms);
    ASSERT_FALSE(described.has_value());
    EXPECT_EQ(described.error().kind, row.kind) << described.error().detail;
    for (const auto& part : row.told)
      EXPECT_NE(described.error().detail.find(part), std::string::npos) << part << " in " << described.error().detail;
    EXPECT_EQ(described.error().detail.find("hush"), std::string::npos) << described.error().detail;
  }
}

TEST_F(KafkaAdmin, HiddenTopicIsForbiddenNotMissing) {
  cluster.topic("open", 1);
  cluster.topic("hidden", 1);
  rd_kafka_mock_topic_set_error(cluster.get(), "hidden", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  auto asking = Admin::connect(cluster.properties());
  ASSERT_TRUE(asking.has_value()) << asking.error().detail;
  const auto described = (*asking)->describe({"open", "hidden", "missing"}, false, 60s);
  ASSERT_FALSE(described.has_value());
  EXPECT_EQ(described.error().kind, ErrorKind::forbidden);
  EXPECT_EQ(described.error().detail,
            "this client's principal may not see the topic hidden; grant it DESCRIBE on that topic");
}

TEST_F(KafkaAdmin, ReplicasAndBrokersAreDescribed) {
  auto asking = Admin::connect(cluster.properties());
  ASSERT_TRUE(asking.has_value()) << asking.error().detail;
  const auto described = (*asking)->describe({"in"}, true, 60s);
  ASSERT_TRUE(described.has_value()) << described.error().detail;
  ASSERT_EQ(described->size(), 1U);
  EXPECT_GE(described->front().brokers, 1);
  EXPECT_EQ(described->front().replicas, 1);
  ASSERT_TRUE(described->front().config_error.has_value()) << "a mock cluster does not give settings";
  EXPECT_EQ(described->front().config_error->kind, ErrorKind::rejected);
}

TEST_F(KafkaAdmin, NamesVariableOfRefusedProperty) {
  for (const auto& [name, variable] : {std::pair("security.protocol", "TOKENRAIL_KAFKA_SECURITY_PROTOCOL"),
                                       std::pair("no.such.thing", "TOKENRAIL_KAFKA_NO_SUCH_THING"),
                                       std::pair("transactional.id", "TOKENRAIL_KAFKA_TRANSACTIONAL_ID")}) {
    auto properties = cluster.properties();
    properties.emplace_back(name, "nonsense");
    const auto refused = Admin::connect(properties);
    ASSERT_FALSE(refused.has_value()) << name;
    EXPECT_EQ(refused.error().kind, ErrorKind::invalid_input);
    EXPECT_NE(refused.error().detail.find(variable), std::string::npos) << refused.error().detail;
  }
}

TEST_F(KafkaAdmin, NamesNearestPropertyOfUnknownOne) {
  for (const auto& [name, meant] :
       {std::pair("bootstrap.server", "did you mean bootstrap.servers (TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS)?"),
        std::pair("sasl.mechansim", "did you mean sasl.mechanism"),
        std::pair("request.timout.ms", "request.timeout.ms"), std::pair("no.such.thing.at.all", "no such property")}) {
    auto properties = cluster.properties();
    properties.emplace_back(name, "nonsense");
    const auto refused = Admin::connect(properties);
    ASSERT_FALSE(refused.has_value()) << name;
    EXPECT_EQ(refused.error().kind, ErrorKind::invalid_input);
    EXPECT_NE(refused.error().detail.find(meant), std::string::npos) << refused.error().detail;
  }
}

}  // namespace
}  // namespace tokenrail::kafka
