// Requests that are prepared one at a time (poison_isolation.hpp): each is announced from its ids alone, and its value
// is looked at only when that llm.request is known to count.
#include <utility>

#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"

namespace tokenrail::router {

std::expected<registry::Route, events::Failure> Partition::prepare(Job& job) {
  const auto value = std::exchange(job.unread, std::nullopt);
  auto parsed = events::parse_chat_request(value, services_.options.request_limits);
  if (auto* request = std::get_if<events::ChatRequest>(&parsed)) {
    if (request->timeout) job.set_timeout(*request->timeout, services_.environment.now());
    job.request = std::move(*request);
  } else if (auto* invalid = std::get_if<events::InvalidRequest>(&parsed)) {
    job.request = std::move(*invalid);
  } else {
    std::get<events::InvalidRequest>(job.request).failure =
        events::Failure::of(events::ErrorCode::invalid_request, std::get<events::Unanswerable>(parsed).reason);
  }
  job.deadline_known = true;
  schedule(job, job.deadline);
  auto route = route_of(job);
  if (isolation_.prepared(job.offset)) {
    // Not from inside the attempt that has just been prepared.
    services_.hub.wake_soon();
  }
  return route;
}

void Partition::start_next_isolated() {
  while (phase_ == Phase::running) {
    const auto offset = isolation_.next();
    if (!offset) return;
    auto* const job = jobs_.find(*offset);
    if (job == nullptr || job->stage != Job::Stage::in_line) continue;
    ready(*job, true);
    if (isolation_.active()) return;
  }
}

}  // namespace tokenrail::router
