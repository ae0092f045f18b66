// A race on purpose, between a callback on one of librdkafka's own threads and the main thread. ThreadSanitizer must
// report it: that shows librdkafka's threads to be known, and no suppression to hide what our code does on them.
#include <array>
#include <atomic>
#include <cstdio>

#include <librdkafka/rdkafka.h>

namespace {

int lines = 0;                       // the planted fault: two threads, no lock
std::atomic<bool> line_seen{false};  // relaxed on purpose: it tells that there was one, and orders nothing

void count_line(const rd_kafka_t*, int, const char*, const char*) {
  ++lines;
  line_seen.store(true, std::memory_order_relaxed);
}

}  // namespace

int main() {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  std::array<char, 512> text{};
  rd_kafka_conf_set(conf, "debug", "all", text.data(), text.size());  // so that its threads have something to say
  rd_kafka_conf_set_log_cb(conf, count_line);
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text.data(), text.size());
  if (client == nullptr) {
    std::fprintf(stderr, "no client: %s\n", text.data());
    return 1;
  }
  // No call into librdkafka between a line and the access below: its locks would put the two in an order.
  while (!line_seen.load(std::memory_order_relaxed)) {
  }
  std::printf("%d lines\n", lines);
  rd_kafka_destroy(client);
  return 0;
}
