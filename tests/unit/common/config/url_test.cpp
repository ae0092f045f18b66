#include "common/url.hpp"

#include <string_view>

#include <gtest/gtest.h>

namespace tokenrail {
namespace {

struct Row {
  std::string_view url;
  std::string_view scheme;
  std::string_view user;
  std::string_view password;
  std::string_view host_port;
  std::string_view rest;
};

TEST(Url, SplitsAnyText) {
  constexpr Row rows[] = {
      {"http://h:1/p?q#f", "http", "", "", "h:1", "/p?q#f"},
      {"https://me:hush@h/", "https", "me", "hush", "h", "/"},
      {"https://me@h", "https", "me", "", "h", ""},
      {"https://:hush@h", "https", "", "hush", "h", ""},
      {"postgresql://me:hu@sh@/db", "postgresql", "me", "hu@sh", "", "/db"},
      {"http://h/p@q:r", "http", "", "", "h", "/p@q:r"},
      {"http://h?x=//me:hush@i", "http", "", "", "h", "?x=//me:hush@i"},
      {"me:hush@h:1/p", "", "me", "hush", "h:1", "/p"},
      {"//me:hush@h", "", "me", "hush", "h", ""},
      {"h:1", "", "", "", "h:1", ""},
      {"h/a://b", "", "", "", "h", "/a://b"},
      {"://h", "", "", "", "h", ""},
      {"", "", "", "", "", ""},
  };
  for (const auto& row : rows) {
    const auto parts = split_url(row.url);
    EXPECT_EQ(parts.scheme, row.scheme) << row.url;
    EXPECT_EQ(parts.user(), row.user) << row.url;
    EXPECT_EQ(parts.password(), row.password) << row.url;
    EXPECT_EQ(parts.host_port, row.host_port) << row.url;
    EXPECT_EQ(parts.rest, row.rest) << row.url;
  }
}

}  // namespace
}  // namespace tokenrail
