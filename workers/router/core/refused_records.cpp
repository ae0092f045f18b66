#include "workers/router/core/refused_records.hpp"

#include <algorithm>

#include "workers/router/core/refusals.hpp"

namespace tokenrail::router {

namespace {

// A refused event is written again so often at once: below half of its size, then as small as it gets.
constexpr int events_at_once = 2;

bool can_be_cut(Purpose purpose) {
  return purpose != Purpose::loss && purpose != Purpose::closing_event;
}

}  // namespace

RefusedRecords::Event RefusedRecords::event_of(const Key& key, const Refusal& refusal) {
  return {.key = key, .bytes_max = refusal.count == 1 ? refusal.bytes / 2 : 0};
}

std::optional<RefusedRecords::Event> RefusedRecords::event_refused(const Sent& sent, Millis now) {
  const auto key = key_of(sent);
  auto& refusal = events_[key];
  ++refusal.count;
  refusal.bytes = sent.bytes;
  const int at_once = can_be_cut(sent.purpose) ? events_at_once : 0;
  if (refusal.count <= at_once) {
    refusal.retry_at = Millis::max();  // until it is reported
    return event_of(key, refusal);
  }
  refusal.retry_at = now + refusal_wait(refusal.count - at_once);
  return std::nullopt;
}

std::vector<RefusedRecords::Event> RefusedRecords::take_due(Millis now) {
  std::vector<Event> due;
  for (auto& [key, refusal] : events_) {
    if (now < refusal.retry_at) continue;
    refusal.retry_at = Millis::max();  // until it is reported
    due.push_back(event_of(key, refusal));
  }
  return due;
}

std::size_t RefusedRecords::waiting() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(events_, [](const auto& entry) { return entry.second.count > events_at_once; }));
}

void RefusedRecords::clear() {
  events_.clear();
  chunks_.clear();
}

}  // namespace tokenrail::router
