// What a partition produces, and what becomes of the reports.
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/events/audit.hpp"
#include "common/events/cloud_events.hpp"
#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"
#include "workers/router/core/planted.hpp"

namespace tokenrail::router {

void Partition::produce_chunk(Job& job, std::string_view value, bool first) {
  services_.metrics.chunks.add();
  const Sent sent{.purpose = Purpose::chunk, .offset = job.offset, .unit = job.attempt->unit()};
  if (first && !job.traceparent.empty()) {
    const kafka::Headers headers{{"traceparent", job.traceparent}};
    send(Output::chunks, job.key, value, &headers, sent);
  } else {
    send(Output::chunks, job.key, value, nullptr, sent);
  }
}

void Partition::produce_terminal(Job& job, std::string_view value, std::int64_t attempt) {
  services_.metrics.chunks.add();
  const Sent sent{.purpose = Purpose::terminal, .offset = job.offset, .attempt = attempt, .unit = job.attempt->unit()};
  if (job.traceparent.empty()) {
    send(Output::chunks, job.key, value, nullptr, sent);
  } else {
    const kafka::Headers headers{{"traceparent", job.traceparent}};
    send(Output::chunks, job.key, value, &headers, sent);
  }
  // It calls nobody any more, however long the report takes.
  over(job);
  jobs_.wait_for_report(job);
  if (planted(Bug::next_when_sent)) leave_line(job);
}

void Partition::produce_event(Purpose purpose, Job& job, std::string_view value, events::AuditFacts facts) {
  const auto type = purpose == Purpose::request_event ? events::llm_request_type : events::llm_response_type;
  const auto attempt = facts.ids.attempt;
  send_audit({.purpose = purpose, .offset = job.offset, .attempt = attempt}, job.key, type,
             events::audit_event_id(number_, job.offset, attempt, type, epoch_), job.traceparent, value,
             std::move(facts));
}

void Partition::send_ownership(Purpose purpose, std::string_view type, std::string_view value,
                               events::AuditFacts facts) {
  send_audit({.purpose = purpose}, std::nullopt, type,
             events::ownership_event_id(number_, epoch_, instance_, ++ownership_events_), {}, value, std::move(facts));
}

void Partition::send_audit(const Sent& sent, const std::optional<std::string>& key, std::string_view type,
                           std::string id, const std::string& traceparent, std::string_view value,
                           events::AuditFacts facts) {
  if (!writes()) return;
  const auto now = services_.environment.now().wall.count();
  // Whoever only continues keeps no account of the log.
  if (owns()) {
    account_.produced({.facts = std::move(facts),
                       .chunks_acknowledged_before = positions_.chunks_acknowledged(),
                       .at_ms = now,
                       .bytes = value.size()});
  }
  const auto headers = events::cloud_event_headers({.id = std::move(id),
                                                    .source = fmt::format("/router/{}", number_),
                                                    .type = std::string(type),
                                                    .time_ms = now,
                                                    .traceparent = traceparent});
  send(Output::audit, key, value, &headers, sent);
}

void Partition::send(Output output, const std::optional<std::string>& key, std::optional<std::string_view> value,
                     const kafka::Headers* headers, const Sent& what) {
  if (!writes()) return;
  if (const auto rejected = output_.send(output, key, value, headers, what)) {
    not_taken(*rejected);
    services_.hub.wake_soon();
  }
}

// The producer does not take a record, and never will. A chunk harms its request alone; without an audit event nothing
// can go on here.
void Partition::not_taken(const RecordOutput::NotTaken& record) {
  const auto& [sent, produced] = record;
  const auto why = produced == kafka::Produced::too_large       ? "too large for the producer's message.max.bytes"
                   : produced == kafka::Produced::unknown_topic ? "its topic, or that partition of it, does not exist"
                                                                : "the producer can no longer work";
  if (produced == kafka::Produced::too_large && (sent.purpose == Purpose::chunk || sent.purpose == Purpose::terminal)) {
    refused_.chunk_not_taken(sent.unit, why);
    return;
  }
  failing_ = fmt::format("the producer does not take a record of {} bytes for {} ({})", sent.bytes,
                         services_.hub.topic(output_of(sent.purpose)), why);
}

void Partition::on_space() {
  if (!output_.congested()) return;
  while (const auto rejected = output_.send_kept()) {
    not_taken(*rejected);
    if (!failing_.empty()) {
      fail(std::exchange(failing_, {}));
      return;
    }
  }
  if (output_.congested()) return;
  if (wants_time()) services_.hub.wake_soon();
  for (auto& [offset, job] : jobs_) {
    if (job.attempt) job.attempt->resume();
    if (congested()) return;
  }
}

// --- reports --------------------------------------------------------------------------------------------------------

void Partition::on_chunk_report(const kafka::Report& report, std::uint64_t unit) {
  output_.reported();
  if (report.refused == kafka::Refusal::record && !planted(Bug::refusal_fails_partition)) {
    if (writes()) chunk_refused(unit, report.detail);
  } else if (!report.ok) {
    if (!planted(Bug::goes_on_after_failed_report)) fail(fmt::format("a chunk was not delivered ({})", report.detail));
  } else {
    positions_.chunk_acknowledged(events::ChunkOffset(report.offset));
    identity_.of(Log::chunks).note(report.offset, report.timestamp_ms);
  }
  if (phase_ == Phase::draining_reports && output_.all_reported()) settled();
}

void Partition::on_report(const Sent& sent, const kafka::Report& report) {
  // Whatever becomes of a dead letter, nothing else of the partition depends on it.
  if (sent.purpose == Purpose::dlq) {
    if (planted(Bug::refusal_fails_partition) && report.refused == kafka::Refusal::record) {
      failing_ = "a dead letter was refused";
    }
    if (const auto written = dead_letters_.reported(sent.offset, report)) {
      complete(sent.offset);
      if (sent.offset >= ledger_.committable()) committer_.dead_lettered(sent.offset, written->digest);
    }
    return;
  }
  output_.reported();
  if (report.refused == kafka::Refusal::record && !planted(Bug::refusal_fails_partition)) {
    if (writes()) record_refused(sent, report.detail);
    if (phase_ == Phase::draining_reports && output_.all_reported()) settled();
    return;
  }
  if (!report.ok) {
    if (planted(Bug::terminal_sent_again) && sent.purpose == Purpose::terminal) {
      if (const auto* const job = jobs_.find(sent.offset); job != nullptr && job->attempt)
        job->attempt->send_terminal_again();
      return;
    }
    if (planted(Bug::goes_on_after_failed_report)) return;
    fail(fmt::format("a record for {} was not delivered ({})", services_.hub.topic(output_of(sent.purpose)),
                     report.detail));
    if (phase_ == Phase::draining_reports && output_.all_reported()) settled();
    return;
  }
  if (phase_ == Phase::draining_reports) {
    if (output_.all_reported()) settled();
    return;
  }
  if (phase_ == Phase::verifying_ownership || phase_ == Phase::closed) return;

  switch (sent.purpose) {
    case Purpose::claim:
      // Where no more is gone than was written since, the claim took its place and the brokers' answers look right.
      if (inherited_ && report.offset >= 0 && report.offset < inherited_->audit_log.position &&
          !planted(Bug::believes_old_log)) {
        audit_went_back(events::AuditOffset(report.offset));
        return;
      }
      claim_reported();
      break;
    case Purpose::chunk:
    case Purpose::dlq:
      break;
    case Purpose::terminal:
      identity_.of(Log::chunks).note(report.offset, report.timestamp_ms);
      terminal_acknowledged(sent, events::ChunkOffset(report.offset));
      break;
    default:
      refused_.forget(RefusedRecords::key_of(sent));
      if (phase_ == Phase::continuing) {
        acknowledged_elsewhere(sent.purpose, sent.offset, sent.attempt);
        break;
      }
      if ((planted(Bug::calls_when_acknowledged) && sent.purpose == Purpose::request_event) ||
          (planted(Bug::complete_when_acknowledged) && sent.purpose == Purpose::response_event)) {
        if (auto* const job = with_attempt(sent.offset, sent.attempt)) {
          if (sent.purpose == Purpose::request_event) {
            announced(*job);
          } else {
            complete(sent.offset);
          }
        }
      }
      if (const events::AuditOffset offset(report.offset);
          !account_.reported(offset, report.timestamp_ms) && !planted(Bug::believes_old_log)) {
        audit_went_back(offset);
        return;
      }
      fold_known();
      break;
  }
}

void Partition::terminal_acknowledged(const Sent& sent, events::ChunkOffset chunk_offset) {
  positions_.terminal(sent.offset, sent.attempt, chunk_offset);
  positions_.chunk_acknowledged(chunk_offset);
  auto* const found = with_attempt(sent.offset, sent.attempt);
  if (found == nullptr) return;
  Job& job = *found;
  over(job);
  job.attempt->terminal_acknowledged();
  leave_line(job);
  look_at_held();
}

// --- commits --------------------------------------------------------------------------------------------------------

void Partition::send_commit() {
  const auto offset = planted(Bug::commit_passes_incomplete) && ledger_.incomplete() > 0 ? ledger_.committable() + 1
                                                                                         : ledger_.committable();
  const auto cut = positions_.windows_cut();
  const auto positions = positions_.at(offset, fold_, account_.position(), services_.environment.now().wall);
  services_.metrics.dedupe_windows_cut.add(positions_.windows_cut() - cut);
  events::CommitMetadata metadata{.epoch = epoch_, .audit_offset = positions.audit, .chunk_offset = positions.chunk};
  metadata.epoch_at_audit_offset = fold_.epoch_at(positions.audit);
  metadata.well_workers = well_workers_.with_open_attempts(fold_);
  bear_witness(metadata, offset);
  fold_.forget_below(offset);
  committer_.send(offset, std::move(metadata));
}

/// What is committed already, and that this worker is well. Where a log is another one than was read, a successor has
/// to look for the tails itself.
void Partition::commit_well() {
  auto workers = well_workers_.given_up_by(events::worker_of(instance_));
  if (!workers) return;
  const auto offset = committer_.offset_or(ledger_.committable());
  auto metadata = inherited_.value_or(events::CommitMetadata{.epoch = epoch_, .tails_by_time = true});
  if (!inherited_) bear_witness(metadata, offset);
  metadata.dead_letters.clear();  // filled in by send()
  metadata.well_workers = std::move(*workers);
  committer_.send(offset, std::move(metadata));
}

void Partition::commit_news() {
  if (committer_.pending()) return;
  // What was read since the last look bears no witness yet, so no commit named it. Where nothing further is committed,
  // a successor would not notice that just those records are gone.
  const bool newer_witnesses =
      inherited_ && !gone_.witness() && identity_.is_newer_than(*inherited_, committer_.offset());
  if (ledger_.committable() != committer_.offset() || committer_.has_news() || newer_witnesses) send_commit();
}

}  // namespace tokenrail::router
