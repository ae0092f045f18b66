// The logs of the simulated world: what is appended, what arrives late, what is committed, and logs that are replaced.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/events/commit_metadata.hpp"
#include "tests/simulation/world.hpp"

namespace tokenrail::simulation {

void World::append(Topic topic, int partition, Entry entry, int writer) {
  if (refuses && refuses(topic, entry)) {
    trace.say(scheduler.now(), "{}/{} refuses a record of p{}", name_of(topic), partition, writer);
    if (topic == Topic::chunks) oracle.chunk_refused(partition, entry.value.value_or(""));
    return;
  }
  auto& log = broker.log(topic, partition);
  const auto offset = log.end();
  entry.timestamp_ms = calendar_ms();
  log.entries.push_back(std::move(entry));
  const auto& stored = log.entries.back();
  const std::string_view value = stored.value ? std::string_view(*stored.value) : std::string_view{};
  trace.note(scheduler.now(), 10 + static_cast<std::uint64_t>(topic), static_cast<std::uint64_t>(partition),
             static_cast<std::uint64_t>(offset), value);
  if (trace.spoken()) {
    trace.say(scheduler.now(), "{}/{} @{} by p{}: {}", name_of(topic), partition, offset, writer, brief(topic, value));
  }
  if (kept > 0) {
    log.keep(kept);
  } else {
    tell_oracle(topic, partition, offset, stored, writer);
  }
  judge_moment(topic, value, writer);
  for (const auto& process : processes_) {
    if (!process) continue;
    if (topic == Topic::requests && process->group() != nullptr) process->group()->go_on();
    process->reader().go_on();
  }
}

std::optional<std::int64_t> World::calendar_of(int writer) const {
  const auto* const alive = process(writer);
  return alive != nullptr && alive->calendar_is_right() ? std::optional(calendar_ms()) : std::nullopt;
}

void World::tell_oracle(Topic topic, int partition, std::int64_t offset, const Entry& entry, int writer) {
  const std::string_view value = entry.value ? std::string_view(*entry.value) : std::string_view{};
  switch (topic) {
    case Topic::chunks:
      oracle.chunk_appended(partition, offset, value, scheduler.now(), calendar_of(writer), entry.timestamp_ms);
      break;
    case Topic::audit:
      oracle.audit_appended(partition, offset, value, writer, scheduler.now(), entry.timestamp_ms);
      break;
    case Topic::dlq:
      oracle.dead_letter_appended(entry.headers);
      break;
    case Topic::requests:
    case Topic::cancellations:
    case Topic::count:
      break;
  }
}

std::string World::brief(Topic topic, std::string_view value) {
  if (topic == Topic::audit) {
    const auto event = events::parse_audit(value);
    if (!event) return std::string(value);
    std::string listed;
    for (const auto& [offset, attempt] : event->continuing) listed += fmt::format(" {}:{}", offset.value(), attempt);
    const auto type = value.substr(value.find("\"type\":\"") + 8, 20);
    return fmt::format("{} epoch {} offset {} {} attempt {}{}{}{}{}", type.substr(0, type.find('"')), event->epoch,
                       event->ids.source_offset.value(), event->ids.request_id, event->ids.attempt,
                       event->outcome.empty() ? "" : " " + event->outcome,
                       event->cause.empty() ? "" : "/" + event->cause, event->recovered ? " recovered" : "",
                       listed.empty() ? "" : " continuing" + listed);
  }
  if (topic == Topic::chunks) {
    const auto chunk = events::parse_chunk(value);
    if (!chunk) return std::string(value);
    return fmt::format("{} attempt {} seq {} {}{}", chunk->request_id, chunk->attempt, chunk->seq,
                       chunk->done ? "done " + chunk->finish_reason : chunk->delta.value_or(""),
                       chunk->error_code.empty() ? "" : " " + chunk->error_code);
  }
  return std::string(value.substr(0, 100));
}

void World::judge_moment(Topic topic, std::string_view value, int writer) {
  if (topic == Topic::chunks) {
    moment(value.find("\"done\":true") == std::string_view::npos ? Moment::chunk_append : Moment::terminal_append,
           writer);
  } else if (topic == Topic::audit) {
    for (const auto& [type, what] :
         {std::pair("\"llm.request\"", Moment::request_append), std::pair("\"llm.response\"", Moment::response_append),
          std::pair("\"router.claimed\"", Moment::claim_append),
          std::pair("\"router.released\"", Moment::release_append)}) {
      if (value.find(type) != std::string_view::npos) moment(what, writer);
    }
  }
}

void World::leave_residue(Topic topic, int partition, std::vector<Outgoing> records, int writer, std::uint64_t seed) {
  if (records.empty()) return;
  Residue residue{.topic = topic, .partition = partition, .records = {}, .writer = writer, .random = Random(seed)};
  for (auto& record : records) residue.records.push_back(std::move(record));
  residues_.push_back(std::move(residue));
  residue_step(residues_.size() - 1);
}

void World::residue_step(std::size_t index) {
  auto& residue = residues_[index];
  if (residue.records.empty()) return;
  const auto delay = residue.random.pick({0L, 1'000L, 50'000L, 400'000L, 3'000'000L, 10'000'000L});
  scheduler.after(Micros(residue.random.between(0, delay)), [this, index] {
    auto& late = residues_[index];
    if (late.random.chance(0.1)) {  // neither it nor the records behind it arrive
      late.records.clear();
      return;
    }
    auto record = std::move(late.records.front());
    late.records.pop_front();
    trace.say(scheduler.now(), "late:");
    append(late.topic, late.partition, std::move(record.entry), late.writer);
    residue_step(index);
  });
}

std::int64_t World::deadline_of(std::size_t request) {
  const auto asked = plan.requests[request].timeout_ms;
  return sent_at_ms_[request] + (asked > 0 ? asked : options.request_timeout_default.count());
}

void World::judge_deadline(std::size_t request) {
  constexpr std::int64_t rounding_ms = 2;
  if (calendar_ms() > deadline_of(request) + rounding_ms) {
    oracle.report("DEADLINE", fmt::format("the provider is called for {}, whose time is over", id_of(request)));
  }
}

void World::commit_lands(int partition, std::int64_t offset, const std::string& metadata, int process,
                         std::int64_t version) {
  auto& stored = broker.committed[static_cast<std::size_t>(partition)];
  trace.note(scheduler.now(), 20, static_cast<std::uint64_t>(partition), static_cast<std::uint64_t>(offset), metadata);
  trace.say(scheduler.now(), "committed {}: {} '{}' by p{}", partition, offset, metadata, process);
  // Two commits that are under way may overtake each other. The older one replaces the newer one then.
  const auto before = events::decode_commit_metadata(stored.metadata);
  const auto now = events::decode_commit_metadata(metadata);
  if (newest_committer(partition) == process && before && now && before->epoch == now->epoch &&
      !before->well_workers.empty() && now->well_workers.empty())
    oracle.gone(process);
  stored = {.offset = offset, .metadata = metadata};
  committers_[partition] = process;
  if (kept == 0)
    oracle.committed(partition, offset, metadata, scheduler.now(),
                     version == broker.log(Topic::requests, partition).version);
  moment(Moment::commit_land, process);
}

// --- logs that are replaced -----------------------------------------------------------------------------------------

void World::replace(Topic topic) {
  trace.say(scheduler.now(), "{} is created again", name_of(topic));
  for (int partition = 0; partition < broker.partitions(topic); ++partition) {
    log_is_another(topic, partition, 0);
    // The brokers drop what groups have committed for a topic together with it.
    if (topic == Topic::requests) broker.committed[static_cast<std::size_t>(partition)] = {};
  }
}

void World::take_back(const Fault& fault) {
  Random random(fault.seed);
  const auto topic = random.pick({Topic::requests, Topic::requests, Topic::audit, Topic::audit, Topic::chunks});
  const auto& log = broker.log(topic, fault.partition);
  const auto most = std::min<std::int64_t>(log.end() - log.start, random.pick({1L, 3L, 10L}));
  if (most > 0) take_back(topic, fault.partition, log.end() - random.between(1, most));
}

void World::take_back(Topic topic, int partition, std::int64_t to) {
  trace.say(scheduler.now(), "{}/{} goes back to {}", name_of(topic), partition, to);
  log_is_another(topic, partition, to);
}

void World::log_is_another(Topic topic, int partition, std::int64_t to) {
  constexpr Micros noticed_within{20'000'000};
  trace.note(scheduler.now(), 25, static_cast<std::uint64_t>(topic), static_cast<std::uint64_t>(to));
  noticed_at_ = scheduler.now() + noticed_within;
  const auto version = broker.log(topic, partition).version;
  broker.log(topic, partition).go_back(to, calendar_ms());
  if (topic == Topic::requests) {
    oracle.requests_went_back(partition, to, scheduler.now());
    for (const auto& process : processes_) {
      if (process && process->group() != nullptr) process->group()->log_went_back(partition, to, version);
    }
  } else if (topic == Topic::chunks) {
    oracle.chunks_went_back(partition, to, scheduler.now());
  } else if (topic == Topic::audit) {
    oracle.audit_went_back(partition, to, scheduler.now());
    const auto& log = broker.log(topic, partition);
    for (auto offset = log.start; offset < log.end(); ++offset)
      oracle.audit_kept(partition, offset, log.at(offset).value.value_or(""));
  }
  if (!plan.alone) {
    // The event that says what a process continues may be gone.
    for (const auto& process : processes_) {
      if (process) oracle.disturbed(process->id());
    }
  }
  for (const auto& process : processes_) {
    if (process) process->go_on();
  }
}

}  // namespace tokenrail::simulation
