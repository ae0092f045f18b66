#include "common/kafka/topic_follower.hpp"

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

void TopicFollower::on_end(std::int32_t partition, std::int64_t next_offset) {
  trails_[partition].reaches(next_offset);
  ended_.insert(partition);
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
    read(reader, partition, partition + 1);
  }
  if (another) {
    spdlog::warn(
        "{} is another topic than was read before: it was created again, or its log went back; it is read from its "
        "beginning, and what is known of the {} stays until then",
        topic_, content_);
  }
  if (const auto found = survey.partitions.find(topic_); found != survey.partitions.end()) read(reader, found->second);
}

}  // namespace tokenrail::kafka
