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

namespace {

constexpr std::int64_t minute_ms = 60'000;

}  // namespace

Exhausted::Use Exhausted::Use::at(std::int64_t now) const {
  if (now == minute) return *this;
  if (now == minute + 1) return {.minute = now, .requests_before = requests, .tokens_before = tokens};
  return {.minute = now};
}

void Exhausted::used(std::string_view key, std::int64_t requests, std::int64_t tokens, std::chrono::milliseconds now) {
  const auto minute = now.count() / minute_ms;
  auto at = uses_.find(key);
  if (at == uses_.end()) {
    if (uses_.size() >= entries_max_)
      std::erase_if(uses_, [&](const auto& one) { return one.second.minute + 1 < minute; });
    if (uses_.size() >= entries_max_) return;
    at = uses_.emplace(key, Use{.minute = minute}).first;
  }
  at->second = at->second.at(minute);
  at->second.requests += requests;
  at->second.tokens += tokens;
}

bool Exhausted::over(std::string_view key, const Allowed& allowed, std::chrono::milliseconds now) const {
  const auto at = uses_.find(key);
  if (!allowed.any() || at == uses_.end()) return false;
  const auto use = at->second.at(now.count() / minute_ms);
  const auto left = static_cast<double>(minute_ms - now.count() % minute_ms) / static_cast<double>(minute_ms);
  const auto reached = [&](const std::optional<std::int64_t>& most, std::int64_t here, std::int64_t before) {
    return most && static_cast<double>(here) + static_cast<double>(before) * left >= static_cast<double>(*most);
  };
  return reached(allowed.requests, use.requests, use.requests_before) ||
         reached(allowed.tokens, use.tokens, use.tokens_before);
}

}  // namespace tokenrail::router
