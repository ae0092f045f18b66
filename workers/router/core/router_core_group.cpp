// The group's side of the router: partitions come and go, requests come in, commits go out.
#include <algorithm>
#include <iterator>
#include <utility>

#include <spdlog/spdlog.h>

#include "workers/router/core/record_size.hpp"
#include "workers/router/core/router_core.hpp"

namespace tokenrail::router {

namespace {

constexpr Millis offsets_ask_again{1'000};

}  // namespace

// --- assignments -----------------------------------------------------------------------------------------------------

void RouterCore::ConsumerSide::on_assigned(const std::vector<kafka::TopicPartition>& partitions) {
  core.drop_partitions();
  core.joined_ = true;
  core.assigned_ = partitions;
  ++core.generation_;
  core.ask_committed();
}

void RouterCore::ask_committed() {
  ask_again_at_ = Millis::max();
  if (assigned_.empty()) {
    consumer_->assign({});
    return;
  }
  consumer_->committed(assigned_, [this, generation = generation_](Result<std::vector<kafka::Committed>> answer) {
    // Nor does a worker that leaves claim anything: nobody would ask it to give that up again.
    if (generation != generation_ || assigned_.empty() || consumer_ == nullptr || drain_.begun()) return;
    if (!answer) {
      spdlog::warn("the committed offsets could not be read ({}); asking again", answer.error().detail);
      ask_again_at_ = environment_.now().steady + offsets_ask_again;
      after_event();
      return;
    }
    std::vector<kafka::StartingPoint> points;
    std::vector<std::pair<Partition*, const kafka::Committed*>> begun;
    for (const auto& committed : *answer) {
      const auto number = committed.partition.partition;
      auto& slot = partitions_[number];
      slot = std::make_unique<Partition>(services_, static_cast<PartitionIo&>(*this), number, generation_);
      if (by_number_.size() <= static_cast<std::size_t>(number))
        by_number_.resize(static_cast<std::size_t>(number) + 1);
      by_number_[static_cast<std::size_t>(number)] = slot.get();
      begun.emplace_back(slot.get(), &committed);
    }
    in_flight_.set_partitions(partitions_.size());
    for (const auto& [partition, committed] : begun) {
      partition->begin(*committed);
      points.push_back({.partition = committed->partition, .offset = partition->start_offset().value()});
    }
    consumer_->assign(points);
    look_now();
    after_event();
  });
}

void RouterCore::ConsumerSide::on_revoked(const std::vector<kafka::TopicPartition>& partitions) {
  spdlog::info("{} partitions are to be given up", partitions.size());
  core.forget_waiting();
  core.releasing_ = true;
  core.release_until_ = core.environment_.now().steady + core.options_.release_wait;
  for (auto& [number, partition] : core.partitions_) partition->release();
  core.after_event();
}

void RouterCore::release_step() {
  if (!releasing_) return;
  const bool patience_over = environment_.now().steady >= release_until_;
  for (auto it = partitions_.begin(); it != partitions_.end();) {
    auto& [number, partition] = *it;
    if (partition->phase() == Partition::Phase::releasing && !patience_over) {
      ++it;
      continue;
    }
    if (partition->phase() == Partition::Phase::releasing) {
      spdlog::warn("partition {}: the brokers did not acknowledge in time that it is released", number);
      partition->give_up();
    }
    by_number_[static_cast<std::size_t>(number)] = nullptr;
    if (partition->phase() == Partition::Phase::continuing)
      continuing_.emplace(std::pair{partition->generation() & ReportTokens::low_mask, number}, std::move(partition));
    it = partitions_.erase(it);
  }
  if (!partitions_.empty()) return;
  releasing_ = false;
  assigned_.clear();
  if (consumer_ != nullptr) consumer_->release();
}

void RouterCore::sweep_continuing() {
  std::erase_if(continuing_, [](const auto& entry) { return entry.second->phase() == Partition::Phase::closed; });
}

void RouterCore::ConsumerSide::on_lost(const std::vector<kafka::TopicPartition>& partitions) {
  spdlog::warn("{} partitions were lost: the group went on without this member", partitions.size());
  core.drop_partitions();
  core.after_event();
}

void RouterCore::ConsumerSide::on_fatal(const Error& error) {
  spdlog::error("the consumer can no longer work: {}", error.detail);
  core.drop_partitions();
  core.consumer_ = nullptr;
  core.joined_ = false;
  core.drain_.left_group();
  if (core.on_consumer_lost) core.on_consumer_lost();
  core.after_event();
}

// What waits belongs to partitions that are owned, and all of those go at once.
void RouterCore::forget_waiting() {
  ask_again_at_ = Millis::max();
  queue_.clear();
}

void RouterCore::drop_partitions() {
  forget_waiting();
  releasing_ = false;
  assigned_.clear();
  for (auto& [number, partition] : partitions_) partition->drop();
  by_number_.clear();
  partitions_.clear();
}

// --- requests --------------------------------------------------------------------------------------------------------

void RouterCore::ConsumerSide::on_record(kafka::Record&& record) {
  const auto index = static_cast<std::size_t>(record.partition);
  if (index >= core.by_number_.size() || core.by_number_[index] == nullptr) return;
  core.window_.enter(bytes_of(record));
  core.by_number_[index]->on_record(std::move(record));
  core.adjust_reading();
  core.after_event();
}

void RouterCore::adjust_reading() {
  if (consumer_ == nullptr) return;
  if (reading_ && (window_.full() || drain_.begun())) {
    if (!drain_.begun()) metrics_.backpressure_stops.add();
    reading_ = false;
    consumer_->set_reading(false);
  } else if (!reading_ && window_.roomy() && !drain_.begun()) {
    reading_ = true;
    consumer_->set_reading(true);
  }
}

// --- commits --------------------------------------------------------------------------------------------------------

void RouterCore::commit(std::int32_t partition, std::uint64_t generation, std::uint32_t sequence,
                        events::RequestOffset offset, const std::string& metadata) {
  if (consumer_ == nullptr) return;
  const auto token = ++next_commit_;
  commits_.emplace(token, PendingCommit{.generation = generation, .sequence = sequence});
  consumer_->commit(token, {.topic = options_.topics.requests, .partition = partition}, offset.value(), metadata);
}

void RouterCore::ConsumerSide::on_committed(std::uint64_t token, const kafka::TopicPartition& partition,
                                            kafka::CommitOutcome outcome, const std::string& detail) {
  if (outcome == kafka::CommitOutcome::failed) {
    spdlog::warn("partition {}: a commit failed ({}); it will be tried again", partition.partition, detail);
  }
  const auto it = core.commits_.find(token);
  if (it == core.commits_.end()) return;
  const auto pending = it->second;
  core.commits_.erase(it);
  if (auto* owner = core.partition(partition.partition, pending.generation)) {
    owner->on_committed(pending.sequence, outcome);
  }
  core.after_event();
}

}  // namespace tokenrail::router
