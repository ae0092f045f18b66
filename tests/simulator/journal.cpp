#include "tests/simulator/journal.hpp"

#include <algorithm>
#include <utility>

#include "common/events/json_writer.hpp"

namespace tokenrail::simulator {

namespace {

std::int64_t signed_of(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}

void write_counts(events::JsonWriter& json, const JournalCounts& counts) {
  json.begin_object("counts");
  json.field("calls", signed_of(counts.calls));
  json.field("open", signed_of(counts.open));
  json.field("openMax", signed_of(counts.open_max));
  json.field("complete", signed_of(counts.complete));
  json.field("clientGone", signed_of(counts.client_gone));
  json.field("fault", signed_of(counts.fault));
  json.field("dropped", signed_of(counts.dropped));
  json.end_object();
}

void write_entry(events::JsonWriter& json, const JournalEntry& entry) {
  json.begin_object();
  json.field("number", signed_of(entry.number));
  json.field("id", entry.id);
  json.field("method", entry.method);
  json.field("path", entry.path);
  json.field("model", entry.model);
  json.field("lastUserMessage", entry.last_user_message);
  json.field("messages", entry.messages);
  json.field("stream", entry.stream);
  json.field("traceparent", entry.traceparent);
  json.field("authorizationSha256", entry.authorization_sha256);
  json.field("request", entry.request);
  json.field("requestBytes", static_cast<std::int64_t>(entry.request_bytes));
  json.field("requestSha256", entry.request_sha256);
  json.field("startedMs", entry.started_ms);
  json.field("firstTokenMs", entry.first_token_ms);
  json.field("endedMs", entry.ended_ms);
  json.field("status", entry.status);
  json.field("ending", entry.ending);
  json.field("fault", entry.fault);
  json.field("bytesSent", signed_of(entry.bytes_sent));
  json.field("tokensSent", signed_of(entry.tokens_sent));
  json.field("text", entry.text);
  json.end_object();
}

}  // namespace

std::uint64_t Journal::open(JournalEntry entry) {
  entry.number = next_++;
  entries_.push_back(std::move(entry));
  ++counts_.calls;
  ++counts_.open;
  counts_.open_max = std::max(counts_.open_max, counts_.open);
  if (entries_.size() > entries_max_) {
    entries_.pop_front();
    ++counts_.dropped;
  }
  return next_ - 1;
}

JournalEntry* Journal::find(std::uint64_t number) {
  if (entries_.empty() || number < entries_.front().number || number >= next_) return nullptr;
  return &entries_[number - entries_.front().number];
}

void Journal::close(std::uint64_t number, std::string_view ending, std::string_view fault, std::int64_t now_ms) {
  if (number < counted_from_) return;
  auto* const entry = find(number);
  if (entry != nullptr) {
    if (entry->ending != "open") return;
    entry->ending = ending;
    entry->fault = fault;
    entry->ended_ms = now_ms - entry->started_ms;
  }
  if (counts_.open > 0) --counts_.open;
  if (ending == "complete") ++counts_.complete;
  if (ending == "client_gone") ++counts_.client_gone;
  if (ending == "fault") ++counts_.fault;
}

void Journal::clear() {
  entries_.clear();
  counts_ = {};
  counted_from_ = next_;
}

std::string Journal::to_json(std::uint64_t since, std::size_t limit, std::string_view path) const {
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  write_counts(json, counts_);
  json.begin_array("calls");
  for (const auto& entry : entries_) {
    if (limit == 0) break;
    if (entry.number <= since || (!path.empty() && entry.path != path)) continue;
    write_entry(json, entry);
    --limit;
  }
  json.end_array();
  json.end_object();
  return out;
}

std::string Journal::counts_to_json() const {
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  write_counts(json, counts_);
  json.end_object();
  return out;
}

}  // namespace tokenrail::simulator
