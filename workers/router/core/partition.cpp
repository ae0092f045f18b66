#include "workers/router/core/partition.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/events/audit.hpp"
#include "common/events/cloud_events.hpp"
#include "common/registry/resolution.hpp"
#include "workers/router/core/attempt.hpp"
#include "workers/router/core/dead_letter.hpp"

namespace tokenrail::router {

namespace {

using events::ErrorCode;
using events::Failure;

constexpr std::size_t recent_requests_max = 100'000;
constexpr Millis not_running_look_again{100};
// Between the broker's clock, which stamps records, and ours.
constexpr Millis clock_skew_max{60'000};
// Chunks and audit events carry the request's key; a longer one would not leave room for what they say.
constexpr std::size_t key_bytes_max = 4'096;
constexpr std::int64_t attempts_per_epoch = 1'000;

std::string_view type_of(Purpose purpose) {
  return purpose == Purpose::request_event ? "llm.request" : "llm.response";
}

}  // namespace

std::size_t bytes_of(const kafka::Record& record) {
  std::size_t bytes = (record.value ? record.value->size() : 0) + (record.key ? record.key->size() : 0);
  for (const auto& [name, content] : record.headers) bytes += name.size() + content.size();
  return bytes;
}

Job::Job() = default;
Job::~Job() = default;

Partition::Partition(Services& services, Wire& wire, std::int32_t number, std::uint64_t generation)
    : services_(services), wire_(wire), number_(number), generation_(generation), recent_(recent_requests_max) {}

Partition::~Partition() {
  for (auto& [offset, job] : jobs_) {
    over(job);
    forget_timer(job);
    services_.hub.job_gone(job.bytes);
  }
  for (const auto& [offset, letter] : dead_letters_) {
    services_.hub.job_gone(bytes_of(letter.record));
  }
}

// --- ownership ------------------------------------------------------------------------------------------------------

void Partition::begin(const kafka::Committed& committed) {
  const auto metadata = decode_commit_metadata(committed.metadata);
  if (!committed.metadata.empty() && !metadata) {
    spdlog::warn("partition {}: the commit metadata at offset {} is not ours or is damaged; only the offset is used",
                 number_, committed.offset.value_or(0));
  }
  start_ = committed.offset.value_or(0);
  ledger_ = kafka::OffsetLedger(start_);
  committed_offset_ = committed.offset.value_or(-1);
  committed_metadata_ = committed.metadata;
  positions_ = metadata ? LogPositions(metadata->audit_offset, metadata->chunk_offset) : LogPositions(0, 0);
  // A partition that nobody has claimed starts at a number above any that a lost history could have used.
  epoch_ = metadata ? metadata->epoch + 1
                    : std::chrono::duration_cast<std::chrono::seconds>(services_.environment.now().wall).count();
  claim();
}

void Partition::claim() {
  phase_ = Phase::claiming;
  instance_ = fmt::format("{:016x}", services_.environment.random());
  recent_.clear();
  const auto value =
      events::to_json(events::RouterClaimed{.epoch = epoch_, .instance = instance_, .partition = number_});
  const auto headers =
      event_headers("router.claimed", events::ownership_event_id(number_, epoch_, instance_, ++ownership_events_), {});
  send(Output::audit, std::nullopt, value, &headers,
       {.purpose = Purpose::claim, .chunks_acknowledged = positions_.chunks_acknowledged()});
  services_.metrics.claims.add();
}

void Partition::claimed(const kafka::Report& report) {
  if (phase_ != Phase::claiming) return;
  claimed_at_ = services_.environment.now().wall;
  positions_.audit_acknowledged(report.offset, 0);
  phase_ = Phase::committing;
  send_commit();
}

void Partition::run() {
  phase_ = Phase::running;
  spdlog::info("partition {}: running under epoch {} from offset {} ({} requests waiting)", number_, epoch_,
               ledger_.committable(), jobs_.size());
  std::vector<std::int64_t> letters;
  for (const auto& [offset, letter] : dead_letters_) letters.push_back(offset);
  for (const auto offset : letters) dead_letter(offset);
  for (auto& [offset, job] : jobs_) {
    if (job.stage == Job::Stage::in_line && order_.is_first(job.key, offset)) ready(job);
  }
}

void Partition::fail(std::string_view why) {
  if (phase_ == Phase::settling) return;
  spdlog::warn("partition {}: {}; what runs there is cancelled and the partition will be claimed again", number_, why);
  services_.metrics.repairs.add();
  failing_.clear();
  phase_ = Phase::settling;
  deferred_.clear();
  commit_pending_ = false;
  order_ = KeyOrder{};
  held_.clear();
  for (auto& [offset, job] : jobs_) {
    over(job);
    job.attempt.reset();
    schedule(job, job.deadline);
    job.stage = Job::Stage::in_line;
    order_.enter(job.key, offset);
  }
  if (outstanding_ == 0) settled();
}

void Partition::settled() {
  if (!wire_.usable()) return;  // on_producer() goes on
  // Ask the coordinator whether the partition is still ours: a commit of what is committed already changes nothing,
  // and only a member of the current generation is answered with yes.
  phase_ = Phase::confirming;
  sent_offset_ = std::max<std::int64_t>(committed_offset_, 0);
  sent_metadata_ = committed_metadata_;
  put_commit();
}

void Partition::on_producer() {
  if (phase_ == Phase::settling) {
    // Whatever the old one had not reported when it was destroyed never will be.
    outstanding_ = 0;
    settled();
    return;
  }
  on_space();
}

void Partition::on_committed(std::uint32_t sequence, kafka::CommitOutcome outcome) {
  if (!commit_pending_ || sequence != commit_sequence_) return;
  commit_pending_ = false;
  if (outcome != kafka::CommitOutcome::ok) {
    services_.metrics.commits_refused.add();
    return;  // tried again by on_time(), unless the group takes the partition away first
  }
  services_.metrics.commits.add();
  committed_offset_ = sent_offset_;
  committed_metadata_ = sent_metadata_;
  if (phase_ == Phase::committing) {
    run();
  } else if (phase_ == Phase::confirming) {
    ++epoch_;
    claim();
  }
}

// --- records in -----------------------------------------------------------------------------------------------------

void Partition::on_record(kafka::Record&& record) {
  if (!anything_delivered_) {
    anything_delivered_ = true;
    // The committed offset lies beyond the log (the topic was made anew): what is there now counts.
    if (record.offset < start_) ledger_ = kafka::OffsetLedger(record.offset);
  }
  const auto size = bytes_of(record);
  if (!ledger_.delivered(record.offset)) {
    services_.hub.job_gone(size);
    return;
  }
  services_.metrics.requests_read.add();
  if (claimed_at_ > Millis(0) && record.timestamp_ms > (claimed_at_ + clock_skew_max).count())
    positions_.inheritance_ends(record.offset);

  const auto now = services_.environment.now();
  auto parsed = events::parse_chat_request(record.value, services_.options.request_limits);
  if (record.key && record.key->size() > key_bytes_max) {
    parsed = events::Unanswerable{
        .reason = fmt::format("the record key has {} bytes, at most {} are allowed; use the conversation's id",
                              record.key->size(), key_bytes_max)};
  }
  if (auto* unanswerable = std::get_if<events::Unanswerable>(&parsed)) {
    const auto offset = record.offset;
    dead_letters_.emplace(offset, DeadLetter{.record = std::move(record), .reason = std::move(unanswerable->reason)});
    if (phase_ == Phase::running) dead_letter(offset);
    return;
  }

  Job& job = jobs_[record.offset];
  job.offset = record.offset;
  job.bytes = size;
  // Nothing has been waiting since a time to come; a sender's clock may say anything.
  job.queued_since = record.timestamp_ms >= 0 ? std::min(Millis(record.timestamp_ms), now.wall) : now.wall;
  if (const auto trace = kafka::header(record.headers, "traceparent")) {
    job.traceparent = events::valid_traceparent(*trace).value_or("");
  }
  auto timeout = services_.options.request_timeout_default;
  if (auto* request = std::get_if<events::ChatRequest>(&parsed)) {
    timeout = request->timeout.value_or(timeout);
    services_.metrics.unknown_fields.add(request->unknown_fields);
    job.request = std::move(*request);
  } else {
    job.request = std::move(std::get<events::InvalidRequest>(parsed));
  }
  job.key = std::move(record.key);
  job.deadline = now.steady + (job.queued_since + timeout - now.wall);
  schedule(job, job.deadline);
  if (order_.enter(job.key, job.offset) && phase_ == Phase::running) ready(job);
}

void Partition::ready(Job& job) {
  if (job.offset - ledger_.committable() >= services_.options.partition_span_max) {
    held_.insert(job.offset);
    return;
  }
  job.stage = Job::Stage::ready;
  services_.hub.job_ready(ref(job), job.org_id());
}

// --- dispatch -------------------------------------------------------------------------------------------------------

Partition::Dispatched Partition::dispatch(std::int64_t offset,
                                          bool (*room)(void* context, const std::string& connection_id),
                                          void* context) {
  const auto it = jobs_.find(offset);
  if (it == jobs_.end() || phase_ != Phase::running) return {};
  Job& job = it->second;
  if (job.stage != Job::Stage::ready && job.stage != Job::Stage::parked) return {};

  if (auto* invalid = std::get_if<events::InvalidRequest>(&job.request)) {
    start(job, std::nullopt, invalid->failure);
    return {.what = Dispatch::started};
  }
  if (services_.environment.now().steady >= job.deadline) {
    end_uncalled(job);
    return {.what = Dispatch::started};
  }
  auto route = registry::resolve(services_.projection, std::get<events::ChatRequest>(job.request),
                                 services_.options.resolution, services_.environment.random());
  if (!route) {
    start(job, std::nullopt, std::move(route.error()));
    return {.what = Dispatch::started};
  }
  auto connection_id = route->targets.front().deployment.connection_id;
  if (!room(context, connection_id)) {
    job.stage = Job::Stage::parked;
    return {.what = Dispatch::parked, .connection_id = std::move(connection_id)};
  }
  start(job, std::move(*route), std::nullopt);
  return {.what = Dispatch::started};
}

void Partition::start(Job& job, std::optional<registry::Route> route, std::optional<Failure> refusal) {
  job.stage = Job::Stage::running;
  const auto number = epoch_ * attempts_per_epoch +
                      std::min(recent_.next_attempt(job.org_id(), job.request_id()), attempts_per_epoch - 1);
  job.attempt = std::make_unique<Attempt>(services_, *this, job, number);
  if (refusal) {
    job.attempt->announce(std::unexpected(std::move(*refusal)));
  } else {
    job.attempt->announce(std::move(*route));
  }
  services_.hub.attempt_started(job.org_id(), job.attempt->connection_id());
}

void Partition::schedule(Job& job, Millis at) {
  if (job.timer <= at) return;
  services_.hub.set_timer(ref(job), job.timer, at);
  job.timer = at;
}

void Partition::forget_timer(Job& job) {
  if (job.timer == Millis::max()) return;
  services_.hub.set_timer(ref(job), job.timer, Millis::max());
  job.timer = Millis::max();
}

void Partition::on_job_time(std::int64_t offset) {
  const auto it = jobs_.find(offset);
  if (it == jobs_.end()) return;
  Job& job = it->second;
  job.timer = Millis::max();
  if (job.attempt) {
    job.attempt->on_time();
  } else if (phase_ == Phase::running && services_.environment.now().steady >= job.deadline) {
    end_uncalled(job);
  } else {
    schedule(job, std::max(job.deadline, services_.environment.now().steady + not_running_look_again));
  }
}

void Partition::end_uncalled(Job& job) {
  start(job, std::nullopt,
        Failure::of(ErrorCode::deadline_exceeded,
                    "The request's time ran out before a worker could start it. Raise timeoutMs, or add workers or "
                    "provider capacity."));
}

void Partition::over(Job& job) {
  if (!job.attempt || job.stage != Job::Stage::running) return;
  job.stage = Job::Stage::ended;
  services_.hub.attempt_over(job.org_id(), job.attempt->connection_id());
}

void Partition::complete(std::int64_t offset) {
  ledger_.complete(offset);
  positions_.answered(offset);
  if (const auto it = jobs_.find(offset); it != jobs_.end()) {
    const auto bytes = it->second.bytes;
    forget_timer(it->second);
    jobs_.erase(it);
    services_.hub.job_gone(bytes);
  }
  // What the oldest held up goes on.
  while (!held_.empty() && *held_.begin() - ledger_.committable() < services_.options.partition_span_max) {
    const auto next = held_.extract(held_.begin()).value();
    if (const auto it = jobs_.find(next); it != jobs_.end() && it->second.stage == Job::Stage::in_line) {
      ready(it->second);
    }
  }
}

void Partition::interrupt_all(std::string_view cause) {
  for (auto& [offset, job] : jobs_) {
    if (job.attempt && job.attempt->interrupt(cause)) over(job);
  }
}

// --- records out ----------------------------------------------------------------------------------------------------

kafka::Headers Partition::event_headers(std::string_view type, std::string id, const std::string& traceparent) const {
  return events::cloud_event_headers({.id = std::move(id),
                                      .source = fmt::format("/router/{}", number_),
                                      .type = std::string(type),
                                      .time_ms = services_.environment.now().wall.count(),
                                      .traceparent = traceparent});
}

void Partition::produce_chunk(Job& job, std::string_view value, bool first) {
  services_.metrics.chunks.add();
  const Sent sent{.purpose = Purpose::chunk, .offset = job.offset};
  if (first && !job.traceparent.empty()) {
    const kafka::Headers headers{{"traceparent", job.traceparent}};
    send(Output::chunks, job.key, value, &headers, sent);
  } else {
    send(Output::chunks, job.key, value, nullptr, sent);
  }
}

void Partition::produce_terminal(Job& job, std::string_view value, std::int64_t attempt) {
  services_.metrics.chunks.add();
  const Sent sent{.purpose = Purpose::terminal, .offset = job.offset, .attempt = attempt};
  if (job.traceparent.empty()) {
    send(Output::chunks, job.key, value, nullptr, sent);
  } else {
    const kafka::Headers headers{{"traceparent", job.traceparent}};
    send(Output::chunks, job.key, value, &headers, sent);
  }
}

void Partition::produce_event(Purpose purpose, Job& job, std::string value, std::int64_t attempt) {
  const auto type = type_of(purpose);
  const auto headers =
      event_headers(type, events::audit_event_id(number_, job.offset, attempt, type, epoch_), job.traceparent);
  send(Output::audit, job.key, value, &headers,
       {.purpose = purpose,
        .offset = job.offset,
        .attempt = attempt,
        .chunks_acknowledged = positions_.chunks_acknowledged()});
}

void Partition::dead_letter(std::int64_t offset) {
  const auto it = dead_letters_.find(offset);
  if (it == dead_letters_.end()) return;
  const auto& [record, reason] = it->second;
  auto headers = dead_letter_headers(record, reason);
  auto value = record.value ? std::optional<std::string_view>(*record.value) : std::nullopt;
  if (value && value->size() > services_.options.dead_letter_bytes_max) {
    headers.emplace_back(
        "kafka_dlt-value-omitted",
        fmt::format("{} bytes do not fit; read the original where the other headers say", value->size()));
    value.reset();
  }
  services_.metrics.dead_letters.add();
  spdlog::warn("partition {} offset {}: {}; the record goes to the dead-letter topic", number_, offset, reason);
  send(Output::dlq, record.key, value, &headers, {.purpose = Purpose::dlq, .offset = offset});
}

void Partition::send(Output output, const std::optional<std::string>& key, std::optional<std::string_view> value,
                     const kafka::Headers* headers, const Sent& what) {
  if (phase_ == Phase::settling || phase_ == Phase::confirming || !failing_.empty()) return;
  Sent sent = what;
  sent.partition = number_;
  sent.generation = generation_;
  if (deferred_.empty()) {
    switch (wire_.send(output, key, value, headers, sent)) {
      case kafka::Produced::accepted:
        ++outstanding_;
        return;
      case kafka::Produced::queue_full:
        break;
      case kafka::Produced::too_large:
        failing_ = fmt::format("a record of {} bytes is larger than the producer's message.max.bytes",
                               value ? value->size() : 0);
        services_.environment.wake_at(services_.environment.now().steady);
        return;
      case kafka::Produced::unknown_topic:
      case kafka::Produced::failed:
        failing_ = "the producer refused a record";
        services_.environment.wake_at(services_.environment.now().steady);
        return;
    }
  }
  deferred_.push_back({.output = output,
                       .key = key,
                       .value = value ? std::optional<std::string>(*value) : std::nullopt,
                       .headers = headers != nullptr ? std::optional(*headers) : std::nullopt,
                       .sent = sent});
}

void Partition::on_space() {
  if (deferred_.empty()) return;
  while (!deferred_.empty()) {
    const auto& next = deferred_.front();
    const auto value = next.value ? std::optional<std::string_view>(*next.value) : std::nullopt;
    const auto produced = wire_.send(next.output, next.key, value, next.headers ? &*next.headers : nullptr, next.sent);
    if (produced == kafka::Produced::queue_full) return;
    if (produced != kafka::Produced::accepted) {
      fail("the producer refused a record");
      return;
    }
    ++outstanding_;
    deferred_.pop_front();
  }
  for (auto& [offset, job] : jobs_) {
    if (job.attempt) job.attempt->resume();
    if (congested()) return;
  }
}

// --- reports --------------------------------------------------------------------------------------------------------

void Partition::on_chunk_report(const kafka::Report& report) {
  --outstanding_;
  if (!report.ok) {
    fail(fmt::format("a chunk was not delivered ({})", report.detail));
  } else if (report.offset >= 0) {
    positions_.chunk_acknowledged(report.offset);
  }
  if (phase_ == Phase::settling && outstanding_ == 0) settled();
}

void Partition::on_report(const Sent& sent, const kafka::Report& report) {
  --outstanding_;
  if (!report.ok) {
    fail(fmt::format("a record was not delivered ({})", report.detail));
    if (phase_ == Phase::settling && outstanding_ == 0) settled();
    return;
  }
  if (phase_ == Phase::settling || phase_ == Phase::confirming) {
    if (phase_ == Phase::settling && outstanding_ == 0) settled();
    return;
  }

  if (sent.purpose == Purpose::claim) {
    claimed(report);
    return;
  }
  if (sent.purpose == Purpose::dlq) {
    if (const auto it = dead_letters_.find(sent.offset); it != dead_letters_.end()) {
      services_.hub.job_gone(bytes_of(it->second.record));
      dead_letters_.erase(it);
      complete(sent.offset);
    }
    return;
  }
  if (sent.purpose != Purpose::terminal) {
    if (report.offset >= 0) {
      positions_.audit_event(sent.offset, report.offset);
      positions_.audit_acknowledged(report.offset, sent.chunks_acknowledged);
    }
  } else if (report.offset >= 0) {
    positions_.chunk_acknowledged(report.offset);
    positions_.terminal(sent.offset, report.offset);
  }

  const auto it = jobs_.find(sent.offset);
  if (it == jobs_.end() || !it->second.attempt || it->second.attempt->number() != sent.attempt) return;
  Job& job = it->second;
  switch (sent.purpose) {
    case Purpose::request_event:
      job.attempt->announced();
      break;
    case Purpose::terminal: {
      over(job);
      job.attempt->terminal_acknowledged();
      if (const auto next = order_.leave(job.key, job.offset)) {
        if (const auto waiting = jobs_.find(*next);
            waiting != jobs_.end() && waiting->second.stage == Job::Stage::in_line) {
          ready(waiting->second);
        }
      }
      break;
    }
    case Purpose::response_event:
      complete(sent.offset);
      break;
    case Purpose::interrupted_event:
    case Purpose::chunk:
    case Purpose::claim:
    case Purpose::dlq:
      break;
  }
}

// --- commits --------------------------------------------------------------------------------------------------------

void Partition::send_commit() {
  sent_offset_ = ledger_.committable();
  const auto positions = positions_.at(sent_offset_);
  sent_metadata_ = encode({.epoch = epoch_, .audit_offset = positions.audit, .chunk_offset = positions.chunk});
  put_commit();
}

void Partition::put_commit() {
  ++commit_sequence_;
  commit_pending_ = true;
  wire_.commit(number_, generation_, commit_sequence_, sent_offset_, sent_metadata_);
}

void Partition::commit_last() {
  if (phase_ != Phase::running) return;
  if (ledger_.committable() != (commit_pending_ ? sent_offset_ : committed_offset_)) send_commit();
}

bool Partition::commit_now() {
  if (phase_ != Phase::running) return false;
  if (!commit_pending_ && ledger_.committable() != committed_offset_) send_commit();
  return commit_pending_;
}

void Partition::on_time() {
  if (!failing_.empty()) {
    const auto why = std::exchange(failing_, {});
    fail(why);
    return;
  }
  switch (phase_) {
    case Phase::running:
      commit_now();
      break;
    case Phase::committing:
      if (!commit_pending_) send_commit();
      break;
    case Phase::confirming:
      if (!commit_pending_) settled();
      break;
    case Phase::claiming:
    case Phase::settling:
      break;
  }
}

}  // namespace tokenrail::router
