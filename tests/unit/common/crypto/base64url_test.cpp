#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "common/crypto/bytes.hpp"

namespace tokenrail::crypto {
namespace {

TEST(Base64Url, TextsOfTheStandard) {
  for (const auto& [bytes, text] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{{"", ""},
                                                                            {"f", "Zg"},
                                                                            {"fo", "Zm8"},
                                                                            {"foo", "Zm9v"},
                                                                            {"foob", "Zm9vYg"},
                                                                            {"fooba", "Zm9vYmE"},
                                                                            {"foobar", "Zm9vYmFy"},
                                                                            {"\xfb\xff", "-_8"}}) {
    EXPECT_EQ(to_base64url(bytes), text);
    EXPECT_EQ(from_base64url(text), bytes);
  }
}

TEST(Base64Url, EveryByteComesBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
  }
}

TEST(Base64Url, SecondTextOfTheSameBytesIsRefused) {
  for (const std::string_view text :
       {"Zg==", "Zg=", "Zh", "Zm9", "Z", "Zm8=", "Zm9v\n", " Zm9v", "Zm+v", "Zm/v", "Zm.v", "Zm9vY"})
    EXPECT_EQ(from_base64url(text), std::nullopt) << text;
}

}  // namespace
}  // namespace tokenrail::crypto
