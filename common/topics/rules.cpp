#include "common/topics/rules.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/config/notation.hpp"

namespace tokenrail::topics {
namespace {

constexpr std::string_view apply = "run: tokenrail topics apply";

using kafka::TopicDescription;

std::optional<std::string_view> text_of(const TopicDescription& topic, const std::string& name) {
  const auto it = topic.config.find(name);
  return it == topic.config.end() ? std::nullopt : std::optional<std::string_view>(it->second);
}

}  // namespace

std::optional<std::int64_t> number_of(const TopicDescription& topic, const std::string& name) {
  const auto text = text_of(topic, name);
  return text ? config::parse_integer(*text) : std::nullopt;
}

namespace {

bool is_compacted(const TopicDescription& topic) {
  return text_of(topic, "cleanup.policy").value_or("").contains("compact");
}

std::string counted(std::int64_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

class Judge {
 public:
  Judge(const Limits& limits, const Names& names, const std::vector<TopicDescription>& there)
      : limits_(limits), names_(names), there_(there) {}

  std::vector<Finding> run() {
    partitions();
    pairs();
    outputs();
    requests();
    dead_letters();
    for (const auto& topic : there_) segment(topic);
    for (const auto& topic : there_) readable(topic);
    cleanup();
    replication();
    timestamps();
    unread();
    problems_.insert(problems_.end(), std::make_move_iterator(warnings_.begin()),
                     std::make_move_iterator(warnings_.end()));
    return std::move(problems_);
  }

 private:
  [[nodiscard]] const TopicDescription* find(const std::string& name) const {
    const auto it = std::ranges::find(there_, name, &TopicDescription::name);
    return name.empty() || it == there_.end() ? nullptr : &*it;
  }
  void problem(std::vector<std::string> topics, std::string text, std::string remedy) {
    problems_.push_back({.severity = Finding::Severity::problem,
                         .topics = std::move(topics),
                         .text = std::move(text),
                         .remedy = std::move(remedy)});
  }
  void warning(std::vector<std::string> topics, std::string text, std::string remedy) {
    warnings_.push_back({.severity = Finding::Severity::warning,
                         .topics = std::move(topics),
                         .text = std::move(text),
                         .remedy = std::move(remedy)});
  }

  void partitions() {
    const auto* requests = find(names_.requests);
    if (!requests || requests->partitions <= request_partitions_max) return;
    problem(
        {requests->name},
        fmt::format("{} has {} partitions, but attempts have different numbers on at most {}: readers could mix two "
                    "answers",
                    requests->name, requests->partitions, request_partitions_max),
        fmt::format("create it again with {} partitions or fewer (topics.partitions)", request_partitions_max));
  }

  void pairs() {
    const auto* requests = find(names_.requests);
    for (const auto* output : {find(names_.chunks), find(names_.audit)}) {
      if (!requests || !output) continue;
      // Outputs grow first, so more of them than requests is a growth under way; fewer leaves requests without a pair.
      if (output->partitions < requests->partitions) {
        problem({requests->name, output->name},
                fmt::format("{} has {} partitions and {} has {}: they must be the same", requests->name,
                            requests->partitions, output->name, output->partitions),
                std::string(apply));
      } else if (output->partitions > requests->partitions) {
        warning({requests->name, output->name},
                fmt::format("{} has {} partitions and {} only {}: the growth is not finished", output->name,
                            output->partitions, requests->name, requests->partitions),
                std::string(apply));
      }
    }
  }

  void outputs() {
    for (const auto* output : {find(names_.chunks), find(names_.audit)}) {
      const auto limit = output ? number_of(*output, "max.message.bytes") : std::nullopt;
      if (!limit || *limit >= limits_.record_bytes_max + record_frame_bytes) continue;
      problem(
          {output->name},
          fmt::format("max.message.bytes of {} is {}, but router.record_bytes_max is {} and a record needs {} bytes "
                      "beside its value",
                      output->name, *limit, limits_.record_bytes_max, record_frame_bytes),
          "lower the setting or raise the topic's limit");
    }
  }

  void requests() {
    const auto* requests = find(names_.requests);
    const auto limit = requests ? number_of(*requests, "max.message.bytes") : std::nullopt;
    constexpr auto most = produced_bytes_max - dead_letter_frame_bytes;
    if (!limit || *limit <= most) return;
    problem({requests->name},
            fmt::format("max.message.bytes of {} is {}, but the router writes records of at most {} bytes and a dead "
                        "letter needs {} bytes beside the request",
                        requests->name, *limit, produced_bytes_max, dead_letter_frame_bytes),
            fmt::format("lower it to {} or less", most));
  }

  void dead_letters() {
    const auto* requests = find(names_.requests);
    const auto* letters = find(names_.dlq);
    if (!requests || !letters) return;
    const auto request = number_of(*requests, "max.message.bytes");
    const auto letter = number_of(*letters, "max.message.bytes");
    if (!request || !letter) return;
    if (*letter < *request) {
      problem({letters->name},
              fmt::format("max.message.bytes of {} is {}, below the {} of {}: a dead letter might not fit",
                          letters->name, *letter, *request, requests->name),
              std::string(apply));
    } else if (*letter < *request + record_frame_bytes) {
      warning({letters->name},
              fmt::format("max.message.bytes of {} is {}, hardly above the {} of {}: the largest dead letters will be "
                          "written without their value",
                          letters->name, *letter, *request, requests->name),
              std::string(apply));
    }
  }

  // The limit is one of batches, and so is this: a batch has to fit into one segment.
  void segment(const TopicDescription& topic) {
    const auto batch = number_of(topic, "max.message.bytes");
    const auto segment = number_of(topic, "segment.bytes");
    if (!batch || !segment || *segment >= *batch) return;
    problem(
        {topic.name},
        fmt::format("segment.bytes of {} is {}, below its max.message.bytes of {}: the broker refuses a batch that is "
                    "larger than a segment",
                    topic.name, *segment, *batch),
        fmt::format("raise segment.bytes to {} or more, or lower max.message.bytes", *batch));
  }

  void readable(const TopicDescription& topic) {
    const auto limit = number_of(topic, "max.message.bytes");
    if (!limit || *limit + record_frame_bytes <= limits_.receive_bytes_max) return;
    problem(
        {topic.name},
        fmt::format("max.message.bytes of {} is {}, but receive.message.max.bytes of the Kafka clients is {}: a larger "
                    "record is never read",
                    topic.name, *limit, limits_.receive_bytes_max),
        fmt::format("set TOKENRAIL_KAFKA_RECEIVE_MESSAGE_MAX_BYTES to {} or more, or lower the topic's limit",
                    *limit + record_frame_bytes));
  }

  void cleanup() {
    for (const auto& name :
         {names_.requests, names_.chunks, names_.audit, names_.dlq, names_.cancellations, names_.registry_events}) {
      const auto* topic = find(name);
      if (!topic || !is_compacted(*topic)) continue;
      problem({topic->name},
              fmt::format("cleanup.policy of {} is {}: compaction deletes records that are still needed", topic->name,
                          *text_of(*topic, "cleanup.policy")),
              std::string(apply));
    }
    for (const auto& name : {names_.registry, names_.credentials}) {
      const auto* topic = find(name);
      const auto policy = topic ? text_of(*topic, "cleanup.policy") : std::nullopt;
      if (!policy || *policy == "compact") continue;
      problem({topic->name},
              fmt::format("cleanup.policy of {} is {}: what did not change for the retention time is deleted, and "
                          "routers that start later do not know it",
                          topic->name, *policy),
              std::string(apply));
    }
  }

  /// One finding for all topics with the same value, not one for each.
  template <class Says>
  std::vector<std::pair<std::vector<std::string>, const TopicDescription*>> alike(Says says) const {
    std::vector<std::pair<std::vector<std::string>, const TopicDescription*>> groups;
    for (const auto& topic : there_) {
      if (!says(topic)) continue;
      const auto same = std::ranges::find_if(groups, [&](const auto& group) {
        return group.second->replicas == topic.replicas &&
               number_of(*group.second, "min.insync.replicas") == number_of(topic, "min.insync.replicas");
      });
      if (same == groups.end()) {
        groups.emplace_back(std::vector{topic.name}, &topic);
      } else {
        same->first.push_back(topic.name);
      }
    }
    return groups;
  }

  void replication() {
    const auto in_sync = [](const TopicDescription& topic) { return number_of(topic, "min.insync.replicas"); };
    for (const auto& [names, first] : alike([&](const TopicDescription& topic) {
           return topic.replicas > 0 && in_sync(topic).value_or(0) > topic.replicas;
         })) {
      problem(names,
              fmt::format("min.insync.replicas of {} is {}, but a partition has {}: the brokers refuse every record",
                          fmt::join(names, ", "), *in_sync(*first), counted(first->replicas, "replica")),
              "lower min.insync.replicas or add replicas");
    }
    for (const auto& [names, first] : alike([](const TopicDescription& topic) {
           return text_of(topic, "unclean.leader.election.enable") == "true";
         })) {
      warning(
          names,
          fmt::format("unclean.leader.election.enable of {} is true: acknowledged records may vanish when a leader is "
                      "lost, requests and answers among them",
                      fmt::join(names, ", ")),
          "set unclean.leader.election.enable to false");
    }
    for (const auto& [names, first] :
         alike([&](const TopicDescription& topic) { return topic.replicas >= 3 && in_sync(topic).value_or(2) < 2; })) {
      warning(
          names,
          fmt::format("min.insync.replicas of {} is {} with {}: a record may be acknowledged while one broker alone "
                      "has it, and vanish with that broker",
                      fmt::join(names, ", "), *in_sync(*first), counted(first->replicas, "replica")),
          "set min.insync.replicas to 2");
    }
    for (const auto& [names, first] :
         alike([](const TopicDescription& topic) { return topic.replicas == 1 && topic.brokers > 1; })) {
      warning(
          names,
          fmt::format("{}: 1 replica in a cluster of {}: while that broker is away nothing is read or written there, "
                      "and its records may be lost with it",
                      fmt::join(names, ", "), counted(first->brokers, "broker")),
          "add replicas (kafka-reassign-partitions.sh); topics.replication sets the number for new topics");
    }
  }

  void timestamps() {
    const auto stamped_by_senders = [](const TopicDescription* topic) {
      const auto type = topic ? text_of(*topic, "message.timestamp.type") : std::nullopt;
      return type && *type != "LogAppendTime";
    };
    if (const auto* topic = find(names_.requests); stamped_by_senders(topic))
      warning({topic->name},
              fmt::format("{} does not use LogAppendTime, so deadlines depend on the senders' clocks", topic->name),
              std::string(apply));
    for (const auto* topic : {find(names_.chunks), find(names_.audit)})
      if (stamped_by_senders(topic))
        warning({topic->name},
                fmt::format("{} does not use LogAppendTime, so tokenrail verify cannot find the order of records in "
                            "different logs",
                            topic->name),
                std::string(apply));
  }

  void unread() {
    for (const auto& topic : there_)
      if (topic.config_error && topic.config_error->kind == ErrorKind::forbidden)
        warning({topic.name},
                fmt::format("the settings of {} were not checked: {}", topic.name, topic.config_error->detail),
                fmt::format("grant DESCRIBE_CONFIGS on the topic {}", topic.name));
  }

  const Limits& limits_;
  const Names& names_;
  const std::vector<TopicDescription>& there_;
  std::vector<Finding> problems_;
  std::vector<Finding> warnings_;
};

}  // namespace

Limits limits_of(const config::Values& values) {
  Limits limits{.record_bytes_max = values.bytes(record_bytes_setting.name)};
  const auto& properties = values.kafka_properties();
  if (const auto it = properties.find("receive.message.max.bytes"); it != properties.end())
    limits.receive_bytes_max = config::parse_integer(it->second).value_or(limits.receive_bytes_max);
  return limits;
}

std::string line_of(const Finding& finding) {
  return fmt::format("{}; {}", finding.text, finding.remedy);
}

std::vector<Finding> judge(const Limits& limits, const Names& names, const std::vector<TopicDescription>& there) {
  return Judge(limits, names, there).run();
}

}  // namespace tokenrail::topics
