// `tokenrail keys …` with credentials in a real PostgreSQL.
#include <filesystem>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/context.hpp"
#include "common/crypto/credential_binding.hpp"
#include "common/crypto/fingerprint.hpp"
#include "common/events/credential_event.hpp"
#include "common/registry/connections.hpp"
#include "common/registry/organizations.hpp"
#include "tests/integration/registry/store_fixture.hpp"

namespace tokenrail::registry {
namespace {

using crypto::KeyRing;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view secret = "sk-canary-of-the-keys-test";

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

class KeysTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    folder_ = ::testing::TempDir() + fmt::format("keys-test-{}-{}", getpid(), name_);
    std::filesystem::create_directories(folder_);
    database_ = std::make_unique<GovernedDatabase>(options_);
    ASSERT_TRUE(Organizations(*database_).create(root(), {.id = "acme", .display_name = "acme"}));
    ASSERT_EQ(called({"keys", "create", file(), "--id", "first"}).code, cli::exit_done);
  }
  void TearDown() override {
    database_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
    StoreTest::TearDown();
  }

  static Actor root() { return {.name = "cli:root", .all_organizations = true}; }
  [[nodiscard]] std::string file() const { return folder_ + "/ring.json"; }
  [[nodiscard]] KeyRing ring() const { return std::move(KeyRing::load(file()).value()); }

  static Outcome called(std::vector<std::string> arguments) {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Outcome outcome;
    outcome.code = cli::run(std::move(arguments));
    outcome.out = ::testing::internal::GetCapturedStdout();
    outcome.err = ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("canary")));
    return outcome;
  }
  [[nodiscard]] Outcome keys(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "keys");
    arguments.push_back("--keyring.file=" + file());
    arguments.push_back("--database.url=" + options_.url);
    return called(std::move(arguments));
  }

  static crypto::CredentialPlace place(const std::string& id, const Scope& scope) {
    return {
        .id = id, .org_id = scope.org_id, .owner_user_id = scope.user_id, .provider = "openai", .secret_version = 1};
  }
  /// Stores a credential as the API does. Returns its id.
  std::string store(const std::string& label, const Scope& scope) {
    const auto key_ring = ring();
    const auto id = database_->new_id().value();
    const auto sealed = crypto::seal(key_ring, Secret(secret), crypto::binding_of(place(id, scope)));
    const auto added = CredentialStore(*database_)
                           .add(root(), scope,
                                {.id = id,
                                 .provider = "openai",
                                 .label = label,
                                 .sealed = crypto::to_text(*sealed),
                                 .key_id = key_ring.primary_id(),
                                 .fingerprint = crypto::fingerprint(key_ring, Secret(secret))});
    EXPECT_TRUE(added) << added.error().detail;
    return id;
  }
  std::string value(const std::string& statement) { return sql().run(statement); }

  std::string folder_;
  std::unique_ptr<GovernedDatabase> database_;
};

TEST_F(KeysTest, RewrapMovesEveryCredentialAndPublishesIt) {
  const auto id = store("main", {.org_id = "acme"});
  store("personal", {.org_id = "acme", .user_id = "anna"});
  store("platform", {});
  ASSERT_EQ(keys({"rotate", "--id", "second"}).code, cli::exit_done);
  EXPECT_EQ(keys({"status"}).out, "KEY     STATE    CREDENTIALS\nfirst   decrypt  3\nsecond  primary  0\n");
  const auto events = value("SELECT count(*) FROM outbox");

  const auto dry = keys({"rewrap", "--dry-run"});
  EXPECT_EQ(dry.code, cli::exit_done) << dry.err;
  EXPECT_EQ(dry.out, "3 credentials would be rewrapped with key 'second'\n");
  EXPECT_EQ(value("SELECT count(*) FROM outbox"), events);
  EXPECT_EQ(value("SELECT count(*) FROM credential WHERE key_id = 'first'"), "3");

  const auto done = keys({"rewrap"});
  EXPECT_EQ(done.code, cli::exit_done) << done.err;
  EXPECT_EQ(done.out, "3 credentials rewrapped with key 'second'\n");
  EXPECT_EQ(keys({"status", "--json"}).out,
            "{\"key\":\"first\",\"state\":\"decrypt\",\"credentials\":0}\n"
            "{\"key\":\"second\",\"state\":\"primary\",\"credentials\":3}\n");

  // The record that routers get opens without the old key.
  ASSERT_EQ(keys({"disable", "first"}).code, cli::exit_done);
  const auto payload =
      value("SELECT payload FROM outbox WHERE aggregateid = 'acme/_/" + id + "' ORDER BY seq DESC LIMIT 1");
  const auto event = events::parse_sealed_credential(payload);
  ASSERT_TRUE(event) << event.error().detail;
  EXPECT_EQ(event->key_id, "second");
  const auto opened = crypto::open(ring(), crypto::sealed_from_text(event->sealed).value(),
                                   crypto::binding_of(place(id, {.org_id = "acme"})));
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(opened->reveal(), secret);
  EXPECT_EQ(event->secret_version, 1) << "the secret is the same";
  EXPECT_EQ(value("SELECT max(count) FROM (SELECT count(*) FROM outbox WHERE aggregatetype = 'credential' GROUP BY "
                  "aggregateid) AS counts"),
            "2");
  EXPECT_EQ(value("SELECT (before->>'keyId') || '>' || (after->>'keyId') || ' ' || (org_id = 'acme') FROM audit_log "
                  "WHERE action = 'credential.rewrapped' AND target_id = '" +
                  id + "'"),
            "first>second true");
  EXPECT_EQ(keys({"rewrap"}).out, "0 credentials rewrapped with key 'second'\n");
}

TEST_F(KeysTest, DisableIsRefusedWhileCredentialsNeedTheKey) {
  store("main", {.org_id = "acme"});
  ASSERT_EQ(keys({"rotate", "--id", "second"}).code, cli::exit_done);
  const auto refused = keys({"disable", "first"});
  EXPECT_EQ(refused.code, cli::exit_bad);
  EXPECT_THAT(refused.err, HasSubstr("1 stored credentials need key 'first'"));
  EXPECT_TRUE(ring().opening_key("first"));

  EXPECT_EQ(keys({"disable", "first", "--force"}).code, cli::exit_done);
  const auto status = keys({"status"});
  EXPECT_EQ(status.code, cli::exit_bad);
  EXPECT_THAT(status.err, HasSubstr("need the key 'first', which is disabled"));
  const auto rewrap = keys({"rewrap"});
  EXPECT_EQ(rewrap.code, cli::exit_bad);
  EXPECT_THAT(rewrap.err, HasSubstr("'first' of the key ring is disabled"));
}

TEST_F(KeysTest, KeyThatTheRingLacksIsMissing) {
  store("main", {.org_id = "acme"});
  std::filesystem::remove(file());
  ASSERT_EQ(called({"keys", "create", file(), "--id", "other"}).code, cli::exit_done);
  const auto status = keys({"status"});
  EXPECT_EQ(status.code, cli::exit_bad);
  EXPECT_EQ(status.out, "KEY    STATE    CREDENTIALS\nother  primary  0\nfirst  missing  1\n");
  EXPECT_THAT(status.err, HasSubstr("'first', which is not in the key ring"));
}

// The secret was replaced between the reading and the writing of the row.
TEST_F(KeysTest, CredentialThatChangesMeanwhileIsNotOverwritten) {
  const auto id = store("main", {.org_id = "acme"});
  CredentialStore credentials(*database_);
  const auto before = credentials.not_under("second", "", 10).value().at(0);
  EXPECT_EQ(before.id, id);
  value("UPDATE credential SET sealed = 'c2VhbGVk', secret_version = 2 WHERE id = '" + id + "'");
  const auto events = value("SELECT count(*) FROM outbox");
  const auto written = credentials.rewrapped(root(), before, "bmV3", "second");
  ASSERT_TRUE(written) << written.error().detail;
  EXPECT_FALSE(*written);
  EXPECT_EQ(value("SELECT sealed || ' ' || key_id FROM credential"), "c2VhbGVk first");
  EXPECT_EQ(value("SELECT count(*) FROM outbox"), events);
  EXPECT_EQ(value("SELECT count(*) FROM audit_log WHERE action = 'credential.rewrapped'"), "0");
}

TEST_F(KeysTest, MoreCredentialsThanABatchAreRewrapped) {
  for (int i = 0; i < 205; ++i) store(fmt::format("label-{}", i), {.org_id = "acme"});
  ASSERT_EQ(keys({"rotate", "--id", "second"}).code, cli::exit_done);
  const auto done = keys({"rewrap", "--json"});
  EXPECT_EQ(done.out, R"({"key":"second","rewrapped":205,"failed":0,"left":0,"dryRun":false})"
                      "\n");
  EXPECT_THAT(done.err, HasSubstr("200 credentials rewrapped"));
  EXPECT_EQ(value("SELECT count(*) FROM credential WHERE key_id = 'second'"), "205");
}

}  // namespace
}  // namespace tokenrail::registry
