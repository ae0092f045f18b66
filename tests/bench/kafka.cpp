// tokenrail-bench-kafka: the latency of Kafka itself. One producer, one consumer, one partition, records sent in an
// open loop at a fixed rate; each is timed from the moment it was meant to be sent until the consumer has it in hand.
//
//   tokenrail-bench-kafka --bootstrap B --topic T [--rate 2000] [--linger 1] [--warmup-ms 500] [--window-ms 3000]
//
// Prints one JSON object.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "tests/bench/instruments.hpp"

namespace {

using namespace tokenrail::bench;

constexpr std::int64_t ns_per_ms = 1'000'000;

int run(const Arguments& arguments) {
  const auto bootstrap = arguments.text("bootstrap");
  const auto name = arguments.text("topic");
  const auto rate = arguments.number("rate", 2000);
  const auto linger = arguments.text("linger", "1");
  const auto warmup_ns = arguments.number("warmup-ms", 500) * ns_per_ms;
  const auto window_ns = arguments.number("window-ms", 3000) * ns_per_ms;
  const auto consumer = make_consumer(bootstrap, {name});
  const auto producer = make_producer(bootstrap, linger);
  const auto topic = open_topic(producer.get(), name);

  const auto partitions = partition_count(producer.get(), topic.get());

  // The producer id, the connections and the first fetch take their time once.
  const std::string padding(120, 'x');
  if (produce(topic.get(), 0, "warm", padding) != Produced::accepted) return 1;
  while (!poll(consumer.get(), 1000)) {
  }

  const auto total = rate * (warmup_ns + window_ns) / 1'000'000'000;
  std::atomic<bool> full = false;
  const auto begin = now_ns();
  std::thread sender([&] {
    for (std::int64_t i = 0; i < total; ++i) {
      const auto intended = begin + i * 1'000'000'000 / rate;
      std::this_thread::sleep_until(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(intended)));
      if (produce(topic.get(), static_cast<std::int32_t>(i % partitions), "key",
                  fmt::format("@{:019}{}", intended, padding)) != Produced::accepted)
        full = true;
    }
  });

  std::vector<std::int64_t> samples;
  std::int64_t received = 0;
  while (received < total && !full) {
    const auto message = poll(consumer.get(), 5000);
    if (!message) break;
    const auto now = now_ns();
    ++received;
    const auto stamp = stamp_of({static_cast<const char*>(message->payload), message->len});
    if (stamp && *stamp >= begin + warmup_ns) samples.push_back(now - *stamp);
  }
  sender.join();
  if (received < total) {
    fmt::print(stderr, "tokenrail-bench-kafka: only {} of {} records came back\n", received, total);
    return 1;
  }
  fmt::print("{{\"rate\":{},\"latency_us\":{}}}\n", rate, percentiles_json(samples));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(Arguments(argc, argv, {"bootstrap", "topic", "rate", "linger", "warmup-ms", "window-ms"}));
  } catch (const std::exception& error) {
    fmt::print(stderr, "tokenrail-bench-kafka: {}\n", error.what());
    return 1;
  }
}
