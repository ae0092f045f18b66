#include "common/kafka/detail/properties.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tokenrail::kafka::detail {
namespace {

const Properties servers = {{"bootstrap.servers", "127.0.0.1:9092"}};

Properties with(Properties properties, std::string name, std::string value) {
  properties.emplace_back(std::move(name), std::move(value));
  return properties;
}

using Layer = Result<Properties> (*)(const Properties&);

Result<Properties> group(const Properties& user) {
  return group_consumer_properties(user, "routers");
}

TEST(KafkaProperties, UsersPropertiesCountUnlessAPromiseNeedsThem) {
  struct Row {
    Layer layer;
    const char* name;
    const char* ours;
    const char* users;
  };
  const std::vector<Row> rows = {
      {group, "session.timeout.ms", "15000", "30000"},
      {group, "max.poll.interval.ms", "60000", "300000"},
      {group, "socket.nagle.disable", "true", "false"},
      {group, "queued.max.messages.kbytes", "8192", "65536"},
      {group, "queued.min.messages", "20000", "1"},
      {producer_properties, "linger.ms", "1", "5"},
      {producer_properties, "queue.buffering.max.messages", "200000", "10"},
      {log_reader_properties, "queued.min.messages", "100000", "1"},
      {admin_properties, "client.id", "tokenrail", "mine"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto without = row.layer(servers);
    ASSERT_TRUE(without.has_value());
    EXPECT_EQ(property(*without, row.name), row.ours);
    const auto set = row.layer(with(servers, row.name, row.users));
    ASSERT_TRUE(set.has_value());
    EXPECT_EQ(property(*set, row.name), row.users);
  }
}

TEST(KafkaProperties, PropertiesOfPromisesCannotBeOverridden) {
  struct Row {
    Layer layer;
    const char* name;
    const char* users;
    const char* result;
  };
  const std::vector<Row> rows = {
      {producer_properties, "max.in.flight.requests.per.connection", "5", "1"},
      {group, "enable.auto.commit", "true", "false"},
      {group, "isolation.level", "read_uncommitted", "read_committed"},
      {group, "enable.auto.offset.store", "true", "false"},
      {group, "partition.assignment.strategy", "cooperative-sticky", "range"},
      {group, "allow.auto.create.topics", "true", "false"},
      {group, "group.id", "other", "routers"},
      {group, "auto.offset.reset", "latest", "earliest"},
      {producer_properties, "enable.idempotence", "false", "true"},
      {producer_properties, "enable.gapless.guarantee", "false", "true"},
      {producer_properties, "acks", "1", "all"},
      {producer_properties, "message.timeout.ms", "30000", "0"},
      {producer_properties, "partitioner", "consistent", "murmur2_random"},
      {log_reader_properties, "enable.partition.eof", "false", "true"},
      {log_reader_properties, "auto.offset.reset", "error", "earliest"},
      {log_reader_properties, "isolation.level", "read_committed", "read_uncommitted"},
      {committed_reader_properties, "isolation.level", "read_uncommitted", "read_committed"},
      {admin_properties, "isolation.level", "read_committed", "read_uncommitted"},
      {committed_admin_properties, "isolation.level", "read_uncommitted", "read_committed"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto set = row.layer(with(servers, row.name, row.users));
    ASSERT_TRUE(set.has_value());
    EXPECT_EQ(property(*set, row.name), row.result);
  }
}

TEST(KafkaProperties, RefusesHarmfulPropertiesWithReason) {
  struct Row {
    Properties user;
    const char* named;
  };
  const std::vector<Row> rows = {
      {{}, "bootstrap.servers"},
      {{{"bootstrap.servers", ""}}, "bootstrap.servers"},
      {with(servers, "transactional.id", "x"), "transactional.id"},
      {with(servers, "group.protocol", "consumer"), "group.protocol"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.named);
    for (const Layer layer :
         {Layer(group), Layer(producer_properties), Layer(log_reader_properties), Layer(admin_properties)}) {
      const auto refused = layer(row.user);
      ASSERT_FALSE(refused.has_value());
      EXPECT_EQ(refused.error().kind, ErrorKind::invalid_input);
      EXPECT_NE(refused.error().detail.find(row.named), std::string::npos) << refused.error().detail;
    }
  }
}

TEST(KafkaProperties, AGroupNeedsAnId) {
  const auto refused = group_consumer_properties(servers, "");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid_input);
}

TEST(KafkaProperties, EveryReaderHasItsOwnGroupId) {
  const auto one = log_reader_properties(servers);
  const auto other = log_reader_properties(with(servers, "group.id", "routers"));
  ASSERT_TRUE(one && other);
  EXPECT_NE(property(*one, "group.id"), property(*other, "group.id"));
  EXPECT_NE(property(*other, "group.id"), "routers");
}

TEST(KafkaProperties, KnowsWhatIsSecret) {
  for (const char* name :
       {"sasl.password", "ssl.key.password", "ssl.key.pem", "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config",
        "ssl.keystore.password", "sasl.username", "sasl.oauthbearer.assertion.private.key.passphrase"})
    EXPECT_TRUE(is_secret(name)) << name;
  for (const char* name : {"bootstrap.servers", "linger.ms", "ssl.ca.location", "sasl.mechanisms", "client.id"})
    EXPECT_FALSE(is_secret(name)) << name;
}

}  // namespace
}  // namespace tokenrail::kafka::detail
