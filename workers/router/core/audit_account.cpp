#include "workers/router/core/audit_account.hpp"

#include <algorithm>
#include <utility>

namespace tokenrail::router {

namespace {

bool same_event(const events::AuditFacts& a, const events::AuditFacts& b) {
  return a.kind == b.kind && a.epoch == b.epoch && a.instance == b.instance &&
         a.ids.source_offset == b.ids.source_offset && a.ids.attempt == b.ids.attempt && a.outcome == b.outcome &&
         a.lost_from == b.lost_from && a.lost_to == b.lost_to;
}

}  // namespace

void AuditAccount::produced(Entry entry) {
  entry.own = true;
  on_the_way_.push_back(std::move(entry));
}

bool AuditAccount::reported(events::AuditOffset offset, std::int64_t stamp_ms) {
  if (on_the_way_.empty()) return true;
  auto entry = std::move(on_the_way_.front());
  on_the_way_.pop_front();

  if (entry.read) return true;  // whatever the report says of its place
  if (offset < events::AuditOffset(0)) {
    unplaced_events_.push_back(std::move(entry));
    ++unplaced_;
    return true;
  }
  if (offset < position_) return false;
  entry.offset = offset;
  entry.stamp_ms = stamp_ms;
  if (offset == position_ && beyond_.empty()) {
    ++position_;
    ready_.push_back(std::move(entry));
    return true;
  }
  beyond_.insert_or_assign(offset, std::move(entry));
  advance();
  return true;
}

void AuditAccount::read(Entry entry) {
  const auto offset = entry.offset;
  if (offset < position_) return;
  if (const auto own = beyond_.find(offset); own != beyond_.end()) entry = std::move(own->second);
  const auto placed =
      std::ranges::find_if(unplaced_events_, [&](const Entry& e) { return same_event(e.facts, entry.facts); });
  if (!entry.own && placed != unplaced_events_.end()) {
    entry = std::move(*placed);
    entry.offset = offset;
    unplaced_events_.erase(placed);
    --unplaced_;
  } else if (!entry.own) {
    const auto sent =
        std::ranges::find_if(on_the_way_, [&](const Entry& e) { return !e.read && same_event(e.facts, entry.facts); });
    if (sent != on_the_way_.end()) sent->read = true;
  }
  beyond_.erase(beyond_.begin(), beyond_.upper_bound(offset));
  position_ = offset + 1;
  ready_.push_back(std::move(entry));
  advance();
}

void AuditAccount::read_foreign(events::AuditOffset offset) {
  if (offset < position_) return;
  position_ = offset + 1;
  advance();
}

void AuditAccount::read_to(events::AuditOffset next) {
  if (next <= position_) return;
  position_ = next;
  advance();
}

void AuditAccount::advance() {
  while (!beyond_.empty() && beyond_.begin()->first <= position_) {
    auto entry = beyond_.extract(beyond_.begin());
    if (entry.key() < position_) continue;
    ++position_;
    ready_.push_back(std::move(entry.mapped()));
  }
}

std::optional<AuditAccount::Entry> AuditAccount::take() {
  if (ready_.empty()) return std::nullopt;
  auto entry = std::move(ready_.front());
  ready_.pop_front();
  return entry;
}

std::deque<AuditAccount::Entry> AuditAccount::delivered_beyond() {
  std::deque<Entry> all = std::exchange(ready_, {});
  for (auto& [offset, entry] : std::exchange(beyond_, {})) all.push_back(std::move(entry));
  for (auto& entry : std::exchange(unplaced_events_, {})) all.push_back(std::move(entry));
  unplaced_ = 0;
  return all;
}

}  // namespace tokenrail::router
