#include "tests/simulation/verified.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/verify/checker.hpp"
#include "cli/verify/report.hpp"

namespace tokenrail::simulation {

namespace {

constexpr std::int64_t clock_jump_max_ms = 300'000;

}  // namespace

std::optional<Violation> verified(const Broker& broker, const Oracle::Excuses& excuses) {
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
    options.chunks_from = chunks.start;
    options.audit_from = audit.start;
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
    for (std::int64_t i = audit.start; i < audit.end(); ++i) checker.on_audit(audit.record(Topic::audit, partition, i));
    for (std::int64_t i = chunks.start; i < chunks.end(); ++i)
      checker.on_chunk(chunks.record(Topic::chunks, partition, i));
    checker.finish(true);
    if (checker.violations().empty()) continue;
    const auto& first = checker.violations().front();
    return Violation{.promise = fmt::format("VERIFY-{}", name_of(first.promise)), .text = violation_line(first)};
  }
  return std::nullopt;
}

}  // namespace tokenrail::simulation
