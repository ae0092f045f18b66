#include "cli/verify/findings.hpp"

#include <algorithm>
#include <utility>

namespace tokenrail::verify {

std::string_view name_of(Promise promise) {
  switch (promise) {
    case Promise::answered:
      return "P1";
    case Promise::whole:
      return "P2";
    case Promise::once:
      return "P3";
    case Promise::audited:
      return "P4";
    case Promise::committed:
      return "P5";
    case Promise::order:
      return "ORDER";
    case Promise::dedupe:
      return "DEDUPE";
    case Promise::deadline:
      return "DEADLINE";
    case Promise::ownership:
      return "OWNERSHIP";
  }
  return "";
}

void Figures::add(const Figures& other) {
  requests += other.requests;
  dead_letters += other.dead_letters;
  chunks += other.chunks;
  audit_events += other.audit_events;
  attempts += other.attempts;
  reruns += other.reruns;
  duplicates += other.duplicates;
  duplicates_run += other.duplicates_run;
  recovered += other.recovered;
  void_events += other.void_events;
  late_responses += other.late_responses;
  claims += other.claims;
  claims_void += other.claims_void;
  releases += other.releases;
  owners_lost += other.owners_lost;
  early_closings += other.early_closings;
  open_requests += other.open_requests;
  open_attempts += other.open_attempts;
  lost += other.lost;
  unknown += other.unknown;
  displaced += other.displaced;
  unreadable += other.unreadable;
  sender_times += other.sender_times;
  names_shared += other.names_shared;
  audit_tail = std::max(audit_tail, other.audit_tail);
  violations_left += other.violations_left;
  for (const auto& [cause, count] : other.interrupted) interrupted[cause] += count;
  takeover_ms.insert(takeover_ms.end(), other.takeover_ms.begin(), other.takeover_ms.end());
}

void Findings::report(Promise promise, const std::string& topic, std::vector<std::int64_t> offsets, std::string text) {
  if (violations_.size() >= violations_max_) {
    ++figures.violations_left;
    return;
  }
  violations_.push_back({.promise = promise,
                         .text = std::move(text),
                         .topic = topic,
                         .partition = partition_,
                         .offsets = std::move(offsets)});
}

}  // namespace tokenrail::verify
