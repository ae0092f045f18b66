// Statements that a connection keeps prepared, on a real PostgreSQL.
#include "common/registry/kept_statements.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "tests/integration/registry/scratch_database.hpp"

namespace tokenrail::registry {
namespace {

class KeptStatementsTest : public ScratchDatabase {
 protected:
  void SetUp() override {
    ScratchDatabase::SetUp();
    if (IsSkipped()) return;
    session_ = std::make_unique<Session>(options_);
  }
  void TearDown() override {
    session_.reset();
    ScratchDatabase::TearDown();
  }
  /// The column "text" of the first row; "NULL" where it is.
  Result<std::string> run(const std::string& statement, const std::vector<std::optional<std::string>>& values = {}) {
    return session_->run([&](soci::session& sql) -> Result<std::string> {
      const auto rows = run_kept(sql, statement, values);
      if (rows.count() == 0) return std::string("none");
      return std::string(rows.row(0).value("text").value_or("NULL"));
    });
  }
  std::string prepared() {
    return run("SELECT CAST(count(*) AS text) AS text FROM pg_prepared_statements WHERE name LIKE 'kept%'").value();
  }

  std::unique_ptr<Session> session_;
};

TEST_F(KeptStatementsTest, StatementIsPreparedOnceAConnection) {
  const std::string statement = "SELECT CAST($1 AS text) || '!' AS text";
  EXPECT_EQ(run(statement, {"a"}).value(), "a!");
  const auto count = prepared();
  EXPECT_EQ(run(statement, {"b"}).value(), "b!");
  EXPECT_EQ(run(statement, {std::nullopt}).value(), "NULL");
  EXPECT_EQ(prepared(), count);
  EXPECT_EQ(run("SELECT 'x' AS text WHERE false").value(), "none");
}

TEST_F(KeptStatementsTest, MoreStatementsThanAreKeptRunToo) {
  for (std::size_t i = 0; i < kept_statements_max + 5; ++i)
    EXPECT_EQ(run(fmt::format("SELECT CAST({} + CAST($1 AS int) AS text) AS text", i), {"1"}).value(),
              std::to_string(i + 1));
  EXPECT_EQ(prepared(), std::to_string(kept_statements_max));
}

TEST_F(KeptStatementsTest, StatementOutlivesARolledBackTransaction) {
  const std::string statement = "SELECT 'x' AS text";
  const auto failed = session_->transact([&](soci::session& sql) -> Result<void> {
    static_cast<void>(run_kept(sql, statement, {}));
    return fail(ErrorKind::conflict, "taken back");
  });
  EXPECT_FALSE(failed.has_value());
  EXPECT_EQ(run(statement).value(), "x");
}

TEST_F(KeptStatementsTest, ConnectionThatIsMadeAgainPreparesAgain) {
  const std::string statement = "SELECT CAST(pg_backend_pid() AS text) AS text";
  const auto first = run(statement).value();
  sql().run("SELECT pg_terminate_backend(" + first + ")");
  EXPECT_EQ(run(statement).error().kind, ErrorKind::unavailable);
  const auto second = run(statement);
  ASSERT_TRUE(second.has_value()) << second.error().detail;
  EXPECT_NE(*second, first);
}

TEST_F(KeptStatementsTest, RefusedStatementIsNotKept) {
  const auto refused = run("SELECT nothing AS text");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::rejected) << refused.error().detail;
  EXPECT_EQ(run("SELECT CAST($1 AS int) AS text", {"x"}).error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(run("SELECT CAST($1 AS int) AS text", {"7"}).value(), "7");
}

}  // namespace
}  // namespace tokenrail::registry
