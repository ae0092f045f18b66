// The world as the router's core sees it, in memory and under the test's control: a producer whose reports the test
// lets out, a group member that assigns and revokes when told, an HTTP client whose answers the test speaks, a clock
// that only the test moves. They hold state and fail on demand; they never script an order of calls.
#pragma once

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/http/client.hpp"
#include "common/kafka/consumer.hpp"
#include "common/kafka/log_reader.hpp"
#include "common/kafka/producer.hpp"
#include "workers/router/core/environment.hpp"
#include "workers/router/core/log_questions.hpp"

namespace tokenrail::testing {

class ManualEnvironment final : public router::Environment {
 public:
  [[nodiscard]] router::Now now() const override { return {.steady = steady, .wall = wall}; }
  std::uint64_t random() override { return ++random_; }
  void wake_at(router::Millis at) override { wake = at; }

  void advance(router::Millis by) {
    steady += by;
    wall += by;
  }

  router::Millis steady{1'000'000};
  router::Millis wall{1'700'000'000'000};
  std::optional<router::Millis> wake{};

 private:
  std::uint64_t random_ = 0;
};

struct LogEntry {
  std::string topic{};
  std::int32_t partition = 0;
  std::optional<std::string> key{};
  std::optional<std::string> value{};
  kafka::Headers headers{};
  std::int64_t timestamp_ms = 0;
  bool deleted = false;  ///< by retention
  bool log_append_time = true;
};
/// What lies on the brokers, by topic and partition; the place in the vector is the offset.
using FakeLogs = std::map<std::pair<std::string, std::int32_t>, std::vector<LogEntry>>;

/// Appends to the logs what is produced when the test acknowledges it.
class FakeProducer final : public kafka::Producer {
 public:
  using Entry = LogEntry;

  FakeProducer(kafka::ProducerListener& listener, FakeLogs& all, const ManualEnvironment& environment)
      : logs(all), listener_(listener), environment_(environment) {}

  kafka::TopicHandle topic(const std::string& name) override {
    names_.push_back(name);
    return static_cast<kafka::TopicHandle>(names_.size() - 1);
  }
  kafka::Produced produce(kafka::TopicHandle topic, std::int32_t partition, std::optional<std::string_view> key,
                          std::optional<std::string_view> value, const kafka::Headers* headers, std::uint64_t token,
                          std::uint64_t unit) override {
    if (value && value->size() > value_bytes_max) return kafka::Produced::too_large;
    if (capacity && waiting_.size() >= *capacity) {
      refused_ = true;
      return kafka::Produced::queue_full;
    }
    waiting_.push_back({.entry = {.topic = names_.at(static_cast<std::size_t>(topic)),
                                  .partition = partition,
                                  .key = key ? std::optional<std::string>(*key) : std::nullopt,
                                  .value = value ? std::optional<std::string>(*value) : std::nullopt,
                                  .headers = headers != nullptr ? *headers : kafka::Headers{}},
                        .token = token,
                        .unit = unit});
    return kafka::Produced::accepted;
  }
  void set_topic_bytes_max(kafka::TopicHandle topic, std::size_t bytes) override {
    topic_bytes_max[names_.at(static_cast<std::size_t>(topic))] = bytes;
  }
  [[nodiscard]] std::size_t unreported() const override { return waiting_.size(); }
  [[nodiscard]] std::chrono::milliseconds oldest_unreported_age(kafka::TopicHandle topic,
                                                                std::int32_t partition) const override {
    const auto own = ages.find({names_.at(static_cast<std::size_t>(topic)), partition});
    return own == ages.end() ? age : own->second;
  }
  [[nodiscard]] std::vector<kafka::BlockedTopic> blocked() const override { return blocked_topics; }
  void purge() override { fail_all(); }
  [[nodiscard]] std::size_t message_bytes_max() const override { return 64U * 1024 * 1024; }

  /// Acknowledges the oldest record that waits, but for those of silent lanes; false: none does.
  bool acknowledge_one() {
    const auto oldest = std::ranges::find_if(waiting_, [&](const Waiting& waiting) {
      return !silent.contains({waiting.entry.topic, waiting.entry.partition});
    });
    if (oldest == waiting_.end()) return false;
    auto next = std::move(*oldest);
    waiting_.erase(oldest);
    auto& log = logs[{next.entry.topic, next.entry.partition}];
    next.entry.timestamp_ms = environment_.wall.count();
    log.push_back(std::move(next.entry));
    listener_.on_report({.token = next.token,
                         .ok = true,
                         .offset = batch_number ? (*batch_number)++ : static_cast<std::int64_t>(log.size()) - 1,
                         .timestamp_ms = log.back().timestamp_ms});
    if (refused_ && capacity && waiting_.size() < *capacity) {
      refused_ = false;
      listener_.on_space();
    }
    return true;
  }
  /// The broker refuses the oldest record that waits for this partition, and with it the rest of its unit.
  bool refuse_one(const std::string& topic, std::int32_t partition, std::string_view why = "told to refuse") {
    std::deque<Waiting> kept;
    std::vector<std::uint64_t> refused;
    std::uint64_t unit = 0;
    for (auto& next : waiting_) {
      const bool of_lane = next.entry.topic == topic && next.entry.partition == partition;
      if (of_lane && refused.empty()) unit = next.unit;
      if (of_lane && (refused.empty() || (unit != 0 && next.unit == unit))) {
        refused.push_back(next.token);
      } else {
        kept.push_back(std::move(next));
      }
    }
    waiting_ = std::move(kept);
    for (const auto token : refused)
      listener_.on_report({.token = token, .refused = kafka::Refusal::record, .detail = why});
    return !refused.empty();
  }
  void acknowledge_all() {
    while (acknowledge_one()) {
    }
  }
  void fail_all() {
    auto failed = std::exchange(waiting_, {});
    for (const auto& next : failed) {
      listener_.on_report({.token = next.token, .ok = false, .fate_unknown = true, .detail = "told to fail"});
    }
  }

  FakeLogs& logs;
  std::optional<std::size_t> capacity{};
  std::size_t value_bytes_max = std::numeric_limits<std::size_t>::max();  ///< a larger one is not taken
  std::optional<std::int64_t> batch_number{};  ///< set to -1: a batch that was sent twice, its reports have no offsets
  std::chrono::milliseconds age{0};
  std::map<std::pair<std::string, std::int32_t>, std::chrono::milliseconds> ages{};  ///< where one differs from `age`
  std::set<std::pair<std::string, std::int32_t>> silent{};  ///< partitions of topics that acknowledge nothing
  std::vector<kafka::BlockedTopic> blocked_topics{};
  std::map<std::string, std::size_t> topic_bytes_max{};  ///< as it was told

 private:
  struct Waiting {
    Entry entry;
    std::uint64_t token;
    std::uint64_t unit = 0;
  };
  kafka::ProducerListener& listener_;
  const ManualEnvironment& environment_;
  std::vector<std::string> names_;
  std::deque<Waiting> waiting_;
  bool refused_ = false;
};

class FakeGroup final : public kafka::GroupConsumer {
 public:
  struct Commit {
    std::uint64_t token;
    kafka::TopicPartition partition;
    std::int64_t offset;
    std::string metadata;
  };

  explicit FakeGroup(kafka::ConsumerListener& listener) : listener_(listener) {}

  void assign(const std::vector<kafka::StartingPoint>& points) override { assigned = points; }
  void seek(const kafka::StartingPoint& point) override { sought.push_back(point); }
  void release() override {
    ++releases;
    assigned.clear();
    if (left_) std::exchange(left_, nullptr)();
  }
  void set_reading(bool on) override { reading = on; }
  void commit(std::uint64_t token, const kafka::TopicPartition& partition, std::int64_t offset,
              const std::string& metadata) override {
    pending_.push_back({.token = token, .partition = partition, .offset = offset, .metadata = metadata});
  }
  void committed(const std::vector<kafka::TopicPartition>& partitions, CommittedCallback done) override {
    std::vector<kafka::Committed> answer;
    for (const auto& partition : partitions) {
      const auto it = stored.find(partition);
      answer.push_back({.partition = partition,
                        .offset = it == stored.end() ? std::nullopt : std::optional(it->second.first),
                        .metadata = it == stored.end() ? "" : it->second.second});
    }
    done(std::move(answer));
  }
  void leave(std::function<void()> done) override {
    left = true;
    if (assigned.empty()) {
      done();
      return;
    }
    left_ = std::move(done);
    std::vector<kafka::TopicPartition> all;
    for (const auto& point : assigned) all.push_back(point.partition);
    listener_.on_revoked(all);
  }

  void answer_commits(kafka::CommitOutcome outcome = kafka::CommitOutcome::ok) {
    auto pending = std::exchange(pending_, {});
    for (const auto& commit : pending) {
      if (outcome == kafka::CommitOutcome::ok) stored[commit.partition] = {commit.offset, commit.metadata};
      listener_.on_committed(commit.token, commit.partition, outcome, "");
    }
  }
  [[nodiscard]] const std::vector<Commit>& pending() const { return pending_; }

  std::vector<kafka::StartingPoint> assigned;
  std::vector<kafka::StartingPoint> sought;
  std::map<kafka::TopicPartition, std::pair<std::int64_t, std::string>> stored;
  bool reading = true;
  bool left = false;
  int releases = 0;

 private:
  kafka::ConsumerListener& listener_;
  std::vector<Commit> pending_;
  std::function<void()> left_;
};

/// Reads the fake logs when the test lets it.
class FakeLogReader final : public kafka::LogReader {
 public:
  FakeLogReader(kafka::LogReaderListener& listener, FakeLogs& logs) : listener_(listener), logs_(logs) {}

  void start(const std::vector<kafka::StartingPoint>& points) override {
    for (const auto& point : points) {
      const auto size = static_cast<std::int64_t>(logs_[{point.partition.topic, point.partition.partition}].size());
      const bool outside = point.offset > size || point.offset == kafka::offset_beginning;
      reading_[point.partition] = point.offset == kafka::offset_end ? size : outside ? 0 : point.offset;
      asked_for.emplace_back(point.partition.topic, point.offset);
      ++starts;
    }
  }
  void stop(const std::vector<kafka::TopicPartition>& partitions) override {
    for (const auto& partition : partitions) reading_.erase(partition);
  }
  void set_reading(bool) override {}

  /// Hands on everything there is, and tells each end; false: nothing is being read. `only`: of that topic.
  bool deliver(const std::string& only = {}) {
    const auto now = reading_;
    for (const auto& [partition, from] : now) {
      if (!only.empty() && partition.topic != only) continue;
      for (;;) {
        const auto it = reading_.find(partition);
        if (it == reading_.end()) break;
        auto& log = logs_[{partition.topic, partition.partition}];
        const auto offset = it->second;
        const bool at_end = offset >= static_cast<std::int64_t>(log.size());
        if (at_end && partition.topic == busy) {
          log.push_back({.value = R"({"requestId":"x","orgId":"x","attempt":1,"seq":0,"delta":"x","done":false})"});
        } else if (at_end) {
          listener_.on_end(partition, offset);
          break;
        }
        ++it->second;
        const auto& entry = log[static_cast<std::size_t>(offset)];
        if (entry.deleted) continue;
        listener_.on_record({.topic = partition.topic,
                             .partition = partition.partition,
                             .offset = offset,
                             .key = entry.key,
                             .value = entry.value,
                             .headers = entry.headers,
                             .timestamp_ms = entry.timestamp_ms,
                             .log_append_time = entry.log_append_time});
        if (at_end) break;
      }
    }
    return !now.empty();
  }
  [[nodiscard]] bool reads(const std::string& topic, std::int32_t partition = 0) const {
    return reading_.contains({.topic = topic, .partition = partition});
  }

  /// Somebody goes on writing to that topic: whoever reads it never comes to its end.
  std::string busy{};
  int starts = 0;
  std::vector<std::pair<std::string, std::int64_t>> asked_for{};  ///< topics and offsets of start(), in their order

 private:
  kafka::LogReaderListener& listener_;
  FakeLogs& logs_;
  std::map<kafka::TopicPartition, std::int64_t> reading_;
};

/// Answers from the fake logs when the test lets it.
class FakeQuestions final : public router::LogQuestions {
 public:
  explicit FakeQuestions(FakeLogs& logs) : logs_(logs) {}

  void ask(std::uint64_t token, const router::LogQuestion& question) override {
    waiting_.emplace_back(token, question);
    ++asked;
  }
  void look(std::uint64_t token, std::vector<kafka::WitnessQuestion> questions) override {
    looks_.emplace_back(token, std::move(questions));
    ++looked;
  }
  /// `core`: that asked. Answers what was asked before the call.
  template <class Core>
  void answer(Core& core) {
    for (const auto& [token, question] : std::exchange(waiting_, {})) {
      if (refused > 0) {
        --refused;
        core.on_answer(token, std::unexpected(Error{.kind = ErrorKind::unavailable, .detail = "told to fail"}));
      } else {
        core.on_answer(token, places(question));
      }
    }
    if (silent) return;
    for (const auto& [token, questions] : std::exchange(looks_, {})) core.on_survey(token, survey(questions));
  }
  /// Who asked is gone.
  void clear() {
    waiting_.clear();
    looks_.clear();
  }
  [[nodiscard]] const std::vector<std::pair<std::uint64_t, router::LogQuestion>>& waiting() const { return waiting_; }

  int asked = 0;
  int refused = 0;  ///< so many of the next are not answered
  int looked = 0;
  bool silent = false;  ///< whether the logs are the same is not answered
  std::map<std::string, std::int32_t> partitions{
      {"chat.requests", 4}, {"chat.chunks", 4}, {"llm.audit", 4}, {"chat.requests.dlq", 1}, {"chat.cancellations", 1}};

 private:
  // As the brokers and kafka::LogWatch answer it.
  [[nodiscard]] Result<kafka::LogSurvey> survey(const std::vector<kafka::WitnessQuestion>& questions) const {
    kafka::LogSurvey survey{.partitions = partitions};
    for (const auto& [partition, witness] : questions) {
      const auto& log = logs_[{partition.topic, partition.partition}];
      const auto at = [&](std::int64_t time) {
        return places({.partition = partition, .at = router::Millis(std::max<std::int64_t>(0, time))})->at;
      };
      const auto ends = *places({.partition = partition});
      kafka::WitnessAnswer answer{
          .verdict = judge(witness,
                           kafka::WitnessedLog{.first = ends.first,
                                               .next = ends.next,
                                               .newer = witness.offset >= 0 ? at(witness.time_ms + 1) : std::nullopt}),
          .first = ends.first,
          .next = ends.next,
          .newer_from = ends.next};
      if (answer.verdict == kafka::LogVerdict::doubtful) {
        const auto& entry = log[static_cast<std::size_t>(witness.offset)];
        answer.verdict = judge(witness, kafka::WitnessRecord{.offset = witness.offset, .time_ms = entry.timestamp_ms});
      }
      if (answer.verdict == kafka::LogVerdict::another) {
        answer.newer_from = at(witness.time_ms - kafka::broker_clocks_apart_ms).value_or(ends.next);
        if (answer.newer_from < ends.next)
          answer.newer_from_ms = log[static_cast<std::size_t>(answer.newer_from)].timestamp_ms;
      }
      survey.answers.emplace_back(answer);
    }
    return survey;
  }

  [[nodiscard]] Result<router::LogPlaces> places(const router::LogQuestion& question) const {
    const auto& log = logs_[{question.partition.topic, question.partition.partition}];
    router::LogPlaces places{.first = 0, .next = static_cast<std::int64_t>(log.size())};
    while (places.first < places.next && log[static_cast<std::size_t>(places.first)].deleted) ++places.first;
    for (auto at = places.first; question.at && !places.at && at < places.next; ++at) {
      if (log[static_cast<std::size_t>(at)].timestamp_ms >= question.at->count()) places.at = at;
    }
    return places;
  }

  FakeLogs& logs_;
  std::vector<std::pair<std::uint64_t, router::LogQuestion>> waiting_;
  std::vector<std::pair<std::uint64_t, std::vector<kafka::WitnessQuestion>>> looks_;
};

/// Calls wait until the test speaks for the provider.
class FakeHttp final : public http::Client {
 public:
  struct Call {
    http::Request request;
    http::Clocks clocks;
    http::Listener* listener = nullptr;
    bool paused = false;
  };

  http::TransferId start(http::Request request, http::Clocks clocks, http::Limits, http::Listener& listener) override {
    const auto id = ++next_;
    calls[id] = {.request = std::move(request), .clocks = clocks, .listener = &listener};
    ++started;
    return static_cast<http::TransferId>(id);
  }
  void cancel(http::TransferId id) override { cancelled += calls.erase(static_cast<std::uint64_t>(id)); }
  void resume(http::TransferId id) override {
    if (const auto it = calls.find(static_cast<std::uint64_t>(id)); it != calls.end()) it->second.paused = false;
  }
  [[nodiscard]] std::size_t transfers() const override { return calls.size(); }

  void head(std::uint64_t id, int status = 200) { calls.at(id).listener->on_head({.status = status}); }
  /// Speaks a piece of the body.
  void body(std::uint64_t id, std::string_view bytes) {
    auto* listener = calls.at(id).listener;
    if (!listener->on_body(bytes)) {
      if (const auto it = calls.find(id); it != calls.end()) it->second.paused = true;
    }
  }
  void end(std::uint64_t id, http::Ending ending = http::Ending::complete) {
    const auto it = calls.find(id);
    if (it == calls.end()) return;
    auto* listener = it->second.listener;
    calls.erase(it);
    listener->on_end({.ending = ending, .detail = "told by the test"});
  }
  /// The id of the newest call.
  [[nodiscard]] std::uint64_t newest() const { return calls.empty() ? 0 : calls.rbegin()->first; }

  std::map<std::uint64_t, Call> calls;
  std::size_t started = 0;
  std::size_t cancelled = 0;

 private:
  std::uint64_t next_ = 0;
};

}  // namespace tokenrail::testing
