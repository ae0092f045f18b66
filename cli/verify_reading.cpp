#include "cli/verify_reading.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <limits>
#include <map>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "cli/log_walk.hpp"
#include "common/kafka/admin.hpp"
#include "common/kafka/log_reader.hpp"

namespace tokenrail::cli {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using verify::Checker;

constexpr auto answer_timeout = 10s;
// Above that many unfinished requests the topic that is furthest behind in time is read alone.
constexpr std::size_t pending_max = 50'000;
constexpr int records_between_looks = 256;
// Between the clocks of a router, which stamps its dead letters, and a broker.
constexpr std::chrono::milliseconds letter_skew = 60s;
constexpr std::int64_t all_of_them = std::numeric_limits<std::int64_t>::max();

struct Range {
  std::int64_t from = 0;
  std::int64_t end = 0;        ///< one past the last that is read
  std::int64_t known_ms = -1;  ///< from which broker time on the range has everything; -1: see its records
};

/// Where the reading of one topic begins and ends, a range a partition. `stamped`: by the brokers.
Result<std::vector<Range>> ranges_of(kafka::Admin& admin, const VerifyCall& call, const std::string& topic,
                                     std::int32_t partitions, bool stamped) {
  std::vector<Range> ranges;
  std::vector<kafka::TopicPartition> all;
  for (std::int32_t p = 0; p < partitions; ++p) {
    all.push_back({.topic = topic, .partition = p});
    const auto marks = admin.watermarks(all.back(), answer_timeout);
    if (!marks) return std::unexpected(marks.error());
    ranges.push_back({.from = marks->first, .end = marks->next});
  }
  const auto place = [&](std::int64_t ms, auto use) -> Result<void> {
    const auto offsets = admin.offsets_at(all, ms, answer_timeout);
    if (!offsets) return std::unexpected(offsets.error());
    for (std::size_t i = 0; i < ranges.size(); ++i) use(ranges[i], offsets->at(i).value_or(ranges[i].end));
    return {};
  };
  if (call.from_ms) {
    const auto placed = place(*call.from_ms, [&](Range& range, std::int64_t offset) {
      if (offset <= range.from) return;  // the log begins later than was asked for
      range.from = std::min(offset, range.end);
      if (stamped) range.known_ms = *call.from_ms;
    });
    if (!placed) return std::unexpected(placed.error());
  }
  if (call.to_ms) {
    const auto placed =
        place(*call.to_ms, [](Range& range, std::int64_t offset) { range.end = std::min(range.end, offset); });
    if (!placed) return std::unexpected(placed.error());
  }
  return ranges;
}

/// Three topics of one partition number, read side by side into a checker.
class PartitionReading {
 public:
  PartitionReading(asio::io_context& loop, std::chrono::milliseconds patience)
      : loop_(loop), patience_(patience), watch_(loop) {}

  Result<void> connect(const kafka::Properties& properties, const topics::Names& topics) {
    const std::array names{&topics.requests, &topics.audit, &topics.chunks};
    const std::array takes{&Checker::on_request, &Checker::on_audit, &Checker::on_chunk};
    for (std::size_t i = 0; i < logs_.size(); ++i) {
      logs_[i].owner = this;
      logs_[i].topic = *names[i];
      logs_[i].take = takes[i];
      // Of requests what routers read, of the rest what the log contains.
      auto reader = kafka::LogReader::make(
          loop_, {.properties = properties, .topics = {*names[i]}, .committed_only = names[i] == &topics.requests},
          logs_[i], metrics_);
      if (!reader) return std::unexpected(reader.error());
      logs_[i].reader = std::move(*reader);
    }
    return {};
  }

  /// In the order of connect(): requests, audit, chunks.
  Result<void> read(Checker& checker, std::int32_t partition, const std::array<Range, 3>& ranges) {
    checker_ = &checker;
    partition_ = partition;
    for (std::size_t i = 0; i < logs_.size(); ++i) {
      auto& log = logs_[i];
      log.end = ranges[i].end;
      log.last_ms = -1;
      log.done = ranges[i].from >= ranges[i].end;
      log.reader->set_reading(true);
      if (!log.done)
        log.reader->start({{.partition = {.topic = log.topic, .partition = partition}, .offset = ranges[i].from}});
    }
    if (all_done()) return {};
    progressed_ = true;
    look_for_progress();
    loop_.restart();
    loop_.run();
    watch_.cancel();
    if (failure_) return std::unexpected(*failure_);
    return {};
  }

  void fail(Error error) {
    if (!failure_) failure_ = std::move(error);
    loop_.stop();
  }

 private:
  struct Log final : kafka::LogReaderListener {
    void on_record(kafka::Record&& record) override { owner->take(*this, record); }
    void on_end(const kafka::TopicPartition& place, std::int64_t next_offset) override {
      if (place.partition == owner->partition_ && next_offset >= end) owner->over(*this);
    }
    void on_failure(const kafka::TopicPartition&, const Error& error) override { owner->fail(error); }

    PartitionReading* owner = nullptr;
    std::string topic;
    void (Checker::*take)(const kafka::Record&) = nullptr;
    std::unique_ptr<kafka::LogReader> reader;
    std::int64_t end = 0;
    std::int64_t last_ms = -1;
    bool done = false;
  };

  void take(Log& log, const kafka::Record& record) {
    // What was fetched for the partition before may still be handed on.
    if (log.done || record.partition != partition_) return;
    progressed_ = true;
    if (record.offset < log.end) {
      log.last_ms = record.timestamp_ms;
      (checker_->*log.take)(record);
    }
    if (record.offset + 1 >= log.end) over(log);
    if (++since_look_ >= records_between_looks) pace();
  }

  void over(Log& log) {
    if (log.done) return;
    log.done = true;
    log.reader->stop({{.topic = log.topic, .partition = partition_}});
    if (all_done()) {
      loop_.stop();
    } else {
      pace();
    }
  }

  void pace() {
    since_look_ = 0;
    const Log* furthest_behind = nullptr;
    if (checker_->pending() > pending_max) {
      for (const auto& log : logs_)
        if (!log.done && (furthest_behind == nullptr || log.last_ms < furthest_behind->last_ms)) furthest_behind = &log;
    }
    for (auto& log : logs_) log.reader->set_reading(furthest_behind == nullptr || furthest_behind == &log);
  }

  void look_for_progress() {
    if (!std::exchange(progressed_, false)) {
      fail({.kind = ErrorKind::timed_out,
            .detail = fmt::format("partition {}: no record came for {} s", partition_,
                                  std::chrono::ceil<std::chrono::seconds>(patience_).count())});
      return;
    }
    watch_.expires_after(patience_);
    watch_.async_wait([this](const boost::system::error_code& error) {
      if (!error) look_for_progress();
    });
  }

  [[nodiscard]] bool all_done() const { return std::ranges::all_of(logs_, &Log::done); }

  asio::io_context& loop_;
  std::chrono::milliseconds patience_;
  asio::steady_timer watch_;
  telemetry::Metrics metrics_;
  std::array<Log, 3> logs_{};
  Checker* checker_ = nullptr;
  std::int32_t partition_ = -1;
  int since_look_ = 0;
  bool progressed_ = false;
  std::optional<Error> failure_;
};

struct DeadLetters {
  std::vector<verify::DeadLetter> letters{};
  /// By partition of their topic: those of requests that are not newer may have been deleted; -1: none has been.
  std::vector<std::int64_t> known_ms{};

  /// Of the requests of that partition: routers write to that number, or to the remainder where there are fewer.
  [[nodiscard]] std::int64_t known_of(std::int32_t partition) const {
    return known_ms.at(static_cast<std::size_t>(partition) % known_ms.size());
  }
};

/// The dead letters there are now: of each only where it comes from, for there may be many. A letter is written after
// its request was appended, so of a topic whose beginning is gone the first that is left shows which may be missing.
Result<DeadLetters> dead_letters(kafka::Admin& admin, const kafka::Properties& properties, const VerifyCall& call,
                                 std::int32_t partitions) {
  DeadLetters found;
  for (std::int32_t p = 0; p < partitions; ++p) {
    const auto marks = admin.watermarks({.topic = call.topics.dlq, .partition = p}, answer_timeout);
    if (!marks) return std::unexpected(marks.error());
    found.known_ms.push_back(marks->first > 0 ? all_of_them : -1);
  }
  std::vector<bool> begun(found.known_ms.size());
  const LogWalk walk{.topic = call.topics.dlq, .from_beginning = true, .until_end = true};
  const auto end = walk_log(properties, walk, [&](const kafka::Record& record) {
    const auto place = static_cast<std::size_t>(record.partition);
    if (place < begun.size() && !begun[place]) {
      begun[place] = true;
      // Some may have been deleted since the question.
      if (record.offset > 0)
        found.known_ms[place] = record.timestamp_ms + (record.log_append_time ? 0 : letter_skew.count());
    }
    const auto letter = verify::dead_letter_of(record, call.topics.requests);
    if (letter && (!call.partition || *call.partition == letter->partition)) found.letters.push_back(*letter);
    return true;
  });
  if (!end) return std::unexpected(end.error());
  if (*end == WalkEnd::interrupted) return tokenrail::fail(ErrorKind::cancelled, "interrupted");
  return found;
}

struct Counts {
  std::int32_t partitions = 0;            ///< of chat.requests
  std::int32_t paired = 0;                ///< of them, those that have chunks and audit
  std::int32_t letters = 0;               ///< of the dead letters
  std::map<std::string, bool> stamped{};  ///< by topic: brokers make the timestamps, as far as they report it
};

Result<Counts> count_partitions(kafka::Admin& admin, const VerifyCall& call) {
  const auto& topics = call.topics;
  const std::vector names{topics.requests, topics.chunks, topics.audit, topics.dlq};
  const auto described = admin.describe(names, true, answer_timeout);
  if (!described) return std::unexpected(described.error());
  Counts counts;
  auto& [partitions, paired, letters, stamped] = counts;
  for (const auto& name : names) {
    const auto it = std::ranges::find(*described, name, &kafka::TopicDescription::name);
    if (it == described->end())
      return tokenrail::fail(ErrorKind::not_found,
                             fmt::format("there is no topic {}; 'tokenrail topics apply' makes it", name));
    const auto type = it->config.find("message.timestamp.type");
    stamped[name] = type != it->config.end() && type->second == "LogAppendTime";
    if (name == topics.requests) partitions = paired = it->partitions;
    if (name == topics.dlq) letters = it->partitions;
    if (name == topics.chunks || name == topics.audit) paired = std::min(paired, it->partitions);
  }
  if (call.partition && (*call.partition < 0 || *call.partition >= paired))
    return tokenrail::fail(ErrorKind::not_found,
                           fmt::format("there is no partition {}: they go from 0 to {}", *call.partition, paired - 1));
  return counts;
}

std::string note_on_times(const verify::Figures& figures) {
  return fmt::format(
      "{} records have their sender's timestamp. Leases, the order of records of different topics, and the edges of "
      "what was read are not checked by these; 'tokenrail topics apply' sets the brokers' time for new records",
      figures.sender_times);
}

}  // namespace

Result<Verified> verify_topics(const kafka::Properties& given, const VerifyCall& call) {
  // A partition that was just begun waits for the fetch before it to end.
  auto properties = given;
  properties.emplace_back("fetch.wait.max.ms", "20");
  auto admin = kafka::Admin::connect(properties);
  if (!admin) return std::unexpected(admin.error());
  const auto counts = count_partitions(**admin, call);
  if (!counts) return std::unexpected(counts.error());

  // In the order that the checker asks for: a log that is read later must contain what an earlier one refers to.
  std::vector<kafka::TopicPartition> all;
  for (std::int32_t p = 0; p < counts->paired; ++p) all.push_back({.topic = call.topics.requests, .partition = p});
  const auto committed = (*admin)->committed(call.group, all, answer_timeout);
  if (!committed) return std::unexpected(committed.error());
  const auto ranges = [&](kafka::Admin& asked, const std::string& topic) {
    return ranges_of(asked, call, topic, counts->paired, counts->stamped.at(topic));
  };
  const auto audit = ranges(**admin, call.topics.audit);
  if (!audit) return std::unexpected(audit.error());
  const auto chunks = ranges(**admin, call.topics.chunks);
  if (!chunks) return std::unexpected(chunks.error());
  const auto letters = dead_letters(**admin, properties, call, counts->letters);
  if (!letters) return std::unexpected(letters.error());
  // Routers read up to the first open transaction. In this order what is ended meanwhile is not taken for open.
  auto committed_admin = kafka::Admin::connect(properties, true);
  if (!committed_admin) return std::unexpected(committed_admin.error());
  const auto written = ranges(**admin, call.topics.requests);
  if (!written) return std::unexpected(written.error());
  const auto requests = ranges(**committed_admin, call.topics.requests);
  if (!requests) return std::unexpected(requests.error());

  asio::io_context loop(1);
  PartitionReading reading(loop, call.patience);
  if (auto connected = reading.connect(properties, call.topics); !connected) return std::unexpected(connected.error());
  asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) reading.fail({.kind = ErrorKind::cancelled, .detail = "interrupted"});
  });

  Verified verified;
  verify::Names names;
  if (counts->paired < counts->partitions)
    verified.notes.push_back(
        fmt::format("partitions {} to {} have no pair, so nothing runs there; 'tokenrail topics "
                    "apply' adds the missing ones",
                    counts->paired, counts->partitions - 1));
  for (std::int32_t p = 0; p < counts->paired; ++p) {
    if (call.partition && *call.partition != p) continue;
    const auto i = static_cast<std::size_t>(p);
    verify::CheckOptions options;
    options.topics = call.topics;
    options.partition = p;
    options.dedupe_window_ms = call.dedupe_window.count();
    options.requests_from = requests->at(i).from;
    options.audit_from = audit->at(i).from;
    options.audit_known_ms = audit->at(i).known_ms;
    options.chunks_from = chunks->at(i).from;
    options.chunks_known_ms = chunks->at(i).known_ms;
    options.letters_known_ms = letters->known_of(p);
    options.ends.requests = requests->at(i).end;
    options.ends.audit = audit->at(i).end;
    options.ends.chunks = chunks->at(i).end;
    for (const auto& entry : *committed) {
      // With an end that was chosen, what was committed since says nothing about what was read.
      if (entry.partition.partition != p || call.to_ms) continue;
      options.committed = entry.offset;
      options.metadata = entry.metadata;
    }
    options.names = &names;
    const bool committed_any = options.committed.has_value();
    Checker checker(std::move(options));
    for (const auto& letter : letters->letters) checker.on_letter(letter);
    if (auto read = reading.read(checker, p, {requests->at(i), audit->at(i), chunks->at(i)}); !read)
      return std::unexpected(read.error());
    if (requests->at(i).end < written->at(i).end)
      verified.notes.push_back(
          fmt::format("partition {}: requests from {} on are behind an open transaction and were not checked; "
                      "routers do not read them either",
                      p, requests->at(i).end));
    checker.finish(call.at_rest);
    if (call.at_rest && !committed_any && checker.figures().attempts > 0)
      verified.notes.push_back(
          fmt::format("partition {}: the group {} has committed nothing; is --group right?", p, call.group));
    verified.violations.insert(verified.violations.end(), checker.violations().begin(), checker.violations().end());
    verified.figures.add(checker.figures());
    ++verified.partitions;
  }
  if (verified.figures.names_shared > 0)
    verified.notes.push_back(
        fmt::format("{} request ids were asked on more than one partition, and each was run there: duplicates are "
                    "recognised within a partition. Give the requests of a conversation one record key",
                    verified.figures.names_shared));
  if (verified.figures.sender_times > 0) verified.notes.push_back(note_on_times(verified.figures));
  const bool committed_nothing =
      std::ranges::none_of(*committed, [](const auto& entry) { return entry.offset.has_value(); });
  if (!call.at_rest && committed_nothing && verified.figures.attempts > 0)
    verified.notes.push_back(
        fmt::format("the group {} has committed nothing, so commits were not checked; is --group right?", call.group));
  return verified;
}

}  // namespace tokenrail::cli
