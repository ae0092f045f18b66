#include "common/events/commit_metadata.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace tokenrail::events {

namespace {

constexpr std::string_view epoch_field = "at=";
constexpr std::string_view dead_letters_field = "dlq=";
constexpr std::string_view logs_field = "log=";
constexpr std::string_view tails_by_time_field = "tails=time";
constexpr std::string_view well_workers_field = "well=";
constexpr std::size_t worker_bytes_max = 64;

template <class Number>
bool take_number(std::string_view& text, Number& number, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

std::string text_of(const kafka::LogWitness& witness) {
  if (!witness.knows()) return {};
  if (witness.offset < 0) return fmt::format("{}", witness.position);
  return fmt::format("{}:{}:{}", witness.position, witness.position - witness.offset, witness.time_ms);
}

/// Takes one of those off the front; false: it is damaged.
bool take_witness(std::string_view& text, kafka::LogWitness& witness) {
  if (text.empty() || text.starts_with('/')) return true;
  if (!take_number(text, witness.position) || witness.position <= 0) return false;
  if (!take(text, ':')) return true;
  std::int64_t back = 0;
  if (!take_number(text, back) || back <= 0 || back > witness.position) return false;
  if (!take(text, ':') || !take_number(text, witness.time_ms) || witness.time_ms < 0) return false;
  witness.offset = witness.position - back;
  return true;
}

/// None where it is damaged.
void read_logs(std::string_view text, CommitMetadata& metadata) {
  CommitMetadata read;
  if (!take_witness(text, read.requests_log) || !take(text, '/') || !take_witness(text, read.audit_log) ||
      !take(text, '/') || !take_witness(text, read.chunks_log) || !text.empty())
    return;
  metadata.requests_log = read.requests_log;
  metadata.audit_log = read.audit_log;
  metadata.chunks_log = read.chunks_log;
}

/// Nothing where it is damaged: it is a hint.
std::vector<DeadLettered> dead_letters_of(std::string_view text) {
  std::vector<DeadLettered> letters;
  std::int64_t offset = 0;
  while (!text.empty()) {
    std::int64_t difference = 0;
    DeadLettered letter;
    if (!letters.empty() && !take(text, ',')) return {};
    if (!take_number(text, difference) || difference < 0 || !take(text, ':') || !take_number(text, letter.digest, 16))
      return {};
    if (__builtin_add_overflow(offset, difference, &offset)) return {};
    letter.offset = RequestOffset(offset);
    letters.push_back(letter);
  }
  return letters;
}

/// Nothing where it is damaged: what those workers left open counts as lost then.
std::vector<WellWorker> well_workers_of(std::string_view text) {
  std::vector<WellWorker> workers;
  while (!text.empty()) {
    WellWorker known;
    if (!workers.empty() && !take(text, ',')) return {};
    if (!take_number(text, known.epoch) || known.epoch <= 0 || !take(text, ':')) return {};
    known.worker = std::string(text.substr(0, text.find(',')));
    if (known.worker.empty() || known.worker.size() > worker_bytes_max) return {};
    text.remove_prefix(known.worker.size());
    workers.push_back(std::move(known));
  }
  if (workers.size() > well_workers_listed_max) return {};
  return workers;
}

}  // namespace

// FNV-1a, 32 bits; the length of the key keeps it apart from the value.
std::uint32_t dead_letter_digest(const kafka::Record& record) {
  constexpr std::uint32_t prime = 16'777'619;
  std::uint32_t digest = 2'166'136'261;
  const auto add = [&](std::string_view bytes) {
    for (const char byte : bytes) digest = (digest ^ static_cast<unsigned char>(byte)) * prime;
  };
  add(fmt::format("{}:", record.key ? record.key->size() : 0));
  if (record.key) add(*record.key);
  if (record.value) add(*record.value);
  return digest;
}

std::string encode(const CommitMetadata& metadata) {
  auto text = fmt::format("tr1 {} {} {}", metadata.epoch, metadata.audit_offset.value(), metadata.chunk_offset.value());
  if (metadata.epoch_at_audit_offset > 0) text += fmt::format(" {}{}", epoch_field, metadata.epoch_at_audit_offset);
  if (metadata.tails_by_time) text += fmt::format(" {}", tails_by_time_field);
  if (metadata.requests_log.knows() || metadata.audit_log.knows() || metadata.chunks_log.knows()) {
    text += fmt::format(" {}{}/{}/{}", logs_field, text_of(metadata.requests_log), text_of(metadata.audit_log),
                        text_of(metadata.chunks_log));
  }
  for (std::size_t i = 0; i < metadata.well_workers.size(); ++i) {
    const auto& known = metadata.well_workers[i];
    text += fmt::format("{}{}:{}", i == 0 ? fmt::format(" {}", well_workers_field) : ",", known.epoch, known.worker);
  }
  RequestOffset before{};
  std::size_t listed = 0;
  for (const auto& letter : metadata.dead_letters) {
    if (listed == dead_letters_listed_max) break;
    text += listed++ == 0 ? fmt::format(" {}", dead_letters_field) : ",";
    text += fmt::format("{}:{:x}", letter.offset - before, letter.digest);
    before = letter.offset;
  }
  return text;
}

std::optional<CommitMetadata> decode_commit_metadata(std::string_view text) {
  constexpr std::string_view magic = "tr1 ";
  if (!text.starts_with(magic)) return std::nullopt;
  text.remove_prefix(magic.size());

  std::array<std::int64_t, 3> fields{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0 && !take(text, ' ')) return std::nullopt;
    if (!take_number(text, fields[i]) || fields[i] < 0) return std::nullopt;
  }
  CommitMetadata metadata{
      .epoch = fields[0], .audit_offset = AuditOffset(fields[1]), .chunk_offset = ChunkOffset(fields[2])};
  if (metadata.epoch > epoch_max) return std::nullopt;
  // What was appended starts with a blank; anything else is damage.
  if (!text.empty() && !text.starts_with(' ')) return std::nullopt;
  while (take(text, ' ')) {
    auto field = text.substr(0, text.find(' '));
    text.remove_prefix(field.size());
    if (field.starts_with(epoch_field)) {
      field.remove_prefix(epoch_field.size());
      std::int64_t epoch = 0;
      // The worker that committed had claimed at least as high.
      if (take_number(field, epoch) && field.empty() && epoch > 0 && epoch <= metadata.epoch)
        metadata.epoch_at_audit_offset = epoch;
    }
    if (field == tails_by_time_field) metadata.tails_by_time = true;
    if (field.starts_with(well_workers_field))
      metadata.well_workers = well_workers_of(field.substr(well_workers_field.size()));
    if (field.starts_with(logs_field)) read_logs(field.substr(logs_field.size()), metadata);
    if (field.starts_with(dead_letters_field))
      metadata.dead_letters = dead_letters_of(field.substr(dead_letters_field.size()));
  }
  return metadata;
}

}  // namespace tokenrail::events
