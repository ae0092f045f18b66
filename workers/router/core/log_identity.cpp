#include "workers/router/core/log_identity.hpp"

#include <algorithm>
#include <limits>

#include "workers/router/core/planted.hpp"

namespace tokenrail::router {

namespace {

constexpr Millis answer_awaited{3'000};
constexpr auto any_offset = std::numeric_limits<std::int64_t>::max();

}  // namespace

void LogIdentity::inherit(const events::CommitMetadata& committed, Millis now) {
  of(Log::requests).inherit(committed.requests_log);
  of(Log::audit).inherit(committed.audit_log);
  of(Log::chunks).inherit(committed.chunks_log);
  awaited_ = std::ranges::any_of(trails_, &kafka::WitnessTrail::knows);
  awaited_to_ = now + answer_awaited;
}

LogIdentity::Witnesses LogIdentity::ask() {
  Witnesses all;
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = trails_[i].ask();
  return all;
}

LogIdentity::Others LogIdentity::answered(const Answers& answers) {
  awaited_ = false;
  std::array<bool, 3> another{};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto& answer = answers[i];
    if (!answer) continue;
    another[i] = answer->verdict == kafka::LogVerdict::another && !planted(Bug::believes_old_log);
    if (answer->verdict == kafka::LogVerdict::same) trails_[i].same(answer->next);
  }
  const auto is_another = [&](Log log) { return another[static_cast<std::size_t>(log)]; };
  return {.requests = is_another(Log::requests), .audit = is_another(Log::audit), .chunks = is_another(Log::chunks)};
}

void LogIdentity::name_outputs(events::CommitMetadata& metadata) {
  metadata.audit_log = of(Log::audit).below(any_offset);
  metadata.chunks_log = of(Log::chunks).below(any_offset);
}

bool LogIdentity::is_newer_than(const events::CommitMetadata& committed, events::RequestOffset offset) {
  return of(Log::requests).below(offset.value()).offset > committed.requests_log.offset ||
         of(Log::audit).below(any_offset).offset > committed.audit_log.offset ||
         of(Log::chunks).below(any_offset).offset > committed.chunks_log.offset;
}

}  // namespace tokenrail::router
