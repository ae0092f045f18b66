// The fold of llm.audit against the cases that the reference readers in TypeScript and Python are held to
// (docs/how-to/read-the-audit-log), so that a reader outside decides as routers do.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/events/audit_fold.hpp"

namespace tokenrail::events {
namespace {

using Json = simdjson::dom::element;

std::string_view name_of(AuditFold::Verdict verdict) {
  switch (verdict) {
    case AuditFold::Verdict::counts:
      return "counts";
    case AuditFold::Verdict::repeated:
      return "repeated";
    case AuditFold::Verdict::is_void:
      return "void";
    case AuditFold::Verdict::foreign:
      return "unknown";
  }
  return "";
}

/// One partition of llm.audit, read as routers read it: events about other partitions are passed over.
struct Log {
  AuditFold fold{};
  AuditOffset next{};
  std::set<std::pair<std::int64_t, std::int64_t>> lost{};

  std::string_view apply(std::int32_t partition, AuditOffset offset, std::string_view value) {
    next = offset + 1;
    const auto facts = parse_audit(value);
    if (!facts) return "unreadable";
    if (facts->kind != AuditFacts::Kind::unknown && source_partition(*facts) != partition) return "other_partition";
    const auto verdict = fold.apply(offset, *facts);
    if (facts->kind == AuditFacts::Kind::lost && verdict == AuditFold::Verdict::counts) {
      lost.emplace(facts->lost_from.value(), facts->lost_to.value());
    }
    return name_of(verdict);
  }
  /// From where a reader has to read again to know every attempt that is open.
  [[nodiscard]] AuditOffset resume() const {
    auto offset = next;
    for (const auto* const attempt : fold.open()) offset = std::min(offset, attempt->request_offset);
    return offset;
  }
};

std::string value_of(const Json& record) {
  const Json value = record["value"];
  if (value.is_null()) return {};
  return value.is_string() ? std::string(value.get_string().value()) : simdjson::minify(value);
}

std::int64_t number(const Json& object, const char* name) {
  return object[name].is_null() ? -1 : object[name].get_int64().value();
}
std::string text(const Json& object, const char* name) {
  return object[name].is_null() ? std::string() : std::string(object[name].get_string().value());
}

void expect_attempt(const AuditFold& fold, const Json& expected) {
  const auto* const attempt = fold.find(RequestOffset(number(expected, "sourceOffset")), number(expected, "attempt"));
  ASSERT_NE(attempt, nullptr) << simdjson::minify(expected);
  EXPECT_EQ(attempt->ids.org_id, text(expected, "orgId"));
  EXPECT_EQ(attempt->ids.request_id, text(expected, "requestId"));
  EXPECT_EQ(attempt->request_offset.value(), number(expected, "requestOffset"));
  EXPECT_EQ(attempt->continued.has_value(), expected["continued"].get_bool().value());
  EXPECT_EQ(attempt->open(), expected["responseOffset"].is_null());
  const auto response = attempt->response.value_or(AuditFold::Response{});
  EXPECT_EQ(response.audit_offset.value(), number(expected, "responseOffset"));
  EXPECT_EQ(response.outcome, text(expected, "outcome"));
  EXPECT_EQ(response.cause, text(expected, "cause"));
  EXPECT_EQ(response.called, !expected["called"].is_null() && expected["called"].get_bool().value());
  EXPECT_EQ(response.recovered, expected["recovered"].get_bool().value());
}

void expect_case(const Json& entry) {
  std::map<std::int64_t, Log> logs;
  Json starts;
  if (entry["start"].get(starts) == simdjson::SUCCESS) {
    for (const Json start : starts.get_array()) {
      logs.emplace(number(start, "partition"), Log{.fold = AuditFold(number(start, "epoch"))});
    }
  }
  const simdjson::dom::array verdicts = entry["verdicts"];
  std::size_t at = 0;
  for (const Json record : entry["records"].get_array()) {
    const auto partition = number(record, "partition");
    EXPECT_EQ(logs[partition].apply(static_cast<std::int32_t>(partition), AuditOffset(number(record, "offset")),
                                    value_of(record)),
              verdicts.at(at).get_string().value())
        << "record " << at;
    ++at;
  }
  EXPECT_EQ(at, verdicts.size());

  std::map<std::int64_t, std::size_t> attempts;
  for (const Json expected : entry["attempts"].get_array()) {
    ++attempts[number(expected, "partition")];
    expect_attempt(logs[number(expected, "partition")].fold, expected);
  }
  std::map<std::int64_t, std::set<std::pair<std::int64_t, std::int64_t>>> lost;
  for (const Json range : entry["lost"].get_array()) {
    lost[number(range, "partition")].emplace(number(range, "from"), number(range, "to"));
  }
  EXPECT_EQ(entry["resume"].get_array().size(), logs.size());
  for (const Json place : entry["resume"].get_array()) {
    const auto& log = logs[number(place, "partition")];
    EXPECT_EQ(log.resume().value(), number(place, "offset"));
    EXPECT_EQ(log.fold.epoch_at(log.resume()), number(place, "epoch"));
  }
  for (const auto& [partition, log] : logs) {
    std::size_t known = 0;
    for (const auto& [offset, source] : log.fold.sources()) known += source.attempts.size();
    EXPECT_EQ(known, attempts[partition]) << "partition " << partition;
    EXPECT_EQ(log.lost, lost[partition]) << "partition " << partition;
  }
}

TEST(AuditFold, FindsTheAttemptsThatEveryReaderMustFind) {
  const auto path = std::filesystem::path(TOKENRAIL_SOURCE_DIR) / "tests/golden/reader/attempts.json";
  simdjson::dom::parser parser;
  const simdjson::dom::array cases = parser.load(path.string());
  ASSERT_GT(cases.size(), 15U);
  for (const Json entry : cases) {
    SCOPED_TRACE(std::string(entry["name"].get_string().value()));
    expect_case(entry);
  }
}

}  // namespace
}  // namespace tokenrail::events
