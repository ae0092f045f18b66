#include "common/auth/claims.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::auth {
namespace {

using Roles = std::map<std::string, Role, std::less<>>;

constexpr std::int64_t now_s = 1'800'000'000;
constexpr std::chrono::sys_seconds now{std::chrono::seconds(now_s)};
const JwtRules rules{.issuer = "https://issuer.example", .audience = "tokenrail"};

std::expected<VerifiedToken, Refused> read(std::string_view json, const JwtRules& by = rules) {
  return read_claims(json, by, now);
}
std::string refusal(std::string_view json) {
  const auto token = read(json);
  return token ? "" : std::string(name_of(token.error().why));
}

struct Claims {
  std::string iss = R"("https://issuer.example")";
  std::string aud = R"("tokenrail")";
  std::string sub = R"("ann")";
  std::string exp = std::to_string(now_s + 1);
  std::string more{};  ///< begins with a comma

  [[nodiscard]] std::string json() const {
    return fmt::format(R"({{"iss":{},"aud":{},"sub":{},"exp":{}{}}})", iss, aud, sub, exp, more);
  }
};

TEST(Claims, RefusesEachWrongClaimByName) {
  const std::string second = std::to_string(now_s);
  struct Row {
    Claims claims;
    const char* refusal;
  };
  const std::vector<Row> rows{
      {{}, ""},
      {{.iss = R"("https://issuer.example/")"}, "wrong_issuer"},
      {{.iss = R"("HTTPS://issuer.example")"}, "wrong_issuer"},
      {{.iss = R"("https://issuer.exampl")"}, "wrong_issuer"},
      {{.iss = R"(["https://issuer.example"])"}, "wrong_issuer"},
      {{.iss = "null"}, "wrong_issuer"},
      {{.aud = R"("other")"}, "wrong_audience"},
      {{.aud = R"("tokenrail2")"}, "wrong_audience"},
      {{.aud = R"(["other","another"])"}, "wrong_audience"},
      {{.aud = "[]"}, "wrong_audience"},
      {{.aud = R"([["tokenrail"]])"}, "wrong_audience"},
      {{.aud = R"({"tokenrail":true})"}, "wrong_audience"},
      {{.aud = "null"}, "wrong_audience"},
      {{.aud = R"(["other","tokenrail"])"}, ""},
      {{.sub = R"("")"}, "no_subject"},
      {{.sub = "7"}, "no_subject"},
      {{.sub = R"("ann\nadmin")"}, "no_subject"},
      {{.sub = fmt::format(R"("{}")", std::string(subject_bytes_max + 1, 'a'))}, "no_subject"},
      {{.sub = fmt::format(R"("{}")", std::string(subject_bytes_max, 'a'))}, ""},
      {{.exp = std::to_string(now_s - 59)}, ""},
      {{.exp = std::to_string(now_s - 60)}, "expired"},
      {{.exp = std::to_string(now_s - 59) + ".5"}, ""},
      {{.exp = "0"}, "expired"},
      {{.exp = "-1"}, "expired"},
      {{.exp = "1e300"}, "expired"},
      {{.exp = "9007199254740993"}, "expired"},
      {{.exp = R"("1900000000")"}, "expired"},
      {{.exp = "true"}, "expired"},
      {{.exp = "null"}, "expired"},
      {{.exp = "99999999999999999999999"}, "invalid_claims"},
      {{.more = fmt::format(R"(,"nbf":{})", now_s + 60)}, ""},
      {{.more = fmt::format(R"(,"nbf":{})", now_s + 61)}, "not_yet_valid"},
      {{.more = R"(,"nbf":"now")"}, "not_yet_valid"},
      {{.more = fmt::format(R"(,"iat":{})", now_s + 60)}, ""},
      {{.more = fmt::format(R"(,"iat":{})", now_s + 61)}, "issued_in_the_future"},
      {{.more = R"(,"iat":[])"}, "issued_in_the_future"},
      {{.more = R"(,"org":"acme","role":"king")"}, "unknown_role"},
      {{.more = R"(,"org":"acme","role":"ORG_ADMIN")"}, "unknown_role"},
      {{.more = R"(,"org":"acme","role":"")"}, "unknown_role"},
      {{.more = R"(,"org":"acme")"}, "invalid_roles"},
      {{.more = R"(,"role":"member")"}, "invalid_roles"},
      {{.more = R"(,"org":"acme","role":["member"])"}, "invalid_roles"},
      {{.more = R"(,"org":["acme"],"role":"member")"}, "invalid_roles"},
      {{.more = R"(,"org":"","role":"member")"}, "invalid_roles"},
      {{.more = R"(,"org":"a\tb","role":"member")"}, "invalid_roles"},
      {{.more = fmt::format(R"(,"org":"{}","role":"member")", std::string(org_bytes_max + 1, 'o'))}, "invalid_roles"},
      {{.more = R"(,"roles":["member"])"}, "invalid_roles"},
      {{.more = R"(,"roles":"member")"}, "invalid_roles"},
      {{.more = R"(,"roles":{"acme":1})"}, "invalid_roles"},
      {{.more = R"(,"roles":{"acme":"king"})"}, "unknown_role"},
      {{.more = R"(,"roles":{"acme":"platform_admin"})"}, "unknown_role"},
      {{.more = R"(,"roles":{"":"member"})"}, "invalid_roles"},
      // Names that come twice, at any depth: readers differ in which they take.
      {{.more = R"(,"sub":"bob")"}, "invalid_claims"},
      {{.more = fmt::format(R"(,"exp":{})", now_s + 1000)}, "invalid_claims"},
      {{.more = R"(,"roles":{"acme":"viewer","acme":"org_admin"})"}, "invalid_claims"},
      {{.more = R"(,"role":"viewer","role":"platform_admin")"}, "invalid_claims"},
  };
  for (const auto& row : rows) EXPECT_EQ(refusal(row.claims.json()), row.refusal) << row.claims.json();
}

TEST(Claims, MissingClaimIsRefusedByName) {
  EXPECT_EQ(refusal("{}"), "wrong_issuer");
  EXPECT_EQ(refusal(R"({"iss":"https://issuer.example"})"), "wrong_audience");
  EXPECT_EQ(refusal(R"({"iss":"https://issuer.example","aud":"tokenrail"})"), "no_expiry");
  EXPECT_EQ(refusal(R"({"iss":"https://issuer.example","aud":"tokenrail","exp":1900000000})"), "no_subject");
  for (const auto* const text : {"", "null", "[]", "7", "{", R"({"a":1}x)", "{\"a\":\"\xc3\"}"})
    EXPECT_EQ(refusal(text), "invalid_claims") << text;
}

TEST(Claims, MembershipsComeFromBothForms) {
  const auto one = read(Claims{.more = R"(,"org":"acme","role":"model_admin")"}.json());
  EXPECT_EQ(one->principal.roles, (Roles{{"acme", Role::model_admin}}));
  const auto several = read(Claims{.more = R"(,"roles":{"acme":"viewer","beta":"org_admin"})"}.json());
  EXPECT_EQ(several->principal.roles, (Roles{{"acme", Role::viewer}, {"beta", Role::org_admin}}));
  const auto both =
      read(Claims{.more = R"(,"org":"acme","role":"member","roles":{"acme":"viewer","beta":"viewer"})"}.json());
  EXPECT_EQ(both->principal.roles, (Roles{{"acme", Role::member}, {"beta", Role::viewer}})) << "the higher role counts";
  EXPECT_TRUE(read(Claims{}.json())->principal.roles.empty());
}

TEST(Claims, PlatformAdminIsNoMembership) {
  for (const auto* const more : {R"(,"role":"platform_admin")", R"(,"org":"acme","role":"platform_admin")"}) {
    const auto token = read(Claims{.more = more}.json());
    ASSERT_TRUE(token);
    EXPECT_TRUE(token->principal.platform_admin);
    EXPECT_TRUE(token->principal.roles.empty());
  }
}

TEST(Claims, ClaimNamesAreSettings) {
  const JwtRules own{.issuer = rules.issuer,
                     .audience = rules.audience,
                     .claims = {.org = "https://acme.example/org", .role = "tr_role", .roles = "tr_roles"}};
  const auto token =
      read(Claims{.more = R"(,"https://acme.example/org":"acme","tr_role":"member","tr_roles":{"b":"viewer"},)"
                          R"("org":7,"role":"platform_admin","roles":["x"])"}
               .json(),
           own);
  ASSERT_TRUE(token) << token.error().detail;
  EXPECT_FALSE(token->principal.platform_admin);
  EXPECT_EQ(token->principal.roles, (Roles{{"acme", Role::member}, {"b", Role::viewer}}));
}

TEST(Claims, ClientThatAsksForItselfIsAService) {
  EXPECT_EQ(read(Claims{}.json())->principal.kind, Principal::Kind::user);
  EXPECT_EQ(read(Claims{.more = R"(,"client_id":"web")"}.json())->principal.kind, Principal::Kind::user);
  EXPECT_EQ(read(Claims{.more = R"(,"client_id":"ann")"}.json())->principal.kind, Principal::Kind::service);
}

TEST(Claims, MembershipsAreBounded) {
  const auto with = [](std::size_t count) {
    std::vector<std::string> members;
    for (std::size_t i = 0; i < count; ++i) members.push_back(fmt::format(R"("o{}":"viewer")", i));
    return Claims{.more = fmt::format(R"(,"roles":{{{}}})", fmt::join(members, ","))}.json();
  };
  EXPECT_EQ(read(with(memberships_max))->principal.roles.size(), memberships_max);
  EXPECT_EQ(refusal(with(memberships_max + 1)), "invalid_roles");
}

TEST(Claims, EveryRefusalHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Refusal::unknown_service_token); ++i)
    EXPECT_TRUE(names.insert(name_of(static_cast<Refusal>(i))).second) << i;
  EXPECT_EQ(name_of(Refusal::no_token), "no_token");
  EXPECT_EQ(name_of(Refusal::bad_signature), "bad_signature");
  EXPECT_EQ(name_of(Refusal::unknown_service_token), "unknown_service_token");
}

}  // namespace
}  // namespace tokenrail::auth
