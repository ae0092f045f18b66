#include "common/auth/jwks_schedule.hpp"

#include <utility>

namespace tokenrail::auth {

bool JwksSchedule::may_fetch(Duration pause, Time now) const {
  return !running_ && (!attempted_ || now - *attempted_ >= pause);
}

JwksSchedule::Step JwksSchedule::step(Need need, Time now) const {
  if (keys(now) == nullptr) {
    const bool fetch = may_fetch(options_.pause_without_keys, now);
    return {.fetch = fetch, .wait = fetch || running_};
  }
  const bool fetch = may_fetch(options_.pause, now);
  if (need == Need::unknown_key) return {.fetch = fetch, .wait = fetch || running_};
  const auto old = now - *fetched_;
  if (old < options_.refresh_after) return {};
  const bool must_wait = old >= 2 * options_.refresh_after && failure_.empty();
  return {.fetch = fetch, .wait = must_wait && (fetch || running_)};
}

void JwksSchedule::started(Time now) {
  running_ = true;
  attempted_ = now;
}

void JwksSchedule::succeeded(JwkSet keys, Time now) {
  running_ = false;
  fetched_ = now;
  keys_ = std::move(keys);
  failure_.clear();
}

void JwksSchedule::failed(std::string why) {
  running_ = false;
  failure_ = std::move(why);
}

const JwkSet* JwksSchedule::keys(Time now) const {
  return fetched_ && now - *fetched_ < options_.stale_max ? &keys_ : nullptr;
}

std::optional<JwksSchedule::Duration> JwksSchedule::age(Time now) const {
  if (!fetched_) return std::nullopt;
  return now - *fetched_;
}

}  // namespace tokenrail::auth
