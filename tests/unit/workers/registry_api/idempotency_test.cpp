#include "workers/registry_api/idempotency.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

TEST(Idempotency, KeyMayBeQuoted) {
  EXPECT_EQ(*idempotency_key("\"abc\""), "abc");
  EXPECT_EQ(*idempotency_key("abc"), "abc");
  EXPECT_EQ(*idempotency_key(std::nullopt), std::nullopt);
  EXPECT_FALSE(idempotency_key(""));
  EXPECT_FALSE(idempotency_key("a b"));
  EXPECT_FALSE(idempotency_key("é"));
  EXPECT_FALSE(idempotency_key(std::string(256, 'a')));
}

TEST(Idempotency, FingerprintDistinguishesRequests) {
  EXPECT_EQ(request_fingerprint("POST", "/a", "", "{}"), request_fingerprint("POST", "/a", "", "{}"));
  EXPECT_NE(request_fingerprint("POST", "/a", "", "{}"), request_fingerprint("POST", "/a", "", "[]"));
  EXPECT_NE(request_fingerprint("POST", "/a", "b", ""), request_fingerprint("POST", "/ab", "", ""));
}

TEST(Idempotency, PassingFailuresAreNotStored) {
  for (const int status : {200, 201, 204, 400, 404, 422}) EXPECT_TRUE(worth_storing(status)) << status;
  for (const int status : {401, 403, 409, 412, 429, 500, 503, 504}) EXPECT_FALSE(worth_storing(status)) << status;
}

}  // namespace
}  // namespace tokenrail::registry_api
