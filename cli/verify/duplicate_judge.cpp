// Judging the answers to duplicates: what attempt 0 says, and which requests are answered by it.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "cli/verify/judge.hpp"
#include "cli/verify/texts.hpp"

namespace tokenrail::verify {

void DuplicateJudge::judge(const Subject& about, std::int64_t source_offset, const DuplicateAnswer& answer,
                           bool at_rest) {
  const auto say = [&](const std::string& topic, std::int64_t at, std::string_view why) {
    report(Promise::dedupe, topic, {at}, fmt::format("{}, attempt 0: {}", request_text(about, source_offset), why));
  };
  keys_.judge(about, 0, source_offset, answer.source_ms, answer.key);
  const auto of_a_response = [&](const KeySeen& seen) {
    return seen.hash == answer.response_key || seen.hash == answer.other_response_key;
  };
  const bool two_logs = answer.other_response_key.has_value();
  if (answer.other_key.at >= 0 && !(two_logs && of_a_response(answer.key) && of_a_response(answer.other_key)))
    keys_.report_other(about, 0, answer.key, answer.other_key);
  // Where the one that it named was lost another is the first, or this one itself.
  const bool first_lost = answer.names_offset && known_.losses.has(about, *answer.names_offset);
  // Retention may have deleted the response of the first answer. The next owner then answers again without knowing of
  // it.
  const bool first_forgotten = options().audit_from > 0 && answer.told_offset != answer.names_offset;
  if (answer.other_chunk_at >= 0 && !first_lost && !first_forgotten && !two_logs)
    report(
        Promise::dedupe, options().topics.chunks, {answer.chunk_at, answer.other_chunk_at},
        fmt::format("{}: source offset {} was answered twice, and differently", attempt_text(about, 0), source_offset));
  if (answer.response_at < 0) {
    if (first_lost || known_.losses.has(about, source_offset) || known_.forgotten(about, source_offset)) return;
    if (at_rest && options().audit_from == 0) say(options().topics.chunks, answer.chunk_at, "it has no llm.response");
    return;
  }
  if (answer.chunk_at < 0) {
    if (options().chunks_from == 0) say(options().topics.audit, answer.response_at, "it has no chunk");
    return;
  }
  if (!answer.names_offset || *answer.names_offset >= source_offset) {
    say(options().topics.chunks, answer.chunk_at, "it names no request before it");
    return;
  }
  const bool first_in_range = *answer.names_offset >= options().requests_from && !known_.subjects.forgot_any();
  if (first_in_range && !about.asked.contains(*answer.names_offset))
    say(options().topics.chunks, answer.chunk_at,
        fmt::format("it names source offset {}, which is that of another request", *answer.names_offset));
  const auto number = answer.names_attempt.value_or(0);
  if (number != 0 && options().audit_from == 0 && !known_.subjects.forgot_any() && !about.attempts.contains(number))
    say(options().topics.chunks, answer.chunk_at, fmt::format("it names attempt {}, which is unknown", number));
  judge_first(about, source_offset, answer);
}

/// Whether the one that it names is one that it may be a duplicate of.
void DuplicateJudge::judge_first(const Subject& about, std::int64_t source_offset, const DuplicateAnswer& answer) {
  // An owner before may have named another: of the chunks the first is known, of the responses the one that counts.
  if (!answer.told_offset && answer.other_chunk_at >= 0) return;
  const auto first = answer.told_offset.value_or(*answer.names_offset);
  const auto say = [&](std::string_view why) {
    report(Promise::dedupe, options().topics.audit, {answer.response_at},
           fmt::format("{}, attempt 0: {}", request_text(about, source_offset), why));
  };
  const auto* const loss = known_.losses.told_before(first, answer.response_at);
  if (loss != nullptr && known_.losses.has(about, first) && !known_.complete(about, first)) {
    say(fmt::format("it names source offset {}, which had been reported as lost ({}:{}) and was never answered", first,
                    options().topics.audit, loss->at));
    return;
  }
  if (options().dedupe_window_ms == 0) return;
  const auto one = about.asked.find(first);
  const auto other = about.asked.find(source_offset);
  if (one == about.asked.end() || other == about.asked.end() || !other->second.read) return;
  // A successor knows the first by what llm.audit says of it from some event on, and goes by a
  // clock of its own. And where an owner has no number left for one more attempt, it answers so however long ago the
  // first was.
  const auto told_ms = one->second.told_ms;
  const auto ms = other->second.broker_ms;
  const bool numbers_left = !about.attempts.contains((answer.response_epoch + 1) * attempts_per_epoch - 1);
  if (told_ms < 0 || ms < 0 || !numbers_left) return;
  const auto apart = ms - std::max(told_ms, one->second.broker_ms);
  if (apart > options().dedupe_window_ms + options().worker_skew_ms)
    say(fmt::format("it came {} ms after the last record about source offset {}, and the window is {} ms", apart, first,
                    options().dedupe_window_ms));
}

// Only what one owner ran without a break between: a successor may know less of the past.
void DuplicateJudge::judge_window(const Subject& about) {
  if (options().dedupe_window_ms == 0) return;
  for (auto first = about.attempts.begin(); first != about.attempts.end(); ++first) {
    for (auto second = std::next(first); second != about.attempts.end(); ++second) {
      const auto one = about.asked.find(first->second.source_offset);
      const auto other = about.asked.find(second->second.source_offset);
      if (!first->second.exists() || !second->second.exists() || one == other || one == about.asked.end() ||
          other == about.asked.end() || first->first / attempts_per_epoch != second->first / attempts_per_epoch)
        continue;
      const auto [lower, higher] =
          std::minmax(*one, *other, [](const auto& a, const auto& b) { return a.first < b.first; });
      const bool near = lower.second.read && higher.second.read && lower.second.ms >= 0 &&
                        higher.second.ms - lower.second.ms + options().clock_skew_ms < options().dedupe_window_ms &&
                        higher.first - lower.first < options().dedupe_requests_max;
      if (near)
        report(
            Promise::dedupe, options().topics.audit, {first->second.request.at, second->second.request.at},
            fmt::format("request {} of {} is run at source offset {} and, {} ms later, at {} by the same owner",
                        about.request_id, about.org_id, lower.first, higher.second.ms - lower.second.ms, higher.first));
    }
  }
}

}  // namespace tokenrail::verify
