#include "tests/bench/instruments.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

namespace tokenrail::bench {

namespace {

constexpr int metadata_timeout_ms = 30'000;
constexpr std::size_t stamp_digits = 19;

struct EndMetadata {
  void operator()(const rd_kafka_metadata_t* metadata) const { rd_kafka_metadata_destroy(metadata); }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, EndMetadata>;

Metadata metadata_of(rd_kafka_t* client, rd_kafka_topic_t* topic) {
  const rd_kafka_metadata_t* answer = nullptr;
  const auto code = rd_kafka_metadata(client, 0, topic, &answer, metadata_timeout_ms);
  Metadata metadata(answer);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR || answer->topic_cnt != 1 || answer->topics[0].partition_cnt == 0) {
    throw std::runtime_error(fmt::format("the topic {} cannot be looked up", rd_kafka_topic_name(topic)));
  }
  return metadata;
}

using Properties = std::vector<std::pair<std::string, std::string>>;

Client open_client(rd_kafka_type_t type, const Properties& properties) {
  std::array<char, 512> problem{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  // Warnings would say in each run that what the router uses as well is experimental.
  rd_kafka_conf_set(conf, "log_level", "3", nullptr, 0);
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), problem.data(), problem.size()) != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      throw std::runtime_error(problem.data());
    }
  }
  Client client(rd_kafka_new(type, conf, problem.data(), problem.size()));
  if (!client) {
    rd_kafka_conf_destroy(conf);
    throw std::runtime_error(problem.data());
  }
  return client;
}

}  // namespace

// --- clocks
// -----------------------------------------------------------------------------------------------------------

std::int64_t now_ns() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::int64_t own_cpu_ns() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto ns = [](const timeval& t) { return t.tv_sec * 1'000'000'000 + t.tv_usec * 1'000; };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

std::int64_t own_resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t size = 0;
  std::int64_t resident = 0;
  file >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

std::string percentiles_json(std::vector<std::int64_t>& samples_ns) {
  std::ranges::sort(samples_ns);
  const auto at = [&](double share) {
    if (samples_ns.empty()) return 0.0;
    const auto index = static_cast<std::size_t>(share * static_cast<double>(samples_ns.size() - 1));
    return static_cast<double>(samples_ns[index]) / 1000;
  };
  return fmt::format(R"({{"count":{},"p50":{:.1f},"p90":{:.1f},"p99":{:.1f},"p999":{:.1f},"max":{:.1f}}})",
                     samples_ns.size(), at(0.5), at(0.9), at(0.99), at(0.999), at(1));
}

// --- command lines
// ----------------------------------------------------------------------------------------------------

Arguments::Arguments(int argc, char** argv, const std::vector<std::string_view>& known) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const auto name = words[i].starts_with("--") ? words[i].substr(2) : std::string_view();
    if (std::ranges::find(known, name) == known.end() || i + 1 == words.size()) {
      throw std::runtime_error(fmt::format("{} is not an option with a value", words[i]));
    }
    values_[std::string(name)] = words[i + 1];
  }
}

std::string Arguments::text(const std::string& name) const {
  const auto it = values_.find(name);
  if (it == values_.end()) throw std::runtime_error(fmt::format("--{} is wanted", name));
  return it->second;
}

std::string Arguments::text(const std::string& name, std::string otherwise) const {
  const auto it = values_.find(name);
  return it == values_.end() ? std::move(otherwise) : it->second;
}

std::int64_t Arguments::number(const std::string& name, std::int64_t otherwise) const {
  const auto it = values_.find(name);
  if (it == values_.end()) return otherwise;
  std::int64_t number = 0;
  const auto& word = it->second;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number < 0) {
    throw std::runtime_error(fmt::format("--{} {}: a whole number is wanted", name, word));
  }
  return number;
}

// --- Kafka
// ------------------------------------------------------------------------------------------------------------

Client make_producer(const std::string& bootstrap, std::string_view linger_ms) {
  return open_client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", bootstrap},
                                         {"linger.ms", std::string(linger_ms)},
                                         {"enable.idempotence", "true"},
                                         {"enable.gapless.guarantee", "true"},
                                         {"acks", "all"},
                                         {"message.timeout.ms", "0"},
                                         {"socket.nagle.disable", "true"},
                                         {"queue.buffering.max.messages", "200000"},
                                         {"queue.buffering.max.kbytes", "262144"}});
}

Topic open_topic(rd_kafka_t* client, const std::string& name) {
  Topic topic(rd_kafka_topic_new(client, name.c_str(), nullptr));
  if (!topic) throw std::runtime_error(fmt::format("the topic {} cannot be opened", name));
  static_cast<void>(metadata_of(client, topic.get()));
  return topic;
}

std::int32_t partition_count(rd_kafka_t* client, rd_kafka_topic_t* topic) {
  return metadata_of(client, topic)->topics[0].partition_cnt;
}

Client make_consumer(const std::string& bootstrap, const std::vector<std::string>& topics) {
  Client consumer = open_client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", bootstrap},
                                                    {"group.id", fmt::format("bench-{}", now_ns())},
                                                    {"enable.auto.commit", "false"},
                                                    {"isolation.level", "read_uncommitted"},
                                                    {"fetch.message.max.bytes", "8388608"},
                                                    {"socket.nagle.disable", "true"}});
  rd_kafka_poll_set_consumer(consumer.get());
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  for (const auto& name : topics) {
    const auto topic = open_topic(consumer.get(), name);
    const auto count = partition_count(consumer.get(), topic.get());
    for (std::int32_t number = 0; number < count; ++number) {
      std::int64_t low = 0;
      std::int64_t high = 0;
      const auto code =
          rd_kafka_query_watermark_offsets(consumer.get(), name.c_str(), number, &low, &high, metadata_timeout_ms);
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(rd_kafka_err2str(code));
      rd_kafka_topic_partition_list_add(list, name.c_str(), number)->offset = high;
    }
  }
  const auto code = rd_kafka_assign(consumer.get(), list);
  rd_kafka_topic_partition_list_destroy(list);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(rd_kafka_err2str(code));
  return consumer;
}

Message poll(rd_kafka_t* consumer, int timeout_ms) {
  Message message(rd_kafka_consumer_poll(consumer, timeout_ms));
  if (message && message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw std::runtime_error(fmt::format("consuming: {}", rd_kafka_message_errstr(message.get())));
  }
  return message;
}

Produced produce(rd_kafka_topic_t* topic, std::int32_t partition, std::string_view key, std::string_view value) {
  // With COPY librdkafka only reads the value.
  const int answer = rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, const_cast<char*>(value.data()),
                                      value.size(), key.data(), key.size(), nullptr);
  if (answer == 0) return Produced::accepted;
  const auto code = rd_kafka_last_error();
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return Produced::queue_full;
  throw std::runtime_error(fmt::format("producing: {}", rd_kafka_err2str(code)));
}

std::optional<std::int64_t> stamp_of(std::string_view record) {
  const auto at = record.find('@');
  if (at == std::string_view::npos || record.size() < at + 1 + stamp_digits) return std::nullopt;
  const auto digits = record.substr(at + 1, stamp_digits);
  std::int64_t stamp = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), stamp);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return stamp;
}

// --- commands
// ---------------------------------------------------------------------------------------------------------

struct Commands::State {
  mutable std::mutex mutex;
  std::map<std::string, int> counts;
  bool over = false;
};

Commands::Commands() : state_(std::make_shared<State>()) {
  // Detached: it sits in a read that nothing but the other side's end can wake.
  std::thread([state = state_] {
    std::string line;
    while (std::getline(std::cin, line)) {
      const std::lock_guard lock(state->mutex);
      ++state->counts[line];
    }
    const std::lock_guard lock(state->mutex);
    state->over = true;
  }).detach();
}

int Commands::count(const std::string& word) const {
  const std::lock_guard lock(state_->mutex);
  const auto it = state_->counts.find(word);
  return it == state_->counts.end() ? 0 : it->second;
}

bool Commands::over() const {
  const std::lock_guard lock(state_->mutex);
  return state_->over;
}

}  // namespace tokenrail::bench
