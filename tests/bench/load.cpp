// tokenrail-bench-load: puts requests on chat.requests and waits for their ends; on the way it may time what comes
// back.
//
//   tokenrail-bench-load --bootstrap B --prefix P [--requests 64] [--directive "tokens=200"] [--orgs 1]
//                        [--provider ollama] [--concurrency N | --rate R] [--read audit|chunks|calls] [--timeout-ms
//                        120000] [--may-fail yes]
//   tokenrail-bench-load --bootstrap B --listen TOPIC
//
// Requests go out all at once, or N at a time (the next one when one ends), or R a second in an open loop.
// --read audit (default) waits for each request's llm.response; chunks reads chat.chunks instead and times every chunk
// that the simulator stamped (`stamp=on`), from the provider's sending to having it in hand; calls does that too and
// times, per request, from having read it off chat.requests, as an equal of the router does, to the stamp of its first
// line. --listen only times the stamps on another topic. Lines on standard input: `mark` begins the samples anew,
// `stop` ends them, and ends the program where it only listens.
//
// Prints "ready" once it reads, and at the end one JSON object.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "tests/bench/instruments.hpp"

namespace {

using namespace tokenrail::bench;

constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr int poll_ms = 20;

/// The request id in a record of ours: `b` and two numbers.
std::string id_of(std::string_view record) {
  constexpr std::string_view name = R"("requestId":")";
  const auto at = record.find(name);
  if (at == std::string_view::npos) return {};
  const auto id = record.substr(at + name.size());
  return std::string(id.substr(0, id.find('"')));
}

/// When each request was read off chat.requests by a consumer that has nothing else to do.
class RequestWatch {
 public:
  RequestWatch(const std::string& bootstrap, const std::string& topic)
      : consumer_(make_consumer(bootstrap, {topic})), thread_([this] { run(); }) {}
  ~RequestWatch() {
    over_ = true;
    thread_.join();
  }
  RequestWatch(const RequestWatch&) = delete;
  RequestWatch& operator=(const RequestWatch&) = delete;

  [[nodiscard]] std::optional<std::int64_t> seen(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto it = seen_.find(id);
    return it == seen_.end() ? std::nullopt : std::optional(it->second);
  }

 private:
  void run() {
    while (!over_) {
      const auto message = poll(consumer_.get(), poll_ms);
      if (!message) continue;
      const auto now = now_ns();
      const std::lock_guard lock(mutex_);
      seen_.emplace(id_of({static_cast<const char*>(message->payload), message->len}), now);
    }
  }

  Client consumer_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::int64_t> seen_{};
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

class Sender {
 public:
  Sender(const Arguments& arguments, const std::string& topic)
      : producer_(make_producer(arguments.text("bootstrap"), "0")),
        topic_(open_topic(producer_.get(), topic)),
        partitions_(partition_count(producer_.get(), topic_.get())),
        orgs_(arguments.number("orgs", 1)),
        run_(now_ns()),
        provider_(arguments.text("provider", "ollama")),
        directive_(arguments.text("directive", "")) {}

  /// Request number `i`; remembers when it was meant to be sent.
  void send(std::int64_t i) {
    const auto id = fmt::format("b{}-{}", run_, i);
    const auto value =
        fmt::format(R"({{"requestId":"{}","orgId":"bench-{}","modelProvider":"{}","modelName":"sim-chat:1b",)"
                    R"("messages":[{{"role":"user","content":"measure [[sim {}]]"}}]}})",
                    id, i % orgs_, provider_, directive_);
    if (produce(topic_.get(), static_cast<std::int32_t>(i % partitions_), id, value) != Produced::accepted) {
      throw std::runtime_error("the queue of requests is full");
    }
  }
  void serve() { rd_kafka_poll(producer_.get(), 0); }

 private:
  Client producer_;
  Topic topic_;
  std::int32_t partitions_;
  std::int64_t orgs_;
  std::int64_t run_;
  std::string provider_;
  std::string directive_;
};

class Load {
 public:
  explicit Load(const Arguments& arguments)
      : listening_(arguments.has("listen")),
        read_(listening_ ? "chunks" : arguments.text("read", "audit")),
        requests_(listening_ ? 0 : arguments.number("requests", 64)),
        concurrency_(arguments.number("concurrency", 0)),
        rate_(arguments.number("rate", 0)),
        deadline_(now_ns() + arguments.number("timeout-ms", 120'000) * ns_per_ms),
        may_fail_(arguments.has("may-fail")) {
    if (read_ != "audit" && read_ != "chunks" && read_ != "calls")
      throw std::runtime_error("--read audit|chunks|calls");
    const auto bootstrap = arguments.text("bootstrap");
    const auto prefix = arguments.text("prefix", "");
    consumer_ = make_consumer(bootstrap, {listening_         ? arguments.text("listen")
                                          : read_ == "audit" ? prefix + "llm.audit"
                                                             : prefix + "chat.chunks"});
    if (read_ == "calls") watch_.emplace(bootstrap, prefix + "chat.requests");
    if (!listening_) sender_.emplace(arguments, prefix + "chat.requests");
  }

  int run() {
    fmt::print("ready\n");
    std::fflush(stdout);
    const auto begin = now_ns();
    std::thread open_loop;
    if (rate_ > 0) {
      open_loop = std::thread([this, begin] {
        for (std::int64_t i = 0; i < requests_; ++i) {
          const auto intended = begin + i * 1'000'000'000 / rate_;
          std::this_thread::sleep_until(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(intended)));
          sender_->send(i);
        }
      });
    } else if (!listening_) {
      const auto first = concurrency_ > 0 ? std::min(concurrency_, requests_) : requests_;
      while (sent_ < first) sender_->send(sent_++);
    }
    while (!over()) turn();
    const auto wall = now_ns() - begin;
    if (open_loop.joinable()) open_loop.join();
    fmt::print(R"({{"requests":{},"ended":{},"failed":{},"chunks":{},"wall_us":{:.0f},"chunk_us":{},"call_us":{}}})"
               "\n",
               requests_, ended_, failed_, chunks_, static_cast<double>(wall) / 1000, percentiles_json(chunk_ns_),
               percentiles_json(call_ns_));
    if (listening_ || (ended_ == requests_ && (failed_ == 0 || may_fail_))) return 0;
    fmt::print(stderr, "tokenrail-bench-load: of {} requests {} ended, {} of them failed: {}\n", requests_, ended_,
               failed_, failure_);
    return 1;
  }

 private:
  [[nodiscard]] bool over() const {
    if (now_ns() > deadline_ || commands_.over()) return true;
    return listening_ ? commands_.count("stop") > 0 : ended_ >= requests_;
  }

  void turn() {
    const auto message = poll(consumer_.get(), poll_ms);
    const auto now = now_ns();
    if (const auto marks = commands_.count("mark"); marks != marks_) {
      marks_ = marks;
      marked_at_ = now;
      chunk_ns_.clear();
      call_ns_.clear();
    }
    if (sender_) sender_->serve();
    if (!message) return;
    const std::string_view record(static_cast<const char*>(message->payload), message->len);
    if (read_ == "audit") {
      if (record.find("llm.response") != std::string_view::npos) end(record, R"("outcome":"completed")");
      return;
    }
    ++chunks_;
    if (const auto stamp = stamp_of(record); stamp && *stamp >= marked_at_ && commands_.count("stop") == 0) {
      chunk_ns_.push_back(now - *stamp);
      if (watch_ && record.find(R"("seq":0,)") != std::string_view::npos) {
        if (const auto seen = watch_->seen(id_of(record))) call_ns_.push_back(*stamp - *seen);
      }
    }
    if (!listening_ && record.find(R"("done":true)") != std::string_view::npos) end(record, R"("finishReason":"stop")");
  }

  void end(std::string_view record, std::string_view good) {
    ++ended_;
    if (record.find(good) == std::string_view::npos) {
      ++failed_;
      failure_ = record;
    }
    if (concurrency_ > 0 && sent_ < requests_) sender_->send(sent_++);
  }

  bool listening_;
  std::string read_;
  std::int64_t requests_;
  std::int64_t concurrency_;
  std::int64_t rate_;
  std::int64_t deadline_;
  bool may_fail_;
  Client consumer_{};
  std::optional<RequestWatch> watch_{};
  std::optional<Sender> sender_{};
  Commands commands_{};

  std::int64_t sent_ = 0;
  std::int64_t ended_ = 0;
  std::int64_t failed_ = 0;
  std::int64_t chunks_ = 0;
  std::string failure_{};
  int marks_ = 0;
  std::int64_t marked_at_ = 0;
  std::vector<std::int64_t> chunk_ns_{};
  std::vector<std::int64_t> call_ns_{};
};

}  // namespace

int main(int argc, char** argv) {
  try {
    return Load(Arguments(argc, argv,
                          {"bootstrap", "prefix", "requests", "directive", "provider", "orgs", "concurrency", "rate",
                           "read", "timeout-ms", "may-fail", "listen"}))
        .run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "tokenrail-bench-load: {}\n", error.what());
    return 1;
  }
}
