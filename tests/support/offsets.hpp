// Offsets of chat.requests as tests write them: 7_request.
#pragma once

#include <cstdint>

#include "common/events/offsets.hpp"

namespace tokenrail {

[[nodiscard]] constexpr events::RequestOffset operator""_request(unsigned long long offset) {
  return events::RequestOffset(static_cast<std::int64_t>(offset));
}

}  // namespace tokenrail
