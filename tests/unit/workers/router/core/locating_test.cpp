// Where the tails begin when no commit says so: ten minutes for the clocks and ten for duplicates before the record at
// which reading starts.
#include <algorithm>
#include <ranges>

#include <gtest/gtest.h>

#include "tests/unit/workers/router/core/router_core_fixture.hpp"

namespace tokenrail::router {
namespace {

constexpr std::int64_t minute = 60'000;

class LocatingTest : public RouterCoreTest {
 protected:
  /// A record of chat.requests, so many milliseconds ago.
  void asked_ago(std::int64_t ms, bool broker_time = true) {
    logs[{"chat.requests", 0}].push_back(
        {.value = "x", .timestamp_ms = environment.wall.count() - ms, .log_append_time = broker_time});
  }
  void event_ago(std::int64_t ms, std::int64_t epoch) {
    const events::AttemptIds ids{.epoch = epoch,
                                 .instance = "i" + std::to_string(epoch),
                                 .source_offset = events::RequestOffset(0),
                                 .org_id = "o",
                                 .request_id = "r",
                                 .attempt = epoch * 1'000 + 1};
    to_audit(ms, events::to_json(events::LlmRequest{.ids = ids}, 10'000));
  }
  void claim_ago(std::int64_t ms, std::int64_t epoch) {
    to_audit(ms, events::to_json(events::RouterClaimed{.epoch = epoch, .instance = "i" + std::to_string(epoch)}));
  }
  void to_audit(std::int64_t ms, std::string value) {
    logs[{"llm.audit", 0}].push_back({.value = std::move(value), .timestamp_ms = environment.wall.count() - ms});
  }
  void chunk_ago(std::int64_t ms, bool deleted = false) {
    logs[{"chat.chunks", 0}].push_back(
        {.value = R"({"done":false})", .timestamp_ms = environment.wall.count() - ms, .deleted = deleted});
  }
  /// Where that log was asked to be read from last; nothing: it was not.
  std::optional<std::int64_t> read_from(const std::string& topic) {
    const auto all = std::views::reverse(reader->asked_for);
    const auto found = std::ranges::find(all, topic, &std::pair<std::string, std::int64_t>::first);
    return found == all.end() ? std::nullopt : std::optional(found->second);
  }
  bool running() {
    const auto all = core->conditions();
    return std::ranges::find(all, "partitions", &telemetry::Condition::name)->problem.empty();
  }
};

struct Row {
  const char* name;
  std::optional<std::int64_t> record_ago{};  ///< of the record at which reading starts
  bool broker_time = true;
  std::vector<std::int64_t> audit_ago{};
  std::int64_t audit_from = 0;
};

TEST_F(LocatingTest, TheAuditLogIsReadFromTheTimeOfTheFirstRecord) {
  constexpr auto beginning = kafka::offset_beginning;
  for (const auto& row : {
           Row{.name = "an old log",
               .record_ago = minute,
               .audit_ago = {99 * minute, 22 * minute, 20 * minute},
               .audit_from = 2},
           Row{.name = "nothing is old", .record_ago = minute, .audit_ago = {5 * minute}, .audit_from = 0},
           Row{.name = "all is old: our own claim is not",
               .record_ago = minute,
               .audit_ago = {99 * minute},
               .audit_from = 1},
           Row{.name = "nothing was ever asked here", .audit_ago = {99 * minute, 19 * minute}, .audit_from = beginning},
           Row{.name = "the sender's clock",
               .record_ago = minute,
               .broker_time = false,
               .audit_ago = {99 * minute},
               .audit_from = beginning},
           Row{.name = "an old record",
               .record_ago = 200 * minute,
               .audit_ago = {221 * minute, 219 * minute},
               .audit_from = 1},
       }) {
    logs.clear();
    make_core({});
    if (row.record_ago) asked_ago(*row.record_ago, row.broker_time);
    for (const auto ago : row.audit_ago) to_audit(ago, "{}");
    assign();
    EXPECT_TRUE(running()) << row.name;
    EXPECT_EQ(read_from("llm.audit"), row.audit_from) << row.name;
  }
}

TEST_F(LocatingTest, TheRecordIsTheFirstAtOrBehindTheCommittedOffset) {
  asked_ago(200 * minute);
  asked_ago(minute);
  to_audit(99 * minute, "{}");
  group->stored[{.topic = "chat.requests", .partition = 0}] = {1, "somebody else's"};
  assign();
  EXPECT_EQ(reader->asked_for.front(), (std::pair<std::string, std::int64_t>("chat.requests", 1)));
  EXPECT_EQ(read_from("llm.audit"), 1);
}

TEST_F(LocatingTest, WithMetadataNobodyIsAsked) {
  to_audit(99 * minute, "{}");
  group->stored[{.topic = "chat.requests", .partition = 0}] = {0, "tr1 7 1 0"};
  assign();
  EXPECT_TRUE(running());
  EXPECT_EQ(questions.asked, 0);
  EXPECT_EQ(read_from("llm.audit"), 1);
}

TEST_F(LocatingTest, AfterThreeRefusalsTheLogsAreReadFromTheirBeginning) {
  asked_ago(minute);
  to_audit(99 * minute, "{}");
  event_ago(99 * minute, 5);
  questions.refused = 2;
  assign();
  EXPECT_FALSE(running());
  wake_after(2s);
  settle();
  EXPECT_TRUE(running());
  EXPECT_EQ(read_from("llm.audit"), 2) << "it was asked again";

  make_core({});
  questions.refused = 3;
  assign();
  wake_after(2s);
  settle();
  EXPECT_TRUE(running());
  EXPECT_EQ(read_from("llm.audit"), kafka::offset_beginning);
  EXPECT_EQ(read_from("chat.chunks"), kafka::offset_beginning);
}

// Where the tail begins behind the claim of whoever wrote last, its events tell its epoch.
TEST_F(LocatingTest, AnEpochWhoseClaimIsOlderThanTheTailIsPassed) {
  const auto ahead = events::first_epoch(environment.wall.count() / 1'000 + 500, 0);
  asked_ago(minute);
  claim_ago(99 * minute, ahead);
  event_ago(5 * minute, ahead);
  assign();
  EXPECT_TRUE(running());
  EXPECT_EQ(audit(Kind::claimed).back().epoch, events::epoch_above(ahead, 0));
  // And closes what was open.
  ASSERT_EQ(audit(Kind::response).size(), 1U);
  EXPECT_EQ(audit(Kind::response)[0].epoch, events::epoch_above(ahead, 0));
}

struct ChunkRow {
  const char* name;
  std::vector<std::pair<std::int64_t, bool>> chunks{};  ///< how long ago, and whether retention has taken it
  std::int64_t from = 0;                                ///< offset_end: what was asked for begins where the log ends
  bool cut = false;
};

// An attempt of five minutes ago is open: whether its end may have been deleted decides whether it runs again.
TEST_F(LocatingTest, ABeginInTheMiddleOfTheChunkLogIsNoCut) {
  for (const auto& row : {
           ChunkRow{"nothing was ever there", {}, kafka::offset_end, false},
           ChunkRow{"older ones are still there", {{99 * minute, false}, {minute, false}}, 1, false},
           ChunkRow{"only older ones", {{99 * minute, false}}, kafka::offset_end, false},
           ChunkRow{"all of them newer, from the first on", {{minute, false}}, 0, false},
           ChunkRow{"the log begins behind the time", {{10 * minute, true}, {minute, false}}, 1, true},
           ChunkRow{"all are deleted", {{10 * minute, true}}, kafka::offset_end, true},
           ChunkRow{"the oldest left is older than the attempt", {{99 * minute, true}, {15 * minute, false}}, 1, false},
       }) {
    logs.clear();
    next_offset = 0;
    make_core({});
    claim_ago(6 * minute, 5);
    event_ago(5 * minute, 5);
    for (const auto& [ago, deleted] : row.chunks) chunk_ago(ago, deleted);
    asked_ago(6 * minute);
    const auto calls = http.started;
    assign();
    const auto from = read_from("chat.chunks");
    request("r");
    settle();
    EXPECT_EQ(from, row.from) << row.name;
    EXPECT_EQ(http.started - calls, row.cut ? 0U : 1U) << row.name;
  }
}

}  // namespace
}  // namespace tokenrail::router
