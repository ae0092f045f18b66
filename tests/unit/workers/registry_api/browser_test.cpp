#include "workers/registry_api/browser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

http::ServerRequest post(std::string host, std::string origin) {
  http::ServerRequest request{.method = "POST", .path = "/v1/orgs", .headers = {{"host", std::move(host)}}};
  if (!origin.empty()) request.headers.push_back({.name = "origin", .value = std::move(origin)});
  return request;
}

TEST(Site, CookiesAreForHttpsUnlessOnLoopback) {
  EXPECT_FALSE(site_of("", "127.0.0.1:9403", {}).secure);
  EXPECT_FALSE(site_of("", "[::1]:9403", {}).secure);
  EXPECT_FALSE(site_of("", "localhost:9403", {}).secure);
  EXPECT_TRUE(site_of("", "0.0.0.0:9403", {}).secure);
  EXPECT_TRUE(site_of("https://models.example.org", "127.0.0.1:9403", {}).secure);
  EXPECT_FALSE(site_of("http://models.example.org", "0.0.0.0:9403", {}).secure);
}

TEST(SessionCookie, ScriptsAndOtherSitesDoNotGetIt) {
  EXPECT_EQ(session_cookie(false, "v1", 60s), "tokenrail_session=v1; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
  EXPECT_EQ(session_cookie(true, "v1", 60s),
            "__Host-tokenrail_session=v1; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
  EXPECT_THAT(session_cookie(true, "", 0s), HasSubstr("=; Path=/; Max-Age=0;"));
}

TEST(CheckOrigin, OnlyTheSameOriginPasses) {
  const auto local = site_of("", "127.0.0.1:9403", {"http://localhost:5173"});
  EXPECT_FALSE(check_origin(local, post("127.0.0.1:9403", "http://127.0.0.1:9403")));
  EXPECT_FALSE(check_origin(local, post("127.0.0.1:9403", "http://localhost:5173"))) << "of api.cors_origins";
  EXPECT_FALSE(check_origin(local, post("127.0.0.1:9403", ""))) << "a program that sends no origin";
  for (const auto* origin : {"https://127.0.0.1:9403", "http://127.0.0.1:9404", "http://127.0.0.1", "null",
                             "http://127.0.0.1:9403.evil.example", "HTTP://127.0.0.1:9403"})
    EXPECT_TRUE(check_origin(local, post("127.0.0.1:9403", origin))) << origin;

  const auto behind_tls = site_of("https://models.example.org/", "127.0.0.1:9403", {});
  EXPECT_FALSE(check_origin(behind_tls, post("10.0.0.1", "https://models.example.org")));
  EXPECT_TRUE(check_origin(behind_tls, post("evil.example", "https://evil.example")));
}

TEST(CheckPageRequest, ReadingNeedsNoToken) {
  const auto site = site_of("", "127.0.0.1:1", {});
  const auth::Session session{.csrf_token = "t"};
  EXPECT_FALSE(check_page_request(site, {.method = "GET", .path = "/"}, session));
  EXPECT_FALSE(check_page_request(site, {.method = "HEAD", .path = "/"}, session));
  for (const auto* method : {"POST", "PUT", "PATCH", "DELETE", "get"}) {
    const auto refused = check_page_request(site, {.method = method, .path = "/"}, session);
    ASSERT_TRUE(refused) << method;
    EXPECT_EQ(refused->fault, Fault::csrf_failed);
  }
}

TEST(IsLocalHost, NamesOfOtherSitesAreNot) {
  for (const auto* host : {"127.0.0.1:9403", "localhost:9403", "localhost", "[::1]:9403"})
    EXPECT_TRUE(is_local_host(post(host, ""))) << host;
  for (const auto* host :
       {"evil.example:9403", "localhost.evil.example", "127.0.0.1.nip.io:80", "10.0.0.1:9403", "", "["})
    EXPECT_FALSE(is_local_host(post(host, ""))) << host;
}

TEST(LoginCookie, ComesBackFromAnotherSite) {
  EXPECT_EQ(login_cookie(false, "v1", 60s), "tokenrail_login=v1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
  EXPECT_EQ(login_cookie(true, "v1", 60s),
            "__Host-tokenrail_login=v1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
}

TEST(SafeReturnTo, LeadsToThePageOnly) {
  for (const auto* path : {"/ui/", "/ui/orgs/acme/models", "/ui/orgs/acme/models?kind=chat&q=%2F", "/ui/a.b/c"})
    EXPECT_EQ(safe_return_to(path), path);
  for (const auto* path : {"", "/", "/ui", "/v1/orgs", "//evil.example", "/ui//evil.example",
                           "https://evil.example/ui/", "/\\evil.example", "/ui/../v1/orgs", "/ui/./x", "/ui/%2e%2e/v1",
                           "/ui/%2E./v1", "/ui/a b", "/ui/\x01", "/ui/\r\nX: y", "/ui/é"})
    EXPECT_EQ(safe_return_to(path), "/ui/") << path;
  EXPECT_EQ(safe_return_to("/ui/" + std::string(2'000, 'a')), "/ui/");
}

TEST(SafeReturnTo, ErrorOfAnEarlierLoginIsLeftOut) {
  EXPECT_EQ(safe_return_to("/ui/a?x=1&loginError=denied&y=2"), "/ui/a?x=1&y=2");
  EXPECT_EQ(safe_return_to("/ui/a?loginError=denied"), "/ui/a");
  EXPECT_EQ(with_login_error("/ui/a", "denied"), "/ui/a?loginError=denied");
  EXPECT_EQ(with_login_error("/ui/a?x=1", "denied"), "/ui/a?x=1&loginError=denied");
}

TEST(BaseUrl, ForeignHostIsUnknown) {
  const auto local = site_of("", "127.0.0.1:9403", {});
  EXPECT_EQ(base_url_of(local, post("localhost:9403", "")), "http://localhost:9403");
  EXPECT_EQ(base_url_of(local, post("evil.example", "")), "");
  const auto behind_tls = site_of("https://models.example.org/", "127.0.0.1:9403", {});
  EXPECT_EQ(base_url_of(behind_tls, post("evil.example", "")), "https://models.example.org");
}

}  // namespace
}  // namespace tokenrail::registry_api
