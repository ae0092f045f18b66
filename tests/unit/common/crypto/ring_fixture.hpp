// Key rings and sealed bytes for tests.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "common/crypto/envelope.hpp"
#include "common/crypto/key_ring.hpp"

namespace tokenrail::crypto {

inline constexpr std::string_view key_a = "jx1MArfpOlVmyNB+IfqbNBPgbcWin0h7PlUX2MBkL7k=";
inline constexpr std::string_view key_b = "+ubkLD/h5f0+0mVQ4DbEiqA4L4bobaZqqPC/SAQCA+g=";
inline constexpr std::string_view key_c = "6DRXaf0VJOu0A9O81nrVoGWr+OsWeO7fwfVT62ksp3M=";

inline std::string key_json(std::string_view id, std::string_view state, std::string_view key) {
  std::string out = R"({"id":")";
  out += id;
  out += R"(","state":")";
  out += state;
  out += R"(","key":")";
  out += key;
  out += R"("})";
  return out;
}

inline std::string ring_json(const std::string& keys) {
  return R"({"keys":[)" + keys + "]}";
}

inline KeyRing ring_of(const std::string& keys) {
  auto ring = KeyRing::parse(ring_json(keys));
  EXPECT_TRUE(ring) << ring.error().detail;
  return std::move(ring.value());
}

/// One key, `key_a`, with the id "2026-11".
inline KeyRing one_key() {
  return ring_of(key_json("2026-11", "primary", key_a));
}

inline constexpr std::string_view canary = "sk-canary-4711-Zq8v";

inline Binding a_binding() {
  return {.table = "credential",
          .row_id = "018f2c1e-7d3a-7c44-9d1b-2b6f0f5f9a10",
          .org_id = "acme",
          .owner_user_id = "user-7",
          .provider = "openai",
          .field = "api_key",
          .version = 3};
}

/// `canary`, sealed for a_binding() with one_key() by another implementation, which was written from the comment of
/// envelope.hpp. It must open for ever.
inline constexpr std::string_view sealed_v1 =
    "djEHMjAyNi0xMQECAwQFBgcICQoLDF5jfoF7AclB0HFV92xDttao9JegUzZBtrIaIWGQbKMMqMEUFFPEWP8dgG7PMw3eT6ChoqOkpaanqKmqq9KF"
    "OStbwkdgnQS1Flr/Gs4JNHuDbdFHvkAGRc1ihKmdQOZN";

inline SealedSecret stored_v1() {
  return sealed_from_text(sealed_v1).value();
}

}  // namespace tokenrail::crypto
