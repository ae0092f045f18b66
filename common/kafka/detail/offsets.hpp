/// What the leaders of partitions answer to questions for offsets (ListOffsets). For Admin alone. Each call blocks its
/// thread up to its timeout.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "common/kafka/record.hpp"
#include "common/result.hpp"

namespace tokenrail::kafka::detail {

/// What librdkafka takes as a timeout: from one millisecond to an hour.
[[nodiscard]] int in_ms(std::chrono::milliseconds timeout);

/// For each partition what its leader answers to a Unix time, or to one of librdkafka's names for an end; nothing:
/// there is no such record. While a leader moves it is asked again, up to the timeout. One partition that does not
/// answer fails all.
[[nodiscard]] Result<std::vector<std::optional<std::int64_t>>> offsets_of(rd_kafka_t* client,
                                                                          const std::vector<TopicPartition>& partitions,
                                                                          std::int64_t at, const std::string& doing,
                                                                          std::chrono::milliseconds timeout);

struct OffsetQuestion {
  TopicPartition partition{};
  std::int64_t at = 0;  ///< Unix ms, or librdkafka's name for an end
  std::int32_t leader = 0;
};
/// The outer nothing: the leader did not answer; the inner one: there is no such record.
using OffsetAnswer = std::optional<std::optional<std::int64_t>>;

/// Leader by leader, each with its share of the time: one that hangs or refuses leaves the answers of the others alone.
[[nodiscard]] std::vector<OffsetAnswer> each_offset(rd_kafka_t* client, const std::vector<OffsetQuestion>& questions,
                                                    std::chrono::milliseconds timeout);

}  // namespace tokenrail::kafka::detail
