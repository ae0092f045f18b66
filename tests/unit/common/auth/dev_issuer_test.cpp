#include "common/auth/dev_issuer.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/auth/jwt.hpp"
#include "common/auth/key_file.hpp"

namespace tokenrail::auth {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

class DevIssuerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "tokenrail-dev-issuer-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string file(const std::string& name = "key.json") const { return (folder_ / name).string(); }
  [[nodiscard]] static std::string content(const std::string& name) {
    std::ifstream in(name);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  static void write(const std::string& name, std::string_view text, mode_t mode = 0600) {
    std::ofstream(name) << text;
    ::chmod(name.c_str(), mode);
  }
  [[nodiscard]] static mode_t mode_of(const std::string& name) {
    struct stat facts{};
    ::stat(name.c_str(), &facts);
    return facts.st_mode & 07777U;
  }

  std::filesystem::path folder_;
  std::chrono::sys_seconds now_{1'800'000'000s};
  JwtRules rules_{.issuer = "tokenrail-dev", .audience = "tokenrail"};
};

TEST_F(DevIssuerTest, AnotherProcessVerifiesTheToken) {
  const auto cli = DevIssuer::open(file());
  ASSERT_TRUE(cli) << cli.error().detail;
  const auto api = DevIssuer::open(file());
  ASSERT_TRUE(api);
  EXPECT_EQ(cli->kid(), api->kid());
  EXPECT_EQ(cli->kid().size(), 43U) << "a SHA-256 in base64url";
  const auto token =
      cli->issue({.audience = "tokenrail", .subject = "ann", .org = "acme", .role = "model_admin"}, now_);
  ASSERT_TRUE(token) << token.error().detail;
  const auto verified = verify_jwt(*token, api->keys(), rules_, now_);
  ASSERT_TRUE(verified) << verified.error().detail;
  EXPECT_EQ(verified->principal.subject, "ann");
  EXPECT_EQ(verified->principal.roles.at("acme"), Role::model_admin);
  EXPECT_EQ(verified->expires_at, now_ + 8h);
  EXPECT_FALSE(verify_jwt(*token, api->keys(), rules_, now_ + 8h + 60s));
}

TEST_F(DevIssuerTest, TokenOfAnotherKeyIsRefused) {
  const auto ours = DevIssuer::open(file());
  const auto theirs = DevIssuer::open(file("other.json"));
  ASSERT_TRUE(ours && theirs);
  EXPECT_NE(ours->kid(), theirs->kid());
  const auto token = theirs->issue({.audience = "tokenrail", .subject = "ann"}, now_);
  EXPECT_EQ(verify_jwt(*token, ours->keys(), rules_, now_).error().why, Refusal::unknown_key);
}

TEST_F(DevIssuerTest, PlatformAdminNeedsNoOrganisation) {
  const auto issuer = DevIssuer::open(file());
  const auto token = issuer->issue({.audience = "tokenrail", .subject = "ann", .role = "platform_admin"}, now_);
  ASSERT_TRUE(token);
  EXPECT_TRUE(verify_jwt(*token, issuer->keys(), rules_, now_)->principal.platform_admin);
}

TEST_F(DevIssuerTest, ClaimsThatWouldBeRefusedAreNotSigned) {
  const auto issuer = DevIssuer::open(file());
  ASSERT_TRUE(issuer);
  const std::vector<DevIssuer::Claims> rows{
      {.audience = "tokenrail"},
      {.audience = "tokenrail", .subject = "ann", .org = "acme"},
      {.audience = "tokenrail", .subject = "ann", .role = "member"},
      {.audience = "tokenrail", .subject = "ann", .org = "acme", .role = "king"},
      {.audience = "tokenrail", .subject = "ann\n", .org = "acme", .role = "member"},
      {.audience = "tokenrail", .subject = "\xff", .org = "acme", .role = "member"},
      {.audience = "tokenrail", .subject = "ann", .lifetime = -1h},
  };
  for (const auto& row : rows) {
    const auto token = issuer->issue(row, now_);
    ASSERT_FALSE(token) << row.subject << row.org << row.role;
    EXPECT_EQ(token.error().kind, ErrorKind::invalid_input);
  }
}

TEST_F(DevIssuerTest, FileAndFolderAreForTheirOwnerOnly) {
  const auto name = file("deep/er/key.json");
  const auto before = ::umask(0);
  const auto issuer = DevIssuer::open(name);
  ::umask(before);
  ASSERT_TRUE(issuer) << issuer.error().detail;
  EXPECT_EQ(mode_of(name), 0600U);
  EXPECT_EQ(mode_of(std::filesystem::path(name).parent_path()), 0700U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(std::filesystem::path(name).parent_path()), {}), 1)
      << "nothing temporary stays";
}

TEST_F(DevIssuerTest, ProcessesThatRaceShareOneKey) {
  constexpr int processes = 8;
  std::array<int, 2> go{};
  ASSERT_EQ(::pipe(go.data()), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      char start = 0;
      ::close(go[1]);
      (void)!::read(go[0], &start, 1);  // until the parent closes it
      const auto issuer = DevIssuer::open(file());
      if (issuer) write(file("kid" + std::to_string(i)), issuer->kid());
      ::_exit(issuer ? 0 : 1);
    }
    children.push_back(child);
  }
  ::close(go[0]);
  ::close(go[1]);
  for (const auto child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const auto kid = DevIssuer::open(file())->kid();
  for (int i = 0; i < processes; ++i) EXPECT_EQ(content(file("kid" + std::to_string(i))), kid);
}

TEST_F(DevIssuerTest, SecondMakerLeavesTheFirstFile) {
  ASSERT_TRUE(make_key_file(file(), "first"));
  ASSERT_TRUE(make_key_file(file(), "second"));
  EXPECT_EQ(content(file()), "first");
}

TEST_F(DevIssuerTest, UnfitFileIsNamedWithARemedy) {
  const auto key = [&] {
    EXPECT_TRUE(DevIssuer::open(file("good.json")));
    return content(file("good.json"));
  }();
  const auto without_d = key.substr(0, key.find(",\"d\"")) + "}";
  ASSERT_NE(key.find("\"d\""), std::string::npos);
  struct Row {
    std::string content;
    mode_t mode;
    const char* why;
  };
  for (const auto& row : std::vector<Row>{{key, 0640, "other users"},
                                          {key, 0604, "other users"},
                                          {key, 0620, "other users"},
                                          {"", 0600, "no ES256 key"},
                                          {"{}", 0600, "no ES256 key"},
                                          {"secret", 0600, "no ES256 key"},
                                          {without_d, 0600, "no ES256 key"},
                                          {R"({"kty":"oct","kid":"x","k":"c2VjcmV0"})", 0600, "no ES256 key"},
                                          {std::string(5000, 'x'), 0600, "holds no key"}}) {
    write(file(), row.content, row.mode);
    const auto issuer = DevIssuer::open(file());
    ASSERT_FALSE(issuer) << row.content;
    EXPECT_THAT(issuer.error().detail, HasSubstr(row.why));
    EXPECT_THAT(issuer.error().detail, HasSubstr(file()));
    EXPECT_EQ(content(file()), row.content) << "and it is left as it is";
  }
}

TEST_F(DevIssuerTest, RefusesPathThatIsNoFile) {
  std::filesystem::create_directory(file());
  EXPECT_THAT(DevIssuer::open(file()).error().detail, HasSubstr("is not a file"));
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  EXPECT_THAT(DevIssuer::open(file("pipe")).error().detail, HasSubstr("is not a file"));
  write(file("plain"), "");
  EXPECT_THAT(DevIssuer::open(file("plain/key.json")).error().detail, HasSubstr("plain/key.json"));
}

TEST(DevKeyFile, DefaultIsInTheStateFolder) {
  EXPECT_EQ(default_dev_key_file("/state", "/home/ann"), "/state/tokenrail/dev-auth-key.json");
  EXPECT_EQ(default_dev_key_file("", "/home/ann"), "/home/ann/.local/state/tokenrail/dev-auth-key.json");
  EXPECT_EQ(default_dev_key_file("relative", "/home/ann"), "/home/ann/.local/state/tokenrail/dev-auth-key.json");
  EXPECT_EQ(default_dev_key_file("", ""), "");
}

}  // namespace
}  // namespace tokenrail::auth
