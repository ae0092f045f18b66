// Which partition a key belongs to, as the Java clients' default partitioner decides. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace tokenrail::kafka {

/// murmur2 of a key that is not null, sign bit cleared.
[[nodiscard]] std::uint32_t murmur2_positive(std::string_view key);
[[nodiscard]] std::int32_t partition_of(std::string_view key, std::int32_t partitions);

}  // namespace tokenrail::kafka
