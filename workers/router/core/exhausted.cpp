#include "workers/router/core/exhausted.hpp"

#include <algorithm>

namespace tokenrail::router {

void Exhausted::note(std::string_view key, const providers::RateLimits& limits, std::chrono::milliseconds now) {
  const auto wait = providers::exhausted_for(limits);
  const auto at = until_.find(key);
  if (!wait) {
    const bool said = limits.requests.remaining || limits.tokens.remaining || limits.input_tokens.remaining ||
                      limits.output_tokens.remaining;
    if (said && at != until_.end()) until_.erase(at);
    return;
  }
  set(key, now + std::min(*wait, longest), now);
}

void Exhausted::rest(std::string_view key, std::chrono::milliseconds wait, std::chrono::milliseconds now,
                     std::chrono::milliseconds most) {
  const auto until = now + std::min(wait, most);
  const auto at = until_.find(key);
  if (at == until_.end() || at->second < until) set(key, until, now);
}

void Exhausted::set(std::string_view key, std::chrono::milliseconds until, std::chrono::milliseconds now) {
  if (const auto at = until_.find(key); at != until_.end()) {
    at->second = until;
    return;
  }
  if (until_.size() >= entries_max_) std::erase_if(until_, [&](const auto& entry) { return entry.second <= now; });
  if (until_.size() < entries_max_) until_.emplace(key, until);
}

bool Exhausted::is(std::string_view key, std::chrono::milliseconds now) const {
  const auto at = until_.find(key);
  return at != until_.end() && now < at->second;
}

}  // namespace tokenrail::router
