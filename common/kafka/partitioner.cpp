#include "common/kafka/partitioner.hpp"

#include <cstddef>

namespace tokenrail::kafka {

std::uint32_t murmur2_positive(std::string_view key) {
  constexpr std::uint32_t m = 0x5bd1e995;
  constexpr int r = 24;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(key[i])); };
  std::uint32_t h = 0x9747b28cU ^ static_cast<std::uint32_t>(key.size());
  std::size_t i = 0;
  for (; i + 4 <= key.size(); i += 4) {
    std::uint32_t k = byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24;
    k *= m;
    k ^= k >> r;
    k *= m;
    h *= m;
    h ^= k;
  }
  const std::size_t rest = key.size() - i;
  if (rest == 3) h ^= byte(i + 2) << 16;
  if (rest >= 2) h ^= byte(i + 1) << 8;
  if (rest >= 1) {
    h ^= byte(i);
    h *= m;
  }
  h ^= h >> 13;
  h *= m;
  h ^= h >> 15;
  return h & 0x7fffffffU;
}

std::int32_t partition_of(std::string_view key, std::int32_t partitions) {
  return static_cast<std::int32_t>(murmur2_positive(key) % static_cast<std::uint32_t>(partitions));
}

}  // namespace tokenrail::kafka
