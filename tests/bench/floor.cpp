// tokenrail-bench-floor: the floor that the router is held against. It reads the provider's streams with the router's
// own HTTP client on the same loop, parses each line once, and produces one record a line with plain librdkafka: no
// registry, no ledger, no audit, no order, no delivery reports, no request topic. What it produces is the provider's
// line as it came, which has about the size of a chunk record.
//
//   tokenrail-bench-floor --bootstrap B --topic T --url http://… [--streams 64] [--directive "pace=50 tokens=200"]
//                         [--linger 1] [--mode whole|window|idle] [--starts 1000] [--warmup-ms 1500] [--window-ms 3000]
//
// whole: a short warm-up on every stream, then CPU time from the first call to the last record acknowledged.
// window: starts the streams, so many a second that they do not speak in step, waits the warm-up out, measures a
// window, leaves. idle: starts all streams, waits until each has had its first line, tells what they cost in resident
// memory. Prints one JSON object.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <simdjson.h>

#include "common/http/client.hpp"
#include "common/http/framing.hpp"
#include "common/telemetry/metrics.hpp"
#include "tests/bench/instruments.hpp"

namespace {

using namespace tokenrail::bench;
namespace http = tokenrail::http;
using std::chrono::milliseconds;

constexpr std::size_t line_bytes_max = 4 * 1024 * 1024;
constexpr milliseconds tick_period{5};
constexpr milliseconds begin_timeout{30'000};

class Floor {
 public:
  explicit Floor(const Arguments& arguments);
  int run();

 private:
  class Stream final : public http::Listener {
   public:
    Stream(Floor& floor, std::int32_t partition, std::string key)
        : floor_(floor), partition_(partition), key_(std::move(key)) {}
    void call(const std::string& directive);
    void on_head(const http::ResponseHead& head) override { floor_.failed_ = floor_.failed_ || head.status != 200; }
    bool on_body(std::string_view bytes) override;
    void on_end(const http::End& end) override;
    [[nodiscard]] bool resume();

   private:
    void take(std::string_view line);

    Floor& floor_;
    std::int32_t partition_;
    std::string key_;
    bool begun_ = false;  ///< has had a line
    http::LineFramer framer_{line_bytes_max};
    http::TransferId transfer_{};
    std::deque<std::string> held_{};  ///< lines that found the producer's queue full
  };

  void start_all(const std::string& directive);
  void run_until(const std::function<bool()>& condition);
  void whole();
  void window();
  void idle();
  void print(std::string_view mode, std::int64_t chunks, std::int64_t cpu, std::int64_t wall) const;

  boost::asio::io_context loop_{1};
  boost::asio::steady_timer timer_{loop_};
  tokenrail::telemetry::Metrics metrics_{};
  std::unique_ptr<http::Client> http_;
  Client producer_;
  Topic topic_;
  simdjson::ondemand::parser parser_{};
  std::string padded_{};
  std::vector<std::unique_ptr<Stream>> streams_{};
  std::vector<Stream*> stopped_{};

  std::string url_;
  std::string directive_;
  std::string mode_;
  std::int64_t starts_;
  milliseconds warmup_;
  milliseconds window_;
  std::size_t running_ = 0;
  std::size_t begun_ = 0;  ///< streams that have had a line
  std::int64_t chunks_ = 0;
  std::int64_t stops_ = 0;
  bool failed_ = false;
};

Floor::Floor(const Arguments& arguments)
    : http_(http::make_client(loop_, {}, metrics_)),
      producer_(make_producer(arguments.text("bootstrap"), arguments.text("linger", "1"))),
      topic_(open_topic(producer_.get(), arguments.text("topic"))),
      url_(arguments.text("url")),
      directive_(arguments.text("directive", "")),
      mode_(arguments.text("mode", "whole")),
      starts_(arguments.number("starts", 1000)),
      warmup_(arguments.number("warmup-ms", 1500)),
      window_(arguments.number("window-ms", 3000)) {
  const auto partitions = partition_count(producer_.get(), topic_.get());
  const auto count = static_cast<std::int32_t>(arguments.number("streams", 64));
  for (std::int32_t i = 0; i < count; ++i) {
    streams_.push_back(std::make_unique<Stream>(*this, i % partitions, fmt::format("floor-{}", i)));
  }
}

void Floor::Stream::call(const std::string& directive) {
  ++floor_.running_;
  http::Request request{.method = "POST", .url = floor_.url_ + "/api/chat"};
  request.headers.push_back({.name = "content-type", .value = "application/json"});
  request.body = fmt::format(
      R"({{"model":"sim-chat:1b","messages":[{{"role":"user","content":"measure [[sim {}]]"}}],"stream":true}})",
      directive);
  begun_ = false;
  framer_ = http::LineFramer(line_bytes_max);
  transfer_ = floor_.http_->start(std::move(request), {}, {}, *this);
}

bool Floor::Stream::on_body(std::string_view bytes) {
  framer_.feed(bytes, [this](std::string_view line) { take(line); });
  if (held_.empty()) return true;
  floor_.stopped_.push_back(this);
  ++floor_.stops_;
  return false;
}

void Floor::Stream::take(std::string_view line) {
  auto& copy = floor_.padded_;
  copy.assign(line);
  copy.reserve(line.size() + simdjson::SIMDJSON_PADDING);
  std::string_view content;
  simdjson::ondemand::document document;
  if (floor_.parser_.iterate(simdjson::padded_string_view(copy.data(), copy.size(), copy.capacity())).get(document) !=
          simdjson::SUCCESS ||
      document["message"]["content"].get_string().get(content) != simdjson::SUCCESS) {
    floor_.failed_ = true;
    return;
  }
  ++floor_.chunks_;
  if (!std::exchange(begun_, true)) ++floor_.begun_;
  if (!held_.empty() || produce(floor_.topic_.get(), partition_, key_, line) == Produced::queue_full) {
    held_.emplace_back(line);
  }
}

bool Floor::Stream::resume() {
  while (!held_.empty()) {
    if (produce(floor_.topic_.get(), partition_, key_, held_.front()) == Produced::queue_full) return false;
    held_.pop_front();
  }
  floor_.http_->resume(transfer_);
  return true;
}

void Floor::Stream::on_end(const http::End& end) {
  --floor_.running_;
  if (end.ending != http::Ending::complete) {
    fmt::print(stderr, "tokenrail-bench-floor: a stream ended early: {}\n", end.detail);
    floor_.failed_ = true;
  }
}

void Floor::start_all(const std::string& directive) {
  for (auto& stream : streams_) stream->call(directive);
}

/// Turns the loop; a tick looks at the condition and lets stopped streams go on; rare, so that it costs nothing that
/// counts.
void Floor::run_until(const std::function<bool()>& condition) {
  std::function<void()> tick = [&] {
    std::erase_if(stopped_, [](Stream* stream) { return stream->resume(); });
    if (failed_ || condition()) {
      loop_.stop();
      return;
    }
    timer_.expires_after(tick_period);
    timer_.async_wait([&](boost::system::error_code error) {
      if (!error) tick();
    });
  };
  loop_.restart();
  tick();
  loop_.run();
  if (failed_) throw std::runtime_error("a stream failed");
}

void Floor::print(std::string_view mode, std::int64_t chunks, std::int64_t cpu, std::int64_t wall) const {
  fmt::print(
      R"({{"mode":"{}","streams":{},"chunks":{},"cpu_us":{:.1f},"wall_us":{:.1f},"cpu_us_per_chunk":{:.4f},"stops":{}}})"
      "\n",
      mode, streams_.size(), chunks, static_cast<double>(cpu) / 1000, static_cast<double>(wall) / 1000,
      static_cast<double>(cpu) / 1000 / static_cast<double>(chunks), stops_);
}

void Floor::whole() {
  const auto done = [this] { return running_ == 0 && rd_kafka_outq_len(producer_.get()) == 0; };
  start_all("tokens=200");
  run_until(done);
  chunks_ = 0;
  stops_ = 0;
  const auto cpu = own_cpu_ns();
  const auto wall = now_ns();
  start_all(directive_);
  run_until(done);
  print("whole", chunks_, own_cpu_ns() - cpu, now_ns() - wall);
}

void Floor::window() {
  std::size_t started = 0;
  run_until([&, begin = now_ns()] {
    const auto due = static_cast<std::size_t>((now_ns() - begin) * starts_ / 1'000'000'000) + 1;
    while (started < std::min(due, streams_.size())) streams_[started++]->call(directive_);
    return started == streams_.size();
  });
  const auto over = [](milliseconds time) {
    return [end = now_ns() + std::chrono::nanoseconds(time).count()] { return now_ns() >= end; };
  };
  run_until([this, late = over(begin_timeout)] {
    if (late()) throw std::runtime_error("not every stream has begun");
    return begun_ == streams_.size();
  });
  run_until(over(warmup_));
  const auto chunks = chunks_;
  const auto cpu = own_cpu_ns();
  const auto wall = now_ns();
  run_until(over(window_));
  if (running_ < streams_.size()) throw std::runtime_error("streams ended before the window was over");
  print("window", chunks_ - chunks, own_cpu_ns() - cpu, now_ns() - wall);
}

void Floor::idle() {
  // The first stream brings what is there once, however many follow.
  streams_.front()->call(directive_);
  run_until([this] { return begun_ == 1 && rd_kafka_outq_len(producer_.get()) == 0; });
  const auto before = own_resident_bytes();
  for (std::size_t i = 1; i < streams_.size(); ++i) streams_[i]->call(directive_);
  run_until([this] { return begun_ == streams_.size() && rd_kafka_outq_len(producer_.get()) == 0; });
  fmt::print(R"({{"mode":"idle","streams":{},"bytes_per_stream":{:.1f}}})"
             "\n",
             streams_.size(),
             static_cast<double>(own_resident_bytes() - before) / static_cast<double>(streams_.size() - 1));
}

int Floor::run() {
  if (mode_ == "whole") {
    whole();
  } else if (mode_ == "window") {
    window();
  } else if (mode_ == "idle") {
    idle();
  } else {
    throw std::runtime_error("--mode is whole, window or idle");
  }
  http_.reset();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Floor(Arguments(argc, argv,
                           {"bootstrap", "topic", "url", "streams", "directive", "linger", "mode", "starts",
                            "warmup-ms", "window-ms"}))
        .run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "tokenrail-bench-floor: {}\n", error.what());
    return 1;
  }
}
