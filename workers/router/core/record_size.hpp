// What a record counts against the window until it is complete. Pure.
#pragma once

#include <cstddef>

#include "common/kafka/record.hpp"

namespace tokenrail::router {

/// What a record and each of its headers take beside their bytes.
inline constexpr std::size_t record_frame_bytes = 256;
inline constexpr std::size_t header_frame_bytes = sizeof(kafka::Headers::value_type);

[[nodiscard]] inline std::size_t bytes_of(const kafka::Record& record) {
  std::size_t bytes = record_frame_bytes + (record.value ? record.value->size() : 0) +
                      (record.key ? record.key->size() : 0) + record.headers.size() * header_frame_bytes;
  for (const auto& [name, content] : record.headers) bytes += name.size() + (content ? content->size() : 0);
  return bytes;
}

}  // namespace tokenrail::router
