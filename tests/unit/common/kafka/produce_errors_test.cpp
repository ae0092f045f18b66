#include "common/kafka/detail/produce_errors.hpp"

#include <gtest/gtest.h>

namespace tokenrail::kafka::detail {
namespace {

TEST(ProduceErrors, DistinguishRecordFromTopicFaults) {
  struct Row {
    rd_kafka_resp_err_t code;
    Fault fault;
  };
  const Row rows[] = {
      {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, Fault::record},
      {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, Fault::record},
      {RD_KAFKA_RESP_ERR_INVALID_RECORD, Fault::record},
      {RD_KAFKA_RESP_ERR_INVALID_MSG, Fault::record},
      {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, Fault::record},
      {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, Fault::record},
      {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, Fault::topic},
      {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, Fault::topic},
      {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, Fault::topic},
      {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, Fault::topic},
      {RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, Fault::topic},
      {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, Fault::partition},
      {RD_KAFKA_RESP_ERR__PURGE_QUEUE, Fault::client},
      {RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE, Fault::client},
      {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, Fault::client},
      {RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, Fault::client},
      {RD_KAFKA_RESP_ERR__FENCED, Fault::client},
      {RD_KAFKA_RESP_ERR_UNKNOWN, Fault::unknown},
      {RD_KAFKA_RESP_ERR_INVALID_REQUEST, Fault::topic},  // not listed: its records wait
  };
  for (const auto& row : rows) EXPECT_EQ(fault_of(row.code), row.fault) << rd_kafka_err2name(row.code);
}

TEST(ProduceErrors, OldBrokersAreBeyondRepair) {
  EXPECT_TRUE(beyond_repair(RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE));
  EXPECT_FALSE(beyond_repair(RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE));
}

}  // namespace
}  // namespace tokenrail::kafka::detail
