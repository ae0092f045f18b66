// What a delivery report brings back: the token that a record was produced with. A chunk's token names its partition
// and its attempt, so that nothing has to be kept for a chunk that is on its way. Of any other record it is kept what
// it was.
//
// Owned by RouterCore, one for all partitions. It never produces a record. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>

#include "common/kafka/producer.hpp"
#include "workers/router/core/batch_numbers.hpp"
#include "workers/router/core/partition_io.hpp"

namespace tokenrail::router {

class ReportTokens {
 public:
  static constexpr unsigned partition_shift = 40;
  static constexpr std::uint64_t low_mask = (1ULL << partition_shift) - 1;

  /// The partition that a chunk was sent for. Of its generation only so many bits come back as tell the few that are
  /// alive apart.
  struct ChunkOwner {
    std::int32_t partition = 0;
    std::uint64_t generation = 0;
    [[nodiscard]] bool is(std::int32_t number, std::uint64_t of_generation) const {
      return number == partition && (of_generation & generation_mask) == generation;
    }
  };
  [[nodiscard]] static std::uint64_t of_chunk(const Sent& sent) {
    return chunk_flag | partition_bits(sent.partition) | (sent.generation & generation_mask) << generation_shift |
           low_unit(sent.unit);
  }
  [[nodiscard]] static bool is_chunk(std::uint64_t token) { return (token & chunk_flag) != 0; }
  [[nodiscard]] static ChunkOwner owner_of_chunk(std::uint64_t token) {
    return {.partition = static_cast<std::int32_t>((token & ~chunk_flag) >> partition_shift),
            .generation = token >> generation_shift & generation_mask};
  }

  /// For a record that is no chunk.
  [[nodiscard]] std::uint64_t next(std::int32_t partition) {
    return partition_bits(partition) | (++newest_ & low_mask);
  }
  /// The producer took the record with that token.
  void accepted(std::uint64_t token, const Sent& sent) { sent_.emplace(token, sent); }
  /// The record that a report is about. Nothing: an earlier producer took it.
  [[nodiscard]] std::optional<Sent> take(std::uint64_t token);
  /// The report without an offset, where that is only a number within a batch that was sent twice (BatchNumbers).
  [[nodiscard]] kafka::Report placed(const Sent& sent, const kafka::Report& report);
  /// The producer was replaced: what it had not reported never will be.
  void clear();

 private:
  static constexpr std::uint64_t chunk_flag = 1ULL << 63U;
  static constexpr unsigned generation_shift = 28;
  static constexpr std::uint64_t generation_mask = (1ULL << (partition_shift - generation_shift)) - 1;
  [[nodiscard]] static std::uint64_t partition_bits(std::int32_t partition) {
    return static_cast<std::uint64_t>(partition) << partition_shift;
  }

  std::uint64_t newest_ = 0;
  std::unordered_map<std::uint64_t, Sent> sent_{};  ///< what is on its way, without chunks
  std::map<std::int32_t, BatchNumbers> batches_{};  ///< of the audit log, by partition
};

}  // namespace tokenrail::router
