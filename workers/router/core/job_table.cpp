#include "workers/router/core/job_table.hpp"

#include <functional>

#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition_io.hpp"

namespace tokenrail::router {

namespace {

std::size_t name_hash(std::string_view org_id, std::string_view request_id) {
  const std::hash<std::string_view> hash;
  return hash(request_id) * 31 + hash(org_id);
}

}  // namespace

Job& JobTable::add(events::RequestOffset offset) {
  auto& job = jobs_[offset];
  job.offset = offset;
  return job;
}

void JobTable::set_name(const Job& job) {
  by_name_.emplace(name_hash(job.org_id(), job.request_id()), job.offset);
}

Job* JobTable::find(events::RequestOffset offset) {
  const auto it = jobs_.find(offset);
  return it == jobs_.end() ? nullptr : &it->second;
}

std::vector<events::RequestOffset> JobTable::named(std::string_view org_id, std::string_view request_id) const {
  std::vector<events::RequestOffset> offsets;
  const auto hash = name_hash(org_id, request_id);
  for (auto it = by_name_.lower_bound({hash, {}}); it != by_name_.end() && it->first == hash; ++it) {
    const auto& job = jobs_.at(it->second);
    if (job.request_id() == request_id && job.org_id() == org_id) offsets.push_back(it->second);
  }
  return offsets;
}

void JobTable::erase(const Job& job) {
  const auto offset = job.offset;
  by_name_.erase({name_hash(job.org_id(), job.request_id()), offset});
  jobs_.erase(offset);
}

void JobTable::attempt_begins(const Job& job, std::uint64_t unit, std::int64_t number) {
  by_unit_[low_unit(unit)] = job.offset;
  if (number != 0) ++attempts_;
}

void JobTable::attempt_gone(std::uint64_t unit, std::int64_t number) {
  by_unit_.erase(low_unit(unit));
  if (number != 0) --attempts_;
}

void JobTable::forget_attempts() {
  by_unit_.clear();
  attempts_ = 0;
}

Job* JobTable::with_unit(std::uint64_t unit) {
  const auto it = by_unit_.find(low_unit(unit));
  return it == by_unit_.end() ? nullptr : find(it->second);
}

void JobTable::wait_for_report(Job& job) {
  if (!std::exchange(job.unreported, true)) ++unreported_;
}

void JobTable::reported(Job& job) {
  if (std::exchange(job.unreported, false)) --unreported_;
}

}  // namespace tokenrail::router
