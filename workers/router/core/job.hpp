// A request between its reading and its completion.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "common/events/chat_request.hpp"
#include "common/events/offsets.hpp"
#include "workers/router/core/environment.hpp"

namespace tokenrail::router {

class Attempt;

struct Job {
  events::RequestOffset offset{};
  std::optional<std::string> key{};
  std::string traceparent{};
  std::size_t bytes = 0;        ///< counted against the window
  std::int64_t source_ms = -1;  ///< Unix; the record's timestamp, whoever's clock it is; -1: none
  Millis queued_since{0};       ///< wall: the same, but no time to come
  Millis deadline{0};           ///< steady; of one whose value has not been read so far, the default
  bool deadline_known = false;
  Millis timer = Millis::max();  ///< steady; when on_job_time() is due
  std::vector<std::string>
      broken_deployments{};    ///< whose answers to it broke off; its next attempt tries others first
  std::int64_t attempted = 0;  ///< number of its newest attempt by this worker
  int refusals = 0;            ///< attempts of this worker of which a chunk was refused
  Millis wait_until{0};        ///< steady; the answer was refused, and is tried again then; 0: it does not wait
  std::variant<events::ChatRequest, events::InvalidRequest> request;
  /// The record's value, where only the ids have been read from it so far.
  std::optional<std::string> unread{};
  /// It cannot start now, and too many wait: only the ids are kept, the record is read again from the log when its turn
  /// has come. Such a job does not count against the window.
  bool put_back = false;
  std::size_t kept = 0;  ///< put back: bytes that remain of it
  /// Put back, or being read again: the connection whose room it waits for, or has; empty: it waits for something else.
  std::string waits_for{};
  std::uint64_t draw = 0;  ///< for its route, so that reading it again leads to the connection whose room was kept

  /// Where a job is on its way to its attempt.
  enum class Stage { in_line, ready, parked, fetching, running, ended };
  Stage stage = Stage::in_line;
  std::unique_ptr<Attempt> attempt{};
  bool unreported = false;  ///< its attempt waits for the report of its llm.request or its terminal chunk

  Job();
  ~Job();

  /// For what every owner has to judge alike.
  [[nodiscard]] std::int64_t seen_ms() const { return source_ms >= 0 ? source_ms : queued_since.count(); }

  /// Time runs from the record's timestamp on, which is wall time; deadlines are steady.
  void set_timeout(Millis timeout, const Now& now) { deadline = now.steady + (queued_since + timeout - now.wall); }

  [[nodiscard]] const std::string& request_id() const {
    return std::visit([](const auto& r) -> const std::string& { return r.request_id; }, request);
  }
  [[nodiscard]] const std::string& org_id() const {
    return std::visit([](const auto& r) -> const std::string& { return r.org_id; }, request);
  }
  [[nodiscard]] const std::string& user_id() const {
    return std::visit([](const auto& r) -> const std::string& { return r.user_id; }, request);
  }
};

/// Names a job without owning it; it may be gone when it is looked up.
struct JobRef {
  std::int32_t partition = 0;
  std::uint64_t generation = 0;  ///< of the partition's stint in this process
  events::RequestOffset offset{};
};

}  // namespace tokenrail::router
