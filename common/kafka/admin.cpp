#include "common/kafka/admin.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "common/kafka/detail/handle.hpp"
#include "common/kafka/detail/offsets.hpp"
#include "common/kafka/detail/properties.hpp"

namespace tokenrail::kafka {
namespace {

using namespace detail;
using std::chrono::milliseconds;

using NewTopicHolder = std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_destroy>>;
using NewPartitionsHolder = std::unique_ptr<rd_kafka_NewPartitions_t, Destroy<rd_kafka_NewPartitions_destroy>>;
using ConfigResourceHolder = std::unique_ptr<rd_kafka_ConfigResource_t, Destroy<rd_kafka_ConfigResource_destroy>>;
using GroupOffsetsHolder =
    std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t, Destroy<rd_kafka_ListConsumerGroupOffsets_destroy>>;

constexpr int metadata_tries = 4;  // of a survey, which share its time
// How long it is worth waiting for the reason once a broker did not answer, and how often to look.
constexpr milliseconds reason_wait_max{1'500};
constexpr milliseconds reason_look_again{50};

struct ConfigEntry {
  std::string value;
  bool set_on_topic = false;  ///< not inherited from the broker
};
using TopicConfig = std::map<std::string, ConfigEntry>;

class LibrdkafkaAdmin final : public Admin {
 public:
  LibrdkafkaAdmin(Client client, Properties properties)
      : client_(std::move(client)),
        properties_(std::move(properties)),
        servers_(property(properties_, "bootstrap.servers")) {}

  Result<std::vector<TopicDescription>> describe(const std::vector<std::string>& topics, bool with_config,
                                                 milliseconds timeout) override {
    const rd_kafka_metadata_t* answer = nullptr;
    // All topics, not each by name: asking by name makes a broker with auto-creation create them.
    const auto code = rd_kafka_metadata(client_.get(), 1, nullptr, &answer, in_ms(timeout));
    const Metadata metadata(answer);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(unreachable(code));
    const bool real_broker = has_controller(*answer);
    std::vector<TopicDescription> found;
    std::vector<std::string> hidden;
    for (const auto& name : topics) {
      const auto* begin = answer->topics;
      const auto* end = begin + answer->topic_cnt;
      const auto* entry = std::find_if(begin, end, [&](const auto& each) { return name == each.topic; });
      if (entry != end && entry->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) hidden.push_back(name);
      // A list of all topics leaves out those that we may not see.
      if (entry == end && real_broker && is_hidden(name, timeout)) hidden.push_back(name);
      if (entry == end || entry->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
      if (entry->err != RD_KAFKA_RESP_ERR_NO_ERROR && entry->partition_cnt == 0) {
        if (!hidden.empty() && hidden.back() == name) continue;
        return std::unexpected(error_of(entry->err, fmt::format("describing the topic {}", name)));
      }
      TopicDescription topic{.name = name, .partitions = entry->partition_cnt, .brokers = answer->broker_cnt};
      for (int i = 0; i < entry->partition_cnt; ++i) {
        const auto replicas = entry->partitions[i].replica_cnt;
        topic.replicas = i == 0 ? replicas : std::min(topic.replicas, replicas);
      }
      found.push_back(std::move(topic));
    }
    if (!hidden.empty())
      return fail(ErrorKind::forbidden,
                  fmt::format("this client's principal may not see the topic{} {}; grant it DESCRIBE on {}",
                              hidden.size() == 1 ? "" : "s", fmt::join(hidden, ", "),
                              hidden.size() == 1 ? "that topic" : "those topics"));
    if (with_config && !found.empty()) {
      if (const auto read = read_configs(found, real_broker, timeout); !read) return std::unexpected(read.error());
    }
    return found;
  }

  Result<void> create(const std::vector<NewTopic>& topics, milliseconds timeout) override {
    if (topics.empty()) return {};
    std::vector<NewTopicHolder> holders;
    std::vector<rd_kafka_NewTopic_t*> requests;
    std::array<char, 256> text{};
    for (const auto& topic : topics) {
      NewTopicHolder holder(
          rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, topic.replication, text.data(), text.size()));
      if (!holder)
        return fail(ErrorKind::invalid_input, fmt::format("creating the topic {}: {}", topic.name, text.data()));
      for (const auto& [name, value] : topic.config)
        rd_kafka_NewTopic_set_config(holder.get(), name.c_str(), value.c_str());
      requests.push_back(holder.get());
      holders.push_back(std::move(holder));
    }
    return run(
        RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout, "creating topics",
        [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
          rd_kafka_CreateTopics(client_.get(), requests.data(), requests.size(), options, queue);
        },
        [](const rd_kafka_event_t* event) -> Result<void> {
          std::size_t count = 0;
          const auto** results = rd_kafka_CreateTopics_result_topics(
              rd_kafka_event_CreateTopics_result(const_cast<rd_kafka_event_t*>(event)), &count);
          return first_failure("creating the topic", results, count);
        });
  }

  Result<void> grow(const std::string& topic, std::int32_t partitions, milliseconds timeout) override {
    std::array<char, 256> text{};
    const std::string doing = fmt::format("growing the topic {} to {} partitions", topic, partitions);
    const NewPartitionsHolder request(rd_kafka_NewPartitions_new(
        topic.c_str(), static_cast<std::size_t>(std::max(0, partitions)), text.data(), text.size()));
    if (!request) return fail(ErrorKind::invalid_input, fmt::format("{}: {}", doing, text.data()));
    auto* raw = request.get();
    return run(
        RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, timeout, doing,
        [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
          rd_kafka_CreatePartitions(client_.get(), &raw, 1, options, queue);
        },
        [](const rd_kafka_event_t* event) -> Result<void> {
          std::size_t count = 0;
          const auto** results = rd_kafka_CreatePartitions_result_topics(
              rd_kafka_event_CreatePartitions_result(const_cast<rd_kafka_event_t*>(event)), &count);
          return first_failure("growing the topic", results, count);
        });
  }

  Result<void> alter_config(const std::string& topic, const std::map<std::string, std::string>& config,
                            milliseconds timeout) override {
    // This request replaces everything that is set on the topic (the incremental one is not in librdkafka 2.0), so what
    // is set already goes with it.
    auto present = configs_of({topic}, timeout);
    if (!present) return std::unexpected(std::move(present.error()));
    auto& set = present->try_emplace(topic, TopicConfig{}).first->second;
    if (!set) return std::unexpected(std::move(set.error()));
    std::map<std::string, std::string> whole;
    for (auto& [name, entry] : *set)
      if (entry.set_on_topic) whole.emplace(name, std::move(entry.value));
    for (const auto& [name, value] : config) whole[name] = value;

    const ConfigResourceHolder resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
    for (const auto& [name, value] : whole)
      rd_kafka_ConfigResource_set_config(resource.get(), name.c_str(), value.c_str());
    auto* raw = resource.get();
    return run(
        RD_KAFKA_ADMIN_OP_ALTERCONFIGS, timeout, fmt::format("changing the configuration of the topic {}", topic),
        [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
          rd_kafka_AlterConfigs(client_.get(), &raw, 1, options, queue);
        },
        [](const rd_kafka_event_t* event) -> Result<void> {
          std::size_t count = 0;
          const auto** results = rd_kafka_AlterConfigs_result_resources(
              rd_kafka_event_AlterConfigs_result(const_cast<rd_kafka_event_t*>(event)), &count);
          for (std::size_t i = 0; i < count; ++i)
            if (const auto failure = failure_of(results[i], "changing the configuration of the topic"))
              return std::unexpected(*failure);
          return {};
        });
  }

  // Not rd_kafka_query_watermark_offsets(): of its two questions one may fail, and it still says that all went well.
  Result<Watermarks> watermarks(const TopicPartition& partition, milliseconds timeout) override {
    const auto doing =
        fmt::format("asking for the ends of {} [{}] at {}", partition.topic, partition.partition, servers_);
    const auto first = offsets_of(client_.get(), {partition}, RD_KAFKA_OFFSET_BEGINNING, doing, timeout);
    if (!first) return std::unexpected(first.error());
    const auto next = offsets_of(client_.get(), {partition}, RD_KAFKA_OFFSET_END, doing, timeout);
    if (!next) return std::unexpected(next.error());
    return Watermarks{.first = first->front().value_or(0), .next = next->front().value_or(0)};
  }

  Result<std::vector<std::optional<std::int64_t>>> offsets_at(const std::vector<TopicPartition>& partitions,
                                                              std::int64_t unix_ms, milliseconds timeout) override {
    return offsets_of(client_.get(), partitions, unix_ms,
                      fmt::format("asking at {} for the offsets of a time", servers_), timeout);
  }

  Result<std::vector<Committed>> committed(const std::string& group, const std::vector<TopicPartition>& partitions,
                                           milliseconds timeout) override {
    const PartitionList list = partition_list(partitions);
    const GroupOffsetsHolder request(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), list.get()));
    auto* raw = request.get();
    const std::string doing = fmt::format("reading the committed offsets of the group {}", group);
    std::vector<Committed> committed;
    auto answer = run(
        RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout, doing,
        [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
          rd_kafka_ListConsumerGroupOffsets(client_.get(), &raw, 1, options, queue);
        },
        [&](const rd_kafka_event_t* event) -> Result<void> {
          std::size_t count = 0;
          const auto** groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
              rd_kafka_event_ListConsumerGroupOffsets_result(const_cast<rd_kafka_event_t*>(event)), &count);
          for (std::size_t i = 0; i < count; ++i) {
            if (const auto* error = rd_kafka_group_result_error(groups[i]); error != nullptr)
              return std::unexpected(group_error(*error, doing, group));
            const auto* entries = rd_kafka_group_result_partitions(groups[i]);
            for (int each = 0; entries != nullptr && each < entries->cnt; ++each) {
              if (entries->elems[each].err != RD_KAFKA_RESP_ERR_NO_ERROR)
                return std::unexpected(error_of(entries->elems[each].err, doing));
              committed.push_back(committed_of(entries->elems[each]));
            }
          }
          return {};
        });
    if (!answer) return std::unexpected(std::move(answer.error()));
    return committed;
  }

  Result<Survey> survey(const std::vector<PlaceQuestion>& questions, milliseconds timeout) override {
    const rd_kafka_metadata_t* raw = nullptr;
    // All topics, for the reason that describe() has; and whom it asks next it knows from this. librdkafka asks any one
    // broker, which may be the one that hangs.
    auto code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int i = 0; i < metadata_tries && code == RD_KAFKA_RESP_ERR__TIMED_OUT; ++i)
      code = rd_kafka_metadata(client_.get(), 1, nullptr, &raw, in_ms(timeout / metadata_tries));
    const Metadata metadata(raw);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return std::unexpected(error_of(code, fmt::format("asking {} for the topics", servers_)));
    Survey survey;
    std::map<TopicPartition, std::int32_t> leaders;
    for (const auto* topic = raw->topics; topic != raw->topics + raw->topic_cnt; ++topic) {
      if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      survey.partitions.emplace(topic->topic, topic->partition_cnt);
      for (int i = 0; i < topic->partition_cnt; ++i)
        if (const auto& one = topic->partitions[i]; one.leader >= 0)
          leaders.emplace(TopicPartition{.topic = topic->topic, .partition = one.id}, one.leader);
    }
    survey.places.resize(questions.size());
    std::vector<std::size_t> asked;
    for (std::size_t i = 0; i < questions.size(); ++i)
      if (leaders.contains(questions[i].partition)) asked.push_back(i);
    const auto answers = [&](const std::vector<std::size_t>& of, auto time) {
      std::vector<OffsetQuestion> each;
      for (const auto i : of) {
        const auto& partition = questions[i].partition;
        each.push_back({.partition = partition, .at = time(questions[i]), .leader = leaders.at(partition)});
      }
      return each_offset(client_.get(), each, timeout);
    };
    // The ends first: a time that is found then is between them.
    const auto first = answers(asked, [](const auto&) { return std::int64_t{RD_KAFKA_OFFSET_BEGINNING}; });
    const auto next = answers(asked, [](const auto&) { return std::int64_t{RD_KAFKA_OFFSET_END}; });
    std::vector<std::size_t> timed;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (!first[i] || !next[i]) continue;
      survey.places[asked[i]] = Places{.first = **first[i], .next = **next[i]};
      if (questions[asked[i]].at_ms) timed.push_back(asked[i]);
    }
    const auto at = answers(timed, [](const auto& question) { return *question.at_ms; });
    for (std::size_t i = 0; i < timed.size(); ++i) {
      if (at[i]) {
        survey.places[timed[i]]->at = *at[i];
      } else {
        survey.places[timed[i]].reset();
      }
    }
    return survey;
  }

  Result<GroupMembers> members(const std::string& group, milliseconds timeout) override {
    const rd_kafka_metadata_t* cluster = nullptr;
    const auto code = rd_kafka_metadata(client_.get(), 0, nullptr, &cluster, in_ms(timeout));
    const Metadata metadata(cluster);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(unreachable(code));
    // A client that has sent this request to a broker which does not know it never ends (librdkafka 2.0.2).
    if (!has_controller(*cluster))
      return fail(ErrorKind::rejected, fmt::format("{} does not know who is in a group", servers_));
    const char* name = group.c_str();
    const std::string doing = fmt::format("asking for the members of the group {}", group);
    GroupMembers found;
    auto answer = run(
        RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, timeout, doing,
        [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
          rd_kafka_DescribeConsumerGroups(client_.get(), &name, 1, options, queue);
        },
        [&](const rd_kafka_event_t* event) -> Result<void> {
          std::size_t count = 0;
          const auto** groups = rd_kafka_DescribeConsumerGroups_result_groups(
              rd_kafka_event_DescribeConsumerGroups_result(const_cast<rd_kafka_event_t*>(event)), &count);
          for (std::size_t i = 0; i < count; ++i) {
            const auto* error = rd_kafka_ConsumerGroupDescription_error(groups[i]);
            if (error != nullptr && rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR)
              return std::unexpected(group_error(*error, doing, group));
            collect_members(groups[i], found);
          }
          return {};
        });
    if (!answer) return std::unexpected(std::move(answer.error()));
    return found;
  }

 private:
  static Error group_error(const rd_kafka_error_t& error, const std::string& doing, const std::string& group) {
    const auto code = rd_kafka_error_code(&error);
    if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) return missing_right("DESCRIBE", "the group " + group);
    return error_of(code, doing, rd_kafka_error_string(&error));
  }

  /// Fills `config` or `config_error` of each.
  Result<void> read_configs(std::vector<TopicDescription>& topics, bool real_broker, milliseconds timeout) {
    // librdkafka sends this request to the controller, and it would wait for one until its time is up.
    if (!real_broker) {
      for (auto& topic : topics)
        topic.config_error = Error{ErrorKind::rejected, fmt::format("{} does not give settings of topics", servers_)};
      return {};
    }
    std::vector<std::string> names;
    for (const auto& topic : topics) names.push_back(topic.name);
    auto configs = configs_of(names, timeout);
    for (auto& topic : topics) {
      if (!configs) {
        if (configs.error().kind != ErrorKind::rejected && configs.error().kind != ErrorKind::forbidden)
          return std::unexpected(configs.error());
        topic.config_error = configs.error();
        continue;
      }
      auto& config = configs->try_emplace(topic.name, TopicConfig{}).first->second;
      if (config) {
        for (auto& [name, entry] : *config) topic.config.emplace(name, std::move(entry.value));
      } else if (config.error().kind == ErrorKind::rejected || config.error().kind == ErrorKind::forbidden) {
        topic.config_error = config.error();
      } else {
        return std::unexpected(config.error());
      }
    }
    return {};
  }

  /// Whether the broker refuses to say anything about this topic. Asked by its name, it does not hide that; no topic is
  /// created by asking, since allow.auto.create.topics is false here.
  [[nodiscard]] bool is_hidden(const std::string& name, milliseconds timeout) const {
    const Topic topic(rd_kafka_topic_new(client_.get(), name.c_str(), nullptr));
    if (!topic) return false;
    const rd_kafka_metadata_t* answer = nullptr;
    const auto code = rd_kafka_metadata(client_.get(), 0, topic.get(), &answer, in_ms(timeout));
    const Metadata metadata(answer);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR && answer->topic_cnt == 1 &&
           answer->topics[0].err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
  }

  /// False: librdkafka's own mock cluster, which knows few requests.
  [[nodiscard]] bool has_controller(const rd_kafka_metadata_t& cluster) const {
    const auto controller = rd_kafka_controllerid(client_.get(), 0);
    return std::any_of(cluster.brokers, cluster.brokers + cluster.broker_cnt,
                       [&](const auto& each) { return each.id == controller; });
  }

  /// Why there was no metadata. All that librdkafka says of it is that time ran out, whether no server listens or one
  /// refuses us: what happened on the connections comes as events. They are asked of a client of its own, since a
  /// queue that is looked at only in trouble would grow in the meantime.
  [[nodiscard]] Error unreachable(rd_kafka_resp_err_t code) const {
    std::string said = rd_kafka_err2str(code);
    auto properties = properties_;
    properties.emplace_back("log.connection.close", "true");  // without it a broker that hangs up is no event
    const auto client = open_client(RD_KAFKA_PRODUCER, properties, RD_KAFKA_EVENT_ERROR);
    const auto give_up = std::chrono::steady_clock::now() + reason_wait_max;
    for (bool all_said = !client; !all_said && std::chrono::steady_clock::now() < give_up;) {
      const rd_kafka_metadata_t* answer = nullptr;
      const auto now = rd_kafka_metadata(client->get(), 0, nullptr, &answer, in_ms(reason_look_again));
      const Metadata not_looked_at(answer);
      all_said = now == RD_KAFKA_RESP_ERR_NO_ERROR;  // it answers after all
      const Queue queue(rd_kafka_queue_get_main(client->get()));
      while (const Event event{rd_kafka_queue_poll(queue.get(), 0)}) {
        const auto what = rd_kafka_event_error(event.get());
        if (what == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
          all_said = true;  // each has had its say
          continue;
        }
        said = rd_kafka_event_error_string(event.get());
        if (auto refusal = connection_refused(what, servers_, said)) return std::move(*refusal);
      }
    }
    return {.kind = ErrorKind::unavailable,
            .detail = fmt::format("no Kafka broker answers at {}: {} (check TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS and that "
                                  "the brokers run)",
                                  servers_, said)};
  }

  // Sends one admin request and waits for its answer; `read` looks at what came for each topic or group.
  template <class Send, class Read>
  Result<void> run(rd_kafka_admin_op_t operation, milliseconds timeout, const std::string& doing, Send send,
                   Read read) {
    const AdminOptions options(rd_kafka_AdminOptions_new(client_.get(), operation));
    std::array<char, 256> text{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), in_ms(timeout), text.data(), text.size());
    // Answer only once the brokers know, so that what comes next finds it. Not every operation has this option.
    rd_kafka_AdminOptions_set_operation_timeout(options.get(), in_ms(timeout / 2), text.data(), text.size());
    const Queue queue(rd_kafka_queue_new(client_.get()));
    send(options.get(), queue.get());
    const Event event(rd_kafka_queue_poll(queue.get(), in_ms(timeout + milliseconds(500))));
    if (!event)
      return fail(ErrorKind::timed_out,
                  fmt::format("{}: no answer from {} in {} ms", doing, servers_, timeout.count()));
    if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return std::unexpected(
          error_of(code, fmt::format("{} at {}", doing, servers_), rd_kafka_event_error_string(event.get())));
    return read(event.get());
  }

  static Result<void> first_failure(std::string_view doing, const rd_kafka_topic_result_t** results,
                                    std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto code = rd_kafka_topic_result_error(results[i]);
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      const char* text = rd_kafka_topic_result_error_string(results[i]);
      return std::unexpected(error_of(code, fmt::format("{} {}", doing, rd_kafka_topic_result_name(results[i])),
                                      text == nullptr ? std::string_view() : std::string_view(text)));
    }
    return {};
  }

  static std::optional<Error> failure_of(const rd_kafka_ConfigResource_t* resource, std::string_view doing) {
    const auto code = rd_kafka_ConfigResource_error(resource);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
    const char* text = rd_kafka_ConfigResource_error_string(resource);
    return error_of(code, fmt::format("{} {}", doing, rd_kafka_ConfigResource_name(resource)),
                    text == nullptr ? std::string_view() : std::string_view(text));
  }

  /// By topic; an error where the broker refused that one.
  using TopicConfigs = std::map<std::string, Result<TopicConfig>>;
  Result<TopicConfigs> configs_of(const std::vector<std::string>& topics, milliseconds timeout) {
    std::vector<ConfigResourceHolder> holders;
    std::vector<rd_kafka_ConfigResource_t*> requests;
    for (const auto& topic : topics) {
      holders.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
      requests.push_back(holders.back().get());
    }
    TopicConfigs configs;
    auto answer = run(
        RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout, "reading the topics' configuration",
        [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
          rd_kafka_DescribeConfigs(client_.get(), requests.data(), requests.size(), options, queue);
        },
        [&](const rd_kafka_event_t* event) { return collect_configs(event, configs); });
    if (!answer) return std::unexpected(std::move(answer.error()));
    return configs;
  }

  static void collect_members(const rd_kafka_ConsumerGroupDescription_t* group, GroupMembers& found) {
    const auto state = rd_kafka_ConsumerGroupDescription_state(group);
    found.rebalancing = state == RD_KAFKA_CONSUMER_GROUP_STATE_PREPARING_REBALANCE ||
                        state == RD_KAFKA_CONSUMER_GROUP_STATE_COMPLETING_REBALANCE;
    for (std::size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(group); ++i) {
      const auto* member = rd_kafka_ConsumerGroupDescription_member(group, i);
      const auto* assignment = rd_kafka_MemberDescription_assignment(member);
      found.members.push_back(
          {.client_id = rd_kafka_MemberDescription_client_id(member),
           .host = rd_kafka_MemberDescription_host(member),
           .partitions =
               partitions_of(assignment == nullptr ? nullptr : rd_kafka_MemberAssignment_partitions(assignment))});
    }
  }

  static Result<void> collect_configs(const rd_kafka_event_t* event, TopicConfigs& configs) {
    std::size_t count = 0;
    const auto** resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(const_cast<rd_kafka_event_t*>(event)), &count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string topic = rd_kafka_ConfigResource_name(resources[i]);
      if (auto failure = failure_of(resources[i], "reading the configuration of the topic")) {
        configs.insert_or_assign(topic, std::unexpected(std::move(*failure)));
        continue;
      }
      TopicConfig config;
      std::size_t entry_count = 0;
      const auto** entries = rd_kafka_ConfigResource_configs(resources[i], &entry_count);
      for (std::size_t each = 0; each < entry_count; ++each) {
        const char* value = rd_kafka_ConfigEntry_value(entries[each]);
        if (value == nullptr) continue;  // sensitive: the broker keeps it to itself
        config[rd_kafka_ConfigEntry_name(entries[each])] = {
            .value = value,
            .set_on_topic = rd_kafka_ConfigEntry_source(entries[each]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG};
      }
      configs.insert_or_assign(topic, std::move(config));
    }
    return {};
  }

  Client client_;
  const Properties properties_;
  const std::string servers_;
};

}  // namespace

Result<std::unique_ptr<Admin>> Admin::connect(const Properties& properties, bool committed_only) {
  auto layered = committed_only ? committed_admin_properties(properties) : admin_properties(properties);
  if (!layered) return std::unexpected(std::move(layered.error()));
  auto client = open_client(RD_KAFKA_PRODUCER, *layered, 0);
  if (!client) return std::unexpected(std::move(client.error()));
  return std::make_unique<LibrdkafkaAdmin>(std::move(*client), std::move(*layered));
}

}  // namespace tokenrail::kafka
