#include "cli/verify/ending.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "cli/verify/judge.hpp"
#include "cli/verify/texts.hpp"
#include "common/events/commit_metadata.hpp"

namespace tokenrail::verify {

void Ending::judge(const std::vector<const Subject*>& left, bool at_rest) {
  judge_losses();
  judge_unanswerable(at_rest);
  judge_commit(left);
  judge_ends();
  if (at_rest) judge_progress(left);
}

void Ending::judge_unanswerable(bool at_rest) {
  for (const auto& [offset, times] : known_.letters.open()) {
    judge_loss(known_, fmt::format("the record at offset {}", offset), offset, times.broker_ms);
    if (known_.horizon.letter_lost(times.ms)) {
      ++figures().unknown;
    } else if (at_rest) {
      report(Promise::answered, options().topics.requests, {offset},
             fmt::format("the record at offset {} cannot be answered, and is not in {}", offset, options().topics.dlq));
    } else {
      ++figures().open_requests;
    }
  }
}

void Ending::judge_losses() {
  const auto end = options().ends.requests.value_or(known_.read_to.requests);
  for (const auto& loss : known_.losses.newest()) {
    const bool made_anew = known_.read_to.requests_first_ms < 0 || loss.broker_ms < known_.read_to.requests_first_ms;
    if (loss.to <= end || made_anew) continue;
    report(Promise::answered, options().topics.audit, {loss.at},
           fmt::format("requests up to {} are reported as lost, but {} ends at {}", loss.to, options().topics.requests,
                       end));
  }
}

void Ending::judge_commit(const std::vector<const Subject*>& left) {
  if (!options().committed) return;
  const auto committed = *options().committed;
  const auto say = [&](const std::string& topic, std::int64_t at, std::string why) {
    report(Promise::committed, topic, {at}, std::move(why));
  };
  const auto passes = [&](std::int64_t offset, std::string_view what) {
    say(options().topics.requests, offset, fmt::format("the committed offset {} passes {}", committed, what));
  };
  for (const auto& [offset, times] : known_.letters.open()) {
    if (offset < committed && !known_.horizon.letter_lost(times.ms))
      passes(offset, fmt::format("the record at {}, which is no dead letter", offset));
  }

  const auto metadata = events::decode_commit_metadata(options().metadata);
  for (const auto* one : left) {
    const auto& about = *one;
    if (known_.horizon.doubtful(about)) continue;
    for (const auto& [offset, entry] : about.asked) {
      const bool unseen = highest(about, offset) == nullptr;
      const bool excused =
          unseen && (known_.horizon.audit_lost(entry) || (!entry.answerable && known_.horizon.letter_lost(entry.ms)));
      if (offset < committed && entry.read && !entry.dead && !excused && !known_.complete(about, offset))
        passes(offset, fmt::format("{}, which is not complete", request_text(about, offset)));
    }
    if (!metadata) continue;
    for (const auto& [number, attempt] : about.attempts) {
      if (attempt.exists() && !attempt.answered() && attempt.chunks.first_at >= 0 &&
          attempt.chunks.first_at < metadata->chunk_offset.value())
        say(options().topics.chunks, attempt.chunks.first_at,
            fmt::format("the commit's chunkOffset {} is behind the first chunk of {}, which has no llm.response (a "
                        "router of an older version may have committed it)",
                        metadata->chunk_offset.value(), attempt_text(about, number)));
    }
  }
  if (!metadata) return;
  if (known_.claims.any() && metadata->epoch > known_.claims.highest())
    say(options().topics.requests, committed,
        fmt::format("committed under epoch {}, which no router has claimed", metadata->epoch));
  if (const auto first = known_.overlooked.first())
    say(options().topics.audit, *first,
        fmt::format("the commit's auditOffset {} is behind an event about a request at or above the committed "
                    "offset {}",
                    metadata->audit_offset.value(), committed));
}

// Where nothing runs any more the last owner's commit is before the first request that is not complete: a partition
// that has stopped committing makes its next owner read ever longer tails. One of an earlier epoch landed late, which
// may happen; what precedes the part that was read may hold it back.
void Ending::judge_progress(const std::vector<const Subject*>& left) {
  if (!options().committed || *options().committed < options().requests_from) return;
  const auto metadata = events::decode_commit_metadata(options().metadata);
  if (!metadata || metadata->epoch < known_.fold.epoch()) return;
  const auto committed = *options().committed;
  auto reached = known_.read_to.requests;
  const auto& open = known_.letters.open();
  if (const auto waiting = open.lower_bound(committed); waiting != open.end())
    reached = std::min(reached, waiting->first);
  for (const auto* about : left) {
    for (auto it = about->asked.lower_bound(committed); it != about->asked.end(); ++it) {
      const auto& [offset, entry] = *it;
      if (entry.read && !entry.dead && (known_.horizon.doubtful(*about) || !known_.complete(*about, offset)))
        reached = std::min(reached, offset);
    }
  }
  if (committed < reached)
    report(Promise::committed, options().topics.requests, {committed},
           fmt::format("nothing runs any more, everything below {} is complete, and yet only {} is committed", reached,
                       committed));
}

// Who takes the partition over from such a commit passes by what is yet to come.
void Ending::judge_ends() {
  if (!options().committed) return;
  const auto within = [&](const std::string& topic, std::int64_t position, std::int64_t end, std::string_view name) {
    if (position <= end) return;
    report(Promise::committed, topic, {position},
           fmt::format("the {} {} is beyond the end of {} ({})", name, position, topic, end));
  };
  const auto& topics = options().topics;
  within(topics.requests, *options().committed, options().ends.requests.value_or(known_.read_to.requests),
         "committed offset");
  const auto metadata = events::decode_commit_metadata(options().metadata);
  // Where the metadata is none of ours the next owner reads all that there is.
  const auto audit_end = options().ends.audit.value_or(known_.read_to.audit);
  const auto tail_from = std::max(options().audit_from, metadata ? metadata->audit_offset.value() : 0);
  figures().audit_tail = std::max<std::int64_t>(0, audit_end - tail_from);
  if (!metadata) return;
  within(topics.audit, metadata->audit_offset.value(), audit_end, "commit's auditOffset");
  within(topics.chunks, metadata->chunk_offset.value(), options().ends.chunks.value_or(known_.read_to.chunks),
         "commit's chunkOffset");
}

}  // namespace tokenrail::verify
