// Nobody who waits may fill the window, or others' requests would not be read: not those of a provider at its limit, of
// a long conversation, of an organisation at its bound, or behind a call that does not end. Of those that wait beyond
// half of it only the ids are kept; their records lie in chat.requests all the same, and are read again from there when
// their turn has come.
#include <utility>

#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"

namespace tokenrail::router {

namespace {

// What is kept of a job that was put back, its places in the indexes included.
std::size_t stub_bytes(const Job& job) {
  constexpr std::size_t indexes = 256;
  const auto key = job.key ? job.key->size() : 0;
  return sizeof(Job) + indexes + 2 * key + job.traceparent.size() + job.request_id().size() + job.org_id().size() +
         job.user_id().size();
}

}  // namespace

void Partition::offload(Job& job, const std::string& connection_id) {
  if (job.put_back || !services_.window.crowded(services_.in_flight.attempts())) return;
  const auto* const invalid = std::get_if<events::InvalidRequest>(&job.request);
  // The value of one over which too many workers were lost is not looked at again.
  if (invalid != nullptr && !job.unread && invalid->failure.code == events::ErrorCode::internal) return;
  auto whole = std::move(job.request);
  std::visit(
      [&](auto& request) {
        job.request = events::InvalidRequest{.request_id = std::move(request.request_id),
                                             .org_id = std::move(request.org_id),
                                             .user_id = std::move(request.user_id),
                                             .failure = {}};
      },
      whole);
  job.unread.reset();
  job.put_back = true;
  job.waits_for = connection_id;
  services_.metrics.put_back.add();
  job.kept = stub_bytes(job);
  services_.window.put_back(job.bytes, job.kept);
  services_.hub.window_changed();
}

void Partition::leave_window(std::size_t bytes) {
  services_.window.leave(bytes);
  services_.hub.window_changed();
}

void Partition::uncount(const Job& job) {
  if (job.put_back) {
    services_.window.put_back_gone(job.kept);
  } else {
    leave_window(job.bytes);
  }
}

void Partition::reload(Job& job) {
  job.stage = Job::Stage::fetching;
  services_.in_flight.fetch_started(job.org_id(), job.waits_for);
  if (const auto from = reloads_.want(job.offset)) read_log(Log::requests, from->value());
}

void Partition::send_dead_letters() {
  dead_letters_.send();
  for (const auto offset : dead_letters_.to_reload()) {
    if (const auto from = reloads_.want(offset)) read_log(Log::requests, from->value());
  }
}

void Partition::reload_ended(Job& job) {
  if (job.stage != Job::Stage::fetching) return;
  job.stage = Job::Stage::in_line;
  reloads_.forget(job.offset);
  services_.in_flight.fetch_over(job.org_id(), job.waits_for);
}

void Partition::on_reloaded(const kafka::Record& record) {
  const events::RequestOffset offset(record.offset);
  reloaded_to(offset);
  reloads_.read(offset);
  if (auto* const found = jobs_.find(offset); found != nullptr && found->stage == Job::Stage::fetching) {
    Job& job = *found;
    reload_ended(job);
    services_.window.back(job.bytes, job.kept);
    services_.hub.window_changed();
    job.unread = record.value;
    job.put_back = false;
    // It takes the place that was kept for it, or all of them would be read again before one is started.
    ready(job, true);
  } else if (dead_letters_.reloaded(record)) {
    reloads_.forget(offset);
  }
  if (reloads_.empty()) {
    stop_log(Log::requests);
  } else if (const auto from = reloads_.skip()) {
    read_log(Log::requests, from->value());
  }
}

// Reading has passed everything below `next_offset`: what was wanted there has been deleted.
void Partition::reloaded_to(events::RequestOffset next_offset) {
  while (const auto offset = reloads_.take_passed(next_offset)) {
    if (dead_letters_.deleted(*offset)) continue;
    auto* const job = jobs_.find(*offset);
    if (job == nullptr || job->stage != Job::Stage::fetching) continue;
    start(*job, std::nullopt,
          events::Failure::of(events::ErrorCode::provider_unavailable,
                              "The request had to wait for so long that it has been deleted from chat.requests by its "
                              "retention. Ask again later, or raise the retention."));
  }
  if (reloads_.empty()) stop_log(Log::requests);
}

}  // namespace tokenrail::router
