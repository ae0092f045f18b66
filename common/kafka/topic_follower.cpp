#include "common/kafka/topic_follower.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

namespace tokenrail::kafka {

void TopicFollower::read(LogReader& reader, std::int32_t partitions) {
  if (partitions <= partitions_) return;
  const auto known = partitions_;
  if (known > 0) spdlog::info("{} has {} partitions now", topic_, partitions);
  partitions_ = partitions;
  read(reader, known, partitions);
}

void TopicFollower::read(LogReader& reader, std::int32_t first, std::int32_t end) {
  std::vector<StartingPoint> points;
  for (auto i = first; i < end; ++i)
    points.push_back({.partition = {.topic = topic_, .partition = i}, .offset = offset_beginning});
  reader.start(points);
}

/// The topic is another one, of so many partitions. Keys are not remembered by partition, so all are read again.
void TopicFollower::read_again(LogReader& reader, std::int32_t partitions) {
  std::vector<TopicPartition> gone;
  for (auto i = partitions; i < partitions_; ++i) gone.push_back({.topic = topic_, .partition = i});
  reader.stop(gone);
  trails_.erase(trails_.lower_bound(partitions), trails_.end());
  ended_.erase(ended_.lower_bound(partitions), ended_.end());
  partitions_ = std::min(partitions_, partitions);
  replacement_ = Replacement{};
  read(reader, 0, partitions_);
}

void TopicFollower::on_record(const Record& record) {
  trails_[record.partition].note(record.offset, record.timestamp_ms);
  if (!replacement_) return;
  const auto key = record.key.value_or("");
  if (key == mark_key_) {
    replacement_->marked = record.value.has_value();
  } else if (record.value) {
    replacement_->keys.insert(key);
  } else {
    replacement_->keys.erase(key);
  }
}

void TopicFollower::on_end(std::int32_t partition, std::int64_t next_offset) {
  trails_[partition].reaches(next_offset);
  ended_.insert(partition);
  if (replacement_) replacement_->ended.insert(partition);
}

std::optional<TopicFollower::Keys> TopicFollower::take_keys() {
  if (!replacement_ || !replacement_->marked) return std::nullopt;
  if (static_cast<std::int32_t>(replacement_->ended.size()) < partitions_) return std::nullopt;
  auto keys = std::move(replacement_->keys);
  replacement_.reset();
  return keys;
}

std::vector<std::int32_t> TopicFollower::ask(std::vector<WitnessQuestion>& questions) {
  std::vector<std::int32_t> asked;
  for (auto& [partition, trail] : trails_) {
    asked.push_back(partition);
    questions.push_back({.partition = {.topic = topic_, .partition = partition}, .witness = trail.ask()});
  }
  return asked;
}

void TopicFollower::on_survey(LogReader& reader, const LogSurvey& survey, std::size_t first,
                              const std::vector<std::int32_t>& asked) {
  bool another = false;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto partition = asked[i];
    const auto& answer = survey.answers.at(first + i);
    if (!answer) continue;
    if (answer->verdict == LogVerdict::same) trails_[partition].same(answer->next);
    if (answer->verdict != LogVerdict::another) continue;
    another = true;
    trails_[partition].clear();
  }
  const auto found = survey.partitions.find(topic_);
  if (another) {
    spdlog::warn(
        "{} is another topic than was read before: it was created again, or its log went back; it is read from its "
        "beginning, and what is known of the {} stays until then",
        topic_, content_);
    read_again(reader, found == survey.partitions.end() ? partitions_ : found->second);
  }
  if (found != survey.partitions.end()) read(reader, found->second);
}

}  // namespace tokenrail::kafka
