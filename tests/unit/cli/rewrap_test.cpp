#include "cli/rewrap.hpp"

#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto/credential_binding.hpp"

namespace tokenrail::cli {
namespace {

using crypto::KeyRing;
using ::testing::HasSubstr;
using ::testing::Not;

/// Rows in memory, with the rules of the database.
class RowsInMemory : public SealedRows {
 public:
  void add(const KeyRing& ring, const std::string& id, const std::string& secret = "sk-canary") {
    Row row{.id = id, .scope = {.org_id = "acme"}, .provider = "openai", .sealed = {}, .key_id = {}};
    const auto sealed = crypto::seal(ring, Secret(secret), binding(row));
    row.sealed = crypto::to_text(sealed.value());
    row.key_id = ring.primary_id();
    rows[id] = row;
  }
  static crypto::Binding binding(const Row& row) {
    return crypto::binding_of({.id = row.id,
                               .org_id = row.scope.org_id,
                               .owner_user_id = row.scope.user_id,
                               .provider = row.provider,
                               .secret_version = row.secret_version});
  }

  Result<std::vector<Row>> not_under(const std::string& key_id, const std::string& after,
                                     std::int64_t count_max) override {
    if (down_after == 0) return fail(ErrorKind::unavailable, "the database is away");
    std::vector<Row> found;
    for (auto it = rows.upper_bound(after); it != rows.end() && std::ssize(found) < count_max; ++it)
      if (it->second.key_id != key_id) found.push_back(it->second);
    return found;
  }
  Result<bool> rewrapped(const Row& before, const std::string& sealed, const std::string& key_id) override {
    if (down_after-- == 0) return fail(ErrorKind::unavailable, "the database is away");
    ++writes;
    if (busy[before.id]-- > 0) return false;
    Row& row = rows.at(before.id);
    EXPECT_EQ(row.sealed, before.sealed);
    row.sealed = sealed;
    row.key_id = key_id;
    return true;
  }

  [[nodiscard]] std::size_t under(const std::string& key_id) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(rows, [&](const auto& row) { return row.second.key_id == key_id; }));
  }

  std::map<std::string, Row> rows;
  std::map<std::string, int> busy;  ///< how often another program changes the row first
  int writes = 0;
  int down_after = -1;  ///< writes until the database is away; -1: never
};

class Rewrap : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 450; ++i) rows_.add(ring_, fmt::format("id-{:03}", i));
    ASSERT_TRUE(ring_.add("new"));
    ASSERT_TRUE(ring_.promote("new"));
  }
  RewrapReport rewrap(RewrapOptions options = {}) {
    const auto report = rewrap_all(ring_, rows_, options);
    EXPECT_TRUE(report) << report.error().detail;
    return report.value_or(RewrapReport{});
  }

  KeyRing ring_ = KeyRing::create("old").value();
  RowsInMemory rows_;
};

TEST_F(Rewrap, RewrapsEveryRowToThePrimaryKey) {
  std::vector<std::int64_t> progress;
  const auto report = rewrap({.progress = [&](const RewrapReport& so_far) { progress.push_back(so_far.rewrapped); }});
  EXPECT_EQ(report.rewrapped, 450);
  EXPECT_EQ(report.failed, 0);
  EXPECT_EQ(report.changed, 0);
  EXPECT_EQ(progress, (std::vector<std::int64_t>{200, 400, 450}));
  EXPECT_EQ(rows_.under("new"), 450U);
  ASSERT_TRUE(ring_.disable("old"));
  for (const auto& [id, row] : rows_.rows) {
    const auto opened = crypto::open(ring_, crypto::sealed_from_text(row.sealed).value(), RowsInMemory::binding(row));
    ASSERT_TRUE(opened) << opened.error().detail;
    EXPECT_EQ(opened->reveal(), "sk-canary");
  }
  EXPECT_EQ(rewrap().rewrapped, 0) << "a second run has nothing to do";
}

TEST_F(Rewrap, DryRunWritesNothingAndFindsSameFailures) {
  rows_.rows.at("id-007").scope.org_id = "other";
  const auto report = rewrap({.dry_run = true});
  EXPECT_EQ(report.rewrapped, 449);
  EXPECT_EQ(report.failed, 1);
  EXPECT_EQ(rows_.writes, 0);
  EXPECT_EQ(rows_.under("old"), 450U);
}

TEST_F(Rewrap, NamesUnreadableRowAndRewrapsOthers) {
  rows_.rows.at("id-000").sealed = "bm8=";
  rows_.rows.at("id-200").secret_version = 9;
  auto other = KeyRing::create("lost").value();
  rows_.add(other, "id-449");
  const auto report = rewrap();
  EXPECT_EQ(report.rewrapped, 447);
  EXPECT_EQ(report.failed, 3);
  ASSERT_EQ(report.failures.size(), 3U);
  EXPECT_EQ(report.failures[0].id, "id-000");
  EXPECT_EQ(report.failures[1].id, "id-200");
  EXPECT_EQ(report.failures[1].org_id, "acme");
  EXPECT_THAT(report.failures[2].reason, HasSubstr("'lost'"));
  for (const auto& failure : report.failures) EXPECT_THAT(failure.reason, Not(HasSubstr("canary")));
  EXPECT_EQ(rows_.under("new"), 447U);
}

TEST_F(Rewrap, FailuresThatAreNamedAreBounded) {
  for (auto& [id, row] : rows_.rows) row.secret_version = 2;
  const auto report = rewrap();
  EXPECT_EQ(report.failed, 450);
  EXPECT_EQ(report.failures.size(), 20U);
}

TEST_F(Rewrap, RetriesConcurrentlyChangedRowsTwice) {
  rows_.rows.at("id-300").secret_version = 2;
  rows_.busy["id-001"] = 2;
  const auto report = rewrap();
  EXPECT_EQ(report.rewrapped, 449);
  EXPECT_EQ(report.changed, 0);
  EXPECT_EQ(report.failed, 1) << "counted once";
  EXPECT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(rows_.writes, 451);
}

TEST_F(Rewrap, RowThatChangesAgainAndAgainIsLeft) {
  rows_.busy["id-001"] = 1000;
  const auto report = rewrap();
  EXPECT_EQ(report.rewrapped, 449);
  EXPECT_EQ(report.changed, 1);
  EXPECT_EQ(rows_.busy.at("id-001"), 997);
}

TEST_F(Rewrap, KeepsRowsDoneBeforeDatabaseIsLost) {
  rows_.down_after = 250;
  const auto ended = rewrap_all(ring_, rows_, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(rows_.under("new"), 250U);
  rows_.down_after = -1;
  EXPECT_EQ(rewrap().rewrapped, 200);
  EXPECT_EQ(rows_.under("new"), 450U);
}

TEST(RewrapResult, SaysWhatIsLeft) {
  EXPECT_EQ(rewrap_text({.rewrapped = 3}, "new", false), "3 credentials rewrapped with key 'new'");
  EXPECT_EQ(rewrap_text({.rewrapped = 3, .failed = 1}, "new", true),
            "3 credentials would be rewrapped with key 'new', 1 failed");
  EXPECT_THAT(rewrap_text({.rewrapped = 3, .changed = 2}, "new", false), HasSubstr(", 2 left because"));
  EXPECT_EQ(rewrap_json({.rewrapped = 3, .changed = 2, .failed = 1}, "new", true),
            R"({"key":"new","rewrapped":3,"failed":1,"left":2,"dryRun":true})");
}

}  // namespace
}  // namespace tokenrail::cli
