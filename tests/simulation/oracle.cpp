#include "tests/simulation/oracle.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/events/commit_metadata.hpp"

namespace tokenrail::simulation {

namespace {

using events::AuditFacts;
using events::AuditFold;
using Kind = AuditFacts::Kind;

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

}  // namespace

const std::vector<Oracle::Figures::Member>& Oracle::Figures::members() {
  static const std::vector<Member> all{{"attempts", &Figures::attempts},
                                       {"calls", &Figures::calls},
                                       {"claims", &Figures::claims},
                                       {"releases", &Figures::releases},
                                       {"attempts continued", &Figures::continued},
                                       {"interrupted", &Figures::interrupted},
                                       {"recovered", &Figures::recovered},
                                       {"runs again", &Figures::runs_again},
                                       {"void events", &Figures::void_events},
                                       {"duplicates", &Figures::duplicates},
                                       {"deleted unread", &Figures::lost},
                                       {"read again", &Figures::read_again},
                                       {"logs cut", &Figures::cut},
                                       {"refused", &Figures::refused},
                                       {"answers gone", &Figures::answers_gone},
                                       {"logs replaced", &Figures::replaced},
                                       {"restarted", &Figures::restarted},
                                       {"answers joined", &Figures::joined}};
  return all;
}

Oracle::Figures& Oracle::Figures::operator+=(const Figures& more) {
  for (const auto& member : members()) this->*member.value += more.*member.value;
  return *this;
}

Oracle::Oracle(int partitions, Excuses excuses) : excuses_(excuses), parts_(static_cast<std::size_t>(partitions)) {}

void Oracle::report(std::string promise, std::string text) {
  if (!violation_) violation_ = Violation{.promise = std::move(promise), .text = std::move(text)};
}

int Oracle::id_of(const std::string& org_id, const std::string& request_id) {
  const auto [it, fresh] = ids_.try_emplace({org_id, request_id}, static_cast<int>(id_names_.size()));
  if (fresh) id_names_.push_back(request_id);
  return it->second;
}

std::string Oracle::name(int request, std::int64_t attempt) const {
  return fmt::format("{} attempt {}", id_names_[static_cast<std::size_t>(request)], attempt);
}

std::optional<std::int64_t> Oracle::top(const Part& part, std::int64_t offset) const {
  std::optional<std::int64_t> highest;
  if (const auto* all = part.fold.attempts(events::RequestOffset(offset))) {
    for (const auto& attempt : *all) highest = std::max(highest.value_or(attempt.ids.attempt), attempt.ids.attempt);
  }
  return highest;
}

// --- what happens ---------------------------------------------------------------------------------------------------

void Oracle::request_arrived(int partition, std::int64_t offset, const Request& request, Micros now) {
  auto& p = part(partition);
  p.here.push_back(p.sources.size());
  auto& source = p.sources.emplace_back();
  source.request = request;
  source.offset = offset;
  source.unseen = offset < p.read_to && now < p.requests_noticed_at;
  if (request.garbage) return;
  source.id = id_of(request.org_id, request.request_id);
  for (std::size_t i = 0; i + 1 < p.sources.size(); ++i) {
    if (p.sources[i].id == source.id) source.duplicate = true;
  }
}

void Oracle::audit_cut(int partition) {
  auto& p = part(partition);
  p.fold = events::AuditFold();
  p.audit_cut = true;
  ++figures_.cut;
}

void Oracle::chunks_cut(int partition, std::int64_t below) {
  part(partition).chunks_begin = part(partition).chunks_base + below;
  ++figures_.cut;
}

void Oracle::audit_kept(int partition, std::int64_t offset, std::string_view value) {
  auto& p = part(partition);
  auto event = events::parse_audit(value);
  if (!event) return;
  translate(p, *event);
  const events::AuditOffset at(offset);
  p.fold.apply(at, *event);
  if (at >= p.uncut.next()) p.uncut.apply(at, *event);
}

void Oracle::requests_deleted(int partition, std::int64_t below) {
  auto& p = part(partition);
  for (std::size_t at = 0; at < p.here.size() && static_cast<std::int64_t>(at) < below; ++at) {
    p.sources[p.here[at]].deleted = true;
  }
}

void Oracle::cancelled(const std::string& org_id, const std::string& request_id) {
  cancelled_.insert(id_of(org_id, request_id));
}

void Oracle::refused(Topic topic, int partition) {
  if (topic == Topic::chunks) ++part(partition).chunks_refused;
}

void Oracle::struck(int partition) {
  auto& p = part(partition);
  p.struck = true;
  p.struck_until = Micros::max();
  for (auto& [who, attempt] : p.attempts) attempt.excused = true;
}

int Oracle::call_started(const std::string& org_id, const std::string& request_id, bool fails) {
  calls_.push_back({.request = id_of(org_id, request_id), .fails = fails});
  ++figures_.calls;
  return static_cast<int>(calls_.size()) - 1;
}

void Oracle::handed_over(int process, int partition, Micros since) {
  auto& p = part(partition);
  const auto released = p.released.find(process);
  // Its `released` is void, or has not come into the log: no hand-over that anybody could know of.
  if (released == p.released.end() || released->second.second < since) return;
  const auto epoch = released->second.first;
  for (auto& [who, attempt] : p.attempts) {
    if (attempt.begun_by != process || attempt.epoch != epoch || attempt.response_at >= 0) continue;
    attempt.handed_over = true;
    attempt.excused = disturbed_.contains(process);
  }
}

void Oracle::disturbed(int process) {
  disturbed_.insert(process);
  for (auto& p : parts_) {
    for (auto& [who, attempt] : p.attempts) {
      if (attempt.begun_by == process) attempt.excused = true;
    }
  }
}

void Oracle::all_disturbed() {
  for (auto& p : parts_) {
    for (auto& [who, attempt] : p.attempts) {
      if (attempt.handed_over) attempt.excused = true;
    }
  }
}

void Oracle::audit_appended(int partition, std::int64_t offset, std::string_view value, int writer, Micros now,
                            std::int64_t at_ms) {
  auto& p = part(partition);
  p.audit_log.ms.resize(static_cast<std::size_t>(offset) + 1, at_ms);
  auto event = events::parse_audit(value);
  if (!event) {
    report("P4", fmt::format("audit event {} cannot be read: {}", offset, event.error().detail));
    return;
  }
  translate(p, *event);
  const auto verdict = p.fold.apply(events::AuditOffset(offset), *event);
  p.uncut.apply(events::AuditOffset(offset), *event);
  // Where retention has taken the beginning, only an owner that read it knows that a handed-over attempt is answered.
  const auto about = event->ids.source_offset.value();
  if (p.audit_cut && event->kind == Kind::response && about >= 0 &&
      about < static_cast<std::int64_t>(p.sources.size())) {
    auto& source = p.sources[static_cast<std::size_t>(about)];
    if (p.uncut.complete(event->ids.source_offset, key_of(source))) source.done = true;
  }
  if (verdict == AuditFold::Verdict::is_void) ++figures_.void_events;
  if (verdict == AuditFold::Verdict::repeated && event->kind == Kind::request) {
    report("P4", fmt::format("two llm.requests for {} attempt {}", event->ids.request_id, event->ids.attempt));
  }
  if (verdict != AuditFold::Verdict::counts) return;
  switch (event->kind) {
    case Kind::claimed:
      ++figures_.claims;
      p.claims[event->epoch] = {.chunks_end = p.chunks_end, .at = offset};
      break;
    case Kind::request:
      judge_start(p, *event, writer, now);
      break;
    case Kind::response:
      judge_response(p, *event, now);
      break;
    case Kind::released:
      ++figures_.releases;
      p.released[writer] = {event->epoch, now};
      for (const auto& [source, number] : event->continuing) {
        const auto* known = p.fold.find(source, number);
        if (known == nullptr || !known->open()) continue;
        auto& attempt = p.attempts[{id_of(known->ids.org_id, known->ids.request_id), number}];
        attempt.continued_by = writer;
        attempt.lease_until = now + std::chrono::milliseconds(event->lease_ms);
        ++figures_.continued;
      }
      break;
    case Kind::continuing:
      note_given_up(p, now);
      break;
    case Kind::lost:
      judge_loss(p, *event);
      break;
    default:
      break;
  }
}

void Oracle::dead_letter_appended(const kafka::Headers& headers) {
  const auto partition = kafka::header(headers, "kafka_dlt-original-partition");
  const auto offset = kafka::header(headers, "kafka_dlt-original-offset");
  if (!partition || !offset) {
    report("P1", "a dead letter does not say where it comes from");
    return;
  }
  auto& p = part(static_cast<int>(big_endian(*partition)));
  const auto written = kafka::header(headers, "kafka_dlt-original-timestamp");
  const auto at =
      static_cast<std::size_t>(source_of(p, big_endian(*offset), written ? big_endian(*written) : std::int64_t{-1}));
  if (at >= p.sources.size() || !p.sources[at].request.garbage) {
    report("P1", fmt::format("the request at offset {} is answerable and lies in the dead-letter topic", at));
    return;
  }
  p.sources[at].dead_lettered = true;
}

void Oracle::committed(int partition, std::int64_t offset, const std::string& metadata, Micros now, bool knows) {
  auto& p = part(partition);
  if (!knows) return;
  if (offset > static_cast<std::int64_t>(p.here.size())) {
    report("P5", fmt::format("partition {}: committed {}, beyond the log's end", partition, offset));
    return;
  }
  for (std::int64_t at = p.judged; at < offset; ++at) {
    if (!complete(partition, at)) {
      report("P5", fmt::format("partition {}: the committed offset {} passes the incomplete request {}", partition,
                               offset, at));
      return;
    }
  }
  p.judged = std::max(p.judged, offset);
  if (!p.audit_cut && !excuses_.tampers) judge_metadata(p, offset, metadata, now);
}

void Oracle::judge_metadata(const Part& p, std::int64_t offset, const std::string& metadata, Micros now) {
  constexpr std::size_t metadata_bytes_max = 4'096;
  if (metadata.size() > metadata_bytes_max) {
    report("BOUNDS", fmt::format("commit metadata of {} bytes", metadata.size()));
    return;
  }
  const auto positions = events::decode_commit_metadata(metadata);
  if (!positions) return;  // what a tool wrote may be confirmed as it stands
  std::optional<events::AuditOffset> first;
  for (auto at = static_cast<std::size_t>(offset); at < p.here.size(); ++at) {
    const auto known = p.fold.sources().find(events::RequestOffset(static_cast<std::int64_t>(p.here[at])));
    if (known != p.fold.sources().end())
      first = std::min(first.value_or(known->second.first_event), known->second.first_event);
  }
  // Beside the witness of a log that is gone nobody believes them.
  std::vector<std::int64_t> requests_ms;
  for (const auto at : p.here) requests_ms.push_back(p.sources[at].request.at_ms);
  if (p.requests_replaced && !speaks_of(requests_ms, positions->requests_log)) return;
  const bool audit_known = speaks_of(p.audit_log, positions->audit_log, positions->epoch, now);
  if (audit_known && first && positions->audit_offset > *first) {
    report("METADATA", fmt::format("the commit of {} starts the audit tail at {}; an event it needs lies at {}", offset,
                                   positions->audit_offset.value(), first->value()));
  }
  if (!audit_known || !speaks_of(p.chunks_log, positions->chunks_log, positions->epoch, now)) return;
  for (const auto* open : p.fold.open()) {
    const auto id = ids_.find({open->ids.org_id, open->ids.request_id});
    if (id == ids_.end()) continue;
    const auto attempt = p.attempts.find({id->second, open->ids.attempt});
    if (attempt == p.attempts.end() || attempt->second.first_at < 0 || attempt->second.torn) continue;
    const auto lies_at = attempt->second.first_offset;
    if (attempt->second.first_at >= p.chunks_begin && lies_at < positions->chunk_offset.value()) {
      report("METADATA",
             fmt::format("the commit of {} starts the chunk tail at {}; {}, whose first chunk lies at {}, has "
                         "no response yet",
                         offset, positions->chunk_offset.value(), name(id->second, open->ids.attempt), lies_at));
    }
  }
}

// --- the end --------------------------------------------------------------------------------------------------------

bool Oracle::complete(int partition, std::int64_t offset) const {
  const auto& p = part(partition);
  return answered(p.sources[p.here[static_cast<std::size_t>(offset)]]);
}

bool Oracle::all_complete() const {
  return std::ranges::all_of(
      parts_, [&](const Part& p) { return std::ranges::all_of(p.sources, [&](const Source& s) { return over(s); }); });
}

bool Oracle::any_open() const {
  return std::ranges::any_of(parts_, [](const Part& p) { return !p.audit_cut && !p.fold.open().empty(); });
}

void Oracle::at_rest() {
  for (std::size_t number = 0; number < parts_.size(); ++number) {
    auto& p = parts_[number];
    for (std::size_t at = 0; at < p.sources.size(); ++at) {
      const auto& source = p.sources[at];
      if (over(source)) continue;
      if (source.gone) {
        report("LOST", fmt::format("partition {}: the request at offset {} ({}) was read, is gone with its log, and "
                                   "nobody tells of it",
                                   number, source.offset, source.request.request_id));
      } else {
        report("P1", fmt::format("partition {}: the request at offset {} ({}) is never completed", number,
                                 source.offset, source.request.request_id));
      }
    }
    if (p.judged != requests(static_cast<int>(number))) {
      report("P1", fmt::format("partition {}: committed is {}, the log ends at {}", number, p.judged,
                               requests(static_cast<int>(number))));
    }
    if (p.audit_cut) continue;
    for (const auto* open : p.fold.open()) {
      report("P4", fmt::format("partition {}: {} attempt {} has no response that counts", number, open->ids.request_id,
                               open->ids.attempt));
    }
    for (std::size_t at = 0; at < p.sources.size(); ++at) {
      const auto& source = p.sources[at];
      if (source.request.garbage || source.duplicate || source.told || source.gone || source.passed_over) continue;
      if (of_older_audit(p, static_cast<std::int64_t>(at))) continue;
      std::int64_t shown = -1;
      for (auto it = p.attempts.lower_bound({source.id, 0}); it != p.attempts.end() && it->first.first == source.id;
           ++it) {
        if (it->second.chunks > 0) shown = std::max(shown, it->first.second);
      }
      // A duplicate that was run all the same, because the window was over, is the same request to its readers.
      std::int64_t counted = -1;
      for (std::size_t other = at; other < p.sources.size(); ++other) {
        if (p.sources[other].id != source.id) continue;
        counted = std::max(counted, top(p, static_cast<std::int64_t>(other)).value_or(-1));
      }
      if (shown >= 0 && p.attempts[{source.id, shown}].torn) continue;
      // The record that was run last is gone with its log: requests.lost names it, and no attempt of it follows.
      const auto ran = shown >= 0 ? p.attempts[{source.id, shown}].offset : -1;
      if (ran >= 0 && p.sources[static_cast<std::size_t>(ran)].gone) continue;
      if (shown >= 0 && p.attempts[{source.id, shown}].terminal_at < 0) {
        report("P1", fmt::format("readers of {} wait for ever: attempt {} has no terminal chunk",
                                 source.request.request_id, shown));
      }
      if (shown != counted) {
        report("CONSISTENCY", fmt::format("readers of {} end with attempt {}, the audit log counts {}",
                                          source.request.request_id, shown, counted));
      }
    }
  }
}

}  // namespace tokenrail::simulation
