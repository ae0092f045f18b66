// Records of a partition that were refused for good: audit events that the topic refused, each until it is reported as
// written, and chunks that the producer does not take.
//
// Owned by Partition, one for each. It never writes: it says what is to be written again, and when. Pure.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/events/offsets.hpp"
#include "workers/router/core/environment.hpp"
#include "workers/router/core/partition_io.hpp"

namespace tokenrail::router {

class RefusedRecords {
 public:
  struct Key {
    Purpose purpose = Purpose::request_event;
    events::RequestOffset offset{};  ///< of the request it is about
    std::int64_t attempt = 0;
    auto operator<=>(const Key&) const = default;
  };
  [[nodiscard]] static Key key_of(const Sent& sent) {
    return {.purpose = sent.purpose, .offset = sent.offset, .attempt = sent.attempt};
  }
  struct Event {
    Key key{};
    /// Its next record has at most so many bytes, where it can be cut; 0: as few as it can have.
    std::size_t bytes_max = 0;
  };

  /// The topic refused that event. Returns what is to be written at once; nothing: the event waits for take_due().
  [[nodiscard]] std::optional<Event> event_refused(const Sent& sent, Millis now);
  /// The event is written, or nothing writes it any more.
  void forget(const Key& key) { events_.erase(key); }
  /// The events whose wait is over, in the order of their keys.
  [[nodiscard]] std::vector<Event> take_due(Millis now);
  /// How many events the topic does not take, however small they are.
  [[nodiscard]] std::size_t waiting() const;

  struct Chunk {
    std::uint64_t unit = 0;  ///< of its attempt
    std::string why{};
  };
  /// The producer does not take that chunk, and never will.
  void chunk_not_taken(std::uint64_t unit, std::string why) {
    chunks_.push_back({.unit = unit, .why = std::move(why)});
  }
  [[nodiscard]] bool any_chunk() const { return !chunks_.empty(); }
  [[nodiscard]] std::vector<Chunk> take_chunks() { return std::exchange(chunks_, {}); }

  void clear();

 private:
  struct Refusal {
    int count = 0;
    std::size_t bytes = 0;  ///< of the newest record that was refused
    Millis retry_at{0};     ///< steady
  };
  [[nodiscard]] static Event event_of(const Key& key, const Refusal& refusal);

  std::map<Key, Refusal> events_{};
  std::vector<Chunk> chunks_{};
};

}  // namespace tokenrail::router
