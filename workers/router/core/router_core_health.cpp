// What /readyz and the gauges say of the router.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "workers/router/core/router_core.hpp"

namespace tokenrail::router {

std::vector<telemetry::Condition> RouterCore::conditions() const {
  std::vector<telemetry::Condition> all;
  all.push_back({.name = "registry",
                 .problem = projection_.complete() ? ""
                                                   : "the registry topic has not been read to a whole registry yet; is "
                                                     "tokenrail-registry-sync running?"});
  const std::string denied = consumer_ == nullptr ? std::string() : consumer_->problem();
  const bool consumer_connected = consumer_ == nullptr || consumer_->connected();
  all.push_back({.name = "group",
                 .problem = !denied.empty()       ? denied
                            : !joined_            ? "not yet a member of the consumer group"
                            : !consumer_connected ? "no broker answers; is Kafka running?"
                                                  : ""});
  all.push_back({.name = "producer",
                 .problem = !usable()                 ? "no producer; is Kafka reachable?"
                            : !producer_->connected() ? "no broker answers; is Kafka running?"
                                                      : ""});
  all.push_back(partitions_condition());
  add_refusals(all);
  const auto unread = !cancellations_problem_.empty() ? cancellations_problem_
                      : cancellations_.unread().empty()
                          ? ""
                          : fmt::format("{} partitions of {} have not been read to their end",
                                        cancellations_.unread().size(), options_.topics.cancellations);
  if (cancellations_read()) {
    all.push_back({.name = "cancellations", .problem = "", .note = unread});
  } else {
    all.push_back({.name = "cancellations", .problem = fmt::format("{}; nothing is started before that", unread)});
  }
  // Of the topics one thing at a time: what comes first may be the reason of the rest.
  all.push_back({.name = "topics", .problem = topic_problems_.empty() ? "" : topic_problems_.front()});
  if (drain_.begun()) all.push_back({.name = "draining", .problem = "the worker is shutting down"});
  return all;
}

telemetry::Condition RouterCore::partitions_condition() const {
  std::size_t waiting = assigned_.size() - std::min(assigned_.size(), partitions_.size());
  std::string why;
  const auto now = environment_.now().steady;
  Millis longest{0};
  for (const auto& [number, partition] : partitions_) {
    if (partition->phase() == Partition::Phase::running) continue;
    ++waiting;
    longest = std::max(longest, now - partition->waiting_since());
    if (why.empty()) why = partition->silence();
  }
  if (waiting == 0) return {.name = "partitions", .problem = ""};
  return {.name = "partitions",
          .problem = fmt::format("{} of {} partitions are not claimed yet, one of them for {} s{}{}", waiting,
                                 assigned_.size(), longest.count() / 1000, why.empty() ? "" : ": ", why)};
}

/// What topics do not take: records that were refused for good lately, topics that take none, what waits for either.
void RouterCore::add_refusals(std::vector<telemetry::Condition>& all) const {
  const auto now = environment_.now().steady;
  std::string problem;
  const auto say = [&](const std::string& more) {
    if (more.empty()) return;
    if (!problem.empty()) problem += "; ";
    problem += more;
  };
  for (const auto output : {Output::chunks, Output::audit, Output::dlq}) {
    say(refusals_.problem(output, topic(output), now));
  }
  if (usable()) {
    for (const auto& blocked : producer_->blocked()) {
      say(fmt::format("{} takes no records for {} s: {}", blocked.topic, blocked.since.count() / 1000, blocked.cause));
    }
  }
  all.push_back({.name = "outputs", .problem = problem});
  const auto held = this->held();
  all.push_back(
      {.name = "dead_letters",
       .problem = held.dead_letters == 0
                      ? ""
                      : fmt::format("{} wait for {}: {}", held.dead_letters, options_.topics.dlq,
                                    held.why.empty() ? "it has acknowledged nothing for a while" : held.why)});
}

Partition::Held RouterCore::held() const {
  Partition::Held all;
  for (const auto& [number, partition] : partitions_) {
    auto more = partition->held();
    all.dead_letters += more.dead_letters;
    all.requests += more.requests;
    if (all.why.empty()) all.why = std::move(more.why);
  }
  return all;
}

void RouterCore::refresh_gauges() {
  const auto held = this->held();
  metrics_.dead_letters_waiting.set(static_cast<double>(held.dead_letters));
  metrics_.refused_waiting.set(static_cast<double>(held.requests));
  metrics_.in_flight.set(static_cast<double>(in_flight()));
  metrics_.window_requests.set(static_cast<double>(window_.requests()));
  metrics_.window_bytes.set(static_cast<double>(window_.bytes()));
  metrics_.answers_bytes.set(static_cast<double>(answers_.bytes()));
  metrics_.partitions.set(static_cast<double>(partitions_.size()));
  metrics_.partitions_waiting.set(static_cast<double>(std::ranges::count_if(
      partitions_, [](const auto& entry) { return entry.second->phase() != Partition::Phase::running; })));
  metrics_.continuing.set(static_cast<double>(continuing_.size()));
}

}  // namespace tokenrail::router
