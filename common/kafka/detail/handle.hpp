// librdkafka's C objects, each wrapped once: holders, opening a client from properties, ending one beside the loop, and
// error codes as our errors. Included by .cpp files of this module only.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "common/kafka/consumer.hpp"
#include "common/kafka/record.hpp"
#include "common/result.hpp"

namespace tokenrail::kafka::detail {

template <auto Function>
struct Destroy {
  template <class T>
  void operator()(T* object) const {
    Function(object);
  }
};

using Queue = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, Destroy<rd_kafka_topic_partition_list_destroy>>;
using PartitionHolder = std::unique_ptr<rd_kafka_topic_partition_t, Destroy<rd_kafka_topic_partition_destroy>>;
using ErrorHolder = std::unique_ptr<rd_kafka_error_t, Destroy<rd_kafka_error_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_destroy>>;
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, Destroy<rd_kafka_metadata_destroy>>;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>>;

/// Ends a client without asking it to leave its group (that is done before, or not at all). Waits for its threads, with
/// no bound.
void end_and_wait(rd_kafka_t* client);

/// The same beside the loop (common/kafka/endings.hpp): it waits for nothing.
struct EndClient {
  void operator()(rd_kafka_t* client) const;
};
using Client = std::unique_ptr<rd_kafka_t, EndClient>;

/// `events`: RD_KAFKA_EVENT_… flags. Errors: invalid_input with librdkafka's text, which names the property.
[[nodiscard]] Result<Client> open_client(rd_kafka_type_t type, const Properties& properties, int events);

/// A property's effective value.
[[nodiscard]] std::size_t configured_number(rd_kafka_t* client, const char* name, std::size_t otherwise);

[[nodiscard]] PartitionList partition_list(const std::vector<TopicPartition>& partitions);
[[nodiscard]] PartitionList partition_list(const std::vector<StartingPoint>& points);
[[nodiscard]] std::vector<TopicPartition> partitions_of(const rd_kafka_topic_partition_list_t* list);
[[nodiscard]] Committed committed_of(const rd_kafka_topic_partition_t& entry);

/// `doing`: what was tried, for the operator ("creating the topic chat.chunks").
[[nodiscard]] Error error_of(rd_kafka_resp_err_t code, std::string_view doing, std::string_view text = {});

/// Kafka's authorizer denied something. `operation` as Kafka names it, `resource` with its kind ("the topic
/// chat.chunks").
[[nodiscard]] Error missing_right(std::string_view operation, std::string_view resource);

/// What prevents every connection to these brokers, with the setting to look at: TLS, a login, or a name
/// that no address is known for. Nothing: `code` is of another kind. `text`: librdkafka's own words.
[[nodiscard]] std::optional<Error> connection_refused(rd_kafka_resp_err_t code, std::string_view servers,
                                                      std::string_view text);

/// The coordinator is moving, loading or unreachable: the same request may well work soon.
[[nodiscard]] bool passes_by_itself(rd_kafka_resp_err_t code);

[[nodiscard]] Record record_of(const rd_kafka_message_t& message);

/// Bytes by which librdkafka distinguishes a null from an empty one.
[[nodiscard]] inline const char* bytes_of(std::string_view bytes) {
  return bytes.data() == nullptr ? "" : bytes.data();
}

}  // namespace tokenrail::kafka::detail
