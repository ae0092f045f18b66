// A Kafka-compatible broker for demos and tests, without Java: librdkafka's mock cluster in a process of its own.
//
//   tokenrail-dev-broker [--brokers N] [--topic NAME:PARTITIONS]...
//
// Prints the bootstrap servers, alone on the last line of standard output, once it serves; runs until SIGTERM or
// SIGINT. Everything lies in memory: 5 MB or 100,000 records a partition, the oldest go first. It knows no admin
// requests, so the topics are given here; a fetch answers after fetch.wait.max.ms, not when a record comes, so give
// clients a short one (10 ms).
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>

namespace {

struct Topic {
  std::string name;
  int partitions = 1;
};

struct Arguments {
  int brokers = 1;
  std::vector<Topic> topics{};
};

constexpr std::string_view usage = "usage: tokenrail-dev-broker [--brokers N] [--topic NAME:PARTITIONS]...\n";

std::optional<int> positive(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

// The text of what is wrong, or nothing.
std::optional<std::string> read(const std::vector<std::string_view>& words, Arguments& arguments) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view option = words[i];
    if (option != "--brokers" && option != "--topic") return fmt::format("unknown argument {}", option);
    if (++i == words.size()) return fmt::format("{} wants a value", option);
    const std::string_view value = words[i];
    if (option == "--brokers") {
      const auto count = positive(value);
      if (!count || *count > 9) return fmt::format("--brokers {}: a number from 1 to 9 is allowed", value);
      arguments.brokers = *count;
      continue;
    }
    const auto colon = value.rfind(':');
    const auto partitions = colon == std::string_view::npos ? std::nullopt : positive(value.substr(colon + 1));
    if (!partitions || colon == 0) return fmt::format("--topic {}: NAME:PARTITIONS is wanted", value);
    arguments.topics.push_back({.name = std::string(value.substr(0, colon)), .partitions = *partitions});
  }
  return std::nullopt;
}

struct ClientEnd {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
struct ClusterEnd {
  void operator()(rd_kafka_mock_cluster_t* cluster) const { rd_kafka_mock_cluster_destroy(cluster); }
};

int fail(std::string_view what) {
  fmt::print(stderr, "tokenrail-dev-broker: {}\n", what);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  for (const auto word : words)
    if (word == "--help" || word == "-h") {
      fmt::print("{}", usage);
      return 0;
    }
  Arguments arguments;
  if (const auto problem = read(words, arguments)) {
    fmt::print(stderr, "tokenrail-dev-broker: {}\n{}", *problem, usage);
    return 2;
  }

  // Blocked before librdkafka starts its threads, so that only sigwait() below sees them.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGTERM);
  sigaddset(&stop_signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);

  std::array<char, 512> text{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  // This client only carries the cluster; that it has no servers of its own is no news.
  rd_kafka_conf_set(conf, "log_level", "2", text.data(), text.size());
  std::unique_ptr<rd_kafka_t, ClientEnd> client(rd_kafka_new(RD_KAFKA_PRODUCER, conf, text.data(), text.size()));
  if (!client) return fail(text.data());
  std::unique_ptr<rd_kafka_mock_cluster_t, ClusterEnd> cluster(
      rd_kafka_mock_cluster_new(client.get(), arguments.brokers));
  if (!cluster) return fail("the cluster could not be started: are there free ports on 127.0.0.1?");
  for (const auto& topic : arguments.topics) {
    const auto code =
        rd_kafka_mock_topic_create(cluster.get(), topic.name.c_str(), topic.partitions, arguments.brokers);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return fail(fmt::format("the topic {} could not be made: {}", topic.name, rd_kafka_err2str(code)));
  }
  fmt::print("{}\n", rd_kafka_mock_cluster_bootstraps(cluster.get()));
  std::fflush(stdout);

  int received = 0;
  sigwait(&stop_signals, &received);
  return 0;
}
