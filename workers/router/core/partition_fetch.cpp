// A provider at its limit must not fill the window, or nobody else's requests would be read. Of those that wait for it
// beyond its share only the ids are kept; their records lie in chat.requests all the same, and are read again from
// there when there is room.
#include <utility>

#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"

namespace tokenrail::router {

namespace {

// Records in between that are read and thrown away rather than skipped by starting anew.
constexpr std::int64_t read_through_max = 500;

}  // namespace

void Partition::put_back(Job& job, const std::string& connection_id) {
  auto* const request = std::get_if<events::ChatRequest>(&job.request);
  if (request == nullptr) return;
  job.request = events::InvalidRequest{.request_id = std::move(request->request_id),
                                       .org_id = std::move(request->org_id),
                                       .user_id = std::move(request->user_id),
                                       .failure = {}};
  job.put_back = true;
  job.waits_for = connection_id;
  services_.metrics.put_back.add();
  services_.hub.job_gone(job.bytes);
}

void Partition::fetch(Job& job) {
  job.stage = Job::Stage::fetching;
  services_.hub.fetch_started(job.org_id(), job.waits_for);
  const bool behind = job.offset < fetch_position_;
  const bool first = wanted_.empty();
  wanted_.insert(job.offset);
  if (first || behind) {
    fetch_position_ = *wanted_.begin();
    read_log(Log::requests, fetch_position_);
  }
}

void Partition::fetch_ended(Job& job) {
  if (job.stage != Job::Stage::fetching) return;
  job.stage = Job::Stage::in_line;
  wanted_.erase(job.offset);
  services_.hub.fetch_over(job.org_id(), job.waits_for);
}

void Partition::fetched(const kafka::Record& record) {
  fetch_to(record.offset);
  fetch_position_ = record.offset + 1;
  if (const auto it = jobs_.find(record.offset); it != jobs_.end() && it->second.stage == Job::Stage::fetching) {
    Job& job = it->second;
    fetch_ended(job);
    job.unread = record.value;
    job.put_back = false;
    services_.hub.job_back(job.bytes);
    ready(job);
  }
  if (wanted_.empty()) {
    stop_log(Log::requests);
  } else if (*wanted_.begin() - fetch_position_ > read_through_max) {
    fetch_position_ = *wanted_.begin();
    read_log(Log::requests, fetch_position_);
  }
}

// Reading has passed everything below `next_offset`: what was wanted there has been deleted.
void Partition::fetch_to(std::int64_t next_offset) {
  while (!wanted_.empty() && *wanted_.begin() < next_offset) {
    const auto offset = *wanted_.begin();
    wanted_.erase(wanted_.begin());
    const auto it = jobs_.find(offset);
    if (it == jobs_.end() || it->second.stage != Job::Stage::fetching) continue;
    start(it->second, std::nullopt,
          events::Failure::of(events::ErrorCode::provider_unavailable,
                              "The provider was at its limit for so long that the request has been deleted from "
                              "chat.requests by its retention. Ask again later, or raise the retention."));
  }
  if (wanted_.empty()) stop_log(Log::requests);
}

}  // namespace tokenrail::router
