#include "common/kafka/detail/topic_client.hpp"

#include <tuple>
#include <utility>

namespace tokenrail::kafka::detail {
namespace {

using HeaderHolder = std::unique_ptr<rd_kafka_headers_t, Destroy<rd_kafka_headers_destroy>>;

// NOLINTNEXTLINE(performance-no-int-to-ptr): an opaque is where librdkafka lets a number travel
void* opaque_of(std::uint32_t tag) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(tag));
}

}  // namespace

TopicClient::TopicClient(Client client, const std::string& topic, QueueWake& wake)
    : client_(std::move(client)),
      topic_(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr)),
      queue_(rd_kafka_queue_get_main(client_.get())) {
  wake.attach(queue_.get());
}

TopicClient::~TopicClient() {
  QueueWake::detach(queue_.get());
  queue_.reset();
  topic_.reset();
}

rd_kafka_resp_err_t TopicClient::send(const OutgoingRecord& record, std::uint32_t tag) {
  // librdkafka takes the bytes as not const because another flag makes it own them; with COPY it only reads.
  void* value_bytes = record.value ? const_cast<char*>(bytes_of(*record.value)) : nullptr;
  const void* key_bytes = record.key ? bytes_of(*record.key) : nullptr;
  const std::size_t value_size = record.value ? record.value->size() : 0;
  const std::size_t key_size = record.key ? record.key->size() : 0;
  const bool plain = record.headers == nullptr || record.headers->empty();
  if (plain && record.timestamp_ms == 0) {
    const int answer = rd_kafka_produce(topic_.get(), record.partition, RD_KAFKA_MSG_F_COPY, value_bytes, value_size,
                                        key_bytes, key_size, opaque_of(tag));
    return answer == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error();
  }
  HeaderHolder copied(rd_kafka_headers_new(plain ? 0 : record.headers->size()));
  if (!plain) {
    for (const auto& [name, content] : *record.headers)
      rd_kafka_header_add(copied.get(), name.data(), static_cast<ssize_t>(name.size()),
                          content ? bytes_of(*content) : nullptr, content ? static_cast<ssize_t>(content->size()) : 0);
  }
  // The tags and types are what the RD_KAFKA_V_… macros expand to, less a compiler extension.
  const auto code = rd_kafka_producev(client_.get(), RD_KAFKA_VTYPE_RKT, topic_.get(), RD_KAFKA_VTYPE_PARTITION,
                                      record.partition, RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_MSG_F_COPY,
                                      RD_KAFKA_VTYPE_VALUE, value_bytes, value_size, RD_KAFKA_VTYPE_KEY, key_bytes,
                                      key_size, RD_KAFKA_VTYPE_TIMESTAMP, record.timestamp_ms, RD_KAFKA_VTYPE_HEADERS,
                                      copied.get(), RD_KAFKA_VTYPE_OPAQUE, opaque_of(tag), RD_KAFKA_VTYPE_END);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) std::ignore = copied.release();  // the record's own now
  return code;
}

void TopicClient::purge(bool in_flight) {
  rd_kafka_purge(client_.get(),
                 RD_KAFKA_PURGE_F_QUEUE | (in_flight ? RD_KAFKA_PURGE_F_INFLIGHT : 0) | RD_KAFKA_PURGE_F_NON_BLOCKING);
}

void TopicClient::refresh() {
  const rd_kafka_metadata_t* answer = nullptr;
  // The call waits for the answer, here a millisecond; what comes later counts all the same.
  if (rd_kafka_metadata(client_.get(), 0, topic_.get(), &answer, 1) == RD_KAFKA_RESP_ERR_NO_ERROR)
    rd_kafka_metadata_destroy(answer);
}

}  // namespace tokenrail::kafka::detail
