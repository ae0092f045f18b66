// The commands `tokenrail keys …`, run in this process: what they print, write and return.
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/context.hpp"
#include "common/crypto/bytes.hpp"
#include "common/crypto/key_ring.hpp"

namespace tokenrail::cli {
namespace {

using crypto::KeyRing;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

class KeysCommand : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string file() const { return folder_ + "/ring.json"; }
  static Outcome called(std::vector<std::string> arguments) {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Outcome outcome;
    outcome.code = run(std::move(arguments));
    outcome.out = ::testing::internal::GetCapturedStdout();
    outcome.err = ::testing::internal::GetCapturedStderr();
    return outcome;
  }
  /// With the ring's file, and no key in what is printed.
  [[nodiscard]] Outcome keys(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "keys");
    arguments.push_back("--keyring.file=" + file());
    auto outcome = called(std::move(arguments));
    if (const auto ring = KeyRing::load(file())) {
      const auto key = crypto::to_base64(ring->primary_key().reveal());
      EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr(key)));
    }
    return outcome;
  }
  [[nodiscard]] std::string states() const {
    auto outcome = keys({"status", "--ring-only"});
    EXPECT_EQ(outcome.code, exit_done) << outcome.err;
    return outcome.out;
  }

 private:
  std::string folder_ = ::testing::TempDir() + "keys-command-" + std::to_string(getpid());
};

TEST_F(KeysCommand, CreatePrintsIdOfNewKey) {
  const auto created = called({"keys", "create", file()});
  EXPECT_EQ(created.code, exit_done) << created.err;
  EXPECT_THAT(created.out, MatchesRegex("20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]\n"));
  EXPECT_THAT(created.err, HasSubstr("Keep a copy of it"));
  EXPECT_EQ(KeyRing::load(file()).value().primary_id() + "\n", created.out);

  const auto again = called({"keys", "create", file()});
  EXPECT_EQ(again.code, exit_bad);
  EXPECT_THAT(again.out, IsEmpty());
  EXPECT_EQ(KeyRing::load(file()).value().primary_id() + "\n", created.out);
  EXPECT_EQ(called({"keys", "create", file(), "--id", "a b"}).code, exit_usage);
}

TEST_F(KeysCommand, DryRunsChangeNothing) {
  const auto tried = called({"keys", "create", file(), "--id", "first", "--dry-run"});
  EXPECT_EQ(tried.code, exit_done) << tried.err;
  EXPECT_EQ(tried.out, "first\n");
  EXPECT_THAT(tried.err, HasSubstr("nothing was changed"));
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_EQ(called({"keys", "create", file() + "/in-no-folder.json", "--dry-run"}).code, exit_bad);

  ASSERT_EQ(called({"keys", "create", file(), "--id", "first"}).code, exit_done);
  ASSERT_EQ(keys({"add", "--id", "second"}).code, exit_done);
  const auto before = states();
  EXPECT_EQ(called({"keys", "create", file(), "--dry-run"}).code, exit_bad) << "there is one already";
  EXPECT_EQ(keys({"add", "--id", "third", "--dry-run"}).out, "third\n");
  EXPECT_EQ(keys({"promote", "second", "--dry-run"}).out, "second\n");
  EXPECT_EQ(keys({"rotate", "--id", "third", "--dry-run"}).out, "third\n");
  EXPECT_EQ(keys({"disable", "second", "--force", "--dry-run"}).out, "second\n");
  EXPECT_THAT(keys({"promote", "second", "--dry-run"}).err, HasSubstr("nothing was changed"));
  EXPECT_EQ(states(), before);
  // What would be refused is refused.
  EXPECT_NE(keys({"add", "--id", "second", "--dry-run"}).code, exit_done);
  EXPECT_NE(keys({"promote", "none", "--dry-run"}).code, exit_done);
  EXPECT_NE(keys({"disable", "first", "--force", "--dry-run"}).code, exit_done) << "the primary key";
}

TEST_F(KeysCommand, RotateMakesANewPrimaryKey) {
  ASSERT_EQ(called({"keys", "create", file(), "--id", "first"}).code, exit_done);
  const auto rotated = keys({"rotate", "--id", "second"});
  EXPECT_EQ(rotated.code, exit_done) << rotated.err;
  EXPECT_EQ(rotated.out, "second\n");
  EXPECT_EQ(states(), "KEY     STATE\nfirst   decrypt\nsecond  primary\n");
  EXPECT_EQ(keys({"rotate", "--id", "second"}).code, exit_usage);
  EXPECT_EQ(states(), "KEY     STATE\nfirst   decrypt\nsecond  primary\n");
}

TEST_F(KeysCommand, RotationsOfOneDayHaveDifferentIds) {
  ASSERT_EQ(called({"keys", "create", file()}).code, exit_done);
  const auto first = keys({"rotate"});
  const auto second = keys({"rotate"});
  EXPECT_EQ(second.code, exit_done) << second.err;
  EXPECT_NE(first.out, second.out);
}

TEST_F(KeysCommand, AddPromoteAndDisableRotateAKey) {
  ASSERT_EQ(called({"keys", "create", file(), "--id", "first"}).code, exit_done);
  EXPECT_EQ(keys({"add", "--id", "second"}).out, "second\n");
  EXPECT_EQ(states(), "KEY     STATE\nfirst   primary\nsecond  decrypt\n");
  EXPECT_EQ(keys({"promote", "second"}).code, exit_done);
  EXPECT_EQ(states(), "KEY     STATE\nfirst   decrypt\nsecond  primary\n");
  EXPECT_EQ(keys({"disable", "second", "--force"}).code, exit_usage);
  EXPECT_EQ(keys({"disable", "third", "--force"}).code, exit_bad);
  EXPECT_EQ(keys({"disable", "first", "--force"}).code, exit_done);
  EXPECT_EQ(states(), "KEY     STATE\nfirst   disabled\nsecond  primary\n");
  EXPECT_EQ(keys({"promote", "third"}).code, exit_bad);
}

TEST_F(KeysCommand, JsonIsOneObjectForEachKey) {
  ASSERT_EQ(called({"keys", "create", file(), "--id", "first", "--json"}).out,
            "{\"key\":\"first\",\"state\":\"primary\"}\n");
  EXPECT_EQ(keys({"rotate", "--id", "second", "--json"}).out, "{\"key\":\"second\",\"state\":\"primary\"}\n");
  EXPECT_EQ(keys({"status", "--ring-only", "--json"}).out,
            "{\"key\":\"first\",\"state\":\"decrypt\"}\n{\"key\":\"second\",\"state\":\"primary\"}\n");
}

// Nothing listens on port 1.
TEST_F(KeysCommand, WithoutDatabaseShowsRingUnchanged) {
  const std::string away = "--database.url=postgresql://tokenrail@127.0.0.1:1/tokenrail";
  ASSERT_EQ(called({"keys", "create", file(), "--id", "first"}).code, exit_done);
  ASSERT_EQ(keys({"rotate", "--id", "second"}).code, exit_done);
  const auto status = keys({"status", away});
  EXPECT_EQ(status.code, exit_unavailable);
  EXPECT_EQ(status.out, "KEY     STATE\nfirst   decrypt\nsecond  primary\n");
  EXPECT_THAT(status.err, HasSubstr("--ring-only"));
  const auto disabled = keys({"disable", "first", away});
  EXPECT_EQ(disabled.code, exit_unavailable);
  EXPECT_THAT(disabled.err, HasSubstr("--force"));
  EXPECT_EQ(states(), status.out);
  EXPECT_EQ(keys({"rewrap", away}).code, exit_unavailable);
}

TEST_F(KeysCommand, WithoutRingSaysHowToCreateOne) {
  for (const char* command : {"status", "rotate", "add", "rewrap"}) {
    const auto outcome = called({"keys", command});
    EXPECT_EQ(outcome.code, exit_usage);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("TOKENRAIL_KEYRING_FILE"), HasSubstr("tokenrail keys create")));
  }
  const auto missing = keys({"status"});
  EXPECT_EQ(missing.code, exit_bad);
  EXPECT_THAT(missing.err, HasSubstr(file()));
}

TEST_F(KeysCommand, ShowsRingOfASettingUnchanged) {
  const auto text = KeyRing::create("only").value().to_text();
  const std::string setting = "--keyring.keys=" + std::string(text.reveal());
  EXPECT_EQ(called({"keys", "status", "--ring-only", setting}).out, "KEY   STATE\nonly  primary\n");
  const auto rotated = called({"keys", "rotate", setting});
  EXPECT_EQ(rotated.code, exit_usage);
  EXPECT_THAT(rotated.err, HasSubstr("put it into a file"));
}

}  // namespace
}  // namespace tokenrail::cli
