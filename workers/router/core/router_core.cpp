#include "workers/router/core/router_core.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/events/cancellation.hpp"
#include "workers/router/core/attempt.hpp"
#include "workers/router/core/planted.hpp"

namespace tokenrail::router {

namespace {

const providers::Credentials no_credentials{};
const http::Egress nothing_opened{};

}  // namespace

RouterCore::RouterCore(const RouterOptions& options, const World& world, RouterMetrics& metrics)
    : options_(options),
      environment_(world.environment),
      projection_(world.projection),
      questions_(world.questions),
      metrics_(metrics),
      cancellations_(options_.cancellation_window, options_.cancellations_max),
      queue_(options_.org_weights),
      in_flight_({.process = options_.in_flight_max,
                  .org = options_.org_in_flight_max,
                  .connection = options_.connection_in_flight_max}),
      window_({.requests = options_.window_requests_max, .bytes = options_.window_bytes_max}),
      answers_(options_.answers_bytes_max),
      circuits_(options_.circuits),
      services_{.options = options_,
                .environment = world.environment,
                .http = world.http,
                .egress = world.egress != nullptr ? *world.egress : nothing_opened,
                .projection = world.projection,
                .credentials = world.credentials != nullptr ? *world.credentials : no_credentials,
                .metrics = metrics,
                .in_flight = in_flight_,
                .window = window_,
                .answers = answers_,
                .circuits = circuits_,
                .exhausted = exhausted_,
                .keys = keys_,
                .retries = retries_,
                .hub = *this} {}

RouterCore::~RouterCore() {
  // The clients may be gone already.
  consumer_ = nullptr;
  producer_ = nullptr;
  reader_ = steady_ = nullptr;
  drop_partitions();
  continuing_.clear();
}

void RouterCore::connect(kafka::GroupConsumer* consumer) {
  consumer_ = consumer;
  commits_.clear();
  reading_ = true;
  if (consumer_ != nullptr) adjust_reading();
}

void RouterCore::connect(kafka::Producer* producer) {
  producer_ = producer;
  producer_lost_ = false;
  if (producer_ == nullptr) return;
  topics_[static_cast<std::size_t>(Output::chunks)] = producer_->topic(options_.topics.chunks);
  topics_[static_cast<std::size_t>(Output::audit)] = producer_->topic(options_.topics.audit);
  topics_[static_cast<std::size_t>(Output::dlq)] = producer_->topic(options_.topics.dlq);
  // What an older one had not reported never will be.
  tokens_.clear();
  for (auto& [number, partition] : partitions_) partition->on_producer();
  for (auto& [number, partition] : continuing_) partition->on_producer();
}

void RouterCore::connect(kafka::LogReader* tails, kafka::LogReader* steady) {
  reader_ = tails;
  steady_ = steady != nullptr ? steady : tails;
  if (reader_ == nullptr) return;
  cancellations_until_ = environment_.now().steady + options_.cancellations_wait;
  locate_cancellations();
  arm();
}

// --- the partitions' own logs ---------------------------------------------------------------------------------------

const std::string& RouterCore::topic_of(Log log) const {
  return log == Log::chunks  ? options_.topics.chunks
         : log == Log::audit ? options_.topics.audit
                             : options_.topics.requests;
}

Log RouterCore::log_of(const std::string& topic) const {
  return topic == options_.topics.chunks ? Log::chunks : topic == options_.topics.audit ? Log::audit : Log::requests;
}

void RouterCore::read(Log log, std::int32_t partition, std::int64_t from) {
  if (reader_ == nullptr) return;
  reader_->start({{.partition = {.topic = topic_of(log), .partition = partition}, .offset = from}});
}

void RouterCore::stop_reading(Log log, std::int32_t partition) {
  if (reader_ == nullptr) return;
  reader_->stop({{.topic = topic_of(log), .partition = partition}});
}

void RouterCore::seek(std::int32_t partition, events::RequestOffset offset) {
  if (consumer_ == nullptr) return;
  consumer_->seek({.partition = {.topic = options_.topics.requests, .partition = partition}, .offset = offset.value()});
}

void RouterCore::ask(std::int32_t partition, std::uint64_t generation, std::uint32_t sequence, Log log,
                     std::optional<Millis> at) {
  const auto token = ++next_question_;
  asked_.emplace(token, PendingQuestion{.partition = partition, .generation = generation, .sequence = sequence});
  questions_.ask(token, {.partition = {.topic = topic_of(log), .partition = partition}, .at = at});
}

void RouterCore::on_answer(std::uint64_t token, const Result<LogPlaces>& answer) {
  if (const auto asked = cancellations_asked_.extract(token)) {
    cancellations_located(asked.mapped(), answer);
    return;
  }
  const auto it = asked_.find(token);
  if (it == asked_.end()) return;
  const auto question = it->second;
  asked_.erase(it);
  if (auto* owner = partition(question.partition, question.generation)) owner->on_answer(question.sequence, answer);
  after_event();
}

void RouterCore::LogSide::on_record(kafka::Record&& record) {
  if (record.topic == core.options_.topics.cancellations) {
    core.cancellation_trails_[record.partition].note(record.offset, record.timestamp_ms);
    core.on_cancellation(record);
    return;
  }
  const auto index = static_cast<std::size_t>(record.partition);
  if (index >= core.by_number_.size() || core.by_number_[index] == nullptr) return;
  const auto log = core.log_of(record.topic);
  core.by_number_[index]->on_log_record(log, record);
  core.after_event();
}

void RouterCore::LogSide::on_end(const kafka::TopicPartition& partition, std::int64_t next_offset) {
  if (partition.topic == core.options_.topics.cancellations) {
    core.cancellation_trails_[partition.partition].reaches(next_offset);
    core.cancellations_.read_to_end(partition.partition);
    core.after_event();
    return;
  }
  const auto index = static_cast<std::size_t>(partition.partition);
  if (index >= core.by_number_.size() || core.by_number_[index] == nullptr) return;
  const auto log = core.log_of(partition.topic);
  core.by_number_[index]->on_log_end(log, next_offset);
  core.after_event();
}

void RouterCore::LogSide::on_failure(const kafka::TopicPartition& partition, const Error& error) {
  spdlog::error("{} {}: {}", partition.topic, partition.partition, error.detail);
  if (partition.topic == core.options_.topics.cancellations) return;
  const auto index = static_cast<std::size_t>(partition.partition);
  if (index >= core.by_number_.size() || core.by_number_[index] == nullptr) return;
  core.by_number_[index]->fail(fmt::format("{} cannot be read", partition.topic));
  core.after_event();
}

// --- cancellations --------------------------------------------------------------------------------------------------

void RouterCore::on_cancellation(const kafka::Record& record) {
  const auto now = environment_.now().wall;
  // A sender's clock may say anything: only that of the brokers tells how old a cancellation is.
  const bool stamped = record.log_append_time && record.timestamp_ms >= 0;
  const Millis asked = stamped ? std::min(Millis(record.timestamp_ms), now) : now;
  if (cancellations_.too_old(asked, now)) return;
  auto parsed = events::parse_cancellation(record.value);
  if (!parsed) {
    spdlog::warn("the cancellation at {} {}:{} cannot be read: {}", record.topic, record.partition, record.offset,
                 parsed.error().detail);
    return;
  }
  metrics_.cancellations.add();
  for (auto& [number, partition] : partitions_) partition->cancel(parsed->org_id, parsed->request_id);
  for (auto& [number, partition] : continuing_) partition->cancel(parsed->org_id, parsed->request_id);
  cancellations_.remember(parsed->org_id, parsed->request_id, asked);
  after_event();
}

bool RouterCore::is_cancelled(const std::string& org_id, const std::string& request_id) const {
  return cancellations_.contains(org_id, request_id, environment_.now().wall);
}

// --- whose a report is -----------------------------------------------------------------------------------------------

Partition* RouterCore::partition(std::int32_t number, std::uint64_t generation) {
  const auto index = static_cast<std::size_t>(number);
  const auto low = generation & ReportTokens::low_mask;
  if (index < by_number_.size() && by_number_[index] != nullptr &&
      (by_number_[index]->generation() & ReportTokens::low_mask) == low)
    return by_number_[index];
  const auto it = continuing_.find({low, number});
  return it == continuing_.end() ? nullptr : it->second.get();
}

Partition* RouterCore::partition_of_chunk(std::uint64_t token) {
  const auto owner = ReportTokens::owner_of_chunk(token);
  const auto is = [&](const Partition& p) { return owner.is(p.number(), p.generation()); };
  const auto index = static_cast<std::size_t>(owner.partition);
  if (index < by_number_.size() && by_number_[index] != nullptr && is(*by_number_[index])) return by_number_[index];
  const auto it = std::ranges::find_if(continuing_, [&](const auto& entry) { return is(*entry.second); });
  return it == continuing_.end() ? nullptr : it->second.get();
}

// --- records --------------------------------------------------------------------------------------------------------

kafka::Produced RouterCore::send(Output output, const std::optional<std::string>& key,
                                 std::optional<std::string_view> value, const kafka::Headers* headers,
                                 const Sent& sent) {
  if (!usable()) return kafka::Produced::queue_full;
  const auto topic = topics_[static_cast<std::size_t>(output)];
  const auto where = output == Output::dlq ? sent.partition % dead_letter_partitions_ : sent.partition;
  const auto name = key ? std::optional<std::string_view>(*key) : std::nullopt;

  if (sent.purpose == Purpose::chunk) {
    return producer_->produce(topic, where, name, value, headers, ReportTokens::of_chunk(sent), sent.unit);
  }
  const auto token = tokens_.next(sent.partition);
  const auto produced = producer_->produce(topic, where, name, value, headers, token, sent.unit);
  if (produced == kafka::Produced::accepted) tokens_.accepted(token, sent);
  return produced;
}

void RouterCore::ProducerSide::on_report(const kafka::Report& report) {
  if (ReportTokens::is_chunk(report.token)) {
    if (auto* owner = core.partition_of_chunk(report.token)) {
      owner->on_chunk_report(report, low_unit(report.token));
      // A chunk that is acknowledged unblocks nothing.
      if (!report.ok) core.after_event();
    }
    return;
  }
  const auto sent = core.tokens_.take(report.token);
  if (!sent) return;
  const auto placed = core.tokens_.placed(*sent, report);
  if (auto* owner = core.partition(sent->partition, sent->generation)) {
    owner->on_report(*sent, placed);
  }
  core.after_event();
}

const std::string& RouterCore::topic(Output output) const {
  return output == Output::chunks  ? options_.topics.chunks
         : output == Output::audit ? options_.topics.audit
                                   : options_.topics.dlq;
}

std::size_t RouterCore::record_bytes_max(Output output) const {
  auto configured = options_.record_bytes_max;
  if (output == Output::dlq) {
    configured = dead_letter_bytes_max_;
    // The request's own topic may take larger records than this producer does.
    if (producer_ != nullptr) configured = std::min(configured, producer_->message_bytes_max());
  }
  return refusals_.any(output) ? refusals_.limit(output, configured, environment_.now().steady) : configured;
}

std::size_t RouterCore::whole_chunk_bytes_max() const {
  const auto configured = options_.record_bytes_max;
  return refusals_.any(Output::chunks) ? refusals_.whole_limit(Output::chunks, configured, environment_.now().steady)
                                       : configured;
}

void RouterCore::record_refused(Output output, std::size_t bytes, std::string_view detail) {
  metrics_.record_refused(topic(output));
  if (refusals_.refused(output, bytes, detail, environment_.now().steady)) {
    spdlog::error("{} refused a record of {} bytes for good: {}", topic(output), bytes, detail);
  }
}

std::string RouterCore::next_instance() {
  if (worker_ == 0) worker_ = environment_.random();
  return fmt::format("{:016x}-{}", worker_, ++next_claim_);
}

Millis RouterCore::unreported_age(Output output, std::int32_t partition) const {
  return usable() ? producer_->oldest_unreported_age(topics_[static_cast<std::size_t>(output)], partition) : Millis(0);
}

void RouterCore::ProducerSide::on_space() {
  for (auto& [number, partition] : core.partitions_) partition->on_space();
  for (auto& [number, partition] : core.continuing_) partition->on_space();
  core.after_event();
}

void RouterCore::ProducerSide::on_fatal(const Error& error) {
  core.producer_lost(error.detail);
}

void RouterCore::producer_lost(std::string_view why) {
  if (producer_lost_ || producer_ == nullptr) return;
  spdlog::error("the producer can no longer work: {}", why);
  producer_lost_ = true;
  for (auto& [number, partition] : partitions_) partition->fail("its producer was lost");
  for (auto& [number, partition] : continuing_) partition->fail("its producer was lost");
  after_event();
  if (on_producer_lost) on_producer_lost();
}

// --- dispatch -------------------------------------------------------------------------------------------------------

void RouterCore::dispatch(const FairQueue::Next& next) {
  auto* const owner = partition(next.job.partition, next.job.generation);
  if (owner == nullptr) return;
  const auto dispatched = owner->dispatch(next.job.offset);
  if (dispatched.what == Partition::Dispatch::parked) queue_.park(dispatched.connection_id, next.job, next.org_id);
}

void RouterCore::after_event() {
  release_step();
  sweep_continuing();
  pump();
  drain_step();
  arm();
}

void RouterCore::pump() {
  if (pumping_ || drain_.begun() || releasing_ || !usable() || !projection_.complete()) return;
  if (!cancellations_read()) return;
  pumping_ = true;
  queue_.unpark(in_flight_);
  // Again for as long as a connection has room and somebody waits for it: who waited first may be gone by now.
  do {
    dispatch_ready();
  } while (in_flight_.has_room() && queue_.unpark(in_flight_));
  pumping_ = false;
}

void RouterCore::dispatch_ready() {
  while (in_flight_.has_room()) {
    const auto next = queue_.take(in_flight_);
    if (!next) return;
    dispatch(*next);
  }
}

void RouterCore::on_registry_changed() {
  after_event();
}

// --- time -----------------------------------------------------------------------------------------------------------

void RouterCore::set_timer(const JobRef& job, Millis from, Millis to) {
  if (from != Millis::max()) timers_.erase({from, job.partition, job.generation, job.offset});
  if (to == Millis::max()) return;
  timers_.insert({to, job.partition, job.generation, job.offset});
  arm();
}

void RouterCore::arm() {
  // Often enough for notice_stall(), however long the rounds are.
  auto next = std::min({ask_again_at_, next_round_, last_turn_ + options_.session_timeout / 3});
  next = std::min({next, locate_cancellations_at_, joined_ && looks_.token == 0 ? looks_.at : Millis::max()});
  if (releasing_) next = std::min(next, release_until_);
  if (!timers_.empty()) next = std::min(next, timers_.begin()->at);
  wake_by(next);
}

void RouterCore::wake_by(Millis at) {
  if (at >= armed_at_) return;
  armed_at_ = at;
  environment_.wake_at(at);
}

void RouterCore::on_wake() {
  armed_at_ = Millis::max();
  const auto now = environment_.now().steady;
  notice_stall(now);
  if (now >= ask_again_at_ && consumer_ != nullptr) ask_committed();

  // Bounded by what is due now: a job that asks for a time that has come already is served in the next turn.
  std::vector<Timer> due;
  for (auto it = timers_.begin(); it != timers_.end() && it->at <= now;) {
    due.push_back(*it);
    it = timers_.erase(it);
  }
  for (const auto& timer : due) {
    if (auto* owner = partition(timer.partition, timer.generation)) owner->on_job_time(timer.offset);
  }

  for (auto& [number, partition] : partitions_) {
    if (now >= next_round_ || partition->wants_time()) partition->on_time();
  }
  for (auto& [number, partition] : continuing_) {
    if (now >= next_round_ || partition->wants_time()) partition->on_time();
  }
  look_step();
  notice_cancellations_unread();
  if (now >= next_round_) {
    next_round_ = now + options_.commit_interval;
    const auto silent = [](const auto& entry) { return !entry.second->silence().empty(); };
    if (planted(Bug::silence_fails_all) && usable() && std::ranges::any_of(partitions_, silent)) {
      producer_lost("the brokers have not acknowledged a record for too long");
    }
  }
  after_event();
}

// A loop that stood still for longer than the group's patience (a stopped process, a suspended machine) cannot rely on
// owning anything: the coordinator is asked before anything more is published. This only lessens late output; what
// counts is decided by the log.
void RouterCore::notice_stall(Millis now) {
  const auto stood_still = last_turn_ > Millis(0) ? now - last_turn_ : Millis(0);
  last_turn_ = now;
  if (stood_still <= options_.session_timeout) return;
  spdlog::warn("the loop stopped for {} s", stood_still.count() / 1000);
  for (auto& [number, partition] : partitions_) partition->fail("the loop stopped for too long");
}

// --- the end --------------------------------------------------------------------------------------------------------

void RouterCore::drain(Millis limit, std::function<void()> done) {
  const auto now = environment_.now().steady;
  if (drain_.begun()) {
    drain_.hurry(now);
  } else {
    drain_.begin(now + limit, std::move(done));
    adjust_reading();
    spdlog::info("draining: {} attempts run, at most {} s more", in_flight(), limit.count() / 1000);
    if (consumer_ == nullptr) {
      drain_.left_group();
    } else {
      consumer_->leave([this] {
        drain_.left_group();
        after_event();
      });
    }
  }
  after_event();
}

void RouterCore::drain_step() {
  if (!drain_.runs()) return;
  const auto now = environment_.now().steady;
  // Not while the group has still to ask for what is owned: only what was released is finished or cut here.
  if (!releasing_ && partitions_.empty() && drain_.take_deadline(now)) {
    if (in_flight() > 0) spdlog::warn("the drain deadline has come: {} attempts are cut short", in_flight());
    for (auto& [number, partition] : continuing_) partition->interrupt_all("drain");
  }
  // The group may be left before a release is acknowledged; what runs there is finished behind it.
  const bool finished = !releasing_ && continuing_.empty();
  if (drain_.is_over(now, options_.drain_grace, finished)) drain_.take_done()();
}

}  // namespace tokenrail::router
