// After several workers in a row were lost here before they could say anything, one of the requests may be what ends
// them. They are prepared one at a time then: each is announced from its ids alone, and its value is looked at only
// when that llm.request is known to count, so that the log names the one that kills its worker.
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
  if (careful_.preparing == job.offset) {
    careful_.preparing.reset();
    if (careful_.left > 0) --careful_.left;
    // Not from inside the attempt that has just been prepared.
    services_.environment.wake_at(services_.environment.now().steady);
  }
  return route;
}

void Partition::prepare_next() {
  while (!careful_.waiting.empty() && phase_ == Phase::running && !(careful_.preparing && careful())) {
    const auto offset = careful_.waiting.front();
    careful_.waiting.pop_front();
    const auto it = jobs_.find(offset);
    if (it == jobs_.end() || it->second.stage != Job::Stage::in_line) continue;
    ready(it->second, true);
    if (careful()) break;
  }
}

}  // namespace tokenrail::router
