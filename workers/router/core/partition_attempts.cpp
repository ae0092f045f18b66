// The attempts of a partition's jobs: where they go, how they begin and end, and their clocks.
#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/events/epochs.hpp"
#include "common/registry/resolution.hpp"
#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"
#include "workers/router/core/planted.hpp"
#include "workers/router/core/uncalled_failures.hpp"

namespace tokenrail::router {

namespace {

using events::ErrorCode;
using events::Failure;

constexpr Millis attempts_look_again{1'000};

}  // namespace

// Where the request goes, or why it goes nowhere.
std::expected<registry::Route, Failure> Partition::route_of(const Job& job) {
  if (auto refused = refused_before(job)) return std::unexpected(std::move(*refused));
  if (const auto* invalid = std::get_if<events::InvalidRequest>(&job.request)) return std::unexpected(invalid->failure);
  if (services_.environment.now().steady >= job.deadline && !planted(Bug::deadline_ignored)) {
    return std::unexpected(too_late());
  }
  if (services_.hub.is_cancelled(job.org_id(), job.request_id())) return std::unexpected(cancelled());
  if (!planted(Bug::runs_again_though_cut) &&
      fold_.interruptions(job.offset, job.org_id(), job.request_id(), cause_cut) > 0) {
    return std::unexpected(Failure::of(
        ErrorCode::interrupted,
        "The worker that answered was lost, and what it had published has been deleted since. Ask again under a new "
        "requestId."));
  }
  const auto lost = fold_.interruptions(job.offset, job.org_id(), job.request_id(), cause_lost);
  if (lost >= services_.options.lost_attempts_max) return std::unexpected(too_many_lost(lost));
  auto route = registry::resolve(
      services_.projection, std::get<events::ChatRequest>(job.request), services_.options.resolution,
      job.draw != 0 ? job.draw : services_.environment.random(), services_.environment.now().wall.count());
  if (route && !job.broken_deployments.empty()) {
    std::vector<registry::RouteTarget> others;
    std::vector<registry::RouteTarget> broken;
    for (auto& target : route->targets) {
      const bool broke =
          std::ranges::find(job.broken_deployments, target.deployment.id) != job.broken_deployments.end();
      (broke ? broken : others).push_back(std::move(target));
    }
    std::ranges::move(broken, std::back_inserter(others));
    route->targets = std::move(others);
  }
  return route;
}

void Partition::begin_attempt(Job& job) {
  expect({Phase::running}, "the start of an attempt");
  // Its deadline may have passed, or its sender may have cancelled it, while its record was being read again.
  reload_ended(job);
  job.stage = Job::Stage::running;
  auto n = recent_.next_attempt(job.org_id(), job.request_id(), job.offset, job.seen_ms(), epoch_);
  // So many other requests may have come since its attempt before that the table has forgotten it.
  if (job.attempted / events::attempts_per_epoch == epoch_)
    n = std::max(n, job.attempted % events::attempts_per_epoch + 1);
  const auto number = epoch_ * events::attempts_per_epoch + std::min(n, RecentRequests::attempts_max);
  auto& seen = recent_.seen(job.org_id(), job.request_id(), job.offset, job.seen_ms());
  if (seen.offset == job.offset) seen.attempt = number;
  job.attempted = number;
  job.attempt = std::make_unique<Attempt>(services_, *this, job, number);
  jobs_.attempt_begins(job, job.attempt->unit(), number);
  jobs_.wait_for_report(job);
}

void Partition::start(Job& job, std::optional<registry::Route> route, std::optional<Failure> refusal) {
  begin_attempt(job);
  if (refusal) {
    job.attempt->announce(std::unexpected(std::move(*refusal)));
  } else {
    job.attempt->announce(std::move(*route));
  }
  services_.in_flight.started(job.org_id(), job.attempt->connection_id());
}

void Partition::schedule(Job& job, Millis at) {
  if (job.timer <= at) return;
  services_.hub.set_timer(ref(job), job.timer, at);
  job.timer = at;
}

void Partition::forget_timer(Job& job) {
  if (job.timer == Millis::max()) return;
  services_.hub.set_timer(ref(job), job.timer, Millis::max());
  job.timer = Millis::max();
}

void Partition::on_job_time(events::RequestOffset offset) {
  auto* const found = jobs_.find(offset);
  if (found == nullptr) return;
  Job& job = *found;
  job.timer = Millis::max();
  if (job.attempt) {
    job.attempt->on_time();
    return;
  }
  // Where it cannot be ended now decide() asks for the time again as soon as it can be.
  const auto now = services_.environment.now().steady;
  if (phase_ != Phase::running || fold_.any_open(offset)) return;
  if (job.wait_until > Millis(0)) {
    if (!waits(job)) look_at(offset);
    return;
  }
  if (now < job.deadline) {
    schedule(job, job.deadline);
  } else if (may_attempt()) {
    end_uncalled(job, too_late());
  } else {
    schedule(job, now + attempts_look_again);
  }
}

void Partition::end_uncalled(Job& job, Failure failure) {
  if (const auto* const first = duplicate_of(job)) {
    answer_duplicate(job, *first);
  } else {
    start(job, std::nullopt, refused_before(job).value_or(std::move(failure)));
  }
}

void Partition::answer_duplicate(Job& job, const RecentRequests::Seen& first) {
  expect({Phase::running}, "the answer to a duplicate");
  reload_ended(job);
  job.stage = Job::Stage::running;
  job.attempt = std::make_unique<Attempt>(services_, *this, job, 0);
  jobs_.attempt_begins(job, job.attempt->unit(), 0);
  services_.in_flight.started(job.org_id(), "");
  job.attempt->answer_duplicate(first.offset, first.attempt);
}

bool Partition::cancel(const std::string& org_id, const std::string& request_id) {
  bool found = false;
  for (const auto offset : jobs_.named(org_id, request_id)) {
    auto* const named = jobs_.find(offset);
    if (named == nullptr) continue;
    found = true;
    Job& job = *named;
    if (job.attempt) {
      job.attempt->cancel();
    } else if (phase_ == Phase::running && !fold_.any_open(offset) && may_attempt() && !waits(job)) {
      end_uncalled(job, cancelled());
    }
  }
  return found;
}

int Partition::restarts(const Job& job) const {
  return static_cast<int>(fold_.interruptions(job.offset, job.org_id(), job.request_id(), events::cause_restart));
}

std::size_t Partition::attempts_left() const {
  const auto left = [](std::size_t most, std::size_t used) { return most - std::min(most, used); };
  const auto running = left(services_.options.partition_attempts_max, jobs_.attempts() + jobs_reloading());
  if (planted(Bug::silent_takes_places)) return running;
  return std::min(running, left(services_.in_flight.unreported_max(), jobs_.unreported() + jobs_reloading()));
}

Job* Partition::with_attempt(events::RequestOffset offset, std::int64_t number) {
  auto* const job = jobs_.find(offset);
  return job != nullptr && job->attempt && job->attempt->number() == number ? job : nullptr;
}

/// Its llm.request counts.
void Partition::announced(Job& job) {
  jobs_.reported(job);
  job.attempt->announced();
  look_at_held();
}

void Partition::over(Job& job) {
  jobs_.reported(job);
  if (!job.attempt || job.stage != Job::Stage::running) return;
  job.stage = Job::Stage::ended;
  services_.in_flight.over(job.org_id(), job.attempt->connection_id());
}

void Partition::leave_line(const Job& job) {
  if (const auto next = order_.leave(job.key, job.offset)) look_at(*next);
}

void Partition::drop_job(events::RequestOffset offset) {
  auto* const job = jobs_.find(offset);
  if (job == nullptr) return;
  over(*job);
  reload_ended(*job);
  forget_timer(*job);
  uncount(*job);
  attempt_gone(*job);
  jobs_.erase(*job);
}

void Partition::complete(events::RequestOffset offset) {
  ledger_.complete(offset);
  // However long one call holds the committed offset back, what ended behind it is not kept.
  fold_.forget_complete(offset);
  drop_job(offset);
  look_at_held();
}

// What the oldest held up goes on, and one for each that has ended or was acknowledged.
void Partition::look_at_held() {
  if (held_.empty()) return;
  const auto span_max = services_.options.partition_span_max;
  for (auto room = attempts_left(); room > 0 && !held_.empty() && *held_.begin() - ledger_.committable() < span_max;) {
    const auto next = held_.extract(held_.begin()).value();
    if (const auto* const job = jobs_.find(next); job != nullptr && job->stage == Job::Stage::in_line) {
      // It may have been cancelled meanwhile.
      look_at(next);
      --room;
    }
  }
}

}  // namespace tokenrail::router
