#include "workers/registry_api/request_head.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

std::string header(const std::vector<http::Field>& headers, std::string_view name) {
  for (const auto& field : headers)
    if (field.name == name) return field.value;
  return {};
}

TEST(RequestId, TakesClientsIdOnlyIfClean) {
  EXPECT_EQ(accepted_request_id("0af7-65_19.cd/8:4+3="), "0af7-65_19.cd/8:4+3=");
  EXPECT_EQ(accepted_request_id(std::string(128, 'a')), std::string(128, 'a'));
  for (const auto& id : {std::string(), std::string(129, 'a'), std::string("a b"), std::string("a\"b"),
                         std::string("a\nb"), std::string("é")})
    EXPECT_EQ(accepted_request_id(id), std::nullopt) << id;
  EXPECT_EQ(accepted_request_id(std::nullopt), std::nullopt);
}

TEST(ContentType, MustBeJson) {
  EXPECT_FALSE(check_content_type("application/json", false));
  EXPECT_FALSE(check_content_type("Application/JSON ; charset=utf-8", false));
  EXPECT_FALSE(check_content_type("application/merge-patch+json", true));
  EXPECT_FALSE(check_content_type("application/json", true));
  for (const auto* type : {"", "text/plain", "application/x-www-form-urlencoded", "application/merge-patch+json"})
    EXPECT_TRUE(check_content_type(type, false)) << type;
  EXPECT_TRUE(check_content_type(std::nullopt, false));
}

TEST(CommonHeaders, AreOnEveryReply) {
  http::Reply reply{.headers = {{.name = "cache-control", .value = "max-age=60"}}};
  add_common_headers(reply, "r1");
  EXPECT_EQ(header(reply.headers, "X-Request-Id"), "r1");
  EXPECT_EQ(header(reply.headers, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(header(reply.headers, "Cache-Control"), "") << "the endpoint's own value stays";
  EXPECT_THAT(header(reply.headers, "Content-Security-Policy"), testing::HasSubstr("default-src 'none'"));
}

TEST(Cors, IsOffUnlessAnOriginIsAllowed) {
  EXPECT_TRUE(cors_headers("https://a.example", {}).empty());
  EXPECT_EQ(header(cors_headers("https://a.example", {"https://a.example"}), "Access-Control-Allow-Origin"),
            "https://a.example");
  const auto other = cors_headers("https://b.example", {"https://a.example"});
  EXPECT_EQ(header(other, "Access-Control-Allow-Origin"), "");
  EXPECT_EQ(header(other, "Vary"), "Origin");
  EXPECT_EQ(header(cors_headers(std::nullopt, {"https://a.example"}), "Access-Control-Allow-Origin"), "");
}

}  // namespace
}  // namespace tokenrail::registry_api
