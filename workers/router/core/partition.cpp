// The jobs of a partition: from a record to its attempt (partition_attempts.cpp).
#include "workers/router/core/partition.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/events/cloud_events.hpp"
#include "workers/router/core/attempt.hpp"
#include "workers/router/core/planted.hpp"
#include "workers/router/core/uncalled_failures.hpp"

namespace tokenrail::router {

using events::ErrorCode;

Job::Job() = default;
Job::~Job() = default;

Partition::Partition(Services& services, PartitionIo& io, std::int32_t number, std::uint64_t generation)
    : services_(services),
      io_(io),
      number_(number),
      generation_(generation),
      positions_(services.options.dedupe_window, services.options.dedupe_bytes_max),
      recent_(services.options.dedupe_requests_max, services.options.dedupe_window.count()),
      untouched_(services.window),
      dead_letters_({.hub = services.hub,
                     .environment = services.environment,
                     .metrics = services.metrics,
                     .io = io,
                     .window = services.window,
                     .in_flight = services.in_flight},
                    number, generation),
      output_(io, number, generation),
      committer_(io, number, generation) {}

Partition::~Partition() {
  for (auto& [offset, job] : jobs_) {
    over(job);
    reload_ended(job);
    forget_timer(job);
    uncount(job);
  }
  drop_untouched();
}

// --- records in -----------------------------------------------------------------------------------------------------

void Partition::on_record(kafka::Record&& record) {
  const events::RequestOffset offset(record.offset);
  if (offset < ledger_.next() && witnessed(record)) {
    leave_window(bytes_of(record));
    return;
  }
  const auto size = bytes_of(record);
  if (phase_ != Phase::running && !untouched_.has_room(size) && !planted(Bug::unclaimed_fill_window)) {
    untouched_.drop(offset);
    leave_window(size);
    return;
  }
  const bool first = !std::exchange(anything_delivered_, true);
  if (first && offset < start_) {
    // The committed offset lies beyond the log (the topic was made anew): what is there now counts.
    ledger_ = Ledger(offset);
  } else if (!first || start_committed_) {
    note_gap(offset);
    if (phase_ == Phase::running) ask_about_gaps();
  }
  if (!ledger_.delivered(offset)) {
    leave_window(size);
    return;
  }
  services_.metrics.requests_read.add();
  identity_.of(Log::requests).note(record.offset, record.timestamp_ms);
  if (gone_.comparing()) {
    if (const auto outcome = gone_.read(offset, record.timestamp_ms)) compared(*outcome);
  }

  if (phase_ == Phase::running) {
    take(std::move(record));
  } else {
    untouched_.keep(std::move(record), size);
  }
}

// Workers were lost over that request so often that not even its value is looked at again.
std::optional<events::InvalidRequest> Partition::lost_too_often(const kafka::Record& record) const {
  const events::RequestOffset offset(record.offset);
  const auto* const attempts = fold_.attempts(offset);
  if (attempts == nullptr || attempts->empty() || !record.value) return std::nullopt;
  const auto& ids = attempts->back().ids;
  // A topic made anew has another request at this offset.
  if (!record.value->contains(ids.request_id) || !record.value->contains(ids.org_id)) return std::nullopt;
  if (ids.source_ms >= 0 && record.timestamp_ms >= 0 && ids.source_ms != record.timestamp_ms) return std::nullopt;
  const auto lost = fold_.interruptions(offset, ids.org_id, ids.request_id, cause_lost);
  if (lost < services_.options.lost_attempts_max) return std::nullopt;
  return events::InvalidRequest{
      .request_id = ids.request_id, .org_id = ids.org_id, .user_id = ids.user_id, .failure = too_many_lost(lost)};
}

void Partition::take(kafka::Record&& record) {
  const events::RequestOffset offset(record.offset);
  const auto now = services_.environment.now();
  events::ParsedRequest parsed;
  const bool ids_only = isolation_.active();
  if (auto refused = lost_too_often(record)) {
    parsed = std::move(*refused);
  } else if (record.headers.size() > kafka::record_headers_max) {
    parsed = events::Unanswerable{
        .reason = fmt::format("the record has more than {} headers; put what they say into the request's metadata",
                              kafka::record_headers_max)};
  } else if (record.key && record.key->size() > services_.options.request_limits.key_bytes_max) {
    parsed = events::Unanswerable{
        .reason = fmt::format("the record key has {} bytes, at most {} are allowed; use the conversation's id",
                              record.key->size(), services_.options.request_limits.key_bytes_max)};
  } else {
    auto limits = services_.options.request_limits;
    // Of a value that is too large only the ids are read.
    if (ids_only) limits.value_bytes_max = 0;
    parsed = events::parse_chat_request(record.value, limits);
  }
  if (auto* unanswerable = std::get_if<events::Unanswerable>(&parsed)) {
    // A predecessor has done so, and could not commit it because of what stands before it.
    if (committer_.is_dead_lettered(offset, events::dead_letter_digest(record))) {
      leave_window(bytes_of(record));
      complete(offset);
      return;
    }
    dead_letters_.add(std::move(record), std::move(unanswerable->reason));
    return;
  }

  Job& job = jobs_.add(offset);
  job.bytes = bytes_of(record);
  job.source_ms = record.timestamp_ms;
  // Nothing has been waiting since a time to come; a sender's clock may say anything.
  job.queued_since = record.timestamp_ms >= 0 ? std::min(Millis(record.timestamp_ms), now.wall) : now.wall;
  if (const auto trace = kafka::header(record.headers, "traceparent")) {
    job.traceparent = events::valid_traceparent(*trace).value_or("");
  }
  job.key = std::move(record.key);
  job.set_timeout(services_.options.request_timeout_default, now);
  if (auto* request = std::get_if<events::ChatRequest>(&parsed)) {
    if (request->timeout) job.set_timeout(*request->timeout, now);
    services_.metrics.unknown_fields.add(request->unknown_fields);
    job.request = std::move(*request);
    job.deadline_known = true;
  } else {
    auto& invalid = std::get<events::InvalidRequest>(parsed);
    if (ids_only && invalid.failure.code != ErrorCode::internal) job.unread = std::move(record.value);
    job.request = std::move(invalid);
    job.deadline_known = !job.unread;
  }
  recent_.seen(job.org_id(), job.request_id(), job.offset, job.seen_ms());
  // What is yet to be read is not much older, whoever made its timestamp.
  forget_requests(job.queued_since);
  jobs_.set_name(job);
  // Who may have been given more time than others must not be ended by the default.
  if (job.deadline_known) schedule(job, job.deadline);
  order_.enter(job.key, offset);
  look_at(offset);
  // Behind another of its key, or too far from the oldest.
  if (auto* const waiting = jobs_.find(offset); waiting != nullptr && waiting->stage == Job::Stage::in_line)
    offload(*waiting);
}

// Nothing that is older than `before`, less a margin, is to be read any more; what waits may be judged once more.
void Partition::forget_requests(Millis before) {
  const auto oldest = jobs_.empty() ? before.count() : std::min(jobs_.begin()->second.seen_ms(), before.count());
  recent_.forget_before(oldest - services_.options.tail_margin.count(), epoch_);
}

// --- what becomes of a job ------------------------------------------------------------------------------------------

bool Partition::is_complete(const Job& job) const {
  if (fold_.any_open(job.offset)) return false;
  if (planted(Bug::interrupted_is_complete) && fold_.attempts(job.offset) != nullptr) return true;
  return fold_.complete(job.offset, job.org_id(), job.request_id());
}

// A request of the same name that came first, not too long ago.
const RecentRequests::Seen* Partition::duplicate_of(const Job& job) {
  if (planted(Bug::runs_duplicates)) return nullptr;
  const auto* seen = recent_.find(job.org_id(), job.request_id());
  if (seen == nullptr || !seen->before(job.offset)) return nullptr;
  // It has been run as a request of its own, whoever judged so: attempt 0 would neither complete it nor end what its
  // readers have.
  if (fold_.attempted(job.offset, job.org_id(), job.request_id()) && !planted(Bug::duplicate_though_run))
    return nullptr;
  if (may_be_lost(seen->offset) && !fold_.complete(seen->offset, job.org_id(), job.request_id())) {
    // Nobody will answer the first: the first of those that are left takes its place.
    const auto next = std::ranges::find_if(jobs_, [&](const auto& entry) {
      return entry.second.org_id() == job.org_id() && entry.second.request_id() == job.request_id();
    });
    recent_.moved(job.org_id(), job.request_id(), next->first, next->second.seen_ms());
    seen = recent_.find(job.org_id(), job.request_id());
    if (!seen->before(job.offset)) return nullptr;
  }
  // Every number that one more attempt could have under this epoch is taken.
  if (seen->epoch == epoch_ && seen->attempts >= RecentRequests::attempts_max) return seen;
  const auto window = services_.options.dedupe_window;
  return window > Millis(0) && Millis(job.seen_ms() - seen->at_ms) <= window ? seen : nullptr;
}

// Called whenever something about an offset has become known.
void Partition::look_at(events::RequestOffset offset) {
  if (!to_decide_.add(offset)) return;
  while (const auto next = to_decide_.next()) decide(*next);
}

// The one place that decides what a job's next step is.
void Partition::decide(events::RequestOffset offset) {
  auto* const found = jobs_.find(offset);
  if (found == nullptr || !owns()) return;
  Job& job = *found;
  fold_.forget_others(offset, job.org_id(), job.request_id(), job.source_ms);
  if (is_complete(job)) {
    leave_line(job);
    complete(offset);
    return;
  }
  if (phase_ == Phase::running && !job.attempt && waits(job)) return;
  if (phase_ != Phase::running || job.attempt || job.stage != Job::Stage::in_line) return;
  // An attempt of it goes on elsewhere, or the event that closes it is not known to count yet.
  if (fold_.any_open(offset)) return;
  // Its time may have come while it could not be ended.
  if (job.deadline_known) schedule(job, job.deadline);
  // A duplicate first of all: whatever else would end it has an attempt number, which would displace the first's
  // answer.
  if (const auto* const first = duplicate_of(job)) {
    answer_duplicate(job, *first);
  } else if (may_attempt() && services_.hub.is_cancelled(job.org_id(), job.request_id())) {
    end_uncalled(job, cancelled());
  } else if (order_.is_first(job.key, offset)) {
    ready(job);
  }
}

void Partition::ready(Job& job, bool at_front) {
  if (job.offset - ledger_.committable() >= services_.options.partition_span_max) {
    held_.insert(job.offset);
    return;
  }
  job.stage = Job::Stage::ready;
  services_.hub.job_ready(ref(job), job.org_id(), at_front);
  if (!services_.in_flight.org_has_room(job.org_id())) offload(job);
}

Partition::Dispatched Partition::dispatch(events::RequestOffset offset) {
  auto* const found = jobs_.find(offset);
  if (found == nullptr || phase_ != Phase::running) return {};
  Job& job = *found;
  if (job.stage != Job::Stage::ready && job.stage != Job::Stage::parked) return {};
  if (attempts_left() == 0) {
    job.stage = Job::Stage::in_line;
    held_.insert(offset);
    offload(job);
    return {};
  }

  // One at a time; the others are counted only when their turn has come.
  if (isolation_.busy() && (job.unread || job.put_back)) {
    job.stage = Job::Stage::in_line;
    isolation_.wait(offset);
    offload(job);
    return {};
  }
  if (job.put_back) {
    if (!job.waits_for.empty() && !services_.in_flight.connection_has_room(job.waits_for)) {
      job.stage = Job::Stage::parked;
      return {.what = Dispatch::parked, .connection_id = job.waits_for};
    }
    reload(job);
    return {};
  }
  if (job.draw == 0) job.draw = services_.environment.random();
  if (job.unread && isolation_.active()) {
    isolation_.preparing(offset);
    begin_attempt(job);
    job.attempt->announce_unread();
    services_.in_flight.started(job.org_id(), "");
    return {.what = Dispatch::started};
  }
  auto route = job.unread ? prepare(job) : route_of(job);
  if (!route) {
    start(job, std::nullopt, std::move(route.error()));
    return {.what = Dispatch::started};
  }
  auto connection_id = route->targets.front().deployment.connection_id;
  if (!services_.in_flight.connection_has_room(connection_id)) {
    job.stage = Job::Stage::parked;
    offload(job, connection_id);
    return {.what = Dispatch::parked, .connection_id = std::move(connection_id)};
  }
  start(job, std::move(*route), std::nullopt);
  return {.what = Dispatch::started};
}

// --- time -----------------------------------------------------------------------------------------------------------

void Partition::on_time() {
  if (!failing_.empty()) {
    const auto why = std::exchange(failing_, {});
    fail(why);
    return;
  }
  check_silence();
  switch (phase_) {
    case Phase::running:
      end_chunks_not_taken();
      write_refused_events();
      send_dead_letters();
      start_next_isolated();
      ask_about_gaps();
      commit_news();
      check_leases();
      break;
    case Phase::releasing:
      end_chunks_not_taken();
      write_refused_events();
      check_leases();
      break;
    case Phase::claiming:
      if (takeover_.claim_is_in_log()) claim_reported();
      break;
    case Phase::locating:
      if (locator_.is_due(services_.environment.now().steady)) ask_for_places();
      break;
    case Phase::committing:
      write_refused_events();
      if (!committer_.pending()) send_commit();
      break;
    case Phase::draining_reports:
      if (output_.all_reported()) settled();
      break;
    case Phase::verifying_ownership:
      if (!committer_.pending()) settled();
      break;
    case Phase::reading_audit:
    case Phase::reading_chunks:
      check_reading();
      break;
    case Phase::continuing:
      end_chunks_not_taken();
      write_refused_events();
      renew_leases();
      break;
    default:
      break;
  }
}

}  // namespace tokenrail::router
