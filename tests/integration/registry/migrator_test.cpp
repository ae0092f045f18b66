#include "common/registry/migrator.hpp"

#include <array>
#include <future>

#include <gmock/gmock.h>

#include "tests/integration/registry/scratch_database.hpp"

namespace tokenrail::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Migration first{.version = 1, .name = "first", .sql = "CREATE TABLE a (id int); INSERT INTO a VALUES (1)"};
constexpr Migration second{.version = 2, .name = "second", .sql = "ALTER TABLE a ADD b text DEFAULT 'x:y'"};
constexpr Migration broken{.version = 2, .name = "broken", .sql = "CREATE TABLE c (id int); SELECT nonsense"};

class Migrator : public ScratchDatabase {};

TEST_F(Migrator, AppliesOwnMigrationsOnceInOrder) {
  const auto before = migration_status(options_);
  ASSERT_TRUE(before.has_value()) << before.error().detail;
  EXPECT_EQ(before->applied, 0);
  ASSERT_FALSE(before->pending.empty());
  EXPECT_EQ(before->pending.front(), "0001_registry");
  EXPECT_EQ(sql().run("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0")
      << "looking changed something";

  const auto done = migrate(options_);
  ASSERT_TRUE(done.has_value()) << done.error().detail;
  EXPECT_EQ(*done, before->pending);
  EXPECT_EQ(sql().run("SELECT slug FROM provider"), "ollama");

  const auto again = migrate(options_);
  ASSERT_TRUE(again.has_value()) << again.error().detail;
  EXPECT_THAT(*again, IsEmpty());
  EXPECT_THAT(migration_status(options_)->pending, IsEmpty());
}

TEST_F(Migrator, GoesForwardFromWhereItIs) {
  ASSERT_TRUE(migrate(options_, std::array{first}).has_value());
  const auto done = migrate(options_, std::array{first, second});
  ASSERT_TRUE(done.has_value()) << done.error().detail;
  EXPECT_THAT(*done, ElementsAre("0002_second"));
  EXPECT_EQ(sql().run("SELECT b FROM a"), "x:y");
}

TEST_F(Migrator, RefusesAMigrationThatWasChangedAfterwards) {
  ASSERT_TRUE(migrate(options_, std::array{first}).has_value());
  auto changed = first;
  changed.sql = "CREATE TABLE a (id bigint)";
  const auto done = migrate(options_, std::array{changed, second});
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind, ErrorKind::rejected);
  EXPECT_THAT(done.error().detail, HasSubstr("0001_first was changed"));
  EXPECT_EQ(sql().run("SELECT count(*) FROM schema_migration"), "1");
  EXPECT_FALSE(migration_status(options_, std::array{changed}).has_value());
}

TEST_F(Migrator, RefusesADatabaseThatIsNewerThanItself) {
  ASSERT_TRUE(migrate(options_, std::array{first, second}).has_value());
  const auto done = migrate(options_, std::array{first});
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind, ErrorKind::rejected);
  EXPECT_THAT(done.error().detail, HasSubstr("0002_second"));
  EXPECT_THAT(done.error().detail, HasSubstr("upgrade"));
}

TEST_F(Migrator, FailingMigrationIsRolledBackAndNamed) {
  const auto done = migrate(options_, std::array{first, broken});
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind, ErrorKind::rejected);
  EXPECT_THAT(done.error().detail, HasSubstr("0002_broken"));
  EXPECT_EQ(sql().run("SELECT max(version) FROM schema_migration"), "1");
  EXPECT_EQ(sql().run("SELECT to_regclass('c') IS NULL"), "t");
  EXPECT_TRUE(migrate(options_, std::array{first, second}).has_value());
}

TEST_F(Migrator, SeveralAtOnceApplyEachMigrationOnce) {
  std::vector<std::future<Result<std::vector<std::string>>>> racers;
  for (int i = 0; i < 4; ++i) racers.push_back(std::async(std::launch::async, [&] { return migrate(options_); }));
  std::size_t applied = 0;
  for (auto& racer : racers) {
    const auto done = racer.get();
    ASSERT_TRUE(done.has_value()) << done.error().detail;
    applied += done->size();
  }
  EXPECT_EQ(applied, migrations().size());
}

TEST(DatabaseErrors, SayWhereAndNeverThePassword) {
  const DatabaseOptions nobody{.url = "postgresql://ann:Tr0ub4dor%263@127.0.0.1:1/tokenrail", .application = "t"};
  const auto done = migrate(nobody);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(done.error().detail, HasSubstr("127.0.0.1:1/tokenrail"));
  EXPECT_THAT(done.error().detail, HasSubstr("TOKENRAIL_DATABASE_URL"));
  EXPECT_THAT(done.error().detail, testing::Not(HasSubstr("Tr0ub4dor")));

  for (const auto* url : {"postgresql://ann:sesame@[::1/x", "postgresql://ann:sesame@host:port/x", "sesame", ""}) {
    const auto unreadable = migrate({.url = url, .application = "t"});
    ASSERT_FALSE(unreadable.has_value()) << url;
    EXPECT_THAT(unreadable.error().detail, testing::Not(HasSubstr("sesame")));
    EXPECT_THAT(unreadable.error().detail, HasSubstr("URL"));
  }
}

}  // namespace
}  // namespace tokenrail::registry
