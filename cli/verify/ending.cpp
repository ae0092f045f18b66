// What can be judged only when everything has been read: what was reported as lost, and the commit.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "cli/verify/checker.hpp"
#include "cli/verify/texts.hpp"
#include "common/events/commit_metadata.hpp"

namespace tokenrail::verify {

// --- the end --------------------------------------------------------------------------------------------------------

void Checker::finish(bool at_rest) {
  std::vector<const Subject*> left;
  for (const auto& [name, about] : subjects_) left.push_back(&about);
  // In the order of the log, whatever the table's.
  const auto place = [](const Subject* about) {
    const auto first = about->asked.empty() ? -1 : about->asked.begin()->first;
    return std::pair(first, about->request_id);
  };
  std::ranges::sort(left, {}, place);
  for (const auto* about : left) judge(*about, at_rest);
  judge_losses();
  for (const auto& [offset, times] : unanswerable_) {
    judge_loss(fmt::format("the record at offset {}", offset), offset, times.broker_ms);
    if (letter_lost(times.ms)) {
      ++figures_.unknown;
    } else if (at_rest) {
      report(Promise::answered, options_.topics.requests, {offset},
             fmt::format("the record at offset {} cannot be answered, and is not in {}", offset, options_.topics.dlq));
    } else {
      ++figures_.open_requests;
    }
  }
  judge_commit(left);
  judge_ends();
  if (at_rest) judge_progress(left);
}

// What is reported as lost has been deleted, so it cannot be read any more, unless it came after a new topic took the
// place of the old one; only the brokers' clock can show that.
void Checker::judge_loss(const std::string& what, std::int64_t source_offset, std::int64_t broker_ms) {
  if (broker_ms < 0) return;
  const auto loss = std::ranges::find_if(losses_, [&](const Loss& told) {
    return told.from <= source_offset && source_offset < told.to && told.broker_ms >= broker_ms;
  });
  if (loss == losses_.end()) return;
  report(Promise::answered, options_.topics.requests, {source_offset},
         fmt::format("{} is reported as lost ({}:{}), but is in {}", what, options_.topics.audit, loss->at,
                     options_.topics.requests));
}

void Checker::judge_losses() {
  const auto end = options_.requests_end.value_or(requests_next_);
  for (const auto& loss : losses_) {
    const bool made_anew = requests_first_ms_ < 0 || loss.broker_ms < requests_first_ms_;
    if (loss.to <= end || made_anew) continue;
    report(Promise::answered, options_.topics.audit, {loss.at},
           fmt::format("requests up to {} are reported as lost, but {} ends at {}", loss.to, options_.topics.requests,
                       end));
  }
}

void Checker::judge_commit(const std::vector<const Subject*>& left) {
  if (!options_.committed) return;
  const auto committed = *options_.committed;
  const auto say = [&](const std::string& topic, std::int64_t at, std::string why) {
    report(Promise::committed, topic, {at}, std::move(why));
  };
  const auto passes = [&](std::int64_t offset, std::string_view what) {
    say(options_.topics.requests, offset, fmt::format("the committed offset {} passes {}", committed, what));
  };
  for (const auto& [offset, times] : unanswerable_) {
    if (offset < committed && !letter_lost(times.ms))
      passes(offset, fmt::format("the record at {}, which is no dead letter", offset));
  }

  const auto metadata = events::decode_commit_metadata(options_.metadata);
  for (const auto* one : left) {
    const auto& about = *one;
    if (doubtful(about)) continue;
    for (const auto& [offset, entry] : about.asked) {
      const bool unseen = highest(about, offset) == nullptr;
      const bool excused = unseen && (audit_lost(entry) || (!entry.answerable && letter_lost(entry.ms)));
      if (offset < committed && entry.read && !entry.dead && !excused && !complete(about, offset))
        passes(offset, fmt::format("{}, which is not complete", request_text(about, offset)));
    }
    if (!metadata) continue;
    for (const auto& [number, attempt] : about.attempts) {
      if (attempt.exists() && !attempt.answered() && attempt.first_chunk >= 0 &&
          attempt.first_chunk < metadata->chunk_offset.value())
        say(options_.topics.chunks, attempt.first_chunk,
            fmt::format("the commit's chunkOffset {} is behind the first chunk of {}, which has no llm.response (a "
                        "router of an older version may have committed it)",
                        metadata->chunk_offset.value(), attempt_text(about, number)));
    }
  }
  if (!metadata) return;
  if (claims_.any() && metadata->epoch > claims_.highest())
    say(options_.topics.requests, committed,
        fmt::format("committed under epoch {}, which no router has claimed", metadata->epoch));
  if (first_overlooked_)
    say(options_.topics.audit, *first_overlooked_,
        fmt::format("the commit's auditOffset {} is behind an event about a request at or above the committed "
                    "offset {}",
                    metadata->audit_offset.value(), committed));
}

// Where nothing runs any more the last owner's commit is before the first request that is not complete: a partition
// that has stopped committing makes its next owner read ever longer tails. One of an earlier epoch landed late, which
// may happen; what precedes the part that was read may hold it back.
void Checker::judge_progress(const std::vector<const Subject*>& left) {
  if (!options_.committed || *options_.committed < options_.requests_from) return;
  const auto metadata = events::decode_commit_metadata(options_.metadata);
  if (!metadata || metadata->epoch < fold_.epoch()) return;
  const auto committed = *options_.committed;
  auto reached = requests_next_;
  if (const auto waiting = unanswerable_.lower_bound(committed); waiting != unanswerable_.end())
    reached = std::min(reached, waiting->first);
  for (const auto* about : left) {
    for (auto it = about->asked.lower_bound(committed); it != about->asked.end(); ++it) {
      const auto& [offset, entry] = *it;
      if (entry.read && !entry.dead && (doubtful(*about) || !complete(*about, offset)))
        reached = std::min(reached, offset);
    }
  }
  if (committed < reached)
    report(Promise::committed, options_.topics.requests, {committed},
           fmt::format("nothing runs any more, everything below {} is complete, and yet only {} is committed", reached,
                       committed));
}

// Who takes the partition over from such a commit passes by what is yet to come.
void Checker::judge_ends() {
  if (!options_.committed) return;
  const auto within = [&](const std::string& topic, std::int64_t position, std::int64_t end, std::string_view name) {
    if (position <= end) return;
    report(Promise::committed, topic, {position},
           fmt::format("the {} {} is beyond the end of {} ({})", name, position, topic, end));
  };
  const auto& topics = options_.topics;
  within(topics.requests, *options_.committed, options_.requests_end.value_or(requests_next_), "committed offset");
  const auto metadata = events::decode_commit_metadata(options_.metadata);
  // Where the metadata is none of ours the next owner reads all that there is.
  const auto audit_end = options_.audit_end.value_or(audit_next_);
  const auto tail_from = std::max(options_.audit_from, metadata ? metadata->audit_offset.value() : 0);
  figures_.audit_tail = std::max<std::int64_t>(0, audit_end - tail_from);
  if (!metadata) return;
  within(topics.audit, metadata->audit_offset.value(), audit_end, "commit's auditOffset");
  within(topics.chunks, metadata->chunk_offset.value(), options_.chunks_end.value_or(chunks_next_),
         "commit's chunkOffset");
}

}  // namespace tokenrail::verify
