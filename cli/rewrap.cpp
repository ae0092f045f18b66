#include "cli/rewrap.hpp"

#include <utility>

#include <fmt/format.h>

#include "common/crypto/credential_binding.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::cli {
namespace {

constexpr std::int64_t batch_rows = 200;
constexpr int turns = 3;
constexpr std::size_t failures_shown_max = 20;

Result<std::string> rewrapped_text(const crypto::KeyRing& ring, const SealedRows::Row& row) {
  const auto sealed = crypto::sealed_from_text(row.sealed);
  if (!sealed) return std::unexpected(sealed.error());
  const auto again = crypto::rewrap(ring, *sealed,
                                    crypto::binding_of({.id = row.id,
                                                        .org_id = row.scope.org_id,
                                                        .owner_user_id = row.scope.user_id,
                                                        .provider = row.provider,
                                                        .secret_version = row.secret_version}));
  if (!again) return std::unexpected(again.error());
  return crypto::to_text(*again);
}

/// One walk over the rows that are under another key.
class Walk {
 public:
  Walk(const crypto::KeyRing& ring, SealedRows& rows, const RewrapOptions& options, RewrapReport& report)
      : ring_(ring), rows_(rows), options_(options), report_(report) {}

  Result<void> run() {
    std::string after;
    while (true) {
      const auto batch = rows_.not_under(ring_.primary_id(), after, batch_rows);
      if (!batch) return std::unexpected(batch.error());
      if (batch->empty()) return {};
      for (const auto& row : *batch)
        if (auto done = take(row); !done) return done;
      after = batch->back().id;
      options_.progress(report_);
    }
  }

 private:
  Result<void> take(const SealedRows::Row& row) {
    const auto text = rewrapped_text(ring_, row);
    if (!text) {
      ++report_.failed;
      if (report_.failures.size() < failures_shown_max)
        report_.failures.push_back({.id = row.id, .org_id = row.scope.org_id, .reason = text.error().detail});
      return {};
    }
    if (!options_.dry_run) {
      const auto written = rows_.rewrapped(row, *text, ring_.primary_id());
      if (!written) return std::unexpected(written.error());
      if (!*written) {
        ++report_.changed;
        return {};
      }
    }
    ++report_.rewrapped;
    return {};
  }

  const crypto::KeyRing& ring_;
  SealedRows& rows_;
  const RewrapOptions& options_;
  RewrapReport& report_;
};

}  // namespace

Result<RewrapReport> rewrap_all(const crypto::KeyRing& ring, SealedRows& rows, const RewrapOptions& options) {
  RewrapReport report;
  for (int turn = 0; turn < turns; ++turn) {
    // Each turn meets the rows that cannot be unwrapped again.
    report.changed = report.failed = 0;
    report.failures.clear();
    if (auto done = Walk(ring, rows, options, report).run(); !done) return std::unexpected(std::move(done.error()));
    if (report.changed == 0) break;
  }
  return report;
}

std::string rewrap_text(const RewrapReport& report, const std::string& key_id, bool dry_run) {
  auto text = fmt::format("{} credentials {} with key '{}'", report.rewrapped,
                          dry_run ? "would be rewrapped" : "rewrapped", key_id);
  if (report.failed > 0) text += fmt::format(", {} failed", report.failed);
  if (report.changed > 0)
    text += fmt::format(", {} left because another program changed them; run the command again", report.changed);
  return text;
}

std::string rewrap_json(const RewrapReport& report, const std::string& key_id, bool dry_run) {
  std::string line;
  events::JsonWriter json(line);
  json.begin_object();
  json.field("key", key_id);
  json.field("rewrapped", report.rewrapped);
  json.field("failed", report.failed);
  json.field("left", report.changed);
  json.field("dryRun", dry_run);
  json.end_object();
  return line;
}

}  // namespace tokenrail::cli
