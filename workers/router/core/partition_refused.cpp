// What the brokers refuse for good ends the request that it belongs to, and harms nothing else. Of a refused chunk the
// attempt is closed as `interrupted` (cause `refused`) with the error that the request is to end with; the next attempt
// calls nobody and publishes that error, here or at whoever owns the partition then. An audit event is written again,
// smaller. What is refused all the same waits and is tried again: the request stays incomplete, and /readyz says so. A
// partition of a topic that acknowledges nothing fails alone.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/events/utf8.hpp"
#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"
#include "workers/router/core/planted.hpp"
#include "workers/router/core/refusals.hpp"

namespace tokenrail::router {

namespace {

using events::ErrorCode;
using events::Failure;

constexpr std::size_t detail_bytes_max = 200;

Failure refusal(const std::string& topic, std::size_t bytes, std::string_view detail) {
  const auto said = events::utf8_prefix(detail, detail_bytes_max);
  if (is_about_size(detail)) {
    return Failure::of(ErrorCode::response_too_large,
                       fmt::format("{} refused a record of this answer, of up to {} bytes, as too large ({}). Have the "
                                   "operator raise max.message.bytes of {} or lower router.record_bytes_max, then ask "
                                   "again under a new requestId.",
                                   topic, bytes, said, topic));
  }
  return Failure::of(
      ErrorCode::internal,
      fmt::format("{} refused a record of this answer for good ({}). Have the operator compare the topic "
                  "with `tokenrail topics check`, then ask again under a new requestId.",
                  topic, said));
}

}  // namespace

void Partition::record_refused(const Sent& sent, std::string_view detail) {
  if (sent.purpose == Purpose::terminal) {
    chunk_refused(sent.unit, detail);
  } else {
    event_refused(sent, detail);
  }
}

void Partition::end_chunks_not_taken() {
  for (const auto& [unit, why] : refused_.take_chunks()) chunk_refused(unit, why);
}

// --- chunks ---------------------------------------------------------------------------------------------------------

void Partition::chunk_refused(std::uint64_t unit, std::string_view detail) {
  auto* const known = jobs_.with_unit(unit);
  if (known == nullptr) return;
  Job& job = *known;
  auto& attempt = *job.attempt;
  const auto bytes = attempt.largest_chunk();
  const auto full_unit = attempt.unit();
  // What waits for room behind it must not be written either.
  output_.drop_kept_of(full_unit);
  const auto now = services_.environment.now().steady;
  // The answer to a duplicate left nothing in the log that would have to be closed.
  if (attempt.number() == 0) {
    services_.hub.record_refused(Output::chunks, bytes, detail);
    job.wait_until = now + refusal_wait(++job.refusals);
    attempt_gone(job);
    look_at(job.offset);
    return;
  }
  const bool was_refused_before = refused_before(job).has_value();
  if (!attempt.refuse(refusal(services_.hub.topic(Output::chunks), bytes, detail))) return;
  services_.hub.record_refused(Output::chunks, bytes, detail);
  spdlog::warn("partition {} offset {}: {} refused a chunk of attempt {} for good ({}); the request ends with an error",
               number_, job.offset.value(), services_.hub.topic(Output::chunks), attempt.number(), detail);
  over(job);
  ++job.refusals;
  // Not even the error is taken: it waits until it is. Where no number is left for one more attempt, until a new claim.
  if (was_refused_before) job.wait_until = now + refusal_wait(job.refusals);
  if (attempt.number() % events::attempts_per_epoch == RecentRequests::attempts_max) job.wait_until = Millis::max();
}

/// How the request is to end, where a chunk of an earlier attempt was refused.
std::optional<Failure> Partition::refused_before(const Job& job) const {
  if (planted(Bug::runs_again_though_refused)) return std::nullopt;
  const auto* const refused = fold_.refused(job.offset, job.org_id(), job.request_id());
  if (refused == nullptr) return std::nullopt;
  return Failure::of(events::error_code_from(refused->error_code).value_or(ErrorCode::internal),
                     refused->error_message.empty() ? "The brokers refused a record of this answer for good."
                                                    : refused->error_message);
}

/// The job has no attempt any more, and may have another.
void Partition::attempt_gone(Job& job) {
  if (!job.attempt) return;
  over(job);
  jobs_.attempt_gone(job.attempt->unit(), job.attempt->number());
  job.attempt.reset();
  job.stage = Job::Stage::in_line;
}

bool Partition::waits(Job& job) {
  if (job.wait_until == Millis(0)) return false;
  if (services_.environment.now().steady < job.wait_until) {
    schedule(job, job.wait_until);
    return true;
  }
  job.wait_until = Millis(0);
  return false;
}

// --- audit events ---------------------------------------------------------------------------------------------------

void Partition::event_refused(const Sent& sent, std::string_view detail) {
  if (owns()) account_.refused();
  services_.hub.record_refused(Output::audit, sent.bytes, detail);
  switch (sent.purpose) {
    case Purpose::claim:
      silence_ = fmt::format("{} refused its claim ({})", services_.hub.topic(Output::audit), detail);
      fail(silence_);
      return;
    case Purpose::released:
      // As if it had not been acknowledged in time: whoever comes next closes what runs.
      spdlog::warn("partition {}: {} refused the event that it is released ({}); what runs there ends here", number_,
                   services_.hub.topic(Output::audit), detail);
      give_up();
      return;
    case Purpose::renewal:
      return;  // the next one is due before the lease runs out
    case Purpose::loss:
      gaps_.report_uncounted_again();
      break;
    default:
      break;
  }
  if (const auto event = refused_.event_refused(sent, services_.environment.now().steady)) {
    write_again(*event);
    return;
  }
  // The others that are prepared one at a time do not wait for it.
  isolation_.give_up(sent.offset);
  if (auto* const job = jobs_.find(sent.offset)) jobs_.reported(*job);
  look_at_held();
}

/// Its llm.request was refused before router.released was written. Behind that event it would begin an attempt of an
/// owner that has gone, so it is not written again: the next owner finds a request that nobody has begun.
void Partition::never_began(events::RequestOffset offset, std::int64_t number) {
  auto* const job = with_attempt(offset, number);
  if (job == nullptr) return;
  if (phase_ == Phase::continuing) {
    finish_continued(offset);
  } else {
    attempt_gone(*job);
  }
}

void Partition::write_again(const RefusedRecords::Event& event) {
  const auto& [purpose, offset, number] = event.key;
  if (purpose == Purpose::loss) {
    tell_losses();
    return;
  }
  if (purpose == Purpose::closing_event) {
    leases_.reopen({offset, number});
    if (const auto* const attempt = fold_.find(offset, number); attempt != nullptr && attempt->open()) {
      close(plan_closing(*attempt, takeover_.answers(), well_workers_));
    } else {
      refused_.forget(event.key);
    }
    return;
  }
  const auto* const job = with_attempt(offset, number);
  if (job == nullptr) {
    refused_.forget(event.key);
  } else if (purpose == Purpose::request_event && given_up()) {
    refused_.forget(event.key);
    never_began(offset, number);
  } else if (purpose == Purpose::request_event) {
    job->attempt->announce_again(event.bytes_max);
  } else {
    job->attempt->respond_again(event.bytes_max);
  }
}

void Partition::write_refused_events() {
  for (const auto& event : refused_.take_due(services_.environment.now().steady)) write_again(event);
}

// --- silence --------------------------------------------------------------------------------------------------------

// A partition of a topic without a leader, or below its minimum of replicas, acknowledges nothing and refuses nothing.
// What was sent there has an unknown fate until it is reported, so nothing is claimed before.
void Partition::check_silence() {
  if (!writes()) return;
  for (const auto output : {Output::audit, Output::chunks}) {
    if (io_.unreported_age(output, number_) <= services_.options.unreported_max) continue;
    silence_ = fmt::format("partition {} of {} has acknowledged nothing for more than {} s", number_,
                           services_.hub.topic(output), services_.options.unreported_max.count() / 1000);
    fail(silence_);
    return;
  }
}

Partition::Held Partition::held() const {
  auto letters = dead_letters_.waiting();
  Held all{.dead_letters = letters.count, .requests = refused_.waiting(), .why = std::move(letters.why)};
  for (const auto& [offset, job] : jobs_) {
    if (job.wait_until > Millis(0)) ++all.requests;
  }
  return all;
}

}  // namespace tokenrail::router
