// A history of one partition, written down record by record: what the topics contain, in the words of the protocol.
// Records are made by the real writers; the clock is the record count.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/verify/checker.hpp"
#include "common/events/audit.hpp"
#include "common/events/chunk.hpp"
#include "tests/support/offsets.hpp"

namespace tokenrail::verify::tests {

struct History {
  static constexpr std::size_t bytes_max = 1'000'000;

  CheckOptions options{};
  std::vector<kafka::Record> requests{};
  std::vector<kafka::Record> chunks{};
  std::vector<kafka::Record> audit{};
  std::vector<kafka::Record> dlq{};
  std::vector<std::string> ids{};  // request id by source offset
  std::int64_t now_ms = 1'000'000;
  std::int32_t events_name = 0;  ///< the partition that events name
  std::int64_t source_ms = -1;   ///< the time of the request's record that events name; -1: none
  bool broker_time = true;       ///< the brokers' clock makes the timestamps, as on topics that `topics apply` made

  /// What the chunks of an attempt have said so far, by request id and number.
  struct Said {
    std::int64_t chunks = 0;
    std::int64_t bytes = 0;
    std::optional<events::FinishReason> reason{};
  };
  std::map<std::pair<std::string, std::int64_t>, Said> said{};
  std::map<std::int64_t, std::int64_t> duplicate_of{};  ///< what the newest answer to a duplicate names, by its offset

  static std::int64_t attempt(std::int64_t epoch, std::int64_t n = 1) { return epoch * 1'000 + n; }
  [[nodiscard]] static std::string instance_of(std::int64_t epoch) { return "w" + std::to_string(epoch); }

  void wait(std::int64_t ms) { now_ms += ms; }

  std::int64_t append(std::vector<kafka::Record>& log, std::string topic, std::int64_t from, std::string value,
                      std::optional<std::string> key) {
    now_ms += 10;
    kafka::Record record;
    record.topic = std::move(topic);
    record.offset = from + static_cast<std::int64_t>(log.size());
    record.key = std::move(key);
    record.value = std::move(value);
    record.timestamp_ms = now_ms;
    record.log_append_time = broker_time;
    log.push_back(std::move(record));
    return log.back().offset;
  }
  /// That of the request; "k" where none has been asked.
  [[nodiscard]] std::optional<std::string> key_of(std::int64_t source_offset) const {
    const auto at = source_offset - options.requests_from;
    if (at < 0 || at >= static_cast<std::int64_t>(requests.size())) return "k";
    return requests[static_cast<std::size_t>(at)].key;
  }
  std::int64_t to_chunks(std::string value, std::optional<std::string> key = "k") {
    return append(chunks, "chat.chunks", options.chunks_from, std::move(value), std::move(key));
  }
  std::int64_t to_audit(std::string value, std::optional<std::string> key = "k") {
    return append(audit, "llm.audit", options.audit_from, std::move(value), std::move(key));
  }

  /// A request; its source offset.
  std::int64_t ask(const std::string& id, const std::optional<std::string>& key = "k", int timeout_ms = 0) {
    const auto timeout = timeout_ms > 0 ? ",\"timeoutMs\":" + std::to_string(timeout_ms) : std::string();
    ids.resize(static_cast<std::size_t>(options.requests_from) + requests.size());
    ids.push_back(id);
    return append(
        requests, "chat.requests", options.requests_from,
        R"({"requestId":")" + id + R"(","orgId":"o","messages":[{"role":"user","content":"?"}])" + timeout + "}", key);
  }
  /// One without ids, so that no answer can be addressed.
  std::int64_t ask_in_vain() {
    ids.emplace_back();
    return append(requests, "chat.requests", options.requests_from, "no JSON", "k");
  }
  void bury(std::int64_t source_offset, const std::string& topic = "chat.requests", char partition = 0,
            std::optional<char> timestamp = std::nullopt) {
    append(dlq, "chat.requests.dlq", 0, "no JSON", "k");
    std::string offset(8, '\0');
    offset[6] = static_cast<char>(source_offset >> 8);
    offset[7] = static_cast<char>(source_offset);
    dlq.back().headers = {{"kafka_dlt-original-topic", topic},
                          {"kafka_dlt-original-partition", std::string(3, '\0') + partition},
                          {"kafka_dlt-original-offset", offset}};
    if (timestamp) dlq.back().headers.emplace_back("kafka_dlt-original-timestamp", std::string(7, '\0') + *timestamp);
  }

  [[nodiscard]] events::AttemptIds names(std::int64_t epoch, std::int64_t source_offset, std::int64_t number) const {
    events::AttemptIds of;
    of.epoch = epoch;
    of.instance = instance_of(epoch);
    of.source_partition = events_name;
    of.source_offset = events::RequestOffset(source_offset);
    of.source_ms = source_ms;
    of.org_id = "o";
    of.request_id = ids.at(static_cast<std::size_t>(source_offset));
    of.attempt = number;
    return of;
  }

  void claim(std::int64_t epoch, const std::string& instance = {}) {
    to_audit(to_json(events::RouterClaimed{
        .epoch = epoch, .instance = instance.empty() ? instance_of(epoch) : instance, .partition = events_name}));
  }
  void release(std::int64_t epoch, std::vector<events::ContinuedAttempt> continuing, std::int64_t lease_ms = 30'000) {
    to_audit(to_json(events::RouterReleased{.epoch = epoch,
                                            .instance = instance_of(epoch),
                                            .partition = events_name,
                                            .continuing = std::move(continuing),
                                            .lease_ms = lease_ms}));
  }
  void renew(std::int64_t epoch, std::vector<events::ContinuedAttempt> continuing, std::int64_t lease_ms = 30'000) {
    to_audit(to_json(events::RouterContinuing{.epoch = epoch,
                                              .instance = instance_of(epoch),
                                              .partition = events_name,
                                              .continuing = std::move(continuing),
                                              .lease_ms = lease_ms}));
  }

  /// llm.request; `number`: of the attempt, else the first of the epoch.
  void begin(std::int64_t epoch, std::int64_t source_offset, std::int64_t number = -1) {
    events::LlmRequest event;
    event.ids = names(epoch, source_offset, number < 0 ? attempt(epoch) : number);
    to_audit(to_json(event, bytes_max), key_of(source_offset));
  }
  [[nodiscard]] Said& said_by(std::int64_t source_offset, std::int64_t number) {
    return said[{ids.at(static_cast<std::size_t>(source_offset)), number}];
  }
  void lose(std::int64_t epoch, std::int64_t from, std::int64_t to) {
    to_audit(to_json(events::RequestsLost{.epoch = epoch,
                                          .instance = instance_of(epoch),
                                          .partition = events_name,
                                          .from = events::RequestOffset(from),
                                          .to = events::RequestOffset(to)}),
             std::nullopt);
  }
  void respond(std::int64_t epoch, std::int64_t source_offset, std::int64_t number,
               events::Outcome outcome = events::Outcome::completed, const std::string& cause = {},
               bool recovered = false, bool called = true) {
    events::LlmResponse event;
    event.ids = names(epoch, source_offset, number);
    event.outcome = outcome;
    event.cause = cause;
    event.called = called;
    event.recovered = recovered;
    const auto& told = said_by(source_offset, number);
    event.chunks = told.chunks;
    event.finish_reason = told.reason;
    // Who makes a response from the terminal chunk does not know the text.
    if (!recovered && told.bytes > 0) event.content.emplace().bytes = told.bytes;
    if (const auto first = duplicate_of.find(source_offset); number == 0 && first != duplicate_of.end())
      event.duplicate_of_offset = first->second;
    to_audit(to_json(event, bytes_max), key_of(source_offset));
  }
  void interrupt(std::int64_t epoch, std::int64_t source_offset, std::int64_t number,
                 const std::string& cause = "lost") {
    respond(epoch, source_offset, number, events::Outcome::interrupted, cause, cause == "lost");
  }

  std::int64_t say(std::int64_t source_offset, std::int64_t number, std::int64_t seq) {
    auto& told = said_by(source_offset, number);
    ++told.chunks;
    ++told.bytes;
    std::string out;
    events::ChunkWriter(ids.at(static_cast<std::size_t>(source_offset)), "o", number).write(out, seq, {.text = "x"});
    return to_chunks(out, key_of(source_offset));
  }
  std::int64_t end(std::int64_t source_offset, std::int64_t number, std::int64_t seq,
                   events::FinishReason reason = events::FinishReason::stop) {
    auto& told = said_by(source_offset, number);
    told.chunks = seq + 1;
    told.reason = reason;
    events::TerminalChunk terminal;
    terminal.seq = seq;
    terminal.finish_reason = reason;
    terminal.source_offset = source_offset;
    if (reason == events::FinishReason::error)
      terminal.failure = events::Failure::of(events::ErrorCode::internal, "told by the test");
    std::string out;
    events::ChunkWriter(ids.at(static_cast<std::size_t>(source_offset)), "o", number).write(out, terminal);
    return to_chunks(out, key_of(source_offset));
  }
  /// llm.request, two chunks, llm.response.
  void answer(std::int64_t epoch, std::int64_t source_offset, std::int64_t number = -1) {
    if (number < 0) number = attempt(epoch);
    begin(epoch, source_offset, number);
    say(source_offset, number, 0);
    end(source_offset, number, 1);
    respond(epoch, source_offset, number);
  }
  std::int64_t duplicate_chunk(std::int64_t source_offset, std::int64_t names_offset, std::int64_t names_attempt,
                               std::int64_t queued_ms = 0) {
    duplicate_of[source_offset] = names_offset;
    events::TerminalChunk terminal;
    terminal.finish_reason = events::FinishReason::duplicate;
    terminal.source_offset = source_offset;
    terminal.duplicate_of_offset = names_offset;
    terminal.duplicate_of_attempt = names_attempt;
    terminal.timing.queued_ms = queued_ms;
    std::string out;
    events::ChunkWriter(ids.at(static_cast<std::size_t>(source_offset)), "o", 0).write(out, terminal);
    return to_chunks(out, key_of(source_offset));
  }
  void duplicate_response(std::int64_t epoch, std::int64_t source_offset,
                          events::Outcome outcome = events::Outcome::duplicate) {
    respond(epoch, source_offset, 0, outcome, {}, false, false);
  }

  enum class Feeding { audit_first, chunks_first, by_time };
  struct Found {
    std::vector<Violation> violations;
    Figures figures;
    std::size_t pending = 0;

    /// The names of the promises broken, each once, in their order: "P1 P4"; empty: none.
    [[nodiscard]] std::string promises() const {
      std::set<Promise> broken;
      for (const auto& violation : violations) broken.insert(violation.promise);
      std::string out;
      for (const auto promise : broken) {
        if (!out.empty()) out += ' ';
        out += name_of(promise);
      }
      return out;
    }
    [[nodiscard]] std::string texts() const {
      std::string out;
      for (const auto& violation : violations) {
        out += std::string(name_of(violation.promise)) + " " + violation.topic + " [";
        for (const auto offset : violation.offsets) out += " " + std::to_string(offset);
        out += " ] " + violation.text + "\n";
      }
      return out;
    }
  };
  [[nodiscard]] Found check(bool at_rest = true, Feeding feeding = Feeding::by_time) const {
    Checker checker(options);
    const auto feed = [&](const std::vector<kafka::Record>& log, auto take) {
      for (const auto& record : log) (checker.*take)(record);
    };
    if (feeding == Feeding::by_time) {
      std::vector<std::pair<const kafka::Record*, void (Checker::*)(const kafka::Record&)>> all;
      for (const auto& record : requests) all.emplace_back(&record, &Checker::on_request);
      for (const auto& record : chunks) all.emplace_back(&record, &Checker::on_chunk);
      for (const auto& record : audit) all.emplace_back(&record, &Checker::on_audit);
      for (const auto& record : dlq) all.emplace_back(&record, &Checker::on_dead_letter);
      std::ranges::sort(all, {}, [](const auto& entry) { return entry.first->timestamp_ms; });
      for (const auto& [record, take] : all) (checker.*take)(*record);
    } else {
      const bool audit_first = feeding == Feeding::audit_first;
      if (audit_first) feed(audit, &Checker::on_audit);
      feed(chunks, &Checker::on_chunk);
      if (!audit_first) feed(audit, &Checker::on_audit);
      feed(dlq, &Checker::on_dead_letter);
      feed(requests, &Checker::on_request);
    }
    checker.finish(at_rest);
    return {.violations = checker.violations(), .figures = checker.figures(), .pending = checker.pending()};
  }
};

}  // namespace tokenrail::verify::tests
