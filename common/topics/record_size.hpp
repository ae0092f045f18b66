// How large a record of the router may be by default, for options and settings alike. Pure.
#pragma once

#include <cstdint>

namespace tokenrail::topics {

/// Bytes of a value on chat.chunks and llm.audit: the default of router.record_bytes_max.
inline constexpr std::int64_t record_bytes_default = 900 * 1024;

}  // namespace tokenrail::topics
