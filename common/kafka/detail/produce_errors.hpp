// What an error of a produced record says: whether the record, its topic, its partition or only the client is at fault.
// Pure.
#pragma once

#include <librdkafka/rdkafka.h>

namespace tokenrail::kafka::detail {

enum class Fault {
  record,     ///< the brokers refuse this record, or another one of its batch
  topic,      ///< they refuse every record of the topic at present
  partition,  ///< the topic exists and has no such partition
  client,     ///< the record was not tried, or the client lost count; another client may send it
  unknown,    ///< the broker's own failure: the record may be in the log
};

[[nodiscard]] Fault fault_of(rd_kafka_resp_err_t code);

/// No other client would fare better: the brokers are too old for what this module needs.
[[nodiscard]] bool beyond_repair(rd_kafka_resp_err_t code);

}  // namespace tokenrail::kafka::detail
