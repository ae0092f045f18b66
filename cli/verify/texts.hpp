// How requests and attempts are named in what the checker says, and how attempts are numbered.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "cli/verify/subject.hpp"
#include "common/events/epochs.hpp"

namespace tokenrail::verify {

using events::attempts_per_epoch;

inline std::string request_text(const Subject& about, std::int64_t source_offset) {
  return fmt::format("request {} of {} (source offset {})", about.request_id, about.org_id, source_offset);
}

inline std::string attempt_text(const Subject& about, std::int64_t number) {
  return fmt::format("request {} of {}, attempt {}", about.request_id, about.org_id, number);
}

/// The highest attempt of that source offset that exists.
inline const std::pair<const std::int64_t, Attempt>* highest(const Subject& about, std::int64_t source_offset) {
  for (auto it = about.attempts.rbegin(); it != about.attempts.rend(); ++it) {
    if (it->second.exists() && it->second.source_offset == source_offset) return &*it;
  }
  return nullptr;
}

}  // namespace tokenrail::verify
