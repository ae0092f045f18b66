#include "tests/simulation/verified.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/verify/checker.hpp"
#include "cli/verify/report.hpp"
#include "common/events/chunk.hpp"

namespace tokenrail::simulation {

namespace {

constexpr std::int64_t clock_jump_max_ms = 300'000;

/// Where something of a log was replaced verify is told that it begins there: of what is older it may lack anything.
std::int64_t begins_at(const Log& log) {
  return log.kept_to ? std::max<std::int64_t>({1, log.start, log.newest_from}) : log.start;
}

bool is_torn(const Oracle& oracle, int partition, const Entry& entry) {
  const auto chunk = events::parse_chunk(entry.value.value_or(""));
  return chunk && oracle.is_torn(partition, chunk->org_id, chunk->request_id, chunk->attempt);
}

}  // namespace

std::optional<Violation> verified(const Broker& broker, const Oracle& oracle) {
  const auto& excuses = oracle.excuses();
  verify::Names names;
  for (int partition = 0; partition < broker.partitions(Topic::requests); ++partition) {
    const auto& requests = broker.log(Topic::requests, partition);
    const auto& chunks = broker.log(Topic::chunks, partition);
    const auto& audit = broker.log(Topic::audit, partition);
    const auto& letters = broker.log(Topic::dlq, 0);
    verify::CheckOptions options;
    options.topics = {.requests = std::string(name_of(Topic::requests)),
                      .chunks = std::string(name_of(Topic::chunks)),
                      .audit = std::string(name_of(Topic::audit)),
                      .dlq = std::string(name_of(Topic::dlq))};
    options.partition = partition;
    options.names = &names;
    options.requests_from = requests.start;
    options.ends.requests = std::max(requests.end(), requests.end_max);
    options.chunks_from = begins_at(chunks);
    options.chunks_known_ms = chunks.replaced_ms;
    options.audit_from = begins_at(audit);
    options.audit_known_ms = audit.replaced_ms;
    options.ends.chunks = chunks.end();
    options.ends.audit = audit.end();
    options.clock_skew_ms = excuses.leases ? clock_jump_max_ms : 0;
    options.judge_deadlines = false;  // each worker has a calendar of its own
    options.dedupe_window_ms = excuses.calendars ? 0 : 600'000;
    if (!excuses.tampers) {
      const auto& committed = broker.committed[static_cast<std::size_t>(partition)];
      options.committed = committed.offset;
      options.metadata = committed.metadata;
    }
    verify::Checker checker(std::move(options));
    for (std::int64_t i = letters.start; i < letters.end(); ++i)
      checker.on_dead_letter(letters.record(Topic::dlq, 0, i));
    for (std::int64_t i = requests.start; i < requests.end(); ++i)
      checker.on_request(requests.record(Topic::requests, partition, i));
    const auto first_audit = std::max(audit.start, audit.newest_from);
    for (auto i = first_audit; i < audit.end(); ++i) checker.on_audit(audit.record(Topic::audit, partition, i));
    for (std::int64_t i = chunks.start; i < chunks.end(); ++i) {
      if (!is_torn(oracle, partition, chunks.at(i))) checker.on_chunk(chunks.record(Topic::chunks, partition, i));
    }
    checker.finish(true);
    // Of requests that are gone with their log verify takes what it reads for those that took their place; and an
    // attempt that is left of what was said about a request may not be its last. The oracle judges these promises by
    // the request.
    const auto judged = [&](const verify::Violation& found) {
      using verify::Promise;
      const bool passed = found.promise == Promise::committed && found.topic == name_of(Topic::requests);
      if (audit.kept_to && (found.promise == Promise::answered || passed)) return false;
      // Two duplicates at one offset, of two logs, are one to verify; it takes the later one for unanswered.
      if (passed && requests.kept_to && oracle.complete(partition, found.offsets.front())) return false;
      const bool displaced = found.text.contains("begins at the offset of another request");
      return !requests.kept_to || (found.promise != Promise::answered && found.promise != Promise::dedupe &&
                                   found.promise != Promise::order && found.promise != Promise::once && !displaced);
    };
    const auto found = std::ranges::find_if(checker.violations(), judged);
    if (found == checker.violations().end()) continue;
    const auto& first = *found;
    return Violation{.promise = fmt::format("VERIFY-{}", name_of(first.promise)), .text = violation_line(first)};
  }
  return std::nullopt;
}

}  // namespace tokenrail::simulation
