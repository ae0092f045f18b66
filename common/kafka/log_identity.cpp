#include "common/kafka/log_identity.hpp"

#include <algorithm>

namespace tokenrail::kafka {

namespace {

// Beyond so many they are kept farther apart: an older witness is as good.
constexpr std::size_t marks_max = 256;
// What a sender's clock says beyond the year 9999 bears no witness.
constexpr std::int64_t time_max_ms = 253'402'300'799'999;

}  // namespace

LogVerdict judge(const LogWitness& witness, const WitnessedLog& log) {
  if (log.next < witness.position) return LogVerdict::another;
  if (witness.offset >= 0 && log.newer && *log.newer <= witness.offset) return LogVerdict::doubtful;
  return LogVerdict::same;
}

LogVerdict judge(const LogWitness& witness, const std::optional<WitnessRecord>& found) {
  const bool there = found && found->offset == witness.offset && found->time_ms == witness.time_ms;
  return there ? LogVerdict::same : LogVerdict::another;
}

void WitnessTrail::note(std::int64_t offset, std::int64_t time_ms) {
  reaches(offset + 1);
  if (time_ms < 0 || time_ms > time_max_ms ||
      (!marks_.empty() && (offset <= marks_.back().offset || time_ms < marks_.back().time_ms)))
    return;
  if (marks_.size() >= 2 && marks_.back().offset - marks_[marks_.size() - 2].offset < apart_) {
    // One by one: copied as a pair right after it was put together, it would wait for both stores, for each record.
    marks_.back().offset = offset;
    marks_.back().time_ms = time_ms;
    return;
  }
  marks_.push_back({.offset = offset, .time_ms = time_ms});
  if (marks_.size() <= marks_max) return;
  apart_ *= 2;
  std::vector<Mark> kept;
  for (const auto& each : marks_)
    if (kept.empty() || each.offset - kept.back().offset >= apart_ || &each == &marks_.back()) kept.push_back(each);
  marks_ = std::move(kept);
}

void WitnessTrail::inherit(const LogWitness& witness) {
  if (witness.offset >= 0) note(witness.offset, witness.time_ms);
  reaches(witness.position);
  end_ = std::max(end_, witness.position);
}

void WitnessTrail::reaches(std::int64_t position) {
  position_ = std::max(position_, position);
}

void WitnessTrail::clear() {
  *this = {};
}

LogWitness WitnessTrail::witness(const Mark* mark) const {
  LogWitness witness{.position = position_};
  if (mark != nullptr) {
    witness.offset = mark->offset;
    witness.time_ms = mark->time_ms;
  }
  return witness;
}

LogWitness WitnessTrail::ask() {
  if (marks_.empty()) return witness(nullptr);
  asked_ = marks_.back().offset;
  const auto good = std::find_if(marks_.rbegin(), marks_.rend(), [&](const Mark& m) { return m.offset <= good_; });
  return witness(good == marks_.rend() ? &marks_.front() : &*good);
}

void WitnessTrail::same(std::int64_t next) {
  good_ = std::max(good_, asked_);
  end_ = std::max(end_, next);
  reaches(next);
}

LogWitness WitnessTrail::below(std::int64_t offset) {
  while (marks_.size() > 1 && marks_[1].offset < offset && marks_[1].offset <= good_) marks_.erase(marks_.begin());
  if (marks_.size() <= 2) apart_ = 1;
  return witness(!marks_.empty() && marks_.front().offset < offset ? &marks_.front() : nullptr);
}

}  // namespace tokenrail::kafka
