// A member of a consumer group on the event loop: librdkafka woken through a file descriptor, no thread of ours but for
// the one call that it only offers blocking (reading what is committed).
//
// The eager assignor. Every partition's queue is forwarded to one record queue of ours. The back-pressure is not to
// read that queue (no pause, no purge, no refetch), while rebalances, commits and errors are served all the same.
// Only commit() commits. One thread: everything is called, and calls back, on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "common/kafka/record.hpp"
#include "common/result.hpp"
#include "common/telemetry/metrics.hpp"

namespace tokenrail::kafka {

struct StartingPoint {
  TopicPartition partition;
  std::int64_t offset = 0;  ///< first offset to read; offset_beginning: the earliest there is
};
inline constexpr std::int64_t offset_beginning = -2;
inline constexpr std::int64_t offset_end = -1;

enum class CommitOutcome {
  ok,
  not_owner,  ///< illegal generation, unknown member, rebalance in progress: the group has moved on
  failed,     ///< anything else; it may be tried again
};

class ConsumerListener {
 public:
  virtual ~ConsumerListener() = default;
  virtual void on_record(Record&& record) = 0;
  /// The whole new assignment. Reading starts when assign() is called, now or after asynchronous work. An empty one is
  /// answered already.
  virtual void on_assigned(const std::vector<TopicPartition>& partitions) = 0;
  /// All partitions are to be given up in order; release() answers, and until then no partition of the group's members
  /// makes progress, so answer soon. Commits made before release() still count.
  virtual void on_revoked(const std::vector<TopicPartition>& partitions) = 0;
  /// They are gone already (session expired): commit nothing, publish nothing. Needs no answer. Comes also in place of
  /// a release that took too long (max.poll.interval.ms); release() does nothing after it.
  virtual void on_lost(const std::vector<TopicPartition>& partitions) = 0;
  virtual void on_committed(std::uint64_t token, const TopicPartition& partition, CommitOutcome outcome,
                            const std::string& detail) = 0;
  /// The handle can no longer work (a fatal librdkafka error): destroy this object and make a new one.
  virtual void on_fatal(const Error& error) = 0;
};

struct GroupOptions {
  Properties properties{};
  std::string group_id;
  std::vector<std::string> topics{};
  std::size_t records_per_turn_max = 64;  ///< read in one loop turn before other work gets its turn
};

class GroupConsumer {
 public:
  /// Errors: invalid_input for a property that librdkafka refuses (its text names the property).
  static Result<std::unique_ptr<GroupConsumer>> join(boost::asio::io_context& loop, const GroupOptions& options,
                                                     ConsumerListener& listener, telemetry::Metrics& metrics);
  virtual ~GroupConsumer() = default;

  /// Answers on_assigned().
  virtual void assign(const std::vector<StartingPoint>& points) = 0;
  /// Reads an assigned partition from there on; nothing that was fetched before comes any more.
  virtual void seek(const StartingPoint& point) = 0;
  /// Answers on_revoked().
  virtual void release() = 0;

  /// false: stop taking records off our queue; true: go on.
  virtual void set_reading(bool reading) = 0;

  /// Asynchronous; on_committed() reports the outcome with the same token. `metadata`: ASCII, at most 4096 characters.
  /// One partition a commit, so that a refusal is never ambiguous.
  virtual void commit(std::uint64_t token, const TopicPartition& partition, std::int64_t offset,
                      const std::string& metadata) = 0;

  /// Committed offsets with metadata, asynchronously, as the coordinator has them.
  using CommittedCallback = std::function<void(Result<std::vector<Committed>>)>;
  virtual void committed(const std::vector<TopicPartition>& partitions, CommittedCallback done) = 0;

  /// Leaves the group. on_revoked() comes once more where there is an assignment; `done` when all is closed, and no
  /// call to the listener follows it.
  virtual void leave(std::function<void()> done) = 0;

  /// Whether the brokers answered when last heard of: for readiness, not for decisions.
  [[nodiscard]] virtual bool connected() const { return true; }
  /// Why nothing can be read although the brokers answer, for people: a right that is missing. Empty: nothing known.
  [[nodiscard]] virtual std::string problem() const { return {}; }
};

}  // namespace tokenrail::kafka
