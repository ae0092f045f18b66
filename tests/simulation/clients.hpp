// What a process has in place of Kafka's clients and libcurl: the same interfaces, on the simulated world. All take
// their time, all stop when their process is paused, and none says anything any more once it is dead.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/http/client.hpp"
#include "common/kafka/consumer.hpp"
#include "common/kafka/log_reader.hpp"
#include "common/kafka/producer.hpp"
#include "tests/simulation/broker.hpp"
#include "tests/simulation/plan.hpp"

namespace tokenrail::simulation {

class Process;
class World;

// --- producer -------------------------------------------------------------------------------------------------------

/// A record on its way from a process to a log.
struct Outgoing {
  std::uint64_t token = 0;
  std::uint64_t unit = 0;
  Entry entry{};
  Micros since{0};
  bool refused = false;        ///< it has come to the brokers, and is in no log
  std::int64_t stamp_ms = -1;  ///< when it came into the log
};

/// One line a (topic, partition): produced → appended to the log → acknowledged, each after its time, in order.
class SimProducer final : public kafka::Producer {
 public:
  SimProducer(World& world, Process& process);
  ~SimProducer() override;
  SimProducer(const SimProducer&) = delete;
  SimProducer& operator=(const SimProducer&) = delete;

  kafka::TopicHandle topic(const std::string& name) override;
  kafka::Produced produce(kafka::TopicHandle topic, std::int32_t partition, std::optional<std::string_view> key,
                          std::optional<std::string_view> value, const kafka::Headers* headers, std::uint64_t token,
                          std::uint64_t unit) override;
  void set_topic_bytes_max(kafka::TopicHandle, std::size_t) override {}
  [[nodiscard]] std::size_t unreported() const override;
  [[nodiscard]] std::chrono::milliseconds oldest_unreported_age(kafka::TopicHandle topic,
                                                                std::int32_t partition) const override;
  [[nodiscard]] std::vector<kafka::BlockedTopic> blocked() const override { return {}; }
  void purge() override;
  [[nodiscard]] std::size_t message_bytes_max() const override { return 64U * 1024 * 1024; }

  // What the world does to it.
  /// All that is unreported there is reported as failed; a part of it may still arrive.
  void fail_line(Topic topic, int partition, Random& random);
  /// The brokers refuse its next `count` records there for good.
  void refuse(Topic topic, int partition, int count, bool for_size);
  /// It has become useless; what is unreported stays so until purge().
  void become_fatal();
  /// The process is gone: what is on the wire may still arrive, nobody hears of it.
  void abandon(Random& random);
  /// Goes on after a gate (Process::gate) was opened.
  void go_on();
  [[nodiscard]] bool idle() const { return unreported() == 0; }

 private:
  struct Line {
    std::deque<Outgoing> appended{};  ///< in the log, not acknowledged
    std::deque<std::int64_t> offsets{};
    std::deque<Outgoing> wire{};
    int refuse = 0;  ///< so many of those that come next
    bool refuse_for_size = false;
    std::set<std::uint64_t> refused_units{};
    bool append_due = false;
    bool ack_due = false;
  };
  using LineKey = std::pair<Topic, int>;

  [[nodiscard]] bool held(const LineKey& key) const;
  void plan_append(const LineKey& key, Line& line);
  void append_next(const LineKey& key);
  void plan_ack(const LineKey& key, Line& line);
  void ack_next(const LineKey& key);
  void report_failed(const std::vector<Outgoing>& records);
  std::vector<Outgoing> take(const LineKey& key, Line& line, Random& random);

  World& world_;
  Process& process_;
  std::shared_ptr<SimProducer*> self_;  ///< what scheduled events look at; empty once this is gone
  std::map<LineKey, Line> lines_{};
  std::size_t purged_ = 0;  ///< taken off the lines, their reports still to come
  bool fatal_ = false;
  bool refused_ = false;
};

// --- group member ---------------------------------------------------------------------------------------------------

class SimGroup final : public kafka::GroupConsumer {
 public:
  SimGroup(World& world, Process& process);
  ~SimGroup() override;
  SimGroup(const SimGroup&) = delete;
  SimGroup& operator=(const SimGroup&) = delete;

  void assign(const std::vector<kafka::StartingPoint>& points) override;
  void seek(const kafka::StartingPoint& point) override;
  void release() override;
  void set_reading(bool reading) override;
  void commit(std::uint64_t token, const kafka::TopicPartition& partition, std::int64_t offset,
              const std::string& metadata) override;
  void committed(const std::vector<kafka::TopicPartition>& partitions, CommittedCallback done) override;
  void leave(std::function<void()> done) override;

  // What the coordinator says; each comes from an event of the process. `join`: the number of the member's join that it
  // answers; what answers an older one is no longer about this member.
  void rebalance_begins(std::uint64_t join);
  void dealt(std::uint64_t join, std::int64_t generation, const std::vector<int>& partitions);
  void put_out(std::uint64_t join);
  [[nodiscard]] std::uint64_t newest_join() const { return join_; }
  [[nodiscard]] int commits_out() const { return commits_out_; }
  void join();
  void go_on();
  /// What lies there from that offset on is gone.
  void log_went_back(int partition, std::int64_t to, std::int64_t version);
  /// The worker was answered that this log is the same.
  void log_is_same(int partition);
  /// The worker was answered that it is another one.
  void log_is_another(int partition);
  /// It can no longer work; nothing comes from it any more.
  void become_fatal();
  [[nodiscard]] bool leaving() const { return leaving_; }

 private:
  enum class Phase : std::uint8_t { idle, assign_awaited, assigned, release_awaited };
  struct Fetcher {
    int partition = 0;
    std::int64_t next = 0;
    bool due = false;
  };

  void give_up();
  void go_on_without_commits();
  void plan_fetch(Fetcher& fetcher);
  void fetch_next(std::uint64_t assignment, int partition);
  void lose();
  /// Of the log that it works with.
  [[nodiscard]] std::int64_t version_of(int partition) const;
  void send_commit(std::uint64_t token, const kafka::TopicPartition& partition, std::int64_t offset,
                   const std::string& metadata, std::int64_t version);
  void answer_commit(std::uint64_t token, const kafka::TopicPartition& partition, kafka::CommitOutcome outcome);

  World& world_;
  Process& process_;
  std::shared_ptr<SimGroup*> self_;
  Phase phase_ = Phase::idle;
  std::int64_t generation_ = -1;
  std::uint64_t assignment_ = 0;  ///< counts assign() calls, so that what belongs to an older one is void
  std::vector<int> partitions_{};
  std::map<int, Fetcher> fetchers_{};
  struct Passed {
    std::int64_t to = 0;
    std::int64_t from = std::numeric_limits<std::int64_t>::max();  ///< offsets below it may be of either log
    bool told = false;                                             ///< it was answered that the log is another one
    std::int64_t version = 0;                                      ///< of the log that it read
  };
  std::map<int, Passed> passed_{};  ///< by partition: it takes what lies below for read, and that is gone
  Micros revoked_at_{0};
  bool reading_ = true;
  int commits_out_ = 0;
  Micros commits_arrive_{0};  ///< the newest; none overtakes another
  std::uint64_t join_ = 0;
  bool join_wanted_ = false;
  bool leaving_ = false;
  std::function<void()> left_{};
};

// --- log reader -----------------------------------------------------------------------------------------------------

class SimLogReader final : public kafka::LogReader {
 public:
  SimLogReader(World& world, Process& process);
  ~SimLogReader() override;
  SimLogReader(const SimLogReader&) = delete;
  SimLogReader& operator=(const SimLogReader&) = delete;

  void start(const std::vector<kafka::StartingPoint>& points) override;
  void stop(const std::vector<kafka::TopicPartition>& partitions) override;
  void set_reading(bool reading) override;
  void go_on();
  /// How many records of that topic it has handed on.
  [[nodiscard]] int handed_on(Topic topic) const { return handed_on_[static_cast<std::size_t>(topic)]; }

 private:
  struct Cursor {
    std::uint64_t version = 0;
    std::int64_t next = 0;
    std::optional<std::int64_t> end{};  ///< the log's end when it was last asked for
    bool told = false;                  ///< on_end() has been said there
    bool due = false;
  };
  using Key = std::pair<Topic, int>;

  void plan(const Key& key, Cursor& cursor);
  void step(const Key& key, std::uint64_t version);

  World& world_;
  Process& process_;
  std::shared_ptr<SimLogReader*> self_;
  std::map<Key, Cursor> cursors_{};
  std::array<int, topic_count> handed_on_{};
  std::uint64_t versions_ = 0;
  bool reading_ = true;
};

// --- http -----------------------------------------------------------------------------------------------------------

/// The provider as one process sees it: answers in Ollama's NDJSON, as the plan of the request says.
class SimHttp final : public http::Client {
 public:
  SimHttp(World& world, Process& process);
  ~SimHttp() override;
  SimHttp(const SimHttp&) = delete;
  SimHttp& operator=(const SimHttp&) = delete;

  http::TransferId start(http::Request request, http::Clocks clocks, http::Limits limits,
                         http::Listener& listener) override;
  void cancel(http::TransferId id) override;
  void resume(http::TransferId id) override;
  [[nodiscard]] std::size_t transfers() const override { return transfers_.size(); }

 private:
  struct Transfer {
    http::Listener* listener = nullptr;
    Behaviour behaviour = Behaviour::answers;
    int request = 0;  ///< of the plan
    int call = 0;     ///< the oracle's number
    int tokens = 0;
    int spoken = 0;
    bool streams = true;
    bool continues = false;  ///< it goes on with what another call said
    bool head_said = false;
    bool paused = false;
    bool due = false;
  };

  void plan(std::uint64_t id, Transfer& transfer);
  void step(std::uint64_t id);
  void end(std::uint64_t id, http::Ending ending);
  /// Says a part of the body; false: the transfer is gone.
  bool say(std::uint64_t id, const std::string& bytes);

  World& world_;
  Process& process_;
  std::shared_ptr<SimHttp*> self_;
  std::map<std::uint64_t, Transfer> transfers_{};
  std::uint64_t last_ = 0;
};

}  // namespace tokenrail::simulation
