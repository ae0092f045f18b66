#include "cli/log_walk.hpp"

#include <algorithm>
#include <csignal>
#include <set>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "common/kafka/admin.hpp"
#include "common/kafka/log_reader.hpp"

namespace tokenrail::cli {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

class Walker final : public kafka::LogReaderListener {
 public:
  Walker(asio::io_context& loop, const LogWalk& walk, const std::function<bool(const kafka::Record&)>& take)
      : loop_(loop), walk_(walk), take_(take) {}

  void on_record(kafka::Record&& record) override {
    if (!end_ && !take_(record)) finish(WalkEnd::enough);
  }
  void on_end(const kafka::TopicPartition& partition, std::int64_t) override {
    if (unread_.erase(partition) == 0 || !unread_.empty() || end_) return;
    if (walk_.until_end) return finish(WalkEnd::reached_end);
    if (walk_.on_caught_up && !walk_.on_caught_up()) finish(WalkEnd::enough);
  }
  void on_failure(const kafka::TopicPartition&, const Error& error) override {
    if (end_) return;
    end_ = std::unexpected(error);
    loop_.stop();
  }

  void expect(const kafka::TopicPartition& partition) { unread_.insert(partition); }
  void finish(WalkEnd end) {
    if (!end_) end_ = end;
    loop_.stop();
  }
  [[nodiscard]] Result<WalkEnd> end() const { return end_.value_or(Result<WalkEnd>(WalkEnd::interrupted)); }

 private:
  asio::io_context& loop_;
  const LogWalk& walk_;
  const std::function<bool(const kafka::Record&)>& take_;
  std::set<kafka::TopicPartition> unread_;
  std::optional<Result<WalkEnd>> end_;
};

}  // namespace

Result<WalkEnd> walk_log(const kafka::Properties& properties, const LogWalk& walk,
                         const std::function<bool(const kafka::Record&)>& take) {
  auto admin = kafka::Admin::connect(properties);
  if (!admin) return std::unexpected(admin.error());
  const auto described =
      (*admin)->describe({walk.topic}, false, std::min(walk.timeout.value_or(10s), std::chrono::milliseconds(10s)));
  if (!described) return std::unexpected(described.error());
  if (described->empty())
    return fail(ErrorKind::not_found,
                fmt::format("there is no topic {}; 'tokenrail topics apply' makes those of Tokenrail", walk.topic));
  const std::int32_t partitions = described->front().partitions;
  if (walk.partition && (*walk.partition < 0 || *walk.partition >= partitions))
    return fail(ErrorKind::not_found, fmt::format("{} has no partition {}: they go from 0 to {}", walk.topic,
                                                  *walk.partition, partitions - 1));

  asio::io_context loop(1);
  Walker walker(loop, walk, take);
  telemetry::Metrics metrics;
  auto reader = kafka::LogReader::make(loop, {.properties = properties, .topics = {walk.topic}}, walker, metrics);
  if (!reader) return std::unexpected(reader.error());

  std::vector<kafka::StartingPoint> points;
  const std::int64_t offset = walk.from_beginning ? kafka::offset_beginning : kafka::offset_end;
  for (std::int32_t p = 0; p < partitions; ++p) {
    if (walk.partition && *walk.partition != p) continue;
    points.push_back({.partition = {.topic = walk.topic, .partition = p}, .offset = offset});
    walker.expect(points.back().partition);
  }
  if (walk.since_ms) {
    std::vector<kafka::TopicPartition> read;
    for (const auto& point : points) read.push_back(point.partition);
    const auto offsets = (*admin)->offsets_at(read, *walk.since_ms, 10s);
    if (!offsets) return std::unexpected(offsets.error());
    for (std::size_t i = 0; i < points.size(); ++i) points[i].offset = offsets->at(i).value_or(kafka::offset_end);
  }
  (*reader)->start(points);

  asio::signal_set signals(loop);
  if (walk.stop_on_ctrl_c) {
    signals.add(SIGINT);
    signals.add(SIGTERM);
    signals.async_wait([&](const boost::system::error_code& error, int) {
      if (!error) walker.finish(WalkEnd::interrupted);
    });
  }
  asio::steady_timer deadline(loop);
  if (walk.timeout) {
    deadline.expires_after(*walk.timeout);
    deadline.async_wait([&](const boost::system::error_code& error) {
      if (!error) walker.finish(WalkEnd::timed_out);
    });
  }
  loop.run();
  return walker.end();
}

}  // namespace tokenrail::cli
