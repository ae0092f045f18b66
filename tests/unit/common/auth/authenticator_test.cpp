#include "common/auth/authenticator.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/auth/dev_issuer.hpp"
#include "tests/unit/common/auth/fake_issuer.hpp"
#include "tests/unit/common/auth/signer.hpp"

namespace tokenrail::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class AuthenticatorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "tokenrail-authenticator-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Authenticator::Options options(Mode mode) {
    AuthSettings settings{.mode = mode, .audience = "tokenrail"};
    settings.issuer = mode == Mode::dev ? std::string(dev_issuer_name) : "https://issuer.example";
    settings.jwks_url = "https://issuer.example/jwks";
    settings.dev_key_file = (folder_ / "key.json").string();
    return {.settings = settings,
            .service_tokens = {},
            .on_refused = [this](Refusal refusal) { refusals_.emplace_back(name_of(refusal)); },
            .now = [this] { return now_; },
            .steady_now = [this] { return steady_now_; }};
  }
  void make(Authenticator::Options options) {
    auto made = Authenticator::make(loop_, issuer_, std::move(options));
    ASSERT_TRUE(made) << made.error().detail;
    authenticator_ = std::move(*made);
    settle();
  }
  void make_jwt() {
    make(options(Mode::jwt));
    issuer_.answer(testing::jwks({testing::keyring().p256.jwk("a")}));
    settle();
  }
  void ask(std::string header) { ask(Presented{.authorization = std::move(header)}); }
  void ask(Presented presented) {
    answer_.reset();
    boost::asio::co_spawn(loop_, authenticator_->authenticate(std::move(presented)),
                          [this](const std::exception_ptr& failure, Result<Identity> identity) {
                            EXPECT_FALSE(failure);
                            if (!identity) {
                              answer_ = std::make_unique<Result<Principal>>(std::unexpected(identity.error()));
                              return;
                            }
                            session_ = identity->session;
                            answer_ = std::make_unique<Result<Principal>>(std::move(identity->principal));
                          });
    settle();
  }
  void settle() {
    loop_.restart();
    loop_.poll();
  }
  [[nodiscard]] bool accepted() const { return answer_ && *answer_; }
  void expect_refused() const {
    ASSERT_TRUE(answer_ && !*answer_);
    EXPECT_EQ(answer_->error().kind, ErrorKind::rejected);
    EXPECT_EQ(answer_->error().detail, unauthenticated_text) << "one text for every reason";
  }
  [[nodiscard]] std::string token(const testing::Signer& signer, std::string_view kid) const {
    return signer.token(fmt::format(R"({{"alg":"ES256","kid":"{}"}})", kid),
                        fmt::format(R"({{"iss":"https://issuer.example","aud":"tokenrail","sub":"ann","exp":{}}})",
                                    now_.time_since_epoch().count() + 60));
  }

  std::filesystem::path folder_;
  std::chrono::sys_seconds now_{1'800'000'000s};
  JwksSchedule::Time steady_now_{1000h};
  std::vector<std::string> refusals_;
  boost::asio::io_context loop_;
  testing::FakeIssuer issuer_;
  std::unique_ptr<Authenticator> authenticator_;
  std::unique_ptr<Result<Principal>> answer_;
  std::optional<Session> session_;
};

TEST_F(AuthenticatorTest, TokenOfTheIssuerIsAccepted) {
  make_jwt();
  for (const auto* const scheme : {"Bearer ", "bearer ", "BEARER   "}) {
    ask(scheme + token(testing::keyring().p256, "a"));
    ASSERT_TRUE(accepted()) << scheme;
    EXPECT_EQ((*answer_)->subject, "ann");
  }
  EXPECT_EQ(authenticator_->problem(), "");
  EXPECT_TRUE(refusals_.empty());
}

TEST_F(AuthenticatorTest, RefusalsShareAnswerAndLogOwnReason) {
  make_jwt();
  const auto good = token(testing::keyring().p256, "a");
  struct Row {
    std::string header;
    const char* reason;
  };
  for (const auto& row : std::vector<Row>{{"", "no_token"},
                                          {"Bearer", "no_token"},
                                          {"Bearer ", "no_token"},
                                          {"Bearer    ", "no_token"},
                                          {"Basic YW5uOnB3", "no_token"},
                                          {good, "no_token"},
                                          {"Bearer\t" + good, "no_token"},
                                          {"Bearer " + good + " ", "not_a_jwt"},
                                          {"Bearer " + good + ", Bearer " + good, "not_a_jwt"},
                                          {"Bearer x", "not_a_jwt"},
                                          {"Bearer " + std::string(9000, 'x'), "too_large"},
                                          {"Bearer " + token(testing::keyring().other_p256, "a"), "bad_signature"},
                                          {"Bearer " + token(testing::keyring().p256, "b"), "unknown_key"},
                                          {"Bearer trk_", "invalid_service_token"},
                                          {"Bearer trk_x", "invalid_service_token"}}) {
    refusals_.clear();
    ask(row.header);
    expect_refused();
    EXPECT_THAT(refusals_, ElementsAre(row.reason)) << row.header;
  }
}

TEST_F(AuthenticatorTest, ChallengeNamesErrorOnlyForAToken) {
  EXPECT_EQ(challenge(""), R"(Bearer realm="tokenrail")");
  EXPECT_EQ(challenge("Bearer x"), R"(Bearer realm="tokenrail", error="invalid_token")");
}

TEST_F(AuthenticatorTest, FetchesNewKeyThatATokenNames) {
  make_jwt();
  steady_now_ += 30s;
  ask("Bearer " + token(testing::keyring().other_p256, "b"));
  EXPECT_FALSE(answer_) << "it waits for the fetch";
  issuer_.answer(testing::jwks({testing::keyring().p256.jwk("a"), testing::keyring().other_p256.jwk("b")}));
  settle();
  EXPECT_TRUE(accepted());
  EXPECT_TRUE(refusals_.empty());
}

TEST_F(AuthenticatorTest, WithoutKeysItIsUnavailableAndNotRefused) {
  make(options(Mode::jwt));
  EXPECT_THAT(authenticator_->problem(), HasSubstr("issuer"));
  ask("Bearer " + token(testing::keyring().p256, "a"));
  issuer_.fail(http::Ending::connect_failed, "connection refused");
  settle();
  ASSERT_TRUE(answer_ && !*answer_);
  EXPECT_EQ(answer_->error().kind, ErrorKind::unavailable);
  EXPECT_THAT(answer_->error().detail, HasSubstr("connection refused"));
  EXPECT_TRUE(refusals_.empty());
}

TEST_F(AuthenticatorTest, DevTokenIsAcceptedInDevModeOnly) {
  make(options(Mode::dev));
  const auto dev = DevIssuer::open((folder_ / "key.json").string());
  ASSERT_TRUE(dev);
  const auto dev_token =
      "Bearer " + *dev->issue({.audience = "tokenrail", .subject = "ann", .org = "acme", .role = "member"}, now_);
  ask(dev_token);
  ASSERT_TRUE(accepted());
  EXPECT_EQ((*answer_)->roles.at("acme"), Role::member);
  EXPECT_EQ(issuer_.fetches, 0U);
  ask("Bearer " + token(testing::keyring().p256, "a"));
  expect_refused();

  make_jwt();
  ask(dev_token);
  expect_refused();
}

TEST_F(AuthenticatorTest, ReadsRecreatedDevKey) {
  make(options(Mode::dev));
  std::filesystem::remove(folder_ / "key.json");
  const auto dev = DevIssuer::open((folder_ / "key.json").string());
  const auto dev_token = "Bearer " + *dev->issue({.audience = "tokenrail", .subject = "ann"}, now_);
  ask(dev_token);
  expect_refused();
  steady_now_ += 1s;
  ask(dev_token);
  EXPECT_TRUE(accepted());
}

TEST_F(AuthenticatorTest, UnfitDevKeyFileStopsTheStart) {
  auto with = options(Mode::dev);
  with.settings.dev_key_file = folder_.string();
  EXPECT_FALSE(Authenticator::make(loop_, issuer_, std::move(with)));
}

TEST_F(AuthenticatorTest, LooksUpServiceTokenByIdAndHash) {
  const auto made = make_api_token();
  ASSERT_TRUE(made);
  auto with = options(Mode::jwt);
  int lookups = 0;
  with.service_tokens = [&](std::string id, Digest sha256) -> boost::asio::awaitable<Result<std::optional<Principal>>> {
    ++lookups;
    if (id != made->id || !same_digest(sha256, made->sha256)) co_return std::nullopt;
    co_return Principal{.issuer = "tokenrail", .subject = "svc", .kind = Principal::Kind::service};
  };
  make(std::move(with));
  const std::string text(made->token.reveal());
  ask("Bearer " + text);
  ASSERT_TRUE(accepted()) << "and the issuer's keys are of no matter";
  EXPECT_EQ((*answer_)->subject, "svc");
  auto other = text;
  other.back() = other.back() == '0' ? '1' : '0';
  ask("Bearer " + other);
  expect_refused();
  EXPECT_THAT(refusals_, ElementsAre("unknown_service_token"));
  ask("Bearer trk_nonsense");
  expect_refused();
  EXPECT_EQ(lookups, 2) << "what has not the form is not looked up";
}

TEST_F(AuthenticatorTest, FailedLookUpDoesNotRefuseServiceToken) {
  const auto made = make_api_token();
  auto with = options(Mode::jwt);
  with.service_tokens = [](std::string, Digest) -> boost::asio::awaitable<Result<std::optional<Principal>>> {
    co_return fail(ErrorKind::unavailable, "PostgreSQL is away");
  };
  make(std::move(with));
  ask("Bearer " + std::string(made->token.reveal()));
  ASSERT_TRUE(answer_ && !*answer_);
  EXPECT_EQ(answer_->error().kind, ErrorKind::unavailable);
}

TEST_F(AuthenticatorTest, AcceptsSessionCookieWithoutAToken) {
  const SessionSealer sealer(nullptr);
  auto wanted = options(Mode::dev);
  wanted.sessions = &sealer;
  wanted.session_cookie = "session";
  make(std::move(wanted));
  const auto sealed = sealer.seal({.issuer = "i", .subject = "ann", .roles = {{"acme", Role::member}}},
                                  {.name = "Ann", .csrf_token = "c", .expires_at = now_ + 60s, .id = "s"});
  ASSERT_TRUE(sealed);
  ask(Presented{.cookie = "theme=dark; session=" + *sealed});
  ASSERT_TRUE(accepted());
  EXPECT_EQ((*answer_)->subject, "ann");
  ASSERT_TRUE(session_);
  EXPECT_EQ(session_->csrf_token, "c");

  // A token that is refused is not replaced by the cookie beside it.
  ask(Presented{.authorization = "Bearer x", .cookie = "session=" + *sealed});
  expect_refused();
  ask(Presented{.cookie = "session=" + *sealed + "x"});
  expect_refused();
  ask(Presented{.cookie = "other=" + *sealed});
  expect_refused();
  now_ += 61s;
  ask(Presented{.cookie = "session=" + *sealed});
  expect_refused();
  EXPECT_THAT(refusals_, ElementsAre("not_a_jwt", "invalid_session", "no_token", "expired"));
}

}  // namespace
}  // namespace tokenrail::auth
