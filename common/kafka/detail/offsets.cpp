#include "common/kafka/detail/offsets.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <thread>

#include <fmt/format.h>

#include "common/kafka/detail/handle.hpp"

namespace tokenrail::kafka::detail {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds leader_look_again{100};

// What a broker says that does not lead the partition any more, or not yet.
bool leader_is_moving(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
      return true;
    default:
      return false;
  }
}

// librdkafka gives no answer at all where one partition of a request has an error. So the request is halved until
// that partition is alone. A leader that hangs is not asked a second time.
void ask_offsets(rd_kafka_t* client, const std::vector<OffsetQuestion>& questions, std::span<const std::size_t> of,
                 std::chrono::steady_clock::time_point give_up, std::vector<OffsetAnswer>& found) {
  const auto left = std::chrono::ceil<milliseconds>(give_up - std::chrono::steady_clock::now());
  if (of.empty() || left <= milliseconds(0)) return;
  std::vector<TopicPartition> partitions;
  for (const auto i : of) partitions.push_back(questions[i].partition);
  const PartitionList list = partition_list(partitions);
  for (std::size_t i = 0; i < of.size(); ++i) list->elems[i].offset = questions[of[i]].at;
  const auto code = rd_kafka_offsets_for_times(client, list.get(), in_ms(left));
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    // librdkafka may give them back in another order.
    std::map<TopicPartition, std::optional<std::int64_t>> answered;
    for (int i = 0; i < list->cnt; ++i) {
      const auto& entry = list->elems[i];
      if (entry.err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      answered.emplace(TopicPartition{.topic = entry.topic, .partition = entry.partition},
                       entry.offset < 0 ? std::nullopt : std::optional(entry.offset));
    }
    for (const auto i : of)
      if (const auto it = answered.find(questions[i].partition); it != answered.end()) found[i] = it->second;
  } else if (code != RD_KAFKA_RESP_ERR__TIMED_OUT && of.size() > 1) {
    const auto half = of.size() / 2;
    ask_offsets(client, questions, of.first(half), give_up, found);
    ask_offsets(client, questions, of.subspan(half), give_up, found);
  }
}

}  // namespace

int in_ms(milliseconds timeout) {
  return static_cast<int>(std::clamp<std::int64_t>(timeout.count(), 1, 3'600'000));
}

Result<std::vector<std::optional<std::int64_t>>> offsets_of(rd_kafka_t* client,
                                                            const std::vector<TopicPartition>& partitions,
                                                            std::int64_t at, const std::string& doing,
                                                            milliseconds timeout) {
  const PartitionList list = partition_list(partitions);
  const auto give_up = std::chrono::steady_clock::now() + timeout;
  while (true) {
    for (int i = 0; i < list->cnt; ++i) list->elems[i].offset = at;
    const auto left = std::chrono::ceil<milliseconds>(give_up - std::chrono::steady_clock::now());
    auto code = rd_kafka_offsets_for_times(client, list.get(), in_ms(left));
    auto what = doing;
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; ++i) {
      const auto& entry = list->elems[i];
      code = entry.err;
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR) what = fmt::format("{}: {} [{}]", doing, entry.topic, entry.partition);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    if (!leader_is_moving(code) || left <= leader_look_again) return std::unexpected(error_of(code, what));
    std::this_thread::sleep_for(leader_look_again);
    // librdkafka goes on asking the leader that it knows.
    const rd_kafka_metadata_t* answer = nullptr;
    rd_kafka_metadata(client, 1, nullptr, &answer, in_ms(left));
    const Metadata not_looked_at(answer);
  }
  std::vector<std::optional<std::int64_t>> offsets;
  for (int i = 0; i < list->cnt; ++i) {
    const auto offset = list->elems[i].offset;
    offsets.push_back(offset < 0 ? std::nullopt : std::optional(offset));
  }
  return offsets;
}

std::vector<OffsetAnswer> each_offset(rd_kafka_t* client, const std::vector<OffsetQuestion>& questions,
                                      milliseconds timeout) {
  std::vector<OffsetAnswer> found(questions.size());
  std::map<std::int32_t, std::vector<std::size_t>> by_leader;
  for (std::size_t i = 0; i < questions.size(); ++i) by_leader[questions[i].leader].push_back(i);
  for (const auto& [leader, of] : by_leader) {
    const auto share = timeout / static_cast<std::int64_t>(by_leader.size());
    ask_offsets(client, questions, of, std::chrono::steady_clock::now() + share, found);
  }
  return found;
}

}  // namespace tokenrail::kafka::detail
