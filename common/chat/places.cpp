#include "common/chat/places.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "common/kafka/partitioner.hpp"

namespace tokenrail::chat {

struct Places::Asker {
  kafka::Properties properties;
  topics::Names topics;
  std::chrono::milliseconds time_max;
  std::unique_ptr<kafka::Admin> admin{};

  std::vector<Result<Place>> look(const std::vector<std::string>& keys) {
    if (!admin) {
      auto connected = kafka::Admin::connect(properties);
      if (!connected) return {keys.size(), std::unexpected(connected.error())};
      admin = std::move(*connected);
    }
    const auto described = admin->describe({topics.requests, topics.chunks}, false, time_max);
    if (!described) return {keys.size(), std::unexpected(described.error())};
    std::map<std::int32_t, Result<kafka::Admin::Watermarks>> ends;
    std::vector<Result<Place>> places;
    for (const auto& key : keys) {
      const auto partition = partition_for(key, topics, *described);
      if (!partition) {
        places.emplace_back(std::unexpected(partition.error()));
        continue;
      }
      auto end = ends.find(*partition);
      if (end == ends.end()) {
        end = ends.emplace(*partition, admin->watermarks({.topic = topics.chunks, .partition = *partition}, time_max))
                  .first;
      }
      if (end->second) {
        places.emplace_back(Place{.partition = *partition, .chunks_end = end->second->next});
      } else {
        places.emplace_back(std::unexpected(end->second.error()));
      }
    }
    return places;
  }
};

Result<std::int32_t> partition_for(const std::string& key, const topics::Names& topics,
                                   const std::vector<kafka::TopicDescription>& described) {
  const auto partitions = [&](const std::string& name) {
    const auto it = std::ranges::find(described, name, &kafka::TopicDescription::name);
    return it == described.end() ? 0 : it->partitions;
  };
  for (const auto& name : {topics.requests, topics.chunks})
    if (partitions(name) == 0)
      return fail(ErrorKind::not_found, fmt::format("there is no topic {}; 'tokenrail topics apply' makes it", name));
  const auto partition = kafka::partition_of(key, partitions(topics.requests));
  if (partition < partitions(topics.chunks)) return partition;
  return fail(ErrorKind::rejected,
              fmt::format("{} has {} partitions and {} only {}, so no answer would come; 'tokenrail topics apply' "
                          "adds the missing ones",
                          topics.requests, partitions(topics.requests), topics.chunks, partitions(topics.chunks)));
}

Places::Places(boost::asio::io_context& loop, kafka::Properties properties, topics::Names topics,
               std::chrono::milliseconds time_max)
    : loop_(loop), asker_(std::make_shared<Asker>(std::move(properties), std::move(topics), time_max)) {}

Places::~Places() {
  *alive_ = false;
  thread_.join();
}

void Places::find(std::string key, Found found) {
  waiting_.push_back({.key = std::move(key), .found = std::move(found)});
  if (asking_.empty()) ask();
}

void Places::ask() {
  asking_ = std::exchange(waiting_, {});
  std::vector<std::string> keys;
  for (const auto& wanted : asking_) keys.push_back(wanted.key);
  // The loop has work until the answer is there.
  const auto work = boost::asio::make_work_guard(loop_);
  boost::asio::post(thread_, [this, work, alive = alive_, asker = asker_, keys = std::move(keys)] {
    boost::asio::post(loop_, [this, alive, places = asker->look(keys)]() mutable {
      if (*alive) answer(std::move(places));
    });
  });
}

void Places::answer(std::vector<Result<Place>> places) {
  auto answered = std::exchange(asking_, {});
  if (!waiting_.empty()) ask();
  const auto alive = alive_;
  for (std::size_t i = 0; i < answered.size() && *alive; ++i) answered[i].found(std::move(places[i]));
}

}  // namespace tokenrail::chat
