#include "common/events/audit_fold.hpp"

#include <algorithm>

namespace tokenrail::events {

namespace {

// Source offsets whose forgotten events are remembered by one number. Small beside the events that are read for the
// dedupe window, large beside a number each.
constexpr std::int64_t forgotten_group = 256;
constexpr std::size_t claims_max = 1'000;

std::int64_t group_of(RequestOffset source_offset) {
  return source_offset.value() / forgotten_group;
}

bool is_of(const AuditFold::Attempt& attempt, std::string_view org_id, std::string_view request_id) {
  return attempt.ids.org_id == org_id && attempt.ids.request_id == request_id;
}

bool continues(const AuditFold::Attempt& attempt, const AuditFacts& event) {
  return attempt.continued && attempt.continued->epoch == event.epoch && attempt.continued->instance == event.instance;
}

}  // namespace

bool AuditFold::Attempt::interrupted() const {
  return response && response->outcome == name_of(Outcome::interrupted);
}

AuditFold::Verdict AuditFold::apply(AuditOffset audit_offset, const AuditFacts& event) {
  next_ = audit_offset + 1;
  using Kind = AuditFacts::Kind;
  if (event.kind == Kind::claimed) return claimed(audit_offset, event);
  claims_in_a_row_ = 0;
  claimed_by_.clear();
  switch (event.kind) {
    case Kind::request:
      return requested(audit_offset, event);
    case Kind::response:
      return responded(audit_offset, event);
    case Kind::released:
      return released(audit_offset, event);
    case Kind::continuing:
      return continuing(audit_offset, event);
    case Kind::lost:
      // It changes nothing of what is known of the attempts.
      return event.epoch < epoch_ ? Verdict::is_void : Verdict::counts;
    default:
      return Verdict::foreign;
  }
}

std::int64_t AuditFold::epoch_at(AuditOffset audit_offset) const {
  const auto next = claims_.lower_bound(audit_offset);
  return next == claims_.begin() ? start_epoch_ : std::prev(next)->second;
}

AuditFold::Verdict AuditFold::claimed(AuditOffset audit_offset, const AuditFacts& event) {
  if (event.epoch <= epoch_) return Verdict::is_void;
  epoch_ = event.epoch;
  claims_.emplace(audit_offset, epoch_);
  if (claims_.size() > claims_max) {
    claims_.erase(claims_.begin());
    start_epoch_ = 0;  // what preceded the oldest that is left is not known any more
  }
  if (const auto worker = worker_of(event.instance); claims_in_a_row_ == 0 || worker != claimed_by_) {
    ++claims_in_a_row_;
    claimed_by_ = worker;
  }
  return Verdict::counts;
}

AuditFold::Verdict AuditFold::requested(AuditOffset audit_offset, const AuditFacts& event) {
  auto& source = sources_.try_emplace(event.ids.source_offset, Source{.first_event = audit_offset}).first->second;
  if (event.epoch < epoch_) return Verdict::is_void;
  if (auto* attempt = known(event.ids.source_offset, event.ids.attempt)) {
    if (attempt->request_offset >= AuditOffset(0)) return Verdict::repeated;
    attempt->request_offset = audit_offset;
    return Verdict::counts;
  }
  source.attempts.push_back({.ids = event.ids, .request_offset = audit_offset});
  source.attempts.back().ids.epoch = event.epoch;
  source.attempts.back().ids.instance = event.instance;
  return Verdict::counts;
}

AuditFold::Verdict AuditFold::responded(AuditOffset audit_offset, const AuditFacts& event) {
  auto& source = sources_.try_emplace(event.ids.source_offset, Source{.first_event = audit_offset}).first->second;
  auto* attempt = known(event.ids.source_offset, event.ids.attempt);
  const bool counts = event.epoch >= epoch_ || (attempt != nullptr && continues(*attempt, event));
  if (!counts) return Verdict::is_void;
  if (attempt == nullptr) {
    source.attempts.push_back({.ids = event.ids});
    attempt = &source.attempts.back();
    attempt->ids.epoch = event.epoch;
    attempt->ids.instance = event.instance;
  }
  if (attempt->response) return Verdict::repeated;
  if (attempt->continued) --continued_open_;
  attempt->response = Response{.audit_offset = audit_offset,
                               .epoch = event.epoch,
                               .outcome = event.outcome,
                               .cause = event.cause,
                               .error_code = event.error_code,
                               .error_message = event.error_message,
                               .recovered = event.recovered,
                               .called = event.called};
  return Verdict::counts;
}

AuditFold::Verdict AuditFold::released(AuditOffset audit_offset, const AuditFacts& event) {
  if (event.epoch < epoch_) return Verdict::is_void;
  for (const auto& [offset, number] : event.continuing) {
    if (auto* attempt = known(offset, number)) {
      if (attempt->open() && !attempt->continued) ++continued_open_;
      attempt->continued = Continued{
          .epoch = event.epoch, .instance = event.instance, .lease_ms = event.lease_ms, .renewed_at = audit_offset};
    }
  }
  return Verdict::counts;
}

AuditFold::Verdict AuditFold::continuing(AuditOffset audit_offset, const AuditFacts& event) {
  bool any = false;
  for (const auto& [offset, number] : event.continuing) {
    auto* attempt = known(offset, number);
    if (attempt == nullptr || !continues(*attempt, event)) continue;
    any = true;
    attempt->continued->lease_ms = event.lease_ms;
    attempt->continued->renewed_at = audit_offset;
    attempt->continued->given_up = false;
  }
  if (give_up_others(event)) any = true;
  return any || event.epoch >= epoch_ ? Verdict::counts : Verdict::is_void;
}

// What it has listed before, and lists no more although no response counts, it does not go on with.
bool AuditFold::give_up_others(const AuditFacts& event) {
  const auto listed = [&](const Attempt& attempt) {
    return std::ranges::any_of(event.continuing, [&](const ContinuedAttempt& named) {
      return named.offset == attempt.ids.source_offset && named.attempt == attempt.ids.attempt;
    });
  };
  bool any = false;
  if (continued_open_ == 0) return any;
  for (auto& [offset, source] : sources_) {
    for (auto& attempt : source.attempts) {
      if (!attempt.open() || !continues(attempt, event) || listed(attempt)) continue;
      attempt.continued->given_up = true;
      any = true;
    }
  }
  return any;
}

AuditFold::Attempt* AuditFold::known(RequestOffset source_offset, std::int64_t attempt) {
  const auto it = sources_.find(source_offset);
  if (it == sources_.end()) return nullptr;
  const auto found = std::ranges::find(it->second.attempts, attempt, [](const Attempt& a) { return a.ids.attempt; });
  return found == it->second.attempts.end() ? nullptr : &*found;
}

const std::vector<AuditFold::Attempt>* AuditFold::attempts(RequestOffset source_offset) const {
  const auto it = sources_.find(source_offset);
  return it == sources_.end() ? nullptr : &it->second.attempts;
}

const AuditFold::Attempt* AuditFold::find(RequestOffset source_offset, std::int64_t attempt) const {
  const auto* const all = attempts(source_offset);
  if (all == nullptr) return nullptr;
  const auto found = std::ranges::find(*all, attempt, [](const Attempt& a) { return a.ids.attempt; });
  return found == all->end() ? nullptr : &*found;
}

bool AuditFold::complete(RequestOffset source_offset, std::string_view org_id, std::string_view request_id) const {
  const auto* const all = attempts(source_offset);
  if (all == nullptr) return false;
  const Attempt* highest = nullptr;
  for (const auto& attempt : *all) {
    if (!is_of(attempt, org_id, request_id)) continue;
    if (highest == nullptr || attempt.ids.attempt > highest->ids.attempt) highest = &attempt;
  }
  return highest != nullptr && !highest->open() && !highest->interrupted();
}

bool AuditFold::any_open(RequestOffset source_offset) const {
  const auto* const all = attempts(source_offset);
  return all != nullptr && std::ranges::any_of(*all, &Attempt::open);
}

bool AuditFold::attempted(RequestOffset source_offset, std::string_view org_id, std::string_view request_id) const {
  const auto* const all = attempts(source_offset);
  return all != nullptr && std::ranges::any_of(*all, [&](const Attempt& attempt) {
           return attempt.ids.attempt > 0 && is_of(attempt, org_id, request_id);
         });
}

const AuditFold::Response* AuditFold::refused(RequestOffset source_offset, std::string_view org_id,
                                              std::string_view request_id) const {
  const auto* const all = attempts(source_offset);
  if (all == nullptr) return nullptr;
  const Attempt* newest = nullptr;
  for (const auto& attempt : *all) {
    if (!is_of(attempt, org_id, request_id) || !attempt.interrupted() || attempt.response->cause != cause_refused)
      continue;
    if (newest == nullptr || attempt.ids.attempt > newest->ids.attempt) newest = &attempt;
  }
  return newest == nullptr ? nullptr : &*newest->response;
}

int AuditFold::interruptions(RequestOffset source_offset, std::string_view org_id, std::string_view request_id,
                             std::string_view cause) const {
  const auto* const all = attempts(source_offset);
  if (all == nullptr) return 0;
  return static_cast<int>(std::ranges::count_if(*all, [&](const Attempt& attempt) {
    return is_of(attempt, org_id, request_id) && attempt.interrupted() && attempt.response->cause == cause;
  }));
}

std::vector<const AuditFold::Attempt*> AuditFold::open() const {
  std::vector<const Attempt*> all;
  for (const auto& [offset, source] : sources_) {
    for (const auto& attempt : source.attempts) {
      if (attempt.open()) all.push_back(&attempt);
    }
  }
  return all;
}

std::optional<AuditOffset> AuditFold::first_event_from(RequestOffset source_offset) const {
  std::optional<AuditOffset> first;
  // The position of a forgotten one in its group is not known any more; too low a position is never wrong.
  for (auto it = forgotten_.lower_bound(group_of(source_offset)); it != forgotten_.end(); ++it) {
    first = std::min(first.value_or(it->second), it->second);
  }
  for (auto it = sources_.lower_bound(source_offset); it != sources_.end(); ++it) {
    first = std::min(first.value_or(it->second.first_event), it->second.first_event);
  }
  return first;
}

void AuditFold::forget_complete(RequestOffset source_offset) {
  const auto it = sources_.find(source_offset);
  if (it == sources_.end() || std::ranges::any_of(it->second.attempts, &Attempt::open)) return;
  const auto first = it->second.first_event;
  auto& lowest = forgotten_.try_emplace(group_of(source_offset), first).first->second;
  lowest = std::min(lowest, first);
  sources_.erase(it);
}

void AuditFold::forget_others(RequestOffset source_offset, std::string_view org_id, std::string_view request_id,
                              std::int64_t source_ms) {
  const auto it = sources_.find(source_offset);
  if (it == sources_.end()) return;
  std::erase_if(it->second.attempts, [&](const Attempt& attempt) {
    const bool same_time = source_ms < 0 || attempt.ids.source_ms < 0 || attempt.ids.source_ms == source_ms;
    return !attempt.open() && !(is_of(attempt, org_id, request_id) && same_time);
  });
}

void AuditFold::forget_below(RequestOffset source_offset) {
  forgotten_.erase(forgotten_.begin(), forgotten_.lower_bound(group_of(source_offset)));
  for (auto it = sources_.begin(); it != sources_.end() && it->first < source_offset;) {
    const bool open = std::ranges::any_of(it->second.attempts, &Attempt::open);
    it = open ? std::next(it) : sources_.erase(it);
  }
}

}  // namespace tokenrail::events
