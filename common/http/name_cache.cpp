#include "common/http/name_cache.hpp"

#include <algorithm>
#include <utility>

namespace tokenrail::http {

std::string NameCache::key_of(std::string_view name) {
  std::string key(name);
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return key;
}

const NameAnswer* NameCache::find(std::string_view name, Time now) const {
  const auto found = known_.find(key_of(name));
  return found != known_.end() && now < found->second.valid_until ? &found->second.answer : nullptr;
}

const NameCache::Known* NameCache::usable(const std::string& key, Time now) const {
  const auto found = known_.find(key);
  if (found == known_.end() || found->second.answer.addresses.empty()) return nullptr;
  return now < found->second.usable_until ? &found->second : nullptr;
}

NameCache::Asked NameCache::ask(std::string_view name, WaiterId waiter, Time now) {
  const std::string key = key_of(name);
  auto found = pending_.find(key);
  const bool first = found == pending_.end();
  if (first) {
    if (pending_.size() >= options_.lookups_max) return Asked::refused;
    found = pending_.try_emplace(key).first;
  }
  found->second.push_back({.id = waiter, .old_ones_at = usable(key, now) ? now + options_.stale_after : Time::max()});
  waiting_for_.emplace(waiter, key);
  return first ? Asked::ask : Asked::joined;
}

void NameCache::forget(WaiterId waiter) {
  const auto found = waiting_for_.find(waiter);
  if (found == waiting_for_.end()) return;
  if (const auto pending = pending_.find(found->second); pending != pending_.end()) {
    std::erase_if(pending->second, [&](const Waiter& w) { return w.id == waiter; });
  }
  waiting_for_.erase(found);
}

NameCache::Due NameCache::answered(std::string_view name, Outcome outcome, NameAnswer answer,
                                   std::chrono::milliseconds ttl, Time now) {
  const std::string key = key_of(name);
  Due due;
  if (const auto pending = pending_.find(key); pending != pending_.end()) {
    for (const Waiter& waiter : pending->second) {
      due.waiters.push_back(waiter.id);
      waiting_for_.erase(waiter.id);
    }
    pending_.erase(pending);
  }
  Known known;
  if (outcome == Outcome::found) {
    known.answer = std::move(answer);
    known.valid_until = now + std::clamp(ttl, options_.ttl_min, options_.ttl_max);
    known.usable_until = known.valid_until + options_.stale_max;
  } else {
    // A name that does not exist any more has no addresses, whatever was known of it.
    const Known* const old = outcome == Outcome::failed ? usable(key, now) : nullptr;
    if (old != nullptr) known = *old;
    if (old == nullptr) known.answer.problem = std::move(answer.problem);
    known.valid_until = now + options_.failure_ttl;
  }
  due.answer = known.answer;
  keep(key, std::move(known), now);
  return due;
}

void NameCache::keep(const std::string& key, Known known, Time now) {
  if (known_.size() >= options_.names_max && !known_.contains(key)) {
    std::erase_if(
        known_, [&](const auto& entry) { return entry.second.valid_until <= now && entry.second.usable_until <= now; });
    if (known_.size() >= options_.names_max) {
      known_.erase(std::ranges::min_element(known_, {}, [](const auto& entry) { return entry.second.valid_until; }));
    }
  }
  known_.insert_or_assign(key, std::move(known));
}

std::vector<NameCache::Due> NameCache::take_due(Time now) {
  std::vector<Due> all;
  for (auto& [key, waiters] : pending_) {
    Due due;
    for (const Waiter& waiter : waiters) {
      if (waiter.old_ones_at <= now) due.waiters.push_back(waiter.id);
    }
    if (due.waiters.empty()) continue;
    const Known* const old = usable(key, now);
    // Old ones that have gone meanwhile (their place was needed) leave their waiters waiting for the look-up.
    for (Waiter& waiter : waiters) {
      if (waiter.old_ones_at <= now) waiter.old_ones_at = Time::max();
    }
    if (old == nullptr) continue;
    due.answer = old->answer;
    for (const WaiterId id : due.waiters) {
      waiting_for_.erase(id);
      std::erase_if(waiters, [id](const Waiter& w) { return w.id == id; });
    }
    all.push_back(std::move(due));
  }
  return all;
}

NameCache::Time NameCache::next_due() const {
  Time next = Time::max();
  for (const auto& [key, waiters] : pending_) {
    for (const Waiter& waiter : waiters) next = std::min(next, waiter.old_ones_at);
  }
  return next;
}

std::vector<std::string> NameCache::pending() const {
  std::vector<std::string> names;
  for (const auto& [key, waiters] : pending_) names.push_back(key);
  return names;
}

}  // namespace tokenrail::http
